"""Where webhooks arrive: a process that answers as the path says, and remembers when what came.

``/ok`` answers at once, ``/error`` with 500, ``/slow`` after 3 s, ``/hang`` never. ``GET /times``
tells, as JSON, when (monotonic seconds, the machine's) each order's event came to ``/ok`` first;
``GET /forget`` begins anew. Run as ``python -m benchmarks.sink PORT``.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import cast

SLOW_SECONDS = 3.0
_ORDER = re.compile(rb'"out_trade_no":"([^"]+)"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Sink(asyncio.Protocol):
    """One connection, kept open."""

    times: dict[str, float] = {}  # noqa: RUF012 - of all connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length is not None else 0)
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._take(head.split(b" ", 2)[1].decode(), body)

    def _take(self, path: str, body: bytes) -> None:
        if path == "/ok":
            order = _ORDER.search(body)
            if order is not None:
                self.times.setdefault(order[1].decode(), time.monotonic())
            self._answer(200)
        elif path == "/error":
            self._answer(500)
        elif path == "/slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._answer, 200)
        elif path == "/times":
            self._answer(200, json.dumps(self.times).encode())
        elif path == "/forget":
            self.times.clear()
            self._answer(200)

    def _answer(self, status: int, body: bytes = b"") -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve(port: int) -> None:
    """Listens until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
