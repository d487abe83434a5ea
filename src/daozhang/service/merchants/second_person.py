"""From which amounts on a merchant's refunds take a second person."""

from __future__ import annotations

from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants import store
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.refusals import MerchantInvalid
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def set_second_person(
    tx: Tx,
    context: Context,
    actor: Actor,
    merchant_id: int,
    *,
    per_order: Money | None,
    per_day: Money | None,
) -> Merchant:
    """Above ``per_order`` of one order, or ``per_day`` of one requester, it takes two; None: never.

    Of both only what no second person has approved counts.
    """
    if any(amount is not None and amount.minor < 0 for amount in (per_order, per_day)):
        raise MerchantInvalid("An amount is not negative.", "金额不能为负。")
    now = context.clock.now()
    order_minor = None if per_order is None else per_order.minor
    day_minor = None if per_day is None else per_day.minor
    store.update_merchant(
        tx, merchant_id, second_person_order_minor=order_minor, second_person_day_minor=day_minor
    )
    merchant = store.find_merchant_by_id(tx, merchant_id)
    record(
        tx,
        actor,
        "merchant.second_person_set",
        f"merchant:{merchant.slug}",
        now,
        merchant_id=merchant_id,
        per_order=None if per_order is None else str(per_order),
        per_day=None if per_day is None else str(per_day),
    )
    return merchant


def set_second_person_as(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    per_order: Money | None,
    per_day: Money | None,
) -> Merchant:
    """The same, by a person."""
    require(actor, Right.MERCHANTS_WRITE, merchant_id)
    with context.database.begin() as tx:
        return set_second_person(
            tx, context, actor.actor, merchant_id, per_order=per_order, per_day=per_day
        )
