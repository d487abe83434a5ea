"""What somebody decides about an agreement: to charge it, to move its day, to end it. By right, and written
into the trail."""

from __future__ import annotations

from datetime import date

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.money import Money
from daozhang.service.agreements import store
from daozhang.service.agreements.actions import (
    ask_soon,
    end_agreement,
    read_agreement,
    request_deduction,
)
from daozhang.service.agreements.model import Agreement
from daozhang.service.agreements.refusals import AgreementNotActive, PlanNotMoved, PlanUnclear
from daozhang.service.agreements.rules import CHARGEABLE
from daozhang.service.agreements.settling import lock_agreement
from daozhang.service.agreements.workflow import AgreementWork
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.model import Order
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def charge_as(
    context: Context,
    actor: Person,
    merchant: Merchant,
    number: str,
    *,
    out_trade_no: str,
    amount: Money,
    subject: str,
) -> Order:
    """Charges the present period. ``out_trade_no`` is the page's, made when the form was: sent twice, it
    is one charge. Raises what `request_deduction` raises."""
    require(actor, Right.AGREEMENTS_CHARGE, merchant.id)
    with context.database.begin() as tx:
        agreement = lock_agreement(tx, read_agreement(tx, merchant.id, number).id)
        order, _, is_new = request_deduction(
            tx, context, merchant, agreement, out_trade_no, amount, subject
        )
        if is_new:
            note(tx, context, actor.actor, "agreement.charge_asked", agreement, order.amount)
        return order


def end_as(context: Context, actor: Person, merchant_id: int, number: str) -> Agreement:
    """Ends a signed agreement: nothing is charged by it any more. Raises `AgreementNotEndable`."""
    require(actor, Right.AGREEMENTS_END, merchant_id)
    with context.database.begin() as tx:
        agreement = lock_agreement(tx, read_agreement(tx, merchant_id, number).id)
        agreement = end_agreement(tx, context, agreement)
        note(tx, context, actor.actor, "agreement.end_asked", agreement)
        return agreement


def move_plan_as(
    work: AgreementWork, actor: Person, merchant_id: int, number: str, day: date
) -> None:
    """Moves the next charge to a later day. Raises what `move_plan` raises."""
    require(actor, Right.AGREEMENTS_CHARGE, merchant_id)
    move_plan(work, actor.actor, merchant_id, number, day)


def move_plan(work: AgreementWork, actor: Actor, merchant_id: int, number: str, day: date) -> None:
    """Moves the next charge to a later day, at Alipay; then asks how the plan stands.

    Raises `AgreementNotActive`, `PlanNotMoved`, `PlanUnclear`.
    """
    context = work.context
    with context.database.begin() as tx:
        agreement = lock_agreement(tx, read_agreement(tx, merchant_id, number).id)
        if agreement.status is not CHARGEABLE:
            raise AgreementNotActive(agreement)
        # The plan of Alipay's that a try was meant for may change: it is asked for before any other.
        store.update_agreement(tx, agreement.id, next_try_at=None)
        ask_soon(tx, context, agreement)
        note(tx, context, actor, "agreement.move_asked", agreement, day=day)
    try:
        work.calls.move_plan(agreement, day)
    except Rejected as no:
        raise PlanNotMoved(agreement, no) from no
    except OutcomeUnknown as unknown:
        raise PlanUnclear(agreement, unknown.reason) from unknown
    work.run(agreement.id)


def note(
    tx: Tx,
    context: Context,
    actor: Actor,
    action: str,
    agreement: Agreement,
    amount: Money | None = None,
    day: date | None = None,
) -> None:
    """Writes into the trail what somebody asked for."""
    record(
        tx,
        actor,
        action,
        f"agreement:{agreement.external_agreement_no}",
        context.clock.now(),
        merchant_id=agreement.merchant_id,
        amount=None if amount is None else str(amount),
        day=None if day is None else day.isoformat(),
    )
