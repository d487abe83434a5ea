"""Batches: many transfers from one sheet, tried first, then asked for and approved as one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from daozhang.money import Money
from daozhang.service.approvals.actions import ask
from daozhang.service.approvals.model import ApprovalKind
from daozhang.service.approvals.rules import MADE_BY
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.transfers import batch_store, rules, store
from daozhang.service.transfers.messages import STANDS_ZH
from daozhang.service.transfers.model import Batch, BatchStatus, TransferLimits
from daozhang.service.transfers.refusals import (
    BatchConflict,
    BatchNotFound,
    SheetInvalid,
    TransferConflict,
)
from daozhang.service.transfers.requesting import (
    differences,
    insert,
    limits_of,
    takes_second_person,
    wake,
)
from daozhang.service.transfers.sheets import Problem, Sheet, as_fields, read_sheet
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class Trial:
    """What a sheet would do: its sum, all that is wrong, and whether a second person decides."""

    rows: int
    amount: Money
    problems: tuple[Problem, ...]
    takes_second_person: bool


def try_sheet(
    tx: Tx, context: Context, merchant: Merchant, content: bytes, actor: Actor
) -> tuple[Trial, Sheet]:
    """What ``content`` would do if it were sent. Nothing is written. Raises `TransfersNotSetUp`."""
    now = context.clock.now()
    limits = limits_of(tx, merchant.id)
    sheet = read_sheet(content)
    found = [*_taken(tx, context, merchant, sheet)]
    found += _over_limits(tx, limits, merchant.id, sheet, now)
    problems = [*sheet.problems, *(sheet.placed(problem) for problem in found)]
    waits = takes_second_person(tx, limits, merchant.id, sheet.amount, str(actor), now)
    problems.sort(key=lambda problem: problem.row)
    return Trial(len(sheet.rows), sheet.amount, tuple(problems), waits), sheet


def request_batch(
    tx: Tx,
    context: Context,
    merchant: Merchant,
    number: str,
    title: str,
    content: bytes,
    actor: Actor,
    *,
    key_made_by: str | None = None,
) -> tuple[Batch, bool]:
    """The batch of that number, and whether it is new: all rows of the sheet, or none.

    The same sheet again gives the batch that is there. Raises `BatchConflict`, `SheetInvalid`,
    `TransfersNotSetUp` and `OutgoingStopped`.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    known = batch_store.find_batch(tx, merchant.id, number)
    if known is not None:
        if known.sheet_sha256 != sha256:
            raise BatchConflict(number)
        return known, False
    require_outgoing(tx, merchant.id)
    store.lock_sums(tx, merchant.id)
    trial, sheet = try_sheet(tx, context, merchant, content, actor)
    if trial.problems:
        raise SheetInvalid([as_fields(problem) for problem in trial.problems])
    batch_id = _insert(tx, merchant, number, title, trial, sha256, actor, context.clock.now())
    if batch_id is None:  # at the same moment, by somebody else
        return request_batch(
            tx, context, merchant, number, title, content, actor, key_made_by=key_made_by
        )
    _insert_rows(tx, context, merchant, batch_id, sheet, trial, actor)
    if trial.takes_second_person:
        _ask(tx, context, merchant.id, batch_id, number, title, trial, actor, key_made_by)
    record(
        tx,
        actor,
        "transfer_batch.requested",
        f"transfer_batch:{number}",
        context.clock.now(),
        merchant_id=merchant.id,
        rows=trial.rows,
        amount=str(trial.amount),
        sheet_sha256=sha256,
    )
    wake(tx, context)
    return read_batch(tx, merchant.id, number), True


def _insert(
    tx: Tx,
    merchant: Merchant,
    number: str,
    title: str,
    trial: Trial,
    sha256: str,
    actor: Actor,
    now: datetime,
) -> int | None:
    waits = trial.takes_second_person
    status = BatchStatus.AWAITING_APPROVAL if waits else BatchStatus.RUNNING
    return batch_store.insert_batch(
        tx,
        {
            "merchant_id": merchant.id,
            "environment": merchant.environment,
            "number": number,
            "title": title,
            "status": status.value,
            "rows": trial.rows,
            "amount_minor": trial.amount.minor,
            "currency": trial.amount.currency,
            "sheet_sha256": sha256,
            "requested_by": str(actor),
            "created_at": now,
            "updated_at": now,
        },
    )


def _insert_rows(
    tx: Tx,
    context: Context,
    merchant: Merchant,
    batch_id: int,
    sheet: Sheet,
    trial: Trial,
    actor: Actor,
) -> None:
    now, waits = context.clock.now(), trial.takes_second_person
    for row in sheet.rows:
        made = insert(
            tx, context, merchant, row.new, actor, now, waits=waits, batch=(batch_id, row.row)
        )
        if made is None:  # its number was taken a moment ago, by another app of the same seller
            raise TransferConflict(row.new.out_biz_no, ("batch",))


def _ask(
    tx: Tx,
    context: Context,
    merchant_id: int,
    batch_id: int,
    number: str,
    title: str,
    trial: Trial,
    actor: Actor,
    key_made_by: str | None,
) -> None:
    """Has all rows of the batch wait for one second person."""
    content = {"number": number, "title": title, "rows": trial.rows}
    approval = ask(
        tx,
        actor,
        ApprovalKind.TRANSFER_BATCH,
        merchant_id=merchant_id,
        subject=f"transfer_batch:{number}",
        content=content | ({MADE_BY: key_made_by} if key_made_by else {}),
        amount=trial.amount,
        reason=title,
        now=context.clock.now(),
    )
    batch_store.update_batch(tx, batch_id, approval_id=approval.id)
    store.approve_batch_by(tx, batch_id, approval.id)


def batch_as(
    context: Context, actor: Person, merchant: Merchant, number: str, title: str, content: bytes
) -> tuple[Batch, bool]:
    """What a person asks for. Raises what `request_batch` raises."""
    require(actor, Right.TRANSFERS_REQUEST, merchant.id)
    with context.database.begin() as tx:
        return request_batch(tx, context, merchant, number, title, content, actor.actor)


def read_batch(tx: Tx, merchant_id: int, number: str) -> Batch:
    """The merchant's batch of that number; `BatchNotFound` if it is another's or nobody's."""
    batch = batch_store.find_batch(tx, merchant_id, number)
    if batch is None:
        raise BatchNotFound(number)
    return batch


def _taken(tx: Tx, context: Context, merchant: Merchant, sheet: Sheet) -> list[Problem]:
    """Rows whose number is a transfer's already: sent again it would be that one, not another."""
    numbers = {row.new.out_biz_no: row for row in sheet.rows}
    known = store.list_numbered(tx, merchant.environment, merchant.seller_id, numbers)
    problems: list[Problem] = []
    for number, transfer in known.items():
        row = numbers[number]
        same = not differences(context, merchant, transfer, row.new)
        also = "with the same content" if same else "with other content"
        also_zh = "内容相同" if same else "内容不同"
        problems.append(
            Problem(
                row.row,
                "out_biz_no",
                f"Transfer {number} exists already, {also}, and is {transfer.status.value}.",
                f"转账 {number} 已存在（{also_zh}），{STANDS_ZH[transfer.status]}。",
            )
        )
    return problems


def _over_limits(
    tx: Tx, limits: TransferLimits, merchant_id: int, sheet: Sheet, now: datetime
) -> list[Problem]:
    sent = store.sent_since(tx, merchant_id, rules.beijing_midnight(now))
    problems: list[Problem] = []
    for row in sheet.rows:
        broken = rules.broken_limit(limits, row.new.amount, sent)
        sent += row.new.amount
        if broken is None:
            continue
        which, limit = broken
        single = which is rules.LimitBroken.SINGLE
        say = f"at once at most {limit}" if single else f"a day at most {limit} together"
        say_zh = f"单笔最多 {limit}" if single else f"每日合计最多 {limit}"
        problems.append(
            Problem(row.row, "amount", f"The merchant sends {say}.", f"超过商户限额：{say_zh}。")
        )
    return problems
