"""One attempt on a refund: decide what to do, do it outside any transaction, settle what is learned.

An attempt is a durable job and can run twice. What it is about to do is on disk before it does it:
a call that was begun and never recorded is an unknown outcome, whatever became of the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import structs

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.refund import TradeFastpayRefundQuery, TradeRefund
from daozhang.money import Money, MoneyError
from daozhang.service.db import Tx
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.model import Order, RefundFact, Source
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.refunds import rules, store
from daozhang.service.refunds.actions import take_answer
from daozhang.service.refunds.banks import next_question
from daozhang.service.refunds.model import (
    NO_BALANCE_CODE,
    NO_RETURN_CODES,
    Answer,
    Outcome,
    Refund,
    RefundOrigin,
    RefundStatus,
)
from daozhang.service.refunds.rules import Action
from daozhang.service.refunds.settling import add_external, settle_unnamed
from daozhang.service.settlements.store import confirmed_by, is_under_way
from daozhang.service.sharing.returning import gives_back_by_itself, has_open_rounds
from daozhang.service.web.context import Context

REFUND_SUCCESS = "REFUND_SUCCESS"
BANK_OPTIONS = ("deposit_back_info",)

OTHERS_WAIT: Final = timedelta(minutes=10)
"""So long a refund waits for shares, or a settlement, of its order that are under way."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Works refunds off, one step at a time."""

    context: Context
    clients: Clients

    def run(self, refund_id: int) -> None:
        """Takes the next step of a refund: call, ask, or note when to come back."""
        with self.context.database.begin() as tx:
            begun = self._begin(tx, refund_id)
        if begun is None:
            return
        order, refund, action = begun
        if action is Action.CALL:
            answer = self._call(order, refund)
        elif action is Action.ASK:
            answer = self.ask(order, refund)
        else:
            return
        with self.context.database.begin() as tx:
            self.take(tx, order.id, refund_id, answer)

    def take(self, tx: Tx, order_id: int, refund_id: int, answer: Answer) -> None:
        """Takes what one call or question has told, under the order's lock.

        A proof is taken even of a refund that has ended meanwhile: the money has moved.
        """
        order = lock_order(tx, order_id)
        current = store.find_refund_by_id(tx, refund_id)
        if current is not None and current.is_open and _lacks_returns(tx, order, answer):
            answer = Answer(Outcome.UNKNOWN, "returns_asked", "The query tells who gives back.")
        if current is not None and (current.is_open or answer.outcome is Outcome.PROVEN):
            proven = self._with_proven_sum(tx, order, current, answer)
            take_answer(tx, self.context, order, current, proven, self.context.clock.now())

    def _begin(self, tx: Tx, refund_id: int) -> tuple[Order, Refund, Action] | None:
        """Decides under the order's lock, and writes down what is about to be done.

        ``None`` if the refund is gone: a nameless one that turned out to be one of the named.
        """
        now = self.context.clock.now()
        found = store.find_refund_by_id(tx, refund_id)
        if found is None:
            return None
        order = lock_order(tx, found.order_id)
        refund = store.find_refund_by_id(tx, refund_id)
        if refund is None:
            return None
        action, until = rules.next_action(
            refund,
            now,
            self._last_call(tx, refund),
            outgoing_allowed=stopped_by(tx, refund.merchant_id) is None,
        )
        if action is Action.CALL and _waits_for_others(tx, order, refund, now):
            action, until = Action.WAIT, now + timedelta(seconds=rules.PROOF_SECONDS)
        if action is Action.HOLD:
            store.update_refund(tx, refund.id, due_at=None, held_at=now)
        elif action is Action.WAIT:
            store.update_refund(tx, refund.id, due_at=until)
        elif action is Action.DOUBT:
            doubt = Answer(Outcome.UNKNOWN, "interrupted", "The process ended during the call.")
            take_answer(tx, self.context, order, refund, doubt, now)
        elif action is Action.RECKON:
            settle_unnamed(tx, self.context, order, refund, now)
        elif action is Action.CALL:
            # Nothing has moved under its number yet, so it may name what was confirmed since it was asked for.
            named = refund.settle_confirm_no or confirmed_by(tx, order.id)
            refund = replace(refund, settle_confirm_no=named)
            store.update_refund(
                tx,
                refund.id,
                calling=True,
                called_at=now,
                call_count=refund.call_count + 1,
                settle_confirm_no=named,
            )
        elif action is Action.ASK:
            store.update_refund(tx, refund.id, ask_count=refund.ask_count + 1)
        return order, refund, action

    def _last_call(self, tx: Tx, refund: Refund) -> datetime | None:
        called = [r.called_at for r in store.list_refunds(tx, refund.order_id) if r.called_at]
        return max(called, default=None)

    def _call(self, order: Order, refund: Refund) -> Answer:
        assert refund.out_request_no is not None
        operation = TradeRefund(
            out_trade_no=order.out_trade_no,
            out_request_no=refund.out_request_no,
            refund_amount=refund.amount,
            refund_reason=refund.reason,
            operator_id=refund.operator_id,
            store_id=refund.store_id,
            terminal_id=refund.terminal_id,
            refund_royalty_parameters=refund.royalty_parameters or None,
            related_settle_confirm_no=refund.settle_confirm_no,
            query_options=BANK_OPTIONS,
        )
        try:
            result = self.clients.client_for(order.merchant_id).call(operation)
        except Rejected as no:
            return Answer(_no(refund, no.sub_code), no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        if not result.moved_money:
            return Answer(Outcome.UNPROVEN, "fund_change", f"fund_change={result.fund_change}")
        fact = self._fact(order, refund, refund.amount, Source.REFUND, result.trace_id)
        fact = structs.replace(
            fact, cumulative=result.refund_fee, refunded_at=result.gmt_refund_pay
        )
        to_card = (result.has_deposit_back or "").upper() in ("TRUE", "Y")
        return Answer(Outcome.PROVEN, fact=fact, bank_status="P" if to_card else None)

    def ask(self, order: Order, refund: Refund) -> Answer:
        """What Alipay says of one refund; changes nothing, here or there."""
        assert refund.out_request_no is not None
        operation = TradeFastpayRefundQuery(
            out_trade_no=order.out_trade_no,
            out_request_no=refund.out_request_no,
            query_options=BANK_OPTIONS,
        )
        try:
            result = self.clients.client_for(order.merchant_id).call(operation)
        except Rejected as no:
            # A "no" to a question says nothing of what was asked about.
            return Answer(Outcome.UNKNOWN, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        if result.refund_status != REFUND_SUCCESS:
            return Answer(Outcome.ABSENT, "absent", "Alipay has no such refund that succeeded.")
        amount = result.refund_amount or refund.amount
        fact = self._fact(order, refund, amount, Source.REFUND_QUERY, result.trace_id)
        fact = structs.replace(
            fact,
            refunded_at=result.gmt_refund_pay,
            returned=_returned(result.refund_royaltys or ()),
        )
        bank = (result.deposit_back_info or {}).get("dback_status")
        return Answer(Outcome.PROVEN, fact=fact, bank_status=bank)

    def ask_bank(self, refund_id: int) -> None:
        """Asks what the bank did with a refund that is on its way to a card."""
        with self.context.database.read() as tx:
            refund = store.find_refund_by_id(tx, refund_id)
            order = None if refund is None else find_order_by_id(tx, refund.order_id)
        if refund is None or order is None or refund.out_request_no is None:
            return
        answer = self.ask(order, refund)
        now = self.context.clock.now()
        with self.context.database.begin() as tx:
            lock_order(tx, order.id)
            store.update_refund(tx, refund.id, bank_due_at=next_question(refund, now))
            if answer.outcome is Outcome.PROVEN:
                self.take(tx, order.id, refund.id, answer)

    def ask_named(
        self, order: Order, number: str, origin: RefundOrigin = RefundOrigin.EXTERNAL
    ) -> Outcome:
        """Asks about a refund that may not be in the books, and books it if it has happened.

        One that the books lack gets ``origin``.
        """
        with self.context.database.read() as tx:
            known = store.find_refund(tx, order.id, number)
        answer = self.ask(order, known or _supposed(order, number, origin))
        if answer.outcome is not Outcome.PROVEN or answer.fact is None:
            return answer.outcome
        now = self.context.clock.now()
        with self.context.database.begin() as tx:
            locked = lock_order(tx, order.id)
            refund = store.find_refund(tx, order.id, number)
            if refund is None:
                refund = add_external(tx, locked, number, answer.fact.amount, now, origin)
            self.take(tx, order.id, refund.id, answer)
        return answer.outcome

    def _fact(
        self, order: Order, refund: Refund, amount: Money, source: Source, trace_id: str | None
    ) -> RefundFact:
        assert refund.out_request_no is not None
        return RefundFact(
            out_trade_no=order.out_trade_no,
            out_request_no=refund.out_request_no,
            amount=amount,
            proven=amount,
            source=source,
            source_ref=trace_id or "",
            learned_at=self.context.clock.now(),
        )

    def _with_proven_sum(self, tx: Tx, order: Order, refund: Refund, answer: Answer) -> Answer:
        """The answer with the sum of all proven refunds, as it is under the lock."""
        if answer.fact is None:
            return answer
        amount, currency = answer.fact.amount, order.amount.currency
        others = [
            other
            for other in store.list_refunds(tx, order.id)
            if other.status is RefundStatus.SUCCEEDED and other.id != refund.id
        ]
        proven = Money.total((other.amount for other in others), currency) + amount
        if refund.origin is not RefundOrigin.OURS:
            # What was booked without a name may be this very refund: not counted twice.
            nameless = next((r.amount for r in others if r.out_request_no is None), None)
            proven -= min(nameless or Money.zero(currency), amount)
        fact = structs.replace(answer.fact, proven=proven)
        return replace(answer, fact=fact)


def _waits_for_others(tx: Tx, order: Order, refund: Refund, now: datetime) -> bool:
    """Whether something is under way that may end first: shares that Alipay might take back with the refund,
    or a settlement that the refund has to name if it is confirmed."""
    if now - refund.created_at >= OTHERS_WAIT:
        return False
    return has_open_rounds(tx, order) or is_under_way(tx, order.id)


def _lacks_returns(tx: Tx, order: Order, answer: Answer) -> bool:
    """Whether it proves a refund without a word of the shares that Alipay may have taken back by itself.

    The answer to a call does not tell of them: the query does. Decided under the order's lock, since a share
    may have ended while the refund was called.
    """
    fact = answer.fact
    by_call = fact is not None and fact.source is Source.REFUND
    return by_call and gives_back_by_itself(tx, order)


def _no(refund: Refund, sub_code: str | None) -> Outcome:
    """What kind of no that is to a refund."""
    if sub_code == NO_BALANCE_CODE:
        return Outcome.NO_BALANCE
    names_receivers = bool(refund.royalty_parameters)
    return (
        Outcome.NO_RETURN if names_receivers and sub_code in NO_RETURN_CODES else Outcome.REJECTED
    )


def _returned(rows: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, Money], ...] | None:
    """Who gave back how much; ``None`` if a row of it cannot be read."""
    found: list[tuple[str, Money]] = []
    for row in rows:
        account, amount = row.get("ori_trans_in") or row.get("trans_out"), row.get("refund_amount")
        try:
            found.append((str(account), Money.parse(str(amount))))
        except (MoneyError, ValueError):
            return None
    return tuple(found)


def _supposed(order: Order, number: str, origin: RefundOrigin) -> Refund:
    """A refund as it is asked about before anybody knows that there is one."""
    return Refund(
        id=0,
        order_id=order.id,
        merchant_id=order.merchant_id,
        out_request_no=number,
        origin=origin,
        status=RefundStatus.UNKNOWN,
        amount=order.amount,
        created_at=order.created_at,
        updated_at=order.updated_at,
    )
