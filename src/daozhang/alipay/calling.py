"""Operations as calls, and verified answers as their results."""

from __future__ import annotations

from typing import Any, TypeVar

from daozhang.alipay.errors import OutcomeUnknown
from daozhang.alipay.exchange import Answer, Call
from daozhang.alipay.operations.operation import Details, MalformedResult, Operation, Result

R = TypeVar("R", bound=Result)


def operation_call(
    operation: Operation[Any], notify_url: str | None, app_auth_token: str | None
) -> Call:
    """``operation`` as a call. Raises `TypeError` for what the buyer's browser or app does."""
    if not isinstance(operation, Operation):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(
            f"{type(operation).__name__} is not called: use page_url, page_form or order_string."
        )
    return Call(
        operation.METHOD,
        operation.content(),
        notify_url=notify_url,
        app_auth_token=app_auth_token,
    )


def typed_result(operation: Operation[R], answer: Answer) -> R:
    """The verified answer as the operation's result.

    Raises `OutcomeUnknown` if its fields make no sense: Alipay did say yes, so it may have
    happened.
    """
    try:
        return operation.read(answer.fields, answer.trace_id)
    except MalformedResult as problem:
        raise OutcomeUnknown(
            f"The answer is Alipay's, but not one to act on: {problem}",
            method=operation.METHOD,
            cause="malformed",
            trace_id=answer.trace_id,
        ) from None


def page_call(
    operation: Details | Call,
    notify_url: str | None,
    return_url: str | None,
    app_auth_token: str | None,
) -> Call:
    """``operation`` as a call that the buyer's browser or app makes; never encrypted."""
    if isinstance(operation, Call):
        method, content = operation.method, operation.content
    else:
        method, content = operation.METHOD, operation.content()
    return Call(
        method,
        content,
        notify_url=notify_url,
        return_url=return_url,
        app_auth_token=app_auth_token,
        encrypted=False,
    )
