"""A world: the emulator and the service, over real HTTP, on one manual clock.

Both run under uvicorn in threads of the test's process. Nothing of ours is patched: a test talks
to the service's API, plays the buyer through the emulator, and pushes the clock.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa
import uvicorn

from books import check_books
from daozhang.app import Service, create_context
from daozhang.clock import ManualClock
from daozhang.emulator.app import create_emulator
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.db import Tx
from daozhang.service.merchants.actions import add_app, add_merchant
from daozhang.service.merchants.model import NewApp, NewMerchant
from daozhang.service.migrations import upgrade
from daozhang.service.orders.store import orders
from daozhang.service.outbox.model import Event
from daozhang.service.outbox.store import list_events_of_merchant, list_events_of_order
from daozhang.service.settings import load_settings
from daozhang.service.web.context import Context
from databases import database_url
from ports import free_port

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday morning in Beijing."""


class Server:
    """An ASGI application under uvicorn in a thread, on a port of its own."""

    def __init__(self, app: Any, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_level="error",
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=600,  # a client that was long silent meets no connection being closed
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Ends it; `RuntimeError` if it does not, since the next one would stumble over it."""
        if self._thread.ident is None:
            return  # never started
        self._server.should_exit = True
        self._thread.join(30)
        if self._thread.is_alive():
            raise RuntimeError("the server did not stop")

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def register(
    context: Context, app: NewApp, *, seller_id: str, slug: str = "shop", **policies: Any
) -> str:
    """Adds an App, a Merchant of it and an API key with every scope; returns the key."""
    with context.database.begin() as tx:
        add_app(tx, context, app)
        merchant = add_merchant(
            tx,
            context,
            NewMerchant(slug, "Shop", app.app_id, app.environment, seller_id, **policies),
        )
        _, secret = create_api_key(
            tx,
            name="test",
            environment=app.environment,
            merchants=[KeyMerchant(merchant.id, merchant.slug)],
            scopes=list(Scope),
            refund_limit=None,
            now=context.clock.now(),
        )
    return secret


def app_of(given: Mapping[str, str], *, encrypts: bool = False) -> NewApp:
    """The App of whom the emulator has given these credentials."""
    return NewApp(
        app_id=given["app_id"],
        environment="emulator",
        private_key=given["app_private_key_pkcs1"],
        alipay_public_key=given["alipay_public_key"],
        gateway_url=given["gateway_url"],
        v3_base_url=given["v3_base_url"],
        encrypt_key=given["encrypt_key"] if encrypts else None,
    )


class Postman(httpx2.AsyncBaseTransport):
    """Carries Alipay's notifications to the service, or holds them back for a test to hand over."""

    def __init__(self) -> None:
        self.holding = False
        self.held: list[bytes] = []
        self._road = httpx2.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self.holding:
            return await self._road.handle_async_request(request)
        self.held.append(await request.aread())
        return httpx2.Response(503, text="held back")

    async def aclose(self) -> None:
        await self._road.aclose()


@cache
def _keys_of_alipay() -> Path:
    """An emulator's directory with its keys and those of one app, made once in each process."""
    directory = Path(tempfile.mkdtemp(prefix="daozhang-alipay-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    create_emulator(directory, clock=ManualClock(START), port=free_port()).credentials("shop")
    return directory


class World:
    """The emulator and the service with one merchant, and the hands of everybody around them."""

    def __init__(
        self,
        directory: Path,
        *,
        chosen: Mapping[str, Any] | None = None,
        encrypts: bool = False,
        host: str = "127.0.0.1",
        **policies: Any,
    ) -> None:
        """``host`` is by which name the service is reached; ``chosen`` are settings of the service, ``policies`` the merchant's; ``encrypts``: its App
        has a key for content."""
        self.clock = ManualClock(START)
        self.postman = Postman()
        emulator_port, service_port = free_port(), free_port()
        if not (directory / "emulator").exists():
            shutil.copytree(_keys_of_alipay(), directory / "emulator")
        self.emulator = create_emulator(
            directory / "emulator",
            clock=self.clock,
            port=emulator_port,
            transport=self.postman,
        )
        settings = load_settings(
            {},
            data_dir=directory / "service",
            database_url=database_url(directory / "service"),
            public_url=f"http://{host}:{service_port}",
            **{
                "clock": "manual",
                "environments": ("emulator",),
                "gateway_timeout_seconds": 2.0,
                "fetch_bills": False,
                **(chosen or {}),
            },
        )
        context = create_context(settings, self.clock)
        upgrade(context.database)
        given = self.emulator.credentials("shop")
        key = register(
            context, app_of(given, encrypts=encrypts), seller_id=given["seller_id"], **policies
        )
        self.service = Service(context)
        self._servers = [
            Server(self.emulator.asgi, emulator_port),
            Server(self.service.web(), service_port),
        ]
        self.api = httpx2.Client(
            base_url=settings.public_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
            trust_env=False,
            verify=False,
        )
        self.browser = httpx2.Client(
            timeout=60, trust_env=False, verify=False, follow_redirects=True
        )
        self._numbers = 0

    def start(self) -> None:
        for server in self._servers:
            server.start()

    def stop(self) -> None:
        self.api.close()
        self.browser.close()
        for server in reversed(self._servers):
            server.stop()

    def stop_service(self) -> None:
        """Ends the service; Alipay goes on."""
        self._servers.pop().stop()

    def start_service(self) -> None:
        """Starts the service anew, on the database that is there now."""
        settings = self.service.context.settings
        self.service = Service(create_context(settings, self.clock))
        port = int(settings.public_url.rpartition(":")[2])
        self._servers.append(Server(self.service.web(), port))
        self._servers[-1].start()

    # ---- the shop

    def order(self, amount: str = "88.88", **fields: Any) -> str:
        """Creates an order and returns its number."""
        self._numbers += 1
        number = fields.pop("out_trade_no", f"W{self._numbers:06d}")
        body = {"out_trade_no": number, "amount": amount, "subject": "明前龙井 250g", **fields}
        created = self.api.post("/v1/orders", json=body)
        assert created.status_code == 201, created.text
        return number

    def read(self, number: str) -> dict[str, Any]:
        """The order as the API tells it."""
        answer = self.api.get(f"/v1/orders/{number}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refund(self, number: str, amount: str, out_request_no: str) -> httpx2.Response:
        """Asks for a refund."""
        return self.api.post(
            f"/v1/orders/{number}/refunds",
            json={"amount": amount, "out_request_no": out_request_no},
        )

    def refunds(self, number: str) -> list[dict[str, Any]]:
        """The order's refunds."""
        return self.api.get(f"/v1/orders/{number}/refunds").json()["data"]

    def events(self, number: str) -> list[str]:
        """The types of the order's events, in their order."""
        with self.service.context.database.read() as tx:
            order = find_order(tx, number)
            return [event.type for event in list_events_of_order(tx, order)]

    def events_without_order(self) -> list[Event]:
        """The merchant's events that belong to no order, oldest first."""
        with self.service.context.database.read() as tx:
            listed = list_events_of_merchant(tx, 1, after_number=0, types=(), rows_max=10_000)
        return [event for event in listed if event.sequence is None]

    # ---- the buyer

    def open_page(self, number: str) -> None:
        """The buyer clicks: our address leads to Alipay's cashier, which opens the trade."""
        page = self.browser.get(self.read(number)["pay_url"])
        assert page.status_code == 200, page.text

    def pay(self, number: str) -> None:
        """The buyer opens the page and pays."""
        self.open_page(number)
        self.emulator.pay(number)

    # ---- time

    def settle(self) -> None:
        """Everything that is due at this moment, on both sides, runs until nothing is."""
        self.emulator.settle()
        self.service.worker.settle()
        self.emulator.settle()

    def advance(self, seconds: float, *, grain_seconds: float = 0) -> None:
        """Pushes the one clock of both sides, stopping wherever one of them has something due.

        With ``grain_seconds`` it stops no oftener than that, and what has become due meanwhile runs
        together, a little late: as where somebody looks from time to time.
        """
        target = self.clock.now() + timedelta(seconds=seconds)
        grain = timedelta(seconds=grain_seconds)
        self.settle()
        while (due := self._next_due()) is not None and due <= target:
            self.clock.set(min(max(due, self.clock.now() + grain), target))
            self.settle()
        self.clock.set(target)
        self.settle()

    def _next_due(self) -> datetime | None:
        dues = [n.due_at for n in self.emulator.notifications if n.due_at is not None]
        service = self.service.worker.next_due()
        return min([*dues, *([service] if service is not None else [])], default=None)


def open_gateway(world: World) -> str:
    """The merchant enters its notify address as the application gateway, too."""
    app_id = world.emulator.credentials("shop")["app_id"]
    address = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    changed = httpx2.post(
        f"{world.emulator.base_url}/_control/switches/{app_id}",
        json={"gateway_url": address},
        trust_env=False,
        verify=False,
    )
    assert changed.status_code == 200, changed.text
    return app_id


def find_order(tx: Tx, number: str) -> int:
    """The row of an order."""
    return int(
        tx.execute(sa.select(orders.c.id).where(orders.c.out_trade_no == number)).scalar_one()
    )


@contextmanager
def running(
    directory: Path,
    *,
    chosen: Mapping[str, Any] | None = None,
    encrypts: bool = False,
    host: str = "127.0.0.1",
    **policies: Any,
) -> Generator[World]:
    """A world that runs while the block does."""
    world = World(directory, chosen=chosen, encrypts=encrypts, host=host, **policies)
    try:
        world.start()
        yield world
        check_books(world.service.context.database)
    finally:
        world.stop()
