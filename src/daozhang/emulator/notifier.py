"""The notifier: sends notifications until they are answered ``success``, on the emulator's clock.

It has one thread with an event loop of its own, so that it works the same under any server and
from any test. What is due is sent at once and in parallel, at most `PARALLEL_MAX` at a time; an
attempt that was not answered as Alipay expects is due again after the next interval of the ladder.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar

import httpx2

from daozhang.emulator.notices import CONTENT_TYPES, Occasion

LADDER_SECONDS: Final = (240, 600, 600, 3600, 7200, 21600, 54000)
"""The gaps between attempts: 4m, 10m, 10m, 1h, 2h, 6h, 15h; eight attempts in all."""

TIMEOUT_SECONDS: Final = 10.0
PARALLEL_MAX: Final = 32
ANSWER_BYTES_MAX: Final = 4096
EXPECTED_ANSWER: Final = b"success"
_POLL_SECONDS: Final = 0.05
_Result = TypeVar("_Result")


class Delivery(StrEnum):
    """Where a notification stands."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    GIVEN_UP = "given_up"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending, with what came back."""

    number: int
    at: datetime
    content_type: str
    body: bytes
    status: int | None
    answer: bytes
    error: str
    acknowledged: bool


@dataclass(slots=True)
class Notification:
    """One event of a trade on its way to the merchant; the same id in every attempt."""

    notify_id: str
    app_id: str
    out_trade_no: str
    occasion: Occasion
    url: str
    fields: dict[str, str]
    content_type_form: str
    created_at: datetime
    due_at: datetime | None
    copies: int = 1
    delivery: Delivery = Delivery.PENDING
    rounds: int = 0
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    @property
    def content_type(self) -> str:
        """The Content-Type header of its attempts."""
        return CONTENT_TYPES[self.content_type_form].format(charset=self.fields["charset"].upper())


class Agenda(Protocol):
    """What the notifier needs to know of the desk; every method is safe for threads."""

    def now(self) -> datetime:
        """The emulator's present."""
        ...

    def push_clock_to(self, moment: datetime) -> None:
        """Moves the emulator's present on to ``moment``."""
        ...

    def next_due(self) -> datetime | None:
        """When the next thing is to happen, if anything is."""
        ...

    def take_due(self) -> list[Notification]:
        """Lets happen what is due, and hands out the notifications to send now."""
        ...

    def body_of(self, notification: Notification) -> bytes:
        """The body of the attempt that is about to be made."""
        ...

    def record(self, notification: Notification, attempts: list[Attempt]) -> None:
        """Keeps the outcome of one round and says when the next one is due."""
        ...


class Notifier:
    """The sender. `start` and `stop` may be called more than once, from any thread."""

    def __init__(self, agenda: Agenda, *, transport: httpx2.AsyncBaseTransport | None) -> None:
        """``transport`` replaces the network, for tests that want none."""
        self._agenda = agenda
        self._transport = transport
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event
        self._wake: asyncio.Event
        self._advancing: asyncio.Lock
        self._slots: asyncio.Semaphore
        self._client: httpx2.AsyncClient
        self._sending: set[asyncio.Task[None]]

    def start(self) -> None:
        """Starts the thread, unless it runs."""
        with self._guard:
            if self._thread is not None:
                return
            ready: Future[None] = Future()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._live(ready)),
                name="emulator-notifier",
                daemon=True,
            )
            self._thread.start()
            ready.result()

    def stop(self) -> None:
        """Ends the thread; an attempt under way is given up without being counted."""
        with self._guard:
            if self._thread is None or self._loop is None:
                return
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = self._loop = None

    def wake(self) -> None:
        """Tells that something may have become due."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._wake.set)

    def settle(self) -> Future[None]:
        """Done when every attempt that is due, or under way, has ended."""
        return self._submit(self._settle)

    def advance(self, seconds: float) -> Future[None]:
        """Moves the clock by ``seconds``, stopping at everything due on the way; done when every
        attempt that became due has ended."""
        return self._submit(lambda: self._advance(seconds))

    def _submit(self, work: Callable[[], Coroutine[Any, Any, _Result]]) -> Future[_Result]:
        self.start()
        loop = self._loop
        if loop is None:
            raise RuntimeError("the emulator was stopped while it was being used")
        return asyncio.run_coroutine_threadsafe(work(), loop)

    async def _live(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._wake = asyncio.Event(), asyncio.Event()
        self._advancing = asyncio.Lock()
        self._slots = asyncio.Semaphore(PARALLEL_MAX)
        self._sending = set()
        self._client = httpx2.AsyncClient(
            transport=self._transport,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            trust_env=False,
            limits=httpx2.Limits(max_connections=PARALLEL_MAX, max_keepalive_connections=0),
        )
        async with self._client:
            ready.set_result(None)
            scheduler = asyncio.create_task(self._send_for_ever())
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({scheduler, stopping}, return_when=asyncio.FIRST_COMPLETED)
            left = {task for task in (scheduler, stopping, *self._sending) if not task.done()}
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)
            if not scheduler.cancelled():
                scheduler.result()

    async def _send_for_ever(self) -> None:
        while True:
            self._begin_due()
            self._wake.clear()
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _begin_due(self) -> None:
        for notification in self._agenda.take_due():
            task = asyncio.create_task(self._send_round(notification))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _settle(self) -> None:
        self._begin_due()
        while self._sending:
            await asyncio.wait(self._sending)
            self._begin_due()

    async def _advance(self, seconds: float) -> None:
        async with self._advancing:
            await self._settle()
            target = self._agenda.now() + timedelta(seconds=seconds)
            while (due := self._agenda.next_due()) is not None and due <= target:
                self._agenda.push_clock_to(due)
                await self._settle()
            self._agenda.push_clock_to(target)
            await self._settle()

    async def _send_round(self, notification: Notification) -> None:
        async with self._slots:
            attempts = await asyncio.gather(
                *(self._send(notification, copy) for copy in range(notification.copies))
            )
            self._agenda.record(notification, attempts)

    async def _send(self, notification: Notification, copy: int) -> Attempt:
        at = self._agenda.now()
        body = self._agenda.body_of(notification)
        status, answer, error = None, b"", ""
        try:
            status, answer = await self._post(notification.url, notification.content_type, body)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as problem:
            error = f"{type(problem).__name__}: {problem}".rstrip(": ")
        return Attempt(
            number=len(notification.attempts) + copy + 1,
            at=at,
            content_type=notification.content_type,
            body=body,
            status=status,
            answer=answer,
            error=error,
            acknowledged=status == 200 and answer == EXPECTED_ANSWER,
        )

    async def _post(self, url: str, content_type: str, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": content_type, "User-Agent": "Mozilla/4.0", "Connection": "close"}
        answer = b""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            async with self._client.stream("POST", url, content=body, headers=headers) as response:
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > ANSWER_BYTES_MAX:
                        break
                return response.status_code, answer[:ANSWER_BYTES_MAX]


def next_attempt_at(rounds: int, began_at: datetime) -> datetime | None:
    """When round ``rounds`` + 1 is due after one that began at ``began_at``; None after eight."""
    if rounds > len(LADDER_SECONDS):
        return None
    return began_at + timedelta(seconds=LADDER_SECONDS[rounds - 1])
