"""Ask Alipay about an order, close it there, and settle what it answers.

The network is never inside a transaction: read, commit, call, then lock and settle.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.trade import TradeClose, TradeQuery
from daozhang.service.inquiries import rules
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.actions import give_up, lock_order, note_query
from daozhang.service.orders.model import (
    ClosingReason,
    FactKind,
    Order,
    OrderStatus,
    Source,
    TradeFact,
)
from daozhang.service.orders.rules import is_past_grace
from daozhang.service.refunds.actions import ask_refunds
from daozhang.service.refunds.settling import settle_fact
from daozhang.service.web.context import Context

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Inquirer:
    """Asks Alipay on behalf of the merchants."""

    context: Context
    clients: Clients

    def inquire(self, order: Order) -> Order:
        """Asks about ``order`` once, settles the answer and closes what is to be closed.

        Returns the order as it then stands. An unknown outcome changes nothing but when the next
        question is due; nothing is raised for it.
        """
        return self.learn(order)[0]

    def learn(self, order: Order) -> tuple[Order, TradeFact | None]:
        """As `inquire`, with what Alipay answered to the question; ``None`` if that stays unknown."""
        fact = self.ask_trade(order)
        if fact is None:
            return self._note(order), None
        settled = self.settle(order, fact)
        if fact.kind is FactKind.WAITING and _is_given_up(settled):
            return self.close(settled), fact
        return settled, fact

    def ask_trade(self, order: Order) -> TradeFact | None:
        """What Alipay says of the order's trade now; ``None`` if that stays unknown."""
        client = self.clients.client_for(order.merchant_id)
        try:
            result = client.call(TradeQuery(out_trade_no=order.out_trade_no))
        except Rejected as answer:
            if rules.is_absent(answer):
                return rules.absent_fact(order, answer, Source.QUERY, self.context.clock.now())
            log.warning("query_rejected", out_trade_no=order.out_trade_no, code=answer.sub_code)
            return None
        except OutcomeUnknown as unknown:
            log.info("query_unknown", out_trade_no=order.out_trade_no, reason=str(unknown))
            return None
        return rules.fact_of_query(order, result, self.context.clock.now())

    def close(self, order: Order) -> Order:
        """Closes an order at Alipay that was given up here, and settles what that proves."""
        client = self.clients.client_for(order.merchant_id)
        try:
            result = client.call(TradeClose(out_trade_no=order.out_trade_no))
        except Rejected as answer:
            now = self.context.clock.now()
            if rules.is_absent(answer):
                return self.settle(order, rules.absent_fact(order, answer, Source.CLOSE, now))
            # It may have been paid or closed meanwhile: only a query tells which.
            fact = self.ask_trade(order)
            return self._note(order) if fact is None else self.settle(order, fact)
        except OutcomeUnknown as unknown:
            log.info("close_unknown", out_trade_no=order.out_trade_no, reason=str(unknown))
            return self._note(order)
        closed = TradeFact(
            kind=FactKind.CLOSED_UNPAID,
            out_trade_no=order.out_trade_no,
            source=Source.CLOSE,
            source_ref=result.trace_id or "",
            learned_at=self.context.clock.now(),
            trade_no=result.trade_no,
        )
        return self.settle(order, closed)

    def settle(self, order: Order, fact: TradeFact) -> Order:
        """Takes a fact through the one door, in a transaction of its own."""
        grace_seconds = self.context.settings.expiry_grace_seconds
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            settled = settle_fact(tx, self.context, locked, fact).order
            if fact.kind is FactKind.CLOSED_UNCLEAR:
                ask_refunds(tx, self.context, settled)
            if fact.source is Source.QUERY and settled.is_open:
                note_query(tx, settled, self.context.clock.now(), grace_seconds=grace_seconds)
            return lock_order(tx, order.id)

    def expire(self, order: Order) -> Order:
        """Gives an order up whose time and grace have run out; returns it unchanged otherwise."""
        now = self.context.clock.now()
        grace_seconds = self.context.settings.expiry_grace_seconds
        unpaid = order.status in (OrderStatus.CREATED, OrderStatus.WAITING)
        if not unpaid or order.attention or not is_past_grace(order, now, grace_seconds):
            return order
        with self.context.database.begin() as tx:
            return give_up(tx, lock_order(tx, order.id), ClosingReason.EXPIRY, now)

    def _note(self, order: Order) -> Order:
        grace_seconds = self.context.settings.expiry_grace_seconds
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            note_query(tx, locked, self.context.clock.now(), grace_seconds=grace_seconds)
            return lock_order(tx, order.id)


def _is_given_up(order: Order) -> bool:
    """Whether a trade that still waits at Alipay is to be closed there."""
    cancelling = order.closing_reason is ClosingReason.CANCEL
    given_up = order.status in (OrderStatus.CLOSING, OrderStatus.CLOSED)
    return given_up and not cancelling and not order.attention
