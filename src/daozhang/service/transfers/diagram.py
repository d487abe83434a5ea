"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.transfers.diagram > docs/reference/transfer-states.md`` writes the page; a
test sees that it is the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daozhang.service.state_page import StatePage
from daozhang.service.transfers.model import Outcome
from daozhang.service.transfers.rules import PROOF_SECONDS, TRANSITIONS, Follow, Move

OUTCOMES: Final = {
    Outcome.SUCCEEDED: "the money has gone (SUCCESS)",
    Outcome.DEALING: "a bank considers it (DEALING, WAIT_PAY)",
    Outcome.RETURNED: "a bank has sent it back (REFUND)",
    Outcome.REFUSED: "Alipay had it, and it has failed (FAIL, CLOSED)",
    Outcome.REJECTED: "a definite no to this call",
    Outcome.NO_BALANCE: "the account has too little balance",
    Outcome.LIMIT: "the limit of the day or the month is used up",
    Outcome.UNKNOWN: "no answer, none that can be believed, or one that speaks of what may live",
    Outcome.ABSENT: f"no such transfer, asked {PROOF_SECONDS} seconds after the call or later",
}

INTRODUCTION: Final = """\
# How a transfer moves

Generated from `daozhang.service.transfers.rules.TRANSITIONS` by `python -m
daozhang.service.transfers.diagram`; do not edit by hand.

Rows are where a transfer stands, columns what a call or a question has told; a message of Alipay's only makes
us ask. "–" changes nothing. A no after an outcome that nobody knows proves nothing: the first call may have
moved the money. The same request is only ever sent again under its own number. What a bank sent back is
never sent again by itself. An answer about another amount moves nothing in any row: people are told.
"""

FOLLOWS: Final = {
    Follow.CALL: "the same request is sent (again)",
    Follow.CALL_LATER: "sent again later",
    Follow.CALL_NEXT_DAY: "sent again when the limit is over",
    Follow.ASK: "ask",
    Follow.WATCH: "a card: ask after days",
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
        more=(
            "[*] --> awaiting_approval: it takes two",
            "awaiting_approval --> requested: approved",
            "awaiting_approval --> failed: declined, taken back, or too late",
        ),
        ends=("succeeded", "failed", "returned"),
    ).text()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
