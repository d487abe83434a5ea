"""A recorded notification word for word, as a person may see it, and which key its signature is by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, unquote_plus

from daozhang.alipay.errors import Untrusted
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notify import VerifyingKeys, read_signed
from daozhang.service.inbox import store
from daozhang.service.inbox.model import RecordedNotification
from daozhang.service.inbox.recording import sealed_to
from daozhang.service.merchants.clients import Clients
from daozhang.service.people import masking
from daozhang.service.people.actions import note_personal_view
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import Context

MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "buyer_id": masking.masked_number,
    "buyer_user_id": masking.masked_number,
    "buyer_open_id": masking.masked_number,
    "open_id": masking.masked_number,
    "buyer_logon_id": masking.masked_logon,
    "payer_user_id": masking.masked_number,
    "payer_open_id": masking.masked_number,
    "payer_logon_id": masking.masked_logon,
    "alipay_user_id": masking.masked_number,
    "alipay_open_id": masking.masked_number,
    "alipay_logon_id": masking.masked_logon,
    "external_logon_id": masking.masked_logon,
    # What a message says can be anything of anybody's.
    "biz_content": lambda _value: masking.DOTS,
}
"""The fields of notifications that say who a person is, and what is shown instead."""


class NotificationNotFound(Refusal):
    """The merchant has no such notification."""

    code = "notification_not_found"
    status = 404
    title = "No such notification"

    def __init__(self) -> None:
        super().__init__("This merchant has no such notification.", "该商户没有这条通知。")


@dataclass(frozen=True, slots=True)
class RawNotification:
    """What came, word for word; ``body`` is ``None`` once it was forgotten.

    ``masked``: who a person is stands there as dots. ``key``: the fingerprint of that key of
    Alipay's which it verifies with now; ``None`` if that key has been replaced since it came.
    """

    row: RecordedNotification
    body: str | None
    masked: bool
    sign_type: str
    key: str | None


def read_raw(
    context: Context,
    clients: Clients,
    actor: Person,
    merchant_id: int,
    notification_id: int,
    *,
    unmasked: bool = False,
) -> RawNotification:
    """A notification of the merchant's. ``unmasked`` takes the right to personal fields, and is
    written into the trail. Raises `NotificationNotFound` and what `require` raises."""
    require(actor, Right.NOTIFICATIONS_READ, merchant_id)
    if unmasked:
        subject = f"notification:{notification_id}"
        note_personal_view(context, actor, subject, merchant_id=merchant_id)
    with context.database.read() as tx:
        found = store.find_notification(tx, merchant_id, notification_id)
    if found is None:
        raise NotificationNotFound
    row, content_hash, sealed = found
    keys = clients.verifying_keys_for(clients.merchant(merchant_id))
    if not row.has_body:
        return RawNotification(row, None, False, keys.sign_type, None)
    body = context.sealer.open(sealed, sealed_to(merchant_id, row.notify_id, content_hash))
    text = body.decode("ascii", errors="backslashreplace")
    shown = text if unmasked else masked(text)
    return RawNotification(row, shown, shown != text, keys.sign_type, _key_of(body, keys))


def masked(body: str) -> str:
    """A form as it was sent, with what says who a person is masked."""
    entries: list[str] = []
    for each in body.split("&"):
        name, equals, value = each.partition("=")
        mask = MASKS.get(unquote_plus(name))
        hidden = value if mask is None else quote_plus(mask(unquote_plus(value)), safe="*")
        entries.append(f"{name}{equals}{hidden}")
    return "&".join(entries)


def _key_of(body: bytes, keys: VerifyingKeys) -> str | None:
    return next((key.fingerprint for key in keys.keys if _holds(body, key, keys)), None)


def _holds(body: bytes, key: PublicKey, keys: VerifyingKeys) -> bool:
    try:
        read_signed(body, VerifyingKeys((key,), keys.sign_type))
    except Untrusted:
        return False
    return True
