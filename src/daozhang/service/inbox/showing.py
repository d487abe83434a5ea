"""Showing one notification: raw and decoded, by which key it verifies, personal fields masked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted
from daozhang.alipay.messages import content_of
from daozhang.alipay.notifications import Message
from daozhang.alipay.notify import read_again, read_signed
from daozhang.service.inbox import store
from daozhang.service.inbox.messages import Messages
from daozhang.service.inbox.model import RecordedNotification
from daozhang.service.inbox.recording import open_body
from daozhang.service.inbox.refusals import NotificationNotFound
from daozhang.service.people.masking import DOTS

PERSONAL: Final = re.compile(
    r"(?:^|_)(?:buyer|payer|user|open|alipay_user|alipay_open)_?(?:user_|open_)?id$"
    r"|logon_id|phone|mobile|_name$|^name$|cert_no|address",
    re.IGNORECASE,
)
"""Fields that tell who a buyer is, by their names. Rather one too many."""

NOT_PERSONAL: Final = frozenset({"notify_id", "store_name", "channel_name"})


@dataclass(frozen=True, slots=True)
class ShownNotification:
    """A notification with all that it says. ``key`` is the fingerprint of the key of today by which its
    signature holds, ``None`` if that key has been replaced since."""

    row: RecordedNotification
    raw: Sequence[str] = ()
    fields: Sequence[tuple[str, str]] = ()
    content: str | None = None
    charset: str | None = None
    sign_type: str | None = None
    key: str | None = None
    is_masked: bool = False


def show_notification(
    messages: Messages, merchant_id: int, notification_id: int, *, unmasked: bool
) -> ShownNotification:
    """Raises `NotificationNotFound`. Whoever passes ``unmasked`` has written so into the trail."""
    context = messages.context
    with context.database.read() as tx:
        found = store.find_notification(tx, merchant_id, notification_id)
        if found is None:
            raise NotificationNotFound(notification_id)
    row, content_hash, sealed = found
    if not row.has_body:
        return ShownNotification(row)
    body = open_body(context, row, content_hash, sealed)
    merchant = messages.clients.merchant(merchant_id)
    try:
        told = read_again(body, encrypt_key=messages.clients.encrypt_key_for(merchant))
    except Untrusted:
        return ShownNotification(row, raw=masked_body(body) if not unmasked else split(body))
    content = None
    if isinstance(told, Message):
        plain = dict(content_of(told)) or told.content
        content = _pretty(plain if unmasked else _masked(plain))
    shown = {
        name: text if unmasked else _masked_text(name, text) for name, text in told.fields.items()
    }
    return ShownNotification(
        row=row,
        raw=split(body) if unmasked else masked_body(body),
        fields=sorted(shown.items()),
        content=content,
        charset=told.fields.get("charset"),
        sign_type=told.fields.get("sign_type"),
        key=_key_of(body, messages.clients.verifying_keys_for(merchant)),
        is_masked=not unmasked and shown != dict(told.fields),
    )


def split(body: bytes) -> list[str]:
    """A raw body as it came, one field a line."""
    return body.decode("latin-1").replace("&", "\n&").split("\n")


def masked_body(body: bytes) -> list[str]:
    """The same, with the values of personal fields dotted out, and those of whole documents."""
    lines: list[str] = []
    for line in split(body):
        name, equals, value = line.partition("=")
        plain = unquote_to_bytes(value.replace("+", " ")).decode("utf-8", "replace")
        hides = _masked_text(name.removeprefix("&"), plain) != plain
        lines.append(f"{name}={DOTS}" if equals and hides else line)
    return lines


def _key_of(body: bytes, keys: VerifyingKeys) -> str | None:
    for key in keys.keys:
        try:
            read_signed(body, VerifyingKeys((key,), keys.sign_type))
        except Untrusted:
            continue
        return key.fingerprint
    return None


def _masked_text(name: str, text: str) -> str:
    if _is_personal(name):
        return DOTS
    if text[:1] in ("{", "["):
        try:
            told = json.loads(text)
        except ValueError:
            return text
        masked = _masked(told)
        return text if masked == told else json.dumps(masked, ensure_ascii=False)
    return text


def _masked(told: Any) -> Any:
    if isinstance(told, Mapping):
        parts = cast("Mapping[str, Any]", told)
        return {
            name: DOTS if _is_personal(name) and part else _masked(part)
            for name, part in parts.items()
        }
    if isinstance(told, list):
        return [_masked(part) for part in cast("list[Any]", told)]
    return told


def _is_personal(name: str) -> bool:
    return name not in NOT_PERSONAL and PERSONAL.search(name) is not None


def _pretty(content: Any) -> str:
    if isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False, indent=2, default=str)
