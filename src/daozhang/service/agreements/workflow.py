"""An agreement from its page to its end, and each period's charge: one durable step at a time.

What is about to be done is on disk before it is done. Steps can run twice: a question changes nothing, an
end can be asked for again, and the number of a try is the same until it is proven to have failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.service.agreements import rules, store
from daozhang.service.agreements.actions import ask_soon, request_deduction
from daozhang.service.agreements.calls import AgreementCalls
from daozhang.service.agreements.events import DEDUCTION_FAILED, DUE, DeductionSnapshot
from daozhang.service.agreements.model import (
    Agreement,
    AgreementStatus,
    DeductionStatus,
)
from daozhang.service.agreements.settling import (
    AGREEMENTS_SIGNAL,
    announce,
    lock_agreement,
    note_call,
    settle_agreement,
)
from daozhang.service.charges.messages import sentences_for
from daozhang.service.charges.model import Charge, Ending, Outcome
from daozhang.service.db import Tx
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.orders.model import Order
from daozhang.service.web.context import Context

STOPPED_SECONDS: Final = 3600
"""When a charge is thought of again that the merchant's switch for outgoing money keeps back."""


@dataclass(frozen=True, slots=True)
class AgreementWork:
    """Works agreements off."""

    calls: AgreementCalls

    @property
    def context(self) -> Context:
        """The surroundings of the service."""
        return self.calls.context

    def run(self, agreement_id: int) -> None:
        """Takes the next step of an agreement: ends it, asks about it, charges what is due."""
        with self.context.database.begin() as tx:
            agreement = lock_agreement(tx, agreement_id)
            if agreement.status is AgreementStatus.EXPIRED and agreement.due_at is None:
                return
            asks = agreement.ask_count + 1
            self._save(tx, agreement, ask_count=asks)
        if agreement.status is AgreementStatus.ENDING:
            self._unsign(agreement)
        self._ask(agreement)

    def _unsign(self, agreement: Agreement) -> None:
        fact, code, message = self.calls.unsign(agreement)
        with self.context.database.begin() as tx:
            locked = lock_agreement(tx, agreement.id)
            self._save(tx, locked, last_code=code, last_message=message)
            outcome = "unknown" if code is not None else "taken"
            note_call(tx, locked, "unsign", outcome, self.context.clock.now(), code)
            if fact is not None:
                settle_agreement(tx, self.context, locked, fact)

    def _ask(self, agreement: Agreement) -> None:
        fact = self.calls.ask(agreement)
        with self.context.database.begin() as tx:
            locked = lock_agreement(tx, agreement.id)
            nudged = locked.due_at is not None and locked.due_at != agreement.due_at
            if fact is not None:
                locked = settle_agreement(tx, self.context, locked, fact)
                locked = self._charge_what_is_due(tx, locked)
            now = self.context.clock.now()
            if fact is None:
                note_call(tx, locked, "query", "unknown", now)
            if not (nudged and locked.due_at is not None and locked.due_at <= now):
                self._plan(tx, locked, now)

    def _plan(self, tx: Tx, agreement: Agreement, now: datetime) -> None:
        """When the agreement is worked on next: asked about, charged, or announced."""
        grace = self.context.settings.expiry_grace_seconds
        due_at = rules.due_after_asking(agreement, now, grace)
        others = [agreement.next_try_at, rules.window_opens_at(agreement, now)]
        moments = [at for at in (due_at, *others) if at is not None]
        self._save(tx, agreement, due_at=min(moments, default=None))

    def learn(self, agreement_id: int) -> bool:
        """Asks about an agreement once and takes the answer; whether there was one. Charges nothing."""
        with self.context.database.read() as tx:
            agreement = store.find_by_id(tx, agreement_id)
        assert agreement is not None
        fact = self.calls.ask(agreement)
        if fact is not None:
            with self.context.database.begin() as tx:
                settle_agreement(tx, self.context, lock_agreement(tx, agreement_id), fact)
        return fact is not None

    # ---- charging

    def _charge_what_is_due(self, tx: Tx, agreement: Agreement) -> Agreement:
        """Charges the present period if it is time, or says that it is due; sets when to look again."""
        now = self.context.clock.now()
        if agreement.status is not rules.CHARGEABLE or agreement.attention:
            self._save(tx, agreement, next_try_at=None)
            return lock_agreement(tx, agreement.id)
        if agreement.plan is None:
            return self._announce_due(tx, agreement, now)
        if not rules.period_is_free(agreement, store.list_deductions(tx, agreement.id)):
            self._save(tx, agreement, next_try_at=None)
            return lock_agreement(tx, agreement.id)
        at = agreement.next_try_at or self._first_try(tx, agreement)
        if at is not None and at <= now and rules.is_due(agreement, now):
            if stopped_by(tx, agreement.merchant_id) is not None:
                at = now + timedelta(seconds=STOPPED_SECONDS)
            else:
                self._charge(tx, agreement)
                return lock_agreement(tx, agreement.id)
        elif at is not None and at <= now:
            at = None  # its window is over, or not open yet: the next question tells which
        self._save(tx, agreement, next_try_at=at)
        return lock_agreement(tx, agreement.id)

    def _first_try(self, tx: Tx, agreement: Agreement) -> datetime | None:
        """When a period is tried for the first time; never again by this once it was."""
        day = agreement.next_deduct_on
        tried = any(d.planned_on == day for d in store.list_deductions(tx, agreement.id))
        return None if tried else rules.first_try_at(agreement)

    def _announce_due(self, tx: Tx, agreement: Agreement, now: datetime) -> Agreement:
        day = agreement.next_deduct_on
        if day is None or agreement.announced_on == day or not rules.is_due(agreement, now):
            return agreement
        if not rules.period_is_free(agreement, store.list_deductions(tx, agreement.id)):
            return agreement
        self._save(tx, agreement, announced_on=day)
        announce(tx, self.context, agreement, DUE, now)
        return lock_agreement(tx, agreement.id)

    def _charge(self, tx: Tx, agreement: Agreement) -> None:
        plan = agreement.plan
        assert plan is not None
        request_deduction(
            tx,
            self.context,
            self.calls.clients.merchant(agreement.merchant_id),
            agreement,
            rules.number_of_next(agreement, store.list_deductions(tx, agreement.id)),
            plan.amount,
            plan.subject,
        )

    def deduction_ended(self, tx: Tx, charge: Charge, order: Order) -> None:
        """A try has ended: the period is over, or another try follows by the plan."""
        now = self.context.clock.now()
        agreement = lock_agreement(tx, charge.owner_id)
        paid = charge.ending is not Ending.CLOSED
        status = DeductionStatus.PAID if paid else DeductionStatus.FAILED
        store.update_deduction(
            tx,
            order.id,
            status=status.value,
            code=None if paid else charge.last_code,
            message=None if paid else charge.last_message,
            ended_at=now,
        )
        if paid:
            ask_soon(tx, self.context, agreement)
            return
        # Nothing was charged, and that is proven: where nobody answered, another hour may do.
        unanswered = charge.last_outcome is Outcome.UNKNOWN
        code = "ACQ.SYSTEM_ERROR" if unanswered else charge.last_code
        next_try_at = rules.next_try_after(agreement, code, now)
        self._save(tx, agreement, next_try_at=next_try_at)
        day = agreement.next_deduct_on
        said = sentences_for(charge.last_code, charge.last_message)
        told = DeductionSnapshot(
            out_trade_no=order.out_trade_no,
            planned_on=None if day is None else day.isoformat(),
            code=charge.last_code,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            next_try_at=None if next_try_at is None else next_try_at.isoformat(),
        )
        announce(tx, self.context, agreement, DEDUCTION_FAILED, now, deduction=told)
        # It may have ended, or its plan moved: that is learned before anything else is tried.
        ask_soon(tx, self.context, lock_agreement(tx, agreement.id))

    # ---- rows

    def _save(self, tx: Tx, agreement: Agreement, **values: Any) -> None:
        now = self.context.clock.now()
        store.update_agreement(tx, agreement.id, updated_at=now, **values)
        if "due_at" in values:
            tx.after_commit(lambda: self.context.signals.wake(AGREEMENTS_SIGNAL))
