"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.holds.diagram > docs/reference/hold-states.md`` writes the page; a test sees
that it is the same.
"""

from __future__ import annotations

from typing import Final

from daozhang.service.holds.model import HoldFactKind, HoldStatus
from daozhang.service.holds.rules import ABSENT_PROOFS, TABLE, Follow, Move

FACTS: Final = {
    HoldFactKind.ABSENT: "no such hold",
    HoldFactKind.INIT: "the buyer has to confirm (INIT)",
    HoldFactKind.AUTHORIZED: "the money is frozen (AUTHORIZED)",
    HoldFactKind.FINISHED: "nothing is frozen any more (FINISH)",
    HoldFactKind.CLOSED: "not confirmed, or undone (CLOSED)",
}

INTRODUCTION: Final = """\
# How a hold moves

Generated from `daozhang.service.holds.rules.TABLE` by `python -m daozhang.service.holds.diagram`; do not
edit by hand.

A fact is what Alipay, signed and verified, says is true now. Rows are where a hold stands, columns what the
fact says. "–" changes nothing, but the step is kept, and the sums that came with it are taken in: the most
that anything has told. A fact whose number or amount does not agree moves nothing in any row: the hold gets
`attention`, a person gets a surprise, and `order.surprise` is announced.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([INTRODUCTION, *_legend(), "", *_table(), "", *_diagram(), ""])


def _legend() -> list[str]:
    return ["| fact | Alipay says |", "|---|---|"] + [
        f"| {kind.value} | {meaning} |" for kind, meaning in FACTS.items()
    ]


def _table() -> list[str]:
    lines = [
        "| state | " + " | ".join(kind.value for kind in FACTS) + " |",
        "|---" * (len(FACTS) + 1) + "|",
    ]
    for status in HoldStatus:
        cells = [_cell(TABLE[status][kind]) for kind in FACTS]
        lines.append(f"| {status.value} | " + " | ".join(cells) + " |")
    return lines


def _cell(move: Move) -> str:
    parts: list[str] = []
    if move.to is not None:
        parts.append(f"**{move.to.value}**")
    parts += [f"`{event}`" for event in move.events]
    if move.may_close:
        parts.append(f"{ABSENT_PROOFS} times when nobody can confirm it: **closed**, `hold.closed`")
    if move.follow is not Follow.NOTHING:
        parts.append(move.follow.value)
    if move.surprise is not None:
        parts.append(f"surprise `{move.surprise}`")
    return ", ".join(parts) or "–"


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> created"]
    lines += ["    created --> closing: given up, or the freeze was refused"]
    lines += ["    waiting --> closing: given up, or time and grace run out"]
    arrows: dict[tuple[str, str], list[str]] = {}
    for status, row in TABLE.items():
        for kind, move in row.items():
            if move.to is not None and move.to is not status:
                arrows.setdefault((status.value, move.to.value), []).append(kind.value)
    for (origin, target), kinds in arrows.items():
        lines.append(f"    {origin} --> {target}: {', '.join(kinds)}")
    return [*lines, "    closed --> [*]", "    finished --> [*]", "```"]


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
