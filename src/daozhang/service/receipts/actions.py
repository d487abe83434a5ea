"""Receipts of an account: asked for, worked off by jobs, opened. Each is in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from daozhang.clock import business_day
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.receipts import rules, store
from daozhang.service.receipts.making import ReceiptMaker, Subject, values_again
from daozhang.service.receipts.model import AccountReceipt, AccountReceiptKind, ReceiptStatus
from daozhang.service.receipts.refusals import (
    ReceiptKeyInvalid,
    ReceiptNotOver,
    ReceiptNotReady,
)
from daozhang.service.web.context import Context

ACCOUNT_RECEIPT_JOB: Final = "account_receipt"
"""The name under which steps wait in the queue."""

RECEIPTS_SIGNAL: Final = "account_receipts"


def request_receipt(
    context: Context, actor: Actor, merchant_id: int, kind: AccountReceiptKind, key: str
) -> AccountReceipt:
    """A receipt of the merchant's account, asked for now unless it is there or under way; one that
    failed is made anew.

    Raises `ReceiptKeyInvalid`, and `ReceiptNotOver` for a time that is not over.
    """
    now = context.clock.now()
    try:
        last = rules.last_day(kind, key)
    except ValueError as problem:
        raise ReceiptKeyInvalid(kind.value, key) from problem
    if last is not None and last >= business_day(now):
        raise ReceiptNotOver(key)
    with context.database.begin() as tx:
        merchant = find_merchant_by_id(tx, merchant_id)
        again = values_again(now)
        is_new = store.insert_receipt(
            tx,
            again
            | {
                "merchant_id": merchant_id,
                "environment": merchant.environment,
                "seller_id": merchant.seller_id,
                "kind": kind.value,
                "key": key,
                "attempt": 0,
                "created_at": now,
            },
        )
        there = _of(tx, merchant_id, kind, key, lock=True)
        if is_new or there.status is ReceiptStatus.FAILED:
            store.update_receipt(tx, there.id, **again)
            _note(tx, context, actor, merchant_id, there, "receipt.requested")
            tx.after_commit(lambda: context.signals.wake(RECEIPTS_SIGNAL))
        return _of(tx, merchant_id, kind, key)


def read_receipt(tx: Tx, merchant_id: int, kind: AccountReceiptKind, key: str) -> AccountReceipt:
    """How far a receipt is. Raises `ReceiptNotReady` if nobody asked for one."""
    return _of(tx, merchant_id, kind, key)


def open_receipt(
    context: Context, actor: Actor, merchant_id: int, kind: AccountReceiptKind, key: str
) -> bytes:
    """The file of a receipt. Raises `ReceiptNotReady`."""
    with context.database.begin() as tx:
        receipt = _of(tx, merchant_id, kind, key)
        if receipt.pdf_sealed is None:
            raise ReceiptNotReady(receipt.status.value)
        _note(tx, context, actor, merchant_id, receipt, "receipt.downloaded")
    return context.sealer.open(
        receipt.pdf_sealed, sealed_receipt(receipt.environment, receipt.seller_id, kind, key)
    )


def sealed_receipt(environment: str, seller_id: str, kind: str, key: str) -> str:
    """What the receipt of an account is sealed to."""
    return f"account_receipt:{environment}:{seller_id}:{kind}:{key}"


@dataclass(frozen=True, slots=True)
class AccountReceiptWork:
    """Works receipts off, one step at a time."""

    maker: ReceiptMaker

    def run(self, receipt_id: int) -> None:
        """Takes the next step of a receipt."""
        database, clock = self.maker.context.database, self.maker.context.clock
        with database.read() as tx:
            receipt = store.find_by_id(tx, receipt_id)
        assert receipt is not None, f"receipt row {receipt_id} is gone"

        def write(**values: Any) -> None:
            with database.begin() as tx:
                store.update_receipt(tx, receipt_id, updated_at=clock.now(), **values)

        subject = Subject(
            merchant_id=receipt.merchant_id,
            environment=receipt.environment,
            kind=rules.ALIPAY_KINDS[receipt.kind],
            key=receipt.key,
            sealed_to=sealed_receipt(
                receipt.environment, receipt.seller_id, receipt.kind, receipt.key
            ),
            note=write,
        )
        self.maker.step(receipt, subject)


def _of(
    tx: Tx, merchant_id: int, kind: AccountReceiptKind, key: str, *, lock: bool = False
) -> AccountReceipt:
    merchant = find_merchant_by_id(tx, merchant_id)
    found = store.find_receipt(tx, merchant.environment, merchant.seller_id, kind, key, lock=lock)
    if found is None:
        raise ReceiptNotReady
    return found


def _note(
    tx: Tx,
    context: Context,
    actor: Actor,
    merchant_id: int,
    receipt: AccountReceipt,
    action: str,
) -> None:
    subject = f"receipt:{receipt.seller_id}:{receipt.kind}:{receipt.key}"
    record(tx, actor, action, subject, context.clock.now(), merchant_id=merchant_id)
