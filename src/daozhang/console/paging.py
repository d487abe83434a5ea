"""Paging: the addresses of the pages of a list, which keep its filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar
from urllib.parse import urlencode

from daozhang.service.web.pagination import read_cursor, write_cursor

ROWS: Final = 50
CURSOR: Final = "before"


class Numbered(Protocol):
    """What is listed has a number by which it is ordered."""

    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Pages:
    """Where one is in a list. ``first`` is ``None`` on the first page, ``next`` on the last."""

    count: int
    first: str | None
    next: str | None


def before_id(query: Mapping[str, str]) -> int | None:
    """The row that the asked page begins after; raises `CursorInvalid`."""
    cursor = query.get(CURSOR)
    return read_cursor(cursor) if cursor else None


def cut(rows: Sequence[Row], path: str, filters: Mapping[str, str]) -> tuple[Sequence[Row], Pages]:
    """The page of a list of which one row more than `ROWS` was read, and where it stands.

    ``filters`` is the query of the address; those that are empty are left out of the links.
    """
    shown = rows[:ROWS]
    here = {name: value for name, value in filters.items() if value and name != CURSOR}
    onward = {**here, CURSOR: write_cursor(shown[-1].id)} if len(rows) > ROWS else None
    return shown, Pages(
        count=len(shown),
        first=with_query(path, here) if filters.get(CURSOR) else None,
        next=None if onward is None else with_query(path, onward),
    )


def with_query(path: str, fields: Mapping[str, str]) -> str:
    """``path`` with those ``fields`` that are not empty."""
    kept = {name: value for name, value in fields.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path
