"""What the merchant's own app got back from Alipay's SDK for phones, checked on the server.

The SDK hands the app ``{resultStatus, result, memo}``. Only ``result`` is signed, and even that is no
proof that money arrived: an app can be made to say anything, and the phone may be long gone. It says
what to show and when to ask (protocol.md §7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.envelope import MalformedAnswer, extract_signed, read_object
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.form import BODY_BYTES_MAX
from daozhang.alipay.keys import PublicKey
from daozhang.clock import from_beijing_text
from daozhang.money import Money

ROOT: Final = "alipay_trade_app_pay_response"
SUCCESS_CODE: Final = "10000"
_CHARSETS: Final = {"utf-8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}


class AppStatus(StrEnum):
    """``resultStatus``: what the SDK told the app. Not signed (apis.md §2.3)."""

    DONE = "9000"
    PROCESSING = "8000"
    FAILED = "4000"
    REPEATED = "5000"
    CANCELLED = "6001"
    NETWORK = "6002"
    UNKNOWN = "6004"


@dataclass(frozen=True, slots=True)
class AppResult:
    """What Alipay signed for the app. Ask Alipay before you believe that it was paid."""

    out_trade_no: str
    trade_no: str
    total_amount: Money
    seller_id: str | None
    app_id: str | None
    timestamp: datetime | None


def verify_app_result(result: str, keys: VerifyingKeys | PublicKey) -> AppResult:
    """What ``result`` (the SDK's text, unchanged) says, once its signature was checked.

    Raises `Untrusted` with a reason: malformed, not signed, another's signature, or signed but no
    success.
    """
    if len(result) > BODY_BYTES_MAX:
        raise Untrusted(UntrustedReason.TOO_LARGE, f"More than {BODY_BYTES_MAX} characters.")
    try:
        body = _as_signed(result)
        span = extract_signed(body, ROOT)
    except MalformedAnswer as problem:
        raise Untrusted(UntrustedReason.MALFORMED, f"result: {problem}") from None
    if not span.sign:
        raise Untrusted(UntrustedReason.MISSING_SIGN, "result carries no sign.")
    pinned = VerifyingKeys((keys,)) if isinstance(keys, PublicKey) else keys
    if not any(key.verify(span.content, span.sign, pinned.sign_type) for key in pinned.keys):
        raise Untrusted(
            UntrustedReason.BAD_SIGNATURE,
            "result is not signed by Alipay as it stands: hand on the SDK's text unchanged, not an "
            "object that was parsed and written again.",
        )
    if span.encrypted or not isinstance(span.value, Mapping):
        raise Untrusted(UntrustedReason.BAD_FIELD, "result is encrypted, which Alipay never does.")
    return _read(span.value)


def _as_signed(result: str) -> bytes:
    """The bytes that Alipay signed: in the charset of the order string, which the content names."""
    try:
        body = result.encode()
    except UnicodeEncodeError:
        raise MalformedAnswer("It holds characters that are none.") from None
    document, _ = read_object(body)
    content = document.get(ROOT)
    if not isinstance(content, dict):
        return body
    named = str(cast("dict[str, Any]", content).get("charset", "utf-8")).lower()
    charset = _CHARSETS.get(named, "utf-8")
    return body if charset == "utf-8" else result.encode(charset)


def _read(content: Mapping[str, Any]) -> AppResult:
    code = str(content.get("code", SUCCESS_CODE))
    if code != SUCCESS_CODE:
        said = str(content.get("sub_code") or content.get("msg") or "")
        raise Untrusted(UntrustedReason.BAD_FIELD, f"Signed, but no success: {code} {said}".strip())
    timestamp = content.get("timestamp")
    try:
        return AppResult(
            out_trade_no=_text(content, "out_trade_no"),
            trade_no=_text(content, "trade_no"),
            total_amount=Money.parse(_text(content, "total_amount")),
            seller_id=content.get("seller_id"),
            app_id=content.get("app_id"),
            timestamp=from_beijing_text(str(timestamp)) if timestamp else None,
        )
    except (KeyError, ValueError) as error:
        raise Untrusted(UntrustedReason.BAD_FIELD, f"result lacks or spoils {error}.") from None


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content[name]
    if not isinstance(value, str):
        raise KeyError(name)
    return value
