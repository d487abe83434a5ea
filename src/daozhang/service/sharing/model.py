"""What a share is, who receives it, by which plan, and what can become of it (money.md §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from daozhang.money import Money
from daozhang.service.orders.model import Way

BY_PLAN: Final = "plan"
"""Who asks for the shares that an order's plan makes when it is paid."""

NO_BALANCE_CODE: Final = "ACQ.TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH"
"""What Alipay says where the seller has too little money: the round waits for it."""

BASIS_POINTS: Final = 10_000
"""In the whole; plans count hundredths of a percent."""

FACE_TO_FACE: Final = (Way.QR, Way.BARCODE)
"""Where Alipay takes shares back by itself, from everybody pro rata (apis.md §3.1)."""


class ReceiverType(StrEnum):
    """By what a receiver's account is named."""

    USER_ID = "userId"
    LOGIN_NAME = "loginName"
    OPEN_ID = "openId"


class ReceiverStatus(StrEnum):
    """Where the relation to a receiver stands."""

    BINDING = "binding"  # asked for; Alipay has not said yes yet
    BOUND = "bound"
    REFUSED = "refused"  # Alipay definitely said no
    UNBINDING = "unbinding"
    UNBOUND = "unbound"


class RoundStatus(StrEnum):
    """Where a round stands: one call that passes parts of an order on."""

    REQUESTED = "requested"  # committed here; no call has moved money
    UNKNOWN = "unknown"  # it may have happened: only a query decides
    ACCEPTED = "accepted"  # Alipay works on it, share by share
    DONE = "done"  # how each share ended is known
    FAILED = "failed"  # nothing of it has happened, and will not


class ShareStatus(StrEnum):
    """Where one share stands. What is proven wins over what is not, whichever comes first."""

    PENDING = "pending"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


class Mode(StrEnum):
    """How Alipay carries a round out."""

    SYNC = "sync"  # at once, all of it or nothing
    ASYNC = "async"  # later, each share for itself


class ReturnOrder(StrEnum):
    """Whose money a refund draws on first."""

    SELLER_FIRST = "seller_first"  # receivers give back what the seller has not left
    RECEIVERS_FIRST = "receivers_first"  # in the order of the shares
    PRO_RATA = "pro_rata"  # everybody as much as they had of the payment


class CoverPolicy(StrEnum):
    """What becomes of a refund for which a receiver cannot give back."""

    PERSON = "person"  # it fails, and somebody decides
    SELLER = "seller"  # the seller pays that part as well


class ReturnStatus(StrEnum):
    """Where a share stands that is to come back with a refund."""

    PENDING = "pending"
    RETURNED = "returned"
    FAILED = "failed"  # the refund was not made
    COVERED = "covered"  # the receiver could not: the seller paid it


class Outcome(StrEnum):
    """What one call, question or message has told of a round."""

    PROVEN = "proven"  # how each share ended is known
    ACCEPTED = "accepted"  # some are still being worked on
    REJECTED = "rejected"  # a definite no to this very call
    NO_BALANCE = "no_balance"  # a definite no for now: the seller has too little money
    UNKNOWN = "unknown"  # timeout, broken or unverifiable answer, "system busy"
    ABSENT = "absent"  # asked late enough, and Alipay has no such request


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who may be given shares. Unique by ``(merchant, account)``."""

    id: int
    merchant_id: int
    type: ReceiverType
    account: str
    name: str | None
    memo: str | None
    status: ReceiverStatus
    created_at: datetime
    updated_at: datetime
    attempt: int = 0
    call_count: int = 0
    due_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one receiver gets by a plan: a fixed amount, a part of the payment in hundredths of a
    percent, or (neither) what is left of the plan's pool."""

    account: str
    amount: Money | None = None
    basis_points: int | None = None

    @property
    def is_remainder(self) -> bool:
        """Whether it gets what the others leave."""
        return self.amount is None and self.basis_points is None


@dataclass(frozen=True, slots=True)
class Plan:
    """How payments are split. ``pool_basis_points`` is what all parts come to together, where one of
    them gets the remainder. ``rounding`` names who bears the fen that percents do not come to; by
    default the largest remainders do."""

    name: str
    parts: tuple[Part, ...]
    pool_basis_points: int | None = None
    rounding: str | None = None
    mode: Mode = Mode.SYNC
    finishes: bool = False
    returns: ReturnOrder = ReturnOrder.SELLER_FIRST


@dataclass(frozen=True, slots=True)
class Split:
    """A payment, split: what each receiver gets, and what stays with the seller. It always adds up."""

    shares: tuple[tuple[str, Money], ...]
    seller: Money


@dataclass(frozen=True, slots=True)
class Round:
    """One call that passes parts of an order on. Unique by ``(environment, seller, out_request_no)``."""

    id: int
    order_id: int
    merchant_id: int
    out_request_no: str
    status: RoundStatus
    mode: Mode
    amount: Money
    finishes: bool
    returns: ReturnOrder
    created_at: datetime
    updated_at: datetime
    plan: str | None = None
    description: str | None = None
    settle_no: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    calling: bool = False
    called_at: datetime | None = None
    call_count: int = 0
    ask_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    held_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None
    ended_at: datetime | None = None
    returns_due_at: datetime | None = None
    """When it is asked what of its shares came back with refunds that were made before its end was known."""
    returns_ask_count: int = 0

    @property
    def is_open(self) -> bool:
        """Whether its end is not known yet."""
        return self.status not in (RoundStatus.DONE, RoundStatus.FAILED)

    @property
    def is_requested(self) -> bool:
        """Whether it is to be sent."""
        return self.status is RoundStatus.REQUESTED


@dataclass(frozen=True, slots=True)
class Share:
    """Part of an order's money for one receiver. ``returned`` has come back, ``returning`` is on its way
    back, ``covered`` was paid by the seller in the receiver's place."""

    id: int
    round_id: int
    order_id: int
    position: int
    receiver_type: ReceiverType
    account: str
    amount: Money
    status: ShareStatus
    returned: Money
    returning: Money
    covered: Money
    last_code: str | None = None
    last_message: str | None = None
    detail_id: str | None = None
    ended_at: datetime | None = None

    @property
    def outstanding(self) -> Money:
        """What the receiver has of it and is not about to give back."""
        if self.status is not ShareStatus.SUCCEEDED:
            return Money.zero(self.amount.currency)
        return self.amount - self.returned - self.returning - self.covered


@dataclass(frozen=True, slots=True)
class Return:
    """What of a share comes back with one refund."""

    id: int
    share_id: int
    order_id: int
    out_request_no: str
    amount: Money
    status: ReturnStatus


@dataclass(frozen=True, slots=True)
class NewRound:
    """What a caller asks for: to whom how much. ``approved_by`` is the second person, if it has one."""

    out_request_no: str
    shares: tuple[tuple[str, Money], ...]
    mode: Mode = Mode.SYNC
    finishes: bool = False
    returns: ReturnOrder = ReturnOrder.SELLER_FIRST
    plan: str | None = None
    description: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """What Alipay says of one share."""

    account: str
    amount: Money | None
    status: ShareStatus
    code: str | None = None
    message: str | None = None
    detail_id: str | None = None
    at: datetime | None = None  # when it was carried out


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome, with the words that came with it, and what it says of each share."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None
    details: tuple[Detail, ...] = ()
    settle_no: str | None = None
