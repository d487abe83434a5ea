"""Shifts: what was taken and given back is in them to the fen, and two people sign."""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest

from console.clerks import Clerk, Staff, location
from daozhang.money import Money
from daozhang.service.audit.actions import verify_chain
from daozhang.service.people.model import Role
from people_here import deeds
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("shifts")) as alive:
        yield alive


@pytest.fixture(scope="module")
def staff(world: World) -> Generator[Staff]:
    with Staff(world) as staff:
        yield staff


@pytest.fixture
def clerk(staff: Staff) -> Clerk:
    """A cashier at a till of this test."""
    clerk = staff(Role.CASHIER)
    start(clerk)
    return clerk


def start(clerk: Clerk) -> str:
    """Opens a shift; its page."""
    clerk.press(clerk.open("/till"), "/till/shift", store="S-1", terminal="T-1")
    return shift_of(clerk)


def shift_of(clerk: Clerk) -> str:
    found = re.search(r"/shifts/shf_[0-9a-z]+", clerk.open("/till").text)
    assert found is not None
    return found[0]


def sell(clerk: Clerk, amount: str, behaviour: str = "pays") -> str:
    """A sale by a scanned code; its number."""
    path = location(clerk.press(clerk.open("/till"), "/till", amount=amount, way="barcode"))
    code = clerk.world.emulator.payment_code(behaviour)
    clerk.press(clerk.open(path), "/scan", auth_code=code)
    return path.removeprefix("/till/")


def show(clerk: Clerk, amount: str) -> str:
    """A sale by a code that is shown; its number."""
    path = location(clerk.press(clerk.open("/till"), "/till", amount=amount, way="qr"))
    return path.removeprefix("/till/").partition("?")[0]


def pay(world: World, number: str) -> None:
    world.browser.get(world.api.post(f"/v1/orders/{number}/qr_code").json()["qr_code"])
    world.emulator.pay(number)
    world.settle()


def rows(clerk: Clerk, path: str) -> dict[str, list[str]]:
    """The lines of a shift's page: the texts of their cells."""
    page = clerk.open(path).text
    return {
        name: [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", inside, re.DOTALL)
        ]
        for name, inside in re.findall(r'<tr data-row="(\w+)"[^>]*>(.*?)</tr>', page, re.DOTALL)
    }


def amount_of(cell: str) -> Money:
    return Money.parse(cell.removesuffix(" CNY").replace(",", "").replace("−", "-"))


def test_a_shift_is_the_sum_of_its_orders(world: World, clerk: Clerk) -> None:
    path = shift_of(clerk)
    paid = [sell(clerk, "12.34"), sell(clerk, "1000.00"), show(clerk, "0.01"), show(clerk, "5.55")]
    for number in paid[2:]:
        pay(world, number)
    unpaid = sell(clerk, "9.99", "asks")
    clerk.press(clerk.open(f"/till/{unpaid}"), "/cancel")
    waits = sell(clerk, "4.00", "asks")
    clerk.press(clerk.open(f"/till/{paid[1]}"), "/refund", amount="250.00", reason="退一件")
    world.advance(8)
    orders = [world.read(number) for number in paid]
    assert {order["status"] for order in orders} == {"paid"}
    shown = rows(clerk, path)
    for name, way in (("barcode", "barcode"), ("qr", "qr")):
        of_way = [Money.parse(o["amount"]) for o in orders if o["way"] == way]
        assert shown[name][:2] == [str(len(of_way)), shown[name][1]]
        assert amount_of(shown[name][1]) == sum(of_way, Money.parse("0.00"))
    assert amount_of(shown["refunded"][1]) == Money.parse("-250.00")
    assert "Not final yet: 1 payments and 0 refunds" in clerk.open(path).text
    world.emulator.confirm(waits)
    world.settle()
    assert amount_of(rows(clerk, path)["barcode"][1]) == Money.parse("1016.34")
    assert "Not final yet:" not in clerk.open(path).text


def test_two_people_sign_and_a_difference_has_a_word(
    world: World, staff: Staff, clerk: Clerk
) -> None:
    path = shift_of(clerk)
    sell(clerk, "30.00")
    waits = sell(clerk, "2.00", "asks")
    wordless = clerk.press(clerk.open(path), "/hand_over", noted_barcode="29.00")
    assert wordless.status_code == 422
    assert 'value="29.00"' in wordless.text
    given = {"noted_barcode": "29.00", "noted_refunded": "0", "note": "小票少一张"}
    location(clerk.press(clerk.open(path), "/hand_over", **given))
    assert rows(clerk, path)["barcode"] == ["1", "30.00 CNY", "29.00 CNY", "−1.00 CNY"]
    assert rows(clerk, path)["refunded"][-1] == "no difference"
    # What becomes final afterwards stands beside what was signed, and changes nothing in it.
    world.emulator.confirm(waits)
    world.settle()
    assert rows(clerk, path)["barcode"][1] == "30.00 CNY"
    assert rows(clerk, path)["barcode"][-1] == "32.00 CNY"
    assert clerk.send(f"{path}/take").status_code == 409
    other = staff(Role.CASHIER)
    location(other.press(other.open(path), "/take", note="已清点"))
    for reader in (clerk, other):
        page = reader.open(path).text
        for said in (clerk.person.name, other.person.name, "小票少一张", "已清点"):
            assert said in page
    assert other.send(f"{path}/take").status_code == 409
    third = staff(Role.CASHIER)
    assert third.open(path).status_code == 404
    assert staff(Role.FINANCE).open(path).status_code == 200
    context = world.service.context
    mine = f"person:{clerk.person.id}"
    trail = deeds(context)
    assert (mine, "shift.opened") in trail
    assert (mine, "shift.handed_over") in trail
    assert (f"person:{other.person.id}", "shift.taken") in trail
    assert verify_chain(context.database).broken is None


def test_nothing_is_sold_after_handing_over(clerk: Clerk) -> None:
    path = shift_of(clerk)
    page = clerk.open("/till")
    clerk.press(clerk.open(path), "/hand_over")
    assert clerk.press(page, "/till", amount="1.00", way="barcode").status_code == 409
    assert clerk.send(f"{path}/hand_over").status_code == 409
    assert start(clerk) != path


def test_refunds_of_one_shift_count_together(world: World, staff: Staff, clerk: Clerk) -> None:
    owner = staff(Role.OWNER)
    location(owner.press(owner.open("/shifts"), "/shifts/limit", limit="10.00"))
    first, second = sell(clerk, "50.00"), sell(clerk, "50.00")

    def refund(number: str, amount: str) -> str:
        page = clerk.open(f"/till/{number}")
        return location(clerk.press(page, "/refund", amount=amount))

    assert refund(first, "6.00") == f"/till/{first}"
    assert refund(second, "4.00") == f"/till/{second}"
    asked = refund(second, "0.01")
    assert asked.endswith("?asked=yes")
    assert "waits for a second person" in clerk.open(asked).text
    # Nor by another page of the console, nor by slices: the limit is asked where refunds are made.
    world.advance(5)
    assert [r["amount"] for r in world.refunds(second)] == ["4.00"]
    # Another shift begins at nothing.
    clerk.press(clerk.open(shift_of(clerk)), "/hand_over")
    start(clerk)
    assert refund(first, "10.00") == f"/till/{first}"
    location(owner.press(owner.open("/shifts"), "/shifts/limit", limit=""))
    assert refund(first, "11.00") == f"/till/{first}"
    assert owner.press(owner.open("/shifts"), "/shifts/limit", limit="much").status_code == 422
    assert (f"person:{owner.person.id}", "merchant.shift_limit_set") in deeds(world.service.context)


def test_what_a_cancel_gave_back_is_in_the_shift(world: World, clerk: Clerk) -> None:
    path = shift_of(clerk)
    world.emulator.set_fault("gateway_timeout_after_success", method="alipay.trade.pay", times=1)
    world.postman.holding = True
    number = sell(clerk, "7.00")
    location(clerk.send(f"/till/{number}/cancel"))
    world.postman.holding = False
    world.advance(120)
    assert world.read(number)["status"] == "refunded"
    shown = rows(clerk, path)
    assert shown["barcode"][:2] == ["1", "7.00 CNY"]
    assert shown["refunded"][:2] == ["1", "−7.00 CNY"]


@pytest.mark.parametrize("role", Role)
def test_each_action_is_for_whoever_holds_its_right(staff: Staff, clerk: Clerk, role: Role) -> None:
    path = shift_of(clerk)
    who = staff(role)
    at_till = role in (Role.CASHIER, Role.FINANCE, Role.OWNER)
    oversees = role in (Role.FINANCE, Role.OWNER)
    assert who.open("/shifts").status_code == (200 if at_till else 403)
    # An open shift of somebody else's is for who oversees shifts.
    expected = 200 if oversees else 404 if at_till else 403
    assert who.open(path).status_code == expected
    ended = who.send(f"{path}/hand_over").status_code
    assert ended == (303 if oversees else 404 if at_till else 403)
    if not oversees:
        clerk.send(f"{path}/hand_over")
    assert who.send(f"{path}/take").status_code == (303 if at_till else 403)
    limited = who.send("/shifts/limit", limit="")
    assert limited.status_code == (303 if role is Role.OWNER else 403)
