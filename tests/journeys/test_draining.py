"""Told to stop: what is asked is answered, streams end, nothing is left behind, in 15 seconds."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from daozhang.app import create_context
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from deployment import SELLER_ID, new_app
from ports import free_port
from processes import environment, serving, status
from refund_world import TOTAL, open_shop
from streams import streaming
from worlds import register

SLOW_SECONDS = 6.0
SECONDS_MAX = 15.0


@contextmanager
def slow_alipay() -> Generator[tuple[str, threading.Event]]:
    """A gateway that answers, with nothing one could believe, after a while; and once it is asked."""
    asked = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.set()
            time.sleep(SLOW_SECONDS)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/gateway.do", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_stop_it_answers_what_it_was_asked_and_ends_its_streams(
    tmp_path: Path, workers: int, request: pytest.FixtureRequest
) -> None:
    if workers > 1 and request.config.getoption("--database") != "postgresql":
        pytest.skip("SQLite has one process")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with slow_alipay() as (gateway, asked):
        context = create_context(load_settings(environment(tmp_path, port)))
        upgrade(context.database)
        key = register(context, new_app(gateway_url=gateway), seller_id=SELLER_ID)
        context.database.dispose()
        own = {"Authorization": f"Bearer {key}"}
        with (
            serving(tmp_path, port, "--workers", str(workers)) as process,
            httpx2.Client(
                base_url=base, headers=own, trust_env=False, verify=False, timeout=30
            ) as api,
            httpx2.Client(base_url=base, trust_env=False, verify=False, timeout=30) as bystander,
            streaming(f"{base}/v1/events?start=true", headers=own) as stream,
        ):
            body = {"out_trade_no": "A-1", "amount": "88.88", "subject": "Tea"}
            assert api.post("/v1/orders", json=body).status_code == 201
            assert bystander.get("/readyz").status_code == 200
            answers: list[int] = []

            def query() -> None:
                answers.append(api.post("/v1/orders/A-1/query").status_code)

            asking = threading.Thread(target=query)
            asking.start()
            assert asked.wait(10)
            told_at = time.monotonic()
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(EOFError):
                while stream.frame():
                    pass
            ended_seconds = time.monotonic() - told_at
            asking.join(SECONDS_MAX)
            assert process.wait(SECONDS_MAX) == 0
            seconds = time.monotonic() - told_at
        assert len(answers) == 1
        assert answers[0] < 500 or answers[0] in (502, 504), answers
        assert ended_seconds < SLOW_SECONDS, "a stream waits for nobody"
        assert SLOW_SECONDS * 0.5 < seconds < SECONDS_MAX
        assert status(port, "/healthz") is None


def test_while_it_drains_it_is_not_ready_and_still_answers(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        number = shop.paid_order()
        assert shop.api.get("/readyz").status_code == 200
        shop.service.drain()
        told = shop.api.get("/readyz")
        assert (told.status_code, list(told.json()["problems"])) == (503, ["draining"])
        # Asked for in the last moment: written down, and nobody here sends it any more.
        assert shop.refund(number, TOTAL, "R1").status_code == 201
        time.sleep(1.0)
        assert shop.gateway.calls == []
        assert shop.the_refund(number)["status"] == "requested"
        with (
            streaming(
                f"{shop.api.base_url}/v1/events?start=true",
                headers={"Authorization": shop.api.headers["Authorization"]},
            ) as stream,
            contextlib.suppress(EOFError),
        ):
            while stream.frame():
                pass
