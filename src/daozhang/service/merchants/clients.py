"""Clients: who calls Alipay for a merchant, and with what its words are verified. Cached.

What is needed for a notification (merchant by slug, Alipay's keys) is in memory: a picture of both
tables, renewed at once after a change in this process and within seconds after one elsewhere.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from contextvars import Context as Variables
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from starlette.requests import HTTPConnection

from daozhang.alipay.certificates import CertificateSet
from daozhang.alipay.client import Alipay
from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.keys import PublicKey
from daozhang.service.auth.refusals import EnvironmentNotAllowed
from daozhang.service.db import require_no_transaction
from daozhang.service.merchants import store
from daozhang.service.merchants.credentials import (
    certificates_of,
    credentials_of,
    encrypt_key_of,
    public_key_of,
)
from daozhang.service.merchants.model import CHANGED_SIGNAL, App, Merchant
from daozhang.service.merchants.refusals import MerchantNotFound
from daozhang.service.web.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable

FRESH_SECONDS: Final = 2.0
"""How long a change made by another process may stay unseen."""

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class _Picture:
    by_slug: dict[str, Merchant]
    by_id: dict[int, Merchant]
    apps: dict[int, App]
    taken_at: float


class Clients:
    """Alipay, by merchant. Made once, beside the context; thread-safe."""

    def __init__(self, context: Context, *, transport: Any = None) -> None:
        """``transport`` is an httpx2 transport that every client uses instead of the network."""
        self._context = context
        self._transport = transport
        self._picture: _Picture | None = None
        self._taking = threading.Lock()
        self._clients: _MadeOnce[Alipay] = _MadeOnce()
        self._keys: _MadeOnce[PublicKey] = _MadeOnce()
        self._certificates: _MadeOnce[CertificateSet | None] = _MadeOnce()
        context.signals.listen(CHANGED_SIGNAL, self._forget_picture)

    def merchant(self, merchant_id: int) -> Merchant:
        """The merchant of that row; raises `MerchantNotFound`."""
        found = self._current().by_id.get(merchant_id)
        if found is None:
            raise MerchantNotFound(str(merchant_id))
        return found

    def merchant_by_slug(self, slug: str) -> Merchant | None:
        """The merchant of that slug, None if there is none. Never asks the database for a
        stranger's guess."""
        return self._current().by_slug.get(slug)

    def client_for(self, merchant_id: int) -> Alipay:
        """The client that calls Alipay for this merchant.

        Raises `RuntimeError` while a transaction is open: nothing goes to the network inside one.
        """
        require_no_transaction("A call to Alipay")
        merchant = self.merchant(merchant_id)
        return self._client(self._current().apps[merchant.app_row], merchant)

    def client_for_app(self, app: App) -> Alipay:
        """The client of the App itself, in nobody's name. As for `client_for`."""
        require_no_transaction("A call to Alipay")
        return self._client(app, None)

    def verifying_keys_for(self, merchant: Merchant) -> VerifyingKeys:
        """Alipay's keys for this merchant's notifications.

        With certificates also those that a client of the app has downloaded since. A notification
        itself never makes one be downloaded: anybody can send one.
        """
        app = self._current().apps[merchant.app_row]
        certificates = self._certificates_of(app)
        if certificates is not None:
            return VerifyingKeys(certificates.alipay_public_keys)
        return VerifyingKeys((self._keys.get(app.id, app, lambda: public_key_of(app)),))

    def encrypt_key_for(self, merchant: Merchant) -> str | None:
        """The key with which Alipay encrypts content for this merchant's app, if it has one."""
        return encrypt_key_of(self._current().apps[merchant.app_row], self._context.sealer)

    def _certificates_of(self, app: App) -> CertificateSet | None:
        """One set for all clients of an app and its notifications: what one learns, all know."""
        return self._certificates.get(app.id, app, lambda: certificates_of(app))

    def close(self) -> None:
        """Closes all connections to Alipay."""
        for client in self._clients.drain():
            client.close()

    def _client(self, app: App, merchant: Merchant | None) -> Alipay:
        if app.environment not in self._context.settings.environments:
            raise EnvironmentNotAllowed(app.environment)
        owner = (app.id, None if merchant is None else merchant.id)
        return self._clients.get(owner, (app, merchant), lambda: self._make(app, merchant))

    def _make(self, app: App, merchant: Merchant | None) -> Alipay:
        credentials = credentials_of(app, merchant, self._context.sealer)
        return Alipay(
            replace(credentials, certificates=self._certificates_of(app)),
            transport=self._transport,
            timeout_seconds=self._context.settings.gateway_timeout_seconds,
            clock=self._context.clock,
        )

    def _current(self) -> _Picture:
        picture = self._picture
        if picture is None:
            with self._taking:
                picture = self._picture
                return self._take() if picture is None else picture
        if time.monotonic() - picture.taken_at > FRESH_SECONDS and self._taking.acquire(
            blocking=False
        ):
            # Beside the request: a notification does not wait for the database to be read.
            threading.Thread(target=self._renew, name="merchants", daemon=True).start()
        return picture

    def _renew(self) -> None:
        try:
            self._take()
        finally:
            self._taking.release()

    def _take(self) -> _Picture:
        taken_at = time.monotonic()
        # Variables of its own: whoever asks may hold a transaction, and this reads beside it.
        apps, merchants = Variables().run(self._read)
        picture = _Picture(
            by_slug={merchant.slug: merchant for merchant in merchants},
            by_id={merchant.id: merchant for merchant in merchants},
            apps={app.id: app for app in apps},
            taken_at=taken_at,
        )
        self._picture = picture
        return picture

    def _read(self) -> tuple[list[App], list[Merchant]]:
        with self._context.database.read() as tx:
            return store.list_apps(tx), store.list_merchants(tx)

    def _forget_picture(self) -> None:
        self._picture = None


class _MadeOnce(Generic[_Made]):
    """Things made from rows, kept until the rows differ."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Hashable, tuple[object, _Made]] = {}

    def get(self, owner: Hashable, source: object, make: Callable[[], _Made]) -> _Made:
        kept = self._made.get(owner)
        # The same object nearly always: comparing all its fields is for when it was read again.
        if kept is not None and (kept[0] is source or kept[0] == source):
            return kept[1]
        with self._lock:
            kept = self._made.get(owner)
            if kept is None or kept[0] != source:
                kept = self._made[owner] = (source, make())
            return kept[1]

    def drain(self) -> list[_Made]:
        with self._lock:
            made = [thing for _, thing in self._made.values()]
            self._made.clear()
            return made


def clients_of(request: HTTPConnection) -> Clients:
    """The clients of the service that got ``request``."""
    return cast("Clients", request.app.state.clients)
