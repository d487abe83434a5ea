"""Receivers of webhooks, over real HTTP: they answer as the test says and keep what they got."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a receiver says."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    delay_seconds: float = 0.0
    hangs_up: bool = False
    """Whether the connection is cut instead, after everything was read."""


@dataclass(frozen=True)
class Got:
    """A POST that has arrived, and whether it was answered with a 2xx."""

    headers: dict[str, str]
    body: bytes
    taken: bool
    path: str = ""


@dataclass
class Receiver:
    """An address that is posted to. ``answer`` may be replaced at any time."""

    url: str
    answer: Callable[[Got], Answer] = lambda _got: Answer()
    got: list[Got] = field(default_factory=list[Got])

    def taken(self) -> list[Got]:
        """What was answered with a 2xx."""
        return [one for one in self.got if one.taken]


@contextmanager
def receiver(path: str = "/hook", port: int = 0) -> Generator[Receiver]:
    """A receiver on a port of its own, or on one that an earlier one has left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = running.answer(Got(headers, body, taken=False, path=self.path))
            time.sleep(answer.delay_seconds)
            if answer.hangs_up:
                running.got.append(Got(headers, body, taken=False, path=self.path))
                self.close_connection = True
                return
            is_taken = 200 <= answer.status < 300
            running.got.append(Got(headers, body, taken=is_taken, path=self.path))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A sender that was killed has hung up: that is what is tested."""

    server = Quiet(("127.0.0.1", port), Handler)
    running = Receiver(f"http://127.0.0.1:{server.server_port}{path}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
