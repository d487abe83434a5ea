"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.settlements.diagram > docs/reference/settlement-states.md`` writes the page; a
test sees that it is the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daozhang.service.settlements.model import Outcome
from daozhang.service.settlements.rules import TRANSITIONS, Move
from daozhang.service.sharing.rules import PROOF_SECONDS, Follow
from daozhang.service.state_page import StatePage

OUTCOMES: Final = {
    Outcome.PROVEN: "it is confirmed: a signed answer says so",
    Outcome.REJECTED: "a definite no to this call",
    Outcome.UNKNOWN: "no answer, or none that can be believed",
    Outcome.ABSENT: f"the payment still waits for it, asked {PROOF_SECONDS} seconds after the call or later",
}

INTRODUCTION: Final = """\
# How a settlement moves

Generated from `daozhang.service.settlements.rules.TRANSITIONS` by `python -m
daozhang.service.settlements.diagram`; do not edit by hand.

Rows are where the confirmation of a direct-pay payment stands (直付通, 确认结算), columns what a call or a question
has told. "–" changes nothing. A no after an outcome that nobody knows proves nothing: the first call may have confirmed
it. The same request is only ever sent again under its own number.
"""

FOLLOWS: Final = {
    Follow.CALL: "the same request is sent (again)",
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
        ends=("confirmed", "failed"),
    ).text()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
