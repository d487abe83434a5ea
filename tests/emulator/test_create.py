"""``alipay.trade.create``: a trade for one named buyer."""

from __future__ import annotations

from typing import Any

from emulator.place import Place
from emulator.test_trades import QUERY, sub_code

CREATE = "alipay.trade.create"
TERMS: dict[str, Any] = {
    "out_trade_no": "m-1",
    "total_amount": "8.88",
    "subject": "茶",
    "buyer_id": "2088102168897047",
}


def test_the_trade_waits_from_the_first_moment(place: Place) -> None:
    made = place.merchant.call(CREATE, TERMS)
    node = place.merchant.call(QUERY, {"out_trade_no": "m-1"})
    assert (node["trade_status"], node["trade_no"]) == ("WAIT_BUYER_PAY", made["trade_no"])
    assert place.merchant.call(CREATE, TERMS)["trade_no"] == made["trade_no"]
    assert place.emulator.pay("m-1").buyer_id == TERMS["buyer_id"]
    assert sub_code(place.merchant.call(CREATE, TERMS)) == "ACQ.TRADE_HAS_SUCCESS"


def test_what_is_refused(place: Place) -> None:
    place.merchant.call(CREATE, TERMS)
    for changed, code in (
        ({"total_amount": "9.99"}, "ACQ.CONTEXT_INCONSISTENT"),
        ({"buyer_id": "2088102168897048"}, "ACQ.PAYER_UNMATCHED"),
        ({"buyer_id": "null"}, "ACQ.BUYER_NOT_EXIST"),
        ({"buyer_id": ""}, "ACQ.BUYER_NOT_EXIST"),
        ({"buyer_id": "", "buyer_open_id": "None"}, "ACQ.OPEN_ID_NOT_TINY_APP"),
        ({"product_code": "JSAPI_PAY"}, "ACQ.INVALID_PARAMETER"),
    ):
        assert sub_code(place.merchant.call(CREATE, {**TERMS, **changed})) == code


def test_only_9000_pays(place: Place) -> None:
    trade_no = place.merchant.call(CREATE, TERMS)["trade_no"]
    left = place.merchant.control("POST", "trade_pay", trade_no=trade_no, result_code="6001")
    assert left == {"resultCode": "6001"}
    assert place.emulator.trade("m-1").status == "WAIT_BUYER_PAY"
    assert place.merchant.control("POST", "trade_pay", trade_no=trade_no) == {"resultCode": "9000"}
    assert place.emulator.trade("m-1").status == "TRADE_SUCCESS"
