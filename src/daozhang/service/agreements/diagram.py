"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.agreements.diagram > docs/reference/agreement-states.md`` writes the page; a
test sees that it is the same.
"""

from __future__ import annotations

from typing import Final

from daozhang.service.agreements.model import AgreementFactKind, AgreementStatus
from daozhang.service.agreements.rules import ABSENT_PROOFS, TABLE, Follow, Move

FACTS: Final = {
    AgreementFactKind.ABSENT: "no such agreement in effect",
    AgreementFactKind.TEMP: "signed, not in effect yet (TEMP)",
    AgreementFactKind.NORMAL: "in effect (NORMAL)",
    AgreementFactKind.STOPPED: "paused (STOP)",
    AgreementFactKind.UNSIGNED: "ended (AGREEMENT_HAS_UNSIGNED)",
}

INTRODUCTION: Final = """\
# How an agreement moves

Generated from `daozhang.service.agreements.rules.TABLE` by `python -m daozhang.service.agreements.diagram`;
do not edit by hand.

A fact is what Alipay, signed and verified, says is true now. Rows are where an agreement stands, columns what
the fact says. "–" changes nothing, but the step is kept, and the planned day that came with it is taken in. A
fact of another `agreement_no` moves nothing in any row: the agreement gets `attention`, a person gets a
surprise, and `order.surprise` is announced.
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
    for status in AgreementStatus:
        cells = [_cell(TABLE[status][kind]) for kind in FACTS]
        lines.append(f"| {status.value} | " + " | ".join(cells) + " |")
    return lines


def _cell(move: Move) -> str:
    parts: list[str] = []
    if move.to is not None:
        parts.append(f"**{move.to.value}**")
    parts += [f"`{event}`" for event in move.events]
    if move.may_expire:
        parts.append(f"{ABSENT_PROOFS} times after the page has died: **expired**")
    if move.follow is not Follow.NOTHING:
        parts.append(move.follow.value)
    if move.surprise is not None:
        parts.append(f"surprise `{move.surprise}`")
    return ", ".join(parts) or "–"


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> created"]
    lines += [f"    {origin} --> ending: unsign asked" for origin in ("temp", "active", "stopped")]
    lines += ["    created --> expired: A, after the page has died"]
    arrows: dict[tuple[str, str], list[str]] = {}
    for status, row in TABLE.items():
        for kind, move in row.items():
            if move.to is not None and move.to is not status:
                arrows.setdefault((status.value, move.to.value), []).append(kind.value)
    for (origin, target), kinds in arrows.items():
        lines.append(f"    {origin} --> {target}: {', '.join(kinds)}")
    return [*lines, "    ended --> [*]", "    expired --> [*]", "```"]


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
