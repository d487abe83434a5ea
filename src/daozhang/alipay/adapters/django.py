"""Django. The view needs ``@csrf_exempt``: Alipay has no token of yours."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig  # pyright: ignore[reportMissingTypeStubs]
from django.http import HttpRequest, HttpResponse  # pyright: ignore[reportMissingTypeStubs]

from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notify import SUCCESS, AnyNotification, verify


def read_notification(
    request: HttpRequest, keys: VerifyingKeys | PublicKey, *, encrypt_key: str | None = None
) -> AnyNotification:
    """The notification that ``request`` brings. Raises `Untrusted`: answer anything but success.

    Call it before anything touches ``request.POST``, which fails on a GBK Content-Type.
    """
    untyped: Any = request  # Django has no types of its own
    try:
        body: bytes = untyped.body
    except RequestDataTooBig as problem:
        raise Untrusted(UntrustedReason.TOO_LARGE, str(problem)) from None
    content_type: str | None = untyped.META.get("CONTENT_TYPE")
    return verify(body, keys, content_type=content_type, encrypt_key=encrypt_key)


def success() -> HttpResponse:
    """The answer that tells Alipay it has been heard: seven bytes."""
    return HttpResponse(SUCCESS, content_type="text/plain")
