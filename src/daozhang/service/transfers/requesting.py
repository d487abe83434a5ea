"""Asking for a transfer: the intent, before any call, and the second person where it takes one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.approvals.actions import ask
from daozhang.service.approvals.model import ApprovalKind
from daozhang.service.approvals.rules import MADE_BY
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.orders.refusals import CurrencyNotTaken
from daozhang.service.transfers import rules, store
from daozhang.service.transfers.model import (
    TO_ACCOUNT,
    TO_BANK_CARD,
    NewTransfer,
    PayeeKind,
    Transfer,
    TransferLimits,
    TransferStatus,
)
from daozhang.service.transfers.payees import (
    open_payee,
    require_payee,
    seal_payee,
    sealed_payee,
    shown,
)
from daozhang.service.transfers.refusals import (
    TransferAmountInvalid,
    TransferConflict,
    TransferLimitExceeded,
    TransferNotFound,
    TransfersNotSetUp,
)
from daozhang.service.transfers.rules import LimitBroken
from daozhang.service.transfers.settling import TRANSFERS_SIGNAL, lock_transfer
from daozhang.service.web.context import Context

AMOUNT_MIN: Final = Money(10)
"""The least that Alipay sends (apis.md §6.1)."""

_COMPARED: Final = ("amount", "title", "remark", "scene_name", "scene_reports")


def request_transfer(
    tx: Tx,
    context: Context,
    merchant: Merchant,
    new: NewTransfer,
    actor: Actor,
    *,
    key_made_by: str | None = None,
) -> tuple[Transfer, bool]:
    """The transfer of that number, and whether it is new; it may wait for a second person.

    The same number and content again gives the transfer that is there. Raises `TransferConflict`,
    `PayeeInvalid`, `TransferAmountInvalid`, `TransfersNotSetUp`, `OutgoingStopped` and
    `TransferLimitExceeded`.
    """
    require_sendable(new)
    known = store.find_transfer(tx, merchant.environment, merchant.seller_id, new.out_biz_no)
    if known is not None:
        differs = differences(context, merchant, known, new)
        if differs:
            raise TransferConflict(new.out_biz_no, differs)
        return known, False
    now = context.clock.now()
    limits = limits_of(tx, merchant.id)
    require_outgoing(tx, merchant.id)
    store.lock_sums(tx, merchant.id)
    require_within(tx, limits, merchant.id, [new.amount], now)
    waits = takes_second_person(tx, limits, merchant.id, new.amount, str(actor), now)
    transfer = insert(tx, context, merchant, new, actor, now, waits=waits)
    if transfer is None:  # at the same moment, by somebody else: theirs is the one
        return request_transfer(tx, context, merchant, new, actor, key_made_by=key_made_by)
    if waits:
        content = {
            "out_biz_no": new.out_biz_no,
            "payee": transfer.payee_shown,
            "title": new.title,
            "remark": new.remark,
        }
        approval = ask(
            tx,
            actor,
            ApprovalKind.TRANSFER,
            merchant_id=merchant.id,
            subject=subject_of(new.out_biz_no),
            content=content | ({MADE_BY: key_made_by} if key_made_by else {}),
            amount=new.amount,
            reason=new.title,
            now=now,
        )
        store.update_transfer(tx, transfer.id, approval_id=approval.id)
    note(tx, actor, "transfer.requested", transfer, now)
    wake(tx, context)
    return lock_transfer(tx, transfer.id), True


def try_transfer(
    tx: Tx, context: Context, merchant: Merchant, new: NewTransfer, actor: Actor
) -> bool:
    """Whether ``new`` would wait for a second person if it were asked for now. Nothing is written.

    Raises what `request_transfer` raises.
    """
    require_sendable(new)
    known = store.find_transfer(tx, merchant.environment, merchant.seller_id, new.out_biz_no)
    if known is not None:
        differs = differences(context, merchant, known, new)
        if differs:
            raise TransferConflict(new.out_biz_no, differs)
        return known.approval_id is not None
    now, limits = context.clock.now(), limits_of(tx, merchant.id)
    require_outgoing(tx, merchant.id)
    require_within(tx, limits, merchant.id, [new.amount], now)
    return takes_second_person(tx, limits, merchant.id, new.amount, str(actor), now)


def require_sendable(new: NewTransfer) -> None:
    """Raises `PayeeInvalid`, `TransferAmountInvalid` or `CurrencyNotTaken` for what Alipay would refuse."""
    if new.amount.currency != store.CURRENCY:
        raise CurrencyNotTaken(new.amount.currency)
    require_payee(new.payee)
    if new.amount < AMOUNT_MIN:
        raise TransferAmountInvalid(new.amount, AMOUNT_MIN)


def differences(
    context: Context, merchant: Merchant, known: Transfer, new: NewTransfer
) -> tuple[str, ...]:
    """In what a known transfer is another one than ``new`` asks for."""
    differs = tuple(name for name in _COMPARED if getattr(known, name) != getattr(new, name))
    if open_payee(context.sealer, known) != new.payee:
        differs = (*differs, "payee")
    return differs if known.merchant_id == merchant.id else (*differs, "merchant")


def limits_of(tx: Tx, merchant_id: int) -> TransferLimits:
    """What the merchant lets be sent. Raises `TransfersNotSetUp`."""
    limits = store.find_limits(tx, merchant_id)
    if limits is None:
        raise TransfersNotSetUp
    return limits


def require_within(
    tx: Tx, limits: TransferLimits, merchant_id: int, amounts: list[Money], now: datetime
) -> None:
    """Raises `TransferLimitExceeded` unless all of ``amounts`` may be sent today."""
    sent = store.sent_since(tx, merchant_id, rules.beijing_midnight(now))
    for amount in amounts:
        broken = rules.broken_limit(limits, amount, sent)
        if broken is not None:
            which, limit = broken
            raise TransferLimitExceeded(amount, limit, sent if which is LimitBroken.DAY else None)
        sent += amount


def takes_second_person(
    tx: Tx,
    limits: TransferLimits,
    merchant_id: int,
    amount: Money,
    requested_by: str,
    now: datetime,
) -> bool:
    """Whether ``amount`` takes two people, with what its requester sent alone today."""
    alone = store.alone_since(tx, merchant_id, requested_by, rules.beijing_midnight(now))
    return rules.takes_second_person(limits, amount, alone)


def insert(
    tx: Tx,
    context: Context,
    merchant: Merchant,
    new: NewTransfer,
    actor: Actor,
    now: datetime,
    *,
    waits: bool,
    batch: tuple[int, int] | None = None,
) -> Transfer | None:
    """Writes a transfer down, to be sent at once or to wait; ``None`` if its number is taken.

    ``batch``: the row of the batch it belongs to, and its own row in the sheet.
    """
    row = _row_of(context, merchant, new, actor, now)
    status = TransferStatus.AWAITING_APPROVAL if waits else TransferStatus.REQUESTED
    row |= {"status": status.value, "due_at": None if waits else now}
    if batch is not None:
        row |= {"batch_id": batch[0], "batch_row": batch[1]}
    transfer_id = store.insert_transfer(tx, row)
    return None if transfer_id is None else lock_transfer(tx, transfer_id)


def _row_of(
    context: Context, merchant: Merchant, new: NewTransfer, actor: Actor, now: datetime
) -> dict[str, Any]:
    bound_to = sealed_payee(merchant.environment, merchant.seller_id, new.out_biz_no)
    to_card = new.payee.kind is PayeeKind.BANK_CARD
    return {
        "merchant_id": merchant.id,
        "environment": merchant.environment,
        "app_id": merchant.app_id,
        "seller_id": merchant.seller_id,
        "out_biz_no": new.out_biz_no,
        "amount_minor": new.amount.minor,
        "currency": new.amount.currency,
        "payee_kind": new.payee.kind.value,
        "payee_shown": shown(new.payee),
        "payee_sealed": seal_payee(context.sealer, new.payee, bound_to),
        "product_code": TO_BANK_CARD if to_card else TO_ACCOUNT,
        "title": new.title,
        "remark": new.remark,
        "scene_name": new.scene_name,
        "scene_reports": [dict(row) for row in new.scene_reports] or None,
        "requested_by": str(actor),
        "attention": False,
        "calling": False,
        "call_count": 0,
        "ask_count": 0,
        "watch_count": 0,
        "attempt": 0,
        "counted_at": now,
        "created_at": now,
        "updated_at": now,
    }


def read_transfer(tx: Tx, merchant_id: int, out_biz_no: str) -> Transfer:
    """The merchant's transfer of that number; `TransferNotFound` if it is another's or nobody's."""
    transfer = store.find_transfer_of_merchant(tx, merchant_id, out_biz_no)
    if transfer is None:
        raise TransferNotFound(out_biz_no)
    return transfer


def subject_of(out_biz_no: str) -> str:
    """What an approval of a transfer is about."""
    return f"transfer:{out_biz_no}"


def note(tx: Tx, actor: Actor, action: str, transfer: Transfer, now: datetime) -> None:
    """Writes into the trail what somebody did about a transfer."""
    record(
        tx,
        actor,
        action,
        f"transfer:{transfer.out_biz_no}",
        now,
        merchant_id=transfer.merchant_id,
        amount=str(transfer.amount),
        payee=transfer.payee_shown,
        requested_by=transfer.requested_by,
    )


def wake(tx: Tx, context: Context) -> None:
    """Has the sweep look at once, after the commit."""
    tx.after_commit(lambda: context.signals.wake(TRANSFERS_SIGNAL))
