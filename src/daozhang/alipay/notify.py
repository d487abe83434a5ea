"""Notifications: raw bytes in, something that Alipay signed out, or a reason why not.

The bytes are percent-decoded and verified as bytes; text is decoded afterwards, by the charset
that the signature covers. So GBK, emoji, quotes and plus signs cannot spoil a signature, and
nobody can hold a notification that was not verified.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final, cast

import msgspec

from daozhang.alipay import cipher
from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.consents import (
    AgreementNotification,
    AgreementSigned,
    AgreementUnsigned,
    AnyAgreementNotification,
    AnyHoldNotification,
    HoldCancelled,
    HoldFrozen,
    HoldNotification,
    HoldReleased,
)
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.form import BODY_BYTES_MAX, EQUALS, PAIR, decode_form
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notifications import (
    CURRENCY,
    VERIFIED,
    AnyTradeNotification,
    Closed,
    ClosedUnclear,
    Finished,
    FullyRefunded,
    Message,
    Notification,
    Paid,
    PartlyRefunded,
    TradeNotification,
    UnknownNotification,
    Waiting,
    read_fund_bills,
)
from daozhang.money import Money

SUCCESS: Final = b"success"
"""The answer that Alipay wants: these seven bytes and nothing else."""

AnyNotification = (
    AnyTradeNotification
    | AnyAgreementNotification
    | AnyHoldNotification
    | Message
    | UnknownNotification
)
"""Every kind there is: match on it, and the type checker sees to it that none is forgotten."""

AMOUNTS: Final = (
    "total_amount", "refund_fee", "receipt_amount", "buyer_pay_amount", "invoice_amount",
    "point_amount",
)  # fmt: skip
MOMENTS: Final = (
    "notify_time", "gmt_create", "gmt_payment", "gmt_refund", "gmt_close",
)  # fmt: skip
AGREEMENT_MOMENTS: Final = ("sign_time", "valid_time", "invalid_time", "unsign_time")

HOLD_MOMENTS: Final = ("gmt_trans",)
HOLD_AMOUNTS: Final = (
    "amount", "total_freeze_amount", "total_unfreeze_amount", "total_pay_amount", "rest_amount",
)  # fmt: skip

_HOLDS: Final[dict[str, Callable[..., AnyHoldNotification]]] = {
    "fund_auth_freeze": HoldFrozen,
    "fund_auth_unfreeze": HoldReleased,
    "fund_auth_operation_cancel": HoldCancelled,
}
_AGREEMENTS: Final[dict[str, Callable[..., AnyAgreementNotification]]] = {
    "dut_user_sign": AgreementSigned,
    "dut_user_unsign": AgreementUnsigned,
}
_TRADE: Final = "trade_status_sync"
_SIGNED_WITH_TYPE: Final = frozenset({"servicemarket_order_notify"})
_CHARSETS: Final = {
    b"utf-8": "utf-8",
    b"utf8": "utf-8",
    b"gbk": "gb18030",
    b"gb2312": "gb18030",
    b"gb18030": "gb18030",
}
_CHARSET_OF_HEADER: Final = re.compile(r"charset=[\"']?([A-Za-z0-9_-]+)")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?", re.ASCII).fullmatch
_MOMENT: Final = re.compile(
    r"2[01][0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r" (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3}|\.[0-9]{6})?",
    re.ASCII,
).fullmatch
_TELLING: Final = frozenset(
    b"app_id auth_app_id biz_content charset gmt_payment gmt_refund msg_method notify_id notify_type"
    b" out_biz_no out_trade_no refund_fee seller_id service total_amount trade_no trade_status".split()
)
_TELLING_OF_AGREEMENTS: Final = _TELLING | {b"agreement_no", b"external_agreement_no", b"status"}
_TELLING_OF_HOLDS: Final = _TELLING | frozenset(
    b"amount auth_no out_order_no out_request_no operation_type rest_amount status"
    b" total_freeze_amount total_pay_amount total_unfreeze_amount".split()
)
_INNER_NAME: Final = re.compile(rb"&([a-z_]+)=")


def verify(
    body: bytes,
    keys: VerifyingKeys | PublicKey,
    *,
    content_type: str | None = None,
    encrypt_key: str | None = None,
) -> AnyNotification:
    """The notification in ``body``, once Alipay's signature over it has been checked.

    ``body`` is the raw body of the POST: never a parsed form, never the query string. ``keys``
    pin the hash, whatever ``sign_type`` says. ``content_type`` helps only where the body names no
    charset. With ``encrypt_key`` the content of encrypted messages is decrypted.

    Raises `Untrusted` with a reason otherwise. A valid signature says that Alipay sent it; whether
    it is for you, and about which order, is the next question (money.md §2).
    """
    if type(body) is not bytes:
        raise _not_bytes(body)
    if len(body) > BODY_BYTES_MAX:
        raise Untrusted(UntrustedReason.TOO_LARGE, f"More than {BODY_BYTES_MAX} bytes.")
    fields, signed = read_signed(body, keys, content_type)
    return _typed(fields, signed, encrypt_key)


def read_again(body: bytes, *, encrypt_key: str | None = None) -> AnyNotification:
    """The notification in a body that was verified before, and was kept since where nobody can
    change it: **no signature is checked**, because keys change and what was believed stays so.

    Never for bytes that come from outside: those are for `verify`.
    """
    entries = decode_form(body)
    entries.sort()
    fields = _texts(entries, None)
    signed = _signed_text(entries, fields)
    fields = {name: text for name, text in fields.items() if name and text}
    return _typed(fields, signed, encrypt_key)


def read_signed(
    raw: bytes,
    keys: VerifyingKeys | PublicKey,
    content_type: str | None = None,
    own_names: Collection[str] = (),
) -> tuple[dict[str, str], bytes]:
    """The fields of a form or query string that Alipay signed, and the text that is signed.

    ``own_names`` are left out before anything else. Raises `Untrusted`.
    """
    entries = decode_form(raw)
    if own_names:
        own = [name.encode() for name in own_names]
        entries = [entry for entry in entries if entry.partition(EQUALS)[0] not in own]
    if not entries:
        raise Untrusted(
            UntrustedReason.EMPTY,
            "There is nothing to read: a framework may have read the body before (protocol.md §6.1).",
        )
    entries.sort()
    fields = _texts(entries, content_type)
    signed = _signed_text(entries, fields)
    _check_signature(
        fields, signed, VerifyingKeys((keys,)) if isinstance(keys, PublicKey) else keys
    )
    if "" in fields.values() or "" in fields:
        # What is empty is not signed: anybody could have added it.
        fields = {name: text for name, text in fields.items() if name and text}
    return fields, signed


def _texts(entries: Sequence[bytes], content_type: str | None) -> dict[str, str]:
    """Every field as text, by the charset that is signed with them."""
    charset = _charset(entries, content_type)
    try:
        # In one go: in neither UTF-8 nor GB18030 do 0x00 and 0x01 occur inside a character.
        text = PAIR.join(entries).decode(charset)
    except UnicodeDecodeError:
        raise Untrusted(
            UntrustedReason.BAD_TEXT,
            f"The body is not {charset}, as it says it is: a proxy may have rewritten it.",
        ) from None
    pairs = [entry.split("\x01") for entry in text.split("\x00")]
    try:
        fields = dict(pairs)
    except ValueError:
        # Some field has no "=", or more of them in its value.
        fields = {name: "=".join(values) for name, *values in pairs}
    if len(fields) != len(pairs):
        raise Untrusted(
            UntrustedReason.DUPLICATE_KEY,
            "A field is there twice: a proxy or router has added parameters to the body.",
        )
    return fields


def _charset(entries: Sequence[bytes], content_type: str | None) -> str:
    named = next((entry[8:] for entry in entries if entry.startswith(b"charset\x01")), b"")
    if not named and content_type is not None:
        found = _CHARSET_OF_HEADER.search(content_type)
        named = found.group(1).encode() if found else b""
    charset = _CHARSETS.get(named.lower() or b"utf-8")
    if charset is None:
        raise Untrusted(
            UntrustedReason.UNKNOWN_CHARSET, f"charset {named[:20]!r} is none of Alipay's."
        )
    return charset


def _signed_text(entries: list[bytes], fields: dict[str, str]) -> bytes:
    """What the signature covers: ``entries`` (sorted) without ``sign`` and without empty ones.

    ``sign_type`` is left out too, but for service-window messages and service-market orders; the
    kind of message decides, not what happens to verify (protocol.md §6.3).
    """
    keeps_type = bool(fields.get("service")) or fields.get("notify_type") in _SIGNED_WITH_TYPE
    signed = entries.copy()
    _leave_out(signed, b"sign\x01")
    if not keeps_type:
        _leave_out(signed, b"sign_type\x01")
    if "" in fields.values() or "" in fields:
        signed = [entry for entry in signed if 0 < entry.find(EQUALS) < len(entry) - 1]
    text = b"&".join(signed).replace(EQUALS, b"=")
    if text.count(b"&") >= len(signed):
        _refuse_ambiguous(signed, _telling(fields.get("notify_type", "")))
    return text


def _telling(notify_type: str) -> Collection[bytes]:
    """The fields of a kind of notification that somebody acts on."""
    if notify_type in _HOLDS:
        return _TELLING_OF_HOLDS
    return _TELLING_OF_AGREEMENTS if notify_type in _AGREEMENTS else _TELLING


def _refuse_ambiguous(entries: Sequence[bytes], telling: Collection[bytes]) -> None:
    """Refuses a value that holds another field, such as ``&total_amount=``.

    The signed text escapes neither ``&`` nor ``=``, so the same signature would hold for the same
    text cut at other places: whoever chooses a subject could choose an amount.
    """
    for entry in entries:
        for name in _INNER_NAME.findall(entry.replace(EQUALS, b"=")):
            if name in telling:
                raise Untrusted(
                    UntrustedReason.AMBIGUOUS,
                    f"A value contains '&{name.decode()}=', so what is signed can be read in two ways.",
                )


def _leave_out(entries: list[bytes], start: bytes) -> None:
    """Removes the one entry of sorted ``entries`` that begins with ``start``."""
    place = bisect_left(entries, start)
    if place < len(entries) and entries[place].startswith(start):
        del entries[place]


def _check_signature(fields: dict[str, str], signed: bytes, keys: VerifyingKeys) -> None:
    sign = fields.get("sign")
    if not sign:
        raise Untrusted(UntrustedReason.MISSING_SIGN, "There is no sign in the body.")
    for key in keys.keys:
        if key.verify(signed, sign, keys.sign_type):
            return
    raise _why_not(fields, sign, keys)


def _why_not(fields: dict[str, str], sign: str, keys: VerifyingKeys) -> Untrusted:
    """The most likely reason why a signature does not hold."""
    if " " in sign:
        return Untrusted(
            UntrustedReason.SIGN_DECODED_TWICE,
            "sign contains spaces: your stack decoded the body twice. Pass the raw bytes.",
        )
    if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", sign):
        return Untrusted(UntrustedReason.SIGN_MALFORMED, "sign is not base64.")
    said = fields.get("sign_type")
    if said and said != keys.sign_type:
        return Untrusted(
            UntrustedReason.SIGN_TYPE_DIFFERS,
            f"sign_type says {said[:8]!r}, {keys.sign_type} is configured, and that does not hold. "
            "Change the app's 接口加签方式 to RSA2, or configure RSA if it really is that old.",
        )
    return Untrusted(
        UntrustedReason.BAD_SIGNATURE,
        "The signature is not Alipay's for these bytes: they were changed on the way, or the "
        "Alipay public key is another app's or environment's.",
    )


def _typed(fields: dict[str, str], signed: bytes, encrypt_key: str | None) -> AnyNotification:
    if fields.get("notify_type") == _TRADE:
        _check_trade(fields)
        amounts = _amounts_of(fields)
        kind = _trade_kind(fields, amounts)
        if kind is None:
            return UnknownNotification(fields, signed, VERIFIED)
        return kind(fields, signed, VERIFIED, amounts)
    _check_moments(fields)
    agreement = _AGREEMENTS.get(fields.get("notify_type", ""))
    if agreement is not None:
        _check_moments(fields, AGREEMENT_MOMENTS)
        return agreement(fields, signed, VERIFIED)
    hold = _HOLDS.get(fields.get("notify_type", ""))
    if hold is not None:
        _check_moments(fields, HOLD_MOMENTS)
        _check_amounts(fields, HOLD_AMOUNTS)
        return hold(fields, signed, VERIFIED)
    if "msg_method" in fields or "service" in fields:
        return Message(fields, signed, VERIFIED, _content(fields, encrypt_key))
    return UnknownNotification(fields, signed, VERIFIED)


def _check_trade(fields: dict[str, str]) -> None:
    """What will be converted when it is read must be what it claims to be."""
    _check_moments(fields)
    bills = fields.get("fund_bill_list")
    if bills:
        try:
            read_fund_bills(bills)
        except msgspec.DecodeError:
            raise _bad_field("fund_bill_list", bills, "JSON list") from None


def _amounts_of(fields: dict[str, str]) -> dict[str, Money]:
    """The amounts that are there, by name."""
    amounts: dict[str, Money] = {}
    read: dict[str, Money] = {}  # most are the same amount under another name
    for name in AMOUNTS:
        text = fields.get(name)
        if text:
            amount = read.get(text)
            if amount is None:
                if _AMOUNT(text) is None:
                    raise _bad_field(name, text, "amount")
                amount = read[text] = Money.parse(text, CURRENCY)
            amounts[name] = amount
    return amounts


def _check_amounts(fields: dict[str, str], names: Sequence[str]) -> None:
    for name in names:
        text = fields.get(name)
        if text and _AMOUNT(text) is None:
            raise _bad_field(name, text, "amount")


def _check_moments(fields: dict[str, str], names: Sequence[str] = MOMENTS) -> None:
    for name in names:
        text = fields.get(name)
        if text and not _is_moment(text):
            raise _bad_field(name, text, "time")


def _is_moment(text: str) -> bool:
    """Whether ``text`` is a time that exists: the 31st of February has the right form too."""
    if _MOMENT(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _bad_field(name: str, text: str, what: str) -> Untrusted:
    return Untrusted(
        UntrustedReason.BAD_FIELD, f"{name} is signed, but {text[:40]!r} is no {what}."
    )


def _trade_kind(
    fields: dict[str, str], amounts: dict[str, Money]
) -> Callable[..., AnyTradeNotification] | None:
    """Which kind of trade notification it is (protocol.md §6.6); ``None`` if none that is known.

    A refund is told by an amount above zero: early products sent ``refund_fee=0.00`` with
    payments, so its presence alone says nothing.
    """
    status = fields.get("trade_status")
    refunded = amounts.get("refund_fee")
    if status == "TRADE_SUCCESS":
        return PartlyRefunded if refunded else Paid
    if status == "TRADE_CLOSED":
        # Money that came in and is not proven to have gone back whole is not "closed unpaid"
        # (money.md §3: CU, R and C? are three things).
        if refunded:
            return FullyRefunded if refunded == amounts.get("total_amount") else ClosedUnclear
        return ClosedUnclear if "gmt_payment" in fields or "gmt_refund" in fields else Closed
    if status == "TRADE_FINISHED":
        return Finished
    return Waiting if status == "WAIT_BUYER_PAY" else None


def _content(fields: dict[str, str], encrypt_key: str | None) -> str | None:
    content = fields.get("biz_content")
    if content is None or fields.get("encrypt_type") != "AES" or encrypt_key is None:
        return content
    try:
        charset = _CHARSETS.get(fields.get("charset", "utf-8").lower().encode(), "utf-8")
        return cipher.decrypt(content, encrypt_key).decode(charset)
    except (cipher.CipherTextInvalid, UnicodeDecodeError):
        raise Untrusted(
            UntrustedReason.BAD_FIELD,
            "biz_content is signed, but does not decrypt with this encrypt_key.",
        ) from None


def _not_bytes(body: object) -> Untrusted:
    if isinstance(cast("Any", body), dict):
        values = cast("dict[object, object]", body).values()
        lists = any(isinstance(value, (list, tuple)) for value in values)
        reason = UntrustedReason.DICT_OF_LISTS if lists else UntrustedReason.NOT_BYTES
    else:
        reason = UntrustedReason.NOT_BYTES
    return Untrusted(
        reason,
        f"verify() takes the raw body as bytes, and was given {type(body).__name__}: pass "
        "request.get_data() (Flask), request.body (Django) or await request.body() (Starlette).",
    )


__all__ = [
    "SUCCESS",
    "AgreementNotification",
    "AgreementSigned",
    "AgreementUnsigned",
    "AnyNotification",
    "Closed",
    "ClosedUnclear",
    "Finished",
    "FullyRefunded",
    "HoldCancelled",
    "HoldFrozen",
    "HoldNotification",
    "HoldReleased",
    "Message",
    "Notification",
    "Paid",
    "PartlyRefunded",
    "TradeNotification",
    "UnknownNotification",
    "VerifyingKeys",
    "Waiting",
    "read_again",
    "verify",
]
