"""What the ledger is made of: accounts, moves between them, entries and the books they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from daozhang.money import Money

KEY_CHARACTERS_MAX: Final = 128

MANUAL_KEY_CHARACTERS_MAX: Final = 64
"""Of an entry by hand: those that take it back have longer ones."""


PAYOUT_DAYS: Final = 1
"""T+1, which most agreements say."""

PAYOUT_DAYS_MAX: Final = 90
"""The longest T+N that is taken for meant."""


class Account(StrEnum):
    """The accounts of a book."""

    # What we have, or are owed.
    AVAILABLE = "available"  # in the Alipay account, to be spent
    UNSETTLED = "unsettled"  # paid by buyers, and not yet in the account
    FROZEN = "frozen"  # in the account, and held there until it has been shared
    WITHDRAWAL_IN_TRANSIT = "withdrawal_in_transit"  # left the account, not yet at the bank
    SUSPENSE = "suspense"  # nobody has said yet what it was
    # What we owe.
    ROYALTY_PAYABLE = "royalty_payable"  # to whom a part of a payment was promised
    # What was earned, and what that cost.
    SALES = "sales"
    REFUNDS = "refunds"
    FEE = "fee"
    MERCHANT_DISCOUNT = "merchant_discount"  # what the merchant gave up of a price
    ROYALTY = "royalty"
    TRANSFERS = "transfers"
    OTHER = "other"
    # The world outside.
    BANK = "bank"
    OPENING = "opening"  # what was there before the books were opened


class EntryKind(StrEnum):
    """What an entry tells of."""

    PAYMENT = "payment"
    REFUND = "refund"
    SHARE = "share"
    SHARE_RETURN = "share_return"
    TRANSFER = "transfer"
    TRANSFER_RETURN = "transfer_return"
    FEE = "fee"
    FEE_RETURN = "fee_return"
    WITHDRAWAL = "withdrawal"
    TOP_UP = "top_up"
    SETTLEMENT = "settlement"
    OPENING = "opening"
    OTHER = "other"  # an account bill has it, and no fact of ours tells of it
    MANUAL = "manual"
    REVERSAL = "reversal"


class Payout(StrEnum):
    """When Alipay puts into the account what buyers have paid."""

    AT_ONCE = "at_once"
    LATER = "later"  # the next day, or at the end of an agreed period


@dataclass(frozen=True, slots=True)
class Move:
    """A positive amount that leaves ``credit`` and reaches ``debit``: balanced, whatever it is."""

    debit: Account
    credit: Account
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise ValueError(f"a move is of more than nothing, not of {self.amount}")
        if self.debit is self.credit:
            raise ValueError(f"a move goes from one account to another, not within {self.debit}")

    def reversed(self) -> Move:
        """The move that takes this one back."""
        return Move(self.credit, self.debit, self.amount)


Legs = dict[Account, int]
"""What an entry does to each account, in minor units: debits above zero, credits below."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that has happened to the money of a book, told once by its ``kind`` and ``key``.

    ``at`` is when it happened (the value date is Beijing's day of it). Several moves make a
    compound entry.
    """

    environment: str
    seller_id: str
    kind: EntryKind
    key: str
    at: datetime
    moves: tuple[Move, ...]
    order_id: int | None = None
    merchant_id: int | None = None
    memo: str | None = None

    def __post_init__(self) -> None:
        if not self.moves or len({move.amount.currency for move in self.moves}) != 1:
            raise ValueError("an entry has moves, all in one currency")
        if not 0 < len(self.key) <= KEY_CHARACTERS_MAX:
            raise ValueError(f"a key has 1 to {KEY_CHARACTERS_MAX} characters: {self.key!r}")

    @property
    def currency(self) -> str:
        """That of its book."""
        return self.moves[0].amount.currency


@dataclass(frozen=True, slots=True)
class Taking:
    """A payment of an order. ``receipt`` is what reaches the merchant, once Alipay has said so;
    ``frozen``: not to be spent before it has been shared."""

    environment: str
    seller_id: str
    order_id: int
    merchant_id: int
    total: Money
    receipt: Money | None
    frozen: bool
    at: datetime

    @property
    def received(self) -> Money:
        """What reaches the merchant, as far as is known."""
        return self.total if self.receipt is None else min(self.receipt, self.total)

    @property
    def key(self) -> str:
        """What names its entry."""
        return str(self.order_id)


@dataclass(frozen=True, slots=True)
class Book:
    """The books of one Alipay account in one currency.

    ``locked_through`` is the last day that is closed: nothing is posted to it or before it any
    more. ``fee_ppm`` is what Alipay is expected to take of a payment, in millionths; it is never posted.
    ``payout_days``: where money is paid out later, after how many working days (T+N).
    """

    id: int
    environment: str
    seller_id: str
    currency: str
    payout: Payout
    fee_ppm: int
    locked_through: date | None
    payout_days: int = PAYOUT_DAYS


@dataclass(frozen=True, slots=True)
class Posted:
    """One move as it stands in a book. ``booked_on`` is the day to which it was posted; ``at`` says
    when it happened, on an earlier day if that one was locked already."""

    id: int
    kind: EntryKind
    key: str
    number: int
    move: Move
    at: datetime
    booked_on: date
    order_id: int | None
    merchant_id: int | None
    memo: str | None


@dataclass(frozen=True, slots=True)
class Lock:
    """A day that somebody has closed."""

    day: date
    locked_by: str
    locked_name: str
    locked_at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class Balance:
    """An account over some days, in minor units: debits above zero. ``closing`` is what it holds."""

    account: Account
    opening: int
    debits: int
    credits: int

    @property
    def closing(self) -> int:
        """What the account holds after the last of the days."""
        return self.opening + self.debits - self.credits


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts of a book over some days. The closings add up to nothing, and so do the openings.

    ``backfilling_until``: entries of what was booked before the ledger was there are still being
    made, and have come as far as this moment; ``None`` once all are there.
    """

    book: Book
    first: date
    last: date
    accounts: Sequence[Balance]
    backfilling_until: datetime | None


@dataclass(frozen=True, slots=True)
class DayPart:
    """What payments of one day (Beijing's) have left in the account, and of how many orders."""

    paid_on: date
    minor: int
    order_count: int


@dataclass(frozen=True, slots=True)
class Remainders:
    """What an account holds, taken apart: ``days`` and ``by_hand`` and ``rest_minor`` make ``minor``.

    ``by_hand`` names no order. The rest is of payments that were posted before ``since``.
    """

    minor: int
    days: Sequence[DayPart]
    by_hand_minor: int
    since: date

    @property
    def rest_minor(self) -> int:
        """What nothing that was looked at explains."""
        return self.minor - self.by_hand_minor - sum(one.minor for one in self.days)
