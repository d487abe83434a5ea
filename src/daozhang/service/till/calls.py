"""The two calls of a payment at the till, and what their answers say. No row is touched here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.pay import TradePay
from daozhang.alipay.operations.trade import TradeCancel
from daozhang.service.inquiries.rules import fact_of_pay
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.handing import notify_address, terms_of
from daozhang.service.orders.model import FactKind, Order, Source, TradeFact
from daozhang.service.till.messages import Follow, sentence_for
from daozhang.service.till.model import Answer, BarcodePayment, CancelOutcome, Outcome, Scan
from daozhang.service.web.context import Context

_BY_FOLLOW = {
    Follow.AGAIN: Outcome.TRY_AGAIN,
    Follow.END: Outcome.REFUSED,
    Follow.ASK: Outcome.STATE,
}


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls Alipay for the till."""

    context: Context
    clients: Clients

    def pay(
        self, order: Order, payment: BarcodePayment, scan: Scan
    ) -> tuple[Answer, TradeFact | None]:
        """Charges a code, once. Raises `ConfigurationError` if nothing could be sent."""
        merchant = self.clients.merchant(order.merchant_id)
        terms: dict[str, Any] = {**terms_of(order), "store_id": payment.store_id}
        operation = TradePay(
            **terms,
            scene=scan.scene,
            auth_code=scan.auth_code,
            product_code="FACE_TO_FACE_PAYMENT",
            operator_id=payment.operator_id,
            terminal_id=payment.terminal_id,
        )
        try:
            result = self.clients.client_for(order.merchant_id).call(
                operation, notify_url=notify_address(self.context, merchant)
            )
        except Rejected as no:
            follow = sentence_for(no.sub_code, no.message).follow
            return Answer(_BY_FOLLOW[follow], no.sub_code or no.code, no.message), None
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason), None
        outcome = Outcome.PAID if result.is_paid else Outcome.BUYER_ACTS
        return Answer(outcome), fact_of_pay(order, result, self.context.clock.now())

    def cancel(self, order: Order) -> tuple[CancelOutcome, str | None, TradeFact | None]:
        """Cancels an order that was given up: how that went, the code of a no, and what it proves."""
        operation = TradeCancel(out_trade_no=order.out_trade_no)
        try:
            result = self.clients.client_for(order.merchant_id).call(operation)
        except Rejected as no:
            return CancelOutcome.REJECTED, no.sub_code or no.code, None
        except OutcomeUnknown as unknown:
            return CancelOutcome.UNKNOWN, unknown.cause, None
        if result.retry_flag == "Y" or result.action not in ("close", "refund"):
            return CancelOutcome.NOTHING, None, None
        refunded = result.action == "refund"
        fact = TradeFact(
            kind=FactKind.REFUNDED if refunded else FactKind.CLOSED_UNPAID,
            out_trade_no=order.out_trade_no,
            source=Source.CANCEL,
            source_ref=result.trace_id or "",
            learned_at=self.context.clock.now(),
            trade_no=result.trade_no,
            refunded=order.amount if refunded else None,
        )
        return (CancelOutcome.REFUNDED if refunded else CancelOutcome.CLOSED), None, fact
