"""How a surprise ends: its row, the order's attention, a step, an event and a line of the trail.

What may end it, and what has to happen first, is decided above (`daozhang.service.surprises`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders import store
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.events import snapshot_of
from daozhang.service.orders.model import Order, Surprise, SurpriseEnd
from daozhang.service.orders.rules import SURPRISE_RESOLVED
from daozhang.service.orders.surprises import find_surprise, is_any_open, update_surprise
from daozhang.service.outbox.actions import append_event
from daozhang.service.signals import Signals

REFUND_PREFIX: Final = "surprise-"
"""Before the surprise's id, in the number of the one refund that ends it: pressed twice, by whomever,
it is the same refund."""


def refund_number(surprise: Surprise) -> str:
    """The number of the refund that ends ``surprise``."""
    return f"{REFUND_PREFIX}{surprise.id}"


def end_surprise(
    tx: Tx,
    surprise: Surprise,
    end: SurpriseEnd,
    actor: Actor,
    note: str | None,
    now: datetime,
    signals: Signals,
) -> Surprise:
    """Ends an open surprise, whose order (if it has one) is locked.

    The order's ``attention`` goes with the last of its open surprises, and what happens by itself
    goes on then. The same fact may surprise again later, and is a new surprise.
    """
    values = {
        "resolved_at": now,
        "resolution": end.value,
        "resolved_by": str(actor),
        "resolved_name": actor.name,
        "resolution_note": note,
    }
    update_surprise(tx, surprise.id, open_key=None, **values)
    order = None if surprise.order_id is None else lock_order(tx, surprise.order_id)
    if order is not None:
        order = _lift_attention(tx, order, now)
        _insert_step(tx, order, surprise, end, note, now)
    append_event(
        tx,
        merchant_id=surprise.merchant_id,
        environment=find_merchant_by_id(tx, surprise.merchant_id).environment,
        order_id=surprise.order_id,
        type=SURPRISE_RESOLVED,
        data={
            "order": None if order is None else snapshot_of(order),
            "surprise": {
                "id": surprise.id,
                "out_trade_no": surprise.out_trade_no,
                "reason": surprise.reason,
                "resolution": end.value,
            },
        },
        now=now,
        signals=signals,
    )
    record(
        tx,
        actor,
        f"surprise.{end.value}",
        f"surprise:{surprise.id}",
        now,
        merchant_id=surprise.merchant_id,
        reason=surprise.reason,
        out_trade_no=surprise.out_trade_no,
        amount=str(surprise.amount),
        note=note,
    )
    ended = find_surprise(tx, surprise.merchant_id, surprise.id)
    assert ended is not None
    return ended


def end_by_refund(
    tx: Tx, order: Order, out_request_no: str | None, actor: Actor, now: datetime, signals: Signals
) -> None:
    """Ends the surprise of a locked order that waited for this refund to be approved, if one did."""
    number = (out_request_no or "").removeprefix(REFUND_PREFIX)
    if not number.isdecimal() or number == out_request_no:
        return
    surprise = find_surprise(tx, order.merchant_id, int(number[:18]), lock=True)
    if surprise is not None and surprise.is_open and surprise.order_id == order.id:
        end_surprise(tx, surprise, SurpriseEnd.REFUNDED, actor, None, now, signals)


def _lift_attention(tx: Tx, order: Order, now: datetime) -> Order:
    if is_any_open(tx, order.merchant_id, order_id=order.id, number=None):
        return order
    store.update_order(tx, order.id, attention=False, updated_at=now)
    return replace(order, attention=False, updated_at=now)


def _insert_step(
    tx: Tx, order: Order, surprise: Surprise, end: SurpriseEnd, note: str | None, now: datetime
) -> None:
    told = {"surprise": surprise.reason, "reason": note}
    store.insert_step(
        tx,
        {
            "order_id": order.id,
            "at": now,
            "cause": f"surprise_{end.value}",
            "source_ref": f"surprise:{surprise.id}",
            "status_before": order.status.value,
            "status_after": order.status.value,
            "events": [SURPRISE_RESOLVED],
            "note": None,
            "fact": {name: value for name, value in told.items() if value is not None},
        },
    )
