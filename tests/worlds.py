"""A world: the emulator and the service, over real HTTP, on one manual clock.

Both run under uvicorn in threads of the test's process. Nothing of ours is patched: a test talks
to the service's API, plays the buyer through the emulator, and pushes the clock.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from daozhang.app import Service, create_context
from daozhang.clock import ManualClock
from daozhang.money import Money
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.merchants.actions import add_app, add_merchant
from daozhang.service.merchants.model import NewApp, NewMerchant
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from daozhang.service.web.context import Context

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday morning in Beijing."""


class Server:
    """An ASGI application under uvicorn in a thread, on a port of its own."""

    def __init__(self, app: Any, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="error", lifespan="on", ws="none"
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
        self._server.should_exit = True
        self._thread.join(30)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def register(context: Context, app: NewApp, *, seller_id: str, slug: str = "shop") -> str:
    """Adds an App, a Merchant of it and an API key with every scope; returns the key."""
    with context.database.begin() as tx:
        add_app(tx, context, app)
        merchant = add_merchant(
            tx, context, NewMerchant(slug, "Shop", app.app_id, app.environment, seller_id)
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


