"""The verbs of a shift: open it, hand it over, take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.refusals import MerchantInvalid
from daozhang.service.merchants.store import find_merchant_by_id, update_merchant
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.shifts import rules, store
from daozhang.service.shifts.model import Shift, ShiftStatus
from daozhang.service.shifts.refusals import (
    ShiftNotFound,
    ShiftNotOpen,
    ShiftNotTakeable,
    ShiftOpenAlready,
    ShiftPlaceInvalid,
)
from daozhang.service.web.context import Context


def open_shift(
    context: Context, actor: Person, merchant_id: int, *, store_id: str, terminal_id: str
) -> Shift:
    """The new shift of ``actor`` at that till. Raises `ShiftOpenAlready` and `ShiftPlaceInvalid`."""
    require(actor, Right.TILL_USE, merchant_id)
    if not (rules.is_place(store_id) and rules.is_place(terminal_id)):
        raise ShiftPlaceInvalid
    now = context.clock.now()
    values: dict[str, Any] = {
        "public_id": new_id("shf", now),
        "merchant_id": merchant_id,
        "person_id": actor.id,
        "person_name": actor.name,
        "store_id": store_id,
        "terminal_id": terminal_id,
        "status": ShiftStatus.OPEN.value,
        "opened_at": now,
        "counted": {},
    }
    with context.database.begin() as tx:
        is_new = store.insert_shift(tx, values)
        shift = store.find_open_shift(tx, merchant_id, actor.id)
        assert shift is not None
        if not is_new:
            raise ShiftOpenAlready(shift)
        _record(tx, context, actor, "shift.opened", shift)
    return shift


def require_shift(tx: Tx, actor: Person, merchant_id: int, *, lock: bool = False) -> Shift:
    """The open shift of ``actor`` with that merchant; else raises `ShiftNotOpen`."""
    shift = store.find_open_shift(tx, merchant_id, actor.id, lock=lock)
    if shift is None:
        raise ShiftNotOpen
    return shift


def read_shift(context: Context, actor: Person, merchant_id: int, public_id: str) -> Shift:
    """A shift of one's own, one that waits to be taken, or any for who oversees shifts."""
    require(actor, Right.TILL_USE, merchant_id)
    with context.database.read() as tx:
        return visible_shift(tx, actor, merchant_id, public_id)


def visible_shift(
    tx: Tx, actor: Person, merchant_id: int, public_id: str, *, lock: bool = False
) -> Shift:
    """As `read_shift`, within a transaction. Raises `ShiftNotFound`."""
    shift = store.find_shift(tx, merchant_id, public_id, lock=lock)
    if shift is None or not _may_see(actor, shift):
        raise ShiftNotFound(public_id)
    return shift


def _may_see(actor: Person, shift: Shift) -> bool:
    concerned = actor.id in (shift.person_id, shift.taken_by)
    waits = shift.status is ShiftStatus.HANDED_OVER
    return concerned or waits or actor.may(Right.TILL_SHIFTS)


def list_shifts(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    before_id: int | None,
    rows_max: int,
    status: ShiftStatus | None = None,
) -> list[Shift]:
    """The merchant's shifts that ``actor`` may see, newest first."""
    require(actor, Right.TILL_USE, merchant_id)
    with context.database.read() as tx:
        return store.list_shifts(
            tx,
            merchant_id,
            before_id=before_id,
            rows_max=rows_max,
            status=None if status is None else status.value,
            seen_by=None if actor.may(Right.TILL_SHIFTS) else actor.id,
        )


def close_shift(
    tx: Tx,
    context: Context,
    actor: Person,
    shift: Shift,
    counted: Mapping[str, Any],
    note: str | None,
) -> None:
    """Ends an open, locked shift with what was counted; the caller has asked for rights.

    Who oversees shifts may end one of somebody who has left; the trail names who did.
    """
    if not shift.is_open:
        raise ShiftNotOpen
    store.update_shift(
        tx,
        shift.id,
        status=ShiftStatus.HANDED_OVER.value,
        handed_over_at=context.clock.now(),
        counted=dict(counted),
        note=note,
    )
    _record(tx, context, actor, "shift.handed_over", shift, note=note)


def take_shift(
    context: Context, actor: Person, merchant_id: int, public_id: str, note: str | None
) -> Shift:
    """``actor`` signs that they take what was handed over. Raises `ShiftNotTakeable`."""
    require(actor, Right.TILL_USE, merchant_id)
    said = (note or "").strip()[: rules.NOTE_CHARACTERS_MAX] or None
    with context.database.begin() as tx:
        shift = visible_shift(tx, actor, merchant_id, public_id, lock=True)
        is_own = shift.person_id == actor.id
        if is_own or shift.status is not ShiftStatus.HANDED_OVER:
            raise ShiftNotTakeable(shift, is_own=is_own)
        store.update_shift(
            tx,
            shift.id,
            status=ShiftStatus.TAKEN.value,
            taken_by=actor.id,
            taken_name=actor.name,
            taken_at=context.clock.now(),
            taken_note=said,
        )
        _record(tx, context, actor, "shift.taken", shift, note=said)
        taken = store.find_shift(tx, merchant_id, public_id)
    assert taken is not None
    return taken


def set_shift_limit(
    context: Context, actor: Person, merchant_id: int, limit: Money | None
) -> Merchant:
    """Above ``limit`` together, what one shift gives back takes a second person; None: never."""
    require(actor, Right.MERCHANTS_WRITE, merchant_id)
    if limit is not None and limit.minor < 0:
        raise MerchantInvalid("An amount is not negative.", "金额不能为负。")
    minor = None if limit is None else limit.minor
    with context.database.begin() as tx:
        update_merchant(tx, merchant_id, second_person_shift_minor=minor)
        merchant = find_merchant_by_id(tx, merchant_id)
        record(
            tx,
            actor.actor,
            "merchant.shift_limit_set",
            f"merchant:{merchant.slug}",
            context.clock.now(),
            merchant_id=merchant_id,
            limit=None if limit is None else str(limit),
        )
    return merchant


def _record(
    tx: Tx, context: Context, actor: Person, action: str, shift: Shift, note: str | None = None
) -> None:
    record(
        tx,
        actor.actor,
        action,
        f"shift:{shift.public_id}",
        context.clock.now(),
        merchant_id=shift.merchant_id,
        operator=shift.operator_id,
        store=shift.store_id,
        terminal=shift.terminal_id,
        note=note,
    )
