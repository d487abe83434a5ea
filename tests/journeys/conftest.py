"""A world for each test that asks for one."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from worlds import World, running


@pytest.fixture
def world(tmp_path: Path) -> Generator[World]:
    """The emulator and the service, running."""
    with running(tmp_path) as alive:
        yield alive


@pytest.fixture(scope="module")
def _world_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("world")) as alive:
        yield alive


@pytest.fixture
def shared_world(_world_of_the_module: World) -> World:
    """One world for all tests of a file, under a clear sky: each has orders of its own, and time
    goes on from one to the next."""
    _world_of_the_module.emulator.clear_faults()
    return _world_of_the_module
