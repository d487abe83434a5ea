"""A payment at the till from the scan to its end: the charge, and every step after it.

What is about to be done is on disk before it is done. The code is charged by the request that brought it,
once: a charge that was begun and never recorded is an unknown outcome, which is asked about, and given
up by a cancel. The steps are durable jobs and can run twice: a question and a cancel change nothing the
second time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from daozhang.alipay.errors import ConfigurationError
from daozhang.service.db import Tx
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.orders.actions import lock_order, reinstate
from daozhang.service.orders.announcing import tell_person
from daozhang.service.orders.model import ClosingReason, FactKind, Order, OrderStatus, TradeFact
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.refunds.model import RefundOrigin
from daozhang.service.refunds.rules import PROOF_SECONDS
from daozhang.service.refunds.settling import settle_fact
from daozhang.service.till import rules, scanning, store
from daozhang.service.till.calls import Calls
from daozhang.service.till.model import (
    Answer,
    BarcodePayment,
    CancelOutcome,
    Ending,
    Outcome,
    Phase,
    Scan,
    Word,
)
from daozhang.service.till.rules import Action
from daozhang.service.till.scanning import TILL_SIGNAL, give_up_payment, note
from daozhang.service.web.context import Context

STEPS_AT_ONCE = 3
"""A step that ends in "now" is followed by the next: the time is over, so it is cancelled."""


@dataclass(frozen=True, slots=True)
class Till:
    """Charges codes and works payments off."""

    inquirer: Inquirer
    calls: Calls
    attempts: Attempts

    @property
    def context(self) -> Context:
        """The surroundings of the service."""
        return self.inquirer.context

    # ---- the charge

    def charge(self, order: Order, payment: BarcodePayment, scan: Scan) -> None:
        """Charges the code of a payment that has just been begun, and takes what it told."""
        try:
            answer, fact = self.calls.pay(order, payment, scan)
        except ConfigurationError:
            self._not_sent(order, payment)
            raise
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            if fact is not None:
                locked = settle_fact(tx, self.context, locked, fact).order
            self._take_answer(tx, locked, payment.id, answer)

    def _not_sent(self, order: Order, payment: BarcodePayment) -> None:
        with self.context.database.begin() as tx:
            lock_order(tx, order.id)
            current = _read(tx, payment.id)
            if current.phase is Phase.CALLING:
                now = self.context.clock.now()
                journal = note(current, Word.NOT_SENT, now)
                scanning.end(tx, current, Ending.NOT_SENT, now, journal)

    def _take_answer(self, tx: Tx, order: Order, payment_id: int, answer: Answer) -> None:
        """Moves a payment of a locked order by what its charge has told.

        Whoever gave it up meanwhile keeps the last word: then only the order's end moves it.
        """
        payment = _read(tx, payment_id)
        if self._end_if_final(tx, order, payment) or payment.phase is not Phase.CALLING:
            return
        now = self.context.clock.now()
        move = rules.AFTER_CALL[answer.outcome]
        told = replace(payment, last_code=answer.code, last_message=answer.message)
        store.update_payment(
            tx,
            payment.id,
            last_code=answer.code,
            last_message=answer.message,
            buyer_acts=answer.outcome is Outcome.BUYER_ACTS,
        )
        if move.to is Phase.CANCELLING and not order.attention:
            give_up_payment(tx, self.context, order, told, move.word, answer.code)
            return
        to = Phase.ASKING if move.to is Phase.CANCELLING else move.to
        journal = note(payment, move.word, now, answer.code)
        due_at = now + timedelta(seconds=move.due_seconds or 0)
        self._save(tx, payment, phase=to.value, due_at=due_at, journal=list(journal))

    # ---- the steps after it

    def run(self, payment_id: int) -> None:
        """Takes the next step of a payment: ask, give up, cancel, or see that it has ended."""
        for _ in range(STEPS_AT_ONCE):
            with self.context.database.begin() as tx:
                order, payment, action = self._begin(tx, payment_id)
            if action is Action.ASK:
                self._ask(order, payment)
            elif action is Action.CANCEL:
                self._cancel(order, payment)
            if action not in (Action.GIVE_UP, Action.DOUBT):
                return

    def _begin(self, tx: Tx, payment_id: int) -> tuple[Order, BarcodePayment, Action]:
        """Decides under the order's lock, and writes down what is about to be done."""
        now = self.context.clock.now()
        found = _read(tx, payment_id)
        order = lock_order(tx, found.order_id)
        payment = _read(tx, payment_id)
        action = rules.next_action(payment, order, now)
        match action:
            case Action.END:
                self._end_if_final(tx, order, payment)
            case Action.DOUBT:
                journal = note(payment, Word.INTERRUPTED, now)
                self._save(tx, payment, phase=Phase.ASKING.value, journal=list(journal))
            case Action.GIVE_UP:
                declined = payment.phase is Phase.DECLINED
                word = Word.NOT_TRIED_AGAIN if declined else Word.TIME_OVER
                order, payment = give_up_payment(
                    tx, self.context, order, payment, word, at_once=True
                )
            case Action.ASK:
                self._save(tx, payment, ask_count=payment.ask_count + 1)
            case Action.CANCEL:
                self._save(tx, payment, cancel_count=payment.cancel_count + 1)
            case Action.NOTHING:
                self._save(tx, payment, due_at=None)
        return order, payment, action

    def _ask(self, order: Order, payment: BarcodePayment) -> None:
        fact = self._learn(order)
        word = Word.ASKED_IN_VAIN if fact is None else Word.ASKED
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            current = _read(tx, payment.id)
            if self._end_if_final(tx, locked, current) or current.phase is Phase.ENDED:
                return
            now = self.context.clock.now()
            journal = note(current, word, now, None if fact is None else fact.kind.value)
            due_at = rules.due_after_asking(payment, now)
            if current.phase is not payment.phase and current.due_at is not None:
                due_at = current.due_at  # given up meanwhile: due when that says
            self._save(tx, current, due_at=due_at, journal=list(journal))

    def _learn(self, order: Order) -> TradeFact | None:
        """Asks about the trade and settles the answer; ``None`` if that stays unknown."""
        fact = self.inquirer.ask_trade(order)
        if fact is not None:
            self._settle(order, fact)
        return fact

    def _settle(self, order: Order, fact: TradeFact) -> None:
        settled = self.inquirer.settle(order, fact)
        if fact.kind is FactKind.CLOSED_UNCLEAR and settled.status is OrderStatus.CLOSING:
            # Paid and given back: by a cancel of ours whose answer was lost. Alipay books it under
            # the trade's own number (apis.md §3.1).
            self.attempts.ask_named(settled, order.out_trade_no, RefundOrigin.CANCEL)

    def _cancel(self, order: Order, payment: BarcodePayment) -> None:
        with self.context.database.begin() as tx:
            stopped = stopped_by(tx, order.merchant_id) is not None
        if stopped:
            # A cancel may give money back, a close never does.
            self.inquirer.close(order)
            outcome, code, fact = CancelOutcome.NOTHING, "outgoing_stopped", None
        else:
            outcome, code, fact = self.calls.cancel(order)
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            if fact is not None:
                locked = settle_fact(tx, self.context, locked, fact).order
            current = _read(tx, payment.id)
            now = self.context.clock.now()
            journal = note(current, rules.AFTER_CANCEL[outcome], now, code)
            current = replace(current, journal=journal)
            self._save(tx, current, journal=list(journal))
            if self._end_if_final(tx, locked, current):
                return
        self._after_cancel(locked, current, outcome)

    def _after_cancel(self, order: Order, payment: BarcodePayment, outcome: CancelOutcome) -> None:
        """Asks what a cancel that has proven nothing has left behind."""
        fact = self.inquirer.ask_trade(order)
        refused = outcome is CancelOutcome.REJECTED and self._no_cancel_is_under_way(payment)
        if fact is not None and refused and fact.kind is FactKind.PAID:
            self._release(order, fact)
        elif fact is not None:
            self._settle(order, fact)
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            current = _read(tx, payment.id)
            if self._end_if_final(tx, locked, current) or current.phase is Phase.ENDED:
                return
            now = self.context.clock.now()
            if rules.person_is_due(current):
                current = self._ask_person(tx, locked, current, now)
            self._save(tx, current, due_at=rules.due_after_cancelling(payment, now))

    def _no_cancel_is_under_way(self, payment: BarcodePayment) -> bool:
        """Whether a "no" to this cancel speaks for all: an earlier one without an answer may still
        arrive, and only a question late enough tells (money.md §5)."""
        unknown = [e for e in payment.journal if e["word"] == Word.CANCEL_UNKNOWN.value]
        if not unknown:
            return True
        last = datetime.fromisoformat(unknown[-1]["at"])
        return self.context.clock.now() >= last + timedelta(seconds=PROOF_SECONDS)

    def _release(self, order: Order, fact: TradeFact) -> None:
        """The cancel is definitely refused and a fresh question says that it is paid: the payment
        stands (money.md §3)."""
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            cancelling = locked.closing_reason is ClosingReason.CANCEL
            if locked.status is OrderStatus.CLOSING and cancelling:
                locked = reinstate(tx, locked, self.context.clock.now())
            settle_fact(tx, self.context, locked, fact)

    def _ask_person(
        self, tx: Tx, order: Order, payment: BarcodePayment, now: datetime
    ) -> BarcodePayment:
        detail = f"{payment.cancel_count} cancels of the payment at the till proved nothing"
        reason = "cancel_stays_unclear"
        tell_person(tx, self.context, order, reason, detail, order.amount, now)
        journal = note(payment, Word.PERSON_ASKED, now)
        self._save(tx, payment, journal=list(journal))
        return replace(payment, journal=journal)

    # ---- rows

    def _end_if_final(self, tx: Tx, order: Order, payment: BarcodePayment) -> bool:
        """Ends a payment whose order is final; whether it is."""
        ending = rules.ENDINGS.get(order.status)
        if ending is None:
            return False
        if payment.phase is not Phase.ENDED:
            now = self.context.clock.now()
            scanning.end(tx, payment, ending, now, note(payment, Word.CONFIRMED, now, ending.value))
        return True

    def _save(self, tx: Tx, payment: BarcodePayment, **values: object) -> None:
        store.update_payment(tx, payment.id, updated_at=self.context.clock.now(), **values)
        if "due_at" in values:
            tx.after_commit(lambda: self.context.signals.wake(TILL_SIGNAL))


def _read(tx: Tx, payment_id: int) -> BarcodePayment:
    payment = store.find_payment(tx, payment_id)
    assert payment is not None, f"payment {payment_id} is gone, and payments are never deleted"
    return payment
