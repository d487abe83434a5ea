"""The verbs of a case: take it, say something, ask Alipay, propose how it ends, agree or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.trade import TradeQuery
from daozhang.service.audit.actions import record
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import StatementKind
from daozhang.service.closing import rules, store
from daozhang.service.closing.model import Case, CaseEnd, CaseStatus
from daozhang.service.closing.refusals import (
    CaseChanged,
    CaseEndNotPossible,
    CaseNeedsAnother,
    CaseNotAskable,
    CaseNotFound,
    CaseNotProposed,
    CaseOver,
    CaseReasonMissing,
    CaseUnanswered,
)
from daozhang.service.closing.suggesting import is_askable, suggestion_of
from daozhang.service.db import Tx
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.inquiries.rules import fact_of_query
from daozhang.service.ledger.actions import bring_to
from daozhang.service.ledger.model import Entry, EntryKind
from daozhang.service.ledger.reading import CURRENCY
from daozhang.service.ledger.rules import moves_of
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.actions import create_order
from daozhang.service.orders.model import NewOrder, Order
from daozhang.service.orders.store import find_order
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.reconciliation.actions import Reconciler
from daozhang.service.reconciliation.model import Mismatch
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.refunds.model import Outcome
from daozhang.service.web.context import Context

TEXT_CHARACTERS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class CaseDesk:
    """Where cases are dealt with: what it takes to ask Alipay and to read a bill again."""

    inquirer: Inquirer
    reconciler: Reconciler

    def take(self, actor: Person, merchant: Merchant, public_id: str) -> Case:
        """Makes it the person's own, whoever had it before."""
        require(actor, Right.LEDGER_BOOK, merchant.id)
        now = self._now()
        with self._context.database.begin() as tx:
            case = self._open(tx, merchant, public_id)
            owner = {"owner": str(actor.actor), "owner_name": actor.name, "updated_at": now}
            store.put_case(tx, case.mismatch.id, owner)
            self._record(tx, actor, merchant, case, "case.taken", now)
            return self._again(tx, public_id)

    def note(self, actor: Person, merchant: Merchant, public_id: str, text: str) -> Case:
        """Says something about it."""
        require(actor, Right.LEDGER_READ, merchant.id)
        if not text.strip():
            raise CaseReasonMissing
        now = self._now()
        with self._context.database.begin() as tx:
            case = self._find(tx, merchant, public_id)
            self._say(tx, actor, case, text, now)
            return self._again(tx, public_id)

    def propose(
        self, actor: Person, merchant: Merchant, public_id: str, end: str, reason: str
    ) -> Case:
        """Says how it ends; a second person has to agree."""
        require(actor, Right.LEDGER_BOOK, merchant.id)
        now = self._now()
        with self._context.database.begin() as tx:
            case = self._open(tx, merchant, public_id)
            possible = rules.ends_of(case.mismatch)
            if end not in {one.value for one in possible}:
                raise CaseEndNotPossible(end, possible)
            if not reason.strip():
                raise CaseReasonMissing
            proposal = {
                "status": CaseStatus.PROPOSED.value,
                "proposed_end": end,
                "proposed_by": str(actor.actor),
                "proposed_name": actor.name,
                "proposal": reason.strip()[:TEXT_CHARACTERS_MAX],
                "proposed_ours_minor": case.mismatch.ours_minor,
                "proposed_theirs_minor": case.mismatch.theirs_minor,
                "updated_at": now,
            }
            store.put_case(tx, case.mismatch.id, proposal)
            self._record(tx, actor, merchant, case, "case.proposed", now, end=end)
            return self._again(tx, public_id)

    def agree(
        self, actor: Person, merchant: Merchant, public_id: str, stamp: str | None = None
    ) -> Case:
        """Ends it as somebody else has proposed. Raises `CaseNeedsAnother`, and `CaseChanged` if a bill that was
        read meanwhile has made it another amount, or if ``stamp``, of the case as the person saw it, is not
        its stamp any more."""
        require(actor, Right.LEDGER_APPROVE, merchant.id)
        now = self._now()
        with self._context.database.begin() as tx:
            case = self._open(tx, merchant, public_id)
            if case.proposed_end is None:
                raise CaseNotProposed
            if case.proposed_by == str(actor.actor):
                raise CaseNeedsAnother
            if case.has_changed or stamp not in (None, case.stamp):
                raise CaseChanged
            if case.proposed_end is CaseEnd.BOOKED:
                self._book(tx, case.mismatch, now)
            settled = {
                "status": CaseStatus.SETTLED.value,
                "settled_by": str(actor.actor),
                "settled_name": actor.name,
                "updated_at": now,
            }
            store.put_case(tx, case.mismatch.id, settled)
            store.end_mismatch(
                tx, case.mismatch.id, resolution=case.proposed_end.value, resolved_at=now
            )
            end = case.proposed_end.value
            self._record(tx, actor, merchant, case, "case.settled", now, end=end)
            return self._again(tx, public_id)

    def refuse(self, actor: Person, merchant: Merchant, public_id: str, reason: str) -> Case:
        """Does not agree with what was proposed, and says why; whoever proposed it takes it back so."""
        require(actor, Right.LEDGER_BOOK, merchant.id)
        if not reason.strip():
            raise CaseReasonMissing
        now = self._now()
        with self._context.database.begin() as tx:
            case = self._open(tx, merchant, public_id)
            if case.proposed_end is None:
                raise CaseNotProposed
            again = {
                "status": CaseStatus.OPEN.value,
                "proposed_end": None,
                "proposed_by": None,
                "proposed_name": None,
                "proposal": None,
                "updated_at": now,
            }
            store.put_case(tx, case.mismatch.id, again)
            self._say(tx, actor, case, reason, now)
            self._record(tx, actor, merchant, case, "case.refused", now)
            return self._again(tx, public_id)

    def ask(self, actor: Person, merchant: Merchant, public_id: str) -> Case:
        """Asks Alipay. What it signs is booked by the one door, and the day is matched again.

        Raises `CaseNotAskable` if it has no answer to this, `CaseUnanswered` where none decides it: nothing
        is booked then.
        """
        require(actor, Right.ORDERS_QUERY, merchant.id)
        require(actor, Right.LEDGER_BOOK, merchant.id)
        now = self._now()
        with self._context.database.begin() as tx:
            case = self._open(tx, merchant, public_id)
            self._record(tx, actor, merchant, case, "case.asked", now)
        mismatch = case.mismatch
        if not is_askable(mismatch):
            raise CaseNotAskable(suggestion_of(mismatch))
        order = self._order(merchant, mismatch)
        if order.merchant_id != merchant.id:  # another one's, on the same account
            require(actor, Right.ORDERS_QUERY, order.merchant_id)
        if mismatch.out_request_no is not None:
            attempts = Attempts(self._context, self.inquirer.clients)
            if attempts.ask_named(order, mismatch.out_request_no) is not Outcome.PROVEN:
                raise CaseUnanswered("it has no such refund that succeeded", "没有成功的该笔退款")
        elif self.inquirer.learn(order)[1] is None:
            raise CaseUnanswered("no clear answer came", "未得到明确答复")
        self._match_again(mismatch)
        with self._context.database.read() as tx:
            return self._again(tx, public_id)

    # ---- inside

    @property
    def _context(self) -> Context:
        return self.inquirer.context

    def _now(self) -> datetime:
        return self._context.clock.now()

    def _order(self, merchant: Merchant, mismatch: Mismatch) -> Order:
        """The order that it is about; one that nobody knew is made of what Alipay signs of it."""
        number = mismatch.out_trade_no
        assert number is not None, "a line names an order"
        with self._context.database.read() as tx:
            known = find_order(tx, mismatch.environment, mismatch.seller_id, number)
        if known is not None:
            return known
        client = self.inquirer.clients.client_for(merchant.id)
        try:
            result = client.call(TradeQuery(out_trade_no=number))
        except Rejected as no:
            raise CaseUnanswered(
                f"it knows no such trade ({no.sub_code})", f"无此交易（{no.sub_code}）"
            ) from no
        except OutcomeUnknown as unknown:
            raise CaseUnanswered("no clear answer came", "未得到明确答复") from unknown
        if result.total_amount is None:
            raise CaseUnanswered("it tells no amount", "未返回金额")
        now = self._now()
        new = NewOrder(
            out_trade_no=number,
            amount=result.total_amount,
            subject=result.subject or f"支付宝交易 {result.trade_no or number}",
            expires_at=now,
            metadata={"made_for": f"mismatch-{mismatch.public_id}"},
        )
        with self._context.database.begin() as tx:
            made, _ = create_order(tx, merchant, new, now)
        fact = fact_of_query(made, result, now)
        return made if fact is None else self.inquirer.settle(made, fact)

    def _match_again(self, mismatch: Mismatch) -> None:
        """Reads both bills of the day once more: what was booked now is in either."""
        where = (mismatch.environment, mismatch.seller_id)
        for kind in StatementKind:
            with self._context.database.read() as tx:
                statement = bills.find_statement(tx, *where, kind.value, mismatch.day.isoformat())
            if statement is not None:
                self.reconciler.run(statement.id)

    def _book(self, tx: Tx, mismatch: Mismatch, now: datetime) -> None:
        """Posts by how much the bill is above the books, marked as by hand. A case that is booked again,
        since it became another amount, is brought to that."""
        legs = rules.booking_of(mismatch)
        if not legs:
            return
        bring_to(
            tx,
            Entry(
                environment=mismatch.environment,
                seller_id=mismatch.seller_id,
                kind=EntryKind.MANUAL,
                key=f"case:{mismatch.public_id}",
                at=now,
                moves=moves_of(legs, CURRENCY),
                order_id=mismatch.order_id,
                merchant_id=mismatch.merchant_id,
                memo=f"case {mismatch.public_id} of {mismatch.day.isoformat()}",
            ),
        )

    def _open(self, tx: Tx, merchant: Merchant, public_id: str) -> Case:
        case = self._find(tx, merchant, public_id, lock=True)
        if not case.mismatch.is_open:
            raise CaseOver
        return case

    def _find(self, tx: Tx, merchant: Merchant, public_id: str, *, lock: bool = False) -> Case:
        case = store.find_case(tx, public_id, lock=lock)
        here = (merchant.environment, merchant.seller_id)
        if case is None or (case.mismatch.environment, case.mismatch.seller_id) != here:
            raise CaseNotFound
        return case

    def _again(self, tx: Tx, public_id: str) -> Case:
        case = store.find_case(tx, public_id)
        assert case is not None
        return case

    def _say(self, tx: Tx, actor: Person, case: Case, text: str, now: datetime) -> None:
        said = {
            "at": now,
            "by": str(actor.actor),
            "name": actor.name,
            "text": text.strip()[:TEXT_CHARACTERS_MAX],
        }
        store.add_note(tx, case.mismatch.id, said)

    def _record(
        self,
        tx: Tx,
        actor: Person,
        merchant: Merchant,
        case: Case,
        action: str,
        now: datetime,
        **detail: str,
    ) -> None:
        subject = f"case:{case.mismatch.public_id}"
        record(tx, actor.actor, action, subject, now, merchant_id=merchant.id, **detail)
