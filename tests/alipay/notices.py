"""Notifications as Alipay would sign them, made with `cryptography` and the standard library."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote_plus

from cryptography.hazmat.primitives.asymmetric import rsa

from alipay.fakes import ALIPAY_KEY, signature

FIELDS: Mapping[str, str] = {
    "notify_type": "trade_status_sync",
    "notify_id": "2026112001222180135028001414613742",
    "notify_time": "2026-11-20 18:01:35",
    "charset": "utf-8",
    "version": "1.0",
    "app_id": "2021004133624086",
    "auth_app_id": "2021004133624086",
    "seller_id": "2088741739625134",
    "buyer_id": "2088512271928003",
    "trade_no": "2026112022001428001415417729",
    "out_trade_no": "A-2026_1",
    "subject": "明前龙井 + 250 克 & 礼盒",
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "88.88",
    "receipt_amount": "88.88",
    "gmt_create": "2026-11-20 18:01:33",
    "gmt_payment": "2026-11-20 18:01:35",
    "fund_bill_list": '[{"amount":"80.00","fundChannel":"ALIPAYACCOUNT"}]',
}


def signed_fields(
    *,
    key: rsa.RSAPrivateKey = ALIPAY_KEY,
    sha1: bool = False,
    keep_sign_type: bool = False,
    sign_type: str | None = "RSA2",
    base: Mapping[str, str] = FIELDS,
    **changes: str | None,
) -> dict[str, bytes]:
    """``base`` with ``changes`` (``None`` takes away), signed in the charset that it names."""
    texts = {name: text for name, text in {**base, **changes}.items() if text is not None}
    charset = "gb18030" if texts.get("charset", "utf-8").lower().startswith("gb") else "utf-8"
    if sign_type is not None:
        texts["sign_type"] = sign_type
    raw = {name: text.encode(charset) for name, text in texts.items()}
    covered = b"&".join(
        name.encode() + b"=" + raw[name]
        for name in sorted(raw)
        if raw[name] and (keep_sign_type or name != "sign_type")
    )
    return {**raw, "sign": signature(covered, key, sha1=sha1).encode()}


def encode(fields: Mapping[str, bytes]) -> bytes:
    """``fields`` as a form body."""
    return "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()


def notice(
    *,
    key: rsa.RSAPrivateKey = ALIPAY_KEY,
    sha1: bool = False,
    keep_sign_type: bool = False,
    sign_type: str | None = "RSA2",
    base: Mapping[str, str] = FIELDS,
    **changes: str | None,
) -> bytes:
    """A signed notification as the body of a POST."""
    return encode(
        signed_fields(
            key=key,
            sha1=sha1,
            keep_sign_type=keep_sign_type,
            sign_type=sign_type,
            base=base,
            **changes,
        )
    )
