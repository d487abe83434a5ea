"""What a store and a terminal may be called, and when a difference is one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

NOTE_CHARACTERS_MAX: Final = 256

_PLACE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
"""What Alipay takes for store_id and terminal_id (apis.md §8), and nothing that needs escaping."""


def is_place(text: str) -> bool:
    """Whether Alipay takes ``text`` as a store or a terminal."""
    return _PLACE.fullmatch(text) is not None


def differences(booked: Mapping[str, int], noted: Mapping[str, int]) -> dict[str, int]:
    """Noted less booked, in minor units, of each line that was noted and differs."""
    return {
        name: noted[name] - booked.get(name, 0)
        for name in noted
        if noted[name] != booked.get(name, 0)
    }
