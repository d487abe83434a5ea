"""Whether a request comes from this very machine, straight and not through a proxy."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from fastapi import Request

SIGNS_OF_A_PROXY: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy adds: behind one on the same machine everybody seems to be that machine."""


def is_near(request: Request) -> bool:
    """Whether whoever asks is on this machine. What a header says of its sender is never believed;
    that there is one is enough to be taken for far away."""
    if request.client is None or any(name in request.headers for name in SIGNS_OF_A_PROXY):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
