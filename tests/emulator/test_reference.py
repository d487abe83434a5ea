"""docs/reference/emulator.md has a paragraph for everything that can be asked for."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from starlette.routing import Route

from daozhang.emulator.faults import FaultName
from daozhang.emulator.switches import Switches
from emulator.place import Place

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "emulator.md"


def paragraphs() -> dict[str, str]:
    """The text under each ``### `name` `` heading."""
    parts = re.split(r"^### `([^`]+)`$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {
        name: text.partition("\n## ")[0].strip()
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_fault_and_no_other_has_its_paragraph() -> None:
    described = {name: text for name, text in paragraphs().items() if not name.split()[0].isupper()}
    assert set(described) == {name.value for name in FaultName}
    assert all(len(text) > 40 for text in described.values())


def test_every_control_route_and_no_other_has_its_paragraph(place: Place) -> None:
    routes = {
        f"{method} {route.path}"
        for route in place.emulator.asgi.routes
        if isinstance(route, Route) and route.path.startswith("/_control/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {name: text for name, text in paragraphs().items() if name.split()[0].isupper()}
    assert set(described) == routes
    assert all(len(text) > 10 for text in described.values())


def test_every_switch_is_in_the_table() -> None:
    text = PAGE.read_text("utf-8")
    for field in msgspec.structs.fields(Switches):
        assert re.search(rf"^\|.*`{field.name}`.*\|", text, re.MULTILINE), field.name
