"""Run by `test_wheel.py` where only the base install is: signs, verifies and parses, as users do.

Makes its own keys and plays Alipay's part by hand, then prints what was imported to do so.
"""

import base64
import json
import sys
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from daozhang.alipay import PrivateKey, PublicKey, Untrusted
from daozhang.alipay.notify import TradeNotification, VerifyingKeys, verify
from daozhang.money import Money

FIELDS = {
    "app_id": "2021000000000001",
    "charset": "utf-8",
    "gmt_payment": "2026-03-01 09:00:10",
    "notify_id": "2026030100222090011000000000000001",
    "notify_time": "2026-03-01 09:00:11",
    "notify_type": "trade_status_sync",
    "out_trade_no": "tea-0001",
    "seller_id": "2088000000000001",
    "subject": "雨前龙井 50g + 杯",
    "total_amount": "88.88",
    "trade_no": "2026030122001400000000000001",
    "trade_status": "TRADE_SUCCESS",
    "version": "1.0",
}


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def body_signed_by(key: rsa.RSAPrivateKey) -> bytes:
    text = "&".join(f"{name}={value}" for name, value in sorted(FIELDS.items()))
    sign = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    sent = {**FIELDS, "sign": sign, "sign_type": "RSA2"}
    return "&".join(f"{name}={quote_plus(value)}" for name, value in sent.items()).encode()


def main() -> None:
    app, alipay = new_key(), new_key()
    private = PrivateKey.load(
        app.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    signature = private.sign(b"what is asked")
    assert private.public.verify(b"what is asked", signature)
    assert not private.public.verify(b"what is not", signature)

    trusted = PublicKey.load(
        alipay.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    keys = VerifyingKeys((trusted,), "RSA2")
    body = body_signed_by(alipay)
    notification = verify(body, keys)
    assert isinstance(notification, TradeNotification)
    assert notification.total_amount == Money.parse("88.88"), notification
    try:
        verify(body.replace(b"88.88", b"88.89"), keys)
    except Untrusted:
        pass
    else:
        raise AssertionError("a changed notification was believed")
    json.dump(sorted({name.partition(".")[0] for name in sys.modules}), sys.stdout)


main()
