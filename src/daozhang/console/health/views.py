"""What the pages of jobs and health show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from daozhang.console.paging import with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.doctor.inside import Inside
from daozhang.service.doctor.model import Finding, Result
from daozhang.service.job import Job, JobStatus
from daozhang.service.migrations import FIT
from daozhang.service.people.model import Language, Right
from daozhang.service.watch.model import Alert, Severity

DUTIES: Final[Mapping[str, str]] = {
    "inbox": word("Apply notifications"),
    "inbox_waiting": word("Find orders for notifications that wait"),
    "inbox_confirmations": word("Confirm notifications by a query"),
    "inbox_unclaimed": word("Tell of payments that nobody claims"),
    "silent_orders": word("Ask about silent orders"),
    "refunds": word("Call and ask about refunds"),
    "refund_banks": word("Ask about refunds to bank cards"),
    "share_returns": word("Ask what came back of shares"),
    "transfers": word("Send transfers, and ask about them"),
    "transfer_receipts": word("Fetch receipts of transfers"),
    "account_receipts": word("Have e-receipts of accounts made, and fetch them"),
    "transfers_unapproved": word("End transfers that nobody has approved"),
    "shares": word("Share, and ask about shares"),
    "share_receivers": word("Bind and unbind receivers"),
    "settlements": word("Confirm settlements, and ask about them"),
    "till": word("Payments at the till"),
    "charges": word("Charges of holds and agreements"),
    "holds": word("Holds"),
    "agreements": word("Agreements"),
    "approvals": word("End what nobody has approved"),
    "events": word("Hand events to webhooks"),
    "webhooks": word("Deliver webhooks"),
    "idempotency": word("Forget kept answers"),
    "retention": word("Forget what is past its time"),
    "search": word("Make orders findable"),
    "exports": word("Delete files whose time is over"),
    "bills": word("Fetch Alipay's bills"),
    "overview_sums": word("Sum the overview up"),
    "ledger_sums": word("Sum the books up"),
    "ledger_backfill": word("Post what was booked before the ledger"),
    "key_changes": word("Ask whether Alipay takes a new key"),
    "merchant_answers": word("Note when Alipay last answered"),
    "watch_meter": word("Write figures"),
    "watch_tally": word("Count what is in the books"),
    "watch_alerts": word("Look whether all is well"),
}


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A duty, and when it is due next."""

    name: str
    text: str
    due_at: datetime | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Told:
    """An alert or a finding in the reader's language."""

    name: str
    about: str
    says: str
    todo: str
    state: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """The house."""

    inside: Inside
    is_fit: bool
    size: str
    skew: str | None
    duties: Sequence[DutyRow]
    alerts: Sequence[Told]
    waiting: int
    failed: int
    findings: Sequence[Told] | None


def health_view(
    visit: Visit,
    inside: Inside,
    duties: Sequence[tuple[str, datetime | None]],
    alerts: Sequence[Alert],
    jobs: tuple[int, int],
    findings: Sequence[Finding] | None,
) -> HealthView:
    """The house as ``visit`` reads it."""
    chinese = visit.language is Language.CHINESE
    return HealthView(
        inside=inside,
        is_fit=inside.standing in FIT,
        size=_size(inside.size_bytes),
        skew=None if inside.skew_seconds is None else f"{inside.skew_seconds:+.2f} s",
        duties=[
            DutyRow(
                name=name,
                text=visit.t(DUTIES[name]) if name in DUTIES else name,
                due_at=due_at,
                is_late=due_at is not None and (inside.now - due_at).total_seconds() > 60,
            )
            for name, due_at in duties
        ],
        alerts=[
            Told(
                one.code,
                one.key.partition(":")[2],
                one.zh if chinese else one.en,
                one.todo_zh if chinese else one.todo_en,
                "bad" if one.severity is Severity.PAGE else "warn",
            )
            for one in alerts
        ],
        waiting=jobs[0],
        failed=jobs[1],
        findings=None if findings is None else [_told(one, chinese=chinese) for one in findings],
    )


_TONES: Final[Mapping[Result, str]] = {Result.OK: "ok", Result.WARN: "warn", Result.FAIL: "fail"}


def _told(one: Finding, *, chinese: bool) -> Told:
    says = one.detail_zh if chinese else one.detail
    return Told(one.check, one.about, says, "", f"finding.{_TONES[one.result]}")


def _size(count: int) -> str:
    if count < 1024**2:
        return f"{count // 1024} KiB"
    return f"{count / 1024**2:.1f} MiB" if count < 1024**3 else f"{count / 1024**3:.2f} GiB"


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job, and where its page is."""

    address: str
    job: Job
    args: str


@dataclass(frozen=True, slots=True)
class JobsView:
    """The latest jobs."""

    tabs: Sequence[tuple[str, str, bool]]
    status: JobStatus | None
    rows: Sequence[JobRow]


_TABS: Final = (
    ("", word("All")),
    (JobStatus.WAITING.value, word("In the queue")),
    (JobStatus.RUNNING.value, word("Running now")),
    (JobStatus.FAILED.value, word("Failed")),
    (JobStatus.CANCELLED.value, word("Cancelled")),
    (JobStatus.DONE.value, word("Done")),
)


def jobs_view(visit: Visit, status: JobStatus | None, found: Sequence[Job]) -> JobsView:
    """The list of ``found``."""
    path, here = f"{visit.base}/jobs", "" if status is None else status.value
    tabs = [
        (with_query(path, {"status": name}), visit.t(text), name == here) for name, text in _TABS
    ]
    return JobsView(tabs, status, [_row(visit, job) for job in found])


@dataclass(frozen=True, slots=True)
class JobView:
    """One job."""

    line: JobRow
    may_retry: bool
    may_cancel: bool


def job_view(visit: Visit, job: Job) -> JobView:
    """One job, with what ``visit`` may do with it."""
    may = visit.may(Right.JOBS_WORK)
    return JobView(
        _row(visit, job),
        may_retry=may and job.status in (JobStatus.FAILED, JobStatus.CANCELLED),
        may_cancel=may and job.status is JobStatus.WAITING,
    )


def _row(visit: Visit, job: Job) -> JobRow:
    address = f"{visit.base}/jobs/job?{urlencode({'id': job.id})}"
    return JobRow(address, job, ", ".join(f"{name}={value}" for name, value in job.args.items()))
