"""Sharing in the console: who may receive, plans, an order shared and finished, and by whom."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from itertools import count

import httpx2
import pytest

from console.staff import Staff, hidden, plain
from daozhang.money import Money
from daozhang.service.merchants.store import update_merchant
from daozhang.service.people.model import Role
from people_here import deeds
from sharing import AGENCY, COURIER, LANDLORD, bind, paid, plan, receivers, standing, sums
from worlds import World, running

SETTLE = "alipay.trade.order.settle"
SETTLE_QUERY = "alipay.trade.order.settle.query"
UNBIND = "alipay.trade.royalty.relation.unbind"

_numbers = count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("sharing")) as made:
        bind(made, AGENCY, COURIER)
        yield made


@pytest.fixture(scope="module")
def staff(world: World) -> Iterator[dict[Role, Staff]]:
    people = {role: Staff(world.service.context, role) for role in Role}
    yield people
    for one in people.values():
        one.close()


def field_of(page: str, account: str) -> str:
    """The field in which a receiver's amount is written."""
    found = re.search(rf'<label for="(amount_\d+)"><span translate="no">{account}', page)
    assert found is not None, account
    return found[1]


def share(one: Staff, order: str, amounts: dict[str, str], **fields: str) -> httpx2.Response:
    """Fills the form of an order in, and sends it."""
    page = one.get(f"/orders/{order}/share").text
    sent = {field_of(page, account): amount for account, amount in amounts.items()}
    return one.post(f"/orders/{order}/share", {"number": hidden(page, "number"), **sent, **fields})


def test_an_order_is_shared_by_hand_and_finished(world: World, staff: dict[Role, Staff]) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    assert f"/orders/{order}/share" in finance.get(f"/orders/{order}").text
    assert "At most 30.00 can be shared" in finance.read(f"/orders/{order}/share")
    made = share(finance, order, {AGENCY: "12.50", COURIER: "3"}, description="三月佣金")
    assert made.headers["location"].endswith(f"/orders/{order}"), plain(made.text)
    world.settle()
    assert [one[:3] for one in standing(world, order)] == [
        (AGENCY, "12.50", "succeeded"),
        (COURIER, "3.00", "succeeded"),
    ]
    page = finance.read(f"/orders/{order}")
    for told in ("Shared", AGENCY, "12.50", "84.50", "三月佣金", "Done"):
        assert told in page
    masked = staff[Role.VIEWER].get(f"/orders/{order}").text
    card = masked.partition("data-round")[2].partition("</ul>")[0]
    assert "2088****0001" in card
    assert AGENCY not in card
    page = finance.get(f"/orders/{order}").text
    finish = page.partition('id="finish"')[2]
    sent = {"number": hidden(finish, "number"), "finish": "yes"}
    finance.do(f"/orders/{order}/share", sent)
    world.settle()
    page = finance.get(f"/orders/{order}").text
    assert "Ends sharing" in plain(page)
    assert f"/orders/{order}/share" not in page
    late = share(finance, order, {AGENCY: "1"})
    assert (late.status_code, "has been finished" in plain(late.text)) == (409, True)


def test_what_came_back_is_told(world: World, staff: dict[Role, Staff]) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    assert share(finance, order, {AGENCY: "30"}, returns="receivers_first").status_code == 303
    world.settle()
    world.refund(order, "20.00", "R-1")
    world.settle()
    assert sums(world, order)[2] == "10.00"
    page = finance.read(f"/orders/{order}")
    assert "Has come back −20.00" in page


def refund(one: Staff, order: str, amount: str, returns: str) -> httpx2.Response:
    """Fills the dialog of a refund in, and sends it."""
    page = one.get(f"/orders/{order}").text
    number = re.search(r'name="out_request_no" value="(rfd_[^"]+)"', page)
    assert number is not None
    fields = {"out_request_no": number[1], "amount": amount, "returns": returns}
    return one.post(f"/orders/{order}/refund", fields)


@pytest.mark.parametrize(("returns", "left"), [("plan", "0.00"), ("seller", "30.00")])
def test_whoever_refunds_says_who_pays_what_others_have(
    world: World, staff: dict[Role, Staff], returns: str, left: str
) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    dialog = finance.get(f"/orders/{order}").text
    assert 'name="returns"' not in dialog  # nobody else has anything
    assert share(finance, order, {AGENCY: "30"}).status_code == 303
    world.settle()
    page = finance.get(f"/orders/{order}").text
    said = plain(page)
    assert "At most 100.00 can go back." in said
    assert "Others have 30.00 of it." in said
    assert "They keep it, and you pay that part" in said
    assert refund(finance, order, "100.00", returns).status_code == 303
    world.settle()
    assert world.read(order)["refunded_amount"] == "100.00"
    ((account, amount, status, back),) = standing(world, order)
    assert (account, amount, status) == (AGENCY, "30.00", "succeeded")
    assert Money.parse(amount) - Money.parse(back) == Money.parse(left)


def test_what_cannot_come_back_is_said_where_it_was_asked(
    world: World, staff: dict[Role, Staff]
) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    world.emulator.set_fault("gateway_20000", method=SETTLE)
    world.emulator.set_fault("gateway_20000", method=SETTLE_QUERY)
    assert share(finance, order, {AGENCY: "30"}).status_code == 303
    world.settle()  # whether they have it nobody knows yet
    refused = refund(finance, order, "100.00", "plan")
    assert refused.status_code == 422
    assert "100.00 CNY is asked for, 70.00 is left" in plain(refused.text)
    world.emulator.clear_faults()
    world.advance(3600)
    assert refund(finance, order, "100.00", "plan").status_code == 303


def test_a_plan_shares_as_it_says(world: World, staff: dict[Role, Staff]) -> None:
    owner, finance = staff[Role.OWNER], staff[Role.FINANCE]
    fields = {
        "account_0": AGENCY,
        "kind_0": "percent",
        "value_0": "12.5",
        "account_1": COURIER,
        "kind_1": "rest",
        "pool": "20",
        "returns": "pro_rata",
    }
    more = owner.post("/sharing/plans/new", {"name": "agency", **fields, "more": "yes"})
    assert more.text.count('name="account_') == 10
    unsound = owner.post("/sharing/plans/new", {"name": "agency", **fields, "pool": ""})
    assert (unsound.status_code, "gets the remainder" in plain(unsound.text)) == (422, True)
    for wrong in ({"value_0": "200"}, {"value_0": "a"}, {"pool": "0"}, {"name": "a b"}):
        answer = owner.post("/sharing/plans/new", {"name": "agency", **fields, **wrong})
        assert (answer.status_code, "field-says" in answer.text) == (422, True), wrong
    assert owner.do("/sharing/plans/new", {"name": "agency", **fields}) == "/sharing"
    twice = owner.post("/sharing/plans/new", {"name": "agency", **fields})
    assert "There is a plan of that name" in plain(twice.text)
    page = finance.read("/sharing")
    for told in ("agency", "12.5 %", "the rest of 20 %", "as much as they had"):
        assert told in page
    order = paid(world)
    form = plain(finance.get(f"/orders/{order}/share").text)
    assert f"{AGENCY} 12.50 · {COURIER} 7.50 · 80.00 stays with you" in form
    assert share(finance, order, {}, plan="agency").status_code == 303
    world.settle()
    assert [one[1] for one in standing(world, order)] == ["12.50", "7.50"]
    assert "By plan agency" in finance.read(f"/orders/{order}")
    changed = {**fields, "value_0": "5"}
    assert 'value="12.5"' in owner.get("/sharing/plans/agency").text
    owner.do("/sharing/plans/agency", changed)
    assert "5 %" in finance.read("/sharing")
    assert owner.get("/sharing/plans/nobody").status_code == 404
    unknown = share(finance, paid(world), {}, plan="nobody")
    assert unknown.status_code == 422


def test_receivers_are_bound_and_unbound(world: World, staff: dict[Role, Staff]) -> None:
    owner, finance = staff[Role.OWNER], staff[Role.FINANCE]
    wrong = owner.post("/sharing/receivers/new", {"type": "userId", "account": ""})
    assert wrong.status_code == 422
    unnamed = {"type": "loginName", "account": "13800138000"}
    refused = owner.post("/sharing/receivers/new", unnamed)
    assert (refused.status_code, "needs the name" in plain(refused.text)) == (422, True)
    bound = {"type": "userId", "account": LANDLORD, "memo": "rent"}
    assert owner.do("/sharing/receivers/new", bound) == "/sharing"
    world.settle()
    page = finance.read("/sharing")
    assert f"{LANDLORD} Bound" in page
    assert "rent" in page
    world.emulator.set_fault("gateway_20000", method=UNBIND, times=1)
    owner.do("/sharing/receivers/unbind", {"account": LANDLORD})
    world.settle()
    assert "Being unbound" in finance.read("/sharing")
    assert "every 2s" in finance.get("/sharing").text
    world.advance(60)
    assert f"{LANDLORD} Unbound" in finance.read("/sharing")
    assert "every 2s" not in finance.get("/sharing").text
    assert LANDLORD not in finance.get(f"/orders/{paid(world)}/share").text
    assert owner.post("/sharing/receivers/unbind", {"account": "nobody"}).status_code == 404
    assert {one["account"]: one["status"] for one in receivers(world)}[LANDLORD] == "unbound"


def test_how_the_merchant_shares_is_set(world: World, staff: dict[Role, Staff]) -> None:
    owner = staff[Role.OWNER]
    plan(world, "house", {"account": AGENCY, "percent": "10"})
    for wrong in ("101", "a", "-1", ""):
        answer = owner.post("/sharing/settings", {"percent_max": wrong})
        assert (answer.status_code, "0 to 100" in plain(answer.text)) == (422, True), wrong
    values = {"percent_max": "40", "plan": "house", "cover": "seller"}
    assert owner.do("/sharing/settings", values) == "/sharing"
    page = owner.read("/sharing")
    for told in ("At most 40 %", "You pay that part as well", "Every payment"):
        assert told in page
    order = paid(world)
    assert [one[:2] for one in standing(world, order)] == [(AGENCY, "10.00")]
    owner.do("/sharing/settings", {"percent_max": "30", "plan": "", "cover": "person"})
    assert owner.post("/sharing/settings", {**values, "plan": "nobody"}).status_code == 404


def test_more_than_may_be_shared_is_refused_at_the_form(
    world: World, staff: dict[Role, Staff]
) -> None:
    finance, order = staff[Role.FINANCE], paid(world)
    for amounts, told in (
        ({AGENCY: "30.01"}, "30 % of a payment"),
        ({AGENCY: "much"}, "not an amount"),
        ({}, "at least one receiver"),
    ):
        answer = share(finance, order, amounts, description="keeps this")
        assert answer.status_code in (409, 422)
        assert told in plain(answer.text).replace("is no amount", "not an amount"), told
        assert 'value="keeps this"' in answer.text
    assert standing(world, order) == []
    unpaid = world.order("5.00")
    assert f"/orders/{unpaid}/share" not in finance.get(f"/orders/{unpaid}").text
    assert share(finance, unpaid, {AGENCY: "1"}).status_code == 409
    assert finance.get("/orders/nobody/share").status_code == 404


def test_above_the_limit_somebody_else_decides(world: World, staff: dict[Role, Staff]) -> None:
    finance, owner, order = staff[Role.FINANCE], staff[Role.OWNER], paid(world)
    context = world.service.context
    with context.database.begin() as tx:
        update_merchant(tx, 1, second_person_order_minor=Money.parse("5").minor)
    asked = share(
        finance, order, {AGENCY: "12", COURIER: "3"}, description="三月佣金", finish="yes"
    )
    where = asked.headers["location"].removeprefix(finance.home)
    assert where.startswith("/approvals/")
    assert "Shares of 15.00 wait for a second person" in finance.read(f"/orders/{order}")
    page = owner.read(where)
    for told in (AGENCY, "12.00", COURIER, "3.00", finance.person.email, "三月佣金", order):
        assert told in page
    assert "what was frozen is yours" in page
    assert order in owner.read("/approvals")
    assert finance.post(f"{where}/approve").status_code == 403
    assert owner.do(f"{where}/approve") == f"/orders/{order}"
    world.settle()
    assert [one[2] for one in standing(world, order)] == ["succeeded", "succeeded"]
    assert "wait for a second person" not in finance.read(f"/orders/{order}")
    assert "share.requested" in [what for _, what in deeds(context)]
    with context.database.begin() as tx:
        update_merchant(tx, 1, second_person_order_minor=None)


MONEY = {Role.FINANCE, Role.OWNER}
OWNER = {Role.OWNER}
ALLOWED = {
    "register": MONEY,
    "see shares": {Role.VIEWER, Role.CASHIER, Role.FINANCE, Role.DEVELOPER, Role.OWNER},
    "form": MONEY,
    "share": MONEY,
    "finish": MONEY,
    "see settings": OWNER,
    "set settings": OWNER,
    "see binding": OWNER,
    "bind": OWNER,
    "unbind": OWNER,
    "see plan": OWNER,
    "make plan": OWNER,
    "change plan": OWNER,
}


def test_who_may_what(world: World) -> None:
    plan(world, "who", {"account": AGENCY, "percent": "10"})
    for role in Role:
        one, order = Staff(world.service.context, role), paid(world)
        form = {"number": f"who-{role}"}
        parts = {"account_0": AGENCY, "kind_0": "percent", "value_0": "10"}
        answers = {
            "register": one.get("/sharing"),
            "see shares": one.get(f"/orders/{order}"),
            "form": one.get(f"/orders/{order}/share"),
            "share": one.post(f"/orders/{order}/share", form),
            "finish": one.post(f"/orders/{order}/share", {**form, "finish": "yes"}),
            "see settings": one.get("/sharing/settings"),
            "set settings": one.post("/sharing/settings", {"percent_max": "30"}),
            "see binding": one.get("/sharing/receivers/new"),
            "bind": one.post("/sharing/receivers/new", {"account": AGENCY}),
            "unbind": one.post("/sharing/receivers/unbind", {"account": LANDLORD}),
            "see plan": one.get("/sharing/plans/who"),
            "make plan": one.post("/sharing/plans/new", {"name": f"p-{role}", **parts}),
            "change plan": one.post("/sharing/plans/who", parts),
        }
        assert answers.keys() == ALLOWED.keys()
        for deed, answer in answers.items():
            assert answer.status_code < 500
            refused = answer.status_code == 403
            assert refused == (role not in ALLOWED[deed]), (role, deed, answer.status_code)
        one.close()
