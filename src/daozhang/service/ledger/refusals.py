"""Why the ledger says no."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from daozhang.money import Money
from daozhang.service.ledger.model import Account, EntryKind
from daozhang.service.refusals import Refusal


class EntryUnbalanced(Refusal):
    """What an entry puts on one side it does not take from the other."""

    code = "entry_unbalanced"
    status = 422
    title = "The entry does not balance"

    def __init__(self, legs: Mapping[Account, int], currency: str) -> None:
        debits = Money(sum(minor for minor in legs.values() if minor > 0), currency)
        credits_ = Money(-sum(minor for minor in legs.values() if minor < 0), currency)
        super().__init__(
            f"The debits add up to {debits} {currency} and the credits to {credits_}: nothing was "
            "posted. Both sides of an entry are the same.",
            f"分录不平衡：借方合计 {debits} {currency}，贷方合计 {credits_}，未入账。借贷两方金额必须相等。",
            debits=str(debits),
            credits=str(credits_),
        )


class EntryEmpty(Refusal):
    """The entry moves nothing."""

    code = "entry_empty"
    status = 422
    title = "The entry is empty"

    def __init__(self) -> None:
        super().__init__(
            "An entry moves an amount from one account to another: name both, each with its amount.",
            "分录须至少包含借贷各一个科目及其金额。",
        )


class EntryNotFound(Refusal):
    """There is no such entry in the book."""

    code = "entry_not_found"
    status = 404
    title = "No such entry"

    def __init__(self, kind: EntryKind, key: str) -> None:
        super().__init__(
            f"There is no {kind.value} entry {key!r} in this book.",
            f"账簿中没有 {kind.value} 分录 {key!r}。",
            kind=kind.value,
            key=key,
        )


class EntryPosted(Refusal):
    """An entry of that kind and key stands in the book already, or the same reversal."""

    code = "entry_posted"
    title = "This is in the book already"

    def __init__(self, kind: EntryKind, key: str) -> None:
        super().__init__(
            f"The {kind.value} entry {key!r} is in the book already: an entry is posted once, and "
            "reversed once.",
            f"{kind.value} 分录 {key!r} 已入账：同一分录只入账一次，也只冲销一次。",
            kind=kind.value,
            key=key,
        )


class DayLocked(Refusal):
    """The day is closed."""

    code = "day_locked"
    title = "The day is locked"

    def __init__(self, day: date, locked_through: date) -> None:
        super().__init__(
            f"The books are locked up to {locked_through.isoformat()}: nothing of "
            f"{day.isoformat()} can be changed. Post it to an open day.",
            f"账簿已锁定至 {locked_through.isoformat()}，{day.isoformat()} 的账目不可更改，请记入未锁定的日期。",
            day=day.isoformat(),
            locked_through=locked_through.isoformat(),
        )


class DayNotLocked(Refusal):
    """The day is still open."""

    code = "day_not_locked"
    title = "The day is not locked"

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day.isoformat()} is not locked yet: lock it first, so that nothing changes in it.",
            f"{day.isoformat()} 尚未锁定，请先锁定该日。",
            day=day.isoformat(),
        )


class DayNotOver(Refusal):
    """Something may still be posted to the day."""

    code = "day_not_over"
    title = "The day is not over"

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day.isoformat()} can be locked from 01:00 of the next day in Beijing.",
            f"{day.isoformat()} 须待北京时间次日 01:00 之后方可锁定。",
            day=day.isoformat(),
        )
