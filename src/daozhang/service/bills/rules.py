"""Decisions about bills: when to ask for one, what an answer means, which address may be fetched. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from daozhang.clock import BEIJING
from daozhang.service.bills.model import MONTH, StatementStatus

READY_HOUR: Final = 9
"""From when on a day's bill is there, in Beijing (apis.md §4.1); ten is safe."""

MONTH_READY_DAY: Final = 3
AGAIN: Final = timedelta(minutes=20)
"""How soon it is asked again for a bill that is not there yet."""

AGAIN_LATER: Final = timedelta(hours=2)
ABSENT_AFTER: Final = timedelta(days=3)
"""When a bill that is still not there is for a person."""

RETRY: Final = timedelta(minutes=2)
"""How soon it is asked again where no clear answer came."""

NOTHING_HAPPENED: Final = frozenset({"NO_BILL_DATA"})
NOT_YET: Final = frozenset({"BILL_NOT_EXIST", "isp.bill_not_exist", "isp.bill-not-exist"})


def due_at(period: str) -> datetime:
    """When the bill of a day or month is asked for first."""
    if len(period) == MONTH:
        first = date.fromisoformat(f"{period}-01")
        after = (first + timedelta(days=31)).replace(day=MONTH_READY_DAY)
    else:
        after = date.fromisoformat(period) + timedelta(days=1)
    return datetime(after.year, after.month, after.day, READY_HOUR, tzinfo=BEIJING)


def is_period(text: str) -> bool:
    """Whether ``text`` is a day or a month of which there can be a bill."""
    try:
        date.fromisoformat(f"{text}-01" if len(text) == MONTH else text)
    except ValueError:
        return False
    return True


def next_period(period: str) -> str:
    """The day after a day."""
    return (date.fromisoformat(period) + timedelta(days=1)).isoformat()


def after_refusal(
    sub_code: str, period: str, now: datetime
) -> tuple[StatementStatus, datetime | None]:
    """Where a bill stands that Alipay did not give, and when it is asked for again."""
    if sub_code in NOTHING_HAPPENED:
        return StatementStatus.NONE, None
    waited = now - due_at(period)
    if waited >= ABSENT_AFTER:
        return StatementStatus.ABSENT, now + timedelta(days=1)
    soon = sub_code in NOT_YET and waited < timedelta(hours=6)
    return StatementStatus.WAITING, now + (AGAIN if soon else AGAIN_LATER)
