"""Forgery: every request that changes something proves that it comes from a page of ours.

The secret belongs to the session, or to a cookie of its own before there is one. A page carries it
masked with fresh random bytes, so that compressing pages tells nothing about it (BREACH).
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import ClassVar, Final

from starlette.requests import Request

from daozhang.service.refusals import Refusal

FIELD: Final = "csrf"
HEADER: Final = "x-csrf"
_FROM_OURSELVES: Final = frozenset({"same-origin", "none"})


class FormOutdated(Refusal):
    """The form was not made for this session: it is old, or not ours."""

    code: ClassVar[str] = "form_outdated"
    status: ClassVar[int] = 403
    title: ClassVar[str] = "This form is out of date"

    def __init__(self) -> None:
        super().__init__(
            "This form is out of date, and nothing was changed. Load the page again and repeat it.",
            "该表单已过期，未做任何更改。请刷新页面后重试。",
        )


def mask(secret: str) -> str:
    """``secret`` as a page carries it: different each time."""
    plain = secret.encode()
    pad = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(pad + _xor(plain, pad)).decode()


def require_ours(request: Request, secret: str, sent: str) -> None:
    """Raises `FormOutdated` unless ``sent`` is ``secret`` masked, and the browser names no stranger."""
    if request.headers.get("sec-fetch-site", "same-origin") not in _FROM_OURSELVES:
        raise FormOutdated
    try:
        masked = base64.urlsafe_b64decode(sent)
    except ValueError:
        raise FormOutdated from None
    half = len(masked) // 2
    if not hmac.compare_digest(_xor(masked[half:], masked[:half]), secret.encode()):
        raise FormOutdated


def _xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=False))
