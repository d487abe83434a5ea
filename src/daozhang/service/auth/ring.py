"""The keys that came lately, in memory: who calls again and again is not looked up each time."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Final

from daozhang.clock import Clock
from daozhang.service.auth.actions import CHANGED_SIGNAL, authenticate
from daozhang.service.auth.model import ApiKey
from daozhang.service.db import Database
from daozhang.service.signals import Signals

FRESH_SECONDS: Final = 1
"""How long a key that was revoked may still let in, in any process."""

_FRESH: Final = timedelta(seconds=FRESH_SECONDS)

KEPT_MAX: Final = 1000
"""More keys than this are not remembered at a time."""


class KeyRing:
    """Looks keys up, and remembers those that are alive for `FRESH_SECONDS`. Thread-safe.

    Only what was found alive is kept, under the key itself: who guesses is looked up each time.
    """

    def __init__(self, database: Database, clock: Clock, signals: Signals) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[ApiKey, datetime]] = {}
        signals.listen(CHANGED_SIGNAL, self._forget)

    def remembered(self, secret: str) -> ApiKey | None:
        """The key, if it was found alive a moment ago. Asks nobody."""
        kept = self._kept.get(secret)
        if kept is None:
            return None
        key, found_at = kept
        is_fresh = timedelta(0) <= self._clock.now() - found_at <= _FRESH
        return key if is_fresh else None

    def find(self, secret: str) -> ApiKey:
        """The live key ``secret``, looked up now; raises `NotAuthenticated`."""
        found_at = self._clock.now()
        key = authenticate(self._database, secret, found_at)
        with self._lock:
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[secret] = (key, found_at)
        return key

    def _forget(self) -> None:
        with self._lock:
            self._kept.clear()
