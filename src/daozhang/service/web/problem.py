"""Problems: every "no" of the API as ``application/problem+json`` (RFC 9457).

``code`` is stable and listed in ``docs/reference/errors.md``; ``detail`` and ``detail_zh`` are for
people; ``instance`` names this very answer, and the log line of a crash carries the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from daozhang.money import Money, MoneyError
from daozhang.service.ids import new_id
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import context_of

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "urn:daozhang:problem:"

AMOUNT_MINOR_MAX: Final = 100_000_000_00
"""Alipay's largest amount of one payment, in fen (apis.md §0.3)."""

NOT_TEXT: Final = (
    'An amount must be text such as "88.88": a JSON number cannot hold money exactly. '
    '金额必须是字符串, 例如 "88.88".'
)

log = structlog.get_logger(__name__)


class AmountInvalid(Refusal):
    """The text is no amount of that currency."""

    code: ClassVar[str] = "amount_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not an amount"


class RequestInvalid(Refusal):
    """The request does not have the form that the route asks for."""

    code: ClassVar[str] = "request_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The request is not as it should be"


def _require_text(value: object) -> object:
    if isinstance(value, str):
        return value
    raise PydanticCustomError("amount_not_text", NOT_TEXT)


AmountText = Annotated[
    str,
    BeforeValidator(_require_text),
    Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,2})?$"),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$", "examples": ["88.88"]}
    ),
]
"""An amount in a request: text in the currency's major unit. JSON numbers are refused."""


def amount_of(text: str, currency: str) -> Money:
    """``text`` in ``currency``, from 0.01 to Alipay's 100,000,000.00; else `AmountInvalid`."""
    try:
        amount = Money.parse(text, currency)
    except MoneyError as error:
        raise AmountInvalid(str(error), "金额或币种不正确.") from None
    if not 0 < amount.minor <= AMOUNT_MINOR_MAX:
        raise AmountInvalid(
            f"{text} is out of range: Alipay takes 0.01 to 100000000.00 in one payment.",
            "金额超出范围: 单笔金额为 0.01 至 100000000.00.",
        )
    return amount


_STATUS_PROBLEMS: Final[dict[int, tuple[str, str, str, str]]] = {
    401: ("not_authenticated", "Not authenticated", "Send an API key.", "请提供 API 密钥."),
    403: ("forbidden", "Forbidden", "This is not allowed.", "不允许此操作."),
    404: ("not_found", "Not found", "There is nothing at this address.", "此地址不存在."),
    405: (
        "method_not_allowed",
        "Method not allowed",
        "This address does not take this method; the header Allow names those that it does.",
        "该地址不支持此方法, 可用的方法见响应头 Allow.",
    ),
    413: ("body_too_large", "Body too large", "The body is too large.", "请求内容过大."),
}
_OTHER: Final = (
    "request_refused",
    "Request refused",
    "The request cannot be served.",
    "无法处理此请求.",
)

PROBLEM_CODES: Final = frozenset(
    {code for code, *_ in _STATUS_PROBLEMS.values()} | {_OTHER[0], "internal_error", "json_invalid"}
)
"""The codes that no `Refusal` subclass carries; the rest are ``Refusal.code`` of its subclasses."""


class ProblemResponse(JSONResponse):
    """An answer that says no."""

    media_type = MEDIA_TYPE


def problem(
    connection: HTTPConnection,
    refusal: Refusal,
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """``refusal`` as an answer."""
    return _problem(
        connection,
        status=refusal.status,
        code=refusal.code,
        title=refusal.title,
        detail=refusal.detail,
        detail_zh=refusal.detail_zh,
        fields=refusal.fields,
        headers=headers,
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Makes ``app`` answer refusals, invalid requests, unknown addresses and bugs as problems."""
    app.add_exception_handler(Refusal, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_status)
    app.add_exception_handler(Exception, _answer_bug)


def _answer_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return problem(request, error, headers)


def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: Sequence[Any] = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return _problem(
            request,
            status=400,
            code="json_invalid",
            title="Not JSON",
            detail="The body is not JSON, or not in UTF-8.",
            detail_zh="请求内容不是 UTF-8 编码的 JSON.",
        )
    # The value itself stays out: it may be a secret that landed in the wrong field.
    errors = [{"field": _field(entry["loc"]), "problem": entry["msg"]} for entry in found]
    listed = "; ".join(f"{entry['field']}: {entry['problem']}" for entry in errors)
    refusal = RequestInvalid(listed, f"请求字段不正确: {listed}", errors=errors)
    return problem(request, refusal)


def _answer_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, title, detail, detail_zh = _STATUS_PROBLEMS.get(error.status_code, _OTHER)
    return _problem(
        request,
        status=error.status_code,
        code=code,
        title=title,
        detail=detail,
        detail_zh=detail_zh,
        headers=error.headers,
    )


def _answer_bug(request: Request, error: Exception) -> Response:
    return _problem(
        request,
        status=500,
        code="internal_error",
        title="A mistake of ours",
        detail="Something went wrong on our side. If money was to move, read the order or refund "
        "before asking again; the same number never moves it twice.",
        detail_zh="服务内部出错. 若涉及资金, 请先查询订单或退款, 再用同一编号重试.",
        log_as=error,
    )


def _problem(
    connection: HTTPConnection,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    detail_zh: str,
    fields: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    log_as: Exception | None = None,
) -> ProblemResponse:
    instance = f"urn:daozhang:{new_id('req', context_of(connection).clock.now())}"
    if log_as is not None:
        log.error("request_failed", instance=instance, exc_info=log_as)
    content = {
        **(fields or {}),
        "type": f"{TYPE_BASE}{code}",
        "code": code,
        "title": title,
        "status": status,
        "detail": detail,
        "detail_zh": detail_zh,
        "instance": instance,
    }
    return ProblemResponse(content, status, headers=dict(headers) if headers else None)


def _field(location: Sequence[int | str]) -> str:
    parts = [str(part) for part in location if part not in ("body", "query", "path")]
    return ".".join(parts) or "body"
