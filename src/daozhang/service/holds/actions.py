"""The verbs of a hold: create, scan, give up, take, let go. Each writes the intent before any call."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.charges.model import Charge, ChargeKind
from daozhang.service.charges.requesting import begin_charge
from daozhang.service.charges.store import charge_of_order
from daozhang.service.db import Tx
from daozhang.service.holds import store
from daozhang.service.holds.model import (
    OPEN_STATUSES,
    Hold,
    HoldStatus,
    HoldWay,
    NewHold,
    Release,
    ReleaseOrigin,
    ReleaseStatus,
)
from daozhang.service.holds.refusals import (
    AmountExceedsHold,
    CaptureUnderWay,
    HoldConflict,
    HoldNotAuthorized,
    HoldNotCancellable,
    HoldNotFound,
    HoldNotOpen,
    HoldWayDiffers,
)
from daozhang.service.holds.rules import ASK_DELAYS_SECONDS, STEP_LEASE_SECONDS
from daozhang.service.holds.settling import HOLDS_SIGNAL, balance, lock_hold, own_step
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.orders.actions import CURRENCY_TAKEN, create_order, lock_order
from daozhang.service.orders.model import NewOrder, Order, Way
from daozhang.service.orders.refusals import CurrencyNotTaken
from daozhang.service.web.context import Context

CAPTURE_LIFE: Final = timedelta(minutes=15)
"""How long a payment out of a hold is tried for before its order is closed."""

_COMPARED: Final = (
    "amount", "title", "way", "product_code", "operator_id", "terminal_id", "store_id",
)  # fmt: skip


def create_hold(tx: Tx, merchant: Merchant, new: NewHold, now: datetime) -> tuple[Hold, bool]:
    """The hold of that number, and whether it is new.

    The same content again gives the hold that is there; other content is refused with `HoldConflict`.
    """
    if new.amount.currency != CURRENCY_TAKEN:
        raise CurrencyNotTaken(new.amount.currency)
    hold_id = store.insert_hold(tx, _row_of(merchant, new, now))
    if hold_id is not None:
        return lock_hold(tx, hold_id), True
    hold = store.find_hold(tx, merchant.environment, merchant.seller_id, new.out_order_no)
    assert hold is not None
    differs = tuple(name for name in _COMPARED if getattr(hold, name) != getattr(new, name))
    if dict(hold.metadata) != dict(new.metadata):
        differs = (*differs, "metadata")
    if hold.merchant_id != merchant.id:
        differs = (*differs, "merchant")
    if differs:
        raise HoldConflict(new.out_order_no, differs)
    return hold, False


def _row_of(merchant: Merchant, new: NewHold, now: datetime) -> dict[str, Any]:
    return {
        "merchant_id": merchant.id,
        "environment": merchant.environment,
        "app_id": merchant.app_id,
        "seller_id": merchant.seller_id,
        "out_order_no": new.out_order_no,
        # One freeze for each hold: Alipay takes no second on the same order (apis.md §14.1).
        "out_request_no": new.out_order_no,
        "way": new.way.value,
        "product_code": new.product_code,
        "amount_minor": new.amount.minor,
        "currency": new.amount.currency,
        "title": new.title,
        "status": HoldStatus.CREATED.value,
        "captured_minor": 0,
        "released_minor": 0,
        "late": False,
        "attention": False,
        "operator_id": new.operator_id,
        "terminal_id": new.terminal_id,
        "store_id": new.store_id,
        "metadata": dict(new.metadata),
        "absent_count": 0,
        "ask_count": 0,
        "cancel_count": 0,
        "attempt": 0,
        "due_at": new.expires_at,
        "expires_at": new.expires_at,
        "created_at": now,
        "updated_at": now,
    }


def read_hold(tx: Tx, merchant_id: int, out_order_no: str) -> Hold:
    """The merchant's hold of that number; `HoldNotFound` if it is another's or nobody's."""
    hold = store.find_hold_of_merchant(tx, merchant_id, out_order_no)
    if hold is None:
        raise HoldNotFound(out_order_no)
    return hold


def hand_out(tx: Tx, context: Context, hold: Hold, way: HoldWay) -> Hold:
    """Notes that something a buyer can confirm is about to be handed out, so that Alipay is asked soon.

    Raises `HoldWayDiffers`, `HoldNotOpen`.
    """
    now = context.clock.now()
    _require_open(hold, way, now)
    soon = now + timedelta(seconds=ASK_DELAYS_SECONDS[0])
    _wake(tx, context)
    return own_step(
        tx, hold, hold.status, "handed_out", now, called_at=now, ask_count=0, due_at=soon
    )


def begin_scan(tx: Tx, context: Context, hold: Hold, auth_code: str) -> tuple[Hold, bool]:
    """Notes that a code was scanned for a locked hold, and whether the freeze is still to be sent.

    The same code again is the same freeze, whatever became of it. Another code needs another hold.
    """
    now = context.clock.now()
    code_hash = hashlib.sha256(f"{hold.id}:{auth_code}".encode()).hexdigest()
    known = store.code_hash_of(tx, hold.id)
    if known is not None and hmac.compare_digest(known, code_hash):
        return hold, False
    if known is not None:
        raise HoldNotOpen(hold, "another code was scanned")
    _require_open(hold, HoldWay.BARCODE, now)
    wait_until = now + timedelta(seconds=context.settings.till_wait_seconds)
    scanned = own_step(
        tx,
        hold,
        hold.status,
        "scanned",
        now,
        code_hash=code_hash,
        called_at=now,
        wait_until=wait_until,
        # Should the process die during the call, this is an outcome that nobody knows.
        due_at=now + timedelta(seconds=STEP_LEASE_SECONDS),
    )
    return scanned, True


def _require_open(hold: Hold, way: HoldWay, now: datetime) -> None:
    if hold.way is not way:
        raise HoldWayDiffers(hold, way)
    if hold.status not in (HoldStatus.CREATED, HoldStatus.WAITING):
        raise HoldNotOpen(hold, "it is decided or given up")
    if now >= hold.expires_at:
        raise HoldNotOpen(hold, "its time is over")


def give_up(tx: Tx, context: Context, hold: Hold, cause: str) -> Hold:
    """Gives a locked hold up that is not decided: from now on it is cancelled, until that is proven.

    One that is closed, or is being closed, is returned as it is. Raises `HoldNotCancellable`.
    """
    if hold.status in (HoldStatus.CLOSING, HoldStatus.CLOSED):
        return hold
    if hold.status not in OPEN_STATUSES:
        raise HoldNotCancellable(hold)
    now = context.clock.now()
    _wake(tx, context)
    return own_step(
        tx, hold, HoldStatus.CLOSING, cause, now, due_at=now, closed_reason=cause, absent_count=0
    )


def request_capture(
    tx: Tx,
    context: Context,
    merchant: Merchant,
    hold: Hold,
    new: NewOrder,
    *,
    completes: bool,
) -> tuple[Order, Charge, bool]:
    """The order that takes money out of a locked hold, its charge, and whether it is new.

    The amount counts as taken from now on, until Alipay has proven that it is not. Raises
    `HoldNotAuthorized`, `AmountExceedsHold`, `CaptureUnderWay`, `OutgoingStopped`, and `OrderConflict` for
    a number that is another payment's.
    """
    order, is_new = create_order(tx, merchant, new, context.clock.now())
    if not is_new:
        charge = charge_of_order(tx, order.id)
        same = charge is not None and (charge.kind, charge.owner_id) == (ChargeKind.HOLD, hold.id)
        if charge is None or not same or _completes(charge) != completes:
            raise HoldConflict(new.out_trade_no, ("hold or complete",))
        return order, charge, False
    if hold.status is not HoldStatus.AUTHORIZED or hold.attention:
        raise HoldNotAuthorized(hold)
    left = balance(tx, hold)
    if new.amount > left.remaining:
        raise AmountExceedsHold(new.amount, left.remaining)
    if completes and (left.capturing or left.releasing):
        raise CaptureUnderWay(hold)
    instrument = {
        "auth_no": hold.auth_no,
        "product_code": hold.product_code,
        "auth_confirm_mode": "COMPLETE" if completes else "NOT_COMPLETE",
        **({"buyer_id": hold.payer.user_id} if hold.payer.user_id else {}),
        **({"buyer_open_id": hold.payer.open_id} if hold.payer.open_id else {}),
    }
    charge, _ = begin_charge(
        tx, context, lock_order(tx, order.id), ChargeKind.HOLD, hold.id, instrument
    )
    return order, charge, True


def _completes(charge: Charge) -> bool:
    return charge.instrument.get("auth_confirm_mode") == "COMPLETE"


def new_capture(
    out_trade_no: str, amount: Money, subject: str, hold: Hold, now: datetime, **more: Any
) -> NewOrder:
    """The order of a payment out of ``hold``; it is tried for `CAPTURE_LIFE`."""
    return NewOrder(
        out_trade_no=out_trade_no,
        amount=amount,
        subject=subject,
        expires_at=(now + CAPTURE_LIFE).replace(microsecond=0),
        way=Way.HOLD,
        store_id=hold.store_id,
        **more,
    )


def request_release(
    tx: Tx,
    context: Context,
    hold: Hold,
    out_request_no: str,
    amount: Money,
    *,
    remark: str | None = None,
    operator_id: str | None = None,
) -> tuple[Release, bool]:
    """The release of that number on a locked hold, and whether it is new: then it is sent soon.

    Raises `HoldConflict`, `HoldNotAuthorized`, `AmountExceedsHold`, `OutgoingStopped`.
    """
    for known in store.list_releases(tx, hold.id):
        if known.out_request_no == out_request_no:
            if known.amount != amount:
                raise HoldConflict(out_request_no, ("amount",))
            return known, False
    if out_request_no == hold.out_request_no:
        raise HoldConflict(out_request_no, ("operation: it is the number of the freeze",))
    if hold.status is not HoldStatus.AUTHORIZED:
        raise HoldNotAuthorized(hold)
    require_outgoing(tx, hold.merchant_id)
    left = balance(tx, hold)
    if amount > left.remaining:
        raise AmountExceedsHold(amount, left.remaining)
    now = context.clock.now()
    release_id = store.insert_release(
        tx,
        {
            "hold_id": hold.id,
            "out_request_no": out_request_no,
            "origin": ReleaseOrigin.OURS.value,
            "status": ReleaseStatus.REQUESTED.value,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "remark": remark,
            "operator_id": operator_id,
            "calling": False,
            "rejected": False,
            "call_count": 0,
            "ask_count": 0,
            "created_at": now,
            "updated_at": now,
        },
    )
    store.update_hold(tx, hold.id, due_at=now, updated_at=now)
    _wake(tx, context)
    (release,) = (r for r in store.list_releases(tx, hold.id) if r.id == release_id)
    return release, True


def ask_soon(tx: Tx, context: Context, hold: Hold) -> None:
    """Something happened to a hold elsewhere: Alipay is asked about it now."""
    if hold.status is HoldStatus.FINISHED:
        return
    store.update_hold(tx, hold.id, due_at=context.clock.now())
    _wake(tx, context)


def _wake(tx: Tx, context: Context) -> None:
    tx.after_commit(lambda: context.signals.wake(HOLDS_SIGNAL))
