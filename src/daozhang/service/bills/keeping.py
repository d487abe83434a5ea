"""Keeping a file word for word: looked at first, then stored piece by piece, then put in its place."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from daozhang.alipay.bills import BillFiles, BillKind, BillProblem, open_bill
from daozhang.clock import BEIJING
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.bills import store
from daozhang.service.bills.model import (
    NAMES,
    FileOrigin,
    FileStatus,
    Statement,
    StatementFile,
    StatementKind,
    StatementStatus,
)
from daozhang.service.bills.refusals import (
    BillOfAnother,
    BillStands,
    BillUnreadable,
    StatementNotFound,
)
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.jobs import Jobs
from daozhang.service.web.context import Context

READ_JOB: Final = "reconcile"
"""What reads a file that is kept; `daozhang.service.reconciliation` does it."""

KINDS = {BillKind.TRADE: StatementKind.TRADE, BillKind.ACCOUNT: StatementKind.ACCOUNT}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file says of itself: whose it is, which bill, of which day or month."""

    account: str
    kind: StatementKind
    period: str


def look_at(path: Path, name: str) -> Looked:
    """Reads the heads of a file. Raises `BillUnreadable`."""
    try:
        with open_bill(path, name) as files:
            return _looked(files, name)
    except BillProblem as problem:
        raise BillUnreadable(problem) from None


def _looked(files: BillFiles, name: str) -> Looked:
    heads = {(bill.head, bill.kind) for bill in files.details}
    if len(heads) != 1:
        raise BillProblem(
            f"It holds {len(heads)} kinds of bills with single lines; one is expected.",
            f"文件中有 {len(heads)} 种明细账单，应当只有一种。",
            member=name,
        )
    ((head, kind),) = heads
    first = head.since.astimezone(BEIJING).date()
    whole_day = head.until - head.since == timedelta(days=1)
    return Looked(
        account=head.account,
        kind=KINDS[kind],
        period=first.isoformat() if whole_day else f"{first:%Y-%m}",
    )


def require_of(looked: Looked, seller_id: str, kind: StatementKind, period: str) -> None:
    """Raises `BillOfAnother` unless the file is the account's bill of that time."""
    if not looked.account.startswith(seller_id):
        raise BillOfAnother(
            f"It is a bill of the account {looked.account}, and this is {seller_id}.",
            f"账单属于账号 {looked.account}，而当前账户为 {seller_id}。",
        )
    if (looked.kind, looked.period) != (kind, period):
        found, wanted = NAMES[looked.kind], NAMES[kind]
        raise BillOfAnother(
            f"It is the {found[0]} of {looked.period}, not the {wanted[0]} of {period}.",
            f"这是 {looked.period} 的{found[1]}，不是 {period} 的{wanted[1]}。",
        )


def enqueue_reading(tx: Tx, jobs: Jobs, statement: Statement) -> None:
    """Has the file that stands for a statement read, once ``tx`` is committed."""
    attempt = statement.attempt + 1
    store.update_statement(tx, statement.id, attempt=attempt)
    key = f"{statement.id}:{attempt}"
    lane = f"bills:{statement.seller_id}"
    jobs.enqueue(tx, READ_JOB, key, {"statement_id": statement.id}, lane=lane)


def keep_file(
    context: Context,
    jobs: Jobs | None,
    actor: Actor,
    statement: Statement,
    path: Path,
    name: str,
    origin: FileOrigin,
    problem: BillProblem | None = None,
) -> StatementFile:
    """Keeps the bytes of ``path`` for a statement; the same bytes again are the same file.

    A ``problem`` holds it for a person; else ``jobs`` read it, and whoever gives none reads it. Raises
    `BillStands` if another file stands for that time: this one is kept beside it.
    """
    sha256 = _hash(path)
    now = context.clock.now()
    with context.database.read() as tx:
        known = store.find_file_with(tx, statement.id, sha256)
    if known is None:
        known = _store(context, actor, statement, path, name, origin, sha256, now)
    with context.database.begin() as tx:
        held = store.find_by_id(tx, statement.id, lock=True)
        assert held is not None
        if held.file_id not in (None, known.id) and held.status is not StatementStatus.HELD:
            stands = True
        else:
            stands = False
            _put_in_place(tx, held, known, problem, now)
            # In the same transaction: what is kept is read, wherever this process dies.
            if jobs is not None and problem is None:
                enqueue_reading(tx, jobs, held)
        record(
            tx,
            actor,
            "bill.kept",
            f"bill:{statement.kind}:{statement.period}",
            now,
            seller_id=statement.seller_id,
            sha256=sha256,
            origin=origin.value,
        )
        found = store.find_file(tx, known.id)
    assert found is not None
    if stands:
        raise BillStands(statement.kind, statement.period)
    return found


def _put_in_place(
    tx: Tx,
    statement: Statement,
    file: StatementFile,
    problem: BillProblem | None,
    now: datetime,
) -> None:
    if statement.file_id not in (None, file.id):
        store.update_file(tx, statement.file_id, status=FileStatus.REPLACED.value)
    status = StatementStatus.KEPT if problem is None else StatementStatus.HELD
    said = None if problem is None else {"say": str(problem), "say_zh": problem.say_zh}
    store.update_file(
        tx,
        file.id,
        status=(FileStatus.KEPT if problem is None else FileStatus.HELD).value,
        problem=said,
    )
    store.update_statement(
        tx,
        statement.id,
        status=status.value,
        file_id=file.id,
        due_at=None,
        last_code=None,
        last_message=None,
        updated_at=now,
    )


def choose_file(
    context: Context, jobs: Jobs, actor: Actor, statement_id: int, public_id: str
) -> Statement:
    """Lets another of a statement's files stand for its time, and has it read. Raises
    `StatementNotFound` for a file that is none of its."""
    now = context.clock.now()
    with context.database.begin() as tx:
        statement = store.find_by_id(tx, statement_id, lock=True)
        assert statement is not None
        chosen = next(
            (one for one in store.list_files(tx, statement_id) if one.public_id == public_id), None
        )
        if chosen is None:
            raise StatementNotFound(public_id)
        _put_in_place(tx, statement, chosen, None, now)
        enqueue_reading(tx, jobs, statement)
        subject = f"bill:{statement.kind}:{statement.period}"
        record(tx, actor, "bill.chosen", subject, now, sha256=chosen.sha256)
        found = store.find_by_id(tx, statement_id)
    assert found is not None
    return found


def _store(
    context: Context,
    actor: Actor,
    statement: Statement,
    path: Path,
    name: str,
    origin: FileOrigin,
    sha256: str,
    now: datetime,
) -> StatementFile:
    row: dict[str, Any] = {
        "public_id": new_id("bill", now),
        "statement_id": statement.id,
        "name": name[:255],
        "sha256": sha256,
        "size": path.stat().st_size,
        "origin": origin.value,
        "status": FileStatus.KEPT.value,
        "added_by": str(actor),
        "added_name": actor.name,
        "added_at": now,
        "differences": [],
        "new_columns": [],
    }
    # All of it or nothing: a file without its end would be read as another one.
    with context.database.begin() as tx:
        file_id = store.insert_file(tx, row)
        if file_id is not None:
            with path.open("rb") as file:
                for number, piece in enumerate(iter(lambda: file.read(store.PART_BYTES), b"")):
                    store.put_part(tx, file_id, number, piece)
        found = store.find_file_with(tx, statement.id, sha256)
    assert found is not None
    return found


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def laid_out(context: Context, file: StatementFile) -> Generator[Path]:
    """The file on disk for as long as the block runs, in the service's own directory."""
    with room(context) as place:
        path = place / "bill"
        with path.open("wb") as out, context.database.read() as tx:
            for piece in store.read_parts(tx, file.id):
                out.write(piece)
        yield path


@contextmanager
def room(context: Context) -> Generator[Path]:
    """A directory of one's own, which is gone after the block."""
    folder = context.settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="bill-") as place:
        yield Path(place)
