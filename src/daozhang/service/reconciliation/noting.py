"""What a run has found to differ, until it is written down: on disk, since of a bad day it is much."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

import msgspec

MEMORY_BYTES_MAX: Final = 1 << 18
"""So much is held in memory before it goes to disk: an ordinary day's."""


class Notes:
    """Rows, each under its name and key once, given back in their order. Holds what JSON can say."""

    def __init__(self) -> None:
        """Empty; the file is made with the first row."""
        self._keys: set[tuple[str, str]] = set()
        self._file: IO[bytes] | None = None

    def __contains__(self, named: tuple[str, str]) -> bool:
        """Whether there is a row of that name and key."""
        return named in self._keys

    def add(self, name: str, key: str, row: Mapping[str, Any]) -> None:
        """Adds a row."""
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES_MAX)  # noqa: SIM115 - `take` closes it
        self._keys.add((name, key))
        self._file.write(msgspec.json.encode(row) + b"\n")

    def take(self, rows_at_once: int) -> Iterator[list[dict[str, Any]]]:
        """All rows, so many at a time; afterwards there are none."""
        file, self._file = self._file, None
        self._keys.clear()
        if file is None:
            return
        with file:
            file.seek(0)
            part: list[dict[str, Any]] = []
            for line in file:
                part.append(msgspec.json.decode(line))
                if len(part) == rows_at_once:
                    yield part
                    part = []
            if part:
                yield part
