"""The commands about jobs: what waits, runs and failed, and what to do about one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer

from daozhang.cli.speaking import note, say, say_rows, service_context
from daozhang.service.job import Job, JobStatus
from daozhang.service.jobs import Jobs

jobs_commands = typer.Typer(help="Durable jobs: what waits, runs, failed. 后台任务")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]
JobId = Annotated[str, typer.Argument(help="As `jobs list` tells it. 任务编号")]


@contextmanager
def _queue(*, as_json: bool, deed: str | None = None, job_id: str = "") -> Generator[Jobs]:
    """The queue; with ``deed``, what is done to a job stands in the audit trail before it is done."""
    with service_context(as_json=as_json) as context:
        jobs = Jobs(context.database)
        jobs.prepare()
        try:
            if deed is not None:
                jobs.find(job_id)
                note(context, deed, f"job:{job_id}")
            yield jobs
        finally:
            jobs.stop()


@jobs_commands.command("list")
def jobs_list(
    status: Annotated[
        JobStatus | None, typer.Option(help="Only those that stand so. 按状态筛选")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most. 条数上限")] = 50,
    as_json: AsJson = False,
) -> None:
    """The latest jobs, newest first. 最近的任务."""
    with _queue(as_json=as_json) as jobs:
        rows = [_as_json(job) for job in jobs.list(status, rows_max=limit)]
    columns = {
        "id": "job 任务",
        "status": "status 状态",
        "args": "about 参数",
        "queued_at": "queued 入队",
        "ended_at": "ended 结束",
        "error": "why 原因",
    }
    say_rows(rows, columns, "There are no jobs. 没有任务.", as_json=as_json)


@jobs_commands.command("show")
def jobs_show(job_id: JobId, as_json: AsJson = False) -> None:
    """One job, with the process that has it and why it failed. 任务详情."""
    with _queue(as_json=as_json) as jobs:
        shown = _as_json(jobs.find(job_id))
    say(shown, "\n".join(f"{name}: {value}" for name, value in shown.items()), as_json=as_json)


@jobs_commands.command("retry")
def jobs_retry(job_id: JobId, as_json: AsJson = False) -> None:
    """Puts one that failed or was cancelled on the queue again. 重试失败或已取消的任务."""
    with _queue(as_json=as_json, deed="job.retry_asked", job_id=job_id) as jobs:
        job = jobs.retry(job_id)
    say(_as_json(job), f"{job.id} is on the queue again. 已重新入队.", as_json=as_json)


@jobs_commands.command("cancel")
def jobs_cancel(job_id: JobId, as_json: AsJson = False) -> None:
    """Takes one off the queue that has not begun; what it was for stays due. 取消未开始的任务."""
    with _queue(as_json=as_json, deed="job.cancel_asked", job_id=job_id) as jobs:
        job = jobs.cancel(job_id)
    said = (
        f"{job.id} is off the queue. What it was for stays due, and gets another job within some "
        "minutes.\n已取消. 对应的业务仍待处理, 几分钟内会生成新的任务."
    )
    say(_as_json(job), said, as_json=as_json)


def _as_json(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "status": job.status.value,
        "lane": job.lane,
        "args": dict(job.args),
        "queued_at": _text(job.queued_at),
        "begun_at": _text(job.begun_at),
        "ended_at": _text(job.ended_at),
        "process": job.process,
        "attempts": job.attempts,
        "error": job.error,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
