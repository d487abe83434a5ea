"""Shares by a plan: at payment, or later by its name."""

from __future__ import annotations

from datetime import datetime

from daozhang.service.db import Tx
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.announcing import tell_person
from daozhang.service.orders.model import Order
from daozhang.service.refusals import Refusal
from daozhang.service.sharing import register
from daozhang.service.sharing.model import BY_PLAN, NewRound, Plan
from daozhang.service.sharing.refusals import PlanInvalid, PlanNotFound
from daozhang.service.sharing.requesting import SHARES_SIGNAL, request_shares
from daozhang.service.sharing.rules import CannotSplit, split
from daozhang.service.web.context import Context


def read_plan(tx: Tx, merchant_id: int, name: str) -> Plan:
    """The merchant's plan of that name; `PlanNotFound` if it has none."""
    plan = register.find_plan(tx, merchant_id, name)
    if plan is None:
        raise PlanNotFound(name)
    return plan


def round_by_plan(order: Order, plan: Plan, out_request_no: str, requested_by: str) -> NewRound:
    """What ``plan`` makes of an order's whole payment. Raises `PlanInvalid`."""
    try:
        found = split(plan, order.amount)
    except CannotSplit as problem:
        raise PlanInvalid(
            f"Plan {plan.name!r} cannot split {order.amount}: {problem}.",
            f"分账方案 {plan.name!r} 无法拆分 {order.amount}：各分账方合计超过可分金额。",
        ) from None
    return NewRound(
        out_request_no=out_request_no,
        shares=found.shares,
        mode=plan.mode,
        finishes=plan.finishes,
        returns=plan.returns,
        plan=plan.name,
        requested_by=requested_by,
    )


def share_at_payment(tx: Tx, context: Context, order: Order, now: datetime) -> None:
    """Asks for the shares of a locked order's plan; called as the order is booked as paid.

    Of a direct-pay merchant's payment nothing can be shared yet: that is done once its settlement is confirmed.
    """
    if order.share_plan is None or find_merchant_by_id(tx, order.merchant_id).direct_pay:
        return
    share_by_plan(tx, context, order, now)


def share_by_plan(tx: Tx, context: Context, order: Order, now: datetime) -> None:
    """Asks for the shares of a locked order's plan, if it has one; once, however often it is called.

    What happened to the order is booked whatever becomes of that: where it cannot be shared so, a person is
    told. While a fact does not fit, nothing moves by itself.
    """
    if order.share_plan is None or order.attention:
        return
    try:
        plan = read_plan(tx, order.merchant_id, order.share_plan)
        new = round_by_plan(order, plan, plan_number(order), BY_PLAN)
        if not new.shares and not new.finishes:
            return
        # The shares wait until money may go out again.
        request_shares(tx, None, order, new, now, may_wait=True)
    except Refusal as refusal:
        detail = f"plan {order.share_plan}: {refusal.code}: {refusal.detail}"
        tell_person(tx, context, order, "share_plan_failed", detail, order.amount, now)
        return
    tx.after_commit(lambda: context.signals.wake(SHARES_SIGNAL))


def plan_number(order: Order) -> str:
    """The number of the one round that an order's plan asks for: the same each time, and of no other
    order of the seller."""
    return f"plan-{order.id}"
