"""Identifiers that we give out: sortable by time of creation, and random where nobody may guess."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from typing import Final

from daozhang.clock import BEIJING

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: in alphabetical order, and without letters that look like digits."""

_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Ten bits each."""

_LETTERS: Final = 10
"""Random letters of a number that people read out, five bits each."""

_RANDOM_BYTES: Final = 10
_SHIFTS: Final = tuple(range(120, -1, -10))
"""Where the 13 pairs of an identifier's 130 bits are; the first two bits are always zero."""


def new_id(prefix: str, now: datetime) -> str:
    """``prefix_`` and 26 characters: the millisecond of ``now``, then 80 random bits.

    Sorts by time as text. It is no secret: what must not be guessed is a `random_token`.
    """
    milliseconds = int(now.timestamp() * 1000)
    number = (milliseconds << (8 * _RANDOM_BYTES)) | int.from_bytes(os.urandom(_RANDOM_BYTES))
    return f"{prefix}_{''.join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])}"


def dated_number(prefix: str, now: datetime) -> str:
    """A number for an order that people make: ``prefix``, the day in Beijing, and 50 random bits."""
    letters = (_ALPHABET[byte & 31] for byte in os.urandom(_LETTERS))
    return f"{prefix}{now.astimezone(BEIJING):%Y%m%d}{''.join(letters).upper()}"


def random_token() -> str:
    """256 bits that nobody can guess, URL safe, 43 characters."""
    return secrets.token_urlsafe(32)
