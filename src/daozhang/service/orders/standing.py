"""Where an order stands once a decision is taken, and the columns and step that say so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from daozhang.service.orders import rules
from daozhang.service.orders.model import (
    OPEN_STATUSES,
    Fact,
    FactKind,
    Order,
    OrderStatus,
    Payment,
    Source,
    TradeFact,
)


def stand_after(order: Order, fact: Fact, decision: rules.Decision, grace_seconds: int) -> Order:
    """The order as it stands after ``decision``."""
    now = fact.learned_at
    fits = decision.surprise is None or decision.status is not order.status
    changed: dict[str, Any] = {
        "status": decision.status,
        "refunded": decision.refunded,
        "late": order.late or decision.late,
        "attention": order.attention or decision.surprise is not None,
        "updated_at": now,
    }
    if isinstance(fact, TradeFact) and fits:
        changed |= {
            "absent_count": _absent_count(order, fact, grace_seconds),
            "unclear_count": order.unclear_count + (fact.kind is FactKind.CLOSED_UNCLEAR),
            "close_confirmed": order.close_confirmed or fact.kind is FactKind.CLOSED_UNPAID,
            "payment": merge_payment(order.payment, fact.payment),
        }
    if fits and fact.trade_no is not None:
        changed["trade_no"] = order.trade_no or fact.trade_no
    if decision.status is OrderStatus.CLOSED and order.status is not OrderStatus.CLOSED:
        reason = "expiry" if decision.expires else (order.closing_reason or "alipay")
        changed["closed_reason"] = str(reason)
    changed["next_query_at"] = _next_query(order, changed, decision, fact, grace_seconds)
    return replace(order, **changed)


def _absent_count(order: Order, fact: TradeFact, grace_seconds: int) -> int:
    if fact.kind is not FactKind.ABSENT:
        return 0
    return order.absent_count + rules.absence_counts(order, fact.learned_at, grace_seconds)


def _next_query(
    before: Order,
    changed: Mapping[str, Any],
    decision: rules.Decision,
    fact: Fact,
    grace_seconds: int,
) -> datetime | None:
    now = fact.learned_at
    stopped = decision.surprise is not None and decision.follow is not rules.Follow.NOTHING
    if decision.follow is not rules.Follow.NOTHING and not stopped:
        return now + timedelta(seconds=rules.ASK_DELAY_SECONDS)
    if decision.status in OPEN_STATUSES:
        after = replace(before, **changed)
        return rules.next_query_at(after, now, grace_seconds=grace_seconds)
    answered = fact.source is Source.QUERY
    if before.is_open or answered or decision.status is not before.status:
        return None
    return before.next_query_at


def merge_payment(known: Payment | None, learned: Payment | None) -> Payment | None:
    """What is known of a payment with what was learned: never overwritten with nothing."""
    if known is None or learned is None:
        return learned if known is None else known
    if known == learned:
        return known
    fields = (name for name in Payment.__struct_fields__)
    chosen = {name: getattr(known, name) or getattr(learned, name) for name in fields}
    return Payment(**chosen)


def columns_of(after: Order) -> dict[str, Any]:
    """The columns that a settlement writes, but for the payment's."""
    return {
        "status": after.status.value,
        "refunded_minor": after.refunded.minor,
        "late": after.late,
        "attention": after.attention,
        "absent_count": after.absent_count,
        "unclear_count": after.unclear_count,
        "close_confirmed": after.close_confirmed,
        "closed_reason": after.closed_reason,
        "trade_no": after.trade_no,
        "next_query_at": after.next_query_at,
        "updated_at": after.updated_at,
    }


def step_of(
    before: Order, after: Order, fact: Fact, events: tuple[str, ...], note: str | None
) -> dict[str, Any]:
    """The step that ``fact`` caused, but for its number."""
    return {
        "order_id": after.id,
        "at": fact.learned_at,
        "cause": fact.source.value,
        "source_ref": fact.source_ref,
        "status_before": before.status.value,
        "status_after": after.status.value,
        "events": list(events),
        "note": note,
        "fact": rules.describe(fact),
    }
