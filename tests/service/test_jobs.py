"""The queue on a real SQLite file: within our transaction, once per key, and after a kill -9."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.job import JobNotRetryable, JobStatus
from daozhang.service.jobs import Jobs
from databases import database_url


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url(tmp_path, migrated=False))
    with database.begin() as tx:
        tx.execute(sa.text("CREATE TABLE intents (id INTEGER PRIMARY KEY, ran INTEGER DEFAULT 0)"))
    yield database
    database.dispose()


@pytest.fixture
def jobs(database: Database) -> Iterator[Jobs]:
    jobs = Jobs(database, polling_seconds=0.02)
    yield jobs
    jobs.stop()


def test_a_job_runs_when_its_intent_is_committed_and_not_before(
    database: Database, jobs: Jobs
) -> None:
    seen: list[tuple[int, str]] = []

    def work(intent_id: int, word: str) -> None:
        with database.read() as tx:
            assert tx.execute(sa.text("SELECT count(*) FROM intents")).scalar() == 1
        seen.append((intent_id, word))

    jobs.register("work", work)
    jobs.start()
    with database.begin() as tx:
        tx.execute(sa.text("INSERT INTO intents (id) VALUES (7)"))
        jobs.enqueue(tx, "work", "7:1", {"intent_id": 7, "word": "退款"}, lane="app:1")
        time.sleep(0.1)
        assert seen == []
    assert jobs.wait_idle(10)
    assert seen == [(7, "退款")]


def test_a_job_whose_intent_is_rolled_back_never_runs(database: Database, jobs: Jobs) -> None:
    seen: list[int] = []
    jobs.register("work", seen.append)
    jobs.start()

    def enqueue_and_fail() -> None:
        with database.begin() as tx:
            jobs.enqueue(tx, "work", "1:1", {"intent_id": 1}, lane="app:1")
            raise LookupError("no such order")

    with pytest.raises(LookupError):
        enqueue_and_fail()
    assert jobs.wait_idle(10)
    assert seen == []


def test_one_key_is_one_run_however_often_it_is_enqueued(database: Database, jobs: Jobs) -> None:
    seen: list[int] = []
    jobs.register("work", lambda intent_id: seen.append(intent_id))
    jobs.start()
    for _ in range(3):
        with database.begin() as tx:
            jobs.enqueue(tx, "work", "1:1", {"intent_id": 1}, lane="app:1")
            jobs.enqueue(tx, "work", "1:1", {"intent_id": 1}, lane="app:1")
    assert jobs.wait_idle(10)
    with database.begin() as tx:
        jobs.enqueue(tx, "work", "1:1", {"intent_id": 1}, lane="app:1")
        jobs.enqueue(tx, "work", "1:2", {"intent_id": 2}, lane="app:1")
    assert jobs.wait_idle(10)
    assert seen == [1, 2]


def _seeing(jobs: Jobs) -> list[int]:
    """Registers a job that notes what it was given."""
    seen: list[int] = []
    jobs.register("work", lambda intent_id: seen.append(intent_id))
    return seen


def test_services_follow_each_other_in_one_process_but_never_overlap(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    for round_number in range(2):
        database = Database(database_url(tmp_path, name=f"{round_number}", migrated=False))
        jobs, second = Jobs(database, polling_seconds=0.02), Jobs(database)
        seen = _seeing(jobs)
        jobs.start()
        with pytest.raises(RuntimeError, match="stop them first"):
            second.start()
        with database.begin() as tx:
            jobs.enqueue(tx, "work", "1:1", {"intent_id": round_number}, lane="app:1")
        assert jobs.wait_idle(10)
        jobs.stop()
        jobs.stop()
        assert seen == [round_number]
        database.dispose()
    assert set(threading.enumerate()) <= before


def test_a_process_that_only_enqueues_leaves_the_work_to_another(database: Database) -> None:
    web, worker, seen = Jobs(database), Jobs(database, polling_seconds=0.02), []
    web.prepare()
    web.prepare()
    with database.begin() as tx:
        web.enqueue(tx, "work", "1:1", {"intent_id": 1}, lane="app:1")
    assert not web.is_idle()
    assert not web.wait_idle(0.05)
    worker.register("work", lambda intent_id: seen.append(intent_id))
    worker.start()
    assert web.wait_idle(10)
    assert seen == [1]
    worker.stop()
    web.stop()


def test_stopping_waits_for_what_runs(database: Database, jobs: Jobs) -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        time.sleep(0.3)
        ended.set()

    jobs.register("work", work)
    jobs.start()
    with database.begin() as tx:
        jobs.enqueue(tx, "work", "1", {}, lane="app:1")
    assert begun.wait(10)
    jobs.stop()
    assert ended.is_set()


def test_a_job_that_fails_is_logged_and_stops_nothing(
    database: Database, jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    # A command that ran in this process before may have left the root deaf.
    caplog.set_level(logging.ERROR, "daozhang")
    seen: list[int] = []

    def work(number: int) -> None:
        if number == 1:
            raise ValueError("a bug")
        seen.append(number)

    jobs.register("work", work)
    jobs.start()
    with database.begin() as tx:
        jobs.enqueue(tx, "work", "1", {"number": 1}, lane="app:1")
        jobs.enqueue(tx, "work", "2", {"number": 2}, lane="app:1")
    assert jobs.wait_idle(10)
    assert seen == [2]
    assert "The job work has failed." in caplog.text


def test_two_jobs_of_one_name_are_refused(jobs: Jobs) -> None:
    jobs.register("work", print)
    with pytest.raises(ValueError, match="registered already"):
        jobs.register("work", print)


_WORKER = """
    import os, sys, time
    from daozhang.service.db import Database
    from daozhang.service.jobs import Jobs
    database = Database(sys.argv[1])
    jobs = Jobs(database, polling_seconds=0.02)
    def work(intent_id):
        os.write(1, b"begun\\n")  # in one write: three of them run at the same time
        time.sleep(60)
    jobs.register("work", work)
    jobs.start()
    with database.begin() as tx:
        for number in range(3):
            jobs.enqueue(tx, "work", f"{number}", {"intent_id": number}, lane="app:1")
    time.sleep(60)
"""


def test_what_a_killed_process_had_begun_runs_again(database: Database, jobs: Jobs) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_WORKER), database.url],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    with worker, worker.stdout as lines:
        first = lines.readline()
        worker.send_signal(signal.SIGKILL)
    assert first == "begun\n"
    seen: list[int] = []
    jobs.register("work", lambda intent_id: seen.append(intent_id))
    jobs.start()
    assert jobs.wait_idle(20)
    assert sorted(seen) == [0, 1, 2]


@pytest.mark.skipif("not config.getoption('--database') == 'postgresql'", reason="needs peers")
def test_a_process_that_loses_its_lock_starts_anew_and_nothing_is_lost(
    database: Database, jobs: Jobs
) -> None:
    seen = _seeing(jobs)
    jobs.start()
    holder = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    with database.begin() as tx:
        cut_off = tx.execute(sa.text(holder)).scalars().all()
        jobs.enqueue(tx, "work", "1", {"intent_id": 1}, lane="app:1")
    assert cut_off
    assert jobs.wait_idle(20)
    deadline = time.monotonic() + 20
    with database.read() as tx:
        while not tx.execute(sa.text(holder.replace("pg_terminate_backend", ""))).all():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with database.begin() as tx:
        jobs.enqueue(tx, "work", "2", {"intent_id": 2}, lane="app:1")
    assert jobs.wait_idle(20)
    assert sorted(seen) == [1, 2]


def test_dbos_is_imported_on_first_use_only() -> None:
    code = "import sys, daozhang.service.jobs; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_job_that_has_failed_says_why_and_is_tried_again(database: Database, jobs: Jobs) -> None:
    seen: list[int] = []

    def work(intent_id: int) -> None:
        seen.append(intent_id)
        if len(seen) == 1:
            raise ValueError("the row is damaged")

    jobs.register("work", work)
    jobs.start()
    with database.begin() as tx:
        jobs.enqueue(tx, "work", "7:1", {"intent_id": 7}, lane="a")
    assert jobs.wait_idle(10)
    (failed,) = jobs.list(JobStatus.FAILED)
    assert failed.error is not None
    assert "the row is damaged" in failed.error
    assert failed.begun_at is not None
    assert failed.ended_at is not None
    assert jobs.retry(failed.id).status in (JobStatus.WAITING, JobStatus.RUNNING, JobStatus.DONE)
    assert jobs.wait_idle(10)
    assert seen == [7, 7]
    assert jobs.find(failed.id).status is JobStatus.DONE
    with pytest.raises(JobNotRetryable):
        jobs.retry(failed.id)
