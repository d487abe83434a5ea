"""Trade methods: query, close, cancel, precreate, and the certificate download."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, cast

from daozhang.clock import to_beijing_text
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import GatewayError, invalid, invalid_parameter
from daozhang.emulator.faults import FaultName
from daozhang.emulator.ledger import FUND_CHANNELS, Declined, Product, Trade, TradeStatus
from daozhang.emulator.methods import agreement, terms
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.notices import amount_fields, buyer_fields

QR_LIFE: Final = timedelta(hours=2)
"""A code lives this long whatever the timeout of its trade."""


def query(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.query``."""
    out_trade_no, trade_no = terms.either_number(call.terms)
    trade = desk.query(call.merchant.seller_id, out_trade_no, trade_no)
    answer: dict[str, Any] = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        **buyer_fields(trade, desk.switches(trade.request.app_id), id_name="buyer_user_id"),
        "buyer_user_type": "PRIVATE",
        "trade_status": trade.status.value,
        "total_amount": str(trade.total),
    }
    if trade.paid_at is not None:
        answer["send_pay_date"] = to_beijing_text(trade.paid_at)
        answer |= amount_fields(trade.total) | {"fund_bill_list": fund_bills(trade)}
    else:
        answer |= dict.fromkeys(amount_fields(trade.total), "0.00")
    for name in ("body", "store_id", "terminal_id", "passback_params"):
        answer[name] = getattr(trade.request, name)
    if "trade_settle_info" in _options(call) and (
        info := desk.sharing.confirmations.settle_info(trade)
    ):
        answer["trade_settle_info"] = info
    if _amounts_are_withheld(desk, trade, call):
        for name in (*amount_fields(trade.total), "total_amount", "fund_bill_list"):
            answer.pop(name, None)
    return {name: value for name, value in answer.items() if value != ""}


def _options(call: Call) -> list[Any]:
    options: Any = call.terms.get("query_options")
    return cast("list[Any]", options) if isinstance(options, list) else []


def _amounts_are_withheld(desk: Desk, trade: Trade, call: Call) -> bool:
    if trade.status is not TradeStatus.TRADE_CLOSED:
        return False
    fault = desk.faults.strike(
        FaultName.QUERY_CLOSED_WITHOUT_AMOUNTS,
        out_trade_no=trade.out_trade_no,
        app_id=call.app.app_id,
        method=call.method,
    )
    return fault is not None


def fund_bills(trade: Trade) -> list[dict[str, str]]:
    if trade.channel is None:
        return []
    code, fund_type = FUND_CHANNELS[trade.channel]
    bill = {"fund_channel": code, "amount": str(trade.total)}
    return [bill if fund_type is None else {**bill, "fund_type": fund_type}]


def hand_out(desk: Desk, call: Call, product: Product) -> str:
    """A page that can be paid: the path of the cashier's page for it."""
    request = terms.payment_request(call, product)
    request = replace(request, signs=agreement.signed_by_paying(call))
    return f"/cashier/{desk.hand_out(request).token}"


def close(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.close``."""
    out_trade_no, trade_no = terms.either_number(call.terms)
    notify_url = terms.address(
        "notify_url", call.notify_url or terms.text(call.terms, "notify_url", 256)
    )
    trade = desk.close(call.merchant.seller_id, out_trade_no, trade_no, notify_url)
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}


def cancel(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.cancel``: answers with success for an unknown number, but no action."""
    out_trade_no, trade_no = terms.either_number(call.terms)
    if desk.faults.strike(
        FaultName.CANCEL_NOT_ALLOWED,
        out_trade_no=out_trade_no,
        app_id=call.app.app_id,
        method=call.method,
    ):
        raise Declined("ACQ.CANCEL_NOT_ALLOWED")
    outcome = desk.cancel(call.merchant.seller_id, out_trade_no, trade_no)
    answer: dict[str, Any] = {"out_trade_no": out_trade_no, "retry_flag": "N"}
    if outcome.trade is not None:
        answer["trade_no"] = outcome.trade.trade_no
        answer["out_trade_no"] = outcome.trade.out_trade_no
    if outcome.action is not None:
        answer["action"] = outcome.action
    return answer


def sync_orderinfo(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.orderinfo.sync``: what became of an order; a repeat of its number changes nothing."""
    trade_no = terms.text(call.terms, "trade_no", 64, required=True)
    number = terms.text(call.terms, "out_request_no", 64, required=True)
    biz_type = terms.text(call.terms, "biz_type", 64, required=True)
    told = terms.text(call.terms, "order_biz_info", 256)
    trade = desk.find(call.merchant.seller_id, trade_no=trade_no)
    if trade.paid_at is None:
        raise Declined("ACQ.NOTIFY_STATUS_INVALID", "nobody has paid it")
    desk.note_orderinfo(trade, number, f"{biz_type} {told}".strip())
    buyer = buyer_fields(trade, desk.switches(trade.request.app_id), id_name="buyer_user_id")
    buyer.pop("buyer_logon_id")
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no, **buyer}


def precreate(desk: Desk, call: Call, base_url: str) -> dict[str, Any]:
    """``alipay.trade.precreate``: a QR code whose address is the cashier's page here."""
    request = terms.payment_request(call, Product.QR)
    life = terms.text(call.terms, "qr_code_timeout_express", 6)
    valid_for = QR_LIFE
    if life:
        relative = {"timeout_express": life}
        valid_for = min(QR_LIFE, terms.expiry(relative, Product.QR, call.now) - call.now)
    visit = desk.hand_out(request, valid_for=valid_for)
    return {"out_trade_no": request.out_trade_no, "qr_code": f"{base_url}/qr/{visit.token}"}


def download_certificate(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.open.app.alipaycert.download``: Alipay's certificate with its issuer's."""
    number = terms.text(call.terms, "alipay_cert_sn", 64)
    if not number:
        raise invalid_parameter("alipay_cert_sn不能为空")
    authority = desk.identities.authority
    if number != authority.certificate_sn:
        raise invalid("isv.alipay-cert-not-exist")
    content = base64.b64encode(authority.certificate_pem.encode("ascii")).decode("ascii")
    return {"alipay_cert_content": content}


def refuse_app_pay(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.app.pay`` is for the app: a server that sends it is told so."""
    del desk, call
    raise GatewayError(
        "40002",
        "isv.invalid-method",
        "不存在的方法名，alipay.trade.app.pay由支付宝App打开 (the signed order string is opened by the"
        " Alipay app; here: POST /_control/pay with order_string)",
    )
