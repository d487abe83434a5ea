"""One call of the API, whichever wire it came by: faults around it, the method inside.

V2 and V3 authenticate and render in their own ways; what happens in between is here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from daozhang.emulator import errors
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import GatewayError
from daozhang.emulator.faults import Fault, FaultName
from daozhang.emulator.ledger import Declined
from daozhang.emulator.methods.catalogue import NOT_IMITATED, Method
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.notifier import Notifier


class TimedOut(Exception):
    """The call was carried out and its answer is lost; the caller sees a gateway time-out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer, and what the faults do to the answer."""

    content: dict[str, Any] | None
    error: GatewayError | None = None
    spoil_signature: bool = False
    unsigned: bool = False
    in_gbk: bool = False


def method_named(methods: dict[str, Method], name: str) -> Method:
    """The method ``name``. Raises `GatewayError`; one that only Alipay has is told apart."""
    found = methods.get(name)
    if found is not None:
        return found
    detail = ""
    if name in NOT_IMITATED:
        detail = f"{name}存在于支付宝，但本仿真器尚未实现 (Alipay has it, this emulator has not)"
    raise errors.invalid("isv.invalid-method", detail)


async def carry_out(desk: Desk, notifier: Notifier, method: Method, call: Call) -> Outcome:
    """Carries out ``call``. Raises `TimedOut` where a fault loses the answer."""
    number = _number_of(desk, call)

    def strike(name: FaultName) -> Fault | None:
        return desk.faults.strike(
            name, out_trade_no=number, app_id=call.app.app_id, method=call.method
        )

    slow = strike(FaultName.SLOW)
    if slow is not None:
        await asyncio.sleep(slow.duration_seconds)
    if strike(FaultName.GATEWAY_20000):
        return Outcome(None, _unavailable("isp.unknow-error"))
    if strike(FaultName.GATEWAY_GBK_ERROR):
        return Outcome(None, _unavailable("aop.unknow-error"), in_gbk=True)
    content, error = _result(desk, method, call)
    if desk.must_notify_first(number):
        await asyncio.wrap_future(notifier.settle())
    notifier.wake()
    lost = strike(FaultName.GATEWAY_TIMEOUT_AFTER_SUCCESS)
    if lost is not None:
        await asyncio.sleep(lost.duration_seconds)
        raise TimedOut
    return Outcome(
        content,
        error,
        spoil_signature=strike(FaultName.GATEWAY_BAD_SIGNATURE) is not None,
        unsigned=strike(FaultName.GATEWAY_UNSIGNED) is not None,
    )


def _number_of(desk: Desk, call: Call) -> str:
    """The ``out_trade_no`` that a call is about, also where it names the ``trade_no``."""
    trade_no = call.terms.get("trade_no")
    if isinstance(trade_no, str) and trade_no:
        try:
            return desk.find(call.merchant.seller_id, trade_no=trade_no).out_trade_no
        except Declined:
            return ""
    for name in ("out_trade_no", "external_agreement_no", "out_order_no", "out_biz_no"):
        own = call.terms.get(name)
        if own:
            return str(own)
    return ""


def _result(
    desk: Desk, method: Method, call: Call
) -> tuple[dict[str, Any] | None, GatewayError | None]:
    try:
        return method(desk, call), None
    except Declined as declined:
        return None, errors.business(declined)
    except GatewayError as problem:
        return None, problem


def _unavailable(sub_code: str) -> GatewayError:
    return GatewayError("20000", sub_code, errors.GATEWAY_TEXTS[sub_code])
