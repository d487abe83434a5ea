"""What holds for every test, and the database they run on."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

import databases
from postgres import PostgresServer

# Two cores shared by several workers: how long one example takes says nothing about the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# Untold, it draws every traceback with what each variable held: half a second each.
structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback

_SERVER = pytest.StashKey[PostgresServer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the database that the service has in this run",
    )
    parser.addoption("--screenshots", default=None, help="where pictures of the console are kept")
    parser.addoption("--processes", type=int, default=2, help="how many serve there, on PostgreSQL")
    parser.addoption(
        "--kills", type=int, default=3, help="how often tests/journeys/test_deaths.py kills"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--database") != "postgresql":
        return
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    if given is None:
        server = PostgresServer.create(fsync=False)
        config.stash[_SERVER] = server
        databases.migrate_template(server)
    else:
        # A worker of xdist: the server is the controller's.
        server = PostgresServer(Path(given["postgres"]), fsync=False, port=given["postgres_port"])
    databases.use(server)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    server = node.config.stash.get(_SERVER, None)
    if server is not None:
        node.workerinput |= {"postgres": str(server.directory), "postgres_port": server.port}


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_SERVER, None)
    if server is not None:
        server.remove()


@pytest.fixture(scope="module", autouse=True)
def _databases_of_a_module() -> Generator[None]:
    yield
    databases.drop_all()
