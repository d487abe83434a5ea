"""The holidays that are known: data beside this file, a year a piece, each with its source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from daozhang.service.payouts.model import SATURDAY, CalendarYear, WorkingDays

_SPAN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.\.[0-9]{4}-[0-9]{2}-[0-9]{2})?$"
_Spans = tuple[Annotated[str, msgspec.Meta(pattern=_SPAN)], ...]


class Announced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A year as it is written down: days (``2026-01-01``) and spans of them (``2026-10-01..2026-10-07``)."""

    year: Annotated[int, msgspec.Meta(ge=2000, le=2100)]
    source: Annotated[str, msgspec.Meta(min_length=1)]
    off: _Spans
    worked: _Spans


@cache
def known_working_days() -> WorkingDays:
    """Every year that this version knows."""
    return read_working_days((files("daozhang.service.payouts") / "holidays.json").read_bytes())


def read_working_days(content: bytes) -> WorkingDays:
    """The years that a file has. Raises `ValueError` for one that cannot be right."""
    found = msgspec.json.decode(content, type=tuple[Announced, ...])
    years = {one.year: _year_of(one) for one in found}
    if len(years) != len(found):
        raise ValueError("a year stands there twice")
    return WorkingDays(years)


def _year_of(one: Announced) -> CalendarYear:
    off, worked = frozenset(_days(one.off)), frozenset(_days(one.worked))
    if any(day.year != one.year for day in off | worked):
        raise ValueError(f"the holidays of {one.year} name a day of another year")
    if off & worked or any(day.weekday() < SATURDAY for day in worked):
        raise ValueError(f"a day of {one.year} is worked that is free, or is a working day anyway")
    return CalendarYear(one.year, one.source, off, worked)


def _days(spans: Iterable[str]) -> Iterable[date]:
    for span in spans:
        first, _, last = span.partition("..")
        day, until = date.fromisoformat(first), date.fromisoformat(last or first)
        if until < day:
            raise ValueError(f"{span} ends before it begins")
        while day <= until:
            yield day
            day += timedelta(days=1)
