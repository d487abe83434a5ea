"""Sharing: parts of a payment go to others, at once or later, and come back with a refund."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from daozhang.service.approvals.refusals import ApprovalOver
from daozhang.service.audit.model import SYSTEM
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.ledger.model import Account
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
    booked,
    code_of,
    paid,
    plan,
    ready,
    receivers,
    rounds,
    share,
    shared,
    standing,
    sums,
    switch,
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


def test_one_number_on_two_orders_at_the_same_moment_is_one_request(world: World) -> None:
    orders = [paid(world), paid(world)]
    for turn in range(8):
        own = f"R-{turn}"
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(share, world, at, own, (AGENCY, "0.10")) for at in orders]
            answers = [one.result() for one in asked]
        assert sorted(answer.status_code for answer in answers) == [201, 409], own
        (no,) = [answer for answer in answers if answer.status_code == 409]
        assert no.json()["code"] == "share_conflict"


def test_a_receiver_and_a_plan_that_several_make_at_once_are_one(world: World) -> None:
    for turn in range(6):
        receiver = {"account": f"2088100000001{turn:03}"}
        part = {"account": AGENCY, "percent": "10"}
        with ThreadPoolExecutor(4) as pool:
            asked = [
                *(
                    pool.submit(world.api.post, "/v1/sharing/receivers", json=receiver)
                    for _ in "ab"
                ),
                *(
                    pool.submit(
                        world.api.put, f"/v1/sharing/plans/at-once-{turn}", json={"parts": [part]}
                    )
                    for _ in "ab"
                ),
            ]
        bound, plans = [one.result().status_code for one in asked[:2]], asked[2:]
        assert sorted(bound) == [200, 201]
        assert [one.result().status_code for one in plans] == [200, 200]


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
        ("POST", "/v1/orders/W000001/settlements", {"out_request_no": "Z"}),
        ("POST", "/v1/sharing/receivers", {"account": AGENCY}),
        ("DELETE", f"/v1/sharing/receivers/{AGENCY}", None),
        ("PUT", "/v1/sharing", {}),
        ("PUT", "/v1/sharing/plans/x", {"parts": [{"account": AGENCY, "percent": "1"}]}),
    ):
        answer = world.api.request(method, path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path


# ---- frozen payments


def test_a_frozen_payment_is_let_go_by_the_finish(world: World) -> None:
    number = paid(world, pay_options={"royalty_freeze": True})
    assert booked(world, number)[Account.FROZEN] == 10000
    shared(world, number, "N-1", (AGENCY, "20.00"), finish=True)
    held = booked(world, number)
    assert (held[Account.FROZEN], held[Account.AVAILABLE], held[Account.ROYALTY]) == (0, 8000, 2000)
