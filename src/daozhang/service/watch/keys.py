"""The keys and certificates that Apps work with, as far as they may be seen: public halves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from daozhang.alipay.certificates import cert_sn, root_sn, split
from daozhang.alipay.errors import CertificateProblem, ConfigurationError
from daozhang.service.merchants.credentials import credentials_of, public_key_of
from daozhang.service.merchants.model import App
from daozhang.service.seal import SealBroken
from daozhang.service.watch.model import Key
from daozhang.service.web.context import Context

log = structlog.get_logger(__name__)


class KeyRing:
    """What is seen of each App's keys, looked at again only when its row has changed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: dict[int, tuple[App, tuple[Key, ...]]] = {}

    def keys_of(self, apps: Sequence[App]) -> tuple[Key, ...]:
        """The keys of all live ``apps``. One whose keys cannot be read has a key of kind
        ``unreadable``, so that it is not simply absent."""
        found: list[Key] = []
        for app in apps:
            if app.retired_at is not None:
                continue
            seen = self._seen.get(app.id)
            if seen is None or seen[0] != app:
                seen = self._seen[app.id] = (app, self._look(app))
            found += seen[1]
        return tuple(found)

    def _look(self, app: App) -> tuple[Key, ...]:
        try:
            return _keys_of(app, self._context)
        except (SealBroken, ConfigurationError, ValueError) as error:
            log.warning("keys_unreadable", app_id=app.app_id, error=str(error))
            return (Key(app.app_id, app.environment, "unreadable", ""),)


def _keys_of(app: App, context: Context) -> tuple[Key, ...]:
    certificates = _certificates_of(app)
    try:
        own = credentials_of(app, None, context.sealer).private_key.fingerprint
    except CertificateProblem:
        # It has ended, most likely: all the more it has to be seen here. It holds the same key.
        if not certificates:
            raise
        own = certificates[0].fingerprint
    app_key = Key(app.app_id, app.environment, "app_key", own)
    if certificates:
        return (app_key, *certificates)
    alipay = public_key_of(app).fingerprint
    return app_key, Key(app.app_id, app.environment, "alipay_key", alipay)


def _certificates_of(app: App) -> tuple[Key, ...]:
    """The certificates as they are, valid or not; none in key mode."""
    if app.app_cert is None or app.alipay_cert is None or app.alipay_root_cert is None:
        return ()
    leaves = (("app_cert", app.app_cert), ("alipay_cert", app.alipay_cert))
    return (
        *(_leaf(app, kind, source) for kind, source in leaves),
        Key(app.app_id, app.environment, "alipay_root_cert", "", root_sn(app.alipay_root_cert)),
    )


def _leaf(app: App, kind: str, source: str) -> Key:
    parsed = x509.load_der_x509_certificate(split(source)[0])
    spki = parsed.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Key(
        app_id=app.app_id,
        environment=app.environment,
        kind=kind,
        fingerprint=hashlib.sha256(spki).hexdigest(),
        serial=cert_sn(source),
        not_after=parsed.not_valid_after_utc,
    )
