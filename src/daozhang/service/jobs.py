"""Jobs: durable workflows. The only file that knows DBOS (docs/decisions/0008).

A job is put on the queue inside the transaction that commits the intent, so there is never an
intent without its job nor a job without its intent. It runs outside any transaction, at least
once, also after a crash; so a job reads its row first and can be run twice.

Business time never lives here: no sleep, delay or schedule. What is due later is a column of
ours, and a sweep puts the next job on the queue.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ClassVar, Final

import sqlalchemy as sa

from daozhang.clock import SystemClock
from daozhang.service.db import Database, Tx
from daozhang.service.job import Job, JobNotCancellable, JobNotFound, JobNotRetryable, JobStatus
from daozhang.service.peers import Presence, own_name

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

JobFunction = Callable[..., None]
"""A job: takes what was enqueued (text, whole numbers), returns nothing, can be run twice."""

APPLICATION_NAME: Final = "daozhang"
APPLICATION_VERSION: Final = "1"
"""Pinned: a job waits in our own words (a row's number), so any later version can run it."""

QUEUE: Final = "lanes"
"""One queue with a lane for each App (docs/decisions/0015): what is looked at is one queue,
however many Apps there are."""

RUNNING_MAX: Final = 24
"""Jobs that one process runs at the same time."""

RUNNING_IN_LANE_MAX: Final = 8
"""Jobs of one lane that one process runs at the same time: while a gateway hangs, other lanes find
room for theirs."""

LANE_STARTS_PER_SECOND: Final = 50
"""Jobs of one lane that are started in any second, all processes together: Alipay counts the calls
of each App."""

POLLING_SECONDS: Final = 0.5
"""How often the queue is looked at: the longest that a committed intent waits in an idle house."""

STOPPING_SECONDS: Final = 6
"""How long a stop waits, twice at most, for jobs that are running: together longer than a call to
Alipay takes. What is cut off runs again at the next start."""

WATCH_SECONDS: Final = 2.0
"""How often a process on PostgreSQL looks whether it and its peers live."""

FORGET_EVERY_SECONDS: Final = 3600.0
"""How often ended jobs are forgotten."""

FORGET_SECONDS: Final = 30 * 24 * 3600
"""How long DBOS's record of a job that has ended is kept. Our own rows are the books."""

COUNTED_MAX: Final = 1000
"""Up to how many jobs are counted, so that counting stays cheap."""

_FORGET_ROWS: Final = 500
_WAITING: Final = "ENQUEUED"
_LIVE: Final = [_WAITING, "PENDING"]
_ANY_LIVE: Final = {
    dialect: sa.select(table.c.status).where(table.c.status.in_(_LIVE)).limit(1)
    for dialect, table in {
        "sqlite": sa.table("workflow_status", sa.column("status")),
        "postgresql": sa.table("workflow_status", sa.column("status"), schema="dbos"),
    }.items()
}
_FAILED: Final = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_ENDED: Final = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_log = logging.getLogger(__name__)

_STATUSES: Final[Mapping[JobStatus, tuple[str, ...]]] = {
    JobStatus.WAITING: ("ENQUEUED", "DELAYED"),
    JobStatus.RUNNING: ("PENDING",),
    JobStatus.DONE: ("SUCCESS",),
    JobStatus.FAILED: tuple(_FAILED),
    JobStatus.CANCELLED: ("CANCELLED",),
}


class Jobs:
    """The queue of one service, in its own database, and the process that works it off.

    `register` before `start`. A process that only enqueues calls `prepare` and never `start`.
    These methods block: call them from a thread, not from an event loop.
    """

    _at_work: ClassVar[Jobs | None] = None
    _at_work_guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        database: Database,
        *,
        polling_seconds: float = POLLING_SECONDS,
        lane_starts_per_second: int = LANE_STARTS_PER_SECOND,
    ) -> None:
        """``polling_seconds``: pass less under a manual clock, where somebody waits for idleness.

        ``lane_starts_per_second`` holds for all processes of the database: who starts last decides.
        """
        self._database = database
        self._lane_starts_per_second = lane_starts_per_second
        self._polling_seconds = polling_seconds
        self._functions: dict[str, JobFunction] = {}
        self._client_made: DBOSClient | None = None
        self._client_guard = threading.Lock()
        self._watcher: _Watcher | None = None
        self._presence: Presence | None = None
        self._name = ""
        self._running = 0
        self._none_running = threading.Condition()

    def register(self, name: str, function: JobFunction) -> None:
        """Makes ``function`` what a job called ``name`` does. Names are for ever: jobs wait in
        the database under them."""
        if name in self._functions:
            raise ValueError(f"A job called {name!r} is registered already.")
        self._functions[name] = function

    def prepare(self) -> None:
        """Creates or migrates the queue's tables in our database. Part of ``daozhang migrate``."""
        from dbos import DBOS

        _quieten()
        # Our own connection first: it sets SQLite's journal mode, which nobody can change, nor
        # wait to change, while DBOS has connections of its own to a new file.
        with self._database.read():
            pass
        DBOS.migrate(_dbos_url(self._database))

    def enqueue(
        self, tx: Tx, name: str, key: str, args: Mapping[str, str | int], *, lane: str
    ) -> None:
        """Puts a job on the queue, as part of ``tx``: it runs if and only if ``tx`` commits.

        ``key`` names this very run, for ever: enqueueing the same key again does nothing, whether
        the first one waits, runs or has ended. ``args`` are the function's keyword arguments.
        Jobs of one ``lane`` wait for each other, never for those of another: it names whose calls
        they are.
        """
        self._client().enqueue_in_transaction(
            tx.connection,
            {
                "workflow_name": name,
                "queue_name": QUEUE,
                "queue_partition_key": lane,
                "workflow_id": f"{name}:{key}",
                "app_version": APPLICATION_VERSION,
            },
            **args,
        )

    def start(self) -> None:
        """Starts to work the queue off, with what a dead process of this name left half done.

        One at a time in a process, because DBOS is one per process: `RuntimeError` otherwise.
        """
        with Jobs._at_work_guard:
            if Jobs._at_work is not None:
                raise RuntimeError("Jobs of another service run in this process: stop them first.")
            Jobs._at_work = self
        try:
            self.prepare()
            self._register_queue()
            self._launch()
        except BaseException:
            self._destroy()
            raise
        self._watcher = _Watcher(self)
        self._watcher.start()

    def stop(self) -> None:
        """Takes nothing new, waits for what runs, and ends all threads. Safe to call twice."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
        if Jobs._at_work is self:
            self._destroy()
        with self._client_guard:
            client, self._client_made = self._client_made, None
        if client is not None:
            client.destroy()

    def waiting(self, name: str, keys: Collection[str]) -> set[str]:
        """Those of ``keys`` whose job ``name`` still waits for its turn. What runs does not wait."""
        if not keys:
            return set()
        found = self._client().list_workflows(
            workflow_ids=[f"{name}:{key}" for key in keys],
            queue_name=QUEUE,
            status=_WAITING,
            load_input=False,
            load_output=False,
        )
        return {job.workflow_id.removeprefix(f"{name}:") for job in found}

    def is_idle(self) -> bool:
        """Whether no job waits or runs, in any process. Cheaper by far than `list_workflows`."""
        with self._database.read() as tx:
            return tx.execute(_ANY_LIVE[tx.dialect]).first() is None

    def count(self) -> tuple[int, int]:
        """How many jobs wait or run, and how many failed within a day; each `COUNTED_MAX` at most."""
        live = self._client().list_workflows(
            status=_LIVE, limit=COUNTED_MAX, load_input=False, load_output=False
        )
        # By the system's clock, with which DBOS stamps its rows.
        since = SystemClock().now() - timedelta(days=1)
        failed = self._client().list_workflows(
            status=_FAILED,
            completed_after=since.isoformat(),
            limit=COUNTED_MAX,
            load_input=False,
            load_output=False,
        )
        return len(live), len(failed)

    def list(self, status: JobStatus | None = None, *, rows_max: int = 100) -> list[Job]:
        """The latest jobs, newest first; only those of ``status`` if one is given."""
        found = self._client().list_workflows(
            status=None if status is None else list(_STATUSES[status]),
            limit=rows_max,
            sort_desc=True,
        )
        return [_job_of(one) for one in found]

    def find(self, job_id: str) -> Job:
        """One job, with why it failed. Raises `JobNotFound`."""
        found = self._client().list_workflows(workflow_ids=[job_id])
        if not found:
            raise JobNotFound(job_id)
        return _job_of(found[0])

    def retry(self, job_id: str) -> Job:
        """Puts a job that has failed or was cancelled on the queue again, from its beginning.

        It reads its row first, so one that has nothing left to do does nothing. Raises
        `JobNotFound`, `JobNotRetryable`.
        """
        job = self.find(job_id)
        if job.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise JobNotRetryable(job)
        with self._writing_client() as client:
            client.rewind_workflow(
                job_id,
                application_version=APPLICATION_VERSION,
                queue_name=QUEUE,
                queue_partition_key=job.lane,
            )
        return self.find(job_id)

    def cancel(self, job_id: str) -> Job:
        """Takes a job off the queue that has not begun. Raises `JobNotFound`, `JobNotCancellable`.

        What it was for stays: a refund that is due gets another job from its sweep.
        """
        job = self.find(job_id)
        if job.status is not JobStatus.WAITING:
            raise JobNotCancellable(job)
        with self._writing_client() as client:
            client.cancel_workflow(job_id)
        return self.find(job_id)

    def wait_idle(self, timeout_seconds: float = 30.0) -> bool:
        """Waits until no job waits or runs; ``False`` if ``timeout_seconds`` have passed first."""
        deadline = time.monotonic() + timeout_seconds
        while not self.is_idle():
            if time.monotonic() >= deadline:
                return False
            time.sleep(min(0.01, self._polling_seconds))
        return True

    def _client(self) -> DBOSClient:
        with self._client_guard:
            if self._client_made is None:
                from dbos import DBOSClient, DBOSPortableJSONSerializer

                _quieten()
                # What is enqueued goes over the caller's own connection; over this engine the
                # client only reads, and a reader does not queue for SQLite's single writer.
                self._client_made = DBOSClient(
                    system_database_engine=self._database.engine.execution_options(
                        daozhang_writes=False
                    ),
                    serializer=DBOSPortableJSONSerializer(),
                    application_name=APPLICATION_NAME,
                    lazy=True,
                )
            return self._client_made

    def _register_queue(self) -> None:
        """Before the launch, so that the very first look finds the queue; DBOS's own way, after
        it, costs each start a second of deafness."""
        with self._writing_client() as client:
            client.register_queue(
                QUEUE,
                worker_concurrency=RUNNING_MAX,
                partition_worker_concurrency=RUNNING_IN_LANE_MAX,
                partition_limiter={"limit": self._lane_starts_per_second, "period": 1.0},
                polling_interval_sec=self._polling_seconds,
            )

    @contextmanager
    def _writing_client(self) -> Generator[DBOSClient]:
        """One with connections of its own, on which it may write as it does by itself."""
        from dbos import DBOSClient, DBOSPortableJSONSerializer

        client = DBOSClient(
            system_database_url=_dbos_url(self._database),
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION_NAME,
        )
        try:
            yield client
        finally:
            client.destroy()

    def _launch(self) -> None:
        from dbos import DBOS, DBOSPortableJSONSerializer

        _quieten()
        self._name = name = own_name(self._database)
        if self._database.dialect == "postgresql":
            # Before anything is claimed under this name: nobody may take it for a dead one's.
            self._presence = Presence(self._database, name)
        # DBOS gets the address and opens connections of its own: its transactions do not nest
        # in ours. Our engine goes only to the client, which writes within our transaction.
        DBOS(
            config={
                "name": APPLICATION_NAME,
                "system_database_url": _dbos_url(self._database),
                "application_version": APPLICATION_VERSION,
                "executor_id": name,
                "serializer": DBOSPortableJSONSerializer(),
                "max_executor_threads": RUNNING_MAX + 8,
                # Nothing of ours waits for DBOS's messages; on SQLite a stop waits for its pause.
                "notification_listener_polling_interval_sec": self._polling_seconds,
                "log_level": "WARNING",
                "enable_otlp": False,
            }
        )
        for name, function in self._functions.items():
            DBOS.workflow(name=name)(self._counted(name, function))
        DBOS.launch()

    def _destroy(self) -> None:
        from dbos import DBOS

        with self._none_running:
            busy = self._running > 0
        try:
            DBOS.destroy(
                destroy_registry=True,
                workflow_completion_timeout_sec=STOPPING_SECONDS if busy else 0,
            )
            with self._none_running:
                self._none_running.wait_for(lambda: self._running == 0, timeout=STOPPING_SECONDS)
        finally:
            Jobs._at_work = None
            # Last: what was cut off may be taken over only once nothing of it runs here any more.
            if self._presence is not None:
                self._presence.leave()
                self._presence = None

    def _counted(self, name: str, function: JobFunction) -> JobFunction:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            with self._none_running:
                self._running += 1
            try:
                function(*args, **kwargs)
            except Exception:
                # The sweep over our own rows puts the next one on the queue.
                _log.exception("The job %s has failed.", name)
                raise
            finally:
                with self._none_running:
                    self._running -= 1
                    self._none_running.notify_all()

        return run

    def look_around(self) -> None:
        """Takes over what dead peers have begun; starts anew if this process was cut off."""
        if self._database.dialect != "postgresql":
            return
        if self._presence is None or not self._presence.is_held():
            _log.error("The database has ended this process's lock: its jobs stop and start anew.")
            self._start_anew()
            return
        begun = self._client().list_workflows(status="PENDING", load_input=False, load_output=False)
        names = {job.executor_id for job in begun if job.executor_id is not None}
        for name in names - {self._name}:
            if self._presence.if_dead(name, partial(_take_over, name)):
                _log.warning("The process %s is dead; its jobs run again.", name)

    def _start_anew(self) -> None:
        self._destroy()
        with Jobs._at_work_guard:
            Jobs._at_work = self
        self._launch()

    def forget_ended(self) -> None:
        """Deletes DBOS's records of jobs that ended long ago, a batch at a time."""
        from dbos import DBOS

        # DBOS stamps its rows by the system's clock, so this is no matter for ours.
        before = SystemClock().now() - timedelta(seconds=FORGET_SECONDS)
        ended = DBOS.list_workflows(
            status=_ENDED,
            completed_before=before.isoformat(),
            limit=_FORGET_ROWS,
            load_input=False,
            load_output=False,
        )
        if ended:
            DBOS.delete_workflows([workflow.workflow_id for workflow in ended])


class _Watcher:
    """The thread that looks around from time to time while jobs run."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs-watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        forget_at = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._jobs.look_around()
                if time.monotonic() >= forget_at:
                    forget_at = time.monotonic() + FORGET_EVERY_SECONDS
                    self._jobs.forget_ended()
            except Exception:  # noqa: BLE001 - logged, and tried again
                # The database may be away for a while; what is due is still due afterwards.
                _log.exception("Looking after the jobs has failed; it is tried again.")
            self._stopping.wait(WATCH_SECONDS)


def _job_of(found: WorkflowStatus) -> Job:
    return Job(
        id=found.workflow_id,
        name=found.name,
        status=next(ours for ours, theirs in _STATUSES.items() if found.status in theirs),
        lane=found.queue_partition_key,
        args={} if found.input is None else dict(found.input["kwargs"]),
        queued_at=_moment(found.created_at),
        begun_at=_moment(found.dequeued_at),
        ended_at=_moment(found.completed_at),
        process=found.executor_id,
        attempts=found.recovery_attempts or 0,
        error=None if found.error is None else f"{type(found.error).__name__}: {found.error}",
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _take_over(name: str) -> None:
    from dbos import DBOS

    DBOS._recover_pending_workflows([name])  # pyright: ignore[reportPrivateUsage]


def _dbos_url(database: Database) -> str:
    url = database.engine.url
    if database.dialect == "sqlite":
        return f"sqlite:///{url.database}"
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _quieten() -> None:
    """DBOS greets at length, and points to a service that we do not use."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
