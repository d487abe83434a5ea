"""The one door by which a fact about a hold enters, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from daozhang.money import Money
from daozhang.service.charges.model import ChargeKind
from daozhang.service.charges.store import list_charges
from daozhang.service.db import Tx
from daozhang.service.holds import rules, store
from daozhang.service.holds.events import (
    RELEASED,
    hold_snapshot,
    release_snapshot,
    subject_of,
)
from daozhang.service.holds.model import (
    Balance,
    Hold,
    HoldFact,
    HoldStatus,
    Payer,
    Release,
    ReleaseOrigin,
    ReleaseStatus,
)
from daozhang.service.holds.telling import cause_of_call
from daozhang.service.orders.actions import raise_surprise
from daozhang.service.orders.model import Order, OrderStatus
from daozhang.service.orders.rules import SURPRISE
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.outbox.actions import append_event
from daozhang.service.web.context import Context

HOLDS_SIGNAL = "holds"
"""Wakes the sweep over holds that are due, in this process."""

_PAID = (OrderStatus.PAID, OrderStatus.FINISHED, OrderStatus.REFUNDED)


def lock_hold(tx: Tx, hold_id: int) -> Hold:
    """The hold with that row id, locked until the transaction ends: one writer at a time."""
    hold = store.find_hold_by_id(tx, hold_id, lock=True)
    assert hold is not None, f"hold row {hold_id} is gone, and holds are never deleted"
    return hold


def captures_of(tx: Tx, hold: Hold) -> list[Order]:
    """The orders that are charged out of a hold, oldest first."""
    found = [
        find_order_by_id(tx, one.order_id) for one in list_charges(tx, ChargeKind.HOLD, hold.id)
    ]
    return [order for order in found if order is not None]


def balance(tx: Tx, hold: Hold) -> Balance:
    """Where the money of a hold is, with what is under way."""
    captures = [(order.amount, _is_paid(order)) for order in captures_of(tx, hold)]
    settled = [(amount, paid) for amount, paid in captures if paid is not False]
    return rules.balance_of(hold, store.list_releases(tx, hold.id), settled)


def _is_paid(order: Order) -> bool | None:
    if order.status in _PAID:
        return True
    return False if order.status is OrderStatus.CLOSED else None


def settle_hold(tx: Tx, context: Context, hold: Hold, fact: HoldFact) -> Hold:
    """Takes one fact into a locked hold: decides by the table, writes the hold and its step, announces.

    Applying the same fact again changes nothing. A fact that does not fit leaves the hold where it
    stands, with ``attention`` and a surprise.
    """
    grace_seconds = context.settings.expiry_grace_seconds
    decision = rules.decide(hold, fact, grace_seconds=grace_seconds)
    after = _stand_after(hold, fact, decision, grace_seconds)
    store.update_hold(tx, hold.id, **_columns_of(after))
    store.insert_step(tx, _step_of(hold, after, fact, decision))
    if decision.surprise is not None:
        detail = f"{fact.source} {fact.source_ref}: {fact.kind.value}"
        tell_person(tx, context, after, decision.surprise, detail, fact.learned_at)
    for name in decision.events:
        announce(tx, context, after, name, fact.learned_at)
    _take_external(tx, context, after, fact.learned_at)
    return after


def _stand_after(hold: Hold, fact: HoldFact, decision: rules.Decision, grace_seconds: int) -> Hold:
    fits = decision.surprise is None or decision.status is not hold.status
    changed: dict[str, Any] = {
        "status": decision.status,
        "captured": decision.captured,
        "released": decision.released,
        "late": hold.late or decision.late,
        "attention": hold.attention or decision.surprise is not None,
        "updated_at": fact.learned_at,
    }
    if fits:
        absent = fact.kind is rules.A and rules.absence_counts(hold, fact.learned_at, grace_seconds)
        changed |= {
            "absent_count": hold.absent_count + 1 if absent else 0,
            "auth_no": hold.auth_no or fact.auth_no,
            "operation_id": hold.operation_id or fact.operation_id,
            "payer": _merged(hold.payer, fact.payer),
        }
    if fits and fact.kind in (rules.S, rules.F) and hold.authorized_at is None:
        changed["authorized_at"] = fact.authorized_at or fact.learned_at
    if decision.status in (HoldStatus.CLOSED, HoldStatus.FINISHED):
        changed["ended_at"] = hold.ended_at or fact.learned_at
    if decision.status is HoldStatus.CLOSED and hold.closed_reason is None:
        absent = fact.kind is rules.A and hold.status is not HoldStatus.CLOSING
        changed["closed_reason"] = "expiry" if absent else "alipay"
    return replace(hold, **changed)


def _merged(known: Payer, told: Payer) -> Payer:
    return Payer(
        known.user_id or told.user_id,
        known.open_id or told.open_id,
        known.logon_id or told.logon_id,
    )


def _columns_of(after: Hold) -> dict[str, Any]:
    return {
        "status": after.status.value,
        "captured_minor": after.captured.minor,
        "released_minor": after.released.minor,
        "late": after.late,
        "attention": after.attention,
        "absent_count": after.absent_count,
        "auth_no": after.auth_no,
        "operation_id": after.operation_id,
        "payer_user_id": after.payer.user_id,
        "payer_open_id": after.payer.open_id,
        "payer_logon_id": after.payer.logon_id,
        "authorized_at": after.authorized_at,
        "ended_at": after.ended_at,
        "closed_reason": after.closed_reason,
        "updated_at": after.updated_at,
    }


def _step_of(before: Hold, after: Hold, fact: HoldFact, decision: rules.Decision) -> dict[str, Any]:
    told = {
        "kind": fact.kind.value,
        "auth_no": fact.auth_no,
        "captured_amount": _text(fact.captured),
        "rest_amount": _text(fact.rest),
    }
    return {
        "hold_id": before.id,
        "at": fact.learned_at,
        "cause": fact.source,
        "source_ref": fact.source_ref,
        "status_before": before.status.value,
        "status_after": after.status.value,
        "events": list(decision.events),
        "note": decision.surprise,
        "fact": {name: value for name, value in told.items() if value is not None},
    }


def own_step(
    tx: Tx, hold: Hold, status: HoldStatus, cause: str, now: datetime, **more: Any
) -> Hold:
    """Moves a locked hold by what we do, not by a fact; with a step that says so."""
    store.update_hold(tx, hold.id, status=status.value, updated_at=now, **more)
    store.insert_step(tx, _bare_step(hold, status, cause, now))
    moved = store.find_hold_by_id(tx, hold.id)
    assert moved is not None
    return moved


def note_call(
    tx: Tx,
    hold: Hold,
    call: str,
    outcome: str,
    now: datetime,
    *,
    code: str | None = None,
    source_ref: str = "",
) -> None:
    """Keeps, for the story, what a call has told that was no fact; the same again is kept once."""
    cause = cause_of_call(call, outcome)
    last = store.last_step(tx, hold.id) or {}
    if (last.get("cause"), last.get("note"), last.get("source_ref")) != (cause, code, source_ref):
        step = _bare_step(hold, hold.status, cause, now)
        store.insert_step(tx, step | {"note": code, "source_ref": source_ref})


def _bare_step(hold: Hold, status: HoldStatus, cause: str, now: datetime) -> dict[str, Any]:
    return {
        "hold_id": hold.id,
        "at": now,
        "cause": cause,
        "source_ref": "",
        "status_before": hold.status.value,
        "status_after": status.value,
        "events": [],
        "note": None,
        "fact": {},
    }


def _take_external(tx: Tx, context: Context, hold: Hold, now: datetime) -> None:
    """Writes down, once, what was let go by somebody else: with the last capture, by age, by hand.

    Of a closed hold all went back, and ``hold.closed`` says so.
    """
    if hold.status is HoldStatus.CLOSED:
        return
    releases = store.list_releases(tx, hold.id)
    more = rules.released_elsewhere(hold, releases)
    if not more:
        return
    release_id = store.insert_release(
        tx,
        {
            "hold_id": hold.id,
            "out_request_no": None,
            "origin": ReleaseOrigin.EXTERNAL.value,
            "status": ReleaseStatus.SUCCEEDED.value,
            "amount_minor": more.minor,
            "currency": more.currency,
            "calling": False,
            "rejected": False,
            "call_count": 0,
            "ask_count": 0,
            "ended_at": now,
            "created_at": now,
            "updated_at": now,
        },
    )
    (release,) = (r for r in store.list_releases(tx, hold.id) if r.id == release_id)
    announce(tx, context, hold, RELEASED, now, release=release)


def announce(
    tx: Tx,
    context: Context,
    hold: Hold,
    name: str,
    now: datetime,
    *,
    release: Release | None = None,
) -> None:
    """Appends an event about a locked hold."""
    data: dict[str, Any] = {"hold": hold_snapshot(hold, balance(tx, hold))}
    if release is not None:
        data["release"] = release_snapshot(release)
    append_event(
        tx,
        merchant_id=hold.merchant_id,
        environment=hold.environment,
        order_id=None,
        type=name,
        data=data,
        now=now,
        signals=context.signals,
        subject=subject_of(hold),
    )


def tell_person(
    tx: Tx, context: Context, hold: Hold, reason: str, detail: str, now: datetime
) -> None:
    """Writes a surprise about a hold for a person, and announces it once."""
    store.update_hold(tx, hold.id, attention=True)
    if not raise_surprise(
        tx,
        merchant_id=hold.merchant_id,
        order=None,
        out_trade_no=hold.out_order_no,
        reason=reason,
        detail=f"hold {hold.out_order_no}: {detail}",
        amount=hold.amount,
        now=now,
    ):
        return
    append_event(
        tx,
        merchant_id=hold.merchant_id,
        environment=hold.environment,
        order_id=None,
        type=SURPRISE,
        data={
            "order": None,
            "surprise": {"out_trade_no": hold.out_order_no, "reason": reason},
        },
        now=now,
        signals=context.signals,
        subject=subject_of(hold),
    )


def _text(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)
