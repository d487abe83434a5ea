"""Sharing: parts of a payment go to others, at once or later, and come back with a refund."""

from __future__ import annotations

from typing import Any

import pytest

from daozhang.money import Money
from daozhang.service.approvals.refusals import ApprovalOver
from daozhang.service.audit.model import SYSTEM
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import book_of
from daozhang.service.ledger.store import list_of_order
from daozhang.service.merchants.outgoing import turn_outgoing
from daozhang.service.merchants.store import update_merchant
from daozhang.service.people.model import Role
from daozhang.service.people.refusals import RightMissing
from daozhang.service.sharing.approving import approve_shares
from people_here import add_person
from sharing import (
    AGENCY,
    COURIER,
    LANDLORD,
    bind,
    code_of,
    paid,
    plan,
    receivers,
    rounds,
    share,
    shared,
    standing,
    sums,
    switch,
)
from worlds import World, find_order

SETTLE = "alipay.trade.order.settle"
QUERY = "alipay.trade.order.settle.query"
REFUND = "alipay.trade.refund"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has orders of its own; everybody is bound."""
    world = shared_world
    for account in (AGENCY, COURIER, LANDLORD):
        world.emulator.set_receiver(account)
    app_id = world.emulator.credentials("shop")["app_id"]
    gateway = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    assert app_id
    switch(world, royalty_percent=30, direct_pay=False, gateway_url=gateway)
    world.api.put("/v1/sharing", json={})
    bind(world, AGENCY, COURIER)
    return world


def booked(world: World, number: str) -> dict[Account, int]:
    """What the books have of an order, by account: debits above zero."""
    with world.service.context.database.read() as tx:
        held: dict[Account, int] = {}
        for posted in list_of_order(tx, book_of(tx, 1), find_order(tx, number)):
            minor = posted.move.amount.minor
            held[posted.move.debit] = held.get(posted.move.debit, 0) + minor
            held[posted.move.credit] = held.get(posted.move.credit, 0) - minor
    return held


def refund(world: World, number: str, amount: str, own: str, **more: Any) -> Any:
    body = {"amount": amount, "out_request_no": own, **more}
    return world.api.post(f"/v1/orders/{number}/refunds", json=body)


# ---- passing on


def test_at_once_in_two_rounds_and_finished(world: World) -> None:
    number = paid(world)
    answer = share(world, number, "A-1", (AGENCY, "20.00"), (COURIER, "5.00"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] in ("requested", "done")
    world.settle()
    assert sums(world, number) == ("0.00", "0.00", "25.00", "75.00")
    assert share(world, number, "A-1", (AGENCY, "20.00"), (COURIER, "5.00")).status_code == 200
    shared(world, number, "A-2", (COURIER, "5.00"), finish=True)

    assert [one["status"] for one in rounds(world, number)] == ["done", "done"]
    assert standing(world, number) == [
        (AGENCY, "20.00", "succeeded", "0.00"),
        (COURIER, "5.00", "succeeded", "0.00"),
        (COURIER, "5.00", "succeeded", "0.00"),
    ]
    assert world.events(number) == ["order.paid", *["share.succeeded"] * 3]
    assert booked(world, number)[Account.ROYALTY] == 3000
    assert booked(world, number)[Account.AVAILABLE] == 7000
    assert code_of(share(world, number, "A-3", (AGENCY, "0.01"))) == "sharing_finished"
    story = world.api.get(f"/v1/orders/{number}/story").json()
    told = [one["say"] for one in story["entries"] if one["kind"] == "share"]
    assert f"{AGENCY} has got 20.00 CNY." in told
    assert "Sharing is finished: the rest is the seller's." in told


@pytest.mark.parametrize("is_told", [True, False])
def test_later_each_for_itself_by_message_or_by_asking(world: World, is_told: bool) -> None:
    number = paid(world)
    world.emulator.set_receiver(COURIER, refuses="ACQ.ROYALTY_RECEIVER_ACCOUNT_NOT_CERTIFY")
    if not is_told:
        world.emulator.set_fault("notify_never")
    shared(world, number, f"B-{is_told}", (AGENCY, "20.00"), (COURIER, "5.00"), mode="async")
    assert rounds(world, number)[0]["status"] == "accepted"
    assert sums(world, number) == ("0.00", "25.00", "0.00", "75.00")

    world.advance(5 if is_told else 15)
    world.emulator.clear_faults()

    assert rounds(world, number)[0]["status"] == "done"
    assert sums(world, number) == ("0.00", "0.00", "20.00", "80.00")
    assert world.events(number) == ["order.paid", "share.succeeded", "share.failed"]
    (failed,) = [one for one in rounds(world, number)[0]["shares"] if one["status"] == "failed"]
    assert "not verified by name" in failed["message"]
    assert "实名认证" in failed["message_zh"]
    world.advance(120)  # whoever comes second changes nothing
    assert world.events(number) == ["order.paid", "share.succeeded", "share.failed"]


@pytest.mark.parametrize("fault", ["gateway_timeout_after_success", "gateway_20000"])
def test_an_outcome_that_nobody_knows_is_asked_about(world: World, fault: str) -> None:
    number = paid(world)
    world.emulator.set_fault(fault, method=SETTLE, times=1)
    shared(world, number, f"C-{fault}"[:64], (AGENCY, "20.00"))
    assert rounds(world, number)[0]["status"] == "unknown"
    assert sums(world, number) == ("0.00", "20.00", "0.00", "80.00")

    world.advance(30)

    assert rounds(world, number)[0]["status"] == "done"
    assert sums(world, number) == ("0.00", "0.00", "20.00", "80.00")
    (settled,) = world.emulator.shares(number)
    assert len(settled.royalties) == 1  # once, whatever was sent how often
    assert world.events(number) == ["order.paid", "share.succeeded"]


def test_a_definite_no_gives_the_money_back_to_the_order(world: World) -> None:
    number = paid(world)
    world.emulator.set_receiver(COURIER, certified=False)
    shared(world, number, "D-1", (AGENCY, "20.00"), (COURIER, "5.00"))
    assert rounds(world, number)[0]["status"] == "failed"
    assert [one[2] for one in standing(world, number)] == ["failed", "failed"]
    assert sums(world, number) == ("0.00", "0.00", "0.00", "100.00")
    assert world.events(number) == ["order.paid", "share.failed", "share.failed"]
    assert booked(world, number).get(Account.ROYALTY) is None


def test_by_a_plan_as_it_is_paid(world: World) -> None:
    plan(
        world,
        "thirds",
        {"account": AGENCY, "percent": "10"},
        {"account": COURIER, "remainder": True},
        pool_percent="25",
    )
    number = paid(world, "33.33", share_plan="thirds")
    world.settle()
    assert standing(world, number) == [
        (AGENCY, "3.33", "succeeded", "0.00"),
        (COURIER, "5.00", "succeeded", "0.00"),
    ]
    (round_,) = rounds(world, number)
    assert (round_["plan"], round_["requested_by"]) == ("thirds", "plan")
    # Of every payment that names no other.
    assert world.api.put("/v1/sharing", json={"plan": "thirds"}).status_code == 200
    world.service.clients.merchant(1)
    other = paid(world, "10.00")
    world.settle()
    assert [one[1] for one in standing(world, other)] == ["1.00", "1.50"]
    later = paid(world, "20.00", share_plan="gone")
    world.settle()
    assert (rounds(world, later), world.read(later)["status"]) == ([], "paid")
    assert world.events(later) == ["order.paid", "order.surprise"]


# ---- refused before Alipay refuses


def test_what_cannot_be_shared_is_refused_with_a_sentence(world: World) -> None:
    number = paid(world)
    assert code_of(share(world, number, "E-1", (AGENCY, "30.01"))) == "share_exceeds_limit"
    assert code_of(share(world, number, "E-1", (LANDLORD, "1.00"))) == "receiver_not_bound"
    assert code_of(share(world, number, "E-1")) == "too_many_shares"
    twice = ((AGENCY, "1.00"), (AGENCY, "2.00"))
    assert code_of(share(world, number, "E-1", *twice)) == "too_many_shares"
    shared(world, number, "E-1", (AGENCY, "20.00"))
    assert code_of(share(world, number, "E-1", (AGENCY, "21.00"))) == "share_conflict"
    assert code_of(share(world, number, "E-2", (AGENCY, "10.01"))) == "share_exceeds_limit"
    unpaid = world.order("10.00")
    assert code_of(share(world, unpaid, "E-3", (AGENCY, "1.00"))) == "order_not_shareable"
    no_number = world.api.post(f"/v1/orders/{number}/shares", json={"plan": "none"})
    assert code_of(no_number) == "share_number_missing"
    by_plan = world.api.post(
        f"/v1/orders/{number}/shares", json={"plan": "none", "out_request_no": "E"}
    )
    assert code_of(by_plan) == "share_plan_not_found"
    # What Alipay's agreement allows can be more, or less.
    world.api.put("/v1/sharing", json={"percent_max": 50})
    switch(world, royalty_percent=50)
    shared(world, number, "E-4", (AGENCY, "30.00"))
    listed = world.api.get(f"/v1/orders/{number}/shares").json()
    assert (listed["shared_amount"], listed["shareable_amount"]) == ("50.00", "0.00")


def test_receivers_come_and_go(world: World) -> None:
    body = {"type": "loginName", "account": "wang@example.com"}
    assert code_of(world.api.post("/v1/sharing/receivers", json=body)) == "receiver_invalid"
    world.emulator.set_receiver("wang@example.com", name="王芳")
    assert world.api.post("/v1/sharing/receivers", json=body | {"name": "王方"}).status_code == 201
    world.settle()
    (refused,) = [one for one in receivers(world) if one["account"] == "wang@example.com"]
    assert (refused["status"], refused["last_code"]) == ("refused", "USERNAME_NOT_MATCH")
    assert "姓名" in refused["message_zh"]
    world.emulator.set_fault("gateway_20000", method="alipay.trade.royalty.relation.bind", times=1)
    world.api.post("/v1/sharing/receivers", json=body | {"name": "王芳"})
    world.settle()
    assert [r["status"] for r in receivers(world) if r["type"] == "loginName"] == ["binding"]
    world.advance(60)
    assert [r["status"] for r in receivers(world) if r["type"] == "loginName"] == ["bound"]
    world.api.delete("/v1/sharing/receivers/wang@example.com")
    world.settle()
    assert [r["status"] for r in receivers(world) if r["type"] == "loginName"] == ["unbound"]
    assert code_of(world.api.delete("/v1/sharing/receivers/nobody")) == "receiver_not_found"


def test_the_switch_for_outgoing_money_stops_it(world: World) -> None:
    plan(world, "tenth", {"account": AGENCY, "percent": "10"})
    context, merchant_id = world.service.context, 1
    with context.database.begin() as tx:
        turn_outgoing(tx, context, merchant_id, allowed=False, reason="audit", actor=SYSTEM)
    try:
        number = paid(world, share_plan="tenth")
        world.settle()
        assert code_of(share(world, number, "F-1", (COURIER, "1.00"))) == "outgoing_stopped"
        assert rounds(world, number)[0]["held_at"]
        assert sums(world, number) == ("0.00", "10.00", "0.00", "90.00")
    finally:
        with context.database.begin() as tx:
            turn_outgoing(tx, context, merchant_id, allowed=True, reason="done", actor=SYSTEM)
    world.settle()
    assert sums(world, number) == ("0.00", "0.00", "10.00", "90.00")


def test_slices_count_together_before_it_takes_two(world: World) -> None:
    context, jobs = world.service.context, world.service.jobs
    cashier, owner = add_person(context, "cashier", Role.CASHIER), add_person(context, "owner")
    number = paid(world)
    with context.database.begin() as tx:
        update_merchant(tx, 1, second_person_order_minor=1000)
    try:
        shared(world, number, "G-1", (AGENCY, "6.00"))
        answer = share(world, number, "G-2", (AGENCY, "6.00"))
        assert (answer.status_code, answer.json()["object"]) == (202, "approval")
        assert sums(world, number) == ("0.00", "0.00", "6.00", "94.00")
        waiting = answer.json()["id"]
        with pytest.raises(RightMissing):
            approve_shares(context, jobs, cashier, waiting)
        _, made = approve_shares(context, jobs, owner, waiting)
        assert (made.approved_by, made.out_request_no) == (str(owner.actor), "G-2")
        with pytest.raises(ApprovalOver):
            approve_shares(context, jobs, owner, waiting)
        # Alone the limit of the agreement holds still, and it is said before anybody is asked.
        assert code_of(share(world, number, "G-3", (AGENCY, "20.00"))) == "share_exceeds_limit"
    finally:
        with context.database.begin() as tx:
            update_merchant(tx, 1, second_person_order_minor=None)
    world.settle()
    assert sums(world, number) == ("0.00", "0.00", "12.00", "88.00")


@pytest.mark.parametrize("scope", [one for one in Scope if one is not Scope.SHARING_WRITE])
def test_only_the_scope_of_sharing_shares(world: World, scope: Scope) -> None:
    context = world.service.context
    with context.database.begin() as tx:
        _, key = create_api_key(
            tx,
            name=scope.value,
            environment="emulator",
            merchants=[KeyMerchant(1, "shop")],
            scopes=[scope],
            refund_limit=None,
            now=context.clock.now(),
        )
    headers = {"Authorization": f"Bearer {key}"}
    for method, path, body in (
        ("POST", "/v1/orders/W000001/shares", {"out_request_no": "Z", "finish": True}),
        ("POST", "/v1/orders/W000001/settlement", {"out_request_no": "Z"}),
        ("POST", "/v1/sharing/receivers", {"account": AGENCY}),
        ("DELETE", f"/v1/sharing/receivers/{AGENCY}", None),
        ("PUT", "/v1/sharing", {}),
        ("PUT", "/v1/sharing/plans/x", {"parts": [{"account": AGENCY, "percent": "1"}]}),
    ):
        answer = world.api.request(method, path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path


# ---- coming back


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
    number = world.order("100.00", way="barcode")
    code = {"auth_code": world.emulator.payment_code()}
    assert world.api.post(f"/v1/orders/{number}/barcode_payment", json=code).status_code == 200
    world.settle()
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


# ---- direct pay


def test_direct_pay_confirms_its_settlement_first(world: World) -> None:
    switch(world, direct_pay=True)
    number = paid(world)
    shared(world, number, "M-1", (AGENCY, "20.00"))
    (failed,) = rounds(world, number)
    assert (failed["status"], failed["last_code"]) == ("failed", "ACQ.ALLOC_REFUSE_BEFORE_SETTLE")
    confirm = {"out_request_no": "M-2", "period": "30d"}
    for _ in range(2):
        answer = world.api.post(f"/v1/orders/{number}/settlement", json=confirm)
        assert (answer.status_code, answer.json()["settle_amount"]) == (200, "100.00")
    other = world.api.post(f"/v1/orders/{number}/settlement", json={"out_request_no": "M-3"})
    assert code_of(other) == "settlement_not_confirmed"
    shared(world, number, "M-4", (AGENCY, "20.00"))
    assert sums(world, number)[2] == "20.00"


def test_a_frozen_payment_is_let_go_by_the_finish(world: World) -> None:
    number = paid(world, pay_options={"royalty_freeze": True})
    assert booked(world, number)[Account.FROZEN] == 10000
    shared(world, number, "N-1", (AGENCY, "20.00"), finish=True)
    held = booked(world, number)
    assert (held[Account.FROZEN], held[Account.AVAILABLE], held[Account.ROYALTY]) == (0, 8000, 2000)


@pytest.mark.parametrize("is_early", [False, True], ids=["shared before", "shares under way"])
def test_face_to_face_alipay_says_how_much_came_back(world: World, is_early: bool) -> None:
    number = world.order("100.00", way="barcode")
    code = {"auth_code": world.emulator.payment_code()}
    assert world.api.post(f"/v1/orders/{number}/barcode_payment", json=code).status_code == 200
    world.settle()
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
