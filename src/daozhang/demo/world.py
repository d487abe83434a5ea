"""The demo's three processes: emulator, service, shop. Started, awaited, and ended together."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import httpx2

from daozhang.app import create_context
from daozhang.service.audit.model import SYSTEM
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.merchants.actions import add_app, add_merchant
from daozhang.service.merchants.model import NewApp, NewMerchant
from daozhang.service.people.actions import create_owner
from daozhang.service.settings import PREFIX, load_settings

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
SLUG: Final = "demo-shop"
OWNER: Final = "owner@demo.example"


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the three listen: the service on the base, shop and emulator on the next two."""

    service: int
    shop: int
    emulator: int

    @classmethod
    def from_base(cls, base: int) -> Self:
        """Three ports in a row; raises `DemoFailed` naming those that are taken."""
        ports = cls(base, base + 1, base + 2)
        taken = [
            f"{port} ({name})"
            for name, port in (
                ("service", ports.service),
                ("shop", ports.shop),
                ("emulator", ports.emulator),
            )
            if not _is_free(port)
        ]
        if taken:
            raise DemoFailed(
                f"port {', '.join(taken)} is in use 端口已被占用; choose another row of three "
                f"请换一组: daozhang demo --port-base {base + 100}"
            )
        return ports


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is while the demo runs."""

    service: str
    shop: str
    emulator: str
    api_key: str
    console: str
    """A one-time address: whoever opens it first is the demo's owner."""


class Processes:
    """Child processes; leaving the block ends them all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in reversed(self._running):
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(
        self, name: str, arguments: Sequence[str], address: str, environ: Mapping[str, str]
    ) -> None:
        """Starts ``python -m ...`` and returns once ``address`` answers."""
        log = self._directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=clean_environment() | dict(environ),
                # Ctrl-C reaches this process only, which then ends the others in order.
                start_new_session=True,
            )
        self._running.append(process)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address):
            if process.poll() is not None:
                tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise DemoFailed(f"the {name} ended with status {process.returncode}:\n{tail}")
            if time.monotonic() > deadline:
                raise DemoFailed(f"the {name} does not answer at {address}; see {log}")
            time.sleep(0.1)


def start_world(processes: Processes, ports: Ports, directory: Path) -> World:
    """Starts everything on fresh data in ``directory`` and registers the demo's shop."""
    service, shop, emulator = (
        f"http://{HOST}:{port}" for port in (ports.service, ports.shop, ports.emulator)
    )
    emulator_data = directory / "emulator"
    place = ["--host", HOST, "--port", str(ports.emulator), "--data", str(emulator_data)]
    processes.start("emulator", ["daozhang.cli", "emulator", "serve", *place], emulator, {})
    environ = {
        f"{PREFIX}DATA_DIR": str(directory / "service"),
        f"{PREFIX}HOST": HOST,
        f"{PREFIX}PORT": str(ports.service),
        f"{PREFIX}PUBLIC_URL": service,
        f"{PREFIX}ENVIRONMENTS": "emulator",
        f"{PREFIX}CORS_ORIGINS": shop,
    }
    api_key, welcome = _register(environ, _credentials(emulator_data))
    processes.start("service", ["daozhang.cli", "serve"], service, environ)
    processes.start(
        "shop",
        ["daozhang.demo.shop"],
        shop,
        {
            "SHOP_API": service,
            "SHOP_KEY": api_key,
            "SHOP_PORT": str(ports.shop),
            "SHOP_ALIPAY": emulator,
        },
    )
    return World(service, shop, emulator, api_key, f"{service}/console/welcome/{welcome}")


def fresh_directory(base: Path) -> Path:
    """A new directory under ``base`` for one run; earlier runs stay as they are."""
    directory = base / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    directory.mkdir(parents=True)
    return directory.resolve()


def clean_environment() -> dict[str, str]:
    """The environment without settings and proxies that are meant for something else."""
    unwanted = {"http_proxy", "https_proxy", "all_proxy"}
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) and name.lower() not in unwanted
    }


def _credentials(emulator_data: Path) -> dict[str, Any]:
    asked = ["emulator", "credentials", "--data", str(emulator_data), "--json"]
    return json.loads(_run(asked, {}))


def _run(arguments: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """What ``daozhang ...`` prints; raises `DemoFailed` with what it said if it fails."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "daozhang.cli", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=clean_environment() | dict(environ),
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise DemoFailed(f"daozhang {' '.join(arguments[:2])} failed: {said}")
    return done.stdout


def _register(environ: Mapping[str, str], credentials: Mapping[str, Any]) -> tuple[str, str]:
    """App, merchant, API key and owner, by the actions of the command line; returns the API key and
    the owner's one-time token."""
    context = create_context(load_settings(environ))
    now = context.clock.now()
    app = NewApp(
        app_id=credentials["app_id"],
        environment="emulator",
        private_key=credentials["app_private_key_pkcs1"],
        alipay_public_key=credentials["alipay_public_key"],
        name="Demo",
        gateway_url=credentials["gateway_url"],
        v3_base_url=credentials["v3_base_url"],
    )
    merchant = NewMerchant(SLUG, "Demo shop", app.app_id, "emulator", credentials["seller_id"])
    _run(["migrate"], environ)
    try:
        with context.database.begin() as tx:
            add_app(tx, context, app)
            added = add_merchant(tx, context, merchant)
            _, secret = create_api_key(
                tx,
                name="demo",
                environment="emulator",
                merchants=[KeyMerchant(added.id, added.slug)],
                scopes=list(Scope),
                refund_limit=None,
                now=now,
            )
            _, welcome = create_owner(
                tx, context, SYSTEM, email=OWNER, name="店主 Owner", password=None
            )
    finally:
        context.database.dispose()
    assert welcome is not None
    return secret, welcome


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _answers(address: str) -> bool:
    try:
        httpx2.get(address, timeout=2, trust_env=False)
    except httpx2.HTTPError:
        return False
    return True
