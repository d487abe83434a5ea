"""One house for each module of tests."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from console.browsers import chromium, find_chromium
from console.houses import House
from worlds import running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House]:
    found = find_chromium()
    if isinstance(found, str):
        pytest.skip(found)
    directory = tmp_path_factory.mktemp("house")
    # A passkey belongs to a name, and an address of numbers is none.
    with running(directory, host="localhost") as world, chromium(found) as browser:
        yield House(world, browser)
