"""Where the pages of jobs and health hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.health import routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="health",
    routes=[
        Route("/health", routes.health_page, methods=["GET", "POST"]),
        Route("/jobs", routes.jobs_page),
        Route("/jobs/job", routes.job_page),
        Route("/jobs/job/retry", routes.retry_page, methods=["POST"]),
        Route("/jobs/job/cancel", routes.cancel_page, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("System health"),
            icon="heartbeat",
            path="/health",
            right=Right.JOBS_READ,
            group=Group.HOUSE,
            place=80,
            key="v",
        ),
        Link(
            title=word("Background jobs"),
            icon="list-check",
            path="/jobs",
            right=Right.JOBS_READ,
            group=Group.HOUSE,
            place=81,
            key="j",
        ),
    ],
    of_merchant=False,
)
