"""Sharing: what comes back of shares with a refund, whoever gives it back."""

from __future__ import annotations

from typing import Any

import pytest

from daozhang.money import Money
from daozhang.service.ledger.model import Account
from sharing import (
    AGENCY,
    COURIER,
    booked,
    code_of,
    paid,
    ready,
    refund,
    rounds,
    shared,
    standing,
    sums,
)
from worlds import World

SETTLE = "alipay.trade.order.settle"
QUERY = "alipay.trade.order.settle.query"
REFUND = "alipay.trade.refund"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has orders of its own; everybody is bound."""
    ready(shared_world)
    return shared_world


def paid_at_the_till(world: World, amount: str = "100.00") -> str:
    """An order face to face: there Alipay takes shares back by itself."""
    number = world.order(amount, way="barcode")
    code = {"auth_code": world.emulator.payment_code()}
    assert world.api.post(f"/v1/orders/{number}/barcode_payment", json=code).status_code == 200
    world.settle()
    return number


def lost(world: World, number: str, own: str, *parts: tuple[str, str]) -> None:
    """Shares, and nobody can be asked whether it was carried out."""
    world.emulator.set_fault("gateway_timeout_after_success", method=QUERY)
    world.emulator.set_fault("gateway_timeout_after_success", method=SETTLE, times=1, seconds=0)
    shared(world, number, own, *parts)


def given_back(world: World, number: str) -> dict[str, str]:
    """What each receiver has given back of an order, by Alipay's books."""
    trade_no = world.read(number)["trade_no"]
    back: dict[str, Money] = {}
    for one in world.emulator.desk.sharing.returns(trade_no):
        back[one.trans_out] = back.get(one.trans_out, Money(0)) + one.amount
    return {account: str(amount) for account, amount in back.items()}


def test_a_refund_takes_back_what_the_seller_has_not_left(world: World) -> None:
    number = paid(world)
    shared(world, number, "H-1", (AGENCY, "20.00"), (COURIER, "5.00"))
    assert refund(world, number, "70.00", "h1").status_code == 201
    world.settle()
    assert standing(world, number)[0][3] == "0.00"  # the seller had 75.00 left
    assert refund(world, number, "29.00", "h2").status_code == 201
    assert sums(world, number) == ("70.00", "29.00", "1.00", "0.00")
    world.settle()
    world.advance(5)

    assert sums(world, number) == ("99.00", "0.00", "1.00", "0.00")
    assert standing(world, number) == [
        (AGENCY, "20.00", "succeeded", "20.00"),
        (COURIER, "5.00", "succeeded", "4.00"),
    ]
    kept = world.emulator.desk.accounts
    trade_no = world.read(number)["trade_no"]
    assert [str(one.amount) for one in kept.of_number(COURIER, trade_no)] == ["5.00", "-4.00"]
    assert world.events(number).count("share.returned") == 2
    held = booked(world, number)
    assert (held[Account.ROYALTY], held[Account.REFUNDS]) == (100, 9900)
    assert code_of(refund(world, number, "1.01", "h3")) == "amount_exceeds_remainder"
    nobody = {"royalty_type": "transfer", "trans_out": AGENCY, "amount": "0.01"}
    answer = refund(world, number, "1.00", "h4", refund_royalty_parameters=[nobody])
    assert code_of(answer) == "returns_needed"
    assert answer.json()["holders"] == [{"account": COURIER, "amount": "1.00"}]


def test_a_refund_in_the_merchant_centre_leaves_nothing_rather_than_less(world: World) -> None:
    number = paid(world)
    shared(world, number, "Q-1", (AGENCY, "20.00"), (COURIER, "5.00"))
    world.emulator.refund(number, Money.parse("90.00"), "CENTRE")
    world.settle()
    # The seller has paid what the receivers still have.
    assert sums(world, number) == ("90.00", "0.00", "25.00", "0.00")
    assert world.api.get(f"/v1/orders/{number}/shares").json()["shareable_amount"] == "0.00"
    assert code_of(refund(world, number, "10.01", "q1")) == "amount_exceeds_remainder"
    assert refund(world, number, "10.00", "q2").status_code == 201
    world.settle()
    world.advance(5)
    # No receiver gives back more than a refund sends; the rest is between them and the seller.
    assert sums(world, number) == ("100.00", "0.00", "0.00", "0.00")
    (round_,) = rounds(world, number)
    covered = [(one["returned_amount"], one["covered_amount"]) for one in round_["shares"]]
    assert covered == [("5.00", "15.00"), ("5.00", "0.00")]
    held = booked(world, number)
    assert (held[Account.REFUNDS], held[Account.ROYALTY]) == (10000, 1500)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ("receivers_first", [("20.00", "20.00"), ("5.00", "5.00")]),
        ("pro_rata", [("20.00", "10.00"), ("5.00", "2.50")]),
    ],
)
def test_in_the_order_that_the_plan_says(
    world: World, returns: str, expected: list[tuple[str, str]]
) -> None:
    number = paid(world)
    shared(world, number, f"I-{returns}", (AGENCY, "20.00"), (COURIER, "5.00"), returns=returns)
    refund(world, number, "50.00", f"i-{returns}")
    world.settle()
    assert [(one[1], one[3]) for one in standing(world, number)] == expected


def test_face_to_face_alipay_takes_it_back_by_itself(world: World) -> None:
    number = paid_at_the_till(world)
    shared(world, number, "O-1", (AGENCY, "20.00"), (COURIER, "5.00"))
    answer = refund(world, number, "50.00", "o1")
    assert answer.json()["refund_royalty_parameters"] == []
    world.advance(15)  # who gave back how much, only the query tells
    assert [(one[1], one[3]) for one in standing(world, number)] == [
        ("20.00", "10.00"),
        ("5.00", "2.50"),
    ]
    trade = world.read(number)["trade_no"]
    back = world.emulator.desk.sharing.returns(trade)
    assert [(one.trans_out, str(one.amount)) for one in back] == [
        (AGENCY, "10.00"),
        (COURIER, "2.50"),
    ]


def test_a_message_that_comes_twice_or_for_another_trade(world: World) -> None:
    number, other = paid(world), paid(world)
    world.emulator.set_fault("notify_never")
    shared(world, number, "P-1", (AGENCY, "20.00"), mode="async")
    world.emulator.clear_faults()
    content: dict[str, Any] = {
        "msg_type": "ASYNC_SETTLE_RESULT",
        "out_request_no": "P-1",
        "settle_no": "2026",
        "trade_no": world.read(other)["trade_no"],
        "royalty_detail_list": [
            {
                "operation_type": "transfer",
                "trans_in": AGENCY,
                "amount": "20.00",
                "state": "SUCCESS",
            }
        ],
    }
    method = "alipay.trade.order.settle.notify"
    world.emulator.send_message(method, content, app="shop")
    world.settle()
    assert rounds(world, number)[0]["status"] == "accepted"
    assert world.events(number) == ["order.paid", "order.surprise"]
    content["trade_no"] = world.read(number)["trade_no"]
    for _ in range(2):
        world.emulator.send_message(method, content, app="shop")
        world.settle()
    world.advance(60)
    assert sums(world, number) == ("0.00", "0.00", "20.00", "80.00")
    assert world.events(number) == ["order.paid", "order.surprise", "share.succeeded"]


@pytest.mark.parametrize("how", ["unauthorised", "insolvent"])
@pytest.mark.parametrize("cover", ["person", "seller"])
def test_when_a_receiver_cannot_give_back(world: World, how: str, cover: str) -> None:
    own = f"{how}-{cover}"
    world.api.put("/v1/sharing", json={"when_receiver_cannot_return": cover})
    number = paid(world)
    shared(world, number, f"J-{own}", (AGENCY, "20.00"))
    world.emulator.set_receiver(AGENCY, gives_back=how)
    refund(world, number, "90.00", own)
    world.settle()
    world.advance(5)

    (asked,) = world.refunds(number)
    if cover == "seller":
        assert asked["status"] == "succeeded"
        assert sums(world, number) == ("90.00", "0.00", "10.00", "0.00")
        assert rounds(world, number)[0]["shares"][0]["covered_amount"] == "10.00"
        assert "share.returned" not in world.events(number)
        return
    assert asked["status"] == "failed"
    assert sums(world, number) == ("0.00", "0.00", "20.00", "80.00")
    assert world.events(number)[-2:] == ["refund.failed", "order.surprise"]
    # A person decides: the seller pays it.
    refund(world, number, "90.00", f"{own}-2", returns="seller")
    world.settle()
    world.advance(5)
    assert [one["status"] for one in world.refunds(number)] == ["failed", "succeeded"]
    assert sums(world, number)[0] == "90.00"


def test_a_refund_that_nobody_knows_of_keeps_what_comes_back(world: World) -> None:
    number = paid(world)
    shared(world, number, "K-1", (AGENCY, "20.00"))
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault("gateway_timeout_after_success", method=REFUND, times=1)
    refund(world, number, "90.00", "k1")
    world.settle()
    (one,) = rounds(world, number)[0]["shares"]
    assert (one["returning_amount"], one["returned_amount"]) == ("10.00", "0.00")
    # What is on its way back cannot be given back twice: all of it is spoken for.
    assert code_of(refund(world, number, "10.01", "k2")) == "amount_exceeds_remainder"
    world.advance(60)
    (one,) = rounds(world, number)[0]["shares"]
    assert (one["returning_amount"], one["returned_amount"]) == ("0.00", "10.00")


def test_what_is_missing_is_said_and_from_whom(world: World) -> None:
    number = paid(world)
    world.emulator.set_fault("gateway_timeout_after_success", method=QUERY)
    world.emulator.set_fault("gateway_timeout_after_success", method=SETTLE, times=1)
    shared(world, number, "L-1", (AGENCY, "20.00"))
    answer = refund(world, number, "90.00", "l1")
    assert code_of(answer) == "amount_exceeds_remainder"  # nobody knows yet whether it is shared
    world.emulator.clear_faults()
    world.advance(60)
    assert refund(world, number, "90.00", "l1").status_code == 201


@pytest.mark.parametrize("is_early", [False, True], ids=["shared before", "shares under way"])
def test_face_to_face_alipay_says_how_much_came_back(world: World, is_early: bool) -> None:
    number = paid_at_the_till(world)
    own = f"F2F-{is_early}"
    if is_early:
        world.emulator.set_fault("gateway_timeout_after_success", method=SETTLE, times=1, seconds=0)
    shared(world, number, own, (AGENCY, "19.99"), (COURIER, "5.55"))
    # Asked for at once: what comes back with the second depends on the first, which Alipay carries out.
    for index, amount in enumerate(("33.33", "21.01", "7.77")):
        assert refund(world, number, amount, f"{own}-{index}").status_code == 201
    world.advance(120)

    trade = world.emulator.trade(number)
    given_back = {AGENCY: Money(0), COURIER: Money(0)}
    for one in world.emulator.desk.sharing.returns(trade.trade_no):
        given_back[one.trans_out] += one.amount
    assert given_back[AGENCY] > Money(0)
    assert {account: back for account, _, _, back in standing(world, number)} == {
        account: str(amount) for account, amount in given_back.items()
    }
    held = booked(world, number)
    assert held[Account.ROYALTY] == 2554 - Money.total(given_back.values()).minor
    assert sums(world, number)[:2] == ("62.11", "0.00")
    # All of it went back: nobody has anything any more.
    assert refund(world, number, "37.89", f"{own}-rest").status_code == 201
    world.advance(120)
    assert sums(world, number) == ("100.00", "0.00", "0.00", "0.00")


def test_face_to_face_what_was_reckoned_of_others_gives_way_to_what_is_told(world: World) -> None:
    number = paid_at_the_till(world, "9.99")
    shared(world, number, "TOLD", (AGENCY, "0.99"), (COURIER, "0.55"))
    # With the last too much was expected to come back: what the second took by Alipay's word did not fit beside it.
    for index, amount in enumerate(("4.64", "3.49", "1.60")):
        assert refund(world, number, amount, f"TOLD-{index}").status_code == 201
    world.advance(120)
    assert sums(world, number)[:2] == ("9.73", "0.00")
    assert {one[0]: one[3] for one in standing(world, number)} == given_back(world, number)


@pytest.mark.parametrize("is_asked_again", [False, True], ids=["at once", "asked again"])
def test_face_to_face_what_came_back_before_a_share_was_known(
    world: World, is_asked_again: bool
) -> None:
    number, own = paid_at_the_till(world), f"LATE-{is_asked_again}"
    lost(world, number, own, (AGENCY, "20.00"), (COURIER, "5.00"))
    assert refund(world, number, "50.00", own).status_code == 201
    world.advance(11 * 60)  # it waits no longer
    assert [one["status"] for one in world.refunds(number)] == ["succeeded"]
    assert rounds(world, number)[0]["status"] == "unknown"

    world.emulator.clear_faults()
    if is_asked_again:
        fastpay = "alipay.trade.fastpay.refund.query"
        world.emulator.set_fault("gateway_timeout_after_success", method=fastpay, times=3)
    world.advance(60 * 60)
    assert given_back(world, number) == {AGENCY: "10.00", COURIER: "2.50"}
    assert standing(world, number) == [
        (AGENCY, "20.00", "succeeded", "10.00"),
        (COURIER, "5.00", "succeeded", "2.50"),
    ]
    assert sums(world, number) == ("50.00", "0.00", "12.50", "37.50")
    assert world.events(number).count("share.returned") == 2
    held = booked(world, number)
    assert (held[Account.ROYALTY], held[Account.REFUNDS]) == (1250, 5000)


@pytest.mark.parametrize("is_made", [True, False], ids=["made", "not made"])
def test_face_to_face_one_share_is_known_and_another_is_not(world: World, is_made: bool) -> None:
    number, own = paid_at_the_till(world), f"HALF-{is_made}"
    shared(world, number, f"{own}-1", (AGENCY, "19.99"))
    if not is_made:
        world.emulator.set_fault("gateway_20000", method=SETTLE, times=1)
        world.emulator.set_fault("gateway_timeout_after_success", method=QUERY)
        shared(world, number, f"{own}-2", (COURIER, "5.55"))
    else:
        lost(world, number, f"{own}-2", (COURIER, "5.55"))
    assert refund(world, number, "33.33", own).status_code == 201
    world.advance(12 * 60)
    assert [one["status"] for one in world.refunds(number)] == ["succeeded"]

    world.emulator.clear_faults()
    world.advance(60 * 60)
    there = given_back(world, number)
    assert set(there) == ({AGENCY, COURIER} if is_made else {AGENCY})
    assert {one[0]: one[3] for one in standing(world, number) if one[3] != "0.00"} == there
    total = Money.total(Money.parse(amount) for amount in there.values())
    assert booked(world, number)[Account.ROYALTY] == 2554 - total.minor
    assert world.events(number).count("share.returned") == len(there)
