"""The worker: calls every duty when it is due, and lets a manual clock push them all.

Each duty has a thread that sleeps until its next due time or until it is nudged. A nudge is this
process's own; what another one has committed is found by looking, each second where somebody waits
for it. With a manual clock the same duties are run, in order of time, by `Worker.advance`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Final

import structlog

from daozhang.clock import Clock, ManualClock
from daozhang.service.duty import Duty
from daozhang.service.signals import Signals

POLL_SECONDS_MAX: Final = 5.0
"""How long a duty sleeps at most, and runs then whatever it knows to be due."""

LOOK_SECONDS: Final = 0.5
"""How often a duty that somebody waits for asks what is due: one read of an index, so that what
another process has committed is taken up within a second."""

POLL_SECONDS_MIN: Final = 0.05
"""The least a duty rests when it found nothing that it could claim."""

FAILURE_PAUSE_SECONDS: Final = 5.0
"""How long a duty rests after it raised, so that a broken database is not hammered."""

ROUNDS_MAX: Final = 100_000
"""More rounds than this at one moment are a duty that makes work for itself: a bug of ours."""

log = structlog.get_logger(__name__)


class Worker:
    """Runs duties: in threads by the clock, and on demand when a manual clock is pushed."""

    def __init__(
        self,
        clock: Clock,
        signals: Signals,
        duties: Sequence[Duty],
        *,
        wait_idle: Callable[[], None] = lambda: None,
        together: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """``wait_idle`` returns once the durable workflows in flight have ended; ``together`` lets
        the duties share a transaction while they are asked what is due."""
        self._clock = clock
        self._duties = [_Runner(duty, clock, signals) for duty in duties]
        self._wait_idle = wait_idle
        self._together = together
        self._advancing = threading.Lock()

    def start(self) -> None:
        """Starts a thread for each duty."""
        for runner in self._duties:
            runner.start()

    def stop(self) -> None:
        """Lets what runs finish its batch, and claims nothing new."""
        for runner in self._duties:
            runner.stop()
        for runner in self._duties:
            runner.join()

    def settle(self) -> None:
        """Runs every duty until nothing is due at this moment, and no workflow is in flight."""
        for _ in range(ROUNDS_MAX):
            before = self._found()
            self._wait_idle()
            now = self._clock.now()
            for runner, due in self._dues():
                if runner.knows_no_time or (due is not None and due <= now):
                    runner.run_due()
                else:
                    runner.wait()
            # The duties' own threads run too. What one of them found meanwhile may be in flight
            # now, so a round is the last only if nobody found anything in it.
            if self._found() == before:
                return
        raise RuntimeError(f"duties still find work after {ROUNDS_MAX} rounds at one moment")

    def advance(self, clock: ManualClock, seconds: float) -> datetime:
        """Pushes ``clock`` by ``seconds``, stopping at each moment at which something is due.

        Returns when all that became due has run: that is how a month passes in a test.
        """
        with self._advancing:
            target = clock.now() + timedelta(seconds=seconds)
            self.settle()
            while (due := self.next_due()) is not None and due <= target:
                clock.set(due)
                self.settle()
            clock.set(target)
            self.settle()
            return clock.now()

    def next_due(self) -> datetime | None:
        """The earliest moment at which any duty will have something to do."""
        return min((due for _, due in self._dues() if due is not None), default=None)

    def duties(self) -> list[tuple[str, datetime | None]]:
        """Each duty, with when it will have something to do; ``None`` if nothing waits."""
        return [(runner.name, due) for runner, due in self._dues()]

    def _dues(self) -> list[tuple[_Runner, datetime | None]]:
        with self._together():
            return [(runner, runner.next_due()) for runner in self._duties]

    def _found(self) -> int:
        """How much all duties have found to do until now, in whatever thread."""
        return sum(runner.found for runner in self._duties)


class _Runner:
    """One duty, its thread, and the lock that lets a push wait for the batch under way."""

    def __init__(self, duty: Duty, clock: Clock, signals: Signals) -> None:
        self._duty = duty
        self.name = duty.name
        self.knows_no_time = duty.knows_no_time
        self._clock = clock
        self._busy = threading.Lock()
        self._nudged = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.found = 0
        signals.listen(duty.name, self._nudged.set)

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self._loop, name=f"duty-{self._duty.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._nudged.set()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def run_due(self) -> int:
        with self._busy:
            found = self._duty.run_due()
            self.found += found
            return found

    def wait(self) -> None:
        """Returns once the batch under way has ended, if there is one."""
        with self._busy:
            pass

    def next_due(self) -> datetime | None:
        return self._duty.next_due()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                found = self.run_due()
                if self._duty.rest_seconds:
                    self._stopping.wait(self._duty.rest_seconds)
                if found:
                    continue
                self._rest()
            except Exception:
                log.exception("duty_failed", duty=self._duty.name)
                self._nudged.wait(FAILURE_PAUSE_SECONDS)

    def _rest(self) -> None:
        """Returns when something may be due: nudged, by the clock, or after `POLL_SECONDS_MAX`."""
        look = LOOK_SECONDS if self._duty.is_awaited else POLL_SECONDS_MAX
        run_at = time.monotonic() + POLL_SECONDS_MAX
        seconds = max(self._seconds_until_due(), POLL_SECONDS_MIN)
        while not self._nudged.wait(min(seconds, look)):
            if seconds <= look:
                return
            left = run_at - time.monotonic()
            seconds = min(self._seconds_until_due(), left)
            if seconds <= 0:
                return

    def _seconds_until_due(self) -> float:
        due = self._duty.next_due()
        if due is None:
            return POLL_SECONDS_MAX
        return min((due - self._clock.now()).total_seconds(), POLL_SECONDS_MAX)
