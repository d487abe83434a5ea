"""Bodies of API calls: at most so large, read once, their hash kept.

The notification route reads its own bytes; everything under ``/v1`` passes here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daozhang.service.refusals import Refusal
from daozhang.service.web.context import context_of
from daozhang.service.web.problem import problem

API_PREFIX: Final = "/v1/"
STREAMED: Final = frozenset({"/v1/bills/files"})
"""Whose routes read their own body, to the disk, and hold a limit of their own."""

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class BodyTooLarge(Refusal):
    """The body of an API call is larger than the operator allows."""

    code: ClassVar[str] = "body_too_large"
    status: ClassVar[int] = 413
    title: ClassVar[str] = "Body too large"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(
            f"A body may have {bytes_max} bytes at most.",
            f"请求内容最多 {bytes_max} 字节.",
            bytes_max=bytes_max,
        )


class BodyLimit:
    """ASGI middleware: reads the body of an API call, up to the limit, and keeps its SHA-256."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_api_call(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        bytes_max = context_of(request).settings.api_body_bytes_max
        body = await _read(receive, bytes_max)
        if body is None:
            await problem(request, BodyTooLarge(bytes_max))(scope, receive, send)
            return
        request.state.body_sha256 = hashlib.sha256(body).hexdigest()
        await self._app(scope, _replay(body, receive), send)


def body_sha256_of(request: Request) -> str:
    """The hash of the body of ``request``, as it came over the wire."""
    return str(request.state.body_sha256)


async def write_body(request: Request, path: Path, bytes_max: int) -> None:
    """Writes the body of a streamed call to ``path``; raises `BodyTooLarge`."""
    size = 0
    with path.open("wb") as out:
        async for piece in request.stream():
            size += len(piece)
            if size > bytes_max:
                raise BodyTooLarge(bytes_max)
            await run_in_threadpool(out.write, piece)


def _is_api_call(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["path"].startswith(API_PREFIX)
        and scope["path"] not in STREAMED
        and scope["method"] in _WITH_BODY
    )


async def _read(receive: Receive, bytes_max: int) -> bytes | None:
    """The whole body; None as soon as it has more than ``bytes_max`` bytes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > bytes_max:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
