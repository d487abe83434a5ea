"""The verbs of a refund: read, take an answer, ask soon."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from daozhang.service.db import Tx
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import release
from daozhang.service.orders.announcing import announce, tell_person
from daozhang.service.orders.model import Order
from daozhang.service.refunds import rules, store
from daozhang.service.refunds.banks import settle_bank
from daozhang.service.refunds.events import refund_snapshot
from daozhang.service.refunds.model import (
    Answer,
    Outcome,
    Refund,
    RefundStatus,
)
from daozhang.service.refunds.refusals import RefundNotFound
from daozhang.service.refunds.settling import REFUNDS_SIGNAL, settle_fact
from daozhang.service.sharing.model import CoverPolicy
from daozhang.service.sharing.returning import cover_returns, settle_returns
from daozhang.service.web.context import Context

ROW_DIGITS_MAX: Final = 18
"""More than any row has, and still a number that both databases take."""


def read_refund(tx: Tx, merchant_id: int, refund_id: str) -> Refund:
    """The merchant's refund with that row id; `RefundNotFound` if it is another's or nobody's."""
    is_number = refund_id.isascii() and refund_id.isdecimal() and len(refund_id) <= ROW_DIGITS_MAX
    refund = store.find_refund_by_id(tx, int(refund_id)) if is_number else None
    if refund is None or refund.merchant_id != merchant_id:
        raise RefundNotFound(refund_id)
    return refund


def take_answer(
    tx: Tx, context: Context, order: Order, refund: Refund, answer: Answer, now: datetime
) -> None:
    """Moves a refund of a locked order by what one call or question has told."""
    move = rules.move_for(refund, answer.outcome)
    store.update_refund(
        tx,
        refund.id,
        calling=False,
        last_code=answer.code,
        last_message=answer.message,
        due_at=rules.due_after(move, refund, now),
        updated_at=now,
    )
    if answer.outcome is Outcome.PROVEN:
        assert answer.fact is not None
        settle_fact(tx, context, order, answer.fact)
        settled = store.find_refund(tx, order.id, answer.fact.out_request_no)
        if answer.bank_status is not None and settled is not None:
            settle_bank(tx, context, order, settled, answer.bank_status, now)
        return
    if answer.outcome is Outcome.NO_RETURN and _seller_covers(tx, order, refund, now):
        return
    if move.to is RefundStatus.FAILED:
        _fail(tx, context, order, refund.id, now)
    elif move.to is not None:
        store.update_refund(tx, refund.id, status=move.to.value)
    surprise = move.surprise
    if surprise is None and rules.person_is_due(refund):
        surprise = "refund_stays_unclear"
    if surprise is not None:
        _surprise(tx, context, order, refund, surprise, answer, now)


def _seller_covers(tx: Tx, order: Order, refund: Refund, now: datetime) -> bool:
    """Sends the refund again with nobody giving back, if that is the merchant's policy.

    Under the same number: it has definitely not been made.
    """
    cover = find_merchant_by_id(tx, order.merchant_id).share_cover
    if refund.status is not RefundStatus.REQUESTED or cover != CoverPolicy.SELLER.value:
        return False
    assert refund.out_request_no is not None
    cover_returns(tx, order, refund.out_request_no, now)
    store.update_refund(tx, refund.id, royalty_parameters=None, due_at=now)
    return True


def _fail(tx: Tx, context: Context, order: Order, refund_id: int, now: datetime) -> None:
    refund = store.find_refund_by_id(tx, refund_id)
    assert refund is not None
    if refund.holds_reservation:
        order = release(tx, order, refund.amount, now)
    store.update_refund(tx, refund_id, status=RefundStatus.FAILED.value, ended_at=now, due_at=None)
    order = settle_returns(tx, context, order, refund.out_request_no, now, happened_at=None)
    failed = store.find_refund_by_id(tx, refund_id)
    assert failed is not None
    announce(tx, context, order, rules.FAILED_EVENT, now, refund=refund_snapshot(failed))


def _surprise(
    tx: Tx,
    context: Context,
    order: Order,
    refund: Refund,
    reason: str,
    answer: Answer,
    now: datetime,
) -> None:
    said = f"{answer.code or answer.outcome.value}: {answer.message or ''}"
    detail = f"refund {refund.out_request_no}: {said}"
    told = refund_snapshot(refund)
    tell_person(tx, context, order, reason, detail, refund.amount, now, refund=told)


def ask_refunds(tx: Tx, context: Context, order: Order) -> None:
    """Brings the next question about each open refund of ``order`` forward."""
    now = context.clock.now()
    for refund in store.list_refunds(tx, order.id):
        if refund.is_open and not refund.calling:
            store.update_refund(tx, refund.id, due_at=now)
    tx.after_commit(lambda: context.signals.wake(REFUNDS_SIGNAL))
