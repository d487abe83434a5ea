"""The pages of orders over HTTP: who may do what, what a form answers, what the story shows."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import httpx2
import pytest

from console.desks import Desk, desk
from daozhang.alipay.keys import PublicKey
from daozhang.money import Money
from daozhang.service.audit.store import all_entries
from daozhang.service.merchants.second_person import set_second_person_as
from daozhang.service.people.model import RIGHTS, Right, Role
from people_here import add_person, deeds
from receivers import Receiver, receiver
from worlds import World, running

numbers: Iterator[int] = count(1)
HOME = "/m/shop"


@pytest.fixture(scope="module")
def hook() -> Generator[Receiver]:
    with receiver() as hook:
        yield hook


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, hook: Receiver) -> Generator[World]:
    allowed = {"webhooks_allow_private": True}
    with running(tmp_path_factory.mktemp("orders"), chosen=allowed) as world:
        context = world.service.context
        boss = add_person(context, "boss")
        # Above 5 yuan of one order a refund takes a second person.
        set_second_person_as(context, boss, 1, per_order=Money.parse("5.00"), per_day=None)
        made = world.api.post("/v1/webhook_endpoints", json={"url": hook.url})
        assert made.status_code == 201, made.text
        yield world


@pytest.fixture(scope="module")
def desks(world: World) -> Generator[dict[Role, Desk]]:
    with ExitStack() as stack:
        yield {role: stack.enter_context(desk(world, role.value, role)) for role in Role}


@pytest.fixture(scope="module")
def owner(desks: dict[Role, Desk]) -> Desk:
    return desks[Role.OWNER]


def paid_order(world: World, amount: str = "10.00", **fields: Any) -> str:
    number = world.order(amount, **fields)
    world.pay(number)
    world.settle()
    return number


def page_of(number: str) -> str:
    return f"{HOME}/orders/{number}"


def refund_form(desk: Desk, number: str) -> dict[str, str]:
    """The form as its page gives it."""
    found = re.search(r'name="out_request_no" value="([^"]+)"', desk.get(page_of(number)).text)
    assert found is not None
    return {"out_request_no": found[1], "amount": "1.00", "reason": "尺码不对"}


def said(response: httpx2.Response) -> str:
    """The text of a page."""
    text = re.sub(r"<[^>]+>", " ", re.sub(r"</?code[^>]*>", "", response.text))
    return html.unescape(re.sub(r"\s+", " ", text))


def notification_of(world: World, number: str) -> str:
    entries = world.api.get(f"/v1/orders/{number}/story").json()["entries"]
    return next(str(one["id"]) for one in entries if one["kind"] == "notification")


# ---- who may do what

Deed = Callable[[World, Desk, str], httpx2.Response]


def _refund(world: World, desk: Desk, number: str) -> httpx2.Response:
    fields = {"out_request_no": f"t{next(numbers)}", "amount": "0.01"}
    return desk.post(f"{page_of(number)}/refund", fields)


def _decide(answer: str) -> Deed:
    def deed(world: World, desk: Desk, number: str) -> httpx2.Response:
        number = paid_order(world)
        asked = world.refund(number, "9.00", f"t{next(numbers)}").json()
        assert asked["object"] == "approval", asked
        fields = {"approval": asked["id"], "answer": answer}
        return desk.post(f"{page_of(number)}/approval", fields)

    return deed


def _post(what: str) -> Deed:
    return lambda world, desk, number: desk.post(f"{page_of(number)}/{what}")


def _close(world: World, desk: Desk, number: str) -> httpx2.Response:
    return desk.post(f"{page_of(world.order('1.00'))}/close")


def _raw(world: World, desk: Desk, number: str) -> httpx2.Response:
    return desk.get(f"{page_of(number)}/notifications/{notification_of(world, number)}")


def _raw_unmasked(world: World, desk: Desk, number: str) -> httpx2.Response:
    return desk.post(f"{page_of(number)}/notifications/{notification_of(world, number)}")


DEEDS: dict[str, tuple[frozenset[Right], Deed]] = {
    "look at the list": (
        frozenset({Right.ORDERS_READ}),
        lambda world, desk, number: desk.get(f"{HOME}/orders"),
    ),
    "look at an order": (
        frozenset({Right.ORDERS_READ}),
        lambda world, desk, number: desk.get(page_of(number)),
    ),
    "refund": (frozenset({Right.REFUNDS_REQUEST}), _refund),
    "approve": (frozenset({Right.REFUNDS_READ, Right.REFUNDS_APPROVE}), _decide("approve")),
    "decline": (frozenset({Right.REFUNDS_READ, Right.REFUNDS_APPROVE}), _decide("decline")),
    "close": (frozenset({Right.ORDERS_CLOSE}), _close),
    "query": (frozenset({Right.ORDERS_QUERY}), _post("query")),
    "resend": (frozenset({Right.EVENTS_RESEND}), _post("resend")),
    "see the buyer": (frozenset({Right.PERSONAL_READ}), _post("buyer")),
    "see a notification": (frozenset({Right.NOTIFICATIONS_READ}), _raw),
    "see all of a notification": (
        frozenset({Right.NOTIFICATIONS_READ, Right.PERSONAL_READ}),
        _raw_unmasked,
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_each_role_may_do_what_its_rights_say(
    world: World, desks: dict[Role, Desk], deed: str
) -> None:
    rights, do = DEEDS[deed]
    number = paid_order(world)
    for role in Role:
        answer = do(world, desks[role], number)
        allowed = rights <= RIGHTS[role]
        assert answer.status_code in ((200, 303) if allowed else (403,)), (role, answer.text)


def test_a_stranger_is_led_to_the_sign_in_whatever_they_send(world: World) -> None:
    with httpx2.Client(
        base_url=world.service.context.settings.public_url, trust_env=False
    ) as stranger:
        for what in ("refund", "approval", "close", "query", "resend", "buyer"):
            answer = stranger.post(f"/console{page_of('W000001')}/{what}")
            assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign_in")


def test_what_a_role_may_not_do_is_not_offered(world: World, desks: dict[Role, Desk]) -> None:
    number = paid_order(world)
    viewer, owner = (desks[role].get(page_of(number)).text for role in (Role.VIEWER, Role.OWNER))
    for what in ("refund", "resend"):
        assert f'data-open="{what}"' in owner
        assert f'data-open="{what}"' not in viewer
    assert f"{page_of(number)}/query" not in viewer


# ---- refunds


def test_a_refund_is_asked_for_and_told(world: World, owner: Desk) -> None:
    number = paid_order(world)
    answer = owner.post(f"{page_of(number)}/refund", refund_form(owner, number))
    assert answer.status_code == 303
    world.settle()
    page = said(owner.client.get(answer.headers["location"]))
    assert "The refund is asked for." in page
    assert "The end: Alipay has proven that the money went back." in page
    assert "尺码不对" in page
    assert [one["amount"] for one in world.refunds(number)] == ["1.00"]
    assert (str(owner.person.actor), "refund.requested") in deeds(world.service.context)


def test_a_form_that_is_sent_twice_refunds_once(world: World, owner: Desk) -> None:
    number = paid_order(world)
    form = refund_form(owner, number)
    answers = [owner.post(f"{page_of(number)}/refund", form) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303]
    assert len(world.refunds(number)) == 1


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("abc", "Write an amount in yuan"),
        ("", "Write an amount in yuan"),
        ("1.001", "Write an amount in yuan"),
        ("-1.00", "has to be more than nothing"),
        ("0.00", "has to be more than nothing"),
        ("10.01", "10.00"),
    ],
)
def test_a_wrong_amount_is_told_at_its_field(
    world: World, owner: Desk, amount: str, says: str
) -> None:
    number = paid_order(world)
    answer = owner.post(
        f"{page_of(number)}/refund", {**refund_form(owner, number), "amount": amount}
    )
    assert answer.status_code == 422
    field = re.search(r'id="amount-says">([^<]+)<', answer.text)
    assert field is not None
    assert says in html.unescape(field[1])
    assert "data-shown" in answer.text
    assert "尺码不对" in answer.text, "what was written stays written"
    assert world.refunds(number) == []


def test_above_the_amount_it_waits_for_whoever_may_approve(
    world: World, desks: dict[Role, Desk]
) -> None:
    finance, cashier = desks[Role.FINANCE], desks[Role.CASHIER]
    number = paid_order(world)
    form = {**refund_form(cashier, number), "amount": "5.01"}
    answer = cashier.post(f"{page_of(number)}/refund", form)
    page = said(cashier.client.get(answer.headers["location"]))
    assert "waits for a second person" in page
    assert "It waits for: " in page
    assert {"owner", "finance"} <= {*re.split(r"[ ,.]+", page)}
    assert "Approve the refund" not in page
    assert "Withdraw" in page
    assert world.refunds(number) == []

    theirs = finance.get(page_of(number)).text
    approval = re.search(r'name="approval" value="([^"]+)"', theirs)
    assert approval is not None
    fields = {"approval": approval[1], "answer": "approve"}
    assert finance.post(f"{page_of(number)}/approval", fields).status_code == 303
    world.settle()
    assert [one["status"] for one in world.refunds(number)] == ["succeeded"]
    assert "waits for a second person" not in said(cashier.get(page_of(number)))


def test_who_asked_takes_it_back(world: World, desks: dict[Role, Desk]) -> None:
    cashier, number = desks[Role.CASHIER], paid_order(world)
    cashier.post(f"{page_of(number)}/refund", {**refund_form(cashier, number), "amount": "6.00"})
    approval = re.search(r'name="approval" value="([^"]+)"', cashier.get(page_of(number)).text)
    assert approval is not None
    fields = {"approval": approval[1], "answer": "withdraw"}
    assert cashier.post(f"{page_of(number)}/approval", fields).status_code == 303
    assert "waits for a second person" not in said(cashier.get(page_of(number)))


# ---- close, query, resend


def test_an_order_is_closed_once(world: World, owner: Desk) -> None:
    number = world.order("3.00")
    world.open_page(number)
    for _ in range(2):
        assert owner.post(f"{page_of(number)}/close").status_code == 303
    world.settle()
    assert world.read(number)["status"] == "closed"
    assert 'data-open="close"' not in owner.get(page_of(number)).text


def test_a_paid_order_is_not_closed_and_the_page_says_why(world: World, owner: Desk) -> None:
    answer = owner.post(f"{page_of(paid_order(world))}/close")
    assert answer.status_code == 409
    assert "This cannot be done now" in answer.text


def test_asking_alipay_finds_what_no_notification_told(world: World, owner: Desk) -> None:
    number = world.order("3.00")
    world.open_page(number)
    world.postman.holding = True
    try:
        world.emulator.pay(number)
        assert world.read(number)["status"] != "paid"
        owner.post(f"{page_of(number)}/query")
        assert world.read(number)["status"] == "paid"
    finally:
        world.postman.holding = False


def test_events_go_out_again(world: World, owner: Desk, hook: Receiver) -> None:
    number = paid_order(world)
    before = len(hook.got)
    answer = owner.post(f"{page_of(number)}/resend")
    assert "done=resent" in answer.headers["location"]
    world.settle()
    assert len(hook.got) > before
    assert (str(owner.person.actor), "events.resent") in deeds(world.service.context)


# ---- the story, and who paid


def test_the_story_is_the_services_own(world: World, owner: Desk) -> None:
    number = paid_order(world, subject="<b>茶<b>")
    story = world.api.get(f"/v1/orders/{number}/story").json()
    page = said(owner.get(page_of(number)))
    for one in story["entries"]:
        assert re.sub(r"\s+", " ", one["say"]) in page
    posts = [one for one in story["entries"] if one["kind"] == "delivery"]
    assert posts
    assert all(one["posts"][0]["status_code"] == 200 for one in posts)
    assert "HTTP 200" in page


def test_what_happens_next_is_told(world: World, owner: Desk) -> None:
    number = world.order("3.00")
    page = said(owner.get(page_of(number)))
    assert "What happens next" in page
    for one in world.api.get(f"/v1/orders/{number}/story").json()["next"]:
        assert one["say"] in page


def test_who_paid_is_shown_by_a_click_that_is_written_down(world: World, owner: Desk) -> None:
    number = paid_order(world)
    buyer = world.read(number)["payment"]["buyer_id"]
    assert buyer not in owner.get(page_of(number)).text
    shown = owner.post(f"{page_of(number)}/buyer")
    assert buyer in shown.text
    with world.service.context.database.read() as tx:
        last = [*all_entries(tx)][-1]
    assert (last.action, last.subject) == ("personal.viewed", f"order:{number}")
    assert last.actor == owner.person.actor


def test_a_notification_is_shown_word_for_word_with_its_key(world: World, owner: Desk) -> None:
    number = paid_order(world)
    buyer = world.read(number)["payment"]["buyer_id"]
    path = f"{page_of(number)}/notifications/{notification_of(world, number)}"
    masked = owner.get(path).text
    assert f"out_trade_no={number}" in html.unescape(masked)
    assert "RSA2" in masked
    app = world.emulator.credentials("shop")
    assert buyer not in masked
    assert "****" in masked
    assert buyer in owner.post(path).text
    assert PublicKey.load(app["alipay_public_key"]).fingerprint in masked


def test_a_notification_of_another_order_is_not_found(world: World, owner: Desk) -> None:
    first, second = paid_order(world), paid_order(world)
    wrong = f"{page_of(first)}/notifications/{notification_of(world, second)}"
    assert owner.get(wrong).status_code == 404
    assert owner.get(f"{page_of(first)}/notifications/abc").status_code == 404
