"""`daozhang jobs`: what is on the queue, and what may be done about it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from daozhang.money import Money
from daozhang.service.db import Database
from daozhang.service.jobs import Jobs
from databases import database_url
from ports import free_port
from processes import command, environment, prepare
from refund_world import open_shop


def run(directory: Path, *arguments: str) -> tuple[int, Any]:
    """A command with ``--json``: its exit code, and what it said."""
    done = subprocess.run(
        command("jobs", *arguments, "--json"),
        env=environment(directory, 1),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout if done.returncode == 0 else done.stderr)


def test_what_waits_is_told_cancelled_and_put_on_the_queue_again(tmp_path: Path) -> None:
    prepare(tmp_path, free_port())
    database = Database(database_url(tmp_path))
    jobs = Jobs(database)
    jobs.prepare()
    assert run(tmp_path, "list") == (0, [])
    with database.begin() as tx:
        jobs.enqueue(tx, "refund", "7:1", {"refund_id": 7}, lane="a")
    jobs.stop()
    database.dispose()
    code, rows = run(tmp_path, "list", "--status", "waiting")
    assert code == 0
    assert [(row["id"], row["args"], row["status"]) for row in rows] == [
        ("refund:7:1", {"refund_id": 7}, "waiting")
    ]
    assert run(tmp_path, "list", "--status", "failed") == (0, [])
    code, refused = run(tmp_path, "retry", "refund:7:1")
    assert (code, refused["error"]["code"]) == (1, "job_not_retryable")
    code, cancelled = run(tmp_path, "cancel", "refund:7:1")
    assert (code, cancelled["status"]) == (0, "cancelled")
    code, refused = run(tmp_path, "cancel", "refund:7:1")
    assert (code, refused["error"]["code"]) == (1, "job_not_cancellable")
    code, again = run(tmp_path, "retry", "refund:7:1")
    assert (code, again["status"]) == (0, "waiting")
    code, refused = run(tmp_path, "show", "refund:8:1")
    assert (code, refused["error"]["code"]) == (1, "job_not_found")


def test_a_refund_whose_job_is_cancelled_is_refunded_by_another(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        number = shop.paid_order()
        jobs = shop.service.jobs
        jobs.stop()
        shop.refund(number, Money.parse("1.00"), "R1")
        (job,) = jobs.list()
        assert jobs.cancel(job.id).status == "cancelled"
        jobs.start()
        shop.pass_time(300)
        assert shop.gateway.refunded(number).keys() == {"R1"}
        done = [(found.name, found.status.value) for found in jobs.list()]
        assert done == [("refund", "done"), ("refund", "cancelled")]
