"""Notification → Fact. Pure.

Whether the identities that a notification carries agree with the order is decided where every
fact is (orders/rules); here is decided what it says, and whether it may be believed without a
question (money.md §2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from daozhang.alipay.consents import AgreementNotification, HoldNotification
from daozhang.alipay.notify import (
    Closed,
    ClosedUnclear,
    Finished,
    FullyRefunded,
    Notification,
    Paid,
    PartlyRefunded,
    TradeNotification,
    Waiting,
)
from daozhang.clock import require_aware
from daozhang.money import Money
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.model import FactKind, Payment, Source, TradeFact

_CAPITAL: Final = re.compile("[A-Z]")

KINDS: Final[Mapping[type[Notification], FactKind]] = {
    Paid: FactKind.PAID,
    PartlyRefunded: FactKind.PARTLY_REFUNDED,
    FullyRefunded: FactKind.REFUNDED,
    Closed: FactKind.CLOSED_UNPAID,
    ClosedUnclear: FactKind.CLOSED_UNCLEAR,
    Finished: FactKind.FINISHED,
    Waiting: FactKind.WAITING,
}

RETRY_DELAYS_SECONDS: Final = (5, 30, 120, 600)
"""When applying a notification is tried again after it failed; then it is a surprise."""

CLAIM_ORDER_SECONDS: Final = 3600
"""How long a notification may wait for its order before a person is told."""


NUMBER_CHARACTERS_MAX: Final = 64
"""As long as an ``out_trade_no`` can be (apis.md §1.1)."""

NOTIFY_ID_CHARACTERS_MAX: Final = 128
"""As long as Alipay says a ``notify_id`` can be; a longer one is kept as the content's hash."""


def is_about_trade(notification: Notification) -> bool:
    """Whether it speaks of a trade. It is about money then, and never kept without a word, even
    if nobody here understands it."""
    return notification.fields.get("notify_type") == "trade_status_sync"


MESSAGE: Final = "message:"
"""Before the name of what is no trade's notification, in the column of the kind."""

KIND_CHARACTERS_MAX: Final = 64


def kind_of(notification: Notification) -> str:
    """What it is called in the inbox: a trade's by what it says, every other by Alipay's name."""
    if is_about_trade(notification):
        return notification.kind
    named = notification.fields.get("msg_method") or notification.fields.get("service")
    name = named or notification.fields.get("notify_type") or "unnamed"
    return f"{MESSAGE}{name}"[:KIND_CHARACTERS_MAX]


def number_of(notification: Notification) -> str | None:
    """The order, hold or agreement that it names; ``None`` if it names none or the number can be no
    such thing's."""
    number = None
    if is_about_trade(notification):
        number = notification.fields.get("out_trade_no")
    elif isinstance(notification, HoldNotification):
        number = notification.out_order_no
    elif isinstance(notification, AgreementNotification):
        number = notification.external_agreement_no
    return number if number and len(number) <= NUMBER_CHARACTERS_MAX else None


def identity_of(notification: Notification) -> str:
    """What tells it from other notifications of the merchant, together with its content's hash."""
    notify_id = notification.notify_id
    if notify_id is None or len(notify_id) > NOTIFY_ID_CHARACTERS_MAX:
        return notification.content_hash
    return notify_id


def fact_of(notification: Notification, merchant: Merchant, now: datetime) -> TradeFact | None:
    """What a notification about a trade says; ``None`` if it is about none, or not understood."""
    kind = KINDS.get(type(notification))
    number = number_of(notification)
    if kind is None or number is None or not isinstance(notification, TradeNotification):
        return None
    return TradeFact(
        kind=kind,
        out_trade_no=number,
        source=Source.NOTIFICATION,
        source_ref=notification.notify_id or "",
        learned_at=now,
        app_id=_app_identity(notification, merchant),
        seller_id=notification.seller_id,
        trade_no=notification.trade_no,
        total=notification.total_amount,
        refunded=notification.refund_fee or None,
        refund_request_no=notification.out_biz_no if notification.refund_fee else None,
        payment=_payment_of(notification),
        refunded_at=notification.gmt_refund,
    )


def _payment_of(notification: TradeNotification) -> Payment | None:
    """How the payment was made up, as far as this notification says; refund notices do not."""
    payment = Payment(
        paid_at=notification.gmt_payment,
        receipt=notification.receipt_amount,
        buyer_pay=notification.buyer_pay_amount,
        invoice=notification.invoice_amount,
        point=notification.point_amount,
        fund_bills=tuple(_as_a_query_spells(bill) for bill in notification.fund_bills),
        buyer_id=notification.buyer_id,
        buyer_open_id=notification.buyer_open_id,
        buyer_logon_id=notification.buyer_logon_id,
    )
    return None if payment == Payment() else payment


def _as_a_query_spells(bill: Mapping[str, Any]) -> dict[str, Any]:
    """A part of the payment with the names that answers have: a notification writes them in camel
    case (apis.md §1.7, §2.1), and whoever reads the books must not care which came first."""
    return {_CAPITAL.sub(lambda at: f"_{at[0].lower()}", name): bill[name] for name in bill}


def needs_confirmation(notification: Notification) -> bool:
    """Whether a query must confirm it first: it lacks the app id or the seller id."""
    return notification.app_id is None or notification.seller_id is None


def _app_identity(notification: TradeNotification, merchant: Merchant) -> str | None:
    """The app id to hold against the order's: the one that differs, if one does.

    In ISV mode ``app_id`` is the service provider's and ``auth_app_id`` the merchant's own app;
    otherwise both are the merchant's (protocol.md §6.4).
    """
    expected = merchant.auth_app_id or merchant.app_id
    if notification.auth_app_id not in (None, expected):
        return notification.auth_app_id
    return notification.app_id


def agrees(notice: TradeFact, answer: TradeFact) -> bool:
    """Whether a signed answer confirms a notification that lacks an identity.

    The same trade, the same total, and a state in which the notification can be true: a full
    refund or a close is a closed trade, everything else a trade that is not absent.
    """
    if answer.kind is FactKind.ABSENT or notice.trade_no not in (None, answer.trade_no):
        return False
    if answer.total is not None and notice.total not in (None, answer.total):
        return False
    closed = {FactKind.CLOSED_UNPAID, FactKind.CLOSED_UNCLEAR}
    if notice.kind in {FactKind.REFUNDED, *closed}:
        return answer.kind in closed
    return True


def fact_to_json(fact: TradeFact) -> dict[str, Any]:
    """``fact`` as the inbox keeps it, so that applying needs no second verification."""
    payment = fact.payment
    return {
        "kind": fact.kind.value,
        "out_trade_no": fact.out_trade_no,
        "source_ref": fact.source_ref,
        "learned_at": fact.learned_at.isoformat(),
        "app_id": fact.app_id,
        "seller_id": fact.seller_id,
        "trade_no": fact.trade_no,
        "total": _amount_to_json(fact.total),
        "refunded": _amount_to_json(fact.refunded),
        "refund_request_no": fact.refund_request_no,
        "payment": None if payment is None else _payment_to_json(payment),
        "refunded_at": None if fact.refunded_at is None else fact.refunded_at.isoformat(),
    }


def fact_from_json(kept: Mapping[str, Any]) -> TradeFact:
    """The fact that `fact_to_json` kept."""
    payment = kept["payment"]
    return TradeFact(
        kind=FactKind(kept["kind"]),
        out_trade_no=kept["out_trade_no"],
        source=Source.NOTIFICATION,
        source_ref=kept["source_ref"],
        learned_at=require_aware(datetime.fromisoformat(kept["learned_at"])),
        app_id=kept["app_id"],
        seller_id=kept["seller_id"],
        trade_no=kept["trade_no"],
        total=_amount_from_json(kept["total"]),
        refunded=_amount_from_json(kept["refunded"]),
        refund_request_no=kept["refund_request_no"],
        payment=None if payment is None else _payment_from_json(payment),
        refunded_at=_moment_from_json(kept.get("refunded_at")),  # what is older has none
    )


def _moment_from_json(text: str | None) -> datetime | None:
    return None if text is None else require_aware(datetime.fromisoformat(text))


_PAYMENT_AMOUNTS = ("receipt", "buyer_pay", "invoice", "point", "discount")
_PAYMENT_TEXTS = ("buyer_id", "buyer_open_id", "buyer_logon_id")


def _payment_to_json(payment: Payment) -> dict[str, Any]:
    amounts = {name: _amount_to_json(getattr(payment, name)) for name in _PAYMENT_AMOUNTS}
    texts = {name: getattr(payment, name) for name in _PAYMENT_TEXTS}
    paid_at = None if payment.paid_at is None else payment.paid_at.isoformat()
    bills = [dict(bill) for bill in payment.fund_bills]
    return {**amounts, **texts, "paid_at": paid_at, "fund_bills": bills}


def _payment_from_json(kept: Mapping[str, Any]) -> Payment:
    paid_at = kept["paid_at"]
    return Payment(
        paid_at=None if paid_at is None else require_aware(datetime.fromisoformat(paid_at)),
        fund_bills=tuple(kept["fund_bills"]),
        **{name: _amount_from_json(kept[name]) for name in _PAYMENT_AMOUNTS},
        **{name: kept[name] for name in _PAYMENT_TEXTS},
    )


def _amount_to_json(amount: Money | None) -> list[Any] | None:
    return None if amount is None else [amount.minor, amount.currency]


def _amount_from_json(kept: list[Any] | None) -> Money | None:
    return None if kept is None else Money(kept[0], kept[1])
