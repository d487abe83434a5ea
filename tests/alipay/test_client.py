"""The shells: deadlines, limits, threads, and what is not done behind the caller's back."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from alipay.fakes import Gateway, answering, compact, credentials, envelope
from alipay.shells import Caller
from daozhang.alipay import (
    Alipay,
    AsyncAlipay,
    Credentials,
    Environment,
    OutcomeUnknown,
    TradePagePay,
    TradeQuery,
)
from daozhang.alipay.client import ANSWER_BYTES_MAX
from daozhang.money import Money

QUERY = TradeQuery(out_trade_no="T1")
PAID = compact({"code": "10000", "out_trade_no": "T1"})
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 400\r\n\r\n"


@contextmanager
def listening(serve: Any) -> Iterator[str]:
    """A socket whose every connection is handed to ``serve``; its gateway address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def accept() -> None:
            server.settimeout(0.05)
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    serve(connection, stop)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/gateway.do"
        finally:
            stop.set()
            thread.join()


def silent(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(10)


def dripping(connection: socket.socket, stop: threading.Event) -> None:
    """Sends a byte at a time, each long before any one wait for a socket ends."""
    connection.recv(65536)
    connection.sendall(HEAD)
    while not stop.wait(0.05):
        try:
            connection.sendall(b" ")
        except OSError:
            return


def query_within_half_a_second(shell: str, own: Credentials) -> None:
    if shell == "sync":
        with Alipay(own, timeout_seconds=0.5) as alipay:
            alipay.call(QUERY)
        return

    async def run() -> None:
        async with AsyncAlipay(own) as alipay:
            await alipay.call(QUERY, timeout_seconds=0.5)

    asyncio.run(run())


@pytest.mark.parametrize("serve", [silent, dripping])
@pytest.mark.parametrize("shell", ["sync", "async"])
def test_the_deadline_bounds_the_whole_call(shell: str, serve: Any):
    with listening(serve) as address:
        own = credentials(environment=Environment.EMULATOR, gateway_url=address)
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown) as unknown:
            query_within_half_a_second(shell, own)
        assert unknown.value.cause == "timeout"
        assert time.monotonic() - started < 3


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    own = credentials(
        environment=Environment.EMULATOR, gateway_url=f"http://127.0.0.1:{port}/gateway.do"
    )
    with Alipay(own) as alipay, pytest.raises(OutcomeUnknown) as unknown:
        alipay.call(QUERY)
    assert unknown.value.cause == "connect"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    def serve(connection: socket.socket, stop: threading.Event) -> None:
        connection.recv(65536)
        body = envelope(PAID)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )

    with listening(serve) as address:
        own = credentials(environment=Environment.EMULATOR, gateway_url=address)
        with Alipay(own) as alipay:
            assert alipay.call(QUERY).out_trade_no == "T1"
        with Alipay(own, trust_env=True) as alipay, pytest.raises(OutcomeUnknown) as unknown:
            alipay.call(QUERY)
        assert unknown.value.cause == "connect"


def test_an_answer_beyond_all_measure(caller: Caller):
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(credentials(), answering(b" " * (ANSWER_BYTES_MAX + 1)), QUERY)
    assert unknown.value.cause == "malformed"


def test_one_client_in_many_threads():
    gateway = Gateway(lambda _: httpx2.Response(200, content=envelope(PAID)))
    with (
        Alipay(credentials(), transport=gateway.transport) as alipay,
        ThreadPoolExecutor(8) as pool,
    ):
        results = list(pool.map(lambda _: alipay.call(QUERY).out_trade_no, range(64)))
    assert results == ["T1"] * 64
    assert len(gateway.requests) == 64


def test_many_calls_at_once():
    gateway = Gateway(lambda _: httpx2.Response(200, content=envelope(PAID)))

    async def run() -> list[str | None]:
        async with AsyncAlipay(credentials(), transport=gateway.transport) as alipay:
            results = await asyncio.gather(*[alipay.call(QUERY) for _ in range(32)])
        return [result.out_trade_no for result in results]

    assert asyncio.run(run()) == ["T1"] * 32


def test_a_page_is_not_called(caller: Caller):
    gateway = answering(b"")
    operation = TradePagePay(out_trade_no="T1", total_amount=Money(1), subject="x")
    with pytest.raises(TypeError, match="page_url"):
        caller.call(credentials(), gateway, operation)
    assert not gateway.requests


@pytest.mark.parametrize(
    "options", [{"protocol": "v4"}, {"timeout_seconds": 0}, {"connections_max": 0}]
)
def test_options_that_cannot_be_meant(options: dict[str, Any]):
    for client in (Alipay, AsyncAlipay):
        with pytest.raises(ValueError, match=next(iter(options))):
            client(credentials(), **options)


def test_a_call_without_any_time_is_not_sent(caller: Caller):
    gateway = answering(envelope(PAID))
    with pytest.raises(ValueError, match="timeout_seconds"):
        caller.call(credentials(), gateway, QUERY, timeout_seconds=0)
    assert not gateway.requests


def test_the_repr_holds_no_secret():
    text = repr(Alipay(credentials(encrypt_key="AAECAwQFBgcICQoLDA0ODw==")))
    assert text == "Alipay(app_id='2021000000000001', v2)"


def test_importing_the_library_brings_no_http_client():
    code = "import sys, daozhang.alipay; print('httpx2' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
