"""What the SDKs talk to: an emulator in a process of its own, a shop's notify address, a browser."""

from __future__ import annotations

import http.server
import json
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx2

STARTING_SECONDS_MAX: Final = 30.0
NOTIFIED_SECONDS_MAX: Final = 20.0

Calls = Callable[..., list[dict[str, Any]]]
"""`calls(config, [method, argument, ...], ...)`: one {"value"} or {"error"} for each."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A running emulator, and what an app of it must know."""

    address: str
    credentials: dict[str, str]

    def control(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """What the emulator's control plane answers."""
        return httpx2.post(
            f"{self.address}/_control/{path}", json=body, trust_env=False, verify=False
        )

    def payment_code(self, **how: str) -> str:
        """A code that a buyer shows."""
        answer = self.control("payment_codes", {**how})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["payment_code"])

    def pay(self, out_trade_no: str) -> None:
        """The buyer pays the trade, whose page was opened."""
        answer = self.control("pay", {"out_trade_no": out_trade_no})
        assert answer.status_code == 200, answer.text


@contextmanager
def emulator_on_the_desk(data: Path) -> Generator[Desk]:
    """The emulator as a person starts it, on a free port, with its keys in `data`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daozhang = [sys.executable, "-m", "daozhang.cli", "emulator"]
    log = data / "serve.log"
    with log.open("wb") as output:
        serving = subprocess.Popen(
            [*daozhang, "serve", "--host", "127.0.0.1", "--port", str(port), "--data", str(data)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, serving, log)
        said = subprocess.run(
            [*daozhang, "credentials", "--data", str(data), "--json"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        yield Desk(f"http://127.0.0.1:{port}", json.loads(said.stdout))
    finally:
        serving.terminate()
        serving.wait(timeout=30)


def _wait_for(port: int, serving: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if serving.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The emulator did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


def new_number() -> str:
    """An order number that no other test has, with a hyphen, as Alipay takes them."""
    return f"peer-{uuid.uuid4().hex[:20]}"


class Receiver:
    """A shop's notify address: keeps what comes in and answers `success`."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._bodies: list[bytes] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "7")
                self.end_headers()
                self.wfile.write(b"success")
                receiver.keep(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Says nothing: the test does."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/notify"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *ending: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def keep(self, body: bytes) -> None:
        with self._arrived:
            self._bodies.append(body)
            self._arrived.notify_all()

    def next(self) -> dict[str, str]:
        """The oldest notification that nobody has taken yet, as a form; waits for it."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: self._bodies, NOTIFIED_SECONDS_MAX)
            assert came, "no notification came"
            body = self._bodies.pop(0)
        return dict(parse_qsl(body.decode("ascii"), strict_parsing=True, encoding="utf-8"))


class _Form(HTMLParser):
    """The one form of a page. The SDKs leave `&` bare in its action, which a browser takes as it
    stands (`&notify_url` is no `¬`); Python's parser has to be told."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self.action = values["action"] or ""
        elif tag == "input" and "name" in values:
            self.fields[values["name"] or ""] = values.get("value") or ""


def open_page(page: str) -> httpx2.Response:
    """What a browser shows for `page`, an address or a form that submits itself."""
    with httpx2.Client(follow_redirects=True, trust_env=False, verify=False) as browser:
        if page.startswith("http"):
            return browser.get(page)
        form = _Form()
        form.feed(re.sub(r"&(?!#?\w+;)", "&amp;", page))
        return browser.post(form.action, data=form.fields)
