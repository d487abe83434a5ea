"""How an event is written and signed: Standard Webhooks (v1, v1a), and the form for old sites."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daozhang.clock import to_beijing_text
from daozhang.service.outbox.model import Event
from daozhang.service.webhooks.model import Format

SECRET_PREFIX: Final = "whsec_"
PUBLIC_KEY_PREFIX: Final = "whpk_"

_FORM_HEADERS: Final = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

_TRADE_STATUS: Final[Mapping[str, str]] = {
    "created": "WAIT_BUYER_PAY",
    "waiting": "WAIT_BUYER_PAY",
    "closing": "WAIT_BUYER_PAY",
    "paid": "TRADE_SUCCESS",
    "finished": "TRADE_FINISHED",
    "closed": "TRADE_CLOSED",
    "refunded": "TRADE_CLOSED",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What an endpoint's events are signed with: secrets, the newest first, and an Ed25519 key."""

    secrets: tuple[str, ...]
    private: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Message:
    """A POST, ready to be sent."""

    headers: Mapping[str, str]
    body: bytes


def new_secret() -> str:
    """A secret of 32 random bytes, as Standard Webhooks writes it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def public_key_of(private: Ed25519PrivateKey) -> str:
    """The public half, as receivers are given it."""
    raw = private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return PUBLIC_KEY_PREFIX + base64.b64encode(raw).decode()


def write_message(event: Event, format: Format, keys: Keys, now: datetime) -> Message:  # noqa: A002
    """``event`` as it goes out at ``now``. Each attempt is signed anew, under the same id."""
    if format is Format.FORM:
        return _form(event, keys)
    unsigned = unsigned_message(event, format, now)
    signed = _signed(event.id, unsigned.headers["webhook-timestamp"], unsigned.body)
    signatures = [f"v1,{_hmac(secret, signed)}" for secret in keys.secrets]
    signatures.append(f"v1a,{base64.b64encode(keys.private.sign(signed)).decode()}")
    return Message({**unsigned.headers, "webhook-signature": " ".join(signatures)}, unsigned.body)


def unsigned_message(event: Event, format: Format, now: datetime) -> Message:  # noqa: A002
    """The same without its signatures: what people are shown of it."""
    if format is Format.FORM:
        return Message(_FORM_HEADERS, urlencode(form_fields(event)).encode())
    body = json.dumps(event.envelope(), ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": str(int(now.timestamp())),
    }
    return Message(headers, body)


def sign_v1(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The ``webhook-signature`` of a message that no endpoint's keys sign: an alert's."""
    return f"v1,{_hmac(secret, _signed(message_id, timestamp, body))}"


def _signed(message_id: str, timestamp: str, body: bytes) -> bytes:
    return b".".join((message_id.encode(), timestamp.encode(), body))


def _hmac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _form(event: Event, keys: Keys) -> Message:
    fields = form_fields(event)
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    # The key is the secret as it is written: old languages need not decode it first.
    signs = [hmac.new(s.encode(), text.encode(), hashlib.sha256).hexdigest() for s in keys.secrets]
    sealed = {"sign_type": "HMAC-SHA256", **_signs(signs)}
    return Message(_FORM_HEADERS, urlencode({**fields, **sealed}).encode())


def _signs(signs: Sequence[str]) -> dict[str, str]:
    previous = {"sign_previous": signs[1]} if len(signs) > 1 else {}
    return {"sign": signs[0], **previous}


def form_fields(event: Event) -> dict[str, str]:
    """The fields of an event as Alipay's notification names them; what is unknown is left out."""
    order: Mapping[str, Any] = event.data.get("order") or {}
    paid_at = order.get("paid_at")
    fields = {
        "notify_id": event.id,
        "notify_time": to_beijing_text(event.created_at),
        "notify_type": "trade_status_sync",
        "charset": "utf-8",
        "version": "1.0",
        "event": event.type,
        "sequence": event.sequence,
        "out_trade_no": order.get("out_trade_no"),
        "trade_no": order.get("trade_no"),
        "trade_status": _TRADE_STATUS.get(str(order.get("status"))),
        "total_amount": order.get("amount"),
        "refund_fee": order.get("refunded_amount"),
        "gmt_payment": None
        if paid_at is None
        else to_beijing_text(datetime.fromisoformat(paid_at)),
    }
    return {name: str(value) for name, value in fields.items() if value is not None}
