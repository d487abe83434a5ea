"""The official PyPI SDK and the most used unofficial one, against the emulator."""

from __future__ import annotations

from typing import Any

from peers.desk import Calls, Desk, Receiver, new_number, open_page

SUBJECT = "雨前龙井 50g"


def official_config(desk: Desk, **others: str) -> dict[str, Any]:
    """The official SDK takes keys only; it has no certificate mode."""
    given = desk.credentials
    return {
        "server_url": given["gateway_url"],
        "app_id": given["app_id"],
        "app_private_key": given["app_private_key_pkcs1"],
        "alipay_public_key": given["alipay_public_key"],
        **others,
    }


def pay_by_page(
    official_python: Calls, desk: Desk, receiver: Receiver, http_method: str
) -> tuple[str, dict[str, str]]:
    """Lets a buyer pay an order through the SDK's page; its number, and what was notified."""
    number = new_number()
    model = {
        "out_trade_no": number,
        "total_amount": "88.88",
        "subject": SUBJECT,
        "product_code": "FAST_INSTANT_TRADE_PAY",
    }
    options = {"notify_url": receiver.address, "http_method": http_method}
    [page] = official_python(
        official_config(desk), ["page_execute", "alipay.trade.page.pay", model, options]
    )
    assert open_page(page["value"]).status_code == 200
    desk.pay(number)
    return number, receiver.next()


def execute(method: str, model: dict[str, Any]) -> list[Any]:
    """A call whose answer this SDK always verifies."""
    return ["execute", method, model, {}]


def test_official_believes_a_no(official_python: Calls, desk: Desk) -> None:
    [answer] = official_python(
        official_config(desk), execute("alipay.trade.query", {"out_trade_no": new_number()})
    )
    assert answer["value"]["success"] is False
    assert answer["value"]["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_official_pays_by_a_form_and_refunds(
    official_python: Calls, desk: Desk, receiver: Receiver
) -> None:
    number, notice = pay_by_page(official_python, desk, receiver, "POST")
    refund = {"out_trade_no": number, "refund_amount": "8.80", "out_request_no": "part-1"}
    asked = {"out_trade_no": number, "out_request_no": "part-1"}
    queried, refunded, proof = official_python(
        official_config(desk),
        execute("alipay.trade.query", {"out_trade_no": number}),
        execute("alipay.trade.refund", refund),
        execute("alipay.trade.fastpay.refund.query", asked),
    )
    assert queried["value"]["success"] is True
    assert queried["value"]["trade_status"] == "TRADE_SUCCESS"
    assert queried["value"]["trade_no"] == notice["trade_no"]
    assert refunded["value"]["fund_change"] == "Y"
    assert proof["value"]["refund_status"] == "REFUND_SUCCESS"


def test_official_pays_by_an_address(
    official_python: Calls, desk: Desk, receiver: Receiver
) -> None:
    # Without AES: this SDK hands its cipher a text where it wants bytes, and ends before it sends.
    number, notice = pay_by_page(official_python, desk, receiver, "GET")
    [answer] = official_python(
        official_config(desk), execute("alipay.trade.query", {"out_trade_no": number})
    )
    assert answer["value"]["trade_no"] == notice["trade_no"]


def test_official_closes_and_cancels(official_python: Calls, desk: Desk) -> None:
    number = new_number()
    precreate = {"out_trade_no": number, "total_amount": "1.00", "subject": SUBJECT}
    made, cancelled = official_python(
        official_config(desk),
        execute("alipay.trade.precreate", precreate),
        execute("alipay.trade.cancel", {"out_trade_no": number}),
    )
    assert made["value"]["success"] is True
    assert made["value"]["qr_code"].startswith("http")
    assert cancelled["value"]["success"] is True


def test_official_charges_a_code_and_makes_a_trade(official_python: Calls, desk: Desk) -> None:
    at_till = {"total_amount": "8.88", "subject": SUBJECT, "scene": "bar_code"}
    scanned, asked, mini = (new_number() for _ in range(3))
    code = {name: desk.payment_code(behaviour=name) for name in ("pays", "asks")}
    trade = {"out_trade_no": mini, "total_amount": "8.88", "subject": SUBJECT}
    paid, waits, made = official_python(
        official_config(desk),
        execute(
            "alipay.trade.pay", {**at_till, "out_trade_no": scanned, "auth_code": code["pays"]}
        ),
        execute("alipay.trade.pay", {**at_till, "out_trade_no": asked, "auth_code": code["asks"]}),
        execute("alipay.trade.create", {**trade, "buyer_id": "2088102168897047"}),
    )
    assert (paid["value"]["code"], paid["value"]["receipt_amount"]) == ("10000", "8.88")
    assert waits["value"]["code"] == "10003"
    assert len(made["value"]["trade_no"]) == 28


def test_official_freezes_takes_and_lets_go(official_python: Calls, desk: Desk) -> None:
    hold, taken = new_number(), new_number()
    freeze = {
        "out_order_no": hold,
        "out_request_no": hold,
        "order_title": "押金",
        "amount": "500.00",
        "product_code": "PRE_AUTH",
        "auth_code": desk.payment_code(),
        "auth_code_type": "bar_code",
    }
    [frozen] = official_python(
        official_config(desk), execute("alipay.fund.auth.order.freeze", freeze)
    )
    auth_no = frozen["value"]["auth_no"]
    pay = {
        "out_trade_no": taken,
        "total_amount": "120.00",
        "subject": SUBJECT,
        "product_code": "PRE_AUTH",
        "auth_no": auth_no,
        "auth_confirm_mode": "COMPLETE",
    }
    paid, left = official_python(
        official_config(desk),
        execute("alipay.trade.pay", pay),
        execute(
            "alipay.fund.auth.operation.detail.query",
            {"out_order_no": hold, "out_request_no": hold},
        ),
    )
    assert paid["value"]["code"] == "10000"
    assert (left["value"]["order_status"], left["value"]["rest_amount"]) == ("FINISH", "0.00")


def test_official_makes_a_code_and_gives_a_hold_up(official_python: Calls, desk: Desk) -> None:
    shown, given_up = new_number(), new_number()
    hold = {"order_title": "押金", "amount": "500.00", "product_code": "PRE_AUTH"}
    voucher = {"out_order_no": shown, "out_request_no": shown, **hold}
    freeze = {
        "out_order_no": given_up,
        "out_request_no": given_up,
        **hold,
        "auth_code": desk.payment_code(behaviour="asks"),
        "auth_code_type": "bar_code",
    }
    cancel = {"out_order_no": given_up, "out_request_no": given_up, "remark": "撤销"}
    code, waits, cancelled, refused = official_python(
        official_config(desk),
        execute("alipay.fund.auth.order.voucher.create", voucher),
        execute("alipay.fund.auth.order.freeze", freeze),
        execute("alipay.fund.auth.operation.cancel", cancel),
        execute(
            "alipay.user.agreement.executionplan.modify",
            {"agreement_no": new_number(), "deduct_time": "2030-01-01"},
        ),
    )
    assert code["value"]["code_value"].startswith("http")
    assert waits["value"]["status"] == "INIT"
    assert (cancelled["value"]["code"], cancelled["value"]["action"]) == ("10000", "close")
    assert (refused["value"]["code"], refused["value"]["sub_code"]) == (
        "40004",
        "ILLEGAL_AGREEMENT",
    )


def test_official_does_not_believe_an_unsigned_answer(official_python: Calls, desk: Desk) -> None:
    desk.control("faults", {"name": "gateway_unsigned", "times": 1}).raise_for_status()
    [answer] = official_python(
        official_config(desk), execute("alipay.trade.query", {"out_trade_no": new_number()})
    )
    assert "response shape maybe illegal" in answer["error"]


def test_fzlee_believes_the_notification_and_no_changed_one(
    fzlee_python: Calls, official_python: Calls, desk: Desk, receiver: Receiver
) -> None:
    number, notice = pay_by_page(official_python, desk, receiver, "GET")
    given = desk.credentials
    config = {
        "app_id": given["app_id"],
        "app_private_key": given["app_private_key_pkcs1"],
        "alipay_public_key": given["alipay_public_key"],
        "gateway_url": given["gateway_url"],
    }
    sign = notice.pop("sign")
    right, wrong, queried = fzlee_python(
        config,
        ["verify", {"data": notice, "signature": sign}],
        ["verify", {"data": {**notice, "total_amount": "88.89"}, "signature": sign}],
        ["api_alipay_trade_query", {"out_trade_no": number}],
    )
    assert right == {"value": True}
    assert wrong == {"value": False}
    assert queried["value"]["trade_status"] == "TRADE_SUCCESS"
