"""The notification that everybody is timed on: 27 fields, a Chinese subject, about 1.4 kB.

It is made with `cryptography` alone, so that no contender prepares its own work.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

FIELDS = {
    "gmt_create": "2026-11-20 18:01:33",
    "charset": "utf-8",
    "seller_email": "rh1***@163.com",
    "subject": "明前龙井 250 克礼盒装（含运费）",
    "body": "到账演示商店 · 订单 202611201801177918570002",
    "buyer_id": "2088512271928003",
    "invoice_amount": "88.88",
    "notify_id": "2026112001222180135028001414613742",
    "fund_bill_list": '[{"amount":"80.00","fundChannel":"ALIPAYACCOUNT"},'
    '{"amount":"8.88","fundChannel":"COUPON"}]',
    "notify_type": "trade_status_sync",
    "trade_status": "TRADE_SUCCESS",
    "receipt_amount": "88.88",
    "app_id": "2021004133624086",
    "buyer_pay_amount": "80.00",
    "seller_id": "2088741739625134",
    "gmt_payment": "2026-11-20 18:01:35",
    "notify_time": "2026-11-20 18:01:35",
    "version": "1.0",
    "out_trade_no": "202611201801177918570002",
    "total_amount": "88.88",
    "trade_no": "2026112022001428001415417729",
    "auth_app_id": "2021004133624086",
    "buyer_logon_id": "kcx***@163.com",
    "point_amount": "0.00",
    "passback_params": "shop%3Dhangzhou%26lang%3Dzh",
}


@dataclass(frozen=True)
class Case:
    """A signed notification with the keys that go with it."""

    private_key: rsa.RSAPrivateKey
    private_pkcs1: str
    private_pkcs8: str
    public_spki: str
    fields: dict[str, str]
    canonical: bytes
    signature: bytes
    body: bytes

    def for_child(self) -> dict[str, object]:
        """What a contender in another process needs, as JSON."""
        return {
            "body": self.body.decode("ascii"),
            "public_key": self.public_spki,
            "private_key_pkcs1": self.private_pkcs1,
        }


def make_case() -> Case:
    """A fresh key pair and a notification signed with it."""
    key = rsa.generate_private_key(65537, 2048)
    canonical = "&".join(f"{name}={FIELDS[name]}" for name in sorted(FIELDS)).encode()
    signature = key.sign(canonical, padding.PKCS1v15(), hashes.SHA256())
    fields = {**FIELDS, "sign": base64.b64encode(signature).decode(), "sign_type": "RSA2"}
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()
    return Case(
        private_key=key,
        private_pkcs1=_private(key, serialization.PrivateFormat.TraditionalOpenSSL),
        private_pkcs8=_private(key, serialization.PrivateFormat.PKCS8),
        public_spki=base64.b64encode(
            key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ).decode(),
        fields=fields,
        canonical=canonical,
        signature=signature,
        body=body,
    )


def _private(key: rsa.RSAPrivateKey, form: serialization.PrivateFormat) -> str:
    der = key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
    return base64.b64encode(der).decode()
