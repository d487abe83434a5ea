"""The verbs of a surprise: take it, hand it over, and the four ways in which it ends.

Whatever moves money here moves it by a number that is the surprise's own, so twice is once. Two people
never work on one surprise: whoever has taken it ends it, unless somebody takes it over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor, ActorKind
from daozhang.service.auth.model import Caller
from daozhang.service.db import Tx
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.jobs import Jobs
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.ending import end_surprise, refund_number
from daozhang.service.orders.model import Order, Surprise, SurpriseEnd
from daozhang.service.orders.surprises import find_surprise, update_surprise
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.people.store import list_people
from daozhang.service.refunds.approving import refund_or_ask
from daozhang.service.refunds.model import NewRefund, Refund, RefundStatus
from daozhang.service.refunds.settling import settle_fact
from daozhang.service.refunds.store import find_refund, list_refunds
from daozhang.service.surprises import claiming, rules
from daozhang.service.surprises.refusals import (
    SurpriseEndNotPossible,
    SurpriseNotFound,
    SurpriseOver,
    SurpriseReasonMissing,
    SurpriseRemains,
    SurpriseTaken,
    SurpriseUnanswered,
    WorkerUnfit,
)
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class By:
    """Who deals with a surprise: a person, or an API key within its limits."""

    actor: Actor
    person: Person | None = None
    caller: Caller | None = None

    @classmethod
    def of_person(cls, person: Person) -> By:
        """A person of the console. Their rights are asked for by each verb."""
        return cls(person.actor, person=person)

    @classmethod
    def of_caller(cls, caller: Caller) -> By:
        """A key, whose scopes its route has asked for."""
        return cls(caller.actor, caller=caller)

    def require(self, right: Right, merchant_id: int) -> None:
        """Raises what `daozhang.service.people.rights.require` raises, of a person."""
        if self.person is not None:
            require(self.person, right, merchant_id)

    @property
    def operator_id(self) -> str | None:
        """Who they are on a refund."""
        return None if self.person is None else f"person-{self.person.id}"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where surprises are dealt with: what it takes to ask Alipay and to give money back."""

    jobs: Jobs
    inquirer: Inquirer

    def take(self, by: By, merchant_id: int, surprise_id: int) -> Surprise:
        """Makes it the person's own, whoever had it before."""
        return self._own(by, merchant_id, surprise_id, by.actor, "surprise.taken")

    def hand_over(self, by: By, merchant_id: int, surprise_id: int, to: int) -> Surprise:
        """Makes it somebody else's. Raises `WorkerUnfit`."""
        by.require(Right.SURPRISES_WORK, merchant_id)
        named = next((one for one in self.workers(by, merchant_id) if one.id == to), None)
        if named is None:
            raise WorkerUnfit
        return self._own(by, merchant_id, surprise_id, named.actor, "surprise.handed_over")

    def workers(self, by: By, merchant_id: int) -> list[Person]:
        """Who may deal with the merchant's surprises."""
        by.require(Right.SURPRISES_READ, merchant_id)
        with self._context.database.read() as tx:
            everybody = list_people(tx)
        fit = [one for one in everybody if one.may(Right.SURPRISES_WORK)]
        return [one for one in fit if one.covers(merchant_id)]

    def accept(self, by: By, merchant_id: int, surprise_id: int, note: str | None) -> Surprise:
        """Asks Alipay once more, and takes what it says into the books, by the one door.

        A payment that nobody claims gets an order first. What the rules of money refuse stays
        refused: `SurpriseRemains`, and what Alipay has said is kept as a step. `SurpriseUnanswered` if
        nothing clear is said.
        """
        by.require(Right.SURPRISES_WORK, merchant_id)
        order = self._order_for(by, merchant_id, surprise_id, SurpriseEnd.ACCEPTED)
        fact = self.inquirer.ask_trade(order)
        if fact is None:
            raise SurpriseUnanswered
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            order = lock_order(tx, order.id)
            surprise = self._open(tx, by, merchant_id, surprise_id)
            settlement = settle_fact(tx, self._context, order, fact)
            why = settlement.surprise or rules.undecided(settlement.order, fact)
            if why is None and surprise.reason == "refund_stays_unclear":
                unclear = [
                    r for r in list_refunds(tx, order.id) if r.status is RefundStatus.UNKNOWN
                ]
                why = "refund_unclear" if unclear else None
            if why is None:
                return self._end(tx, by, surprise, SurpriseEnd.ACCEPTED, note, now)
        raise SurpriseRemains(settlement.order, why)

    def refund(
        self, by: By, merchant_id: int, surprise_id: int, note: str | None
    ) -> Surprise | Approval:
        """Gives back what is left of the payment, as a refund like any other.

        It has the surprise's own number: asked for again, by whomever, it is the same refund. Above
        the merchant's amounts it waits for a second person, and the surprise stays open until then.
        Raises what `refund_or_ask` raises.
        """
        by.require(Right.SURPRISES_WORK, merchant_id)
        by.require(Right.REFUNDS_REQUEST, merchant_id)
        order = self._order_for(by, merchant_id, surprise_id, SurpriseEnd.REFUNDED)
        if order.is_open:
            # Its notification lacks an identity: the answer to a question proves the payment.
            order = self.inquirer.inquire(order)
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            order = lock_order(tx, order.id)
            surprise = self._open(tx, by, merchant_id, surprise_id)
            made = self._refund(tx, by, order, surprise, note, now)
            if isinstance(made, Approval):
                return made
            return self._end(tx, by, surprise, SurpriseEnd.REFUNDED, note, now)

    def attach(
        self, by: By, merchant_id: int, surprise_id: int, out_trade_no: str, note: str | None
    ) -> Surprise:
        """Books a payment that nobody claims as one for that order, as an order of its own beside it.

        One trade is one order, so the named order does not move: both say so in their stories, and
        ``order.paid`` of the new one tells in its ``metadata`` for which it is. Raises `OrderNotFound`,
        `AttachTargetPaid`.
        """
        by.require(Right.SURPRISES_WORK, merchant_id)
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            target = claiming.target_of(tx, merchant_id, out_trade_no)
            surprise = self._open(tx, by, merchant_id, surprise_id)
            self._require_end(tx, surprise, SurpriseEnd.ATTACHED)
            made = claiming.make_order(
                tx, self._context, self.inquirer.clients, surprise, by.actor, now, target=target
            )
            claiming.note_attached(tx, target, made, surprise, now)
            surprise = self._open(tx, by, merchant_id, surprise_id)
            return self._end(tx, by, surprise, SurpriseEnd.ATTACHED, note, now)

    def dismiss(self, by: By, merchant_id: int, surprise_id: int, note: str) -> Surprise:
        """Says that nothing is to be done, and why. Should Alipay say the same again, it surprises
        again. Raises `SurpriseReasonMissing`."""
        by.require(Right.SURPRISES_WORK, merchant_id)
        if not note.strip():
            raise SurpriseReasonMissing
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            surprise = _found(tx, merchant_id, surprise_id)
            if surprise.order_id is not None:
                lock_order(tx, surprise.order_id)  # first, as everybody does
            surprise = self._open(tx, by, merchant_id, surprise_id)
            ended = self._end(tx, by, surprise, SurpriseEnd.DISMISSED, note.strip(), now)
            claiming.lift_attention_elsewhere(tx, ended)
            return ended

    # ---- steps that the ends share

    @property
    def _context(self) -> Context:
        return self.inquirer.context

    def _own(
        self, by: By, merchant_id: int, surprise_id: int, owner: Actor, action: str
    ) -> Surprise:
        by.require(Right.SURPRISES_WORK, merchant_id)
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            surprise = _found(tx, merchant_id, surprise_id, lock=True)
            if not surprise.is_open:
                raise SurpriseOver(surprise)
            update_surprise(tx, surprise.id, owner=str(owner), owner_name=owner.name)
            record(
                tx,
                by.actor,
                action,
                f"surprise:{surprise.id}",
                now,
                merchant_id=merchant_id,
                owner=str(owner),
                before=surprise.owner,
            )
            return _found(tx, merchant_id, surprise_id)

    def _order_for(self, by: By, merchant_id: int, surprise_id: int, end: SurpriseEnd) -> Order:
        """The order of the surprise; a payment that nobody claims gets one here, and commits."""
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            surprise = _found(tx, merchant_id, surprise_id)
            order = claiming.order_of(tx, surprise)
            if order is not None:
                order = lock_order(tx, order.id)
            surprise = self._open(tx, by, merchant_id, surprise_id)
            self._require_end(tx, surprise, end)
            if order is None:
                clients = self.inquirer.clients
                return claiming.make_order(tx, self._context, clients, surprise, by.actor, now)
            claiming.link(tx, surprise, order)
            return order

    def _require_end(self, tx: Tx, surprise: Surprise, end: SurpriseEnd) -> None:
        order = claiming.order_of(tx, surprise)
        possible = rules.possible_ends(surprise, order, claiming.payment_of(tx, surprise))
        asked_before = (
            end is SurpriseEnd.REFUNDED
            and order is not None
            and find_refund(tx, order.id, refund_number(surprise)) is not None
        )
        if end not in possible and not asked_before:
            raise SurpriseEndNotPossible(end, possible)

    def _open(self, tx: Tx, by: By, merchant_id: int, surprise_id: int) -> Surprise:
        """The surprise, locked, if it is open and nobody else's."""
        surprise = _found(tx, merchant_id, surprise_id, lock=True)
        if not surprise.is_open:
            raise SurpriseOver(surprise)
        is_taken = surprise.owner.startswith(f"{ActorKind.PERSON.value}:")
        if is_taken and surprise.owner != str(by.actor):
            raise SurpriseTaken(surprise)
        return surprise

    def _refund(
        self, tx: Tx, by: By, order: Order, surprise: Surprise, note: str | None, now: datetime
    ) -> Refund | Approval:
        number = refund_number(surprise)
        known = find_refund(tx, order.id, number)
        amount = order.remainder if known is None else known.amount
        if not amount or (known is not None and known.status is RefundStatus.FAILED):
            possible = rules.possible_ends(surprise, order, None)
            raise SurpriseEndNotPossible(SurpriseEnd.REFUNDED, possible)
        new = NewRefund(
            out_request_no=number,
            amount=amount,
            reason=None if note is None else note[:256],
            operator_id=by.operator_id,
            requested_by=str(by.actor),
        )
        limit: Money | None = None if by.caller is None else by.caller.refund_limit
        made_by = None if by.caller is None else by.caller.key_made_by
        return refund_or_ask(
            tx, self.jobs, order, new, by.actor, now, daily_limit=limit, key_made_by=made_by
        )[0]

    def _end(
        self, tx: Tx, by: By, surprise: Surprise, end: SurpriseEnd, note: str | None, now: datetime
    ) -> Surprise:
        kept = note.strip()[: rules.NOTE_CHARACTERS_MAX] if note else None
        return end_surprise(tx, surprise, end, by.actor, kept or None, now, self._context.signals)


def _found(tx: Tx, merchant_id: int, surprise_id: int, *, lock: bool = False) -> Surprise:
    surprise = find_surprise(tx, merchant_id, surprise_id, lock=lock)
    if surprise is None:
        raise SurpriseNotFound(surprise_id)
    return surprise
