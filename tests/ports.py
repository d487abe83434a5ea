"""Ports for the servers of tests: below those that the kernel gives to whoever connects to somewhere."""

from __future__ import annotations

import itertools
import os
import socket
from typing import Final

_FIRST, _COUNT = 12_000, 18_000
"""Below 32768, where Linux begins to give them to connections that go out."""

_next: Final = itertools.count(os.getpid() * 7919 % _COUNT)
"""Each process begins elsewhere, so that two of them seldom look at the same."""


def free_port() -> int:
    """A port that was free a moment ago, and that this process has not been given before."""
    for turn in itertools.islice(_next, _COUNT):
        port = _FIRST + turn % _COUNT
        with socket.socket() as probe:
            # As a server binds it: what a closed connection still holds is free to that.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no port is free")
