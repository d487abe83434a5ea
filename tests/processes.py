"""The service as real processes: started, asked whether they are ready, killed, told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from daozhang.app import create_context
from daozhang.service.merchants.model import NewApp
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from databases import database_url
from deployment import SELLER_ID, new_app
from worlds import register

WAIT_SECONDS = 30


def until(true: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Waits until ``true`` says so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def environment(directory: Path, port: int) -> dict[str, str]:
    """What a process of the deployment in ``directory`` is started with."""
    return {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "DAOZHANG_DATA_DIR": str(directory),
        "DAOZHANG_DATABASE_URL": database_url(directory),
        "DAOZHANG_ENVIRONMENTS": "emulator",
        "DAOZHANG_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DAOZHANG_WEBHOOKS_ALLOW_PRIVATE": "true",
    }


def command(*arguments: str) -> list[str]:
    """The command line of this very environment."""
    return [str(Path(sys.executable).parent / "daozhang"), *arguments]


def prepare(directory: Path, port: int, app: NewApp | None = None, seller: str = SELLER_ID) -> str:
    """A migrated deployment with a merchant, of ``app`` if that is given; its API key."""
    context = create_context(load_settings(environment(directory, port)))
    upgrade(context.database)
    key = register(context, app or new_app(), seller_id=seller)
    context.database.dispose()
    return key


def start(directory: Path, port: int, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts to serve, and waits until it is ready."""
    with (directory / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            command("serve", "--port", str(port), *arguments),
            env=environment(directory, port),
            stderr=log,
            stdout=log,
            start_new_session=True,
        )
    until(lambda: status(port, "/readyz") == 200)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills whatever is left of it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def serving(directory: Path, port: int, *arguments: str) -> Generator[subprocess.Popen[bytes]]:
    """A service that is ready; killed at the end, if it still runs."""
    process = start(directory, port, *arguments)
    try:
        yield process
    finally:
        end(process)


def status(port: int, path: str) -> int | None:
    """What the service answers, ``None`` if it does not."""
    try:
        return httpx2.get(
            f"http://127.0.0.1:{port}{path}", trust_env=False, verify=False, timeout=5
        ).status_code
    except httpx2.HTTPError:
        return None


def children(pid: int) -> set[int]:
    """The processes that ``pid`` has started."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= {int(number) for number in (task / "children").read_text().split()}
    return found
