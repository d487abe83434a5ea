"""Flask."""

from __future__ import annotations

from flask import Request, Response
from werkzeug.exceptions import RequestEntityTooLarge

from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.form import BODY_BYTES_MAX
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notify import SUCCESS, AnyNotification, verify


def read_notification(
    request: Request, keys: VerifyingKeys | PublicKey, *, encrypt_key: str | None = None
) -> AnyNotification:
    """The notification that ``request`` brings. Raises `Untrusted`: answer anything but success.

    Call it before anything touches ``request.form``, after which the raw body is gone.
    """
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise Untrusted(UntrustedReason.TOO_LARGE, f"More than {BODY_BYTES_MAX} bytes.")
    try:
        body = request.get_data(cache=True, parse_form_data=False)
    except RequestEntityTooLarge as problem:
        raise Untrusted(UntrustedReason.TOO_LARGE, str(problem)) from None
    content_type = request.headers.get("Content-Type")
    return verify(body, keys, content_type=content_type, encrypt_key=encrypt_key)


def success() -> Response:
    """The answer that tells Alipay it has been heard: seven bytes."""
    return Response(SUCCESS, mimetype="text/plain")
