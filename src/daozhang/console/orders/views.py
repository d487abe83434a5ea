"""What the pages of orders show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money, MoneyError
from daozhang.service.orders.model import Order, Payment, Way
from daozhang.service.people import masking
from daozhang.service.refunds.model import Refund, RefundOrigin

WAYS: Final[Mapping[Way, str]] = {
    Way.PAGE: word("Web page"),
    Way.WAP: word("Mobile browser"),
    Way.APP: word("App"),
    Way.QR: word("QR code"),
    Way.BARCODE: word("Payment code"),
    Way.MINI: word("Mini program"),
    Way.HOLD: word("Hold"),
    Way.AGREEMENT: word("Agreement"),
}

ORIGINS: Final[Mapping[RefundOrigin, str]] = {
    RefundOrigin.OURS: word("Asked for here"),
    RefundOrigin.EXTERNAL: word("Made outside"),
    RefundOrigin.CANCEL: word("By a cancel"),
}

CHANNELS: Final[Mapping[str, str]] = {
    "ALIPAYACCOUNT": word("Alipay balance"),
    "PCREDIT": word("Huabei"),
    "COUPON": word("Alipay coupon"),
    "MDISCOUNT": word("Merchant discount"),
    "MCOUPON": word("Merchant coupon"),
    "POINT": word("Alipay points"),
    "BANKCARD": word("Bank card"),
    "DISCOUNT": word("Alipay discount"),
    "PCARD": word("Stored-value card"),
    "MCARD": word("Merchant card"),
    "FINANCEACCOUNT": word("Yu'ebao"),
}
"""What Alipay calls where money came from. A name that is not here is shown as it came."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part of the money came from."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund of the order."""

    refund: Refund
    origin: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order."""

    order: Order
    way: str
    buyer: Sequence[tuple[str, str]]
    parts: Sequence[Part]
    refunds: Sequence[RefundRow]
    masked: bool


def order_view(
    visit: Visit, order: Order, refunds: Sequence[Refund], *, unmasked: bool
) -> OrderView:
    """One order as ``visit`` may see it: who paid is masked unless they asked to see it."""
    payment, t = order.payment, visit.t
    known = [] if payment is None else _buyer_of(payment)
    shown = known if unmasked else [(name, _masked(name, value)) for name, value in known]
    bills = () if payment is None else payment.fund_bills
    parts = [part for bill in bills if (part := _part(visit, bill, order.amount.currency))]
    return OrderView(
        order=order,
        way=t(WAYS[order.way]),
        buyer=[(t(name), value) for name, value in shown],
        masked=shown != known,
        parts=parts,
        refunds=[RefundRow(refund, t(ORIGINS[refund.origin])) for refund in refunds],
    )


_LOGON: Final = word("Buyer")


def _buyer_of(payment: Payment) -> list[tuple[str, str]]:
    """What Alipay said of who paid, by name."""
    told = (
        (_LOGON, payment.buyer_logon_id),
        (word("Buyer's number"), payment.buyer_id),
        (word("Buyer's open id"), payment.buyer_open_id),
    )
    return [(name, value) for name, value in told if value]


def _masked(name: str, value: str) -> str:
    return masking.masked_logon(value) if name == _LOGON else masking.masked_number(value)


def _part(visit: Visit, bill: Mapping[str, Any], currency: str) -> Part | None:
    channel = str(bill.get("fundChannel") or bill.get("fund_channel") or "")
    try:
        amount = Money.parse(str(bill.get("amount", "")), currency)
    except MoneyError:
        return None  # it is shown among the raw facts; an amount that is none adds to nothing
    return Part(visit.t(CHANNELS[channel]) if channel in CHANNELS else channel, amount)
