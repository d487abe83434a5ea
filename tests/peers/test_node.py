"""The official npm SDK, unmodified, against the emulator: V2, V3, pages, notifications, AES."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from daozhang.clock import business_day
from peers.desk import Calls, Desk, Receiver, new_number, open_page

SUBJECT = "雨前龙井 50g + 杯与盖 100%"


def key_mode(desk: Desk) -> dict[str, Any]:
    """The SDK's configuration with bare keys."""
    given = desk.credentials
    return {
        "appId": given["app_id"],
        "privateKey": given["app_private_key_pkcs1"],
        "alipayPublicKey": given["alipay_public_key"],
        "gateway": given["gateway_url"],
        "endpoint": given["v3_base_url"],
        "encryptKey": given["encrypt_key"],
    }


def certificate_mode(desk: Desk) -> dict[str, Any]:
    """The SDK's configuration with the three certificate files."""
    given = desk.credentials
    config = key_mode(desk)
    del config["alipayPublicKey"]
    return config | {
        "keyType": "PKCS8",
        "privateKey": given["app_private_key_pkcs8"],
        "appCertPath": given["app_cert_path"],
        "alipayPublicCertPath": given["alipay_cert_path"],
        "alipayRootCertPath": given["alipay_root_cert_path"],
    }


@pytest.fixture(params=[key_mode, certificate_mode], ids=["keys", "certificates"])
def config(request: pytest.FixtureRequest, desk: Desk) -> dict[str, Any]:
    """Every test that takes this runs in both modes."""
    return request.param(desk)


def execute(method: str, biz_content: dict[str, Any], **options: Any) -> list[Any]:
    """A V2 call whose answer the SDK verifies."""
    options.setdefault("validateSign", True)
    return ["exec", method, {"bizContent": biz_content}, options]


def page(number: str, notify_url: str, amount: str = "88.88") -> list[Any]:
    """A V2 page payment as an address."""
    biz_content = {
        "out_trade_no": number,
        "total_amount": amount,
        "subject": SUBJECT,
        "product_code": "FAST_INSTANT_TRADE_PAY",
    }
    given = {"bizContent": biz_content, "notify_url": notify_url}
    return ["pageExecute", "alipay.trade.page.pay", "GET", given]


def pay_by_page(
    node_peer: Calls, config: dict[str, Any], desk: Desk, receiver: Receiver
) -> tuple[str, dict[str, str]]:
    """Lets a buyer pay an order through the SDK's page; its number, and what was notified."""
    number = new_number()
    [made] = node_peer(config, page(number, receiver.address))
    assert open_page(made["value"]).status_code == 200
    desk.pay(number)
    return number, receiver.next()


def test_an_unknown_trade_is_a_verified_no(node_peer: Calls, config: dict[str, Any]) -> None:
    query = {"out_trade_no": new_number()}
    v2, v3 = node_peer(
        config,
        execute("alipay.trade.query", query),
        ["curl", "POST", "/v3/alipay/trade/query", {"body": query}],
    )
    assert (v2["value"]["code"], v2["value"]["subCode"]) == ("40004", "ACQ.TRADE_NOT_EXIST")
    assert v3["error"]["code"] == "ACQ.TRADE_NOT_EXIST"
    assert 400 <= v3["error"]["responseHttpStatus"] < 500


def test_a_payment_is_queried_refunded_and_asked_about(
    node_peer: Calls, config: dict[str, Any], desk: Desk, receiver: Receiver
) -> None:
    number, notice = pay_by_page(node_peer, config, desk, receiver)
    refund = {"out_trade_no": number, "refund_amount": "8.80", "out_request_no": "part-1"}
    ask_refund = {"out_trade_no": number, "out_request_no": "part-1"}
    v2, v3, refunded, again, asked = node_peer(
        config,
        execute("alipay.trade.query", {"out_trade_no": number}),
        ["curl", "POST", "/v3/alipay/trade/query", {"body": {"out_trade_no": number}}],
        execute("alipay.trade.refund", refund),
        ["curl", "POST", "/v3/alipay/trade/refund", {"body": refund}],
        execute("alipay.trade.fastpay.refund.query", ask_refund),
    )
    assert v2["value"]["code"] == "10000"
    assert v2["value"]["tradeStatus"] == "TRADE_SUCCESS"
    assert v2["value"]["totalAmount"] == "88.88"
    assert v2["value"]["tradeNo"] == notice["trade_no"]
    assert v3["value"]["responseHttpStatus"] == 200
    assert v3["value"]["data"]["trade_no"] == notice["trade_no"]
    assert refunded["value"]["fundChange"] == "Y"
    assert again["value"]["data"]["fund_change"] == "N"
    assert asked["value"]["refundStatus"] == "REFUND_SUCCESS"
    assert asked["value"]["refundAmount"] == "8.80"


def test_its_check_believes_the_notification_and_no_changed_one(
    node_peer: Calls, config: dict[str, Any], desk: Desk, receiver: Receiver
) -> None:
    number, notice = pay_by_page(node_peer, config, desk, receiver)
    assert (notice["out_trade_no"], notice["trade_status"]) == (number, "TRADE_SUCCESS")
    assert notice["subject"] == SUBJECT
    right, wrong, missing = node_peer(
        config,
        ["checkNotifySignV2", notice],
        ["checkNotifySignV2", {**notice, "total_amount": "88.89"}],
        ["checkNotifySignV2", {name: notice[name] for name in notice if name != "seller_id"}],
    )
    assert right == {"value": True}
    assert wrong == {"value": False}
    assert missing == {"value": False}


def test_content_goes_encrypted_both_ways(
    node_peer: Calls, config: dict[str, Any], desk: Desk, receiver: Receiver
) -> None:
    number, notice = pay_by_page(node_peer, config, desk, receiver)
    query = {"out_trade_no": number}
    # With `validateSign` this SDK cannot verify a V2 answer that is a string; in V3 it can.
    v2, v3 = node_peer(
        config,
        ["exec", "alipay.trade.query", {"bizContent": query, "needEncrypt": True}],
        ["curl", "POST", "/v3/alipay/trade/query", {"body": query, "needEncrypt": True}],
    )
    assert v2["value"]["tradeNo"] == notice["trade_no"]
    assert v3["value"]["data"]["trade_no"] == notice["trade_no"]


def test_the_other_ways_to_pay(
    node_peer: Calls, config: dict[str, Any], desk: Desk, receiver: Receiver
) -> None:
    """A phone's browser and app, both kinds of code, and a mini program: as this SDK sends them."""
    wap, app, shown, scanned, asked, mini = (new_number() for _ in range(6))
    terms = {"total_amount": "8.88", "subject": SUBJECT}
    code = {name: desk.payment_code(behaviour=name) for name in ("pays", "asks")}
    at_till = {**terms, "scene": "bar_code"}
    buyer = {"buyer_id": "2088102168897047"}
    given = {"bizContent": {**terms, "out_trade_no": wap}, "notify_url": receiver.address}
    page, string, qr, paid, waits, made, again = node_peer(
        config,
        ["pageExecute", "alipay.trade.wap.pay", "GET", given],
        ["sdkExecute", "alipay.trade.app.pay", {"bizContent": {**terms, "out_trade_no": app}}],
        execute("alipay.trade.precreate", {**terms, "out_trade_no": shown}),
        execute(
            "alipay.trade.pay", {**at_till, "out_trade_no": scanned, "auth_code": code["pays"]}
        ),
        execute("alipay.trade.pay", {**at_till, "out_trade_no": asked, "auth_code": code["asks"]}),
        execute("alipay.trade.create", {**terms, **buyer, "out_trade_no": mini}),
        [
            "curl",
            "POST",
            "/v3/alipay/trade/create",
            {"body": {**terms, **buyer, "out_trade_no": mini}},
        ],
    )
    assert open_page(page["value"]).status_code == 200
    desk.pay(wap)
    assert receiver.next()["out_trade_no"] == wap
    desk.control("pay", {"order_string": string["value"]}).raise_for_status()
    assert qr["value"]["qrCode"].startswith("http")
    assert (paid["value"]["code"], paid["value"]["totalAmount"]) == ("10000", "8.88")
    assert waits["value"]["code"] == "10003"
    assert made["value"]["tradeNo"] == again["value"]["data"]["trade_no"]


def test_holds_and_agreements(
    node_peer: Calls, config: dict[str, Any], desk: Desk, receiver: Receiver
) -> None:
    """Money is frozen, taken and let go; an agreement is signed on its page: as this SDK sends them."""
    hold, taken, agreement = (new_number() for _ in range(3))
    freeze = {
        "out_order_no": hold,
        "out_request_no": hold,
        "order_title": "押金",
        "amount": "500.00",
        "product_code": "PRE_AUTH",
        "auth_code": desk.payment_code(),
        "auth_code_type": "bar_code",
    }
    sign = {
        "personal_product_code": "GENERAL_WITHHOLDING_P",
        "product_code": "GENERAL_WITHHOLDING",
        "sign_scene": "INDUSTRY|CARRENTAL",
        "external_agreement_no": agreement,
        "access_params": {"channel": "QRCODE"},
    }
    frozen, page = node_peer(
        config,
        execute("alipay.fund.auth.order.freeze", freeze),
        ["pageExecute", "alipay.user.agreement.page.sign", "GET", {"bizContent": sign}],
    )
    assert (frozen["value"]["code"], frozen["value"]["status"]) == ("10000", "SUCCESS")
    auth_no = frozen["value"]["authNo"]
    assert open_page(page["value"]).status_code == 200
    desk.control(f"agreements/{agreement}", {"action": "sign"}).raise_for_status()
    named = {name: sign[name] for name in ("external_agreement_no", "sign_scene")}
    named["personal_product_code"] = "GENERAL_WITHHOLDING_P"
    pay = {
        "out_trade_no": taken,
        "total_amount": "120.00",
        "subject": SUBJECT,
        "product_code": "PRE_AUTH",
        "auth_no": auth_no,
    }
    gone = {"auth_no": auth_no, "out_request_no": f"{hold}-r", "amount": "80.00", "remark": "退"}
    asked = {"out_order_no": hold, "out_request_no": hold}
    paid, released, left, signed, ended = node_peer(
        config,
        execute("alipay.trade.pay", pay),
        execute("alipay.fund.auth.order.unfreeze", gone),
        execute("alipay.fund.auth.operation.detail.query", asked),
        execute("alipay.user.agreement.query", named),
        execute("alipay.user.agreement.unsign", named),
    )
    assert paid["value"]["code"] == "10000"
    assert released["value"]["status"] == "SUCCESS"
    assert (left["value"]["orderStatus"], left["value"]["restAmount"]) == ("AUTHORIZED", "300.00")
    assert signed["value"]["status"] == "NORMAL"
    assert ended["value"]["code"] == "10000"


def test_a_hold_by_our_code_is_given_up_and_a_plan_is_moved(
    node_peer: Calls, config: dict[str, Any], desk: Desk
) -> None:
    """A code to freeze by, the end of a freeze that nobody confirmed, another planned day."""
    shown, given_up, agreement = (new_number() for _ in range(3))
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
    code, waits, cancelled, page = node_peer(
        config,
        execute("alipay.fund.auth.order.voucher.create", voucher),
        execute("alipay.fund.auth.order.freeze", freeze),
        execute("alipay.fund.auth.operation.cancel", cancel),
        ["pageExecute", "alipay.user.agreement.page.sign", "GET", {"bizContent": plan(agreement)}],
    )
    assert code["value"]["codeValue"].startswith("http")
    assert waits["value"]["status"] == "INIT"
    assert (cancelled["value"]["code"], cancelled["value"]["action"]) == ("10000", "close")
    assert open_page(page["value"]).status_code == 200
    desk.control(f"agreements/{agreement}", {"action": "sign"}).raise_for_status()
    named = {
        name: plan(agreement)[name]
        for name in ("external_agreement_no", "sign_scene", "personal_product_code")
    }
    [signed] = node_peer(config, execute("alipay.user.agreement.query", named))
    later = (business_day(datetime.now(UTC)) + timedelta(days=30)).isoformat()
    moving = {"agreement_no": signed["value"]["agreementNo"], "deduct_time": later}
    moved, after = node_peer(
        config,
        execute("alipay.user.agreement.executionplan.modify", moving),
        execute("alipay.user.agreement.query", named),
    )
    assert moved["value"]["code"] == "10000"
    assert after["value"]["nextDeductTime"] == later


def plan(agreement: str) -> dict[str, Any]:
    """An agreement to be charged every 7 days, first in 20."""
    first = business_day(datetime.now(UTC)) + timedelta(days=20)
    return {
        "personal_product_code": "CYCLE_PAY_AUTH_P",
        "product_code": "CYCLE_PAY_AUTH",
        "sign_scene": "INDUSTRY|DIGITAL_MEDIA",
        "external_agreement_no": agreement,
        "access_params": {"channel": "QRCODE"},
        "period_rule_params": {
            "period_type": "DAY",
            "period": 7,
            "execute_time": first.isoformat(),
            "single_amount": "30.00",
        },
    }


def test_another_key_is_refused_by_the_gateway(node_peer: Calls, desk: Desk) -> None:
    """The SDK verifies the refusal, which echoes what the gateway computed the signature over."""
    config = key_mode(desk) | {"privateKey": stranger_key()}
    v2, v3 = node_peer(
        config,
        execute("alipay.trade.query", {"out_trade_no": "x"}),
        ["curl", "POST", "/v3/alipay/trade/query", {"body": {"out_trade_no": "x"}}],
    )
    assert (v2["value"]["code"], v2["value"]["subCode"]) == ("40002", "isv.invalid-signature")
    assert "alipay.trade.query" in v2["value"]["subMsg"]
    assert v3["error"]["code"] == "invalid-signature"


def test_an_answer_under_another_key_is_not_believed(node_peer: Calls, desk: Desk) -> None:
    desk.control("faults", {"name": "gateway_bad_signature", "times": 1}).raise_for_status()
    [answer] = node_peer(
        key_mode(desk), execute("alipay.trade.query", {"out_trade_no": new_number()})
    )
    assert "验签失败" in answer["error"]["message"]


def stranger_key() -> str:
    """A private key that no app has, in the SDK's form: bare base64 of PKCS#1."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return base64.b64encode(der).decode()
