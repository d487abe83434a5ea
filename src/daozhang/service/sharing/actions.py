"""The verbs beside sharing itself: receivers, plans, and what a merchant has set."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx, json_text
from daozhang.service.merchants.model import CHANGED_SIGNAL, Merchant
from daozhang.service.merchants.store import find_merchant_by_id, update_merchant
from daozhang.service.sharing import register
from daozhang.service.sharing.model import (
    BASIS_POINTS,
    CoverPolicy,
    Plan,
    Receiver,
    ReceiverStatus,
    ReceiverType,
)
from daozhang.service.sharing.planning import read_plan
from daozhang.service.sharing.refusals import PlanInvalid, ReceiverInvalid, ReceiverNotFound
from daozhang.service.web.context import Context

RECEIVERS_SIGNAL: Final = "share_receivers"
"""Wakes the sweep over receivers that are to be bound or unbound, in this process."""


def bind_receiver(
    tx: Tx,
    context: Context,
    actor: Actor,
    merchant_id: int,
    *,
    kind: ReceiverType,
    account: str,
    name: str | None,
    memo: str | None,
) -> tuple[Receiver, bool]:
    """The receiver of that account, and whether it is to be bound now; then Alipay is asked soon.

    One that is bound, with the same name and type, stays as it is. Raises `ReceiverInvalid`.
    """
    merchant = find_merchant_by_id(tx, merchant_id)
    if (kind is ReceiverType.LOGIN_NAME and not name) or account == merchant.seller_id:
        raise ReceiverInvalid
    known = register.find_receiver(tx, merchant_id, account)
    alive = (ReceiverStatus.BOUND, ReceiverStatus.BINDING)
    if known is not None and (known.type, known.name) == (kind, name) and known.status in alive:
        return known, False
    now = context.clock.now()
    values: dict[str, Any] = {
        "merchant_id": merchant_id,
        "type": kind.value,
        "account": account,
        "name": name,
        "memo": memo,
        "status": ReceiverStatus.BINDING.value,
        "due_at": now,
        "last_code": None,
        "last_message": None,
        "updated_at": now,
    }
    if known is None:
        new = values | {"call_count": 0, "attempt": 0, "created_at": now}
        receiver_id = register.insert_receiver(tx, new)
        if receiver_id is None:  # at the same moment, by somebody else
            return bind_receiver(
                tx, context, actor, merchant_id, kind=kind, account=account, name=name, memo=memo
            )
    else:
        receiver_id = known.id
        register.update_receiver(tx, receiver_id, **values)
    _record(tx, actor, "share.bind_asked", account, now, merchant_id)
    tx.after_commit(lambda: context.signals.wake(RECEIVERS_SIGNAL))
    receiver = register.find_receiver_by_id(tx, receiver_id)
    assert receiver is not None
    return receiver, True


def unbind_receiver(
    tx: Tx, context: Context, actor: Actor, merchant_id: int, account: str
) -> Receiver:
    """The receiver, which is to get no shares from now on. Raises `ReceiverNotFound`."""
    receiver = register.find_receiver(tx, merchant_id, account)
    if receiver is None:
        raise ReceiverNotFound(account)
    if receiver.status in (ReceiverStatus.UNBOUND, ReceiverStatus.UNBINDING):
        return receiver
    now = context.clock.now()
    status = ReceiverStatus.UNBINDING
    register.update_receiver(
        tx, receiver.id, status=status.value, due_at=now, last_code=None, last_message=None, updated_at=now
    )  # fmt: skip
    _record(tx, actor, "share.unbind_asked", account, now, merchant_id)
    tx.after_commit(lambda: context.signals.wake(RECEIVERS_SIGNAL))
    return replace(receiver, status=status, due_at=now)


def _record(tx: Tx, actor: Actor, deed: str, account: str, now: datetime, merchant_id: int) -> None:
    record(tx, actor, deed, f"receiver:{account}", now, merchant_id=merchant_id)


def put_plan(tx: Tx, actor: Actor, merchant_id: int, plan: Plan, now: datetime) -> Plan:
    """Writes a plan down, instead of one of that name. Raises `PlanInvalid`."""
    _require_sound(plan)
    register.save_plan(tx, merchant_id, plan, now)
    record(
        tx,
        actor,
        "share.plan_set",
        f"plan:{plan.name}",
        now,
        merchant_id=merchant_id,
        content=json_text(register.plan_json(plan)),
    )
    return plan


def _require_sound(plan: Plan) -> None:
    accounts = [part.account for part in plan.parts]
    if not accounts or len(set(accounts)) != len(accounts):
        raise PlanInvalid(
            "A plan has parts, each for another receiver.", "分账方案至少有一个分账方，且不得重复。"
        )
    rests = [part for part in plan.parts if part.is_remainder]
    if len(rests) > 1 or bool(rests) != (plan.pool_basis_points is not None):
        raise PlanInvalid(
            "One part at most gets the remainder, and then pool_percent says of how much.",
            "最多一个分账方取得余额，且须用 pool_percent 指定可分比例。",
        )
    points = sum(part.basis_points or 0 for part in plan.parts)
    if points > (plan.pool_basis_points or BASIS_POINTS):
        raise PlanInvalid(
            "The percents come to more than there is.", "各分账比例之和超过可分比例。"
        )
    if plan.rounding is not None and not any(
        part.account == plan.rounding and part.basis_points is not None for part in plan.parts
    ):
        raise PlanInvalid(
            "rounding names a receiver who gets a percentage.", "rounding 须为按比例分账的分账方。"
        )


def set_sharing(
    tx: Tx,
    context: Context,
    actor: Actor,
    merchant_id: int,
    *,
    percent_max: int,
    plan: str | None,
    cover: CoverPolicy,
    direct_pay: bool,
) -> Merchant:
    """How a merchant shares: the limit of its agreement, the plan of every payment that names no other,
    what becomes of a refund for which a receiver cannot give back, and whether its payments wait for their
    settlement to be confirmed. Raises `PlanNotFound`."""
    if plan is not None:
        read_plan(tx, merchant_id, plan)
    update_merchant(
        tx,
        merchant_id,
        share_percent_max=percent_max,
        share_plan=plan,
        share_cover=cover.value,
        direct_pay=direct_pay,
    )
    merchant = find_merchant_by_id(tx, merchant_id)
    record(
        tx,
        actor,
        "merchant.sharing_set",
        f"merchant:{merchant.slug}",
        context.clock.now(),
        merchant_id=merchant_id,
        percent_max=percent_max,
        plan=plan,
        cover=cover.value,
        direct_pay=direct_pay,
    )
    tx.after_commit(lambda: context.signals.wake(CHANGED_SIGNAL))
    return merchant
