"""Fetching a bill: asking for its address, and reading what is there, outside any transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from daozhang.alipay.bills import BillProblem
from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.bill import BillDownloadUrlQuery
from daozhang.service.audit.model import SYSTEM
from daozhang.service.bills import rules, store
from daozhang.service.bills.keeping import enqueue_reading, keep_file, look_at, require_of, room
from daozhang.service.bills.model import FileOrigin, Statement, StatementStatus
from daozhang.service.bills.refusals import BillOfAnother, BillStands, BillUnreadable
from daozhang.service.downloads import BILL_HOSTS, DownloadFailed, HostRefused, download
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.clients import Clients
from daozhang.service.web.context import Context

BILL_JOB: Final = "bill"

DOWNLOAD_SECONDS: Final = 600
BYTES_MAX: Final = 2 << 30

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bills:
    """Fetches bills. A job may die anywhere and be run again: it begins anew, with a new address.

    ``read_at_once`` reads what was kept here and now, for a command that has no worker behind it.
    """

    context: Context
    clients: Clients
    jobs: Jobs
    read_at_once: Callable[[int], None] | None = None

    def run(self, statement_id: int) -> None:
        """Asks once for the bill of a statement, and keeps its file if there is one."""
        with self.context.database.read() as tx:
            statement = store.find_by_id(tx, statement_id)
            assert statement is not None
            owner = store.merchant_of_seller(tx, statement.environment, statement.seller_id)
        if statement.due_at is None or owner is None:
            return  # somebody has given its file meanwhile
        merchant_id, _ = owner
        operation = BillDownloadUrlQuery(bill_type=statement.kind.value, bill_date=statement.period)
        try:
            answer = self.clients.client_for(merchant_id).call(operation)
        except Rejected as no:
            self._note(statement, no.sub_code or no.code, str(no))
        except OutcomeUnknown as unknown:
            self._again(statement, "unknown", str(unknown))
        else:
            self._fetch(statement, merchant_id, answer.bill_download_url or "")

    def _fetch(self, statement: Statement, merchant_id: int, url: str) -> None:
        client = self.clients.client_for(merchant_id)
        with room(self.context) as place:
            path = place / "bill"
            try:
                download(
                    url,
                    path,
                    environment=statement.environment,
                    hosts=BILL_HOSTS,
                    gateway_url=client.credentials.gateway_url,
                    bytes_max=BYTES_MAX,
                    seconds_max=DOWNLOAD_SECONDS,
                )
            except HostRefused as refused:
                log.warning("bill_host_refused", said=str(refused))
                self._again(statement, "host_refused", str(refused))
                return
            except DownloadFailed as problem:
                self._again(statement, "download_failed", str(problem))
                return
            self._keep(statement, path)

    def _keep(self, statement: Statement, path: Path) -> None:
        name = f"{statement.seller_id}_{statement.period}_{statement.kind}.csv.zip"
        held: BillProblem | None = None
        try:
            looked = look_at(path, name)
            require_of(looked, statement.seller_id, statement.kind, statement.period)
        except BillUnreadable as unreadable:
            held = BillProblem(unreadable.detail, unreadable.detail_zh)
        except BillOfAnother as other:
            held = BillProblem(other.detail, other.detail_zh)
        try:
            origin = FileOrigin.FETCHED
            keep_file(self.context, self._readers, SYSTEM, statement, path, name, origin, held)
        except BillStands:
            return
        if held is None and self.read_at_once is not None:
            self.read_at_once(statement.id)

    @property
    def _readers(self) -> Jobs | None:
        return self.jobs if self.read_at_once is None else None

    def read_soon(self, statement_id: int) -> None:
        """Has what stands for a statement read once more, by a job."""
        if self.read_at_once is not None:
            self.read_at_once(statement_id)
            return
        with self.context.database.begin() as tx:
            statement = store.find_by_id(tx, statement_id, lock=True)
            assert statement is not None
            enqueue_reading(tx, self.jobs, statement)

    def _note(self, statement: Statement, code: str, message: str) -> None:
        now = self.context.clock.now()
        status, due_at = rules.after_refusal(code, statement.period, now)
        self._write(statement, status, due_at, code, message)
        if status is StatementStatus.NONE and self.read_at_once is not None:
            self.read_at_once(statement.id)

    def _again(self, statement: Statement, code: str, message: str) -> None:
        due_at = self.context.clock.now() + rules.RETRY
        self._write(statement, statement.status, due_at, code, message)

    def _write(
        self,
        statement: Statement,
        status: StatementStatus,
        due_at: object,
        code: str,
        message: str,
    ) -> None:
        now = self.context.clock.now()
        with self.context.database.begin() as tx:
            held = store.find_by_id(tx, statement.id, lock=True)
            if held is None or held.due_at is None:
                return
            store.update_statement(
                tx,
                statement.id,
                status=status.value,
                due_at=due_at,
                last_code=code[:64],
                last_message=message[:500],
                updated_at=now,
            )
            if status is StatementStatus.NONE and self._readers is not None:
                enqueue_reading(tx, self._readers, held)
        self.context.signals.wake(BILLS_SIGNAL)


BILLS_SIGNAL: Final = "bills"
LEASE: Final = timedelta(minutes=15)
