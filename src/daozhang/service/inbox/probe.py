"""Probe: how the operator asks from outside whether a merchant's notifications get here unspoilt.

`daozhang doctor` posts something like a notification to the public address. Whoever has the
sealing keys can make one; nobody else can. It is answered ``success`` like a notification, but
nothing is recorded and the database is not asked, so one that is sent again does nothing either.
Bodies with a signature never come here: notifications pay nothing for it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from daozhang.service.ids import new_id
from daozhang.service.merchants.model import Merchant
from daozhang.service.seal import Sealer, TokenRefused

PURPOSE: Final = "notify probe"
LIFE: Final = timedelta(minutes=5)
MARK: Final = b"&daozhang_probe="
CHANGED: Final = "the probe was changed on the way"
REFUSED: Final = "there is no sign in the body"
"""What a stranger hears as well: who only tries learns nothing."""


def make_probe(sealer: Sealer, merchant: Merchant, now: datetime) -> bytes:
    """The body of a probe for ``merchant``: what a notification looks like, but unsigned."""
    # With what firewalls stumble over: Chinese, quotes, brackets, markup, a percent sign.
    fields = {
        "notify_type": "trade_status_sync",
        "notify_id": new_id("probe", now),
        "charset": "utf-8",
        "subject": "明前龙井 250g <b>50% off</b> 'select' \"--",
        "fund_bill_list": '[{"amount":"88.88","fundChannel":"ALIPAYACCOUNT"}]',
        "sign_type": "RSA2",
    }
    content = urlencode(fields).encode()
    return content + MARK + _token(sealer, merchant, content, now).encode()


def is_probe(sealer: Sealer, merchant: Merchant, body: bytes, now: datetime) -> str | None:
    """``None`` if ``body`` is a probe for ``merchant`` as it was sent, else why it is refused."""
    content, found, token = body.rpartition(MARK)
    if not found:
        return REFUSED
    try:
        payload = sealer.read_token(PURPOSE, token.decode("ascii", "replace"), now)
    except TokenRefused:
        return REFUSED
    if payload.get("merchant") != [merchant.id, merchant.slug]:
        return REFUSED
    return None if payload.get("content") == _hash(content) else CHANGED


def _token(sealer: Sealer, merchant: Merchant, content: bytes, now: datetime) -> str:
    payload = {"merchant": [merchant.id, merchant.slug], "content": _hash(content)}
    return sealer.sign_token(PURPOSE, payload, now + LIFE)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
