"""Order strings: what a merchant's app hands to the Alipay app, and the result that it gets back."""

from __future__ import annotations

from dataclasses import replace

from daozhang.clock import to_beijing_text
from daozhang.emulator import wire
from daozhang.emulator.calls import Outcome
from daozhang.emulator.desk import Desk
from daozhang.emulator.gateway import Conversation, Gateway
from daozhang.emulator.ledger import PaymentRequest, Product, Trade
from daozhang.emulator.methods import agreement, terms
from daozhang.emulator.methods.catalogue import APP_PAY
from daozhang.emulator.wire import Unreadable


def read_order_string(gateway: Gateway, text: str) -> tuple[PaymentRequest, Conversation]:
    """The payment that ``text`` asks for, and how its answer is to be written.

    Raises `Unreadable`, `errors.GatewayError` or `ledger.Declined`.
    """
    talk = Conversation()
    call = gateway.authenticate(wire.merge([wire.split_pairs(text.encode())]), talk)
    if call.method != APP_PAY:
        raise Unreadable(f"it is of {call.method}, not of {APP_PAY}")
    asked = terms.payment_request(call, Product.APP)
    return replace(asked, signs=agreement.signed_by_paying(call)), talk


def signed_result(desk: Desk, gateway: Gateway, trade: Trade, talk: Conversation) -> str:
    """The ``result`` that the merchant's app gets once ``trade`` is paid."""
    talk.root = "alipay_trade_app_pay_response"
    talk.encrypted = False
    content = {
        "app_id": trade.request.app_id,
        "auth_app_id": trade.request.auth_app_id,
        "charset": trade.request.charset,
        "timestamp": to_beijing_text(desk.now()),
        "out_trade_no": trade.out_trade_no,
        "total_amount": str(trade.total),
        "trade_no": trade.trade_no,
        "seller_id": trade.request.seller_id,
    }
    signed = gateway.signed_body(talk, Outcome(content)).decode("utf-8")
    return f'{signed[:-1]},"sign_type":"{talk.sign_type}"}}'
