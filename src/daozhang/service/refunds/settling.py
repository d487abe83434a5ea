"""The door for facts: `settle_fact`. The order first, then its refunds, then the events.

Everybody who has learned something from Alipay comes here: the inbox, the inquiries, the refund
attempts. `settle_order` moves the order by its table; here the refunds that the fact names or
proves are moved, and all events are appended in the order of the table, in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from msgspec import structs

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger.takings import post_refund
from daozhang.service.orders.actions import lock_order, raise_surprise, release, settle_order
from daozhang.service.orders.announcing import announce
from daozhang.service.orders.model import (
    Fact,
    FactKind,
    Order,
    RefundFact,
    Settlement,
    Source,
    TradeFact,
)
from daozhang.service.orders.posting import taking_of
from daozhang.service.orders.rules import PAID, REFUND_SUCCEEDED, SURPRISE
from daozhang.service.refunds import rules, store
from daozhang.service.refunds.events import refund_snapshot
from daozhang.service.refunds.model import Outcome, Refund, RefundOrigin, RefundStatus
from daozhang.service.refunds.policies import POLICY_EVENTS, apply_policies
from daozhang.service.sharing.planning import share_at_payment
from daozhang.service.sharing.returning import gives_back_by_itself, settle_returns
from daozhang.service.web.context import Context

REFUNDS_SIGNAL = "refunds"
"""Wakes the sweep over due refunds, in this process."""


Returned = tuple[tuple[str, Money], ...] | None
"""Who gave back how much with a refund, where Alipay has said so."""


@dataclass(slots=True)
class _Books:
    """An order's refunds while a fact is taken in."""

    order: Order
    refunds: list[Refund]
    succeeded: list[Refund] = field(default_factory=list[Refund])
    moments: dict[int, datetime] = field(default_factory=dict[int, datetime])
    """When they were made, by Alipay's word or else when that was learned."""
    returned: dict[int, Returned] = field(default_factory=dict[int, "Returned"])
    surprises: list[str] = field(default_factory=list[str])

    def proven(self) -> Money:
        done = (r.amount for r in self.refunds if r.status is RefundStatus.SUCCEEDED)
        return Money.total(done, self.order.amount.currency)

    def under_way(self) -> Money:
        return Money.total(
            (r.amount for r in self.refunds if r.is_open), self.order.amount.currency
        )

    def booked_without_name(self) -> Refund | None:
        """A refund that was booked from the running total because nobody named it in time."""
        return next(
            (
                r
                for r in self.refunds
                if r.status is RefundStatus.SUCCEEDED and r.out_request_no is None
            ),
            None,
        )

    def named(self, number: str | None) -> Refund | None:
        return next((r for r in self.refunds if number and r.out_request_no == number), None)

    def put(self, refund: Refund) -> None:
        self.refunds = [r for r in self.refunds if r.id != refund.id] + [refund]


def settle_fact(tx: Tx, context: Context, order: Order, fact: Fact) -> Settlement:
    """Takes one fact into a locked order, its refunds and its events. The same again changes
    nothing."""
    settlement = settle_order(tx, order, fact, grace_seconds=context.settings.expiry_grace_seconds)
    books = _Books(settlement.order, store.list_refunds(tx, order.id))
    if settlement.fits:
        if isinstance(fact, RefundFact):
            _take_proof(tx, context, books, fact)
        else:
            _take_notice(tx, context, books, fact)
    more: tuple[str, ...] = ()
    if not POLICY_EVENTS.isdisjoint(settlement.events):
        more = apply_policies(tx, books.order, settlement.events, fact.learned_at)
        tx.after_commit(lambda: context.signals.wake(REFUNDS_SIGNAL))
        books.order = lock_order(tx, order.id)
    events = (*settlement.events, *more, *books.surprises)
    _announce(tx, context, books, events, fact.learned_at)
    if PAID in settlement.events:
        share_at_payment(tx, context, books.order, fact.learned_at)
    return replace(settlement, order=books.order)


def _take_proof(tx: Tx, context: Context, books: _Books, fact: RefundFact) -> None:
    refund = books.named(fact.out_request_no)
    assert refund is not None, "a proof is asked for by the refund's own number"
    nameless = books.booked_without_name() if refund.origin is not RefundOrigin.OURS else None
    if refund.status is RefundStatus.SUCCEEDED:
        _take_returns(tx, context, books, refund, fact)
    elif nameless is not None and nameless.amount <= fact.amount:
        _adopt(tx, books, nameless, refund, fact.amount)
        _take_returns(tx, context, books, nameless, fact)
    else:
        if nameless is not None:
            less = replace(nameless, amount=nameless.amount - fact.amount)
            store.update_refund(tx, nameless.id, amount_minor=less.amount.minor)
            books.put(less)
            _post(tx, books.order, less)
        _succeed(tx, books, refund, fact.amount, fact.learned_at, fact.refunded_at)
        books.returned[refund.id] = fact.returned
    _drop_explained(tx, books)
    # The answer's running total may tell of refunds that nobody here has heard of yet.
    _expect_unnamed(tx, context, books, fact.learned_at)


def _take_returns(
    tx: Tx, context: Context, books: _Books, refund: Refund, fact: RefundFact
) -> None:
    """Of a refund that is booked already: who gave back how much with it, if that was not known."""
    if fact.returned is None:
        return
    happened_at = fact.refunded_at or refund.ended_at or fact.learned_at
    books.order = settle_returns(
        tx,
        context,
        books.order,
        fact.out_request_no,
        fact.learned_at,
        happened_at=happened_at,
        told=fact.returned,
    )


def _adopt(tx: Tx, books: _Books, nameless: Refund, named: Refund, amount: Money) -> None:
    """The refund that was booked without a name has one now: it is the same money, told already."""
    store.delete_refund(tx, named.id)
    books.refunds.remove(named)
    store.update_refund(
        tx, nameless.id, out_request_no=named.out_request_no, amount_minor=amount.minor
    )
    adopted = replace(nameless, out_request_no=named.out_request_no, amount=amount)
    books.put(adopted)
    _post(tx, books.order, adopted)


def _take_notice(tx: Tx, context: Context, books: _Books, fact: TradeFact) -> None:
    """Moves refunds by what a notification or query says of the running total.

    A notice that names a refund of ours proves it. One that names a refund that is not ours makes
    it known, and a query makes its amount exact. A total that names nobody waits for the notice
    that does.
    """
    if fact.kind not in (FactKind.PARTLY_REFUNDED, FactKind.REFUNDED, FactKind.FINISHED):
        return
    if fact.source is Source.CANCEL:
        _take_cancel(tx, books, fact)
        return
    total = fact.refunded
    named = books.named(fact.refund_request_no)
    if named is not None and named.origin is RefundOrigin.OURS:
        # One that had failed here too: what Alipay signs has happened.
        proves = total is not None and rules.notice_proves(named, total)
        if proves and named.is_open and gives_back_by_itself(tx, books.order):
            store.update_refund(tx, named.id, due_at=fact.learned_at)
            tx.after_commit(lambda: context.signals.wake(REFUNDS_SIGNAL))
        elif proves and named.status is not RefundStatus.SUCCEEDED:
            _succeed(tx, books, named, named.amount, fact.learned_at, fact.refunded_at)
        return
    if fact.refund_request_no is not None and named is None and total is not None:
        # By its name, not by what is missing of the total: totals arrive in any order, and one
        # that came before may have covered this refund already. The query says how much it was.
        missing = rules.missing(books.order.refunded, books.proven() + books.under_way())
        _add_external(tx, books, fact.refund_request_no, missing, fact.learned_at, fact.learned_at)
        tx.after_commit(lambda: context.signals.wake(REFUNDS_SIGNAL))
    elif fact.refund_request_no is None:
        _expect_unnamed(tx, context, books, fact.learned_at)


def _take_cancel(tx: Tx, books: _Books, fact: TradeFact) -> None:
    """A cancel of ours has given the payment back: that is a refund of its own origin.

    Its answer carries no number; a notice that names it later finds it booked without a name. One
    that came before has made it known already, as somebody else's.
    """
    named = books.named(fact.out_trade_no)  # Alipay gives it the trade's own number
    if named is not None and named.origin is RefundOrigin.EXTERNAL:
        store.update_refund(tx, named.id, origin=RefundOrigin.CANCEL.value)
        books.put(replace(named, origin=RefundOrigin.CANCEL))
    missing = rules.missing(books.order.refunded, books.proven() + books.under_way())
    if missing:
        _add_external(tx, books, None, missing, fact.learned_at, None, RefundOrigin.CANCEL)
        _succeed(tx, books, books.refunds[-1], missing, fact.learned_at)


def _expect_unnamed(tx: Tx, context: Context, books: _Books, now: datetime) -> None:
    """Makes what is missing of the running total known, to wait for the notice that names it."""
    missing = rules.missing(books.order.refunded, books.proven() + books.under_way())
    if missing and all(r.out_request_no is not None for r in books.refunds if r.is_open):
        due_at = now + timedelta(seconds=rules.NAMING_SECONDS)
        _add_external(tx, books, None, missing, now, due_at)
        tx.after_commit(lambda: context.signals.wake(REFUNDS_SIGNAL))


def _add_external(
    tx: Tx,
    books: _Books,
    number: str | None,
    amount: Money,
    now: datetime,
    due_at: datetime | None,
    origin: RefundOrigin = RefundOrigin.EXTERNAL,
) -> None:
    if number is not None:
        _drop_unnamed(tx, books)
    refund_id = store.insert_refund(
        tx,
        {
            "order_id": books.order.id,
            "merchant_id": books.order.merchant_id,
            "out_request_no": number,
            "origin": origin.value,
            "status": RefundStatus.UNKNOWN.value,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "calling": False,
            "call_count": 0,
            "ask_count": 0,
            "attempt": 0,
            "due_at": due_at,
            "created_at": now,
            "updated_at": now,
        },
    )
    added = store.find_refund_by_id(tx, refund_id)
    assert added is not None
    books.put(added)


def _succeed(
    tx: Tx,
    books: _Books,
    refund: Refund,
    amount: Money,
    now: datetime,
    refunded_at: datetime | None = None,
) -> None:
    if refund.holds_reservation:
        books.order = release(tx, books.order, refund.amount, now)
    done = replace(
        refund,
        status=RefundStatus.SUCCEEDED,
        amount=amount,
        calling=False,
        due_at=None,
        ended_at=now,
        updated_at=now,
    )
    store.update_refund(
        tx,
        refund.id,
        status=done.status.value,
        amount_minor=amount.minor,
        calling=False,
        due_at=None,
        ended_at=now,
        updated_at=now,
    )
    books.put(done)
    books.succeeded.append(done)
    books.moments[done.id] = refunded_at or now
    _post(tx, books.order, done, refunded_at)
    surprise = rules.move_for(refund, Outcome.PROVEN).surprise
    if surprise is not None:
        _surprise(tx, books, refund, surprise, now)


def _post(tx: Tx, order: Order, refund: Refund, refunded_at: datetime | None = None) -> None:
    """Brings the ledger to what is proven of a refund: once, whatever its amount turns out to be.

    On Alipay's day where Alipay has said which, else on that on which it was learned.
    """
    assert refund.ended_at is not None, "it has succeeded"
    if refund.amount:
        at = refunded_at or refund.ended_at
        post_refund(tx, taking_of(order), str(refund.id), refund.amount, at)


def _surprise(tx: Tx, books: _Books, refund: Refund, reason: str, now: datetime) -> None:
    """A proof has contradicted what was settled about ``refund``: a person has to look."""
    is_new = raise_surprise(
        tx,
        merchant_id=refund.merchant_id,
        order=books.order,
        reason=reason,
        detail=f"refund {refund.out_request_no}: {refund.last_code}: {refund.last_message}",
        amount=refund.amount,
        now=now,
    )
    books.order = structs.replace(books.order, attention=True)
    if is_new:
        books.surprises.append(SURPRISE)


def add_external(
    tx: Tx,
    order: Order,
    number: str,
    amount: Money,
    now: datetime,
    origin: RefundOrigin = RefundOrigin.EXTERNAL,
) -> Refund:
    """Makes a refund known that Alipay has and our books have not; the order is locked.

    The caller settles its proof in the same transaction.
    """
    books = _Books(order, store.list_refunds(tx, order.id))
    _add_external(tx, books, number, amount, now, now, origin)
    added = books.named(number)
    assert added is not None
    return added


def _drop_unnamed(tx: Tx, books: _Books) -> None:
    """The notice that names it has come: the nameless one was this refund."""
    for refund in [r for r in books.refunds if r.is_open and r.out_request_no is None]:
        store.delete_refund(tx, refund.id)
        books.refunds.remove(refund)


def _drop_explained(tx: Tx, books: _Books) -> None:
    """A nameless refund whose money is now all in named and proven ones was one of them."""
    if not rules.missing(books.order.refunded, books.proven()):
        _drop_unnamed(tx, books)


def settle_unnamed(tx: Tx, context: Context, order: Order, refund: Refund, now: datetime) -> None:
    """Books what is still missing of Alipay's running total under the nameless refund.

    Nobody has named it in time. The total was signed, so the money has gone; what is missing is
    its amount, and if nothing is missing any more, it was another refund. While one of ours
    is under way, what is missing may be that one's: it is waited for.
    """
    books = _Books(order, store.list_refunds(tx, order.id))
    missing = rules.missing(order.refunded, books.proven())
    if missing and any(r.holds_reservation for r in books.refunds):
        due_at = now + timedelta(seconds=rules.NAMING_SECONDS)
        store.update_refund(tx, refund.id, due_at=due_at, updated_at=now)
    elif missing:
        _succeed(tx, books, refund, missing, now)
        _announce(tx, context, books, (), now)
    else:
        _drop_unnamed(tx, books)


def _announce(
    tx: Tx, context: Context, books: _Books, events: tuple[str, ...], now: datetime
) -> None:
    """Appends the events in the table's order, each refund's where the table has its place."""
    order = books.order
    bodies: list[tuple[str, dict[str, object]]] = []
    waiting: list[tuple[str, dict[str, object]]] = [
        (REFUND_SUCCEEDED, {"refund": refund_snapshot(r)}) for r in books.succeeded
    ]
    for name in events:
        if name == REFUND_SUCCEEDED:
            bodies += waiting
            waiting = []
        else:
            bodies.append((name, {}))
    for name, body in [*bodies, *waiting]:
        announce(tx, context, order, name, now, **body)
    for refund in books.succeeded:
        books.order = settle_returns(
            tx,
            context,
            books.order,
            refund.out_request_no,
            now,
            happened_at=books.moments[refund.id],
            told=books.returned.get(refund.id),
        )
