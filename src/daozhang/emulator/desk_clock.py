"""The emulator's present: a clock underneath, and how far it was pushed on."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from daozhang.clock import Clock, ManualClock, require_aware


class DeskClock:
    """The emulator's present: a clock underneath, plus what it was pushed on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ahead = timedelta()

    @property
    def is_manual(self) -> bool:
        """Whether time stands still until it is pushed."""
        return isinstance(self._clock, ManualClock)

    def now(self) -> datetime:
        """The present moment: aware, UTC."""
        with self._lock:
            return self._clock.now() + self._ahead

    def push_to(self, moment: datetime) -> None:
        """Makes it at least ``moment``; a manual clock underneath is pushed itself."""
        with self._lock:
            if isinstance(self._clock, ManualClock):
                self._clock.set(moment)
            else:
                missing = require_aware(moment) - (self._clock.now() + self._ahead)
                self._ahead += max(missing, timedelta())
