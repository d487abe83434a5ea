"""Plain settlements: facts that move an order and nothing else, booked many in one go.

Nearly every notification says that a waiting order has been paid, in full, in time. Such facts
are decided by the same table as all others, and written together: one statement for the orders,
one for their steps, one for the events. Whatever touches a refund, a policy, a cart or a person
is not plain and goes through `daozhang.service.refunds.settling.settle_fact`, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from daozhang.service.db import Tx
from daozhang.service.ledger.takings import post_new_takings
from daozhang.service.orders import rules, store
from daozhang.service.orders.events import snapshot_of
from daozhang.service.orders.model import Order, OrderInHand, TradeFact
from daozhang.service.orders.posting import is_received, learns_more, taking_of
from daozhang.service.orders.standing import columns_of, stand_after, step_of
from daozhang.service.outbox.actions import append_events
from daozhang.service.outbox.model import NewEvent
from daozhang.service.signals import Signals


class PlainSettlement(msgspec.Struct, frozen=True):
    """What one plain fact does to an order that is locked here; not written yet."""

    before: OrderInHand
    after: Order
    fact: TradeFact
    events: tuple[str, ...]

    @property
    def moves(self) -> bool:
        """Whether the order stands elsewhere afterwards. If not, a step says that it was told."""
        return self.after.status is not self.before.order.status

    @property
    def outcome(self) -> str:
        """The move in words."""
        return f"{self.before.order.status.value} -> {self.after.status.value}"


def settle_plainly(
    in_hand: OrderInHand, fact: TradeFact, *, grace_seconds: int
) -> PlainSettlement | None:
    """What ``fact`` does to the order, or ``None`` if it is not plain. Pure."""
    order = in_hand.order
    decision = rules.decide(order, fact, grace_seconds=grace_seconds)
    if not rules.is_plain(order, fact, decision):
        return None
    after = stand_after(order, fact, decision, grace_seconds)
    if learns_more(order, after):
        return None
    return PlainSettlement(in_hand, after, fact, decision.events)


def book_plain(tx: Tx, settlements: Sequence[PlainSettlement], signals: Signals) -> None:
    """Writes plain settlements, each of another order: the orders, their steps, their events, and
    what is received goes into the books."""
    store.save_settlements(tx, [_order_row(settled) for settled in settlements])
    store.insert_steps(tx, [_step_row(settled) for settled in settlements])
    append_events(tx, [e for settled in settlements for e in _events(settled)], signals)
    received = [settled for settled in settlements if settled.moves and is_received(settled.after)]
    if received:
        now = max(settled.fact.learned_at for settled in received)
        post_new_takings(tx, [taking_of(settled.after) for settled in received], now)


def _events(settled: PlainSettlement) -> list[NewEvent]:
    return [
        NewEvent(
            merchant_id=settled.after.merchant_id,
            environment=settled.after.environment,
            order_id=settled.after.id,
            sequence=sequence,
            type=name,
            data={"order": snapshot_of(settled.after)},
            created_at=settled.fact.learned_at,
        )
        for sequence, name in enumerate(settled.events, settled.before.event_count + 1)
    ]


def _order_row(settled: PlainSettlement) -> dict[str, Any]:
    return {
        "id": settled.after.id,
        "step_count": settled.before.step_count + 1,
        **columns_of(settled.after),
        **store.payment_columns(settled.after.payment),
    }


def _step_row(settled: PlainSettlement) -> dict[str, Any]:
    before, after = settled.before.order, settled.after
    step = step_of(before, after, settled.fact, settled.events, None)
    return {"sequence": settled.before.step_count + 1, **step}
