"""A shop whose service runs in processes that die at named points, and the hands of people around it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

import mortal
from daozhang.app import create_context
from daozhang.clock import ManualClock
from daozhang.emulator.app import Emulator, create_emulator
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from databases import on_postgresql
from ports import free_port
from processes import end, environment, status, until
from receivers import Receiver, receiver
from worlds import Server, app_of, register

ROUNDS_MAX = 80
PUSH_SECONDS = 20


@dataclass
class Shop:
    """The service in processes of its own, the emulator, a receiver, and the hands of people."""

    directory: Path
    port: int
    emulator: Emulator
    clock: ManualClock
    hook: Receiver
    key: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    deaths: list[int] = field(default_factory=list)
    ahead: float = 0.0

    def start(self, port: int, *point: str) -> None:
        """Starts a process, which dies at ``point`` if one is given."""
        with (self.directory / "serve.log").open("ab") as log:
            program = [sys.executable, mortal.__file__, str(port), str(self.directory / "ahead")]
            process = subprocess.Popen(
                [*program, *point],
                env=environment(self.directory, self.port),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        until(lambda: process.poll() is not None or status(port, "/readyz") == 200)

    def tend(self) -> None:
        """Whoever looks after the machine: a process that has died is started again, unarmed."""
        for process in list(self.processes):
            if process.poll() is not None:
                self.processes.remove(process)
                self.deaths.append(process.returncode)
                if on_postgresql() and len(self.deaths) == 1:
                    self.start(free_port())  # a peer, which takes over what was begun
                self.start(self.port)

    def ask(self, method: str, path: str, accepted: tuple[int, ...], **body: Any) -> dict[str, Any]:
        """What the API answers; asked again until somebody does."""
        deadline = time.monotonic() + 60
        url = f"http://127.0.0.1:{self.port}{path}"
        own = {"Authorization": f"Bearer {self.key}"}
        while True:
            try:
                answer = httpx2.request(
                    method, url, json=body, headers=own, trust_env=False, verify=False, timeout=20
                )
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, "nobody answers"
                self.tend()
                continue
            assert answer.status_code in accepted, (path, answer.status_code, answer.text)
            return answer.json()

    def order(self, number: str, **more: Any) -> str:
        """Creates an order and opens its page, as the buyer does."""
        body = {"out_trade_no": number, "amount": "88.88", "subject": "明前龙井", **more}
        self.open(self.ask("POST", "/v1/orders", (200, 201), **body)["pay_url"])
        return number

    def open(self, url: str) -> None:
        """The buyer follows an address of ours, again until somebody answers."""
        deadline = time.monotonic() + 60
        while True:
            try:
                page = httpx2.get(
                    url, trust_env=False, verify=False, timeout=20, follow_redirects=True
                )
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, "nobody answers"
                self.tend()
                continue
            assert page.status_code == 200, page.text
            return

    def read(self, path: str) -> dict[str, Any]:
        return self.ask("GET", path, (200,))

    def status(self, number: str) -> str:
        return str(self.ask("GET", f"/v1/orders/{number}", (200,))["status"])

    def refund(self, number: str, name: str) -> None:
        body = {"amount": "8.88", "out_request_no": name}
        self.ask("POST", f"/v1/orders/{number}/refunds", (200, 201, 202), **body)

    def push(self) -> None:
        """Time passes, for all."""
        self.tend()
        self.ahead += PUSH_SECONDS
        beside = self.directory / "ahead.new"
        beside.write_text(str(self.ahead))
        beside.replace(self.directory / "ahead")
        self.emulator.advance(PUSH_SECONDS)
        time.sleep(0.3)

    def push_until(self, true: Callable[[], bool]) -> None:
        for _ in range(ROUNDS_MAX):
            if true():
                return
            self.push()
        raise AssertionError("it never came true")


@contextmanager
def shop(directory: Path) -> Generator[Shop]:
    # As the processes have it: a planned day is the same on both sides.
    clock = ManualClock(datetime.now(UTC))
    emulator_port, port = free_port(), free_port()
    emulator = create_emulator(directory / "emulator", clock=clock, port=emulator_port)
    (directory / "ahead").write_text("0")
    context = create_context(load_settings(environment(directory, port)))
    upgrade(context.database)
    given = emulator.credentials("shop")
    key = register(context, app_of(given), seller_id=given["seller_id"])
    context.database.dispose()
    with Server(emulator.asgi, emulator_port), receiver() as hook:
        alive = Shop(directory, port, emulator, clock, hook, key)
        try:
            yield alive
        finally:
            for process in alive.processes:
                end(process)
