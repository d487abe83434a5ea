"""``alipay.trade.create``: a trade for one named buyer, which waits from the first moment."""

from __future__ import annotations

import re
from typing import Any, Final

from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import invalid_parameter
from daozhang.emulator.ledger import Declined, Product
from daozhang.emulator.methods import terms
from daozhang.emulator.methods.terms import Call

JSAPI: Final = "JSAPI_PAY"
_USER_ID: Final = re.compile(r"2088[0-9]{12}", re.ASCII)
_OPEN_ID: Final = re.compile(r"[A-Za-z0-9_-]{28,128}", re.ASCII)


def create(desk: Desk, call: Call) -> dict[str, Any]:
    """Makes the trade, or gives the same one again."""
    request = terms.payment_request(call, Product.MINI)
    if request.buyer_id and not _USER_ID.fullmatch(request.buyer_id):
        raise Declined("ACQ.BUYER_NOT_EXIST")
    if request.buyer_open_id and not _OPEN_ID.fullmatch(request.buyer_open_id):
        raise Declined("ACQ.OPEN_ID_NOT_TINY_APP")
    if not (request.buyer_id or request.buyer_open_id):
        raise Declined("ACQ.BUYER_NOT_EXIST")
    product_code = terms.text(call.terms, "product_code", 64)
    if product_code == JSAPI and not terms.text(call.terms, "op_app_id", 32):
        raise invalid_parameter("op_app_id不能为空 (JSAPI_PAY needs op_app_id)")
    trade = desk.open_request(request)
    asked = (request.buyer_id, request.buyer_open_id)
    if asked != (trade.request.buyer_id, trade.request.buyer_open_id):
        raise Declined("ACQ.PAYER_UNMATCHED", "the trade was made for another buyer")
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}
