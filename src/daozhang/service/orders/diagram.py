"""The table and the diagram of the documentation, made from the data that the service runs on.

``python -m daozhang.service.orders.diagram > docs/reference/order-states.md`` writes the page; a
test sees that it is the same.
"""

from __future__ import annotations

from typing import Final

from daozhang.service.orders.model import FactKind
from daozhang.service.orders.rules import TABLE, Follow, Move, Situation

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


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([INTRODUCTION, *_legend(), "", *_table(), "", *_diagram(), ""])


def _legend() -> list[str]:
    return ["| fact | Alipay says |", "|---|---|"] + [
        f"| {kind.value} | {meaning} |" for kind, meaning in FACTS.items()
    ]


def _table() -> list[str]:
    kinds = list(FACTS)
    lines = [
        "| state | " + " | ".join(kind.value for kind in kinds) + " |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    for situation in Situation:
        cells = [_cell(situation, TABLE[situation][kind]) for kind in kinds]
        lines.append(f"| {situation.value} | " + " | ".join(cells) + " |")
    return lines


def _cell(situation: Situation, move: Move) -> str:
    parts: list[str] = []
    if move.to is not None:
        parts.append(f"**{move.to.value}**")
    parts += [f"`{event}`" for event in move.events]
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
    return ", ".join(parts) or "–"


_FOLLOWS: Final = {
    Follow.CLOSE: "close at Alipay",
    Follow.CANCEL: "cancel at Alipay",
}


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> created"]
    lines += ["    created --> closing: close asked, or time and grace run out"]
    lines += ["    waiting --> closing: close asked, or time and grace run out"]
    arrows: dict[tuple[str, str], list[str]] = {}
    for situation in Situation:
        origin = situation.value.partition(" ")[0]
        for kind, move in TABLE[situation].items():
            if move.to is not None and move.to.value != origin:
                arrows.setdefault((origin, move.to.value), []).append(kind.value)
    for (origin, target), kinds in arrows.items():
        lines.append(f"    {origin} --> {target}: {', '.join(dict.fromkeys(kinds))}")
    return [*lines, "    closed --> [*]", "    refunded --> [*]", "    finished --> [*]", "```"]


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what it is for
