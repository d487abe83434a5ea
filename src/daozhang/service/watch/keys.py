"""The keys and certificates that Apps work with, as far as they may be seen: public halves."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from daozhang.alipay.certificates import cert_sn, root_sn
from daozhang.alipay.errors import ConfigurationError
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
        except (SealBroken, ConfigurationError) as error:
            log.warning("keys_unreadable", app_id=app.app_id, error=str(error))
            return (Key(app.app_id, app.environment, "unreadable", ""),)


def _keys_of(app: App, context: Context) -> tuple[Key, ...]:
    credentials = credentials_of(app, None, context.sealer)
    own = Key(app.app_id, app.environment, "app_key", credentials.private_key.fingerprint)
    certificates = credentials.certificates
    if certificates is None:
        alipay = public_key_of(app).fingerprint
        return own, Key(app.app_id, app.environment, "alipay_key", alipay)
    assert app.app_cert is not None
    assert app.alipay_cert is not None
    assert app.alipay_root_cert is not None, "certificate mode has three"
    return (
        own,
        Key(
            app.app_id,
            app.environment,
            "app_cert",
            credentials.private_key.fingerprint,
            cert_sn(app.app_cert),
            certificates.not_after["app"],
        ),
        Key(
            app.app_id,
            app.environment,
            "alipay_cert",
            certificates.alipay_public_keys[0].fingerprint,
            cert_sn(app.alipay_cert),
            certificates.not_after["alipay"],
        ),
        Key(app.app_id, app.environment, "alipay_root_cert", "", root_sn(app.alipay_root_cert)),
    )
