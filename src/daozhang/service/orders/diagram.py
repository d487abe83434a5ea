"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.orders.diagram > docs/reference/order-states.md`` writes the page; a
test sees that it is the same.
"""

from __future__ import annotations

from typing import Final

from daozhang.service.orders.model import FactKind
from daozhang.service.orders.rules import TABLE, Follow, Move, Situation
from daozhang.service.state_page import StatePage

FACTS: Final = {
    FactKind.ABSENT: "no such trade",
    FactKind.WAITING: "waiting for the buyer",
    FactKind.PAID: "paid, nothing refunded",
    FactKind.PARTLY_REFUNDED: "paid, partly refunded",
    FactKind.FINISHED: "finished: paid, no longer refundable",
    FactKind.REFUNDED: "closed with all refunded",
    FactKind.CLOSED_UNPAID: "closed, no sign of payment",
    FactKind.CLOSED_UNCLEAR: "closed, signs of payment, no refunded amount",
}

INTRODUCTION: Final = """\
# How an order moves

Generated from `daozhang.service.orders.rules.TABLE` by
`python -m daozhang.service.orders.diagram`; do not edit by hand.

A fact is what Alipay, signed and verified, says is true now, whichever way we learned it. Rows are
where an order stands, columns what the fact says. "–" changes nothing, but the step is kept.
A fact whose app id, seller id, trade number or amount does not agree moves nothing in any row: the
order gets `attention`, a person gets a surprise, and `order.surprise` is announced.
"""


_FOLLOWS: Final = {
    Follow.CLOSE: "close at Alipay",
    Follow.CANCEL: "cancel at Alipay",
}


def _said(situation: Situation, move: Move) -> list[str]:
    parts = [f"`{event}`" for event in move.events]
    if move.holds:
        parts.append("hold, no event")
    if move.takes_refunded and move.to is None:
        parts.append("maximum refunded")
    if move.may_expire and situation is Situation.CANCELLING:
        parts.append("three times, the code dead: **closed**, `order.closed`")
    elif move.may_expire:
        parts.append("twice after expiry and grace: **closed**, `order.closed`")
    if move.follow is not Follow.NOTHING:
        parts.append(_FOLLOWS.get(move.follow, move.follow.value))
    if move.surprise is not None:
        parts.append(f"surprise `{move.surprise}`")
    if move.surprise_if_close_confirmed:
        parts.append("surprise if Alipay had confirmed the close")
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
            "created --> closing: close asked, or time and grace run out",
            "waiting --> closing: close asked, or time and grace run out",
        ),
        ends=("closed", "refunded", "finished"),
    ).text()


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
