"""Notifications, surprises, jobs and health: who may do what, and what the pages say, over HTTP."""

from __future__ import annotations

from collections.abc import Generator
from itertools import count

import pytest

from console.desk import Visitor
from daozhang.alipay.operations.trade import TradeAppPay
from daozhang.money import Money
from daozhang.service.orders.surprises import list_surprises
from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language, Role
from people_here import add_person, deeds
from worlds import World, running

numbers = count(1)
ROLES = tuple(Role)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("inbox")) as alive:
        yield alive


@pytest.fixture(scope="module")
def people(world: World) -> Generator[dict[Role, Visitor]]:
    context = world.service.context
    there: dict[Role, Visitor] = {}
    for role in ROLES:
        person = add_person(context, role.value, role)
        change_own_language(context, person, Language.ENGLISH)
        there[role] = Visitor(world, f"{role.value}@example.com")
    yield there
    for visitor in there.values():
        visitor.close()


def told_wrong(world: World) -> tuple[str, int]:
    """An order of which a notification tells another amount, and its surprise."""
    world.emulator.set_fault("amount_off_by_one", times=1)
    number = world.order("88.88")
    world.pay(number)
    world.settle()
    with world.service.context.database.read() as tx:
        (one,) = [one for one in list_surprises(tx, 1) if one.out_trade_no == number]
    return number, one.id


def unclaimed(world: World) -> tuple[str, int]:
    """A payment for which there is no order, and its surprise."""
    number = f"ELSE{next(numbers)}"
    paying = TradeAppPay(out_trade_no=number, total_amount=Money.parse("66.00"), subject="碧螺春")
    notify_url = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    order_string = world.service.clients.client_for(1).order_string(paying, notify_url=notify_url)
    address = f"{world.emulator.base_url}/_control/pay"
    world.browser.post(address, json={"order_string": order_string}).raise_for_status()
    world.advance(3700)
    with world.service.context.database.read() as tx:
        (one,) = [one for one in list_surprises(tx, 1) if one.out_trade_no == number]
    return number, one.id


FINANCE_UP = {Role.FINANCE, Role.OWNER}
DEVELOPER_UP = {Role.DEVELOPER, Role.OWNER}
STAFF = FINANCE_UP | DEVELOPER_UP

READS = {
    "/m/shop/notifications": STAFF,
    "/m/shop/notifications/1": STAFF,
    "/m/shop/notifications/refused": STAFF,
    "/m/shop/surprises": STAFF,
    "/m/shop/surprises/{surprise}": STAFF,
    "/health": STAFF,
    "/jobs": STAFF,
    "/jobs/job?id={job}": STAFF,
}
DEEDS: dict[str, tuple[set[Role], dict[str, str]]] = {
    "/m/shop/notifications/1/apply": (DEVELOPER_UP, {}),
    "/m/shop/surprises/{surprise}/take": (FINANCE_UP, {}),
    "/m/shop/surprises/{surprise}/hand_over": (FINANCE_UP, {"to": "0"}),
    "/m/shop/surprises/{surprise}/accept": (FINANCE_UP, {}),
    "/m/shop/surprises/{surprise}/refund": (FINANCE_UP, {}),
    "/m/shop/surprises/{surprise}/attach": (FINANCE_UP, {"out_trade_no": "none"}),
    "/m/shop/surprises/{surprise}/dismiss": (FINANCE_UP, {"note": "seen"}),
    "/jobs/job/retry": (DEVELOPER_UP, {"id": "{job}"}),
    "/jobs/job/cancel": (DEVELOPER_UP, {"id": "{job}"}),
    "/health": (STAFF, {}),
}


@pytest.fixture(scope="module")
def places(world: World) -> dict[str, str]:
    """A surprise to look at, and a job."""
    number = world.order("10.00")
    world.pay(number)
    world.settle()
    world.refund(number, "1.00", "R-1")
    world.advance(30)
    _, surprise = told_wrong(world)
    job = world.service.jobs.list()[0].id
    return {"surprise": str(surprise), "job": job}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", READS)
def test_who_may_look(
    people: dict[Role, Visitor], places: dict[str, str], role: Role, path: str
) -> None:
    status = people[role].get(path.format(**places)).status_code
    assert status == (200 if role in READS[path] else 403)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", DEEDS)
def test_who_may_do_what(
    world: World, people: dict[Role, Visitor], places: dict[str, str], role: Role, path: str
) -> None:
    allowed, fields = DEEDS[path]
    ends = "surprises" in path and role in allowed
    here = {**places, "surprise": str(told_wrong(world)[1])} if ends else places
    before = deeds(world.service.context)
    filled = {name: text.format(**here) for name, text in fields.items()}
    status = people[role].post(path.format(**here), **filled).status_code
    if role in allowed:
        # Some cannot be done to this very thing; nobody of these lacks the right.
        assert status in (200, 303, 404, 409, 422)
    else:
        assert status == 403
        assert deeds(world.service.context) == before


def test_a_notification_is_shown_raw_and_decoded_and_personal_fields_by_right(
    world: World, people: dict[Role, Visitor], places: dict[str, str]
) -> None:
    masked = people[Role.DEVELOPER].read("/m/shop/notifications/1")
    assert "&trade_status=TRADE_SUCCESS" in masked
    assert "As it reads" in masked
    assert "buyer_id=****" in masked
    assert "It verifies with the Alipay key of today" in masked
    assert "personal=1" not in masked
    # Whoever may not is not shown them by asking, either.
    assert "buyer_id=****" in people[Role.DEVELOPER].read("/m/shop/notifications/1?personal=1")

    finance = people[Role.FINANCE]
    assert "?personal=1" in finance.read("/m/shop/notifications/1")
    viewed = deeds(world.service.context).count(("person:3", "personal.viewed"))
    whole = finance.read("/m/shop/notifications/1?personal=1")
    assert "buyer_id=2088" in whole
    actions = [action for _, action in deeds(world.service.context)]
    assert actions[-1] == "personal.viewed"
    assert actions.count("personal.viewed") == viewed + 1


def test_applied_again_changes_nothing_that_is_booked(
    world: World, people: dict[Role, Visitor]
) -> None:
    number = world.order("12.00")
    world.pay(number)
    world.settle()
    before = world.events(number)
    developer = people[Role.DEVELOPER]
    listed = developer.read(f"/m/shop/notifications?number={number}")
    row = listed.split('data-row="')[1].split('"')[0]
    for _ in range(2):
        answer = developer.post(f"/m/shop/notifications/{row}/apply")
        assert answer.headers["location"].endswith(f"/notifications/{row}?applied=1")
    world.settle()
    assert world.events(number) == before == ["order.paid"]
    assert world.read(number)["status"] == "paid"
    assert deeds(world.service.context)[-1][1] == "notification.applied_again"


def test_what_was_refused_is_told_with_its_reason_and_what_to_do(
    world: World, people: dict[Role, Visitor]
) -> None:
    address = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    for _ in range(2):
        assert (
            world.browser.post(address, content=b"a=1&buyer_id=2088&sign=AAAA").status_code == 400
        )
    page = people[Role.DEVELOPER].read("/m/shop/notifications/refused")
    assert "<strong>2</strong>" in page
    assert "The signature is not Alipay's for these bytes" in page
    assert "compare the Alipay public key" in page
    assert "buyer_id=****" in page


def test_a_surprise_is_taken_and_ends_on_its_page(
    world: World, people: dict[Role, Visitor]
) -> None:
    number, surprise = unclaimed(world)
    finance, place = people[Role.FINANCE], f"/m/shop/surprises/{surprise}"
    queue = finance.read("/m/shop/surprises")
    assert "Payment nobody claims" in queue
    assert number in queue
    assert finance.post(f"{place}/take").status_code == 303
    assert "finance@example.com" in finance.read("/m/shop/surprises?show=mine")
    assert "Somebody else has it" in people[Role.OWNER].read(place)
    assert people[Role.OWNER].post(f"{place}/accept").status_code == 409

    refused = finance.post(f"{place}/dismiss", note=" ")
    assert refused.status_code == 422
    assert "Say why nothing is to be done" in refused.text
    assert finance.post(f"{place}/attach", out_trade_no="none").status_code == 404
    assert finance.post(f"{place}/refund", note="twice").status_code == 303
    assert finance.post(f"{place}/refund").status_code == 409
    world.advance(60)
    assert "Refunded" in finance.read(place)
    assert "twice" in finance.read(place)
    assert "Refunded" in finance.read("/m/shop/surprises?show=ended")
    assert len(world.emulator.trade(number).refunds) == 1
    story = finance.read(f"/m/shop/orders/{number}")
    assert "Somebody looked at what did not fit, and the money goes back." in story


def test_health_tells_of_the_house(people: dict[Role, Visitor]) -> None:
    page = people[Role.DEVELOPER].read("/health")
    for text in ("Duties", "Apply notifications", "Database", "As this version needs them"):
        assert text in page
    examined = people[Role.DEVELOPER].post("/health").text
    assert "What the examination found" in examined
    assert "notify.answer" in examined
