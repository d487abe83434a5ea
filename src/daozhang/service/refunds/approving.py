"""Refunds that take a second person: asked for, waiting, approved.

An approved refund is requested like any other, in the transaction of the approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from daozhang.money import Money
from daozhang.service.approvals import store as approvals_store
from daozhang.service.approvals.actions import approve, ask
from daozhang.service.approvals.model import Approval, ApprovalKind
from daozhang.service.approvals.refusals import ApprovalNotFound
from daozhang.service.approvals.rules import MADE_BY
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.orders.actions import lock_order, read_order, require_paid
from daozhang.service.orders.ending import end_by_refund
from daozhang.service.orders.model import Order
from daozhang.service.orders.refusals import AmountExceedsRemainder
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.refunds.model import NewRefund, Refund
from daozhang.service.refunds.refusals import SecondPersonNeeded
from daozhang.service.refunds.requesting import request_refund
from daozhang.service.refunds.telling import subject_of
from daozhang.service.shifts.store import find_open_shift
from daozhang.service.web.context import Context


def refund_or_ask(
    tx: Tx,
    jobs: Jobs,
    order: Order,
    new: NewRefund,
    actor: Actor,
    now: datetime,
    *,
    daily_limit: Money | None = None,
    key_made_by: str | None = None,
) -> tuple[Refund | Approval, bool]:
    """The refund, and whether it is new; or what now waits for a second person, as new.

    Raises what `request_refund` raises, but for `SecondPersonNeeded`, and `ApprovalPending`.
    """
    try:
        refund, is_new = request_refund(tx, jobs, order, new, now, daily_limit=daily_limit)
    except SecondPersonNeeded:
        require_paid(order)
        if new.amount > order.most_refundable:
            raise AmountExceedsRemainder(new.amount, order.remainder) from None
        waiting = ask(
            tx,
            actor,
            ApprovalKind.REFUND,
            merchant_id=order.merchant_id,
            subject=subject_of(order.out_trade_no, new.out_request_no),
            content=_content(order, new) | ({MADE_BY: key_made_by} if key_made_by else {}),
            amount=new.amount,
            reason=new.reason,
            now=now,
        )
        return waiting, True
    if is_new:
        _record(tx, actor, order, refund, now)
    return refund, is_new


def refund_as(
    context: Context,
    jobs: Jobs,
    actor: Person,
    merchant_id: int,
    out_trade_no: str,
    *,
    out_request_no: str,
    amount: Money,
    reason: str | None,
    terminal_id: str | None = None,
    store_id: str | None = None,
    seller_covers: bool = False,
) -> Refund | Approval:
    """What a person asks for: the refund, or what now waits for a second one.

    With ``seller_covers`` receivers of shares keep what they have, and the seller pays that part.

    ``out_request_no`` is the page's, made when the form was: sent twice, it is one refund. While
    the person has an open shift it belongs to that, wherever in the console it was asked for.
    """
    require(actor, Right.REFUNDS_REQUEST, merchant_id)
    now = context.clock.now()
    with context.database.begin() as tx:
        order = lock_order(tx, read_order(tx, merchant_id, out_trade_no).id)
        shift = find_open_shift(tx, merchant_id, actor.id, lock=True)
        new = NewRefund(
            out_request_no=out_request_no,
            amount=amount,
            reason=reason,
            operator_id=f"person-{actor.id}",
            terminal_id=terminal_id or (shift.terminal_id if shift else None),
            store_id=store_id or (shift.store_id if shift else None),
            requested_by=str(actor.actor),
            shift_id=shift.id if shift else None,
            seller_covers=seller_covers,
        )
        return refund_or_ask(tx, jobs, order, new, actor.actor, now)[0]


def list_waiting(tx: Tx, order: Order) -> list[Approval]:
    """The refunds of an order that wait for a second person, the oldest first."""
    prefix = subject_of(order.out_trade_no, "")
    return approvals_store.list_pending_about(tx, order.merchant_id, ApprovalKind.REFUND, prefix)


def approve_refund(
    context: Context, jobs: Jobs, actor: Person, approval_id: str, note: str | None = None
) -> tuple[Approval, Refund]:
    """Approves a refund, and requests it. Raises what `approve` and `request_refund` raise."""
    now = context.clock.now()
    with context.database.begin() as tx:
        waiting = approvals_store.find_approval(tx, approval_id)
        if waiting is None or waiting.kind is not ApprovalKind.REFUND:
            raise ApprovalNotFound(approval_id)
        # The order first, as whoever asks for a refund locks them too.
        order = lock_order(tx, int(waiting.content["order_id"]))
        approved = approve(tx, actor, approval_id, ApprovalKind.REFUND, note, now)
        new = _new_refund(approved, str(actor.actor))
        refund, _ = request_refund(tx, jobs, order, new, now)
        _record(tx, actor.actor, order, refund, now)
        end_by_refund(tx, order, refund.out_request_no, actor.actor, now, context.signals)
        return approved, refund


def _content(order: Order, new: NewRefund) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "out_trade_no": order.out_trade_no,
        "out_request_no": new.out_request_no,
        "operator_id": new.operator_id,
        "terminal_id": new.terminal_id,
        "store_id": new.store_id,
        "shift_id": new.shift_id,
        "royalty_parameters": [dict(row) for row in new.royalty_parameters],
        "seller_covers": new.seller_covers,
        "idempotency_key": new.idempotency_key,
        "amount_minor": new.amount.minor,
        "reason": new.reason,
    }


def _new_refund(approval: Approval, approved_by: str) -> NewRefund:
    assert approval.amount is not None
    content: Mapping[str, Any] = approval.content
    return NewRefund(
        out_request_no=content["out_request_no"],
        amount=approval.amount,
        reason=approval.reason,
        operator_id=content["operator_id"],
        terminal_id=content["terminal_id"],
        store_id=content["store_id"],
        shift_id=content.get("shift_id"),
        requested_by=approval.requested_by,
        approved_by=approved_by,
        royalty_parameters=tuple(content["royalty_parameters"]),
        seller_covers=content.get("seller_covers", False),
        idempotency_key=content["idempotency_key"],
    )


def _record(tx: Tx, actor: Actor, order: Order, refund: Refund, now: datetime) -> None:
    record(
        tx,
        actor,
        "refund.requested",
        f"order:{order.out_trade_no}",
        now,
        merchant_id=order.merchant_id,
        out_request_no=refund.out_request_no,
        amount=str(refund.amount),
        requested_by=refund.requested_by,
        approved_by=refund.approved_by,
    )
