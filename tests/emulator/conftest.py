"""Fixtures: one emulator and one shop for the whole run, forgotten about between tests."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import httpx2
import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from daozhang.clock import ManualClock
from daozhang.emulator.app import create_emulator
from emulator.place import START, Merchant, Place, Server, Shop
from ports import free_port


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with keys: making them takes a second, so they are made once."""
    return tmp_path_factory.mktemp("emulator")


@pytest.fixture(scope="session")
def _running(data_dir: Path) -> Generator[Place]:
    clock, port, shop_port = ManualClock(START), free_port(), free_port()
    shop = Shop(f"http://127.0.0.1:{shop_port}")
    emulator = create_emulator(data_dir, clock=clock, port=port)
    with (
        Server(shop.asgi(), shop_port),
        Server(emulator.asgi, port) as server,
        httpx2.Client(base_url=server.base_url, trust_env=False, verify=False, timeout=30) as http,
    ):
        yield Place(emulator, Merchant(emulator.credentials(), http, clock), shop, clock, http)


@pytest.fixture
def place(_running: Place) -> Place:
    """The running emulator and shop, as if nothing had happened yet."""
    _running.emulator.reset(seed=7)
    _running.shop.received.clear()
    _running.shop.answer = lambda _: Response(b"success")
    _running.http.cookies.clear()
    return _running


@pytest.fixture
def monday(_running: Place, tmp_path: Path) -> Generator[Place]:
    """An emulator of one test's own, on the morning of Monday, 2026-03-02, without a network."""
    clock = ManualClock(START)
    # The same keys in a directory of its own: an emulator notes its address there.
    keys = shutil.copytree(_running.emulator.desk.identities.directory, tmp_path / "emulator")
    emulator = create_emulator(keys, clock=clock, seed=7)
    with TestClient(emulator.asgi) as client:
        merchant = Merchant(emulator.credentials(), client, clock)  # pyright: ignore[reportArgumentType]
        yield Place(emulator, merchant, Shop(), clock, client)  # pyright: ignore[reportArgumentType]
