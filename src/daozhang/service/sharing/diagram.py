"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.sharing.diagram > docs/reference/share-states.md`` writes the page; a test
sees that it is the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daozhang.service.sharing.model import Outcome
from daozhang.service.sharing.rules import PROOF_SECONDS, TRANSITIONS, Follow, Move
from daozhang.service.state_page import StatePage

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


def _said(_state: StrEnum, move: Move) -> list[str]:
    parts: list[str] = []
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
        ends=("done", "failed"),
    ).text()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
