"""What came back of shares with refunds that were made before it was known that there are shares."""

from __future__ import annotations

from dataclasses import dataclass

from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.refunds import store
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.refunds.model import Outcome, RefundStatus
from daozhang.service.sharing import store as share_store
from daozhang.service.sharing.returning import note_question


@dataclass(frozen=True, slots=True)
class LateReturns:
    """Asks again about refunds of an order whose shares have ended after them."""

    attempts: Attempts

    def ask(self, round_id: int) -> None:
        """Asks about each refund of the round's order that has succeeded, and books what came back with it."""
        context = self.attempts.context
        with context.database.read() as tx:
            round_ = share_store.find_round_by_id(tx, round_id)
            assert round_ is not None, f"round {round_id} is gone, and rounds are never deleted"
            order = find_order_by_id(tx, round_.order_id)
            assert order is not None
            made = [
                refund
                for refund in store.list_refunds(tx, order.id)
                if refund.status is RefundStatus.SUCCEEDED and refund.out_request_no is not None
            ]
        is_answered = True
        for refund in made:
            answer = self.attempts.ask(order, refund)
            if answer.outcome is Outcome.PROVEN:
                with context.database.begin() as tx:
                    self.attempts.take(tx, order.id, refund.id, answer)
            else:
                is_answered = False
        with context.database.begin() as tx:
            locked, now = lock_order(tx, order.id), context.clock.now()
            note_question(tx, context, locked, round_, now, is_answered=is_answered)
