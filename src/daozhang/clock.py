"""Clock: the only ``now()`` there is, and the day of business.

Inside, time is always an aware datetime in UTC. Alipay writes Beijing time without saying so;
`to_beijing_text` and `from_beijing_text` are the only two places where that is known.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Protocol

_AHEAD: Final = timedelta(hours=8)

BEIJING: Final = timezone(_AHEAD, "Asia/Shanghai")
"""Alipay's zone. China keeps no summer time, so a fixed offset is exact and needs no tz data."""


_BEIJING_TEXT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3}|\.[0-9]{6})?", re.ASCII
)


class Clock(Protocol):
    """Says when. Handed to whatever needs the time; nothing else reads the system's clock."""

    def now(self) -> datetime:
        """The present moment: aware, UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is pushed: for tests, and for whoever tests with us."""

    def __init__(self, start: datetime | None = None) -> None:
        """Starts at ``start`` (aware), or at the machine's present."""
        self._lock = threading.Lock()
        self._now = require_aware(start) if start is not None else datetime.now(UTC)

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> datetime:
        """Pushes the clock forward; raises `ValueError` if asked to go back."""
        if seconds < 0:
            raise ValueError("A clock only goes forward.")
        with self._lock:
            self._now += timedelta(seconds=seconds)
            return self._now

    def set(self, moment: datetime) -> datetime:
        """Puts the clock at ``moment`` (aware), never back; returns what it now shows."""
        moment = require_aware(moment)
        with self._lock:
            self._now = max(self._now, moment)
            return self._now


def require_aware(moment: datetime) -> datetime:
    """``moment`` in UTC. Raises `ValueError` if it does not say which zone it is in."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; times here are aware.")
    return moment.astimezone(UTC)


def to_beijing_text(moment: datetime) -> str:
    """``moment`` as Alipay writes it: ``yyyy-MM-dd HH:mm:ss`` in Beijing."""
    return require_aware(moment).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def from_beijing_text(text: str) -> datetime:
    """The moment (aware, UTC) that ``yyyy-MM-dd HH:mm:ss[.SSS]`` in Beijing names.

    Refund notices carry milliseconds, everything else seconds. Raises `ValueError` otherwise.
    """
    if _BEIJING_TEXT.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a time like 2026-03-01 12:30:00.")
    # On the path of every notification: strptime takes sixty times as long, and changing the zone
    # three times.
    return datetime.fromisoformat(f"{text}+00:00") - _AHEAD


def business_day(moment: datetime) -> date:
    """The day of business of ``moment``: Beijing's, as on Alipay's bills."""
    return require_aware(moment).astimezone(BEIJING).date()
