"""Looking at keys and certificates that somebody pasted, and saying in words what is wrong."""

from __future__ import annotations

import re
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from daozhang.alipay.certificates import split
from daozhang.alipay.errors import CertificateProblem, ConfigurationError, KeyIsYourOwn
from daozhang.alipay.keys import PrivateKey
from daozhang.service.keys.refusals import KeyRefused
from daozhang.service.keys.rules import named_app

KEY_BITS: Final = 2048
"""What Alipay's RSA2 takes."""

_CHINESE_BEGINS = re.compile(r"\s(?=[\u4e00-\u9fff])")


def new_private_key() -> PrivateKey:
    """A key that nobody has seen yet."""
    return PrivateKey(rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS))


def read_private_key(pasted: str) -> PrivateKey:
    """The private key in what was pasted. Raises `KeyRefused`."""
    try:
        return PrivateKey.load(pasted)
    except ConfigurationError as error:
        raise explained(error) from None


def require_app_of(app_cert: str, app_id: str) -> None:
    """Raises `KeyRefused` if the app's certificate names another app."""
    try:
        subject = x509.load_der_x509_certificate(split(app_cert)[0]).subject.rfc4514_string()
    except (CertificateProblem, ValueError) as error:
        raise KeyRefused(str(error), "应用证书无法读取。") from None
    other = named_app(subject, app_id)
    if other is not None:
        raise KeyRefused(
            f"The app certificate is of app {other}, and this is {app_id}: take the one from this "
            "app's page.",
            f"应用证书属于应用 {other}，而当前应用是 {app_id}，请从该应用的页面下载证书。",
        )


def explained(error: ConfigurationError) -> KeyRefused:
    """The library's advice, which holds both languages, one in each."""
    if isinstance(error, KeyIsYourOwn):
        return KeyRefused(
            "This is your own app public key, not Alipay's. Payments would work and every "
            "notification would be refused. Copy the other one, which Alipay's page calls the "
            "Alipay public key.",
            "这是您自己的应用公钥，不是支付宝公钥。若使用它，付款可以进行但所有通知都会验签失败。请复制页面上的“支付宝公钥”。",
        )
    said = str(error)
    english, *chinese = _CHINESE_BEGINS.split(said, maxsplit=1)
    return KeyRefused(english, chinese[0] if chinese else f"密钥或证书有误：{said}")
