"""The door at which Alipay's notifications come in: raw bytes, verified, recorded, answered.

No framework parses the form, so no framework can spoil it. The answer is ``success`` only after
the commit. (The buyer's return is a page: `daozhang.service.inbox.returning`.)
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from daozhang.alipay.errors import Untrusted
from daozhang.alipay.notify import Notification, verify
from daozhang.service.inbox.actions import keep_refused
from daozhang.service.inbox.model import Arrival
from daozhang.service.inbox.probe import is_probe
from daozhang.service.inbox.recorder import InboxFull, Recorder
from daozhang.service.inbox.rules import (
    fact_of,
    identity_of,
    is_about_trade,
    kind_of,
    needs_confirmation,
    number_of,
)
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.model import Merchant
from daozhang.service.meter import NOTIFY_ANSWERS, RECORD_SECONDS
from daozhang.service.web.context import Context

NOTIFY_PATH: Final = "/alipay/notify/"
"""Before the merchant's slug."""

SUCCESS: Final = Response(b"success", media_type="text/plain")
"""Exactly what Alipay wants to hear; anything else makes it send again (protocol.md §6.7)."""

PROBED: Final = Response(b"success", media_type="text/plain")
"""The same, to `daozhang doctor`: nothing was recorded, and nothing is counted."""

ANSWERS: Final[Mapping[int, str]] = {200: "success", 500: "error", 503: "busy"}
"""What an answer is called where answers are counted; all others are refusals."""

SIGN_MARK: Final = b"sign="

LENGTH_DIGITS_MAX: Final = 18
"""A body whose length takes more digits is too large, whatever they are."""

log = structlog.get_logger(__name__)


class NotifyDoor:
    """The outermost ASGI application: takes Alipay's calls, and hands on everything else.

    A notification passes no framework on its way in: routing and middleware cost three times
    what verifying costs, and none of it is for Alipay.
    """

    def __init__(
        self, app: ASGIApp, context: Context, clients: Clients, recorder: Recorder
    ) -> None:
        """``app`` gets what is not a notification, its own lifespan included."""
        self._app = app
        self._context = context
        self._clients = clients
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http" or not scope["path"].startswith(NOTIFY_PATH):
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        try:
            answer = await self._answer(scope, receive)
        except Exception:
            log.exception("notification_not_recorded", path=scope["path"])
            answer = _again("it could not be recorded, send it again", 500)
        if answer is not PROBED:
            self._context.meter.count(NOTIFY_ANSWERS, ANSWERS.get(answer.status_code, "refused"))
        if answer is SUCCESS:
            self._context.meter.observe(RECORD_SECONDS, time.monotonic() - started)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        """Verifies, records, commits, and only then says ``success``."""
        if scope["method"] != "POST":
            return _again("notifications are posted", 405)
        merchant = self._clients.merchant_by_slug(scope["path"].removeprefix(NOTIFY_PATH))
        if merchant is None:
            return _again("no merchant has this address", 404)
        headers = dict(scope["headers"])
        body = await _read(receive, headers, self._context.settings.notify_body_bytes_max)
        if body is None:
            return _again("the body is too large", 413)
        if SIGN_MARK not in body:
            why_not = is_probe(self._context.sealer, merchant, body, self._context.clock.now())
            return PROBED if why_not is None else _again(why_not, 400)
        return await self._take(merchant, body, headers.get(b"content-type", b"").decode("latin-1"))

    async def _take(self, merchant: Merchant, body: bytes, content_type: str) -> Response:
        keys = self._clients.verifying_keys_for(merchant)
        try:
            # Inline: handing 30 microseconds of RSA to a thread costs more than the RSA.
            notification = verify(body, keys, content_type=content_type)
        except Untrusted as refused:
            await run_in_threadpool(keep_refused, self._context, merchant, body, refused)
            return _again(f"not believed: {refused.reason.value}", 400)
        try:
            await self._recorder.record(_arrival(self._context, merchant, notification, body))
        except InboxFull:
            log.warning("inbox_full", merchant=merchant.slug)
            return _again("busy, send it again", 503)
        return SUCCESS


async def _read(receive: Receive, headers: Mapping[bytes, bytes], bytes_max: int) -> bytes | None:
    """The raw body, or ``None`` as soon as it is larger than ``bytes_max``."""
    declared = headers.get(b"content-length", b"0")
    # Bounded: int() raises for thousands of digits.
    if not declared.isdigit() or len(declared) > LENGTH_DIGITS_MAX or int(declared) > bytes_max:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""  # whoever sent it has hung up
        body += message.get("body", b"")
        if len(body) > bytes_max:
            return None
        if not message.get("more_body", False):
            return body


def _arrival(
    context: Context, merchant: Merchant, notification: Notification, body: bytes
) -> Arrival:
    now = context.clock.now()
    fact = fact_of(notification, merchant, now)
    return Arrival(
        merchant=merchant,
        notify_id=identity_of(notification),
        content_hash=notification.content_hash,
        out_trade_no=number_of(notification),
        kind=kind_of(notification),
        body=body,
        fact=fact,
        is_about_trade=is_about_trade(notification),
        needs_confirmation=fact is not None and needs_confirmation(notification),
        received_at=now,
    )


def _again(why: str, status: int) -> Response:
    """Anything but ``success``: Alipay sends it again, and a person can read why not."""
    return PlainTextResponse(f"fail: {why}", status_code=status)
