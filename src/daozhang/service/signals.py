"""Signals: a nudge inside one process, so that nobody waits for a poll.

A signal carries no data and may be lost: whoever is nudged looks at the database, and looks there
from time to time anyway. That is why other processes need no signal to be correct, only patience.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable


class Signals:
    """Named nudges. Listeners are called in the thread that wakes them and must return at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latched: set[str] = set()
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)

    def listen(self, name: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls ``listener`` at each `wake` of ``name``; returns a function that ends it.

        If ``name`` is latched it is called at once: who comes late must know as well.
        """
        with self._lock:
            self._listeners[name].append(listener)
            is_latched = name in self._latched
        if is_latched:
            listener()

        def end() -> None:
            with self._lock:
                if listener in self._listeners[name]:
                    self._listeners[name].remove(listener)

        return end

    def wake(self, name: str) -> None:
        """Nudges everybody who listens for ``name``."""
        with self._lock:
            listeners = tuple(self._listeners[name])
        for listener in listeners:
            listener()

    def latch(self, name: str) -> None:
        """Nudges everybody who listens for ``name``, now or ever after."""
        with self._lock:
            self._latched.add(name)
        self.wake(name)

    def is_latched(self, name: str) -> bool:
        """Whether ``name`` has been latched."""
        with self._lock:
            return name in self._latched
