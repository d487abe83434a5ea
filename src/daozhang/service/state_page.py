"""State pages: how something moves, in the documentation, made from the table that the service runs on.

A domain says what its columns mean and how a cell is told; the page is the legend, the table and a diagram.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar


class Moves(Protocol):
    """A cell of a table: where it goes, ``None`` where the status stays."""

    @property
    def to(self) -> StrEnum | None: ...


State = TypeVar("State", bound=StrEnum)
Told = TypeVar("Told", bound=StrEnum)
Cell = TypeVar("Cell", bound=Moves)


@dataclass(frozen=True, slots=True)
class StatePage(Generic[State, Told, Cell]):
    """The page of one table. ``columns``: what can be told, and what that means, in the page's order."""

    introduction: str
    columns: Mapping[Told, str]
    table: Mapping[State, Mapping[Told, Cell]]
    said: Callable[[State, Cell], Sequence[str]]
    """What a cell does, beside where it goes, in words; of which row it is may matter."""

    ends: Sequence[str]
    legend: tuple[str, str] = ("outcome", "meaning")
    more: Sequence[str] = ()
    """Arrows that are in no table: what people and time do."""

    begins: str = "requested"

    def text(self) -> str:
        """The whole page, as Markdown."""
        return "\n".join([self.introduction, *self._legend(), "", *self._table(), "", *self._diagram(), ""])  # fmt: skip

    def _legend(self) -> list[str]:
        rows = [f"| {told.value} | {meaning} |" for told, meaning in self.columns.items()]
        return [f"| {self.legend[0]} | {self.legend[1]} |", "|---|---|", *rows]

    def _table(self) -> list[str]:
        head = "| state | " + " | ".join(told.value for told in self.columns) + " |"
        lines = [head, "|---" * (len(self.columns) + 1) + "|"]
        for state, row in self.table.items():
            cells = [self._cell(state, row[told]) for told in self.columns]
            lines.append(f"| {state.value} | " + " | ".join(cells) + " |")
        return lines

    def _cell(self, state: State, move: Cell) -> str:
        parts = [] if move.to is None else [f"**{move.to.value}**"]
        return ", ".join([*parts, *self.said(state, move)]) or "–"

    def _diagram(self) -> list[str]:
        arrows: dict[tuple[str, str], list[str]] = {}
        for state, row in self.table.items():
            origin = state.value.partition(" ")[0]  # an order's row may say more than its status
            for told, move in row.items():
                if move.to is not None and move.to.value != origin:
                    arrows.setdefault((origin, move.to.value), []).append(told.value)
        return [
            "```mermaid",
            "stateDiagram-v2",
            f"    [*] --> {self.begins}",
            *(f"    {arrow}" for arrow in self.more),
            *(
                f"    {origin} --> {target}: {', '.join(dict.fromkeys(told))}"
                for (origin, target), told in arrows.items()
            ),
            *(f"    {end} --> [*]" for end in self.ends),
            "```",
        ]
