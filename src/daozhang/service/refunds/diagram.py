"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.refunds.diagram > docs/reference/refund-states.md`` writes the page; a test
sees that it is the same.
"""

from __future__ import annotations

from typing import Final

from daozhang.service.refunds.model import Outcome
from daozhang.service.refunds.rules import PROOF_SECONDS, TRANSITIONS, Follow, Move

OUTCOMES: Final = {
    Outcome.PROVEN: "the money has gone back: a signed answer or notice says so",
    Outcome.REJECTED: "a definite no to this call",
    Outcome.NO_BALANCE: "the seller has too little balance",
    Outcome.NO_RETURN: "somebody who has a share cannot give it back, and the seller does not cover it",
    Outcome.UNPROVEN: "accepted, and no money has moved by it (fund_change=N)",
    Outcome.UNKNOWN: "no answer, or none that can be believed",
    Outcome.ABSENT: f"no such refund, asked {PROOF_SECONDS} seconds after the call or later",
}

INTRODUCTION: Final = """\
# How a refund moves

Generated from `daozhang.service.refunds.rules.TRANSITIONS` by `python -m daozhang.service.refunds.diagram`;
do not edit by hand.

Rows are where a refund stands, columns what a call, a question or a notice has told. "–" changes nothing. A
no after an outcome that nobody knows proves nothing: the first call may have moved the money. The same
request is only ever sent again under its own number. What somebody else started is never sent by us.
"""

FOLLOWS: Final = {
    Follow.CALL: "the same request is sent (again)",
    Follow.CALL_LATER: "sent again later",
    Follow.ASK: "ask",
}


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([INTRODUCTION, *_legend(), "", *_table(), "", *_diagram(), ""])


def _legend() -> list[str]:
    return ["| outcome | meaning |", "|---|---|"] + [
        f"| {outcome.value} | {meaning} |" for outcome, meaning in OUTCOMES.items()
    ]


def _table() -> list[str]:
    lines = [
        "| state | " + " | ".join(outcome.value for outcome in OUTCOMES) + " |",
        "|---" * (len(OUTCOMES) + 1) + "|",
    ]
    for status, row in TRANSITIONS.items():
        cells = [_cell(row[outcome]) for outcome in OUTCOMES]
        lines.append(f"| {status.value} | " + " | ".join(cells) + " |")
    return lines


def _cell(move: Move) -> str:
    parts: list[str] = []
    if move.to is not None:
        parts.append(f"**{move.to.value}**")
    if move.event is not None:
        parts.append(f"`{move.event}`")
    if move.follow is not Follow.NOTHING:
        parts.append(FOLLOWS[move.follow])
    if move.surprise is not None:
        parts.append(f"surprise `{move.surprise}`")
    return ", ".join(parts) or "–"


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> requested"]
    arrows: dict[tuple[str, str], list[str]] = {}
    for status, row in TRANSITIONS.items():
        for outcome, move in row.items():
            if move.to is not None and move.to is not status:
                arrows.setdefault((status.value, move.to.value), []).append(outcome.value)
    for (origin, target), outcomes in arrows.items():
        lines.append(f"    {origin} --> {target}: {', '.join(outcomes)}")
    return [*lines, "    succeeded --> [*]", "    failed --> [*]", "```"]


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
