"""Holds: money is frozen, taken in parts and let go, and what remains is always known."""

from __future__ import annotations

from typing import Any

import pytest

from daozhang.emulator.switches import changed
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.merchants.outgoing import turn_outgoing
from holding import capture, create, frozen, parts, read, release, scan, told
from worlds import World

FREEZE = "alipay.fund.auth.order.freeze"
UNFREEZE = "alipay.fund.auth.order.unfreeze"
QUERY = "alipay.fund.auth.operation.detail.query"
CANCEL = "alipay.fund.auth.operation.cancel"
PAY = "alipay.trade.pay"
GRACE_SECONDS = 60


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has holds of its own."""
    return shared_world


# ---- frozen, taken, let go


def test_from_the_freeze_to_the_last_fen(world: World) -> None:
    number = frozen(world, operator_id="li", store_id="sh-1", metadata={"room": "8"})
    shown = read(world, number)
    assert shown["auth_no"]
    assert shown["payer_user_id"].startswith("2088")
    assert (shown["operator_id"], shown["metadata"]) == ("li", {"room": "8"})
    assert parts(world, number) == ("500.00", "0.00", "0.00", "500.00")

    capture(world, number, "120.00", f"{number}-c1")
    release(world, number, "80.00", f"{number}-r1")
    world.settle()
    assert parts(world, number) == ("500.00", "120.00", "80.00", "300.00")
    order = world.read(f"{number}-c1")
    assert (order["status"], order["way"], order["store_id"]) == ("paid", "hold", "sh-1")
    assert world.events(f"{number}-c1") == ["order.paid"]

    capture(world, number, "99.99", f"{number}-c2", complete=True)
    world.settle()

    assert read(world, number)["status"] == "finished"
    assert parts(world, number) == ("500.00", "219.99", "280.01", "0.00")
    assert told(world, number) == [
        "hold.authorized", "hold.released", "hold.finished", "hold.released",
    ]  # fmt: skip
    (hold,) = [one for one in world.emulator.holds if one.number == number]
    assert (hold.rest, hold.status.value) == (Money.zero(), "FINISH")
    # The rest was let go by Alipay, without a number of ours.
    rows = [
        (r["out_request_no"], r["origin"], r["amount"]) for r in read(world, number)["releases"]
    ]
    assert rows == [(f"{number}-r1", "ours", "80.00"), (None, "external", "200.01")]


def test_a_refund_of_what_was_taken_goes_to_the_payer_not_into_the_hold(world: World) -> None:
    number = frozen(world)
    capture(world, number, "100.00", f"{number}-c1")
    world.settle()
    world.refund(f"{number}-c1", "100.00", f"{number}-b1")
    world.settle()
    world.advance(10)
    assert world.read(f"{number}-c1")["status"] == "refunded"
    assert parts(world, number) == ("500.00", "100.00", "0.00", "400.00")


def test_the_same_again_is_the_same_and_something_else_is_refused(world: World) -> None:
    number = frozen(world)
    first = capture(world, number, "10.00", f"{number}-c1")
    world.settle()
    again = capture(world, number, "10.00", f"{number}-c1")
    assert (first["out_trade_no"], again["status"]) == (again["out_trade_no"], "paid")
    release(world, number, "10.00", f"{number}-r1")
    world.settle()
    assert release(world, number, "10.00", f"{number}-r1")["status"] == "succeeded"
    assert parts(world, number) == ("500.00", "10.00", "10.00", "480.00")

    def code(path: str, **body: Any) -> str:
        answer = world.api.post(f"/v1/holds{path}", json=body)
        assert answer.status_code in (404, 409, 422), answer.text
        assert answer.json()["detail_zh"]
        return answer.json()["code"]

    paid = {"out_trade_no": f"{number}-c1", "subject": "Room"}
    assert code(f"/{number}/captures", amount="11.00", **paid) == "order_conflict"
    assert code(f"/{number}/captures", amount="10.00", complete=True, **paid) == "hold_conflict"
    gone = {"out_request_no": f"{number}-r1"}
    assert code(f"/{number}/releases", amount="11.00", **gone) == "hold_conflict"
    assert code(f"/{number}/releases", amount="1.00", out_request_no=number) == "hold_conflict"
    more = {"out_trade_no": f"{number}-c2", "subject": "Room", "amount": "480.01"}
    assert code(f"/{number}/captures", **more) == "amount_exceeds_hold"
    assert code(f"/{number}/releases", amount="480.01", out_request_no="x") == "amount_exceeds_hold"
    assert code(f"/{number}/cancel") == "hold_not_cancellable"
    assert code(f"/{number}/qr_code") == "hold_way_differs"
    assert code("/none/cancel") == "hold_not_found"
    content = {"out_order_no": number, "amount": "1.00", "title": "Deposit", "way": "barcode"}
    assert code("", **content) == "hold_conflict"
    fresh = create(world)
    assert code(f"/{fresh}/captures", **more | {"out_trade_no": "y"}) == "hold_not_authorized"
    assert code(f"/{fresh}/barcode", auth_code="6901234567892") == "payment_code_invalid"
    listed = world.api.get("/v1/holds", params={"status": "created", "limit": 1}).json()
    assert listed["data"][0]["out_order_no"] == fresh


# ---- how the buyer confirms


def test_a_scanned_code_of_ours_freezes(world: World) -> None:
    number = create(world, "qr")
    made = world.api.post(f"/v1/holds/{number}/qr_code").json()
    picture = world.api.get(made["svg_url"])
    assert picture.headers["content-type"] == "image/svg+xml"
    world.advance(30)
    assert read(world, number)["status"] == "created"  # nobody has scanned it: Alipay has no hold

    world.emulator.play_hold(number)
    world.settle()

    assert read(world, number)["status"] == "authorized"
    assert told(world, number) == ["hold.authorized"]


@pytest.mark.parametrize("is_told", [True, False])
def test_an_app_freezes_by_an_order_string(world: World, is_told: bool) -> None:
    number = create(world, "app")
    made = world.api.post(f"/v1/holds/{number}/app_hold").json()
    if not is_told:
        world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.freeze_in_app(made["order_string"])
    if not is_told:
        world.settle()
        assert told(world, number) == []
        world.advance(120)  # silence is asked about
    world.settle()
    assert read(world, number)["product_code"] == "PREAUTH_PAY"
    assert told(world, number) == ["hold.authorized"]
    capture(world, number, "500.00", f"{number}-c1")
    world.settle()
    world.advance(1)
    assert parts(world, number) == ("500.00", "500.00", "0.00", "0.00")


def test_the_phone_is_asked_and_the_buyer_confirms(world: World) -> None:
    number = create(world)
    assert scan(world, number, "asks")["status"] == "waiting"
    world.advance(6)
    world.emulator.play_hold(number)
    world.settle()
    assert read(world, number)["status"] == "authorized"
    assert told(world, number) == ["hold.authorized"]


def test_nobody_confirms_and_it_is_given_up(world: World) -> None:
    number = create(world)
    assert scan(world, number, "asks")["status"] == "waiting"
    world.advance(world.service.context.settings.till_wait_seconds + 10)
    shown = read(world, number)
    assert (shown["status"], shown["closed_reason"]) == ("closed", "expiry")
    assert told(world, number) == ["hold.closed"]
    (hold,) = [one for one in world.emulator.holds if one.number == number]
    assert hold.status.value == "CLOSED"


def test_nobody_scans_the_code_in_time(world: World) -> None:
    number = create(world, "qr")
    world.api.post(f"/v1/holds/{number}/qr_code")
    life = world.service.context.settings.order_expiry_seconds
    world.advance(life + GRACE_SECONDS + 400)
    assert read(world, number)["status"] == "closed"
    assert told(world, number) == ["hold.closed"]
    again = world.api.post(f"/v1/holds/{number}/qr_code")
    assert again.json()["code"] == "hold_not_open"


@pytest.mark.parametrize(
    ("sub_code", "words"),
    [
        ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "余额不足"),
        ("PAYER_USER_STATUS_LIMIT", "95188"),
        ("USER_FACE_PAYMENT_SWITCH_OFF", "未开启当面付"),
        ("ERROR_BALANCE_PAYMENT_DISABLE", "关闭余额支付"),
        ("PULL_MOBILE_CASHIER_FAIL", "无法唤起"),
        ("EXIST_FORBIDDEN_WORD", "违禁词"),
        ("PAYEE_NOT_EXIST", "收款方"),
    ],
)
def test_a_freeze_that_is_refused_is_undone_and_confirmed(
    world: World, sub_code: str, words: str
) -> None:
    number = create(world)
    # Refused, and a hold is left: a no does not prove that nothing is there.
    shown = scan(world, number, "declines", sub_code=sub_code)
    assert shown["status"] == "closing"
    assert words in shown["message_zh"]
    assert shown["message"]
    world.settle()
    world.advance(5)
    assert read(world, number)["status"] == "closed"
    assert told(world, number) == ["hold.closed"]
    another = world.api.post(
        f"/v1/holds/{number}/barcode", json={"auth_code": world.emulator.payment_code()}
    )
    assert another.json()["code"] == "hold_not_open"


def test_a_refused_freeze_that_left_nothing_closes_too(world: World) -> None:
    number = create(world)
    assert scan(world, number, "dies")["status"] == "closing"
    world.advance(600)
    assert read(world, number)["status"] == "closed"
    assert told(world, number) == ["hold.closed"]


def test_the_merchant_gives_it_up(world: World) -> None:
    number = create(world)
    scan(world, number, "asks")
    answer = world.api.post(f"/v1/holds/{number}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "closed")
    assert world.api.post(f"/v1/holds/{number}/cancel").json()["status"] == "closed"
    assert told(world, number) == ["hold.closed"]


# ---- weather


def test_a_freeze_without_an_answer_is_asked_about(world: World) -> None:
    number = create(world)
    world.emulator.set_fault(
        "gateway_timeout_after_success", method=FREEZE, out_trade_no=number, times=1, seconds=0
    )
    world.emulator.set_fault("notify_never", out_trade_no=number)
    assert scan(world, number)["status"] == "created"
    world.advance(10)
    assert read(world, number)["status"] == "authorized"
    assert told(world, number) == ["hold.authorized"]


def test_money_frozen_while_it_is_given_up_goes_back_unannounced(world: World) -> None:
    number = create(world)
    scan(world, number, "asks")
    world.emulator.set_fault("gateway_20000", method=CANCEL, out_trade_no=number, times=4)
    assert world.api.post(f"/v1/holds/{number}/cancel").status_code == 202
    world.emulator.play_hold(number)
    world.settle()
    assert read(world, number)["status"] == "closing"
    world.advance(60)
    assert read(world, number)["status"] == "closed"
    assert told(world, number) == ["hold.closed"]


def test_a_cancel_that_is_refused_leaves_the_money_to_a_person(world: World) -> None:
    number = create(world, "app")
    made = world.api.post(f"/v1/holds/{number}/app_hold").json()
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.freeze_in_app(made["order_string"])
    # Somebody has let a part of it go in the merchant centre: it cannot be cancelled any more.
    world.emulator.play_hold(number, "release", amount=Money.parse("1.00"))
    world.api.post(f"/v1/holds/{number}/cancel")
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["attention"]) == ("authorized", True)
    assert told(world, number) == ["order.surprise", "hold.authorized", "hold.released"]
    assert parts(world, number) == ("500.00", "0.00", "1.00", "499.00")
    # Nothing is taken from it by itself, but it can be let go.
    refused = world.api.post(
        f"/v1/holds/{number}/captures",
        json={"out_trade_no": f"{number}-c", "amount": "1.00", "subject": "Room"},
    )
    assert refused.json()["code"] == "hold_not_authorized"
    release(world, number, "499.00", f"{number}-r")
    world.settle()
    assert read(world, number)["status"] == "finished"


@pytest.mark.parametrize("fault", ["gateway_timeout_after_success", "gateway_20000"])
def test_a_release_of_which_nobody_knows_goes_once(world: World, fault: str) -> None:
    number = frozen(world)
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault(fault, method=UNFREEZE, times=1, seconds=0)
    release(world, number, "200.00", f"{number}-r1")
    world.settle()
    shown = read(world, number)
    assert shown["releases"][0]["status"] == "unknown"
    assert shown["balance"]["releasing_amount"] == "200.00"
    assert shown["balance"]["remaining_amount"] == "300.00"
    world.advance(60)
    assert parts(world, number) == ("500.00", "0.00", "200.00", "300.00")
    assert told(world, number).count("hold.released") == 1


def test_a_release_that_alipay_refuses_is_over(world: World) -> None:
    number = frozen(world)
    world.emulator.play_hold(number, "release", amount=Money.parse("450.00"))
    # The notice of it is on its way; ours is refused, for less is left than we know.
    world.emulator.set_fault("notify_never", out_trade_no=number)
    answer = world.api.post(
        f"/v1/holds/{number}/releases", json={"out_request_no": f"{number}-r1", "amount": "60.00"}
    )
    if answer.status_code == 202:
        world.settle()
        (row,) = [r for r in read(world, number)["releases"] if r["origin"] == "ours"]
        assert (row["status"], row["last_code"]) == ("failed", "REQUEST_AMOUNT_EXCEED")
        assert "剩余冻结金额" in row["message_zh"]
        assert "hold.release_failed" in told(world, number)
    world.advance(5)
    assert parts(world, number) == ("500.00", "0.00", "450.00", "50.00")


@pytest.mark.parametrize("fault", ["gateway_timeout_after_success", "gateway_20000"])
def test_a_payment_of_which_nobody_knows_is_taken_once(world: World, fault: str) -> None:
    number = frozen(world)
    own = f"{number}-c1"
    world.emulator.set_fault(fault, method=PAY, out_trade_no=own, times=1, seconds=0)
    world.emulator.set_fault("notify_never", out_trade_no=own)
    capture(world, number, "200.00", own)
    world.settle()
    assert read(world, number)["balance"]["remaining_amount"] == "300.00"
    world.advance(60)
    assert world.read(own)["status"] == "paid"
    assert parts(world, number) == ("500.00", "200.00", "0.00", "300.00")
    assert world.events(own) == ["order.paid"]


def test_a_payment_that_alipay_refuses_is_closed_and_its_money_is_free_again(world: World) -> None:
    number = frozen(world)
    # More is asked for than Alipay has left: somebody else let it go, and we do not know yet.
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.play_hold(number, "release", amount=Money.parse("400.00"))
    own = f"{number}-c1"
    capture(world, number, "150.00", own)
    world.settle()
    order = world.read(own)
    assert (order["status"], order["closing_reason"]) == ("closing", "refused")
    (shown,) = read(world, number)["captures"]
    assert shown["last_code"] == "ACQ.AUTH_AMOUNT_NOT_ENOUGH"
    assert "剩余冻结金额" in shown["message_zh"]
    world.advance(40)
    order = world.read(own)
    assert (order["status"], order["closed_reason"]) == ("closed", "refused")
    assert world.events(own) == ["order.closed"]
    assert parts(world, number) == ("500.00", "0.00", "400.00", "100.00")


def test_a_switch_that_stops_money_stops_taking_and_letting_go(world: World) -> None:
    number = frozen(world)
    context = world.service.context
    with context.database.begin() as tx:
        turn_outgoing(tx, context, 1, allowed=False, reason="night", actor=SYSTEM)
    try:
        body = {"out_trade_no": f"{number}-c1", "amount": "1.00", "subject": "Room"}
        answer = world.api.post(f"/v1/holds/{number}/captures", json=body)
        assert answer.json()["code"] == "outgoing_stopped"
        gone = {"out_request_no": "r", "amount": "1.00"}
        answer = world.api.post(f"/v1/holds/{number}/releases", json=gone)
        assert answer.json()["code"] == "outgoing_stopped"
    finally:
        with context.database.begin() as tx:
            turn_outgoing(tx, context, 1, allowed=True, reason="day", actor=SYSTEM)
    assert parts(world, number) == ("500.00", "0.00", "0.00", "500.00")


def test_what_alipay_lets_go_by_age_is_learned_without_being_told(world: World) -> None:
    number = frozen(world)
    app_id = world.emulator.credentials("shop")["app_id"]
    world.emulator.set_fault("notify_never", out_trade_no=number)
    desk = world.emulator.desk
    desk.set_switches(app_id, changed(desk.switches(app_id), {"hold_days": 2}))
    try:
        world.advance(3 * 24 * 3600)
    finally:
        desk.set_switches(app_id, changed(desk.switches(app_id), {"hold_days": 365}))
    assert read(world, number)["status"] == "finished"
    assert parts(world, number) == ("500.00", "0.00", "500.00", "0.00")
    assert told(world, number) == ["hold.authorized", "hold.finished", "hold.released"]
