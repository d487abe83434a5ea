"""A charge from the intent to its end: the call, and every step after it.

What is about to be done is on disk before it is done. The steps are durable jobs and can run twice: the
number of the order makes a second call the same as the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from daozhang.alipay.errors import ConfigurationError, OutcomeUnknown, Rejected
from daozhang.alipay.operations.pay import TradePay
from daozhang.service.charges import rules, store
from daozhang.service.charges.model import Answer, Charge, ChargeKind, Outcome, Phase, Word
from daozhang.service.charges.requesting import CHARGES_SIGNAL
from daozhang.service.charges.rules import Action, Follow
from daozhang.service.db import Tx
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.inquiries.rules import fact_of_pay
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.orders.actions import give_up, lock_order
from daozhang.service.orders.handing import notify_address, terms_of
from daozhang.service.orders.model import ClosingReason, Order, OrderStatus, TradeFact
from daozhang.service.refunds.settling import settle_fact

OnEnd = Callable[[Tx, Charge, Order], None]
"""Told in the transaction in which a charge ends, with its order locked; must not use the network."""


@dataclass(frozen=True, slots=True)
class Charges:
    """Works charges off, one step at a time."""

    inquirer: Inquirer
    on_end: Mapping[ChargeKind, OnEnd]

    def run(self, charge_id: int) -> None:
        """Takes the next step of a charge: call, ask, close, or see that it has ended."""
        context = self.inquirer.context
        with context.database.begin() as tx:
            order, charge, action = self._begin(tx, charge_id)
        if action is Action.CALL:
            self._call(order, charge)
        elif action in (Action.ASK, Action.DOUBT):
            self._ask(order, charge)
        elif action is Action.CLOSE:
            self._close(order, charge)

    def _begin(self, tx: Tx, charge_id: int) -> tuple[Order, Charge, Action]:
        """Decides under the order's lock, and writes down what is about to be done."""
        now = self.inquirer.context.clock.now()
        order = lock_order(tx, _read(tx, charge_id).order_id)
        charge = _read(tx, charge_id)
        action = rules.next_action(charge, order, now)
        if action is Action.CALL and stopped_by(tx, charge.merchant_id) is not None:
            # The switch may be turned while the order can still be paid.
            due_at = now + timedelta(seconds=rules.NOT_SENT_SECONDS)
            journal = rules.note(charge, Word.STOPPED, now)
            self._save(tx, charge, due_at=due_at, last_code="outgoing_stopped", journal=journal)
            return order, charge, Action.NOTHING
        if action is Action.END:
            self._end(tx, order, charge)
        elif action is Action.CALL:
            self._save(
                tx,
                charge,
                phase=Phase.CALLING.value,
                called_at=now,
                call_count=charge.call_count + 1,
                journal=rules.note(charge, Word.CALLED, now),
            )
        elif action is Action.DOUBT:
            self._save(
                tx,
                charge,
                phase=Phase.ASKING.value,
                last_outcome=Outcome.UNKNOWN.value,
                ask_count=charge.ask_count + 1,
                journal=rules.note(charge, Word.INTERRUPTED, now),
            )
        elif action in (Action.ASK, Action.CLOSE):
            more: dict[str, Any] = {"ask_count": charge.ask_count + 1}
            if action is Action.CLOSE:
                more["journal"] = rules.note(charge, Word.CLOSES, now)
            self._save(tx, charge, **more)
        elif action is Action.NOTHING:
            self._save(tx, charge, due_at=None)
        return order, _read(tx, charge_id), action

    # ---- the call

    def _call(self, order: Order, charge: Charge) -> None:
        answer, fact = self._pay(order, charge)
        context = self.inquirer.context
        with context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            if fact is not None:
                locked = settle_fact(tx, context, locked, fact).order
            current = _read(tx, charge.id)
            word, now = rules.WORDS[answer.outcome], context.clock.now()
            told: dict[str, Any] = {
                "last_outcome": answer.outcome.value,
                "last_code": answer.code,
                "last_message": answer.message,
                "journal": rules.note(current, word, now, answer.code),
            }
            self._save(tx, current, **told)
            current = _read(tx, charge.id)
            if self._end_if_final(tx, locked, current) or current.phase is not Phase.CALLING:
                return
            move = rules.after_call(current, answer)
            if move.to is Phase.REFUSED:
                self._refuse(tx, locked, current)
                return
            due_at = now + timedelta(seconds=move.due_seconds)
            self._save(tx, current, phase=move.to.value, due_at=due_at)

    def _pay(self, order: Order, charge: Charge) -> tuple[Answer, TradeFact | None]:
        clients, context = self.inquirer.clients, self.inquirer.context
        merchant = clients.merchant(order.merchant_id)
        terms: dict[str, Any] = {**terms_of(order), **charge.instrument}
        try:
            operation = TradePay(
                **terms,
                seller_id=order.seller_id,
                operator_id=order.operator_id,
                terminal_id=order.terminal_id,
            )
            result = clients.client_for(order.merchant_id).call(
                operation, notify_url=notify_address(context, merchant)
            )
        except Rejected as no:
            state = no.sub_code in rules.STATE_CODES
            outcome = Outcome.STATE if state else Outcome.REFUSED
            return Answer(outcome, no.sub_code or no.code, no.message), None
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason), None
        except ConfigurationError as error:
            return Answer(Outcome.NOT_SENT, "not_sent", str(error)), None
        outcome = Outcome.PAID if result.is_paid else Outcome.BUYER_ACTS
        return Answer(outcome), fact_of_pay(order, result, context.clock.now())

    # ---- the steps after it

    def _ask(self, order: Order, charge: Charge) -> None:
        _, fact = self.inquirer.learn(self.inquirer.expire(order))
        context = self.inquirer.context
        with context.database.begin() as tx:
            locked, current = lock_order(tx, order.id), _read(tx, charge.id)
            now = context.clock.now()
            kind = None if fact is None else fact.kind
            word = Word.ASKED_IN_VAIN if kind is None else Word.ASKED
            if current.phase is not Phase.ENDED:
                journal = rules.note(current, word, now, None if kind is None else kind.value)
                self._save(tx, current, journal=journal)
                current = _read(tx, charge.id)
            if self._end_if_final(tx, locked, current) or current.phase is Phase.CALLING:
                return
            follow = rules.follow_of(current, locked, kind, now)
            if follow is Follow.GIVE_UP:
                self._refuse(tx, locked, current)
            elif follow is Follow.CALL_AGAIN:
                self._save(tx, current, phase=Phase.DUE.value, due_at=now)
            else:
                self._save(tx, current, due_at=rules.due_after_asking(current, now))

    def _close(self, order: Order, charge: Charge) -> None:
        """Closes the trade of a charge that was refused, and takes what that proves (money.md §5)."""
        self.inquirer.close(order)
        context = self.inquirer.context
        with context.database.begin() as tx:
            locked, current = lock_order(tx, order.id), _read(tx, charge.id)
            if not self._end_if_final(tx, locked, current):
                due_at = rules.due_after_asking(current, context.clock.now())
                self._save(tx, current, due_at=due_at)

    def _refuse(self, tx: Tx, order: Order, charge: Charge) -> None:
        """A definite no: the order is given up, and closed once that is proven."""
        now = self.inquirer.context.clock.now()
        if not order.attention and order.status is not OrderStatus.CLOSING:
            give_up(tx, order, ClosingReason.REFUSED, now)
        due_at = now + timedelta(seconds=rules.PROOF_SECONDS)
        self._save(tx, charge, phase=Phase.REFUSED.value, due_at=due_at)

    # ---- rows

    def _end_if_final(self, tx: Tx, order: Order, charge: Charge) -> bool:
        if order.status not in rules.ENDINGS:
            return False
        if charge.phase is not Phase.ENDED:
            self._end(tx, order, charge)
        return True

    def _end(self, tx: Tx, order: Order, charge: Charge) -> None:
        now = self.inquirer.context.clock.now()
        ending = rules.ENDINGS[order.status]
        self._save(
            tx,
            charge,
            phase=Phase.ENDED.value,
            ending=ending.value,
            due_at=None,
            ended_at=now,
            journal=rules.note(charge, Word.ENDED, now, ending.value),
        )
        self.on_end[charge.kind](tx, _read(tx, charge.id), order)

    def _save(self, tx: Tx, charge: Charge, **values: object) -> None:
        store.update_charge(tx, charge.id, updated_at=self.inquirer.context.clock.now(), **values)
        if "due_at" in values:
            tx.after_commit(lambda: self.inquirer.context.signals.wake(CHARGES_SIGNAL))


def _read(tx: Tx, charge_id: int) -> Charge:
    charge = store.find_charge(tx, charge_id)
    assert charge is not None, f"charge {charge_id} is gone, and charges are never deleted"
    return charge
