"""Sharing in the hands of people: what somebody at a desk may see, set up, and pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import lock_numbered, read_order
from daozhang.service.orders.model import Order
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.sharing import register, rules
from daozhang.service.sharing.actions import (
    bind_receiver,
    put_plan,
    set_sharing,
    unbind_receiver,
)
from daozhang.service.sharing.approving import share_or_ask
from daozhang.service.sharing.model import (
    CoverPolicy,
    NewRound,
    Plan,
    Receiver,
    ReceiverStatus,
    ReceiverType,
    Round,
    Split,
)
from daozhang.service.sharing.planning import read_plan, round_by_plan
from daozhang.service.sharing.requesting import shared_of
from daozhang.service.sharing.rules import CannotSplit, split
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class Register:
    """Who may receive, by which plans, and how the merchant shares."""

    merchant: Merchant
    receivers: list[Receiver]
    plans: list[Plan]


@dataclass(frozen=True, slots=True)
class Shareable:
    """An order with all by which it could be shared. ``left`` may still be; of each plan that can split
    the payment there is what it comes to."""

    order: Order
    left: Money
    receivers: list[Receiver]
    splits: Mapping[str, Split]


def read_register(context: Context, person: Person, merchant_id: int) -> Register:
    """Receivers, plans and settings of a merchant."""
    require(person, Right.SHARING_READ, merchant_id)
    with context.database.read() as tx:
        return Register(
            find_merchant_by_id(tx, merchant_id),
            register.list_receivers(tx, merchant_id),
            register.list_plans(tx, merchant_id),
        )


def read_shareable(
    context: Context, person: Person, merchant_id: int, out_trade_no: str
) -> Shareable:
    """What could be shared of an order, and how. Raises `OrderNotFound`."""
    require(person, Right.SHARING_REQUEST, merchant_id)
    with context.database.read() as tx:
        order = read_order(tx, merchant_id, out_trade_no)
        merchant = find_merchant_by_id(tx, merchant_id)
        limit = rules.limit_of(order.amount, merchant.share_percent_max) - shared_of(tx, order)
        nothing = Money.zero(order.amount.currency)
        bound = [
            one
            for one in register.list_receivers(tx, merchant_id)
            if one.status is ReceiverStatus.BOUND
        ]
        plans = register.list_plans(tx, merchant_id)
    return Shareable(order, max(min(limit, order.remainder), nothing), bound, _splits(plans, order))


def _splits(plans: list[Plan], order: Order) -> dict[str, Split]:
    found: dict[str, Split] = {}
    for plan in plans:
        try:
            found[plan.name] = split(plan, order.amount)
        except CannotSplit:
            continue  # of this payment it takes more than there is: it is not offered
    return found


def share_as(
    context: Context,
    jobs: Jobs,
    actor: Person,
    merchant_id: int,
    out_trade_no: str,
    new: NewRound,
) -> Round | Approval:
    """Passes parts of an order on, or asks for a second person. ``new.plan`` alone is what that plan makes
    of it. Raises what `share_or_ask` raises, and `PlanNotFound`."""
    require(actor, Right.SHARING_REQUEST, merchant_id)
    by = str(actor.actor)
    now = context.clock.now()
    with context.database.begin() as tx:
        order = lock_numbered(tx, merchant_id, out_trade_no)
        if new.plan is not None:
            wanted = round_by_plan(
                order, read_plan(tx, merchant_id, new.plan), new.out_request_no, by
            )
        else:
            wanted = replace(new, requested_by=by)
        made, _ = share_or_ask(tx, jobs, order, wanted, actor.actor, now)
    return made


def bind_as(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    kind: ReceiverType,
    account: str,
    name: str | None,
    memo: str | None,
) -> Receiver:
    """Lets somebody be given shares. Raises `ReceiverInvalid`."""
    require(actor, Right.SHARING_WRITE, merchant_id)
    with context.database.begin() as tx:
        receiver, _ = bind_receiver(
            tx, context, actor.actor, merchant_id, kind=kind, account=account, name=name, memo=memo
        )
    return receiver


def unbind_as(context: Context, actor: Person, merchant_id: int, account: str) -> Receiver:
    """From now on they get no shares. Raises `ReceiverNotFound`."""
    require(actor, Right.SHARING_WRITE, merchant_id)
    with context.database.begin() as tx:
        return unbind_receiver(tx, context, actor.actor, merchant_id, account)


def put_plan_as(context: Context, actor: Person, merchant_id: int, plan: Plan) -> Plan:
    """Makes a plan, or replaces the one of its name. Raises `PlanInvalid`."""
    require(actor, Right.SHARING_WRITE, merchant_id)
    with context.database.begin() as tx:
        return put_plan(tx, actor.actor, merchant_id, plan, context.clock.now())


def set_sharing_as(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    percent_max: int,
    plan: str | None,
    cover: CoverPolicy,
    direct_pay: bool,
) -> Merchant:
    """How the merchant shares from now on. Raises `PlanNotFound`."""
    require(actor, Right.SHARING_WRITE, merchant_id)
    with context.database.begin() as tx:
        return set_sharing(
            tx,
            context,
            actor.actor,
            merchant_id,
            percent_max=percent_max,
            plan=plan,
            cover=cover,
            direct_pay=direct_pay,
        )
