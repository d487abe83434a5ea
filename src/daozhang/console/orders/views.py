"""What the pages of orders show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Self

from daozhang.console.formats import day_end, day_start
from daozhang.console.paging import Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money, MoneyError
from daozhang.service.orders.model import Order, OrderStatus, Way
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


DAYS_OF: Final[Mapping[str, str]] = {
    "": word("Created"),
    "paid": word("Paid"),
    "refunded": word("Refunded"),
}
"""What the days of a list are of, as an address has it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to. What cannot be understood narrows nothing."""

    number: str = ""
    status: str | None = None
    way: str | None = None
    first: date | None = None
    last: date | None = None
    by: str = ""
    """What the days are of: see `DAYS_OF`."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """The filters that an address asks for."""
        status, way = query.get("status", ""), query.get("way", "")
        return cls(
            number=query.get("q", "").strip()[:64],
            status=status if status in tuple(OrderStatus) else None,
            way=way if way in tuple(Way) else None,
            first=_day(query.get("from", "")),
            last=_day(query.get("to", "")),
            by=query.get("by", "") if query.get("by", "") in DAYS_OF else "",
        )

    @property
    def since(self) -> datetime | None:
        """When the first day begins, in Beijing."""
        return None if self.first is None else day_start(self.first)

    @property
    def before(self) -> datetime | None:
        """When the last day is over, in Beijing."""
        return None if self.last is None else day_end(self.last)

    @property
    def narrows(self) -> bool:
        """Whether there may be orders that are not shown."""
        return self != Filters()

    def query(self, **instead: str) -> dict[str, str]:
        """The filters as fields of an address, some of them replaced."""
        fields = {
            "q": self.number,
            "status": self.status or "",
            "way": self.way or "",
            "from": "" if self.first is None else self.first.isoformat(),
            "to": "" if self.last is None else self.last.isoformat(),
            "by": self.by,
        }
        return fields | instead


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A line of the list."""

    address: str
    order: Order
    way: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of orders."""

    path: str
    here: str
    filters: Filters
    tabs: Sequence[tuple[str, str, bool]]
    ways: Sequence[tuple[str, str]]
    days_of: Sequence[tuple[str, str]]
    rows: Sequence[OrderRow]
    pages: Pages


_TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("All")),
    ("paid", word("Paid")),
    ("waiting", word("Waiting for the buyer")),
    ("created", word("Not opened yet")),
    ("closing", word("Closing")),
    ("closed", word("Closed")),
    ("refunded", word("Refunded in full")),
    ("finished", word("Finished")),
)


def list_view(visit: Visit, filters: Filters, found: Sequence[Order]) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    t, path = visit.t, f"{visit.home}/orders"
    shown, pages = cut(found, path, {**filters.query(), "before": visit.query.get("before", "")})
    return ListView(
        path=path,
        here=visit.address,
        filters=filters,
        tabs=[
            (
                with_query(path, filters.query(status=value, q="")),
                t(text),
                value == (filters.status or ""),
            )
            for value, text in _TABS
        ],
        ways=[("", t("Any way")), *((way.value, t(text)) for way, text in WAYS.items())],
        days_of=[(value, t(text)) for value, text in DAYS_OF.items()],
        rows=[OrderRow(f"{path}/{each.out_trade_no}", each, t(WAYS[each.way])) for each in shown],
        pages=pages,
    )


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
    buyer: str | None
    parts: Sequence[Part]
    refunds: Sequence[RefundRow]
    asked_next_at: datetime | None


def order_view(visit: Visit, order: Order, refunds: Sequence[Refund]) -> OrderView:
    """One order as ``visit`` may see it: what is personal is masked for whoever needs it not."""
    payment, t = order.payment, visit.t
    buyer = None
    if payment is not None:
        buyer = masking.logon_id(visit.who, payment.buyer_logon_id) or masking.buyer_id(
            visit.who, payment.buyer_id or payment.buyer_open_id
        )
    bills = () if payment is None else payment.fund_bills
    parts = [part for bill in bills if (part := _part(visit, bill, order.amount.currency))]
    return OrderView(
        order=order,
        way=t(WAYS[order.way]),
        buyer=buyer,
        parts=parts,
        refunds=[RefundRow(refund, t(ORIGINS[refund.origin])) for refund in refunds],
        asked_next_at=order.next_query_at if order.is_open else None,
    )


def _part(visit: Visit, bill: Mapping[str, Any], currency: str) -> Part | None:
    channel = str(bill.get("fundChannel") or bill.get("fund_channel") or "")
    try:
        amount = Money.parse(str(bill.get("amount", "")), currency)
    except MoneyError:
        return None  # it is shown among the raw facts; an amount that is none adds to nothing
    return Part(visit.t(CHANNELS[channel]) if channel in CHANNELS else channel, amount)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
