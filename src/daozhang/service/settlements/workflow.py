"""One attempt on a settlement: decide, call outside any transaction, settle what is learned.

An attempt is a durable job and can run twice. What it is about to do is on disk before it does it: a call
that was begun and never recorded is an unknown outcome, whatever became of the process.
"""

from __future__ import annotations

from dataclasses import dataclass

from daozhang.service.db import Tx
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.model import Order
from daozhang.service.settlements import store
from daozhang.service.settlements.calls import SettlementCalls
from daozhang.service.settlements.model import Answer, Outcome, Settlement
from daozhang.service.settlements.settling import take_answer
from daozhang.service.sharing.rules import Action, next_action
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class SettlementWork:
    """Works settlements off, one step at a time."""

    context: Context
    calls: SettlementCalls

    def run(self, settlement_id: int) -> None:
        """Takes the next step of a settlement: call, ask, or note when to come back."""
        with self.context.database.begin() as tx:
            order, settlement, action = self._begin(tx, settlement_id)
        if action is Action.CALL:
            answer = self.calls.confirm(order, settlement)
        elif action is Action.ASK:
            answer = self.calls.ask(order, settlement)
        else:
            return
        with self.context.database.begin() as tx:
            order = lock_order(tx, order.id)
            current = store.read_settlement(tx, settlement_id)
            take_answer(tx, self.context, order, current, answer, self.context.clock.now())

    def _begin(self, tx: Tx, settlement_id: int) -> tuple[Order, Settlement, Action]:
        """Decides under the order's lock, and writes down what is about to be done."""
        now = self.context.clock.now()
        order = lock_order(tx, store.read_settlement(tx, settlement_id).order_id)
        settlement = store.read_settlement(tx, settlement_id)
        allowed = stopped_by(tx, settlement.merchant_id) is None
        action, until = next_action(settlement, now, outgoing_allowed=allowed)
        if action is Action.HOLD:
            store.update_settlement(tx, settlement_id, due_at=None, held_at=now)
        elif action is Action.WAIT:
            store.update_settlement(tx, settlement_id, due_at=until)
        elif action is Action.DOUBT:
            doubt = Answer(Outcome.UNKNOWN, "interrupted", "The process ended during the call.")
            take_answer(tx, self.context, order, settlement, doubt, now)
        elif action is Action.CALL:
            calls = settlement.call_count + 1
            store.update_settlement(
                tx, settlement_id, calling=True, called_at=now, call_count=calls
            )
        elif action is Action.ASK:
            store.update_settlement(tx, settlement_id, ask_count=settlement.ask_count + 1)
        return order, settlement, action
