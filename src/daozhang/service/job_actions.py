"""What a person may do with a durable job: put it on the queue again, or take it off."""

from __future__ import annotations

from daozhang.clock import Clock
from daozhang.service.audit.actions import record
from daozhang.service.db import Database
from daozhang.service.job import Job
from daozhang.service.jobs import Jobs
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require


def retry_job(database: Database, clock: Clock, jobs: Jobs, actor: Person, job_id: str) -> Job:
    """Puts a job that failed or was cancelled on the queue again. Raises what `Jobs.retry` raises."""
    _note(database, clock, jobs, actor, job_id, "job.retry_asked")
    return jobs.retry(job_id)


def cancel_job(database: Database, clock: Clock, jobs: Jobs, actor: Person, job_id: str) -> Job:
    """Takes a job off the queue that has not begun. Raises what `Jobs.cancel` raises."""
    _note(database, clock, jobs, actor, job_id, "job.cancel_asked")
    return jobs.cancel(job_id)


def _note(
    database: Database, clock: Clock, jobs: Jobs, actor: Person, job_id: str, action: str
) -> None:
    """Before it is done: the queue has transactions of its own."""
    require(actor, Right.JOBS_WORK)
    job = jobs.find(job_id)
    with database.begin() as tx:
        record(tx, actor.actor, action, f"job:{job.id}", clock.now())
