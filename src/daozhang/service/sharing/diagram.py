"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.sharing.diagram > docs/reference/share-states.md`` writes the page; a test
sees that it is the same.
"""

from __future__ import annotations

from typing import Final

from daozhang.service.sharing.model import Outcome
from daozhang.service.sharing.rules import PROOF_SECONDS, TRANSITIONS, Follow, Move

OUTCOMES: Final = {
    Outcome.PROVEN: "how each share ended is known: a signed answer or message says so",
    Outcome.ACCEPTED: "Alipay works on some of them",
    Outcome.REJECTED: "a definite no to this call",
    Outcome.NO_BALANCE: "the seller has too little balance",
    Outcome.UNKNOWN: "no answer, or none that can be believed",
    Outcome.ABSENT: f"no such request, asked {PROOF_SECONDS} seconds after the call or later",
}

INTRODUCTION: Final = """\
# How shares move

Generated from `daozhang.service.sharing.rules.TRANSITIONS` by `python -m daozhang.service.sharing.diagram`;
do not edit by hand.

Rows are where a round stands (one request, for one receiver or many), columns what a call, a question or a message
has told. "–" changes nothing. A no after an outcome that nobody knows proves nothing: the first call may have moved
the money. The same request is only ever sent again under its own number. Each share of a round goes from pending to
failed or succeeded; succeeded wins over failed, and both over pending, so the order in which that is told says nothing.
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
    return [*lines, "    done --> [*]", "    failed --> [*]", "```"]


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
