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
