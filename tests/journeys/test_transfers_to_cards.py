"""Transfers to bank cards: the bank takes its time, may not take it, and may send it back when it has."""

from __future__ import annotations

import pytest

from daozhang.emulator.accounts import Business
from daozhang.emulator.switches import changed
from transferring import CARD, allow, at_alipay, numbers, posted, read, send, told
from worlds import World, open_gateway


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has transfers of its own; the merchant may send what it likes."""
    allow(shared_world)
    open_gateway(shared_world)
    return shared_world


def test_a_bank_takes_its_time_and_sends_it_back_after_it_had_it(world: World) -> None:
    number = send(world, payee=CARD)
    world.settle()
    assert read(world, number)["status"] == "dealing"
    assert posted(world, number) == ["transfer"]
    world.emulator.play_transfer(number, "arrive")
    world.settle()
    assert read(world, number)["status"] == "succeeded"
    world.emulator.play_transfer(number, "send_back")
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["attention"]) == ("returned", True)
    assert shown["paid_at"]
    assert told(world, number) == ["transfer.succeeded", "transfer.returned", "order.surprise"]
    assert posted(world, number) == ["transfer", "transfer_return"]
    story = world.api.get(f"/v1/transfers/{number}/story").json()
    kinds = [one["kind"] for one in story["entries"]]
    assert {"requested", "called", "succeeded", "returned", "surprise", "event"} <= set(kinds)
    assert all(one["say"] and one["say_zh"] for one in story["entries"])
    assert (story["next"], "6222020000000000001" in str(story)) == ([], False)
    world.advance(20 * 86400)
    (sent,) = at_alipay(world, number)
    seller = sent.request.seller_id
    listed = world.emulator.desk.accounts.of_number(seller, number)
    assert [one.business for one in listed] == [Business.TRANSFER, Business.TRANSFER_RETURN]
    assert read(world, number)["status"] == "returned"


def test_a_person_is_told_once_that_a_bank_considers_it_for_days(world: World) -> None:
    desk = world.emulator.desk
    app = world.emulator.credentials("shop")["app_id"]
    usual = desk.switches(app)
    desk.set_switches(app, changed(usual, {"card_transfer_seconds": 10 * 86400}))
    number = send(world, payee=CARD)
    world.settle()
    desk.set_switches(app, usual)
    world.advance(2 * 86400)
    assert (read(world, number)["status"], told(world, number)) == ("dealing", [])
    world.advance(2 * 86400)
    assert read(world, number)["attention"]
    assert told(world, number) == ["order.surprise"]
    surprises = world.api.get("/v1/surprises").json()["data"]
    (one,) = [surprise for surprise in surprises if surprise["out_trade_no"] == number]
    assert one["reason"] == "transfer_stays_dealing"
    dismissed = world.api.post(
        f"/v1/surprises/{one['id']}/dismiss", json={"note": "The bank is asked"}
    )
    assert dismissed.status_code == 200
    world.advance(7 * 86400)
    assert read(world, number)["status"] == "succeeded"
    resolved = "order.surprise_resolved"
    assert told(world, number) == ["order.surprise", resolved, "transfer.succeeded"]


def test_a_return_whose_message_is_lost_is_found_by_asking(world: World) -> None:
    number = f"T-{next(numbers)}"
    world.emulator.set_fault("notify_never", out_trade_no=number)
    send(world, number=number, payee=CARD)
    world.advance(6 * 3600)
    assert read(world, number)["status"] == "succeeded"
    # However often somebody asks, it is still looked at on the days on which a bank may send it back.
    for _ in range(8):
        assert world.api.post(f"/v1/transfers/{number}/query").status_code == 200
        world.settle()
    world.emulator.play_transfer(number, "send_back")
    world.settle()
    assert read(world, number)["status"] == "succeeded"
    world.advance(2 * 86400)
    assert read(world, number)["status"] == "returned"


def test_a_card_that_the_bank_does_not_take_fails_and_the_money_is_back(world: World) -> None:
    number = send(world, payee=CARD)
    world.settle()
    world.emulator.play_transfer(number, "fail")
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["last_code"]) == ("failed", "PAYEE_CARD_INFO_ERROR")
    assert told(world, number) == ["transfer.failed"]
    assert posted(world, number) == ["transfer", "transfer_return"]


def test_messages_twice_late_or_of_another_move_nothing_by_themselves(world: World) -> None:
    number = f"T-{next(numbers)}"
    world.emulator.set_fault("notify_twice", out_trade_no=number)
    send(world, number=number, payee=CARD)
    world.settle()
    content = {"out_biz_no": number, "status": "SUCCESS", "trans_amount": "50.00"}
    world.emulator.send_message("alipay.fund.trans.order.changed", content, app="shop")
    world.settle()
    assert read(world, number)["status"] == "dealing"
    wrong = content | {"trans_amount": "500.00"}
    world.emulator.send_message("alipay.fund.trans.order.changed", wrong, app="shop")
    world.settle()
    assert read(world, number)["attention"]
    assert told(world, number) == ["order.surprise"]
    world.emulator.play_transfer(number, "arrive")
    world.settle()
    assert told(world, number) == ["order.surprise", "transfer.succeeded"]
