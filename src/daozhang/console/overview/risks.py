"""Money at risk in words: its causes, its ages, and the things behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daozhang.console.paging import with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.watch.model import Age, AtRisk, Cause, RiskRow

CAUSES: Final[Mapping[Cause, str]] = {
    Cause.CANCELLING: word("Being cancelled, outcome not proven"),
    Cause.UNCLEAR: word("Closed at Alipay, with signs of a payment"),
    Cause.OVERDUE: word("Its time ran out, and Alipay has proven nothing"),
    Cause.REFUND_REQUESTED: word("Refund promised, not taken yet"),
    Cause.REFUND_UNKNOWN: word("Refund with unknown outcome"),
    Cause.CHARGE_REQUESTED: word("Charge not sent yet"),
    Cause.CHARGE_UNKNOWN: word("Charge with unknown outcome"),
    Cause.HOLD_CANCELLING: word("Hold given up, maybe frozen"),
    Cause.HOLD_OVERDUE: word("Hold past its time, nothing proven"),
    Cause.RELEASE_REQUESTED: word("Release promised, not sent yet"),
    Cause.RELEASE_UNKNOWN: word("Release with unknown outcome"),
    Cause.NOTIFICATION: word("Told by Alipay, not in the books yet"),
    Cause.SURPRISE: word("Did not fit: a person decides"),
}

AGES: Final[Mapping[Age, str]] = {
    Age.FRESH: word("under 5 min"),
    Age.MINUTES: word("5 min to 1 h"),
    Age.HOURS: word("1 h to 24 h"),
    Age.DAYS: word("over 24 h"),
}


@dataclass(frozen=True, slots=True)
class RiskLine:
    """One cause: its sum, its sum by age, and where its things stand."""

    title: str
    address: str | None
    count: int
    amount: Money
    ages: Sequence[Money | None]


def risk_lines(visit: Visit, sums: Sequence[AtRisk], currency: str) -> Sequence[RiskLine]:
    """The causes for which there is something, in the order of `Cause`."""
    lines: list[RiskLine] = []
    for cause in Cause:
        found = [one for one in sums if one.cause is cause and one.amount.currency == currency]
        if not found:
            continue
        ages = {
            age: Money(sum(one.amount.minor for one in found if one.age is age), currency)
            for age in Age
        }
        there = {one.age for one in found}
        address = None
        if visit.chosen is not None:
            address = with_query(f"{visit.home}/overview/at_risk", {"cause": cause.value})
        lines.append(
            RiskLine(
                title=visit.t(CAUSES[cause]),
                address=address,
                count=sum(one.count for one in found),
                amount=Money.total(ages.values(), currency),
                ages=[ages[age] if age in there else None for age in Age],
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class RiskThing:
    """One thing in an unknown state."""

    cause: str
    row: RiskRow
    address: str | None


@dataclass(frozen=True, slots=True)
class RiskView:
    """The list behind the causes."""

    tabs: Sequence[tuple[str, str, bool]]
    things: Sequence[RiskThing]


def risk_view(visit: Visit, rows: Sequence[RiskRow]) -> RiskView:
    """The things, narrowed to the cause that the address names."""
    wanted = visit.query.get("cause", "")
    path = f"{visit.home}/overview/at_risk"
    there = [cause for cause in Cause if any(row.cause is cause for row in rows)]
    chosen = next((cause for cause in there if cause.value == wanted), None)
    tabs = [(path, visit.t("All"), chosen is None)]
    tabs += [
        (with_query(path, {"cause": cause.value}), visit.t(CAUSES[cause]), cause is chosen)
        for cause in there
    ]
    things = [
        RiskThing(
            cause=visit.t(CAUSES[row.cause]),
            row=row,
            address=f"{visit.home}/orders/{row.out_trade_no}" if row.has_order else None,
        )
        for row in rows
        if chosen is None or row.cause is chosen
    ]
    return RiskView(tabs, things)
