"""A code is scanned, or the cashier gives up: what is written before anything is sent."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from daozhang.service.db import Tx
from daozhang.service.orders.actions import give_up
from daozhang.service.orders.handing import sign_for, unpayable
from daozhang.service.orders.model import ClosingReason, Order, OrderStatus, Way
from daozhang.service.orders.refusals import OrderNotPayable, WayDiffers
from daozhang.service.till import rules, store
from daozhang.service.till.model import (
    JOURNAL_ENTRIES_MAX,
    BarcodePayment,
    Ending,
    Phase,
    Scan,
    Word,
)
from daozhang.service.till.refusals import NoBarcodePayment, NotCancellable, PaymentUnderWay
from daozhang.service.web.context import Context

TILL_SIGNAL = "till"
"""Wakes the sweep over payments that are due, in this process."""


def begin(tx: Tx, context: Context, order: Order, scan: Scan) -> tuple[BarcodePayment, bool]:
    """The payment of that code for a locked order, and whether it is new and has to be charged.

    The same code again is the same payment, whatever became of it. Raises `PaymentUnderWay` while
    another one is not decided, `OrderNotPayable` where nothing can be charged any more.
    """
    if order.way is not Way.BARCODE:
        raise WayDiffers(order, Way.BARCODE)
    now = context.clock.now()
    code_hash = _hash_of(order, scan.auth_code)
    latest = store.latest_payment(tx, order.id)
    if latest is not None and hmac.compare_digest(latest.code_hash, code_hash):
        return latest, False
    if (problem := unpayable(order, context)) is not None:
        is_open = latest is not None and latest.is_open
        raise PaymentUnderWay(order) if is_open else OrderNotPayable(order, problem)
    if latest is not None:
        if not rules.may_scan_again(latest):
            raise PaymentUnderWay(order)
        if latest.phase is not Phase.ENDED:
            end(tx, latest, Ending.DECLINED, now, note(latest, Word.ANOTHER_CODE, now))
    sign_for(tx, order, context)
    number = 1 if latest is None else latest.number + 1
    wait_until = now + timedelta(seconds=context.settings.till_wait_seconds)
    values = {
        "order_id": order.id,
        "merchant_id": order.merchant_id,
        "number": number,
        "phase": Phase.CALLING.value,
        "code_hash": code_hash,
        "scene": scan.scene,
        "operator_id": scan.operator_id or order.operator_id,
        "terminal_id": scan.terminal_id or order.terminal_id,
        "store_id": scan.store_id or order.store_id,
        "buyer_acts": False,
        "called_at": now,
        "wait_until": wait_until,
        "ask_count": 0,
        "cancel_count": 0,
        "attempt": 0,
        "due_at": now + timedelta(seconds=rules.CALL_LEASE_SECONDS),
        "journal": [_entry(Word.SCANNED, now)],
        "created_at": now,
        "updated_at": now,
    }
    payment_id = store.insert_payment(tx, values)
    payment = store.find_payment(tx, payment_id)
    assert payment is not None
    return payment, True


def cancel(tx: Tx, context: Context, order: Order) -> tuple[Order, BarcodePayment]:
    """The cashier gives a locked order up: from now on it is cancelled, until that is proven. Whoever
    called takes the next step at once.

    One that is being cancelled, or is closed, is returned as it is. Raises `NotCancellable` for an
    order that is decided, `NoBarcodePayment` if nothing was scanned for it.
    """
    if order.way is not Way.BARCODE:
        raise WayDiffers(order, Way.BARCODE)
    latest = store.latest_payment(tx, order.id)
    if latest is None:
        raise NoBarcodePayment(order)
    if not order.is_open and order.status is not OrderStatus.CLOSED:
        raise NotCancellable(order)
    if latest.phase in (Phase.CANCELLING, Phase.ENDED):
        return order, latest
    return give_up_payment(tx, context, order, latest, Word.CASHIER_CANCELS, at_once=True)


def give_up_payment(
    tx: Tx,
    context: Context,
    order: Order,
    payment: BarcodePayment,
    word: Word,
    code: str | None = None,
    *,
    at_once: bool = False,
) -> tuple[Order, BarcodePayment]:
    """Commits a locked order to being cancelled; the next step sends it.

    With ``at_once`` the caller takes that step, and nobody beside them: the payment is due again only
    if they die over it.
    """
    now = context.clock.now()
    due_at = now + timedelta(seconds=rules.STEP_LEASE_SECONDS if at_once else 0)
    closing = give_up(tx, order, ClosingReason.CANCEL, now)
    given_up = replace(
        payment,
        phase=Phase.CANCELLING,
        due_at=due_at,
        updated_at=now,
        journal=note(payment, word, now, code),
    )
    store.update_payment(
        tx,
        payment.id,
        phase=given_up.phase.value,
        due_at=due_at,
        updated_at=now,
        journal=list(given_up.journal),
    )
    tx.after_commit(lambda: context.signals.wake(TILL_SIGNAL))
    return closing, given_up


def end(
    tx: Tx,
    payment: BarcodePayment,
    ending: Ending,
    now: datetime,
    journal: tuple[Mapping[str, Any], ...],
) -> None:
    """Ends a payment: the order is final, or another code takes its place."""
    store.update_payment(
        tx,
        payment.id,
        phase=Phase.ENDED.value,
        ending=ending.value,
        due_at=None,
        ended_at=now,
        updated_at=now,
        journal=list(journal),
    )


def note(
    payment: BarcodePayment, word: Word, now: datetime, code: str | None = None
) -> tuple[Mapping[str, Any], ...]:
    """The payment's journal with one entry more, while it is not full."""
    if len(payment.journal) >= JOURNAL_ENTRIES_MAX:
        return payment.journal
    return (*payment.journal, _entry(word, now, code))


def _entry(word: Word, now: datetime, code: str | None = None) -> dict[str, Any]:
    entry = {"at": now.isoformat(), "word": word.value}
    return entry if code is None else {**entry, "code": code}


def _hash_of(order: Order, auth_code: str) -> str:
    """What tells one code from another without keeping it: a code is somebody's money for a minute."""
    return hashlib.sha256(f"{order.id}:{auth_code}".encode()).hexdigest()
