"""What an order is, and the facts by which it moves (money.md §1 to §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from daozhang.money import Money
from daozhang.service.orders.options import PayOptions


class OrderStatus(StrEnum):
    """Where an order stands."""

    CREATED = "created"  # no trade at Alipay yet
    WAITING = "waiting"  # Alipay has a trade that waits for the buyer
    CLOSING = "closing"  # given up here, not yet proven closed there
    PAID = "paid"
    FINISHED = "finished"  # paid, and no longer refundable
    CLOSED = "closed"  # unpaid
    REFUNDED = "refunded"  # in full


OPEN_STATUSES = (OrderStatus.CREATED, OrderStatus.WAITING, OrderStatus.CLOSING)
"""Where Alipay may still tell us something that decides an order."""


class ClosingReason(StrEnum):
    """Why an order was given up."""

    CLOSE = "close"  # the merchant asked
    EXPIRY = "expiry"  # its time ran out
    CANCEL = "cancel"  # a payment at the till with an unknown outcome
    REFUSED = "refused"  # a definite no to a charge that only we can make: a hold, an agreement


class Way(StrEnum):
    """How an order is paid."""

    PAGE = "page"
    WAP = "wap"
    APP = "app"
    QR = "qr"
    BARCODE = "barcode"
    MINI = "mini"
    HOLD = "hold"  # taken from money that a buyer let us freeze
    AGREEMENT = "agreement"  # deducted, as a buyer has agreed to


class FactKind(StrEnum):
    """What Alipay says is true now; the columns of the table."""

    ABSENT = "A"  # no such trade
    WAITING = "W"
    PAID = "P"  # nothing refunded
    PARTLY_REFUNDED = "PP"
    FINISHED = "F"
    REFUNDED = "R"  # closed with all refunded
    CLOSED_UNPAID = "CU"
    CLOSED_UNCLEAR = "C?"  # closed, signs of payment, no refunded amount: a query says no more


class Source(StrEnum):
    """The way by which we learned a fact."""

    NOTIFICATION = "notification"
    QUERY = "query"
    PAY = "pay"
    CREATE = "create"
    CLOSE = "close"
    CANCEL = "cancel"
    REFUND = "refund"
    REFUND_QUERY = "refund_query"


class Payment(msgspec.Struct, frozen=True):
    """How a payment was made up. Refund notices omit all of it, so nothing here is ever unset."""

    paid_at: datetime | None = None
    receipt: Money | None = None
    buyer_pay: Money | None = None
    invoice: Money | None = None
    point: Money | None = None
    discount: Money | None = None
    fund_bills: tuple[Mapping[str, Any], ...] = ()
    buyer_id: str | None = None
    buyer_open_id: str | None = None
    buyer_logon_id: str | None = None


class TradeFact(msgspec.Struct, frozen=True):
    """What Alipay, signed and verified, says of a trade. Absent identities are ``None``."""

    kind: FactKind
    out_trade_no: str
    source: Source
    source_ref: str
    learned_at: datetime
    app_id: str | None = None
    seller_id: str | None = None
    trade_no: str | None = None
    total: Money | None = None
    refunded: Money | None = None
    refund_request_no: str | None = None
    payment: Payment | None = None
    refunded_at: datetime | None = None  # Alipay's moment of the refund that is named


class RefundFact(msgspec.Struct, frozen=True):
    """What Alipay, signed and verified, says of one refund that succeeded.

    ``proven`` is the sum of all refunds of the order that are proven, this one included;
    ``cumulative`` is Alipay's own running total where the answer carries one, ``refunded_at`` its own
    moment: somebody may learn of a refund days after it was made.
    """

    out_trade_no: str
    out_request_no: str
    amount: Money
    proven: Money
    source: Source
    source_ref: str
    learned_at: datetime
    cumulative: Money | None = None
    trade_no: str | None = None
    refunded_at: datetime | None = None
    returned: tuple[tuple[str, Money], ...] | None = None
    """Who of those who had got shares gave back how much with it; ``None`` if nothing is said of it."""


Fact = TradeFact | RefundFact


class Order(msgspec.Struct, frozen=True):
    """Money we expect. Unique by ``(environment, seller_id, out_trade_no)``."""

    id: int
    merchant_id: int
    environment: str
    app_id: str
    seller_id: str
    out_trade_no: str
    way: Way
    amount: Money
    subject: str
    status: OrderStatus
    refunded: Money
    reserved: Money
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    body: str | None = None
    cart_ref: str | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    return_url: str | None = None
    passback: str | None = None
    pay_options: PayOptions | None = None
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    shared: Money = Money(0)
    """What was passed on to others and has not come back, nor is about to."""
    share_plan: str | None = None
    """By which plan it is shared once it is paid."""
    trade_no: str | None = None
    late: bool = False
    attention: bool = False
    closing_reason: ClosingReason | None = None
    closed_reason: str | None = None
    close_confirmed: bool = False
    absent_count: int = 0
    unclear_count: int = 0
    query_count: int = 0
    next_query_at: datetime | None = None
    signed_at: datetime | None = None
    payment: Payment | None = None

    @property
    def most_refundable(self) -> Money:
        """What may still go back to the buyer, if those who have shares give them back or the seller pays."""
        left = self.amount - self.refunded - self.reserved
        return max(left, Money.zero(self.amount.currency))

    @property
    def remainder(self) -> Money:
        """What may still go back or be shared: never more than this is promised at once, and never less
        than nothing. A refund in the merchant centre may take what others have, or what is on its way."""
        left = self.amount - self.refunded - self.reserved - self.shared
        return max(left, Money.zero(self.amount.currency))

    @property
    def is_open(self) -> bool:
        """Whether Alipay may still tell us something that decides it."""
        return self.status in OPEN_STATUSES


class OrderInHand(msgspec.Struct, frozen=True):
    """An order that is locked here, with the numbers of its latest step and event."""

    order: Order
    step_count: int
    event_count: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a caller asks for when creating an order."""

    out_trade_no: str
    amount: Money
    subject: str
    expires_at: datetime
    way: Way = Way.PAGE
    body: str | None = None
    cart_ref: str | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    return_url: str | None = None
    passback: str | None = None
    pay_options: PayOptions | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    share_plan: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded change of an order (or a fact that changed nothing), with its cause."""

    order_id: int
    sequence: int
    at: datetime
    cause: str
    source_ref: str
    status_before: OrderStatus
    status_after: OrderStatus
    events: tuple[str, ...]
    note: str | None
    fact: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What settling one fact did: the order before and after, and what is to be announced.

    ``events`` stand in the order of the table; ``refund.succeeded`` among them marks where the
    refunds that this fact proves are announced, one event each.
    """

    before: Order
    order: Order
    events: tuple[str, ...]
    surprise: str | None

    @property
    def fits(self) -> bool:
        """Whether the fact was taken in; one that does not agree with the order is not."""
        return self.surprise is None or self.order.status is not self.before.status


class SurpriseEnd(StrEnum):
    """What a person made of a surprise."""

    ACCEPTED = "accepted"  # the books hold what Alipay says
    REFUNDED = "refunded"  # its money goes back
    ATTACHED = "attached"  # a payment without an order belongs to that one
    DISMISSED = "dismissed"  # nothing is to be done, and why


@dataclass(frozen=True, slots=True)
class Surprise:
    """A fact that does not fit. It waits for a person, and ends by what they decide."""

    id: int
    merchant_id: int
    order_id: int | None
    out_trade_no: str | None
    reason: str
    detail: str
    amount: Money
    owner: str
    created_at: datetime
    owner_name: str | None = None
    notification_id: int | None = None
    resolved_at: datetime | None = None
    resolution: SurpriseEnd | None = None
    resolved_by: str | None = None
    resolved_name: str | None = None
    resolution_note: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a person has still to look at it."""
        return self.resolved_at is None
