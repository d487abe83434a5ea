"""``alipay.trade.pay``: a code that a buyer shows is charged."""

from __future__ import annotations

from typing import Any, Final

from daozhang.clock import to_beijing_text
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import invalid_parameter
from daozhang.emulator.ledger import Product, Trade
from daozhang.emulator.methods import terms
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.methods.trade import fund_bills
from daozhang.emulator.notices import amount_fields, buyer_fields

SCENES: Final = ("bar_code", "security_code")

WAITS: Final = {"code": "10003", "msg": "order success pay inprocess"}
"""What V2 says instead of 10000 while the buyer has to confirm; V3 only leaves out the payment."""


def pay(desk: Desk, call: Call) -> dict[str, Any]:
    """Paid at once, or 10003 while the buyer has to confirm on the phone."""
    request = terms.payment_request(call, Product.BARCODE)
    auth_code = terms.text(call.terms, "auth_code", 64, required=True)
    scene = terms.text(call.terms, "scene", 32) or SCENES[0]
    if scene not in SCENES:
        raise invalid_parameter("scene取值为bar_code或security_code")
    trade = desk.charge(request, auth_code, scene)
    return answer(desk, trade)


def answer(desk: Desk, trade: Trade) -> dict[str, Any]:
    """What is told of a trade that was charged."""
    switches = desk.switches(trade.request.app_id)
    told: dict[str, Any] = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        **buyer_fields(trade, switches, id_name="buyer_user_id"),
        "total_amount": str(trade.total),
    }
    if trade.paid_at is None:
        told = WAITS | told
    else:
        told |= amount_fields(trade.total)
        told |= {
            "gmt_payment": to_beijing_text(trade.paid_at),
            "fund_bill_list": fund_bills(trade),
        }
    return {name: value for name, value in told.items() if value != ""}
