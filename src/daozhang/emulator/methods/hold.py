"""Hold methods: freeze by code, by QR or from an app, let go, query, cancel, and the payment out of one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from daozhang.clock import to_beijing_text
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import invalid_parameter
from daozhang.emulator.holds import FreezeRequest, Hold, Kind, Operation
from daozhang.emulator.ledger import Declined, Product
from daozhang.emulator.methods import pay, terms
from daozhang.emulator.methods.terms import Call
from daozhang.money import Money

PRODUCTS: Final = ("PRE_AUTH", "PREAUTH_PAY", "PRE_AUTH_ONLINE")
SCENES: Final = ("bar_code", "security_code")
CONFIRM_MODES: Final = ("COMPLETE", "NOT_COMPLETE")
LIFE: Final = timedelta(minutes=15)
"""How long a buyer may take to confirm where the request does not say."""

_LIFE: Final = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_LIFE_MIN: Final = timedelta(minutes=1)
_LIFE_MAX: Final = timedelta(days=15)


def freeze(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.fund.auth.order.freeze``: frozen at once, or INIT while the buyer has to confirm."""
    request = freeze_request(call)
    auth_code = _text(call, "auth_code", 64, required=True)
    scene = _text(call, "auth_code_type", 32, required=True)
    if scene not in SCENES:
        raise Declined("ILLEGAL_ARGUMENT", "auth_code_type取值为bar_code或security_code")
    hold = desk.holds.freeze_by_code(request, auth_code, scene)
    return _answer(desk, hold, hold.operations[0])


def voucher(desk: Desk, call: Call, base_url: str) -> dict[str, Any]:
    """``alipay.fund.auth.order.voucher.create``: a QR code whose address is a page here."""
    page = desk.holds.hand_out(freeze_request(call))
    return {
        "out_order_no": page.request.out_order_no,
        "out_request_no": page.request.out_request_no,
        "code_type": "qrCode",
        "code_value": f"{base_url}/freeze/{page.token}",
        "code_url": f"{base_url}/freeze/{page.token}",
    }


def refuse_app_freeze(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.fund.auth.order.app.freeze`` is an order string for a phone, never a call."""
    del desk, call
    raise Declined("ILLEGAL_ARGUMENT", "app.freeze由客户端SDK唤起 (an order string, not a call)")


def freeze_request(call: Call) -> FreezeRequest:
    """The terms of a freeze. Raises `Declined` for the first field that breaks its rule."""
    product = _text(call, "product_code", 64, required=True)
    if product not in PRODUCTS:
        raise Declined("ILLEGAL_ARGUMENT", f"product_code取值为{'、'.join(PRODUCTS)}")
    return FreezeRequest(
        app_id=call.app.app_id,
        auth_app_id=call.merchant.app_id,
        seller_id=call.merchant.seller_id,
        out_order_no=_text(call, "out_order_no", 64, required=True),
        out_request_no=_text(call, "out_request_no", 64, required=True),
        title=_text(call, "order_title", 100, required=True),
        amount=_amount(call),
        product_code=product,
        expires_at=call.now + _life(call),
        notify_url=terms.address(
            "notify_url", call.notify_url or terms.text(call.terms, "notify_url", 256)
        ),
        charset=call.charset,
        sign_type=call.sign_type,
    )


def unfreeze(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.fund.auth.order.unfreeze``."""
    auth_no = _text(call, "auth_no", 28, required=True)
    number = _text(call, "out_request_no", 64, required=True)
    remark = _text(call, "remark", 100, required=True)
    hold = desk.holds.find(call.merchant.seller_id, auth_no, "")
    url = terms.address("notify_url", call.notify_url or terms.text(call.terms, "notify_url", 256))
    changed, done = desk.holds.unfreeze(hold, _amount(call), number, remark, url)
    return _answer(desk, changed, done)


def query(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.fund.auth.operation.detail.query``."""
    hold, done = _named(desk, call)
    answer = _answer(desk, hold, done)
    answer |= {
        "order_title": hold.request.title,
        "operation_type": done.kind.value,
        "order_status": hold.status.value,
        "gmt_create": to_beijing_text(hold.created_at),
        "remark": done.remark,
        "total_freeze_amount": str(hold.total(Kind.FREEZE)),
        "total_pay_amount": str(hold.total(Kind.PAY)),
        "rest_amount": str(hold.rest),
    }
    return {name: value for name, value in answer.items() if value != ""}


def cancel(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.fund.auth.operation.cancel``."""
    _text(call, "remark", 100, required=True)
    hold, done = _named(desk, call)
    if done.kind is not Kind.FREEZE:
        raise Declined("ILLEGAL_ARGUMENT", "only a freeze can be cancelled")
    url = terms.address("notify_url", call.notify_url or terms.text(call.terms, "notify_url", 256))
    _, action = desk.holds.cancel(hold, url)
    return {
        "auth_no": hold.auth_no,
        "out_order_no": hold.number,
        "operation_id": done.operation_id,
        "out_request_no": done.out_request_no,
        "action": action,
    }


def capture(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.pay`` with ``auth_no``: a payment out of a hold."""
    auth_no = terms.text(call.terms, "auth_no", 64, required=True)
    mode = terms.text(call.terms, "auth_confirm_mode", 32) or "NOT_COMPLETE"
    if mode not in CONFIRM_MODES:
        raise invalid_parameter("auth_confirm_mode取值为COMPLETE、NOT_COMPLETE")
    product = terms.text(call.terms, "product_code", 64, required=True)
    request = terms.payment_request(call, Product.HOLD)
    trade = desk.holds.capture(auth_no, request, product, completes=mode == "COMPLETE")
    return pay.answer(desk, trade)


def _named(desk: Desk, call: Call) -> tuple[Hold, Operation]:
    auth_no, own = _text(call, "auth_no", 28), _text(call, "out_order_no", 64)
    operation_id, number = _text(call, "operation_id", 64), _text(call, "out_request_no", 64)
    if not (auth_no or own) or not (operation_id or number):
        raise Declined(
            "ILLEGAL_ARGUMENT", "auth_no/out_order_no与operation_id/out_request_no须各传其一"
        )
    hold = desk.holds.find(call.merchant.seller_id, auth_no, own)
    done = hold.operation(operation_id, number)
    if done is None:
        raise Declined("AUTH_OPERATION_NOT_EXIST")
    return hold, done


def _answer(desk: Desk, hold: Hold, done: Operation) -> dict[str, Any]:
    return {
        "auth_no": hold.auth_no,
        "out_order_no": hold.number,
        "operation_id": done.operation_id,
        "out_request_no": done.out_request_no,
        "amount": str(done.amount),
        "status": done.status,
        "gmt_trans": to_beijing_text(done.at),
        **desk.holds.payer_fields(hold),
    }


def _text(call: Call, name: str, length_max: int, *, required: bool = False) -> str:
    """A text field, refused in the words of these methods."""
    try:
        return terms.text(call.terms, name, length_max, required=required)
    except Declined as declined:
        raise Declined("ILLEGAL_ARGUMENT", declined.detail) from declined


def _amount(call: Call) -> Money:
    try:
        return terms.amount(call.terms, "amount")
    except Declined as declined:
        raise Declined("ILLEGAL_ARGUMENT", declined.detail) from declined


def _life(call: Call) -> timedelta:
    written = _text(call, "pay_timeout", 6) or _text(call, "timeout_express", 6)
    if not written:
        return LIFE
    found = _LIFE.fullmatch(written)
    life = timedelta(**{_UNITS[found.group(2)]: int(found.group(1))}) if found else timedelta()
    if not _LIFE_MIN <= life <= _LIFE_MAX:
        raise Declined("ILLEGAL_ARGUMENT", "pay_timeout取值范围：1m～15d")
    return life
