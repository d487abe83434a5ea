"""Refunds that take two people: slices, keys and haste do not get around it, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from itertools import count

import pytest

from daozhang.money import Money
from daozhang.service.approvals.actions import (
    decline,
    list_approvals,
    read_approval,
    withdraw,
)
from daozhang.service.approvals.model import Approval, ApprovalStatus
from daozhang.service.approvals.refusals import (
    ApprovalNotFound,
    ApprovalOver,
    ApprovalPending,
    ApproverIsRequester,
)
from daozhang.service.audit.actions import verify_chain
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.merchants.refusals import OutgoingStopped
from daozhang.service.merchants.second_person import set_second_person_as
from daozhang.service.orders.refusals import AmountExceedsRemainder
from daozhang.service.people.actions import disable_person
from daozhang.service.people.apikeys import make_key
from daozhang.service.people.model import Person, Role
from daozhang.service.people.refusals import RightMissing
from daozhang.service.refunds.approving import approve_refund, refund_as
from daozhang.service.refunds.model import Refund
from people_here import add_person, deeds
from refund_world import Shop, open_shop

names: Iterator[int] = count(1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    with open_shop(tmp_path_factory.mktemp("second")) as shop:
        yield shop


def yuan(text: str) -> Money:
    return Money.parse(text)


@pytest.fixture
def owner(shop: Shop) -> Person:
    """An owner of this test, in whose shop the second person is asked above 5 yuan."""
    owner = add_person(shop.service.context, f"owner{next(names)}")
    limit(shop, owner, per_order="5.00", per_day=None)
    return owner


@pytest.fixture
def cashier(shop: Shop, owner: Person) -> Person:
    return add_person(shop.service.context, f"cashier{next(names)}", Role.CASHIER)


def limit(shop: Shop, owner: Person, *, per_order: str | None, per_day: str | None) -> None:
    set_second_person_as(
        shop.service.context,
        owner,
        1,
        per_order=None if per_order is None else yuan(per_order),
        per_day=None if per_day is None else yuan(per_day),
    )


def refund(shop: Shop, who: Person, order: str, amount: str, number: str) -> Refund | Approval:
    return refund_as(
        shop.service.context,
        shop.service.jobs,
        who,
        1,
        order,
        out_request_no=number,
        amount=yuan(amount),
        reason="尺码不对",
    )


def waits(shop: Shop, who: Person, order: str, amount: str, number: str) -> Approval:
    asked = refund(shop, who, order, amount, number)
    assert isinstance(asked, Approval)
    return asked


def approve(shop: Shop, who: Person, approval: Approval) -> tuple[Approval, Refund]:
    return approve_refund(shop.service.context, shop.service.jobs, who, approval.id, "好的")


def test_up_to_the_amount_one_person_is_enough(shop: Shop, cashier: Person) -> None:
    made = refund(shop, cashier, shop.paid_order(), "5.00", "r1")
    assert isinstance(made, Refund)
    assert made.requested_by == f"person:{cashier.id}"
    assert made.approved_by is None


def test_above_it_nothing_moves_until_somebody_else_approves(
    shop: Shop, owner: Person, cashier: Person
) -> None:
    order = shop.paid_order()
    waiting = waits(shop, cashier, order, "5.01", "r1")
    assert shop.refunds(order) == []
    assert waiting in list_approvals(shop.service.context, owner)
    approved, made = approve(shop, owner, waiting)
    assert approved.status is ApprovalStatus.APPROVED
    assert (made.requested_by, made.approved_by) == (str(cashier.actor), str(owner.actor))
    shop.pass_time(0)
    told = shop.the_refund(order)
    assert (told["status"], told["approved_by"]) == ("succeeded", f"person:{owner.id}")
    assert deeds(shop.service.context)[-3:] == [
        (str(cashier.actor), "approval.asked"),
        (str(owner.actor), "approval.approved"),
        (str(owner.actor), "refund.requested"),
    ]


def test_slices_of_one_order_count_together_whoever_asks(shop: Shop, cashier: Person) -> None:
    order = shop.paid_order()
    other = add_person(shop.service.context, f"other{next(names)}", Role.CASHIER)
    assert isinstance(refund(shop, cashier, order, "3.00", "r1"), Refund)
    assert isinstance(refund(shop, other, order, "2.00", "r2"), Refund)
    waits(shop, other, order, "0.01", "r3")


def test_slices_of_one_requesters_day_count_together_and_a_new_day_begins(
    shop: Shop, owner: Person, cashier: Person
) -> None:
    limit(shop, owner, per_order=None, per_day="6.00")
    assert isinstance(refund(shop, cashier, shop.paid_order(), "4.00", "r1"), Refund)
    second = waits(shop, cashier, shop.paid_order(), "2.01", "r1")
    assert isinstance(refund(shop, owner, shop.paid_order(), "4.00", "r1"), Refund)
    approve(shop, owner, second)
    # What was approved is nobody's own word: two are left.
    assert isinstance(refund(shop, cashier, shop.paid_order(), "2.00", "r1"), Refund)
    waits(shop, cashier, shop.paid_order(), "0.01", "r1")
    shop.pass_time(24 * 3600)
    assert isinstance(refund(shop, cashier, shop.paid_order(), "6.00", "r1"), Refund)


def test_haste_does_not_get_around_it(shop: Shop, owner: Person, cashier: Person) -> None:
    limit(shop, owner, per_order=None, per_day="5.00")
    orders = [shop.paid_order() for _ in range(6)]
    made: list[Refund | Approval] = []

    def ask(order: str) -> None:
        made.append(refund(shop, cashier, order, "2.00", "r1"))

    asking = [threading.Thread(target=ask, args=(order,)) for order in orders]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert len(made) == 6
    assert sum(isinstance(one, Refund) for one in made) == 2


def test_nobody_approves_what_they_asked_for(shop: Shop, owner: Person) -> None:
    waiting = waits(shop, owner, shop.paid_order(), "6.00", "r1")
    for deed in (approve, lambda s, w, a: decline(s.service.context, w, a.id, None)):
        with pytest.raises(ApproverIsRequester):
            deed(shop, owner, waiting)
    other = add_person(shop.service.context, f"owner{next(names)}")
    approve(shop, other, waiting)


def test_a_cashier_approves_nothing_and_sees_only_their_own(
    shop: Shop, owner: Person, cashier: Person
) -> None:
    context = shop.service.context
    other = add_person(context, f"other{next(names)}", Role.CASHIER)
    waiting = waits(shop, cashier, shop.paid_order(), "6.00", "r1")
    with pytest.raises(RightMissing):
        approve(shop, other, waiting)
    with pytest.raises(RightMissing):
        list_approvals(context, other)
    with pytest.raises(ApprovalNotFound):
        read_approval(context, other, waiting.id)
    assert read_approval(context, cashier, waiting.id) == waiting
    elsewhere = add_person(context, f"finance{next(names)}", Role.FINANCE, merchants=frozenset())
    with pytest.raises(ApprovalNotFound):
        approve(shop, elsewhere, waiting)
    assert list_approvals(context, elsewhere) == []
    approve(shop, add_person(context, f"finance{next(names)}", Role.FINANCE), waiting)


def test_a_key_meets_the_same_wall_and_its_maker_does_not_open_it(
    shop: Shop, owner: Person
) -> None:
    context = shop.service.context
    _, secret = make_key(
        context,
        owner,
        name="shop system",
        environment="emulator",
        merchants=[KeyMerchant(1, "shop")],
        scopes=list(Scope),
        refund_limit=None,
    )
    order = shop.paid_order()
    body = {"amount": "6.00", "out_request_no": "r1"}
    own = {"Authorization": f"Bearer {secret}"}
    answer = shop.api.post(f"/v1/orders/{order}/refunds", json=body, headers=own)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["object"], told["status"], told["amount"]) == ("approval", "pending", "6.00")
    again = shop.api.post(f"/v1/orders/{order}/refunds", json=body, headers=own)
    assert again.json() == told
    waiting = read_approval(context, owner, told["id"])
    with pytest.raises(ApproverIsRequester):
        approve(shop, owner, waiting)
    approve(shop, add_person(context, f"owner{next(names)}"), waiting)
    after = shop.api.post(f"/v1/orders/{order}/refunds", json=body, headers=own)
    assert (after.status_code, after.json()["out_request_no"]) == (200, "r1")


def test_a_decision_is_made_once(shop: Shop, owner: Person, cashier: Person) -> None:
    context = shop.service.context
    order = shop.paid_order()
    declined = decline(context, owner, waits(shop, cashier, order, "6.00", "r1").id, " 不行 ")
    assert (declined.status, declined.decision_note) == (ApprovalStatus.DECLINED, "不行")
    with pytest.raises(ApprovalOver):
        approve(shop, owner, declined)
    taken_back = withdraw(context, cashier, waits(shop, cashier, order, "6.00", "r1").id)
    with pytest.raises(ApprovalOver):
        approve(shop, owner, taken_back)
    with pytest.raises(ApprovalNotFound):
        withdraw(context, owner, waits(shop, cashier, order, "6.00", "r1").id)
    assert shop.refunds(order) == []


def test_two_who_approve_at_once_refund_once(shop: Shop, owner: Person, cashier: Person) -> None:
    order = shop.paid_order()
    waiting = waits(shop, cashier, order, "6.00", "r1")
    other = add_person(shop.service.context, f"owner{next(names)}")
    results: list[str] = []

    def decide(who: Person) -> None:
        try:
            approve(shop, who, waiting)
        except ApprovalOver:
            results.append("over")
        else:
            results.append("approved")

    deciding = [threading.Thread(target=decide, args=(who,)) for who in (owner, other)]
    for one in deciding:
        one.start()
    for one in deciding:
        one.join()
    assert sorted(results) == ["approved", "over"]
    shop.pass_time(0)
    assert len(shop.refunds(order)) == 1


def test_the_same_asked_again_waits_once_and_something_else_is_refused(
    shop: Shop, cashier: Person
) -> None:
    order = shop.paid_order()
    waiting = waits(shop, cashier, order, "6.00", "r1")
    assert waits(shop, cashier, order, "6.00", "r1") == waiting
    with pytest.raises(ApprovalPending):
        refund(shop, cashier, order, "6.10", "r1")
    with pytest.raises(AmountExceedsRemainder):
        refund(shop, cashier, order, "100.00", "r2")


def test_what_nobody_decides_expires(shop: Shop, owner: Person, cashier: Person) -> None:
    context = shop.service.context
    waiting = waits(shop, cashier, shop.paid_order(), "6.00", "r1")
    shop.pass_time(3 * 24 * 3600)
    assert read_approval(context, owner, waiting.id).status is ApprovalStatus.EXPIRED
    assert ("system:daozhang", "approval.expired") in deeds(context)
    with pytest.raises(ApprovalOver):
        approve(shop, owner, waiting)


def test_where_the_refund_is_refused_the_approval_waits_on(
    shop: Shop, owner: Person, cashier: Person
) -> None:
    context = shop.service.context
    waiting = waits(shop, cashier, shop.paid_order(), "6.00", "r1")
    stop = {"allowed": False, "reason": "audit"}
    assert shop.api.patch("/v1/outgoing", json=stop).status_code == 200
    with pytest.raises(OutgoingStopped):
        approve(shop, owner, waiting)
    assert read_approval(context, owner, waiting.id).status is ApprovalStatus.PENDING
    assert shop.api.patch("/v1/outgoing", json={"allowed": True, "reason": "done"}).is_success
    approve(shop, owner, waiting)


def test_who_was_disabled_meanwhile_approves_nothing(
    shop: Shop, owner: Person, cashier: Person
) -> None:
    finance = add_person(shop.service.context, f"finance{next(names)}", Role.FINANCE)
    gone = disable_person(shop.service.context, owner, finance.id)
    with pytest.raises(RightMissing):
        approve(shop, gone, waits(shop, cashier, shop.paid_order(), "6.00", "r1"))


def test_the_trail_of_all_that_is_whole(shop: Shop) -> None:
    assert verify_chain(shop.service.context.database).broken is None
