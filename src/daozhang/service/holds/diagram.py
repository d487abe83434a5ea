"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.holds.diagram > docs/reference/hold-states.md`` writes the page; a test sees
that it is the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daozhang.service.holds.model import HoldFactKind
from daozhang.service.holds.rules import ABSENT_PROOFS, TABLE, Follow, Move
from daozhang.service.state_page import StatePage

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


def _said(_state: StrEnum, move: Move) -> list[str]:
    parts = [f"`{event}`" for event in move.events]
    if move.may_close:
        parts.append(f"{ABSENT_PROOFS} times when nobody can confirm it: **closed**, `hold.closed`")
    if move.follow is not Follow.NOTHING:
        parts.append(move.follow.value)
    if move.surprise is not None:
        parts.append(f"surprise `{move.surprise}`")
    return parts


def page() -> str:
    """The whole page, as Markdown."""
    return StatePage(
        introduction=INTRODUCTION,
        columns=FACTS,
        legend=("fact", "Alipay says"),
        table=TABLE,
        said=_said,
        begins="created",
        more=(
            "created --> closing: given up, or the freeze was refused",
            "waiting --> closing: given up, or time and grace run out",
        ),
        ends=("closed", "finished"),
    ).text()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
