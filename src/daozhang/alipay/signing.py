"""The texts that are signed: one rule for requests, two for notifications (protocol.md §2.2, §6.3).

All of them: drop what is empty, sort by name, join ``name=value`` with ``&``, values raw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

V1: Final = frozenset({"sign", "sign_type"})
"""What is left out of trade notifications, returns and messages with ``msg_method``."""

V2: Final = frozenset({"sign"})
"""What is left out of requests and of service-window messages: ``sign_type`` is signed."""

V1_BYTES: Final = frozenset({b"sign", b"sign_type"})
V2_BYTES: Final = frozenset({b"sign"})


def request_text(params: Mapping[str, str]) -> str:
    """What the sign of a request covers; ``sign_type`` is in, empty values are not."""
    return signed_text(params, V2)


def signed_text(params: Mapping[str, str], left_out: Collection[str]) -> str:
    """The text that is signed over ``params`` without ``left_out``."""
    pairs = (f"{k}={v}" for k, v in sorted(params.items()) if v and k and k not in left_out)
    return "&".join(pairs)


def signed_bytes(fields: Mapping[bytes, bytes], left_out: Collection[bytes]) -> bytes:
    """The same over bytes as they came: no charset can spoil it."""
    pairs = [k + b"=" + v for k, v in sorted(fields.items()) if v and k and k not in left_out]
    return b"&".join(pairs)
