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

_LIVES: Final[Mapping[str, frozenset[str]]] = {
    "alipay.fund.trans.uni.transfer": frozenset(
        {
            "REQUEST_PROCESSING",
            "TRANS_ORDER_DEALING",
            "PROMO_TRANS_ORDER_DEALING",
            "PAYMENT_INFO_INCONSISTENCY",
            "REP_INCONSISTENT",
            "BIZ_UNIQUE_EXCEPTION",
            "ORDER_STATUS_INVALID",
            "ILLEGAL_STATUS_EXCEPTION",
            "BANK_RESPONSE_ERROR",
            "PROCESS_FAIL",
        }
    ),
}
"""By method, the codes that refuse this call and speak of one under the same number, which may live
(apis.md §6.1): whoever took them for a no would send the money a second time."""


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
    lives = sub_code in _LIVES.get(method, ())
    if lives or is_system_trouble(code, sub_code):
        return OutcomeUnknown(
            f"Alipay answered {code} {sub_code}: {message}",
            method=method,
            cause="under_way" if lives else "system",
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
