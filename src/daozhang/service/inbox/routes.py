"""Where Alipay calls us: the notification (POST) and the buyer's return (GET).

The notification route is a plain Starlette route over raw bytes: no framework parses the form,
so no framework can spoil it. It answers ``success`` only after the commit.
"""

from __future__ import annotations

import re
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from daozhang.alipay.errors import Untrusted
from daozhang.alipay.notify import Notification, verify
from daozhang.service.inbox.actions import keep_refused
from daozhang.service.inbox.model import Arrival
from daozhang.service.inbox.recorder import InboxFull, Recorder
from daozhang.service.inbox.rules import (
    fact_of,
    identity_of,
    is_about_trade,
    needs_confirmation,
    number_of,
)
from daozhang.service.merchants.clients import clients_of
from daozhang.service.merchants.model import Merchant
from daozhang.service.web.context import Context, context_of

SUCCESS: Final = b"success"
"""Exactly what Alipay wants to hear; anything else makes it send again (protocol.md §6.7)."""

SIGN_MARK: Final = b"sign="

log = structlog.get_logger(__name__)


async def receive_notification(request: Request) -> Response:
    """Verifies, records, commits, and only then says ``success``."""
    context = context_of(request)
    merchant = clients_of(request).merchant_by_slug(request.path_params["merchant"])
    if merchant is None:
        return _again("no merchant has this address", 404)
    body = await _read(request, context.settings.notify_body_bytes_max)
    if body is None:
        return _again("the body is too large", 413)
    if SIGN_MARK not in body:
        return _again("there is no sign in the body", 400)
    keys = clients_of(request).verifying_keys_for(merchant)
    try:
        # Inline: handing 30 microseconds of RSA to a thread costs more than the RSA.
        notification = verify(body, keys, content_type=request.headers.get("content-type"))
    except Untrusted as refused:
        await run_in_threadpool(keep_refused, context, merchant, body, refused)
        return _again(f"not believed: {refused.reason.value}", 400)
    recorder: Recorder = request.app.state.recorder
    try:
        await recorder.record(_arrival(context, merchant, notification, body))
    except InboxFull:
        log.warning("inbox_full", merchant=merchant.slug)
        return _again("busy, send it again", 503)
    return Response(SUCCESS, media_type="text/plain")


async def _read(request: Request, bytes_max: int) -> bytes | None:
    """The raw body, or ``None`` as soon as it is larger than ``bytes_max``."""
    declared = request.headers.get("content-length", "0")
    # Not isdigit(): "²" is a digit too, and int() raises for it and for thousands of digits.
    if not re.fullmatch(r"[0-9]{1,18}", declared) or int(declared) > bytes_max:
        return None
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > bytes_max:
                return None
            chunks.append(chunk)
    except ClientDisconnect:
        return b""
    return b"".join(chunks)


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
        kind=notification.kind,
        body=body,
        fact=fact,
        is_about_trade=is_about_trade(notification),
        needs_confirmation=fact is not None and needs_confirmation(notification),
        received_at=now,
    )


def _again(why: str, status: int) -> Response:
    """Anything but ``success``: Alipay sends it again, and a person can read why not."""
    return PlainTextResponse(f"fail: {why}", status_code=status)


routes = [
    Route("/alipay/notify/{merchant}", receive_notification, methods=["POST"]),
]
