"""Server-sent events: a stream that looks at the table, and never holds up the event loop.

FastAPI's own event streams are generators of a route with a keep-alive of their own; ours have to
end at a nudge, at a limit and at a disconnect, so the loop is written out here. The wire format
is FastAPI's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from daozhang.service.outbox.actions import EVENTS
from daozhang.service.signals import Signals

SHUTDOWN: Final = "shutdown"
"""The signal that ends every stream: a server that waits for its answers to end would wait long."""

POLL_SECONDS: Final = 0.5
"""How often a stream looks by itself: what another process booked is seen after this."""

WAKES_SECONDS_MIN: Final = 0.05
"""The least between two looks, however often a stream is nudged."""

HEARTBEAT_SECONDS: Final = 15.0
"""After this silence a comment is sent, so that no proxy on the way takes the stream for dead."""

STREAM_SECONDS_MAX: Final = 900.0
"""A stream ends after this and the client comes back: a revoked key or token reads no longer."""

RETRY_MILLISECONDS: Final = 2000
"""How long a client waits before it comes back."""

STREAM_IN_OPENAPI: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}}
}
"""What OpenAPI says of a route that streams."""

HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a stream. Without ``data`` it only tells the client where it stands."""

    event: str | None = None
    data: Mapping[str, Any] | None = None
    id: str | None = None
    retry: int | None = None

    def encode(self) -> bytes:
        """The frame as it goes over the wire."""
        text = None if self.data is None else json.dumps(self.data, ensure_ascii=False)
        return format_sse_event(event=self.event, data_str=text, id=self.id, retry=self.retry)


class Reader(Protocol):
    """Where a stream reads. Called in a thread, one call at a time; opens its own transaction."""

    def __call__(self) -> Sequence[Frame]:
        """What is new since the last call."""
        ...


class EventStream(StreamingResponse):
    """Sends the first frames, then whatever ``read`` finds, until one of the ends above."""

    media_type = "text/event-stream"

    def __init__(
        self,
        signals: Signals,
        first: Sequence[Frame],
        read: Reader,
    ) -> None:
        self._frames = _frames(signals, first, read)
        super().__init__(self._frames, headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the stream, and lets go of the signals whichever way it ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._frames.aclose()


async def _frames(signals: Signals, first: Sequence[Frame], read: Reader) -> AsyncGenerator[bytes]:
    nudged, ending = asyncio.Event(), asyncio.Event()
    with _listening(signals, {EVENTS: nudged, SHUTDOWN: ending}, nudged):
        for frame in first:
            yield frame.encode()
        started = sent = time.monotonic()
        while not ending.is_set() and time.monotonic() - started < STREAM_SECONDS_MAX:
            nudged.clear()
            for frame in await run_in_threadpool(read):
                yield frame.encode()
                sent = time.monotonic()
            if time.monotonic() - sent >= HEARTBEAT_SECONDS:
                yield b": still here\n\n"
                sent = time.monotonic()
            await asyncio.sleep(WAKES_SECONDS_MIN)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(nudged.wait(), POLL_SECONDS)


@contextlib.contextmanager
def _listening(
    signals: Signals, wanted: Mapping[str, asyncio.Event], nudged: asyncio.Event
) -> Generator[None]:
    """Sets the event of a signal, and ``nudged`` with it, whichever thread wakes the signal."""
    loop = asyncio.get_running_loop()

    def listener(event: asyncio.Event) -> Callable[[], None]:
        def wake() -> None:
            event.set()
            nudged.set()

        return lambda: _call_in(loop, wake)

    ends = [signals.listen(name, listener(event)) for name, event in wanted.items()]
    try:
        yield
    finally:
        for end in ends:
            end()


def _call_in(loop: asyncio.AbstractEventLoop, action: Callable[[], None]) -> None:
    # A loop that has just closed has no stream left to nudge.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(action)
