"""Transfer methods: send, and ask what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from daozhang.clock import to_beijing_text
from daozhang.emulator.desk import Desk
from daozhang.emulator.ledger import Declined
from daozhang.emulator.methods import terms
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.transfers import BANK_CARD, Transfer, TransferRequest, TransferStatus
from daozhang.money import Money

PRODUCTS: Final = ("TRANS_ACCOUNT_NO_PWD", "TRANS_BANKCARD_NO_PWD")
TO_CARD: Final = "TRANS_BANKCARD_NO_PWD"
SCENE: Final = "DIRECT_TRANSFER"
IDENTITIES: Final = ("ALIPAY_USER_ID", "ALIPAY_OPEN_ID", "ALIPAY_LOGON_ID", BANK_CARD)
NAMED: Final = ("ALIPAY_LOGON_ID", BANK_CARD)


def send(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.fund.trans.uni.transfer``: sent at once, or DEALING while a bank considers it."""
    transfer = desk.transfers.send(_request(call))
    answer = _numbers(transfer) | {
        "status": transfer.status.value,
        "amount": str(transfer.request.amount),
    }
    if transfer.paid_at is not None:
        answer["trans_date"] = to_beijing_text(transfer.paid_at)
    return answer


def query(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.fund.trans.common.query``."""
    fund, order = _text(call, "pay_fund_order_id", 64), _text(call, "order_id", 64)
    own = _text(call, "out_biz_no", 64)
    if not (fund or order):
        for name in ("out_biz_no", "product_code", "biz_scene"):
            _text(call, name, 64, required=True)
    seller_id = call.merchant.seller_id
    transfer = desk.transfers.find(seller_id, out_biz_no=own, order_id=fund or order)
    product = _text(call, "product_code", 64)
    if product and product != transfer.request.product_code:
        raise Declined("ORDER_NOT_EXIST")
    answer = _numbers(transfer) | {
        "status": transfer.status.value,
        "order_fee": "0.00",
        "error_code": transfer.error_code,
        "fail_reason": transfer.fail_reason,
    }
    if transfer.paid_at is not None:
        answer["pay_date"] = to_beijing_text(transfer.paid_at)
    if transfer.status is TransferStatus.SUCCESS:
        answer["trans_amount"] = str(transfer.request.amount)
    return {name: text for name, text in answer.items() if text}


def _numbers(transfer: Transfer) -> dict[str, Any]:
    return {
        "out_biz_no": transfer.number,
        "order_id": transfer.order_id,
        "pay_fund_order_id": transfer.fund_order_id,
    }


def _request(call: Call) -> TransferRequest:
    """The terms of a transfer. Raises `Declined` for the first field that breaks its rule."""
    product = _text(call, "product_code", 64, required=True)
    if product not in PRODUCTS:
        raise Declined("PRODUCT_NOT_SIGN", product)
    scene = _text(call, "biz_scene", 64, required=True)
    if scene != SCENE:
        raise Declined("INVALID_PARAMETER", f"biz_scene取值为{SCENE}")
    payee = _payee(call)
    kind = _text(call, "identity_type", 64, required=True, within=payee)
    if kind not in IDENTITIES or (kind == BANK_CARD) != (product == TO_CARD):
        raise Declined("INVALID_PARAMETER", f"identity_type {kind}与{product}不符")
    return TransferRequest(
        app_id=call.app.app_id,
        seller_id=call.merchant.seller_id,
        out_biz_no=_text(call, "out_biz_no", 64, required=True),
        product_code=product,
        biz_scene=scene,
        amount=_amount(call),
        identity=_text(call, "identity", 64, required=True, within=payee),
        identity_type=kind,
        name=_text(call, "name", 128, required=kind in NAMED, within=payee),
        title=_text(call, "order_title", 128),
        remark=_text(call, "remark", 200),
    )


def _payee(call: Call) -> Mapping[str, Any]:
    given: object = call.terms.get("payee_info")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as problem:
            raise Declined("INVALID_PARAMETER", "payee_info不是JSON") from problem
    if not isinstance(given, dict):
        raise Declined("INVALID_PARAMETER", "payee_info不能为空")
    return cast("Mapping[str, Any]", given)


def _text(
    call: Call,
    name: str,
    length_max: int,
    *,
    required: bool = False,
    within: Mapping[str, Any] | None = None,
) -> str:
    """A text field, refused in the words of these methods."""
    fields = call.terms if within is None else within
    try:
        return terms.text(fields, name, length_max, required=required)
    except Declined as declined:
        raise Declined("INVALID_PARAMETER", declined.detail) from declined


def _amount(call: Call) -> Money:
    try:
        return terms.amount(call.terms, "trans_amount")
    except Declined as declined:
        raise Declined("INVALID_PARAMETER", declined.detail) from declined
