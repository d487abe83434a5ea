"""Pay links: made in the console, paid by anybody who has the address, and no oftener than meant."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import httpx2
import pytest

from console.clerks import Clerk, Staff, location
from daozhang.service.people.model import Role
from worlds import World, running

PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148"}
DESK = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/150"}
WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 16) Mobile MicroMessenger/8.0"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("links")) as alive:
        yield alive


@pytest.fixture(scope="module")
def staff(world: World) -> Generator[Staff]:
    with Staff(world) as staff:
        yield staff


@pytest.fixture
def clerk(staff: Staff) -> Clerk:
    return staff(Role.CASHIER)


def make(clerk: Clerk, **fields: str) -> str:
    """The console's page of a new link."""
    given = {"subject": "武夷岩茶 100g", "kind": "fixed", "amount": "66.00", "times": "once"}
    return location(clerk.press(clerk.open("/links/new"), "/links", **given | fields))


def address(world: World, clerk: Clerk, path: str) -> str:
    found = re.search(r"/pay/link/[0-9a-z]+", clerk.open(path).text)
    assert found is not None
    return f"{world.api.base_url}{found[0]}".replace("//pay", "/pay")


def press(
    world: World, url: str, agent: dict[str, str], page: str | None = None, **fields: str
) -> httpx2.Response:
    """A payer opens the link and presses the button (again, on a ``page`` opened before)."""
    shown = page or world.browser.get(url, headers=agent).text
    key = re.search(r'name="form_key" value="([^"]+)"', shown)
    assert key is not None, shown
    return world.browser.post(url, data={"form_key": key[1], **fields}, headers=agent)


def lead(world: World, leading: httpx2.Response) -> str:
    """Goes on to Alipay's cashier; the order's number."""
    assert leading.status_code == 200, leading.text
    onward = re.search(r'data-now[^>]* href="([^"]+)"', leading.text)
    assert onward is not None, leading.text
    cashier = world.browser.get(onward[1])
    assert cashier.status_code == 200
    number = re.search(r"L20\d{6}[0-9A-Z]{10}", cashier.text)
    assert number is not None, cashier.text
    return number[0]


def orders(world: World) -> list[dict[str, Any]]:
    return world.api.get("/v1/orders", params={"limit": 100}).json()["data"]


def test_looking_makes_no_order_and_pressing_makes_one(world: World, clerk: Clerk) -> None:
    path = make(clerk, note="请在三天内付款")
    url = address(world, clerk, path)
    before = len(orders(world))
    for agent in (PHONE, DESK, WECHAT):
        page = world.browser.get(url, headers=agent)
        assert page.status_code == 200
        for shown in ("Shop", "66.00", "武夷岩茶 100g", "请在三天内付款"):
            assert shown in page.text
        assert ("/qr.svg" in page.text) == (agent is DESK)
        assert ("<form" in page.text) == (agent is not WECHAT)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert world.browser.get(f"{url}/qr.png").headers["content-type"] == "image/png"
    assert len(orders(world)) == before
    page = world.browser.get(url, headers=PHONE).text
    number = lead(world, press(world, url, PHONE, page))
    assert lead(world, press(world, url, PHONE, page)) == number
    assert len(orders(world)) == before + 1
    order = world.read(number)
    assert (order["way"], order["amount"]) == ("wap", "66.00")
    assert order["metadata"]["paylink"] == path.rpartition("/")[2]
    assert order["operator_id"] == f"person-{clerk.person.id}"
    world.emulator.pay(number)
    world.settle()
    assert world.browser.get(f"{url}/state").json() == {"state": "paid"}
    assert "已付款" in world.browser.get(url).text
    assert press(world, url, PHONE, page).status_code == 410
    listed = clerk.open("/links").text
    assert "66.00" in listed
    assert "1 payment" in listed
    assert number in clerk.open(path).text


def test_a_link_for_one_that_two_people_hold_is_paid_once(world: World, clerk: Clerk) -> None:
    url = address(world, clerk, make(clerk))
    first = lead(world, press(world, url, PHONE))
    assert lead(world, press(world, url, PHONE)) == first
    world.emulator.pay(first)
    world.settle()
    late = world.browser.get(url, headers=PHONE)
    assert "<form" not in late.text


def test_a_link_for_one_that_is_paid_twice_is_a_case_for_a_person(
    world: World, clerk: Clerk
) -> None:
    path = make(clerk)
    url = address(world, clerk, path)
    # One buyer at a computer, one on a phone, both in Alipay's cashier before either has paid.
    first, second = lead(world, press(world, url, DESK)), lead(world, press(world, url, PHONE))
    assert first != second
    assert {world.read(first)["way"], world.read(second)["way"]} == {"page", "wap"}
    world.emulator.pay(first)
    world.emulator.pay(second)
    world.settle()
    assert "order.duplicate_payment" in world.events(second) + world.events(first)
    assert "2 payments" in clerk.open(path).text
    assert "A person has to look" in clerk.open(path).text


def test_a_link_for_many_takes_what_the_payer_chooses(world: World, clerk: Clerk) -> None:
    path = make(clerk, kind="chosen", least="5.00", most="50.00", times="many")
    url = address(world, clerk, path)
    for amount in ("4.99", "50.01", "zero", "1.234", ""):
        refused = press(world, url, PHONE, amount=amount)
        assert refused.status_code == 422, amount
        assert f'value="{amount}"' in refused.text
    for amount in ("5.00", "50.00"):
        number = lead(world, press(world, url, PHONE, amount=amount))
        assert world.read(number)["amount"] == amount
        world.emulator.pay(number)
    world.settle()
    assert world.browser.get(f"{url}/state").json() == {"state": "open"}
    shown = clerk.open(path).text
    assert "2 payments" in shown
    assert "55.00" in shown


def test_a_link_is_closed_and_who_has_begun_can_end(world: World, clerk: Clerk) -> None:
    path = make(clerk, times="many")
    url = address(world, clerk, path)
    page = world.browser.get(url, headers=PHONE).text
    begun = lead(world, press(world, url, PHONE))
    clerk.press(clerk.open(path), "/close")
    assert world.browser.get(url).status_code == 410
    assert press(world, url, PHONE, page).status_code == 410
    world.emulator.pay(begun)
    world.settle()
    assert world.read(begun)["status"] == "paid"
    assert "1 payment" in clerk.open(path).text


def test_a_link_runs_out_and_its_orders_with_it(world: World, clerk: Clerk) -> None:
    today = world.clock.now().strftime("%Y-%m-%d")
    url = address(world, clerk, make(clerk, times="many", last_day=today))
    world.advance(14 * 3600 + 45 * 60 + 30)  # 23:45 and a half in Beijing, at the latest
    number = lead(world, press(world, url, PHONE))
    expires = world.read(number)["expires_at"]
    assert expires.startswith(f"{today}T16:00:00"), expires
    world.advance(15 * 60)
    assert world.browser.get(url).status_code == 410
    assert "链接已过期" in world.browser.get(url).text


def test_an_address_that_is_none_leads_nowhere(world: World) -> None:
    url = f"{world.api.base_url}/pay/link/nothing"
    assert world.browser.get(url).status_code == 404
    assert world.browser.post(url, data={}).status_code == 404
    assert world.browser.get(f"{url}/state").status_code == 404
    assert world.browser.get(f"{url}/qr.svg").status_code == 404


def test_what_is_larger_than_a_form_is_not_read(world: World, clerk: Clerk) -> None:
    url = address(world, clerk, make(clerk, times="many"))
    assert world.browser.post(url, data={"form_key": "x" * 10_000}).status_code == 413


def test_nobody_fills_the_books_by_pressing(world: World, clerk: Clerk) -> None:
    url = address(world, clerk, make(clerk, times="many"))
    page = world.browser.get(url, headers=PHONE).text
    statuses = [
        world.browser.post(url, data={"form_key": f"{n:032d}"}, headers=PHONE).status_code
        for n in range(101)
    ]
    assert statuses == [200] * 100 + [429]
    assert world.browser.post(url, data={"form_key": "x"}, headers=PHONE).status_code == 422
    assert press(world, url, PHONE, page).status_code == 429


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"amount": "0"}, "0.01"),
        ({"amount": "abc"}, ""),
        ({"subject": "a=b"}, "without / = and"),
        ({"kind": "chosen", "least": "9.00", "most": "8.00"}, "the least is not above the most"),
        ({"last_day": "2020-01-01"}, "a minute to a year"),
        ({"last_day": "yesterday"}, "a minute to a year"),
    ],
)
def test_what_is_no_link_is_said(clerk: Clerk, fields: dict[str, str], says: str) -> None:
    given = {"subject": "茶", "kind": "fixed", "amount": "1.00", "times": "once"} | fields
    refused = clerk.press(clerk.open("/links/new"), "/links", **given)
    assert refused.status_code == 422
    assert says in refused.text


def test_one_form_makes_one_link(clerk: Clerk) -> None:
    page = clerk.open("/links/new")
    given = {"subject": "茶", "amount": "1.00"}
    first = location(clerk.press(page, "/links", **given))
    assert location(clerk.press(page, "/links", **given)) == first
    assert clerk.press(page, "/links", **given | {"amount": "2.00"}).status_code == 422


@pytest.mark.parametrize("role", Role)
def test_each_action_is_for_whoever_holds_its_right(
    world: World, staff: Staff, clerk: Clerk, role: Role
) -> None:
    allowed = role in (Role.CASHIER, Role.FINANCE, Role.OWNER)
    path = make(clerk, times="many")
    url = address(world, clerk, path)
    who = staff(role)
    for look in ("/links", "/links/new", path):
        assert who.open(look).status_code == (200 if allowed else 403)
    key = f"key-of-a-form-{role.value}"
    made = who.send("/links", form_key=key, subject="茶", kind="fixed", amount="1.00")
    assert made.status_code == (303 if allowed else 403)
    assert who.send(f"{path}/close").status_code == (303 if allowed else 403)
    assert world.browser.get(url).status_code == (410 if allowed else 200)
