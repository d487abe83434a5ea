"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.agreements.diagram > docs/reference/agreement-states.md`` writes the page; a
test sees that it is the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daozhang.service.agreements.model import AgreementFactKind
from daozhang.service.agreements.rules import ABSENT_PROOFS, TABLE, Follow, Move
from daozhang.service.state_page import StatePage

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


def _said(_state: StrEnum, move: Move) -> list[str]:
    parts = [f"`{event}`" for event in move.events]
    if move.may_expire:
        parts.append(f"{ABSENT_PROOFS} times after the page has died: **expired**")
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
            *(f"{origin} --> ending: unsign asked" for origin in ("temp", "active", "stopped")),
            "created --> expired: A, after the page has died",
        ),
        ends=("ended", "expired"),
    ).text()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
