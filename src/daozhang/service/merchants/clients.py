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
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from starlette.requests import HTTPConnection

from daozhang.alipay.certificates import CertificateSet
from daozhang.alipay.client import Alipay
from daozhang.alipay.config import Credentials, VerifyingKeys
from daozhang.alipay.errors import Rejected
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

    from daozhang.alipay.conversation import Conversation
    from daozhang.alipay.exchange import Answer

BUSINESS_REFUSAL: Final = "40004"
"""What Alipay answers if it took the call and says no to what was asked."""

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
        self._answers = threading.Lock()
        self._answered: dict[int, datetime] = {}
        self._former: _MadeOnce[PublicKey] = _MadeOnce()
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

    def client_with(self, credentials: Credentials) -> Alipay:
        """A client with keys that are not in use yet; whoever asks closes it. As for `client_for`."""
        require_no_transaction("A call to Alipay")
        if credentials.environment not in self._context.settings.environments:
            raise EnvironmentNotAllowed(credentials.environment)
        return self._made_with(credentials)

    def verifying_keys_for(self, merchant: Merchant) -> VerifyingKeys:
        """Alipay's keys for this merchant's notifications.

        With certificates also those that a client of the app has downloaded since. A notification
        itself never makes one be downloaded: anybody can send one.
        """
        app = self._current().apps[merchant.app_row]
        certificates = self._certificates_of(app)
        if certificates is not None:
            present = certificates.alipay_public_keys
        else:
            present = (self._keys.get(app.id, app, lambda: public_key_of(app)),)
        return VerifyingKeys(present + self._former_keys_of(app))

    def encrypt_key_for(self, merchant: Merchant) -> str | None:
        """The key with which Alipay encrypts content for this merchant's app, if it has one."""
        return encrypt_key_of(self._current().apps[merchant.app_row], self._context.sealer)

    def _certificates_of(self, app: App) -> CertificateSet | None:
        """One set for all clients of an app and its notifications: what one learns, all know."""
        return self._certificates.get(app.id, app, lambda: certificates_of(app))

    def answered(self) -> dict[int, datetime]:
        """When Alipay last answered for each merchant, since this was last asked."""
        with self._answers:
            answered, self._answered = self._answered, {}
        return answered

    def close(self) -> None:
        """Closes all connections to Alipay."""
        for client in self._clients.drain():
            client.close()

    def _client(self, app: App, merchant: Merchant | None) -> Alipay:
        if app.environment not in self._context.settings.environments:
            raise EnvironmentNotAllowed(app.environment)
        owner = (app.id, None if merchant is None else merchant.id)
        # What it is made of, not all that is set of a merchant: a limit that changes costs no
        # connection to Alipay.
        source = (app, None if merchant is None else merchant.app_auth_token_sealed)
        return self._clients.get(owner, source, lambda: self._make(app, merchant))

    def _make(self, app: App, merchant: Merchant | None) -> Alipay:
        credentials = credentials_of(app, merchant, self._context.sealer)
        made = self._made_with(replace(credentials, certificates=self._certificates_of(app)))
        if merchant is not None:
            made.heard = lambda: self._note_answer(merchant.id)
        return made

    def _note_answer(self, merchant_id: int) -> None:
        # In memory: a call pays nothing for it, and `duties.NoteAnswers` writes it down.
        with self._answers:
            self._answered[merchant_id] = self._context.clock.now()

    def _former_keys_of(self, app: App) -> tuple[PublicKey, ...]:
        """Alipay's key from before, for the notifications that it signed and repeats."""
        until = app.former_alipay_until
        if until is None or self._context.clock.now() >= until:
            return ()
        former = app.former_alipay_public_key or ""
        return (self._former.get(app.id, app, lambda: PublicKey.load(former)),)

    def _made_with(self, credentials: Credentials) -> _Heard:
        return _Heard(
            credentials,
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


class _Heard(Alipay):
    """A client that tells when an answer of Alipay's verified."""

    heard: Callable[[], None] | None = None

    def _converse(self, conversation: Conversation, timeout_seconds: float | None) -> Answer:
        try:
            answer = super()._converse(conversation, timeout_seconds)
        except Rejected as rejected:
            if rejected.code == BUSINESS_REFUSAL:  # signed like any other answer
                self._tell()
            raise
        self._tell()
        return answer

    def _tell(self) -> None:
        if self.heard is not None:
            self.heard()


class _MadeOnce(Generic[_Made]):
    """Things made from rows, kept until the rows differ."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Hashable, tuple[object, _Made]] = {}
        # Another thread may still be using one that is replaced: it is closed with all others.
        self._replaced: list[_Made] = []

    def get(self, owner: Hashable, source: object, make: Callable[[], _Made]) -> _Made:
        kept = self._made.get(owner)
        # The same object nearly always: comparing all its fields is for when it was read again.
        if kept is not None and (kept[0] is source or kept[0] == source):
            return kept[1]
        with self._lock:
            kept = self._made.get(owner)
            if kept is None or kept[0] != source:
                if kept is not None:
                    self._replaced.append(kept[1])
                kept = self._made[owner] = (source, make())
            return kept[1]

    def drain(self) -> list[_Made]:
        with self._lock:
            made = [*self._replaced, *(thing for _, thing in self._made.values())]
            self._made.clear()
            self._replaced.clear()
            return made


def clients_of(request: HTTPConnection) -> Clients:
    """The clients of the service that got ``request``."""
    return cast("Clients", request.app.state.clients)
