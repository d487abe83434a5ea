"""A job as people see it: where it stands, and what cannot be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from daozhang.service.refusals import Refusal


class JobStatus(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the queue keeps it. Times are the machine's, in UTC."""

    id: str
    name: str
    status: JobStatus
    lane: str | None
    """Whose calls it makes: the App's."""
    args: Mapping[str, Any]
    queued_at: datetime | None
    begun_at: datetime | None
    ended_at: datetime | None
    process: str | None
    """Which process has it or had it last."""
    attempts: int
    error: str | None


class JobNotFound(Refusal):
    """No job has this id."""

    code = "job_not_found"
    title = "Job not found"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"There is no job {job_id!r}; `daozhang jobs list` tells those there are. Ended ones "
            "are forgotten after 30 days.",
            f"没有编号为 {job_id!r} 的任务, 可用 daozhang jobs list 查看; 已结束的任务保留 30 天.",
        )


class JobNotRetryable(Refusal):
    """Only what has failed or was cancelled is put on the queue again."""

    code = "job_not_retryable"
    title = "Job is not to be retried"

    def __init__(self, job: Job) -> None:
        super().__init__(
            f"The job {job.id} is {job.status.value}: only one that failed or was cancelled is "
            "put on the queue again.",
            f"任务 {job.id} 当前状态为 {job.status.value}, 只有失败或已取消的任务可以重试.",
        )


class JobNotCancellable(Refusal):
    """A job that has begun may have called Alipay, so it is left to end."""

    code = "job_not_cancellable"
    title = "Job has begun"

    def __init__(self, job: Job) -> None:
        super().__init__(
            f"The job {job.id} is {job.status.value}: one that has begun may have called Alipay "
            "and is left to end. To stop money from going out: daozhang merchant outgoing --stop.",
            f"任务 {job.id} 当前状态为 {job.status.value}: 已开始的任务可能已调用支付宝, 不能取消. "
            "如需停止出款: daozhang merchant outgoing --stop.",
        )
