"""The reference pages say the truth: each thing that is live has its paragraph, and no other has."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from fastapi import FastAPI
from starlette.routing import Route

import daozhang.service
from daozhang.service.announced import BODIES
from daozhang.service.api import add_routes
from daozhang.service.people.model import RIGHTS, Right, Role
from daozhang.service.refusals import Refusal
from daozhang.service.settings import Settings
from daozhang.service.watch.exposition import write_metrics
from daozhang.service.watch.model import Deliveries, Inbox, JobCounts, Picture

ROOT: Final = Path(__file__).resolve().parents[2]
REFERENCE: Final = ROOT / "docs" / "reference"
WORDS_MIN: Final = 6


def paragraphs(page: str) -> dict[str, str]:
    """The names in code type of each heading of a reference page, with the text below it."""
    text = (REFERENCE / page).read_text("utf-8")
    found: dict[str, str] = {}
    for section in re.split(r"^(?=#{1,6} )", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        for name in re.findall(r"`([^`]+)`", heading):
            assert name not in found, f"{page} tells of {name} twice"
            found[name] = body
    return found


def modules_of_the_service() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(daozhang.service.__path__, "daozhang.service."):
        # What Alembic runs is no part of the service's own words.
        if ".migrations" not in found.name:
            yield importlib.import_module(found.name)


def refusals(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for refusal in kind.__subclasses__():
        yield refusal
        yield from refusals(refusal)


def live_settings() -> set[str]:
    return {f"DAOZHANG_{name.upper()}" for name in Settings.model_fields}


def live_routes() -> set[str]:
    app = FastAPI()
    add_routes(app)
    described = {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    raw = {
        f"{method} {route.path}"
        for route in app.routes
        if type(route) is Route and not route.path.startswith(("/docs", "/redoc", "/openapi"))
        for method in (route.methods or set()) - {"HEAD"}
    }
    return described | raw


def live_events() -> set[str]:
    return {
        event
        for module in modules_of_the_service()
        if module.__name__.endswith(".events")
        for name, value in vars(module).items()
        if name.endswith("_EVENTS")
        for event in value
    }


def live_error_codes() -> set[str]:
    for _ in modules_of_the_service():
        pass  # a refusal is live once its module is imported
    return {refusal.code for refusal in refusals() if refusal.__module__.startswith("daozhang.")}


def live_metrics() -> set[str]:
    nothing = Picture(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        inbox=Inbox(),
        orders_open=0,
        orders_unwatched=0,
        at_risk=(),
        surprises=(),
        deliveries=Deliveries(),
        keys=(),
        jobs=JobCounts(),
        alerts_not_sent=0,
        tallies={},
        lately={},
    )
    return set(re.findall(r"^# TYPE (\S+)", write_metrics(nothing).decode(), re.MULTILINE))


PAGES: Final = {
    "settings.md": live_settings,
    "api.md": live_routes,
    "events.md": live_events,
    "errors.md": live_error_codes,
    "metrics.md": live_metrics,
}


@pytest.mark.parametrize("page", PAGES)
def test_each_live_thing_has_its_paragraph(page: str) -> None:
    live = PAGES[page]()
    told = paragraphs(page)
    assert live, "nothing was found that could be documented"
    assert sorted(live - told.keys()) == [], f"docs/reference/{page} has no heading for these"
    too_short = [name for name in live if len(told[name].split()) < WORDS_MIN]
    assert too_short == [], f"docs/reference/{page} has a heading for these and no paragraph"


@pytest.mark.parametrize("page", ["settings.md", "api.md", "events.md", "metrics.md"])
def test_nothing_is_told_of_that_is_not_there(page: str) -> None:
    kinds = r"DAOZHANG_[A-Z_]+|(GET|POST|PUT|PATCH|DELETE) /v1/\S+|(order|refund|message)\.[a-z_]+|daozhang_[a-z_]+"
    told = {name for name in paragraphs(page) if re.fullmatch(kinds, name)}
    assert sorted(told - PAGES[page]()) == []


def test_each_live_event_has_a_typed_body() -> None:
    assert set(BODIES) == live_events()


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_page_of_rights_shows_the_table_that_is_asked() -> None:
    page = (ROOT / "docs" / "console" / "rights.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `([a-z:]+)` \|(.*)\|$", page, flags=re.MULTILINE))
    live = {
        right.value: "|".join("✓" if right in RIGHTS[role] else "" for role in Role)
        for right in Right
    }
    assert {right: cells.replace(" ", "") for right, cells in told.items()} == live
