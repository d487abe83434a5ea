"""What a person decides about a hold: to take money, to let it go, to give it up. By right, and written
into the trail."""

from __future__ import annotations

from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.holds.actions import (
    give_up,
    new_capture,
    read_hold,
    request_capture,
    request_release,
)
from daozhang.service.holds.model import Hold, Release
from daozhang.service.holds.settling import lock_hold
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.model import Order
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def capture_as(
    context: Context,
    actor: Person,
    merchant: Merchant,
    out_order_no: str,
    *,
    out_trade_no: str,
    amount: Money,
    subject: str,
    completes: bool,
) -> Order:
    """Takes money out of a hold; with ``completes`` Alipay lets the rest go.

    ``out_trade_no`` is the page's, made when the form was: sent twice, it is one payment. Raises what
    `request_capture` raises.
    """
    require(actor, Right.HOLDS_CAPTURE, merchant.id)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, merchant.id, out_order_no).id)
        now = context.clock.now()
        operator = f"person-{actor.id}"
        new = new_capture(out_trade_no, amount, subject, hold, now, operator_id=operator)
        order, _, is_new = request_capture(tx, context, merchant, hold, new, completes=completes)
        if is_new:
            note(tx, context, actor.actor, "hold.capture_asked", hold, order.amount)
        return order


def release_as(
    context: Context,
    actor: Person,
    merchant_id: int,
    out_order_no: str,
    *,
    out_request_no: str,
    amount: Money,
    remark: str | None,
) -> Release:
    """Lets some of a hold go. Raises what `request_release` raises."""
    require(actor, Right.HOLDS_RELEASE, merchant_id)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, merchant_id, out_order_no).id)
        release, is_new = request_release(
            tx,
            context,
            hold,
            out_request_no,
            amount,
            remark=remark,
            operator_id=f"person-{actor.id}",
        )
        if is_new:
            note(tx, context, actor.actor, "hold.release_asked", hold, release.amount)
        return release


def cancel_as(context: Context, actor: Person, merchant_id: int, out_order_no: str) -> Hold:
    """Gives up a hold that nobody has confirmed: it is cancelled soon. Raises what `give_up` raises."""
    require(actor, Right.HOLDS_RELEASE, merchant_id)
    with context.database.begin() as tx:
        hold = lock_hold(tx, read_hold(tx, merchant_id, out_order_no).id)
        hold = give_up(tx, context, hold, "cancel")
        note(tx, context, actor.actor, "hold.cancel_asked", hold)
        return hold


def note(
    tx: Tx, context: Context, actor: Actor, action: str, hold: Hold, amount: Money | None = None
) -> None:
    """Writes into the trail what somebody asked for."""
    record(
        tx,
        actor,
        action,
        f"hold:{hold.out_order_no}",
        context.clock.now(),
        merchant_id=hold.merchant_id,
        amount=None if amount is None else str(amount),
    )
