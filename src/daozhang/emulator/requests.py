"""What both gateways do with a request before they look at its business terms."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from starlette.requests import Request

from daozhang.emulator.wire import Unreadable

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
STALE_AFTER: Final = timedelta(minutes=10)
REFUSED_AFTER: Final = timedelta(hours=24)
METHOD_NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,127}", re.ASCII)


async def read_body(request: Request) -> bytes:
    """The raw body. Raises `Unreadable` for one that is larger than `BODY_BYTES_MAX`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Unreadable(f"a body of more than {BODY_BYTES_MAX} bytes")
    return bytes(body)
