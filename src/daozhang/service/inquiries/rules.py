"""Alipay's answers as facts. Pure."""

from __future__ import annotations

from datetime import datetime

from daozhang.alipay.errors import Rejected
from daozhang.alipay.operations.pay import TradePayResult
from daozhang.alipay.operations.trade import TradeQueryResult
from daozhang.money import Money
from daozhang.service.orders.model import FactKind, Order, Payment, Source, TradeFact

TRADE_ABSENT_CODES = frozenset({"ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST"})
"""What Alipay answers while nobody has opened the page (apis.md §2.1): unpaid, never failed."""

_KINDS = {
    "WAIT_BUYER_PAY": FactKind.WAITING,
    "TRADE_SUCCESS": FactKind.PAID,
    "TRADE_FINISHED": FactKind.FINISHED,
}


def fact_of_query(order: Order, result: TradeQueryResult, now: datetime) -> TradeFact | None:
    """What a signed answer to `alipay.trade.query` says; ``None`` if its status is not known.

    A query tells no refunded amount. A closed trade with signs of a payment is therefore
    "closed, unclear", never "closed unpaid".
    """
    payment = payment_of_query(result)
    kind = _KINDS.get(result.trade_status or "")
    if result.trade_status == "TRADE_CLOSED":
        paid_once = payment.paid_at is not None or bool(payment.receipt or payment.buyer_pay)
        kind = FactKind.CLOSED_UNCLEAR if paid_once else FactKind.CLOSED_UNPAID
    if kind is None:
        return None
    tells_payment = kind not in (FactKind.WAITING, FactKind.CLOSED_UNPAID)
    return TradeFact(
        kind=kind,
        out_trade_no=order.out_trade_no,
        source=Source.QUERY,
        source_ref=result.trace_id or "",
        learned_at=now,
        trade_no=result.trade_no,
        total=result.total_amount,
        payment=payment if tells_payment else None,
    )


def fact_of_pay(order: Order, result: TradePayResult, now: datetime) -> TradeFact:
    """What a signed answer to `alipay.trade.pay` says: paid, or waiting for the buyer."""
    return TradeFact(
        kind=FactKind.PAID if result.is_paid else FactKind.WAITING,
        out_trade_no=order.out_trade_no,
        source=Source.PAY,
        source_ref=result.trace_id or "",
        learned_at=now,
        trade_no=result.trade_no,
        total=result.total_amount,
        payment=_payment_of(result, result.gmt_payment) if result.is_paid else None,
    )


def payment_of_query(result: TradeQueryResult) -> Payment:
    """How the payment was made up, as a query tells it."""
    return _payment_of(result, result.send_pay_date)


def _payment_of(result: TradeQueryResult | TradePayResult, paid_at: datetime | None) -> Payment:
    return Payment(
        paid_at=paid_at,
        receipt=_none_if_zero(result.receipt_amount),
        buyer_pay=_none_if_zero(result.buyer_pay_amount),
        invoice=_none_if_zero(result.invoice_amount),
        point=result.point_amount,
        discount=result.discount_amount,
        fund_bills=tuple(dict(bill) for bill in result.fund_bill_list or ()),
        buyer_id=result.buyer_user_id,
        buyer_open_id=result.buyer_open_id,
        buyer_logon_id=result.buyer_logon_id,
    )


def _none_if_zero(amount: Money | None) -> Money | None:
    """Alipay fills unpaid trades with 0.00, which is no sign of a payment."""
    return amount or None


def absent_fact(order: Order, answer: Rejected, source: Source, now: datetime) -> TradeFact:
    """ "No such trade", as a fact."""
    return TradeFact(
        kind=FactKind.ABSENT,
        out_trade_no=order.out_trade_no,
        source=source,
        source_ref=answer.trace_id or "",
        learned_at=now,
    )


def is_absent(answer: Rejected) -> bool:
    """Whether a refusal says that Alipay has no such trade."""
    return answer.sub_code in TRADE_ABSENT_CODES
