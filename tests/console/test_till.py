"""The till, by its pages: sold by a person, paid by a buyer, and never handed over too early."""

from __future__ import annotations

import re
from collections.abc import Generator

import httpx2
import pytest

from console.clerks import Clerk, Staff, location, speak
from daozhang.service.people.model import Language, Role
from worlds import World, running

NOT_YET, GO, NEVER = "Do not hand over", "Paid. Hand over the goods.", "Not paid"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("till")) as alive:
        yield alive


@pytest.fixture(scope="module")
def staff(world: World) -> Generator[Staff]:
    with Staff(world) as staff:
        yield staff


@pytest.fixture(scope="module")
def clerk(staff: Staff) -> Clerk:
    """A cashier with an open shift."""
    clerk = staff(Role.CASHIER)
    opened = clerk.press(clerk.open("/till"), "/till/shift", store="S-1", terminal="T-9")
    assert location(opened) == "/till"
    return clerk


def sell(clerk: Clerk, way: str, amount: str = "8.88", **fields: str) -> str:
    """Where a new sale is."""
    return location(clerk.press(clerk.open("/till"), "/till", amount=amount, way=way, **fields))


def number_of(path: str) -> str:
    return path.removeprefix("/till/").partition("?")[0]


def scan(clerk: Clerk, path: str, code: str) -> httpx2.Response:
    return clerk.press(clerk.open(path), "/scan", auth_code=code)


def state(page: httpx2.Response) -> str:
    found = re.search(r'data-state="([a-z_]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def test_nothing_is_sold_outside_a_shift(staff: Staff) -> None:
    stranger = staff(Role.CASHIER)
    page = stranger.open("/till")
    assert "/till/shift" in page.text
    refused = stranger.send("/till", number="T20260302ABCDEFGHJK", amount="1.00", way="qr")
    assert refused.status_code == 409
    assert stranger.press(page, "/till/shift", store="no blanks", terminal="1").status_code == 422


def test_a_code_is_shown_and_the_till_turns_when_the_buyer_has_paid(
    world: World, clerk: Clerk
) -> None:
    path = sell(clerk, "qr", subject="明前龙井 50g")
    page = clerk.open(path)
    assert state(page) == "show_code"
    assert NOT_YET in page.text
    picture = re.search(r'src="(/qr/[^"]+\.svg)"', page.text)
    assert picture is not None
    assert world.browser.get(f"{world.api.base_url}{picture[1]}").status_code == 200
    number = number_of(path)
    buyers = world.api.post(f"/v1/orders/{number}/qr_code").json()["qr_code"]
    world.browser.get(buyers)
    world.advance(5)
    assert state(clerk.open(path)) == "waiting"
    world.emulator.pay(number)
    world.settle()
    page = clerk.open(path)
    assert state(page) == "paid"
    assert GO in page.text
    order = world.read(number)
    assert order["operator_id"] == f"person-{clerk.person.id}"
    assert (order["store_id"], order["terminal_id"]) == ("S-1", "T-9")
    assert order["metadata"]["shift"].startswith("shf_")
    assert re.fullmatch(r"T20260302[0-9A-Z]{10}", number)


def test_a_receipt_of_before_fetches_no_goods_again(world: World, clerk: Clerk) -> None:
    path = sell(clerk, "barcode")
    scan(clerk, path, world.emulator.payment_code())
    assert GO in clerk.open(path).text
    world.advance(11 * 60)
    page = clerk.open(path)
    assert state(page) == "paid_before"
    assert GO not in page.text


def test_a_double_click_makes_one_order(world: World, clerk: Clerk) -> None:
    page = clerk.open("/till")
    first = location(clerk.press(page, "/till", amount="3.21", way="barcode"))
    second = location(clerk.press(page, "/till", amount="3.21", way="barcode"))
    assert first == second
    assert world.read(number_of(first))["amount"] == "3.21"
    other = clerk.press(page, "/till", amount="4.00", way="barcode")
    assert other.status_code == 422
    assert "exists already" in other.text
    assert 'value="4.00"' in other.text


@pytest.mark.parametrize("amount", ["", "0", "1.234", "-1", "abc", "1e3"])
def test_what_is_no_amount_is_said_at_the_field(clerk: Clerk, amount: str) -> None:
    answer = clerk.press(clerk.open("/till"), "/till", amount=amount, way="qr")
    assert answer.status_code == 422
    assert 'id="amount-says"' in answer.text


def test_a_scanned_code_pays_at_once(world: World, clerk: Clerk) -> None:
    path = sell(clerk, "barcode")
    assert state(clerk.open(path)) == "scan"
    assert location(scan(clerk, path, world.emulator.payment_code())) == path
    assert GO in clerk.open(path).text


def test_goods_stay_until_the_buyer_has_confirmed(world: World, clerk: Clerk) -> None:
    path = sell(clerk, "barcode")
    scan(clerk, path, world.emulator.payment_code("asks"))
    page = clerk.open(path)
    assert state(page) == "buyer_confirms"
    assert NOT_YET in page.text
    assert "every 2s" in page.text
    world.emulator.confirm(number_of(path))
    world.settle()
    assert GO in clerk.open(path).text


@pytest.mark.parametrize(
    ("scanned", "says"),
    [
        ("6901234567892", "barcode of goods"),
        ("134567890123456789", "WeChat Pay"),
        ("https://example.com", "address in a QR code"),
    ],
)
def test_what_is_no_payment_code_is_refused_in_words(clerk: Clerk, scanned: str, says: str) -> None:
    path = sell(clerk, "barcode")
    refused = scan(clerk, path, scanned)
    assert refused.status_code == 422
    assert says in refused.text
    assert state(refused) == "scan"


def test_a_declined_buyer_shows_another_code(world: World, clerk: Clerk) -> None:
    path = sell(clerk, "barcode")
    scan(clerk, path, world.emulator.payment_code("declines"))
    page = clerk.open(path)
    assert state(page) == "declined"
    assert "too little money" in page.text
    scan(clerk, path, world.emulator.payment_code())
    assert GO in clerk.open(path).text


def test_a_sale_is_given_up(world: World, clerk: Clerk) -> None:
    path = sell(clerk, "barcode")
    scan(clerk, path, world.emulator.payment_code("asks"))
    clerk.press(clerk.open(path), "/cancel")
    world.advance(10)
    page = clerk.open(path)
    assert state(page) == "not_paid"
    assert "Next sale" in page.text
    unscanned = sell(clerk, "barcode")
    clerk.press(clerk.open(unscanned), "/cancel")
    assert state(clerk.open(unscanned)) in ("closing", "not_paid")
    decided = sell(clerk, "barcode")
    scan(clerk, decided, world.emulator.payment_code())
    assert clerk.send(f"/till/{number_of(decided)}/cancel").status_code == 409


def test_the_cashier_reads_it_in_chinese(world: World, staff: Staff) -> None:
    clerk = staff(Role.CASHIER)
    clerk.press(clerk.open("/till"), "/till/shift", store="S-2", terminal="T-2")
    speak(clerk, Language.CHINESE)
    path = sell(clerk, "barcode")
    scan(clerk, path, world.emulator.payment_code("asks"))
    assert "请先不要交付商品" in clerk.open(path).text
    world.emulator.confirm(number_of(path))
    world.settle()
    assert "可以交付商品" in clerk.open(path).text


def test_an_order_is_found_by_the_buyers_receipt_and_by_its_amount(
    world: World, clerk: Clerk
) -> None:
    path = sell(clerk, "barcode", "77.70")
    scan(clerk, path, world.emulator.payment_code())
    number = number_of(path)
    trade_no = world.read(number)["trade_no"]
    assert len(trade_no) == 28
    for receipt in (trade_no, number, f" {number} "):
        found = clerk.http.get(f"{clerk.base}/m/shop/till/find", params={"receipt": receipt})
        assert location(found) == f"/till/{number}"
    assert number in clerk.open("/till/find?amount=77.70").text
    assert number not in clerk.open("/till/find?amount=77.71").text
    assert "no order with this number" in clerk.open("/till/find?receipt=2026").text


def test_money_goes_back_within_the_cashiers_shift(world: World, clerk: Clerk) -> None:
    path = sell(clerk, "barcode", "20.00")
    scan(clerk, path, world.emulator.payment_code())
    page = clerk.open(path)
    for _ in range(2):  # a second click gives back nothing twice
        location(clerk.press(page, "/refund", amount="5.00", reason="尺码不对"))
    world.advance(5)
    number = number_of(path)
    [refund] = world.refunds(number)
    assert (refund["amount"], refund["status"]) == ("5.00", "succeeded")
    assert (refund["store_id"], refund["terminal_id"]) == ("S-1", "T-9")
    too_much = clerk.press(clerk.open(path), "/refund", amount="15.01")
    assert too_much.status_code == 409
    assert "15.00" in too_much.text


FORMS = {
    "/till/shift": {"store": "S", "terminal": "T"},
    "/till": {"number": "T20260302ABCDEFGH99", "amount": "1.00", "way": "barcode"},
    "/till/{n}/code": {},
    "/till/{n}/scan": {"auth_code": "1"},
    "/till/{n}/cancel": {},
    "/till/{n}/refund": {"amount": "0.01", "out_request_no": "R-of-{role}"},
}
LOOKS = ("/till", "/till/find", "/till/{n}")
ALLOWED = {Role.CASHIER, Role.FINANCE, Role.OWNER}


@pytest.mark.parametrize("role", Role)
def test_each_action_is_for_whoever_holds_its_right(
    world: World, staff: Staff, clerk: Clerk, role: Role
) -> None:
    path = sell(clerk, "barcode")
    scan(clerk, path, world.emulator.payment_code())
    number = number_of(path)
    who = staff(role)
    for look in LOOKS:
        status = who.open(look.format(n=number)).status_code
        assert status == (200 if role in ALLOWED else 403), look
    for form, fields in FORMS.items():
        given = {name: value.format(role=role.value) for name, value in fields.items()}
        answer = who.send(form.format(n=number), **given)
        # Whoever may is answered by the rules of payments: here 303, 409 or 422.
        assert (answer.status_code != 403) == (role in ALLOWED), (form, answer.status_code)
    world.advance(5)
    assert len(world.refunds(number)) == (1 if role in ALLOWED else 0)
