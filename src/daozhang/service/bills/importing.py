"""Bills by hand: a file that a person gives, and asking for a bill now instead of in the morning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.bills import rules, store
from daozhang.service.bills.fetching import BILL_JOB, LEASE
from daozhang.service.bills.keeping import keep_file, look_at
from daozhang.service.bills.model import (
    FileOrigin,
    Statement,
    StatementFile,
    StatementKind,
    StatementStatus,
)
from daozhang.service.bills.refusals import BillHere, BillNotOver, BillOfAnother
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class BillAccount:
    """An Alipay account, of which there is one bill of a kind and day for all who collect on it."""

    environment: str
    seller_id: str


def account_of(tx: Tx, merchant_id: int) -> BillAccount:
    """The Alipay account of a merchant."""
    merchant = find_merchant_by_id(tx, merchant_id)
    return BillAccount(merchant.environment, merchant.seller_id)


def import_file(
    context: Context,
    jobs: Jobs | None,
    actor: Actor,
    accounts: list[BillAccount],
    path: Path,
    name: str,
) -> tuple[Statement, StatementFile]:
    """Keeps a file for the account and the time that it names itself, if that is one of ``accounts``.

    ``jobs`` read it; whoever gives none reads it. Raises `BillUnreadable`, `BillOfAnother`, and
    `BillStands` if another file stands: this one is kept beside it.
    """
    looked = look_at(path, name)
    owners = [one for one in accounts if looked.account.startswith(one.seller_id)]
    if len(owners) != 1:
        raise BillOfAnother(
            f"It is a bill of the account {looked.account}, and here are "
            f"{', '.join(one.seller_id for one in accounts) or 'none'}.",
            f"账单属于账号 {looked.account}，而此处的账户为 "
            f"{'、'.join(one.seller_id for one in accounts) or '无'}。",
        )
    with context.database.begin() as tx:
        statement = _place(tx, context, owners[0], looked.kind, looked.period)
    file = keep_file(context, jobs, actor, statement, path, name, FileOrigin.UPLOADED)
    with context.database.read() as tx:
        found = store.find_by_id(tx, statement.id)
    assert found is not None
    return found, file


def ask_now(
    context: Context,
    actor: Actor,
    account: BillAccount,
    kind: StatementKind,
    period: str,
    jobs: Jobs | None = None,
) -> Statement:
    """Makes a bill due at this moment, with a job if ``jobs`` are given; else the caller fetches it.

    For the time of a lease nobody else fetches it. Raises `BillHere` and `BillNotOver`.
    """
    now = context.clock.now()
    with context.database.begin() as tx:
        statement = _place(tx, context, account, kind, period)
        if statement.until > now:
            raise BillNotOver(period)
        if statement.status in (StatementStatus.KEPT, StatementStatus.READY):
            raise BillHere(period)
        attempt = statement.attempt + 1
        store.update_statement(
            tx, statement.id, due_at=now + LEASE, attempt=attempt, updated_at=now
        )
        subject = f"bill:{kind}:{period}"
        record(tx, actor, "bill.asked", subject, now, seller_id=account.seller_id)
        if jobs is not None:
            key = f"{statement.id}:{attempt}"
            lane = f"bills:{account.seller_id}"
            jobs.enqueue(tx, BILL_JOB, key, {"statement_id": statement.id}, lane=lane)
        found = store.find_by_id(tx, statement.id)
    assert found is not None
    return found


def _place(
    tx: Tx, context: Context, account: BillAccount, kind: StatementKind, period: str
) -> Statement:
    now = context.clock.now()
    store.insert_statement(
        tx,
        {
            "environment": account.environment,
            "seller_id": account.seller_id,
            "kind": kind.value,
            "period": period,
            "status": StatementStatus.WAITING.value,
            "due_at": rules.due_at(period),
            "created_at": now,
            "updated_at": now,
        },
    )
    found = store.find_statement(
        tx, account.environment, account.seller_id, kind.value, period, lock=True
    )
    assert found is not None
    return found
