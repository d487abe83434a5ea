"""From a sealed row to the library's credentials. The only place where app secrets are opened."""

from __future__ import annotations

from dataclasses import replace

from daozhang.alipay.certificates import CertificateSet
from daozhang.alipay.config import Credentials, Environment
from daozhang.alipay.keys import PrivateKey, PublicKey
from daozhang.service.merchants.model import App, Merchant, NewApp
from daozhang.service.seal import Sealer


def sealed_private_key(environment: str, app_id: str) -> str:
    """What an App's private key is sealed to."""
    return f"app:{environment}:{app_id}:private_key"


def sealed_encrypt_key(environment: str, app_id: str) -> str:
    """What an App's AES key is sealed to."""
    return f"app:{environment}:{app_id}:encrypt_key"


def sealed_auth_token(slug: str) -> str:
    """What a Merchant's ``app_auth_token`` is sealed to."""
    return f"merchant:{slug}:app_auth_token"


def credentials_of_new(new: NewApp) -> Credentials:
    """The credentials that ``new`` would make; raises the library's `ConfigurationError`."""
    key = new.alipay_public_key
    return Credentials(
        app_id=new.app_id,
        private_key=PrivateKey.load(new.private_key),
        alipay_public_key=PublicKey.load(key) if key else None,
        certificates=certificates_of(new),
        environment=Environment(new.environment),
        encrypt_key=new.encrypt_key,
        gateway_url=new.gateway_url or "",
        v3_base_url=new.v3_base_url or "",
    )


def credentials_of(app: App, merchant: Merchant | None, sealer: Sealer) -> Credentials:
    """The credentials with which ``merchant`` (or the App itself) calls Alipay."""
    opened = NewApp(
        app_id=app.app_id,
        environment=app.environment,
        private_key=sealer.open(
            app.private_key_sealed, sealed_private_key(app.environment, app.app_id)
        ).decode(),
        alipay_public_key=app.alipay_public_key,
        app_cert=app.app_cert,
        alipay_cert=app.alipay_cert,
        alipay_root_cert=app.alipay_root_cert,
        encrypt_key=encrypt_key_of(app, sealer),
        gateway_url=app.gateway_url,
        v3_base_url=app.v3_base_url,
    )
    return _with_auth_token(credentials_of_new(opened), merchant, sealer)


def public_key_of(app: App) -> PublicKey:
    """Alipay's key for an ``app`` in key mode. Opens no secret: a notification needs none."""
    return PublicKey.load(app.alipay_public_key or "")


def certificates_of(app: App | NewApp) -> CertificateSet | None:
    """The certificates of ``app``, ``None`` in key mode."""
    if not (app.app_cert and app.alipay_cert and app.alipay_root_cert):
        return None
    return CertificateSet.load(app=app.app_cert, alipay=app.alipay_cert, root=app.alipay_root_cert)


def encrypt_key_of(app: App, sealer: Sealer) -> str | None:
    """The key of the app's content encryption, unsealed; ``None`` if it has none."""
    if app.encrypt_key_sealed is None:
        return None
    bound_to = sealed_encrypt_key(app.environment, app.app_id)
    return sealer.open(app.encrypt_key_sealed, bound_to).decode()


def _with_auth_token(
    credentials: Credentials, merchant: Merchant | None, sealer: Sealer
) -> Credentials:
    if merchant is None or merchant.app_auth_token_sealed is None:
        return credentials
    token = sealer.open(merchant.app_auth_token_sealed, sealed_auth_token(merchant.slug)).decode()
    return replace(credentials, app_auth_token=token)
