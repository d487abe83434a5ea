"""The official SDKs and an emulator of their own, all as real processes over real HTTP."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from peers import environments
from peers.desk import Calls, Desk, Receiver, emulator_on_the_desk

SCRIPTS: Final = Path(__file__).parent / "scripts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.peers)


def _calls(peer: environments.Peer, script: str) -> Calls:
    # The SDKs write the machine's local time where Alipay reads Beijing's.
    in_beijing = environments.Peer(
        peer.name, peer.command, {**peer.environment, "TZ": "Asia/Shanghai"}
    )

    def ask(config: dict[str, Any], *calls: list[Any]) -> list[dict[str, Any]]:
        answers: Any = in_beijing.run(SCRIPTS / script, {"config": config, "calls": calls})
        assert len(answers) == len(calls)
        return answers

    return ask


@pytest.fixture(scope="session")
def node_peer() -> Calls:
    """The official npm SDK."""
    return _calls(environments.node(), "node_calls.mjs")


@pytest.fixture(scope="session")
def official_python() -> Calls:
    """The official PyPI SDK."""
    return _calls(environments.official(), "official_calls.py")


@pytest.fixture(scope="session")
def fzlee_python() -> Calls:
    """python-alipay-sdk."""
    return _calls(environments.fzlee(), "fzlee_calls.py")


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    """The emulator as a person starts it, on a free port."""
    with emulator_on_the_desk(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def receiver() -> Generator[Receiver]:
    """Where the emulator sends its notifications in this test."""
    with Receiver() as running:
        yield running
