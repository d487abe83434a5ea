"""From an answer that says no, or says nothing, to the error that tells whether money moved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.hints import hint_for

_SYSTEM_TROUBLE: Final = re.compile(
    r"isp\..*|(?:.*\.)?(?:unknown?-error|unknown-sub-code|invalid-response-data"
    r"|SYSTEM_ERROR|SYSTEM_BUSY|UNKNOWN_ERROR)"
)
"""Codes after which the call may have been carried out all the same (protocol §9.1, §9.2)."""


def is_system_trouble(code: str, sub_code: str) -> bool:
    """Whether Alipay says that it does not know itself what became of the call."""
    return code == "20000" or _SYSTEM_TROUBLE.fullmatch(sub_code) is not None


def failure(
    method: str,
    code: str,
    sub_code: str,
    message: str,
    *,
    trace_id: str | None,
    response: Mapping[str, Any],
) -> Rejected | OutcomeUnknown:
    """The error for an answer that says no."""
    if is_system_trouble(code, sub_code):
        return OutcomeUnknown(
            f"Alipay answered {code} {sub_code}: {message}",
            method=method,
            cause="system",
            trace_id=trace_id,
        )
    return Rejected(
        code,
        sub_code or None,
        message,
        method=method,
        trace_id=trace_id,
        hint=hint_for(sub_code),
        response=response,
    )
