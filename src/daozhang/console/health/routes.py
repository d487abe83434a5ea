"""The pages of jobs and health."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from daozhang.clock import Clock
from daozhang.console.health.views import health_view, job_view, jobs_view
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.db import Database
from daozhang.service.doctor.actions import examine
from daozhang.service.doctor.inside import look_inside
from daozhang.service.job import Job, JobStatus
from daozhang.service.job_actions import cancel_job, retry_job
from daozhang.service.jobs import Jobs
from daozhang.service.people.model import Person, Right
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.rules import alerts_of
from daozhang.service.worker import Worker

JOBS_MAX = 100


@page(Right.JOBS_READ, "health/health")
def health_page(visit: Visit) -> Response:
    """Whether the house is well. Posted, it is examined as ``daozhang doctor`` does: over the network."""
    state = visit.request.app.state
    findings = list(examine(visit.context)) if visit.request.method == "POST" else None
    lookout, worker = cast("Lookout", state.lookout), cast("Worker", state.worker)
    view = health_view(
        visit,
        look_inside(visit.context),
        worker.duties(),
        alerts_of(lookout.look()),
        _jobs(visit).count(),
        findings,
    )
    return respond(visit, "health/health.html", view=view)


@page(Right.JOBS_READ, "health/jobs")
def jobs_page(visit: Visit) -> Response:
    """The latest jobs, newest first."""
    asked = visit.query.get("status", "")
    status = JobStatus(asked) if asked in tuple(JobStatus) else None
    found = _jobs(visit).list(status, rows_max=JOBS_MAX)
    return respond(visit, "health/jobs.html", view=jobs_view(visit, status, found))


@page(Right.JOBS_READ, "health/jobs")
def job_page(visit: Visit) -> Response:
    """One job, with why it failed."""
    job = _jobs(visit).find(visit.query.get("id", ""))
    return respond(visit, "health/job.html", view=job_view(visit, job))


@page(Right.JOBS_READ, "health/jobs")
def retry_page(visit: Visit) -> Response:
    """Puts one on the queue again."""
    return _work(visit, retry_job)


@page(Right.JOBS_READ, "health/jobs")
def cancel_page(visit: Visit) -> Response:
    """Takes one off the queue."""
    return _work(visit, cancel_job)


def _work(visit: Visit, deed: Callable[[Database, Clock, Jobs, Person, str], Job]) -> Response:
    context = visit.context
    job_id = visit.form.get("id", "")
    job = deed(context.database, context.clock, _jobs(visit), visit.who, job_id)
    return RedirectResponse(f"{visit.base}/jobs/job?{urlencode({'id': job.id})}", 303)


def _jobs(visit: Visit) -> Jobs:
    return cast("Jobs", visit.request.app.state.jobs)
