"""Starlette and FastAPI."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.form import BODY_BYTES_MAX
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notify import SUCCESS, AnyNotification, verify


async def read_notification(
    request: Request, keys: VerifyingKeys | PublicKey, *, encrypt_key: str | None = None
) -> AnyNotification:
    """The notification that ``request`` brings. Raises `Untrusted`: answer anything but success.

    Declare no form or body parameter in FastAPI: it would read the body first. A body that is too
    large is not read to its end.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Untrusted(UntrustedReason.TOO_LARGE, f"More than {BODY_BYTES_MAX} bytes.")
    content_type = request.headers.get("content-type")
    return verify(bytes(body), keys, content_type=content_type, encrypt_key=encrypt_key)


def success() -> Response:
    """The answer that tells Alipay it has been heard: seven bytes."""
    return Response(SUCCESS, media_type="text/plain")
