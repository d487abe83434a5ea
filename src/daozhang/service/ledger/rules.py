"""Decisions of the ledger: what a fact moves, to which day it is posted, what a fee may be. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.ledger.model import (
    Account,
    EntryKind,
    Legs,
    Move,
    Payout,
    Posted,
    Taking,
)
from daozhang.service.ledger.refusals import EntryUnbalanced

FEE_PPM: Final = 6000
"""What Alipay takes of most payments: 0.6 %."""

PPM: Final = 1_000_000

LOCK_DELAY_SECONDS: Final = 3600
"""How long a day must be over before it can be locked. What is posted on the day that it happens takes
no lock of the book: no transaction that began on that day lasts so long."""


def payment_parts(taking: Taking, payout: Payout) -> tuple[tuple[Account, int], ...]:
    """Where a payment goes, in minor units: what is received, and what the merchant has given up of
    the price. As long as Alipay has not said what is received, it is the total."""
    total, received = taking.total.minor, taking.received.minor
    if received == total:
        return ((_reached(taking, payout), total),)
    parts = ((_reached(taking, payout), received), (Account.MERCHANT_DISCOUNT, total - received))
    return parts if received else parts[1:]


def payment_moves(taking: Taking, payout: Payout) -> tuple[Move, ...]:
    """What a payment moves."""
    currency = taking.total.currency
    return tuple(
        Move(account, Account.SALES, Money(minor, currency))
        for account, minor in payment_parts(taking, payout)
    )


def _reached(taking: Taking, payout: Payout) -> Account:
    if taking.frozen:
        return Account.FROZEN
    return Account.UNSETTLED if payout is Payout.LATER else Account.AVAILABLE


def refund_moves(
    amount: Money, payment: Sequence[Posted], others: Sequence[Posted]
) -> tuple[Move, ...]:
    """What a refund moves, given how its order's payment was posted, and all ``others`` about it.

    Of a price of which the merchant has given up a part, that part of the refund is nobody's loss:
    all refunds together give as much of it back as there was. For the rest, see `takes`.
    """
    paid = legs_of(one.move for one in payment)
    back = legs_of(one.move for one in others if one.kind is EntryKind.REFUND)
    all_back = back.get(Account.REFUNDS, 0) + amount.minor
    given_up = paid.get(Account.MERCHANT_DISCOUNT, 0) * all_back // -paid[Account.SALES]
    given_up = min(max(given_up + back.get(Account.MERCHANT_DISCOUNT, 0), 0), amount.minor)
    parts = (
        (Account.MERCHANT_DISCOUNT, Money(given_up, amount.currency)),
        *takes(amount - Money(given_up, amount.currency), (*payment, *others)),
    )
    return tuple(Move(Account.REFUNDS, account, part) for account, part in parts if part)


def takes(amount: Money, there: Sequence[Posted]) -> tuple[tuple[Account, Money], ...]:
    """From where ``amount`` of an order is taken, given all that is posted of it: what is frozen of it
    first, then what Alipay has not paid out, else what can be spent.

    Before the payout more can be taken than there is: Alipay pays out what is left, below zero, too. What is
    unsettled after it was taken before it, and is only learned of now.
    """
    legs = legs_of(one.move for one in there)
    most = {
        Account.FROZEN: legs.get(Account.FROZEN, 0),
        Account.UNSETTLED: amount.minor if is_unsettled(there) else legs.get(Account.UNSETTLED, 0),
        Account.AVAILABLE: amount.minor,
    }
    parts: list[tuple[Account, Money]] = []
    left = amount.minor
    for account, there_are in most.items():
        if (part := min(max(there_are, 0), left)) > 0:
            parts.append((account, Money(part, amount.currency)))
            left -= part
    return tuple(parts)


def is_unsettled(there: Sequence[Posted]) -> bool:
    """Whether, as far as bills have told, Alipay has not paid an order out whose payment it pays out
    later; ``there`` is all that is posted of it."""
    paid = legs_of(one.move for one in there if one.kind is EntryKind.PAYMENT)
    settled = legs_of(one.move for one in there if one.kind is EntryKind.SETTLEMENT)
    return paid.get(Account.UNSETTLED, 0) > 0 and settled.get(Account.UNSETTLED, 0) >= 0


def legs_of(moves: Iterable[Move]) -> Legs:
    """What ``moves`` do to each account together; accounts to which they do nothing are left out."""
    legs: defaultdict[Account, int] = defaultdict(int)
    for move in moves:
        legs[move.debit] += move.amount.minor
        legs[move.credit] -= move.amount.minor
    return {account: minor for account, minor in legs.items() if minor}


def moves_of(legs: Mapping[Account, int], currency: str) -> tuple[Move, ...]:
    """Moves that do to each account what ``legs`` say. Raises `EntryUnbalanced` if these do not add
    up to nothing."""
    if sum(legs.values()):
        raise EntryUnbalanced(legs, currency)
    debits = [(account, minor) for account, minor in legs.items() if minor > 0]
    credits_ = [(account, -minor) for account, minor in legs.items() if minor < 0]
    moves: list[Move] = []
    while debits:
        (debit, owed), (credit, given) = debits.pop(), credits_.pop()
        minor = min(owed, given)
        moves.append(Move(debit, credit, Money(minor, currency)))
        debits += [(debit, owed - minor)] if owed > minor else []
        credits_ += [(credit, given - minor)] if given > minor else []
    return tuple(moves)


def missing(wanted: Sequence[Move], posted: Sequence[Move], currency: str) -> tuple[Move, ...]:
    """What has to be posted beside ``posted``, so that together they do what ``wanted`` do."""
    legs = legs_of(wanted)
    for account, minor in legs_of(posted).items():
        legs[account] = legs.get(account, 0) - minor
    return moves_of({account: minor for account, minor in legs.items() if minor}, currency)


def reversal_key(kind: EntryKind, key: str) -> str:
    """What names the entry that takes another one back."""
    return f"{kind.value}:{key}"


def booked_on(day: date, locked_through: date | None) -> date:
    """The day to which what happened on ``day`` is posted: that one, or the next open one."""
    if locked_through is None or day > locked_through:
        return day
    return locked_through + timedelta(days=1)


def is_lockable(day: date, now: datetime) -> bool:
    """Whether ``day`` has been over for long enough to be locked."""
    ends_at = datetime.combine(day + timedelta(days=1), time(), BEIJING)
    return now >= ends_at + timedelta(seconds=LOCK_DELAY_SECONDS)


def estimated_fee(amount: Money, fee_ppm: int) -> Money:
    """What Alipay will probably take of a payment, to the nearest fen; the bill says what it took."""
    return Money((amount.minor * fee_ppm + PPM // 2) // PPM, amount.currency)
