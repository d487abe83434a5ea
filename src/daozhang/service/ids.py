"""Identifiers that we give out: sortable by time of creation, and random where nobody may guess."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: in alphabetical order, and without letters that look like digits."""

_RANDOM_BITS: Final = 80
_CHARACTERS: Final = 26


def new_id(prefix: str, now: datetime) -> str:
    """``prefix_`` and 26 characters: the millisecond of ``now``, then 80 random bits.

    Sorts by time as text. It is no secret: what must not be guessed is a `random_token`.
    """
    number = (int(now.timestamp() * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    characters = [_ALPHABET[(number >> (5 * place)) & 31] for place in range(_CHARACTERS)]
    return f"{prefix}_{''.join(reversed(characters))}"


def random_token() -> str:
    """256 bits that nobody can guess, URL safe, 43 characters."""
    return secrets.token_urlsafe(32)
