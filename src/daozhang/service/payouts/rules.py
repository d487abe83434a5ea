"""Decisions about payouts: on which day money is expected, and how a balance is taken apart. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final

from daozhang.money import Money
from daozhang.service.ledger.model import Book, Remainders
from daozhang.service.ledger.rules import estimated_fee
from daozhang.service.payouts.model import (
    FrozenLine,
    HeldFor,
    Origin,
    PayoutDay,
    PayoutState,
    UnsettledLine,
    WorkingDays,
)

FROZEN_DAYS: Final = 30
"""After so many days Alipay lets go of what was frozen for sharing (apis.md §5)."""

LOOK_DAYS_MIN: Final = 16
"""How far back payments are looked at, at least: the longest holidays, and some days more."""

FROZEN_LOOK_DAYS: Final = FROZEN_DAYS + LOOK_DAYS_MIN


def look_days(payout_days: int) -> int:
    """How far back payments are looked at that may not have been paid out: T+N with weekends, twice."""
    return LOOK_DAYS_MIN + 3 * payout_days


def pays_out_on(paid_on: date, payout_days: int, calendar: WorkingDays) -> date | None:
    """The day on which payments of ``paid_on`` are paid out: the N-th working day after it.

    ``None`` if a day on the way is of a year whose holidays are not known: it is not guessed.
    """
    day = paid_on
    for _ in range(payout_days):
        day += timedelta(days=1)
        while (is_working := calendar.is_working(day)) is False:
            day += timedelta(days=1)
        if is_working is None:
            return None
    return day


def unknown_years(
    paid_on: Collection[date], payout_days: int, calendar: WorkingDays
) -> Sequence[int]:
    """The years whose holidays have to be known before the payouts of those days can be told."""
    found: set[int] = set()
    for day in paid_on:
        if pays_out_on(day, payout_days, calendar) is None:
            last = day
            while calendar.is_working(last) is not None:
                last += timedelta(days=1)
            found.add(last.year)
    return sorted(found)


def state_of(day: date | None, today: date, read: Collection[date]) -> PayoutState:
    """How money stands that is paid out on ``day``; ``read``: days whose account bill is in the books."""
    if day is None:
        return PayoutState.UNKNOWN
    if day >= today:
        return PayoutState.EXPECTED
    return PayoutState.LATE if day in read else PayoutState.AWAITING_BILL


def unsettled_lines(
    found: Remainders,
    book: Book,
    calendar: WorkingDays,
    today: date,
    read: Collection[date],
    *,
    direct_pay: bool = False,
) -> list[UnsettledLine]:
    """What Alipay has not paid out, a line for each day of payments: together exactly the balance.

    With ``direct_pay`` each payment waits for its settlement to be confirmed: its own day says nothing of its
    payout, and nothing of it is late.
    """
    lines: list[UnsettledLine] = []
    for one in found.days:
        amount = Money(one.minor, book.currency)
        day = None if direct_pay else pays_out_on(one.paid_on, book.payout_days, calendar)
        lines.append(
            UnsettledLine(
                origin=Origin.PAYMENTS,
                paid_on=one.paid_on,
                amount=amount,
                order_count=one.order_count,
                estimated_fee=_fee(one.minor, book),
                pays_out_on=day,
                state=PayoutState.AWAITING_CONFIRMATION
                if direct_pay
                else state_of(day, today, read),
            )
        )
    for origin, minor in _of_no_day(found):
        fee = _fee(minor if origin is Origin.EARLIER else 0, book)
        state = PayoutState.UNKNOWN
        if origin is Origin.EARLIER:
            state = PayoutState.AWAITING_CONFIRMATION if direct_pay else PayoutState.LATE
        amount = Money(minor, book.currency)
        lines.append(UnsettledLine(origin, None, amount, None, fee, None, state))
    return lines


def frozen_lines(found: Remainders, book: Book) -> list[FrozenLine]:
    """What is frozen, and why: together exactly the balance."""
    lines = [
        FrozenLine(
            origin=Origin.PAYMENTS,
            held_for=HeldFor.SHARING,
            paid_on=one.paid_on,
            amount=Money(one.minor, book.currency),
            order_count=one.order_count,
            released_by=one.paid_on + timedelta(days=FROZEN_DAYS),
        )
        for one in found.days
    ]
    for origin, minor in _of_no_day(found):
        why = HeldFor.SHARING if origin is Origin.EARLIER else HeldFor.BY_HAND
        lines.append(FrozenLine(origin, why, None, Money(minor, book.currency), None, None))
    return lines


def payout_days_of(lines: Sequence[UnsettledLine], currency: str) -> list[PayoutDay]:
    """What is expected on each day, in their order; what is of no known day comes last."""
    days = sorted({one.pays_out_on for one in lines if one.pays_out_on is not None})
    every = [*days, *([None] if any(one.pays_out_on is None for one in lines) else [])]
    return [
        PayoutDay(
            day,
            Money.total((one.amount for one in lines if one.pays_out_on == day), currency),
            Money.total((one.estimated_fee for one in lines if one.pays_out_on == day), currency),
        )
        for day in every
    ]


def _of_no_day(found: Remainders) -> list[tuple[Origin, int]]:
    parts = ((Origin.EARLIER, found.rest_minor), (Origin.BY_HAND, found.by_hand_minor))
    return [(origin, minor) for origin, minor in parts if minor]


def _fee(minor: int, book: Book) -> Money:
    return estimated_fee(Money(max(minor, 0), book.currency), book.fee_ppm)
