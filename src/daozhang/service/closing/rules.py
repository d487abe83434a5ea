"""Decisions about cases and days: what a mismatch suggests, how a day looks, when it can be closed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.bills.model import NAMES, StatementKind, StatementStatus
from daozhang.service.closing.model import CaseEnd, Colour, MonthBill, Obstacle, SideSum
from daozhang.service.ledger.model import Account, Legs
from daozhang.service.reconciliation.model import Mismatch, MismatchClass

Sentence = tuple[str, str]

GRAVE: Final = frozenset(
    {
        MismatchClass.MISSING_HERE,
        MismatchClass.MISSING_THERE,
        MismatchClass.AMOUNT_DIFFERS,
        MismatchClass.STATE_DIFFERS,
        MismatchClass.DUPLICATE,
    }
)
"""Where money is in doubt: such a day is red."""

ENDS: Final[Mapping[MismatchClass, tuple[CaseEnd, ...]]] = {
    MismatchClass.MISSING_HERE: (CaseEnd.FOREIGN, CaseEnd.BOOKED, CaseEnd.EXPLAINED),
    MismatchClass.MISSING_THERE: (CaseEnd.EXPLAINED, CaseEnd.BOOKED),
    MismatchClass.AMOUNT_DIFFERS: (CaseEnd.ACCEPTED, CaseEnd.BOOKED, CaseEnd.EXPLAINED),
    MismatchClass.FEE_DIFFERS: (CaseEnd.ACCEPTED, CaseEnd.EXPLAINED),
    MismatchClass.STATE_DIFFERS: (CaseEnd.EXPLAINED, CaseEnd.BOOKED),
    MismatchClass.DAY_CUT: (CaseEnd.EXPLAINED,),
    MismatchClass.DUPLICATE: (CaseEnd.EXPLAINED, CaseEnd.BOOKED),
    MismatchClass.FOREIGN: (CaseEnd.FOREIGN,),
}
"""How a person may end a case of each class."""


def ends_of(one: Mismatch) -> tuple[CaseEnd, ...]:
    """How a person may end it. Groups of lines that differ agree together: whoever booked one of them would
    put the account off."""
    if _about(one) == "group":
        return (CaseEnd.EXPLAINED,)
    return ENDS[one.mismatch]


def _about(one: Mismatch) -> str | None:
    """What of the account bill it is about; ``None`` for what the trade bill has."""
    return one.key.partition(":")[0] if one.kind is StatementKind.ACCOUNT else None


SETTLED_STATEMENTS: Final = frozenset({StatementStatus.READY, StatementStatus.NONE})
"""A bill of which nothing more is expected."""


def colour_of(
    statuses: Sequence[StatementStatus | None],
    open_counts: Mapping[MismatchClass, tuple[int, int]],
    *,
    is_closed: bool,
    is_over: bool,
) -> Colour:
    """How a day looks; ``statuses`` are those of its two bills, ``None`` of one that nobody expects."""
    if is_closed:
        return Colour.CLOSED
    if not is_over or all(status is None for status in statuses):
        return Colour.GREY
    grave = any(kind in GRAVE for kind in open_counts)
    if grave or StatementStatus.HELD in statuses or StatementStatus.ABSENT in statuses:
        return Colour.RED
    waits = any(status not in SETTLED_STATEMENTS for status in statuses)
    return Colour.AMBER if waits or open_counts else Colour.GREEN


def obstacles(
    day: date,
    statuses: Mapping[str, StatementStatus | None],
    open_counts: Mapping[MismatchClass, tuple[int, int]],
    *,
    earlier_open: date | None,
) -> tuple[Obstacle, ...]:
    """What stands in the way of closing ``day``; nothing if it can be closed."""
    found: list[Obstacle] = []
    for kind, status in statuses.items():
        if status not in SETTLED_STATEMENTS:
            name = NAMES[StatementKind(kind)]
            found.append(
                Obstacle(
                    f"bill_{kind}",
                    f"The {name[0]} of {day.isoformat()} is not there, or held: fetch or import it.",
                    f"{day.isoformat()} 的{name[1]}尚未就绪或被搁置：请下载或导入。",
                )
            )
    if waiting := sum(count for count, _ in open_counts.values()):
        found.append(_cases_open(waiting))
    if earlier_open is not None:
        found.append(
            Obstacle(
                "earlier_day_open",
                f"{earlier_open.isoformat()} is not closed yet: days are closed in their order.",
                f"{earlier_open.isoformat()} 尚未关账：须按日期顺序关账。",
            )
        )
    return tuple(found)


def month_obstacles(
    open_days: Sequence[date],
    waiting: int,
    bills: Mapping[str, MonthBill],
    *,
    earlier_open: date | None,
) -> tuple[Obstacle, ...]:
    """What stands in the way of closing the month that begins so; nothing if it can be closed."""
    found: list[Obstacle] = []
    if open_days:
        count, first = len(open_days), open_days[0].isoformat()
        found.append(
            Obstacle(
                "days_open",
                f"Days that are not closed yet: {count}, the first of them {first}.",
                f"尚有 {count} 天未关账，最早为 {first}。",
            )
        )
    if waiting:
        found.append(_cases_open(waiting))
    for kind, bill in bills.items():
        name = NAMES[StatementKind(kind)]
        if bill.status in (StatementStatus.KEPT, StatementStatus.HELD):
            found.append(
                Obstacle(
                    f"month_bill_{kind}",
                    f"The month's {name[0]} is here and is not read, or held: look at it.",
                    f"当月{name[1]}已收到，但尚未读取或被搁置，请核对。",
                )
            )
        elif bill.differs:
            found.append(
                Obstacle(
                    f"month_bill_differs_{kind}",
                    f"The month's {name[0]} does not add up to those of its days.",
                    f"当月{name[1]}与各日账单合计不一致。",
                )
            )
    if earlier_open is not None:
        found.append(
            Obstacle(
                "earlier_month_open",
                f"{earlier_open:%Y-%m} is not closed yet: months are closed in their order.",
                f"{earlier_open:%Y-%m} 尚未结账：须按月份顺序结账。",
            )
        )
    return tuple(found)


def _cases_open(waiting: int) -> Obstacle:
    return Obstacle(
        "cases_open",
        f"{waiting} of what differs is not settled.",
        f"尚有 {waiting} 条差异未处理完毕。",
    )


def add_up(totals: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, SideSum]:
    """What bills add up to together, by side; each is given by the totals of its file."""
    sums: dict[str, SideSum] = {}
    for one in totals:
        for side, total in one.items():
            before = sums.get(side, SideSum(0, Money(0)))
            amount = before.amount + Money.parse(total["amount"])
            sums[side] = SideSum(before.count + int(total["count"]), amount)
    return sums


_MONTH: Final = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)


def month_named(text: str) -> date | None:
    """The first day of the month that ``text`` names, such as ``2026-03``; ``None`` if it names none."""
    return date.fromisoformat(f"{text}-01") if _MONTH.fullmatch(text) else None


def last_of_month(first: date) -> date:
    """The last day of the month that begins so."""
    return first_of_next_month(first) - timedelta(days=1)


def first_of_next_month(first: date) -> date:
    """The first day of the month after the one that begins so."""
    return (first + timedelta(days=31)).replace(day=1)


_SOURCES: Final[Mapping[str | None, tuple[Account, Account, Account]]] = {
    # The bill's money is in suspense since it was read: it is in the account, and not once more.
    "type": (Account.SUSPENSE, Account.OTHER, Account.OTHER),
    "share": (Account.AVAILABLE, Account.ROYALTY, Account.ROYALTY),
    "transfer": (Account.AVAILABLE, Account.TRANSFERS, Account.TRANSFERS),
}


def booking_of(one: Mismatch) -> Legs:
    """What brings the books to a bill without a signed answer; nothing if both say the same."""
    minor = (one.theirs_minor or 0) - (one.ours_minor or 0)
    held, above, below = _SOURCES.get(
        _about(one), (Account.AVAILABLE, Account.SALES, Account.REFUNDS)
    )
    return {held: minor, above if minor > 0 else below: -minor} if minor else {}
