"""The control plane: its routes, its refusals, and who may use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx2
import pytest
from starlette.testclient import TestClient

from daozhang.clock import ManualClock
from daozhang.emulator.app import create_emulator
from emulator.place import START, Merchant, Place


def test_pay_is_refused_while_nobody_has_opened_the_page(place: Place) -> None:
    place.http.get(place.merchant.page_address("c-1"))
    answer = place.http.post("/_control/pay", json={"out_trade_no": "c-1"})
    assert (answer.status_code, answer.json()["code"]) == (404, "TRADE_NOT_EXIST")
    place.merchant.open_page("c-1")
    paid = place.merchant.control("POST", "pay", out_trade_no="c-1", channel="bank_card")
    assert (paid["trade_status"], paid["channel"]) == ("TRADE_SUCCESS", "bank_card")
    again = place.http.post("/_control/pay", json={"out_trade_no": "c-1"})
    assert (again.status_code, again.json()["code"]) == (409, "TRADE_HAS_SUCCESS")


def test_an_app_payment_is_played_from_its_order_string(place: Place) -> None:
    terms = {"out_trade_no": "c-2", "total_amount": "1.00", "subject": "应用 支付"}
    method = "alipay.trade.app.pay"
    signed = place.merchant.signed(
        place.merchant.parameters(method, terms, notify_url=place.shop.notify_url)
    )
    order = "&".join(f"{name}={quote_plus(value)}" for name, value in signed.items())
    answer = place.merchant.control("POST", "pay", order_string=order)
    assert answer["resultStatus"] == "9000"
    result = answer["result"]
    content = json.loads(result)
    assert content["sign_type"] == "RSA2"
    node = result.removeprefix('{"alipay_trade_app_pay_response":').partition(',"sign":"')[0]
    assert place.merchant.alipay_signed(node.encode(), content["sign"])
    assert json.loads(node)["out_trade_no"] == "c-2"
    assert place.shop.received[0].text()["trade_status"] == "TRADE_SUCCESS"
    spoiled = place.http.post("/_control/pay", json={"order_string": order + "&x=1"})
    assert (spoiled.status_code, spoiled.json()["code"]) == (409, "isv.invalid-signature")


def test_a_refund_of_the_merchant_centre(place: Place) -> None:
    place.merchant.open_page("c-3", "10.00", notify_url=place.shop.notify_url)
    place.emulator.pay("c-3")
    trade = place.merchant.control(
        "POST", "refund", out_trade_no="c-3", amount="4.00", out_request_no="m"
    )
    assert trade["refunded_amount"] == "4.00"
    rest = place.merchant.control("POST", "refund", out_trade_no="c-3")
    assert (rest["trade_status"], rest["refunds"][1]["amount"]) == ("TRADE_CLOSED", "6.00")
    assert [got.text()["refund_fee"] for got in place.shop.received[1:]] == ["4.00", "10.00"]
    refused = place.http.post("/_control/refund", json={"out_trade_no": "c-3", "amount": "1.00"})
    assert (refused.status_code, refused.json()["code"]) == (409, "TRADE_HAS_CLOSE")


def test_trades_and_notifications_can_be_looked_at(place: Place) -> None:
    place.merchant.open_page("c-4", notify_url=place.shop.notify_url)
    place.emulator.pay("c-4")
    assert place.merchant.control("GET", "trades/c-4")["total_amount"] == "88.88"
    assert [t["out_trade_no"] for t in place.merchant.control("GET", "trades")["trades"]] == ["c-4"]
    (told,) = place.merchant.control("GET", "notifications?out_trade_no=c-4")["notifications"]
    (attempt,) = told["attempts"]
    assert attempt["body"].encode() == place.shop.received[0].body
    assert (attempt["answer"], attempt["acknowledged"], attempt["status"]) == ("success", True, 200)
    assert attempt["at"]
    assert place.merchant.control("GET", "notifications?out_trade_no=x")["notifications"] == []


def test_the_clock_moves_forward_only(place: Place) -> None:
    before = place.clock.now()
    place.merchant.control("POST", "clock", advance_seconds=90)
    assert (place.clock.now() - before).total_seconds() == 90
    assert place.merchant.control("GET", "clock")["now"] == place.clock.now().isoformat()
    refused = place.http.post("/_control/clock", json={"advance_seconds": -1})
    assert refused.status_code == 400


def test_faults_are_set_listed_and_cleared(place: Place) -> None:
    place.merchant.control("POST", "faults", name="slow", seconds=0.1, times=2, probability=0.5)
    (fault,) = place.merchant.control("GET", "faults")["faults"]
    assert (fault["name"], fault["times"], fault["seconds"]) == ("slow", 2, 0.1)
    assert place.merchant.control("DELETE", "faults") == {"faults": []}
    assert place.merchant.control("GET", "faults") == {"faults": []}


def test_switches_are_read_and_changed_in_part(place: Place) -> None:
    path = f"switches/{place.merchant.app_id}"
    assert place.merchant.control("GET", path)["refund_window_days"] == 365
    changed = place.merchant.control("POST", path, wap={"closed": False})
    assert changed["wap"] == {
        "created": False, "closed": False, "finished": True, "partial_refund": True, "full_refund": True,
    }  # fmt: skip
    assert place.http.get("/_control/switches/1").json()["code"] == "APP_NOT_EXIST"


def test_reset_forgets_everything_but_keys_and_clock(place: Place) -> None:
    place.merchant.open_page("c-5")
    place.emulator.set_fault("slow")
    now = place.clock.now()
    place.merchant.control("POST", "reset")
    assert place.emulator.trades == []
    assert place.merchant.control("GET", "faults") == {"faults": []}
    assert place.clock.now() == now
    assert place.merchant.call("alipay.trade.query", {"out_trade_no": "1"})["code"] == "40004"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pay", []),
        ("pay", {"out_trade_no": 1}),
        ("pay", {"out_trade_no": "1", "channel": "gold"}),
        ("pay", {"out_trade_no": "1", "amount": "1.00"}),
        ("clock", {}),
        ("clock", {"advance_seconds": "1"}),
        ("clock", {"advance_seconds": 1e12}),
        ("faults", {"name": "rain"}),
        ("faults", {"name": "slow", "times": 0}),
        ("faults", {"name": "slow", "times": 1.5}),
        ("faults", {"name": "slow", "probability": 2}),
        ("refund", {"out_trade_no": 5}),
        ("reset", {"seed": "x"}),
    ],
)
def test_a_body_of_the_wrong_kind_is_a_400_with_a_sentence(
    place: Place, path: str, body: Any
) -> None:
    answer = place.http.post(f"/_control/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_BODY"
    assert answer.json()["message"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"nul", b'{"a":1'])
def test_a_body_that_is_no_json_is_a_400(place: Place, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = place.http.post("/_control/pay", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")


def test_pages_of_other_sites_are_kept_out(place: Place) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        answer = place.http.post("/_control/reset", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    plain = place.http.post(
        "/_control/reset", content=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert plain.status_code == 415


def test_other_machines_need_the_token(data_dir: Path) -> None:
    emulator = create_emulator(
        data_dir / "guarded", clock=ManualClock(START), control_token="secret"
    )
    with TestClient(
        emulator.asgi, client=("192.0.2.7", 5000), base_url="http://desk.example"
    ) as far:
        assert far.get("/_control/faults").status_code == 403
        wrong = far.get("/_control/faults", headers={"Authorization": "Bearer else"})
        assert wrong.status_code == 403
        right = far.get("/_control/faults", headers={"Authorization": "Bearer secret"})
        assert right.json() == {"faults": []}


def test_two_sellers_with_one_number_need_the_app_id(place: Place) -> None:
    other = place.emulator.credentials("second-shop")
    second = type(place.merchant)(other, place.http, place.clock)
    place.merchant.open_page("same")
    second.open_page("same", "1.00")
    answer = place.http.post("/_control/pay", json={"out_trade_no": "same"})
    assert (answer.status_code, answer.json()["code"]) == (409, "AMBIGUOUS")
    paid = place.merchant.control("POST", "pay", out_trade_no="same", app_id=second.app_id)
    assert paid["total_amount"] == "1.00"


def test_notifications_may_go_through_a_transport_instead_of_the_network(data_dir: Path) -> None:
    got: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        got.append(request.content)
        return httpx2.Response(200, content=b"success")

    clock = ManualClock(START)
    emulator = create_emulator(
        data_dir / "transport", clock=clock, transport=httpx2.MockTransport(answer)
    )
    with TestClient(emulator.asgi) as client:
        merchant = Merchant(emulator.credentials(), client, clock)  # pyright: ignore[reportArgumentType]
        client.get(merchant.page_address("m-1", notify_url="http://nowhere.example/"))
        emulator.pay("m-1")
    assert len(got) == 1


def test_a_message_needs_an_address(place: Place) -> None:
    body = {"app_id": place.merchant.app_id, "msg_method": "alipay.test.said"}
    refused = place.http.post("/_control/messages", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "NO_GATEWAY_URL")
    unknown = place.http.post("/_control/messages", json={**body, "app_id": "1"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "APP_NOT_EXIST")
    place.merchant.control(
        "POST", f"switches/{place.merchant.app_id}", gateway_url=place.shop.notify_url
    )
    sent = place.merchant.control("POST", "messages", **body, content={"a": "1"})
    assert sent["occasion"] == "message"
    assert b"msg_method=alipay.test.said" in place.shop.received[-1].body


def test_a_bank_takes_only_what_goes_to_a_card(place: Place) -> None:
    place.merchant.open_page("c-bank", "10.00")
    place.emulator.pay("c-bank", channel="balance")
    place.emulator.refund("c-bank", None, "r1")
    body = {"out_trade_no": "c-bank", "out_request_no": "r1"}
    refused = place.http.post("/_control/bank_returns", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "TRADE_NOT_EXIST")
