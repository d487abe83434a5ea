"""Transfers and batches that take a second person: approved, or not; and what a person asks for.

Payees never leave their seal for it: an approval names the transfer, or the batch, and shows the payee
masked. What is approved goes in the transaction of the approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.approvals import store as approvals_store
from daozhang.service.approvals.actions import approve
from daozhang.service.approvals.model import Approval, ApprovalKind, ApprovalStatus
from daozhang.service.approvals.refusals import ApprovalNotFound
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.people.actions import note_personal_view
from daozhang.service.people.masking import sees_personal
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.transfers import batch_store, rules, store
from daozhang.service.transfers.messages import DECLINED, EXPIRED, WITHDRAWN
from daozhang.service.transfers.model import BatchStatus, NewTransfer, Transfer, TransferStatus
from daozhang.service.transfers.payees import open_payee, plainly
from daozhang.service.transfers.requesting import (
    limits_of,
    note,
    read_transfer,
    request_transfer,
    require_within,
    wake,
)
from daozhang.service.transfers.settling import end_unsent, lock_transfer
from daozhang.service.web.context import Context

KINDS: Final = (ApprovalKind.TRANSFER, ApprovalKind.TRANSFER_BATCH)

_CODES: Final[Mapping[ApprovalStatus, str]] = {
    ApprovalStatus.DECLINED: DECLINED,
    ApprovalStatus.EXPIRED: EXPIRED,
    ApprovalStatus.WITHDRAWN: WITHDRAWN,
}


def transfer_as(
    context: Context, actor: Person, merchant: Merchant, new: NewTransfer
) -> tuple[Transfer, bool]:
    """What a person asks for. ``out_biz_no`` is the page's, made when the form was: sent twice, it is
    one transfer. Raises what `request_transfer` raises."""
    require(actor, Right.TRANSFERS_REQUEST, merchant.id)
    with context.database.begin() as tx:
        return request_transfer(tx, context, merchant, new, actor.actor)


def approve_transfers(
    context: Context, actor: Person, approval_id: str, text: str | None = None
) -> tuple[Approval, list[Transfer]]:
    """Approves a transfer, or a whole batch: all of it goes now.

    Raises what `approve` raises, `OutgoingStopped`, and `TransferLimitExceeded` if today it is too much.
    """
    now = context.clock.now()
    with context.database.begin() as tx:
        waiting = approvals_store.find_approval(tx, approval_id)
        if waiting is None or waiting.kind not in KINDS:
            raise ApprovalNotFound(approval_id)
        require_outgoing(tx, waiting.merchant_id)
        store.lock_sums(tx, waiting.merchant_id)
        approved = approve(tx, actor, approval_id, waiting.kind, text, now)
        listed = [lock_transfer(tx, one.id) for one in store.list_of_approval(tx, approval_id)]
        limits = limits_of(tx, waiting.merchant_id)
        since = rules.beijing_midnight(now)
        # Those of today are in today's sum already.
        amounts = [one.amount for one in listed if one.counted_at < since]
        require_within(tx, limits, waiting.merchant_id, amounts, now)
        values = {"approved_by": str(actor.actor), "updated_at": now}
        for one in listed:
            assert one.status is TransferStatus.AWAITING_APPROVAL
            store.update_transfer(
                tx,
                one.id,
                status=TransferStatus.REQUESTED.value,
                counted_at=now,
                due_at=now,
                **values,
            )
            note(tx, actor.actor, "transfer.approved", one, now)
        batch = batch_store.find_batch_of_approval(tx, approval_id)
        if batch is not None:
            batch_store.update_batch(tx, batch.id, status=BatchStatus.RUNNING.value, **values)
        wake(tx, context)
        return approved, [lock_transfer(tx, one.id) for one in listed]


def end_unapproved(context: Context, rows_max: int) -> int:
    """Ends transfers that nobody approved, and says so of their batches; how many transfers."""
    now = context.clock.now()
    with context.database.begin() as tx:
        found = store.list_unapproved(tx, rows_max)
        for transfer_id, status in found:
            transfer = lock_transfer(tx, transfer_id)
            if transfer.status is not TransferStatus.AWAITING_APPROVAL:
                continue
            end_unsent(tx, context, transfer, _CODES[status], now)
            if transfer.batch_id is not None:
                declined = BatchStatus.DECLINED.value
                batch_store.update_batch(tx, transfer.batch_id, status=declined, updated_at=now)
    return len(found)


def payee_for(context: Context, actor: Person, merchant_id: int, out_biz_no: str) -> str:
    """The payee of a transfer as ``actor`` may see it; an unmasked look is written into the trail."""
    require(actor, Right.TRANSFERS_READ, merchant_id)
    with context.database.read() as tx:
        transfer = read_transfer(tx, merchant_id, out_biz_no)
    if not sees_personal(actor):
        return transfer.payee_shown
    note_personal_view(context, actor, f"transfer:{out_biz_no}", merchant_id=merchant_id)
    return plainly(open_payee(context.sealer, transfer))
