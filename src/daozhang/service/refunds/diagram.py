"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.refunds.diagram > docs/reference/refund-states.md`` writes the page; a test
sees that it is the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daozhang.service.refunds.model import Outcome
from daozhang.service.refunds.rules import PROOF_SECONDS, TRANSITIONS, Follow, Move
from daozhang.service.state_page import StatePage

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


def _said(_state: StrEnum, move: Move) -> list[str]:
    parts: list[str] = []
    if move.event is not None:
        parts.append(f"`{move.event}`")
    if move.follow is not Follow.NOTHING:
        parts.append(FOLLOWS[move.follow])
    if move.surprise is not None:
        parts.append(f"surprise `{move.surprise}`")
    return parts


def page() -> str:
    """The whole page, as Markdown."""
    return StatePage(
        introduction=INTRODUCTION,
        columns=OUTCOMES,
        table=TRANSITIONS,
        said=_said,
        ends=("succeeded", "failed"),
    ).text()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
