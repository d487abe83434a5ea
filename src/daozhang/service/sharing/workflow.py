"""One attempt on a round, or on a receiver: decide, call outside any transaction, settle what is learned.

An attempt is a durable job and can run twice. What it is about to do is on disk before it does it: a call
that was begun and never recorded is an unknown outcome, whatever became of the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.model import Order
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.sharing import register, rules, store
from daozhang.service.sharing.calls import ShareCalls
from daozhang.service.sharing.model import (
    Answer,
    Outcome,
    ReceiverStatus,
    Round,
    Share,
)
from daozhang.service.sharing.rules import Action
from daozhang.service.sharing.settling import take_answer
from daozhang.service.web.context import Context

RELATE_AGAIN_SECONDS: Final = 60
"""When a receiver is bound or unbound again after an answer that nobody knows: it changes nothing twice."""

_OUT_REQUEST_NO_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class ShareWork:
    """Works rounds and receivers off, one step at a time."""

    context: Context
    calls: ShareCalls

    def run(self, round_id: int) -> None:
        """Takes the next step of a round: call, ask, or note when to come back."""
        with self.context.database.begin() as tx:
            order, round_, shares, action = self._begin(tx, round_id)
        if action is Action.CALL:
            answer = self.calls.settle(order, round_, shares)
        elif action is Action.ASK:
            answer = self.calls.ask(order, round_)
        else:
            return
        self._take(order.id, round_id, answer)

    def _take(self, order_id: int, round_id: int, answer: Answer) -> None:
        """Takes what one call or question has told, under the order's lock."""
        with self.context.database.begin() as tx:
            order = lock_order(tx, order_id)
            current = store.find_round_by_id(tx, round_id)
            assert current is not None, f"round {round_id} is gone, and rounds are never deleted"
            take_answer(tx, self.context, order, current, answer, self.context.clock.now())

    def _begin(self, tx: Tx, round_id: int) -> tuple[Order, Round, list[Share], Action]:
        """Decides under the order's lock, and writes down what is about to be done."""
        now = self.context.clock.now()
        found = store.find_round_by_id(tx, round_id)
        assert found is not None, f"round {round_id} is gone, and rounds are never deleted"
        order = lock_order(tx, found.order_id)
        round_ = store.find_round_by_id(tx, round_id)
        assert round_ is not None
        shares = store.list_shares_of_round(tx, round_id)
        allowed = stopped_by(tx, round_.merchant_id) is None
        action, until = rules.next_action(round_, now, outgoing_allowed=allowed)
        if action is Action.HOLD:
            store.update_round(tx, round_id, due_at=None, held_at=now)
        elif action is Action.WAIT:
            store.update_round(tx, round_id, due_at=until)
        elif action is Action.DOUBT:
            doubt = Answer(Outcome.UNKNOWN, "interrupted", "The process ended during the call.")
            take_answer(tx, self.context, order, round_, doubt, now)
        elif action is Action.CALL:
            store.update_round(
                tx, round_id, calling=True, called_at=now, call_count=round_.call_count + 1
            )
        elif action is Action.ASK:
            store.update_round(tx, round_id, ask_count=round_.ask_count + 1)
        return order, round_, shares, action

    def learn(self, order_id: int) -> bool:
        """Asks about the open rounds of an order once, and takes the answers; whether all were answered.
        Nothing is sent."""
        with self.context.database.read() as tx:
            order = find_order_by_id(tx, order_id)
            open_rounds = [r for r in store.list_rounds(tx, order_id) if r.is_open and r.called_at]
        assert order is not None, f"order row {order_id} is gone, and orders are never deleted"
        answers = [(round_, self.calls.ask(order, round_)) for round_ in open_rounds]
        for round_, answer in answers:
            if answer.outcome is Outcome.PROVEN:
                self._take(order_id, round_.id, answer)
        return all(answer.outcome is not Outcome.UNKNOWN for _, answer in answers)

    # ---- receivers

    def relate(self, receiver_id: int) -> None:
        """Binds or unbinds a receiver that waits for it. To do it twice changes nothing."""
        with self.context.database.read() as tx:
            receiver = register.find_receiver_by_id(tx, receiver_id)
        assert receiver is not None, f"receiver {receiver_id} is gone, and they are never deleted"
        if receiver.status not in _WANTED:
            with self.context.database.begin() as tx:
                register.update_receiver(tx, receiver_id, due_at=None)
            return
        number = f"rel{receiver.id}n{receiver.attempt}"[:_OUT_REQUEST_NO_CHARACTERS]
        answer = self.calls.relate(receiver, number)
        now = self.context.clock.now()
        again = answer.outcome is Outcome.UNKNOWN
        refused = answer.outcome is Outcome.REJECTED
        unbinds = receiver.status is ReceiverStatus.UNBINDING
        status = _WANTED[receiver.status]
        if again:
            status = receiver.status
        elif refused:
            # Alipay keeps the relation that was to end; one that was to begin never did.
            status = ReceiverStatus.BOUND if unbinds else ReceiverStatus.REFUSED
        with self.context.database.begin() as tx:
            current = register.find_receiver_by_id(tx, receiver_id)
            if current is None or current.status is not receiver.status:
                return  # somebody wants it otherwise by now, and it is due for that
            register.update_receiver(
                tx,
                receiver_id,
                status=status.value,
                call_count=receiver.call_count + 1,
                due_at=now + timedelta(seconds=RELATE_AGAIN_SECONDS) if again else None,
                last_code=answer.code,
                last_message=answer.message,
                updated_at=now,
            )


_WANTED: Final = {
    ReceiverStatus.BINDING: ReceiverStatus.BOUND,
    ReceiverStatus.UNBINDING: ReceiverStatus.UNBOUND,
}
