"""What a person sets about a merchant: policies, and the switch for outgoing money."""

from __future__ import annotations

from daozhang.service.audit.actions import record
from daozhang.service.merchants import store
from daozhang.service.merchants.model import (
    CHANGED_SIGNAL,
    DuplicatePolicy,
    LatePolicy,
    Merchant,
    OutgoingSwitch,
)
from daozhang.service.merchants.outgoing import turn_outgoing
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def set_policies_as(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    late: LatePolicy,
    duplicate: DuplicatePolicy,
) -> Merchant:
    """What becomes of payments that come late or twice, from now on."""
    require(actor, Right.MERCHANTS_WRITE, merchant_id)
    with context.database.begin() as tx:
        before = store.find_merchant_by_id(tx, merchant_id)
        store.update_merchant(
            tx, merchant_id, late_policy=late.value, duplicate_policy=duplicate.value
        )
        record(
            tx,
            actor.actor,
            "merchant.policies_set",
            f"merchant:{before.slug}",
            context.clock.now(),
            merchant_id=merchant_id,
            late=late.value,
            late_before=before.late_policy.value,
            duplicate=duplicate.value,
            duplicate_before=before.duplicate_policy.value,
        )
        tx.after_commit(lambda: context.signals.wake(CHANGED_SIGNAL))
        return store.find_merchant_by_id(tx, merchant_id)


def turn_outgoing_as(
    context: Context, actor: Person, merchant_id: int, *, allowed: bool, reason: str
) -> OutgoingSwitch:
    """Stops or allows the merchant's outgoing money, as `turn_outgoing` does."""
    require(actor, Right.OUTGOING_SWITCH, merchant_id)
    with context.database.begin() as tx:
        return turn_outgoing(
            tx, context, merchant_id, allowed=allowed, reason=reason, actor=actor.actor
        )
