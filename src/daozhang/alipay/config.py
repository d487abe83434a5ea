"""Credentials: an app's id, keys and environment, checked once and never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from daozhang.alipay import cipher
from daozhang.alipay.certificates import CertificateSet
from daozhang.alipay.errors import ConfigurationError, KeyIsYourOwn
from daozhang.alipay.keys import PrivateKey, PublicKey, SignType


class Environment(StrEnum):
    """Where an app lives. It never changes; the addresses are pinned to it."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    EMULATOR = "emulator"


GATEWAY_URLS: Final = {
    Environment.PRODUCTION: "https://openapi.alipay.com/gateway.do",
    Environment.SANDBOX: "https://openapi-sandbox.dl.alipaydev.com/gateway.do",
    Environment.EMULATOR: "http://127.0.0.1:8900/gateway.do",
}
"""The V2 gateway of each environment; only the emulator's may be another one."""

V3_BASE_URLS: Final = {
    Environment.PRODUCTION: "https://openapi.alipay.com",
    Environment.SANDBOX: "https://openapi-sandbox.dl.alipaydev.com",
    Environment.EMULATOR: "http://127.0.0.1:8900",
}
"""The base of V3 addresses of each environment."""

CHARSETS: Final = frozenset({"utf-8", "gbk", "gb2312"})


@dataclass(frozen=True, slots=True)
class VerifyingKeys:
    """The keys that may have signed what Alipay sends, and the one hash that is taken.

    Several keys stand side by side while Alipay's key changes.
    """

    keys: tuple[PublicKey, ...]
    sign_type: SignType = "RSA2"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigurationError("There is no key to verify with 没有可用的验签公钥。")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an app signs with and verifies with: key mode or certificate mode, never both.

    Raises `KeyIsYourOwn` if the Alipay public key is the app's own, `ConfigurationError` for what
    does not go together. Never shows a secret in its repr.
    """

    app_id: str
    environment: Environment
    private_key: PrivateKey = field(repr=False)
    alipay_public_key: PublicKey | None = None
    certificates: CertificateSet | None = None
    encrypt_key: str | None = field(default=None, repr=False)
    sign_type: SignType = "RSA2"
    charset: str = "utf-8"
    app_auth_token: str | None = field(default=None, repr=False)
    gateway_url: str = ""
    v3_base_url: str = ""

    def __post_init__(self) -> None:
        if (self.alipay_public_key is None) == (self.certificates is None):
            raise ConfigurationError(
                "Give either alipay_public_key (key mode) or certificates (certificate mode) "
                "公钥模式与证书模式请二选一。"
            )
        if self.alipay_public_key == self.private_key.public:
            raise KeyIsYourOwn(
                "This is your own app public key, not Alipay's. Payments would work and every "
                "notification would be refused. Copy the key called 支付宝公钥 from the app's page "
                "in Alipay's console 这是您自己的应用公钥，请改用支付宝公钥。"
            )
        if self.certificates is not None:
            self.certificates.require_key(self.private_key)
        if self.charset.lower() not in CHARSETS:
            raise ConfigurationError(f"charset {self.charset!r} is none of utf-8, gbk, gb2312.")
        if self.encrypt_key is not None:
            cipher.load_key(self.encrypt_key)
        self._pin("gateway_url", GATEWAY_URLS[self.environment])
        self._pin("v3_base_url", V3_BASE_URLS[self.environment])

    @property
    def verifying_keys(self) -> VerifyingKeys:
        """What verifies answers and notifications."""
        if self.certificates is not None:
            return VerifyingKeys(self.certificates.alipay_public_keys, self.sign_type)
        assert self.alipay_public_key is not None
        return VerifyingKeys((self.alipay_public_key,), self.sign_type)

    def _pin(self, name: str, pinned: str) -> None:
        chosen = getattr(self, name) or pinned
        if self.environment is not Environment.EMULATOR and chosen != pinned:
            raise ConfigurationError(
                f"{name} of {self.environment.value} is {pinned} and cannot be changed; only the "
                "emulator has addresses of its own 仅模拟器环境可以自定义网关地址。"
            )
        object.__setattr__(self, name, chosen.rstrip("/") if name == "v3_base_url" else chosen)
