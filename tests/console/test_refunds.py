"""Refunds and approvals in the console: what stands where, who may decide what, and what waits."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from console.staff import Staff, plain, rows
from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.ledger.by_hand import ask_entry, ask_reversal
from daozhang.service.ledger.model import Account, EntryKind
from daozhang.service.people.model import Role
from daozhang.service.refunds.approving import refund_as
from people_here import deeds
from refund_world import Shop, Weather, open_shop

PART = Money.parse("4.00")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    with open_shop(tmp_path_factory.mktemp("refunds")) as shop:
        yield shop


@pytest.fixture(scope="module")
def staff(shop: Shop) -> Iterator[dict[Role, Staff]]:
    """One person of each role; the owner lets a second person decide above five yuan."""
    people = {role: Staff(shop.service.context, role) for role in Role}
    owner = people[Role.OWNER]
    assert owner.do("/approvals/limits", {"per_order": "5.00", "per_day": ""}) == "/approvals"
    yield people
    for one in people.values():
        one.close()


def ask(shop: Shop, who: Staff, number: str, amount: str = "6.00") -> str:
    """A refund that waits for a second person: the approval's id."""
    asked = refund_as(
        shop.service.context,
        shop.service.jobs,
        who.person,
        1,
        number,
        out_request_no="R1",
        amount=Money.parse(amount),
        reason="尺码不对",
    )
    assert isinstance(asked, Approval)
    return asked.id


def refunded(shop: Shop, *weather: Weather, amount: Money = PART) -> str:
    """An order with a refund whose call meets that weather."""
    number = shop.paid_order()
    shop.gateway.weather.extend(weather)
    assert shop.refund(number, amount, "R1").status_code == 201
    shop.pass_time(1)
    return number


def test_each_refund_is_listed_where_it_stands(shop: Shop, staff: dict[Role, Staff]) -> None:
    viewer = staff[Role.VIEWER]
    done = refunded(shop)
    failed = refunded(shop, Weather.REFUSED)
    poor = refunded(shop, Weather.POOR)
    unknown = refunded(shop, Weather.LATE_ANSWER)
    outside = shop.paid_order()
    shop.tell_refund(outside, "X1", PART)
    shop.pass_time(1)
    wanted = {
        "succeeded": {done},
        "failed": {failed},
        "balance": {poor},
        "requested": {poor},
        "unknown": {unknown, outside},
        "external": {outside},
        "held": set[str](),
        "bounced": set[str](),
    }
    everyone = {done, failed, poor, unknown, outside}
    for state, numbers in wanted.items():
        said = viewer.read(f"/refunds?state={state}")
        assert {number for number in everyone if number in said} == numbers, state
    assert "Money in the shop's Alipay account" in viewer.read("/refunds?state=balance")
    assert "No refund stands like that" in viewer.read("/refunds?state=bounced")
    assert len(rows(viewer.get("/refunds?state=nonsense").text)) >= len(everyone)

    turned = shop.api.patch("/v1/outgoing", json={"allowed": False, "reason": "checking"})
    assert turned.status_code == 200, turned.text
    shop.pass_time(61)
    assert poor in viewer.read("/refunds?state=held")
    shop.api.patch("/v1/outgoing", json={"allowed": True, "reason": "checked"})
    shop.pass_time(5)
    assert poor not in viewer.read("/refunds?state=held")


def test_a_refund_tells_its_story_and_what_comes_next(shop: Shop, staff: dict[Role, Staff]) -> None:
    number = refunded(shop, Weather.POOR)
    viewer = staff[Role.VIEWER]
    (newest, *_) = rows(viewer.get("/refunds").text)
    said = viewer.read(f"/refunds/{newest}")
    assert number in said
    assert "A refund of 4.00 CNY was written down, to be sent." in said
    assert "It was sent to Alipay." in said
    assert "It is sent again: put money into the shop's Alipay account before." in said
    shop.pass_time(61)
    said = viewer.read(f"/refunds/{newest}")
    assert "The end: Alipay has proven that the money went back." in said
    assert "refund.succeeded is announced" in said
    assert viewer.get("/refunds/999999").status_code == 404
    assert viewer.get("/refunds/1e5").status_code == 404


def test_a_list_is_turned_page_by_page(shop: Shop, staff: dict[Role, Staff]) -> None:
    for _ in range(4):
        number = shop.paid_order()
        for slice_number in range(13):
            part = Money.parse("0.05")
            assert shop.refund(number, part, f"S{slice_number}").status_code == 201
    shop.pass_time(120)
    viewer = staff[Role.VIEWER]
    first = viewer.get("/refunds").text
    onward = first.partition('rel="next" href="')[2].partition('"')[0]
    second = viewer.get(onward.replace("&amp;", "&").removeprefix(viewer.home)).text
    assert len(rows(first)) == 50
    assert rows(second)
    assert not {*rows(first)} & {*rows(second)}
    assert viewer.get("/refunds?before=nonsense").status_code == 422


def test_a_second_person_decides_and_both_are_in_the_books(
    shop: Shop, staff: dict[Role, Staff]
) -> None:
    number = shop.paid_order()
    cashier, finance, owner = (staff[r] for r in (Role.CASHIER, Role.FINANCE, Role.OWNER))
    approval = ask(shop, finance, number)
    assert badge(owner) == 1
    assert badge(finance) == 0, "what one asked for oneself waits for somebody else"
    assert "somebody else decides" in finance.read(f"/approvals/{approval}")
    refused = finance.post(f"/approvals/{approval}/approve")
    assert (refused.status_code, "somebody else decides" in refused.text) == (403, True)
    assert shop.refunds(number) == []

    assert approval not in cashier.get("/approvals").text
    assert cashier.get(f"/approvals/{approval}").status_code == 404
    assert rows(owner.get("/approvals").text) == [approval]
    leads_to = owner.do(f"/approvals/{approval}/approve", {"note": "好的"})
    assert leads_to.startswith("/refunds/")
    shop.pass_time(1)
    said = owner.read(leads_to)
    assert f"{finance.person.email} wants it" in said
    assert f"{owner.person.email} approved it." in said
    assert shop.the_refund(number)["status"] == "succeeded"
    assert badge(owner) == 0
    assert owner.post(f"/approvals/{approval}/approve").status_code == 409
    assert rows(owner.get("/approvals?state=approved").text) == [approval]


def test_an_entry_in_the_books_is_shown_leg_by_leg_and_approved(
    shop: Shop, staff: dict[Role, Staff]
) -> None:
    finance, owner = staff[Role.FINANCE], staff[Role.OWNER]
    legs = {Account.SUSPENSE: -520, Account.AVAILABLE: 520}
    context = shop.service.context
    asked = ask_entry(
        context, finance.person, 1, key="F-1", legs=legs, at=shop.clock.now(), memo="补记"
    )
    assert asked.id in rows(owner.get("/approvals").text)
    said = owner.read(f"/approvals/{asked.id}")
    for told in ("F-1", "suspense", "available", "5.20", "补记", "Approve the entry?"):
        assert told in said
    assert finance.post(f"/approvals/{asked.id}/approve").status_code == 403
    assert owner.do(f"/approvals/{asked.id}/approve", {}) == f"/approvals/{asked.id}"
    assert "ledger.entry_posted" in [action for _, action in deeds(context)]
    back = ask_reversal(context, finance.person, 1, kind=EntryKind.MANUAL, key="F-1", memo="记错了")
    assert "manual:F-1" in owner.read(f"/approvals/{back.id}")
    owner.do(f"/approvals/{back.id}/approve", {})


def test_a_wish_is_declined_with_a_note_or_taken_back(shop: Shop, staff: dict[Role, Staff]) -> None:
    cashier, owner = staff[Role.CASHIER], staff[Role.OWNER]
    first = ask(shop, cashier, shop.paid_order())
    assert rows(cashier.get("/approvals").text) == [first]
    owner.do(f"/approvals/{first}/decline", {"note": "先联系买家"})
    assert "先联系买家" in cashier.read(f"/approvals/{first}")
    second = ask(shop, cashier, shop.paid_order())
    assert owner.post(f"/approvals/{second}/withdraw").status_code == 404
    cashier.do(f"/approvals/{second}/withdraw")
    assert rows(cashier.get("/approvals?state=withdrawn").text) == [second]


def test_limits_are_set_by_whoever_has_just_proven_who_they_are(shop: Shop) -> None:
    owner = Staff(shop.service.context)
    for wrong in ("-1", "a", "1e3", "0.001"):
        answer = owner.post("/approvals/limits", {"per_order": wrong, "per_day": "7"})
        assert answer.status_code == 422, wrong
        assert wrong in answer.text
    owner.do("/approvals/limits", {"per_order": "1,000.50", "per_day": "0"})
    assert "Above 1,000.50 on one order, or 0.00" in owner.read("/approvals")
    owner.do("/approvals/limits", {"per_order": "5.00", "per_day": ""})
    assert (str(owner.person.actor), "merchant.second_person_set") in deeds(shop.service.context)
    shop.pass_time(3600)
    for answer in (owner.get("/approvals/limits"), owner.post("/approvals/limits")):
        assert answer.status_code == 303
        assert "/security/confirm" in answer.headers["location"]
    owner.close()


MAY = {
    "/refunds": {*Role},
    "/approvals": {Role.CASHIER, Role.FINANCE, Role.OWNER},
    "/approvals/limits": {Role.OWNER},
}
MAY_DO = {
    "approve": {Role.FINANCE, Role.OWNER},
    "decline": {Role.FINANCE, Role.OWNER},
    "withdraw": set[Role](),  # only whoever asked
    "limits": {Role.OWNER},
}


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_and_does_what_it_may(
    shop: Shop, staff: dict[Role, Staff], role: Role
) -> None:
    one = staff[role]
    fresh = Staff(shop.service.context, role)
    for path, roles in MAY.items():
        assert fresh.get(path).status_code == (200 if role in roles else 403), path
    assert (">Approvals</span>" in one.get("/refunds").text) == (role in MAY["/approvals"])
    requester = Staff(shop.service.context)
    for deed, roles in MAY_DO.items():
        if deed == "limits":
            answer = fresh.post("/approvals/limits", {"per_order": "5.00", "per_day": ""})
        else:
            approval = ask(shop, requester, shop.paid_order())
            answer = one.post(f"/approvals/{approval}/{deed}")
        allowed = answer.status_code == 303
        assert allowed == (role in roles), (deed, plain(answer.text))
        assert allowed or answer.status_code in (403, 404)
    fresh.close()
    requester.close()


def badge(who: Staff) -> int:
    """The number beside the menu's line of approvals."""
    _, found, rest = who.get("/refunds").text.partition('class="waiting-count">')
    return int(rest.partition("<")[0]) if found else 0
