"""What the tests of events need: a merchant with an order, the two streams over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI

from daozhang.clock import ManualClock
from daozhang.money import Money
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.auth.ring import KeyRing
from daozhang.service.db import Database, metadata
from daozhang.service.merchants.actions import add_app, add_merchant
from daozhang.service.merchants.model import Merchant, NewApp, NewMerchant
from daozhang.service.orders.actions import create_order, lock_order
from daozhang.service.orders.model import NewOrder, Order
from daozhang.service.orders.store import update_order
from daozhang.service.orders.watching import WATCH_PURPOSE
from daozhang.service.orders.watching import router as watch_router
from daozhang.service.outbox.actions import append_event
from daozhang.service.outbox.model import Event
from daozhang.service.outbox.routes import router as events_router
from daozhang.service.seal import Sealer
from daozhang.service.settings import load_settings
from daozhang.service.signals import Signals
from daozhang.service.web.context import Context
from daozhang.service.web.problem import add_problem_handlers
from databases import database_url

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Books:
    """A service's books with one merchant, without the parts that talk to Alipay."""

    def __init__(self, directory: Path) -> None:
        settings = load_settings({}, data_dir=directory, database_url=database_url(directory))
        self.context = Context(
            settings,
            ManualClock(NOW),
            Database(settings.database_url),
            Sealer({"k1": bytes(range(32))}),
            Signals(),
        )
        metadata.create_all(self.context.database.engine)
        self._app_added = False

    def add_merchant(self, slug: str) -> Merchant:
        with self.context.database.begin() as tx:
            if not self._app_added:
                add_app(tx, self.context, _app())
                self._app_added = True
            seller = f"2088{abs(hash(slug)) % 10**12:012d}"
            new = NewMerchant(slug, slug, "2021000000000001", "emulator", seller)
            return add_merchant(tx, self.context, new)

    def add_order(self, merchant: Merchant, number: str) -> Order:
        new = NewOrder(
            number,
            Money.parse("88.88"),
            "tea",
            NOW + timedelta(minutes=30),
            metadata={"internal": "margin 40%"},
        )
        with self.context.database.begin() as tx:
            return create_order(tx, merchant, new, NOW)[0]

    def api_key(self, merchant: Merchant, *scopes: Scope) -> str:
        with self.context.database.begin() as tx:
            return create_api_key(
                tx,
                name="test",
                environment="emulator",
                merchants=[KeyMerchant(merchant.id, merchant.slug)],
                scopes=scopes or (Scope.EVENTS_READ,),
                refund_limit=None,
                now=NOW,
            )[1]

    def watch_token(self, order: Order, seconds: float = 3600) -> str:
        until = NOW + timedelta(seconds=seconds)
        return self.context.sealer.sign_token(WATCH_PURPOSE, {"order_id": order.id}, until)

    def append(
        self, order: Order, type_: str, *, status: str | None = None, wake: bool = True, **data: Any
    ) -> Event:
        """Writes an event and, with it, the order's new status."""
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            if status is not None:
                update_order(tx, locked.id, status=status)
            return append_event(
                tx,
                merchant_id=locked.merchant_id,
                environment=locked.environment,
                order_id=locked.id,
                type=type_,
                data=data,
                now=NOW,
                signals=self.context.signals if wake else None,
            )

    @contextmanager
    def served(self) -> Generator[str]:
        """The streams over HTTP; the address of the server."""
        app = FastAPI()
        app.state.context = self.context
        app.state.key_ring = KeyRing(
            self.context.database, self.context.clock, self.context.signals
        )
        app.include_router(events_router)
        app.include_router(watch_router)
        add_problem_handlers(app)
        config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            self.context.signals.wake("shutdown")
            thread.join(10)
            assert not thread.is_alive(), "a stream kept the server from ending"


class Stream:
    """A stream under way: reads frames one by one, as an EventSource does."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._lines = answer.iter_lines()

    def frame(self) -> dict[str, str]:
        """The next frame's fields; comments are passed over."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and fields:
                return fields
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
        raise EOFError("the stream has ended")

    def event(self) -> dict[str, Any]:
        """The body of the next frame that has one."""
        while "data" not in (frame := self.frame()):
            pass
        return json.loads(frame["data"])


@contextmanager
def streaming(url: str, **options: Any) -> Generator[Stream]:
    """Opens ``url`` as a stream, which must be one."""
    with (
        httpx2.Client(timeout=10, trust_env=False, verify=False) as client,
        client.stream("GET", url, **options) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def bearer(key: str, **headers: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}", **headers}


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether ``holds`` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _app() -> NewApp:
    ours, theirs = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    private = ours.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = theirs.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return NewApp(
        "2021000000000001", "emulator", private.decode(), public.decode(),
        gateway_url="http://127.0.0.1:1/gateway.do", v3_base_url="http://127.0.0.1:1",
    )  # fmt: skip
