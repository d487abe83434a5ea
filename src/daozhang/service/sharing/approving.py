"""Shares that take a second person: asked for, waiting, approved."""

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
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.model import Order
from daozhang.service.orders.refusals import AmountExceedsRemainder
from daozhang.service.people.model import Person
from daozhang.service.sharing.model import Mode, NewRound, ReturnOrder, Round
from daozhang.service.sharing.refusals import ShareNeedsSecondPerson
from daozhang.service.sharing.requesting import request_shares, require_shareable
from daozhang.service.web.context import Context


def share_or_ask(
    tx: Tx,
    jobs: Jobs,
    order: Order,
    new: NewRound,
    actor: Actor,
    now: datetime,
    *,
    key_made_by: str | None = None,
) -> tuple[Round | Approval, bool]:
    """The round, and whether it is new; or what now waits for a second person, as new.

    Raises what `request_shares` raises, but for `ShareNeedsSecondPerson`, and `ApprovalPending`.
    """
    try:
        made, is_new = request_shares(tx, jobs, order, new, now)
    except ShareNeedsSecondPerson:
        total = Money.total((amount for _, amount in new.shares), order.amount.currency)
        require_shareable(tx, find_merchant_by_id(tx, order.merchant_id), order, new, total)
        if total > order.remainder:
            raise AmountExceedsRemainder(total, order.remainder) from None
        waiting = ask(
            tx,
            actor,
            ApprovalKind.SHARE,
            merchant_id=order.merchant_id,
            subject=subject_of(order.out_trade_no, new.out_request_no),
            content=_content(order, new) | ({MADE_BY: key_made_by} if key_made_by else {}),
            amount=total,
            reason=new.description,
            now=now,
        )
        return waiting, True
    if is_new:
        _record(tx, actor, order, made, now)
    return made, is_new


def list_waiting(tx: Tx, order: Order) -> list[Approval]:
    """The shares of an order that wait for a second person, the oldest first."""
    prefix = subject_of(order.out_trade_no, "")
    return approvals_store.list_pending_about(tx, order.merchant_id, ApprovalKind.SHARE, prefix)


def approve_shares(
    context: Context, jobs: Jobs, actor: Person, approval_id: str, note: str | None = None
) -> tuple[Approval, Round]:
    """Approves shares, and requests them. Raises what `approve` and `request_shares` raise."""
    now = context.clock.now()
    with context.database.begin() as tx:
        waiting = approvals_store.find_approval(tx, approval_id)
        if waiting is None or waiting.kind is not ApprovalKind.SHARE:
            raise ApprovalNotFound(approval_id)
        # The order first, as whoever asks for shares locks them too.
        order = lock_order(tx, int(waiting.content["order_id"]))
        approved = approve(tx, actor, approval_id, ApprovalKind.SHARE, note, now)
        new = _new_round(order, approved, str(actor.actor))
        made, _ = request_shares(tx, jobs, order, new, now)
        _record(tx, actor.actor, order, made, now)
        return approved, made


def subject_of(out_trade_no: str, out_request_no: str) -> str:
    """What an approval of shares is about."""
    return f"share:{out_trade_no}:{out_request_no}"


def _content(order: Order, new: NewRound) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "out_trade_no": order.out_trade_no,
        "out_request_no": new.out_request_no,
        "shares": [[account, amount.minor] for account, amount in new.shares],
        "mode": new.mode.value,
        "finishes": new.finishes,
        "returns": new.returns.value,
        "plan": new.plan,
        "description": new.description,
    }


def _new_round(order: Order, approval: Approval, approved_by: str) -> NewRound:
    content: Mapping[str, Any] = approval.content
    currency = order.amount.currency
    return NewRound(
        out_request_no=content["out_request_no"],
        shares=tuple((account, Money(minor, currency)) for account, minor in content["shares"]),
        mode=Mode(content["mode"]),
        finishes=content["finishes"],
        returns=ReturnOrder(content["returns"]),
        plan=content["plan"],
        description=content["description"],
        requested_by=approval.requested_by,
        approved_by=approved_by,
    )


def _record(tx: Tx, actor: Actor, order: Order, made: Round, now: datetime) -> None:
    record(
        tx,
        actor,
        "share.requested",
        f"order:{order.out_trade_no}",
        now,
        merchant_id=order.merchant_id,
        out_request_no=made.out_request_no,
        amount=str(made.amount),
        requested_by=made.requested_by,
        approved_by=made.approved_by,
    )
