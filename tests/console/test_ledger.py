"""The ledger in the console: what stands in the books, leads to it, and is asked for by hand."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from console.staff import Staff, hidden, plain, rows
from daozhang.clock import business_day
from daozhang.console.ledger.names import ACCOUNTS, GROUPS, KINDS
from daozhang.money import Money
from daozhang.service.ledger.locking import lock_day_as
from daozhang.service.ledger.model import Account, EntryKind
from daozhang.service.ledger.store import backfill
from daozhang.service.merchants.actions import add_merchant
from daozhang.service.merchants.model import NewMerchant
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.people.model import Role
from people_here import deeds
from refund_world import Shop, open_shop

DAY_SECONDS = 24 * 3600
LINE = re.compile(r'<tr data-row="([^"]+)"[^>]*>(.*?)</tr>', re.DOTALL)
CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    with open_shop(tmp_path_factory.mktemp("ledger")) as shop:
        yield shop


@contextmanager
def signed_in(shop: Shop) -> Generator[dict[Role, Staff]]:
    """One person of each role, signed in just now: no session lasts from one day to the next."""
    people = {role: Staff(shop.service.context, role) for role in Role}
    yield people
    for one in people.values():
        one.close()


@pytest.fixture
def staff(shop: Shop) -> Generator[dict[Role, Staff]]:
    with signed_in(shop) as people:
        yield people


def lines(html: str) -> dict[str, list[str]]:
    """The rows of a table by their names: the texts of their cells."""
    return {
        name: [plain(cell) for cell in CELL.findall(inside)] for name, inside in LINE.findall(html)
    }


def links(html: str) -> list[str]:
    """Where a page leads, as the reader of a merchant's pages writes it."""
    found = re.findall(r'href="/console/m/shop([^"]*)"', html)
    return [unescape(address) for address in found]


def today(shop: Shop) -> str:
    return business_day(shop.clock.now()).isoformat()


def entry(
    shop: Shop, who: Staff, *legs: tuple[Account, str, str], **more: str
) -> Mapping[str, str]:
    """The form of an entry by hand as somebody fills it in."""
    fields = {"number": hidden(who.get("/ledger/new").text, "number"), "reason": "补记"}
    for place, (account, side, amount) in enumerate(legs):
        fields |= {
            f"account_{place}": account.value,
            f"side_{place}": side,
            f"amount_{place}": amount,
        }
    return fields | {"at": shop.clock.now().isoformat(), **more}


def posted_by_hand(shop: Shop, staff: Mapping[Role, Staff], amount: str, **more: str) -> str:
    """An entry by hand that two people have made; its key."""
    finance, owner = staff[Role.FINANCE], staff[Role.OWNER]
    legs = (Account.AVAILABLE, "debit", amount), (Account.SUSPENSE, "credit", amount)
    fields = entry(shop, finance, *legs, **more)
    waits = finance.do("/ledger/new", fields)
    owner.do(f"{waits}/approve")
    return fields["number"]


def test_nothing_yet_is_said(shop: Shop, staff: dict[Role, Staff]) -> None:
    finance = staff[Role.FINANCE]
    assert "Nothing stands in the books up to then" in finance.read("/ledger")
    assert "All accounts were empty then" in finance.read("/ledger/moment")
    assert "Nothing was posted to this account on these days" in finance.read("/ledger/sales")
    assert "Nothing was posted to this account on this day" in finance.read(
        f"/ledger/sales?day={today(shop)}"
    )
    assert "No day is locked yet" in finance.read("/ledger")
    for path in ("/ledger/purse", "/ledger/entry?kind=manual&key=F-0", "/ledger/entry?kind=x"):
        assert finance.get(path).status_code == 404, path


def test_each_amount_leads_to_what_was_posted_and_that_to_its_order(
    shop: Shop, staff: dict[Role, Staff]
) -> None:
    finance = staff[Role.FINANCE]
    number = shop.paid_order()
    assert shop.refund(number, Money.parse("4.00"), "R1").status_code == 201
    shop.pass_time(1)
    page = finance.get("/ledger").text
    shown = lines(page)
    assert shown["available"] == ["–", "10.00", "4.00", "6.00"]
    assert shown["sales"] == ["–", "–", "10.00", "−10.00"]
    assert shown["refunds"] == ["–", "4.00", "–", "4.00"]
    assert "All accounts together 0.00 14.00 14.00 0.00" in plain(page)
    assert "Alipay's fee on the payments of these days Estimate 0.06 CNY At 0.6 %" in plain(page)

    (days,) = [address for address in links(page) if address.startswith("/ledger/available?")]
    page = finance.get(days).text
    assert lines(page) == {today(shop): ["–", "10.00", "4.00", "6.00"]}
    (day,) = [address for address in links(page) if "day=" in address]
    page = finance.get(day).text
    assert [cells[1:] for cells in lines(page).values()] == [
        [f"Payment {number}", "Sales", "", "10.00", ""],
        [f"Refund {number}", "Refunds", "", "", "4.00"],
    ]
    assert f"/orders/{number}" in links(page)
    (paid, back) = [address for address in links(page) if address.startswith("/ledger/entry")]
    said = finance.read(paid)
    assert "Available in the Alipay account Sales 10.00 CNY" in said
    assert f"Payment · {number}" in said
    assert "4.00 CNY" in finance.read(back)


def test_orders_of_a_merchant_that_shares_the_account_are_for_whoever_works_for_it(
    shop: Shop,
) -> None:
    context = shop.service.context
    number = shop.paid_order()
    with context.database.begin() as tx:
        shared = find_merchant_by_id(tx, 1)
        branch = add_merchant(
            tx,
            context,
            NewMerchant("branch", "Branch", shared.app_id, shared.environment, shared.seller_id),
        )
    of_all = Staff(context, Role.FINANCE)
    of_branch = Staff(context, Role.FINANCE, merchants=frozenset({branch.id}))
    for one, knows in ((of_all, True), (of_branch, False)):
        one.home = "/console/m/branch"
        page = one.get(f"/ledger/sales?day={today(shop)}").text
        assert rows(page)
        assert (number in page) == knows
        assert (f"/console/m/shop/orders/{number}" in page) == knows
        one.close()


def test_balances_are_those_of_the_moment(shop: Shop, staff: dict[Role, Staff]) -> None:
    finance = staff[Role.FINANCE]
    before = shop.clock.now()
    held = lines(finance.get("/ledger/moment").text)["suspense"]
    shop.pass_time(60)
    posted_by_hand(shop, staff, "2.50")
    later = lines(finance.get("/ledger/moment").text)["suspense"]
    assert (held, later) == (["–"], ["−2.50"])
    at = before.isoformat().replace("+", "%2B")
    assert lines(finance.get(f"/ledger/moment?at={at}").text)["suspense"] == held
    assert "All accounts together 0.00" in finance.read("/ledger/moment")
    for nonsense in ("yesterday", "0001-01-01T00:00", "9999-12-31T23:59"):
        assert lines(finance.get(f"/ledger/moment?at={nonsense}").text)["suspense"] == later


def test_a_day_is_turned_page_by_page(shop: Shop, staff: dict[Role, Staff]) -> None:
    finance = staff[Role.FINANCE]
    for _ in range(49):
        shop.paid_order()
    first = finance.get(f"/ledger/sales?day={today(shop)}").text
    (onward,) = [address for address in links(first) if "after=" in address]
    second = finance.get(onward).text
    assert (len(rows(first)), len(rows(second))) == (50, 1)
    assert not {*rows(first)} & {*rows(second)}
    assert "From the start of the day" in plain(second)
    assert finance.get(f"/ledger/sales?day={today(shop)}&after=nonsense").status_code == 422


def test_an_entry_by_hand_is_asked_for_approved_and_taken_back(
    shop: Shop, staff: dict[Role, Staff]
) -> None:
    finance, owner = staff[Role.FINANCE], staff[Role.OWNER]
    legs = (
        (Account.AVAILABLE, "debit", "1,000.00"),
        (Account.FEE, "debit", "6.00"),
        (Account.SUSPENSE, "credit", "1006.00"),
    )
    fields = entry(shop, finance, *legs)
    waits = finance.do("/ledger/new", fields)
    assert waits.startswith("/approvals/")
    assert finance.do("/ledger/new", fields) == waits, "sent twice, it is one"
    said = owner.read(waits)
    for told in ("suspense", "−1,006.00", "补记"):
        assert told in said
    assert finance.post(f"{waits}/approve").status_code == 403
    owner.do(f"{waits}/approve")
    key = fields["number"]
    page = finance.get(f"/ledger/suspense?day={today(shop)}").text
    assert {tuple(cells[1:]) for cells in lines(page).values()} >= {
        ("By hand", "Available in the Alipay account", "补记", "", "1,000.00"),
        ("By hand", "Alipay's fees", "补记", "", "6.00"),
    }

    here = f"/ledger/entry?kind=manual&key={key}"
    assert "Reverse this entry" in finance.read(here)
    back = {"kind": "manual", "key": key, "reason": " "}
    refused = finance.post("/ledger/entry/take_back", back)
    assert (refused.status_code, "Say why" in plain(refused.text)) == (422, True)
    asked = finance.do("/ledger/entry/take_back", {**back, "reason": "记错了"})
    assert f"manual:{key}" in owner.read(asked)
    owner.do(f"{asked}/approve")
    said = finance.read(here)
    assert "Reversed by this entry" in said
    assert "Reverse this entry" not in said
    assert finance.post("/ledger/entry/take_back", {**back, "reason": "再来"}).status_code == 409
    assert "Takes back this entry" in finance.read(f"/ledger/entry?kind=reversal&key=manual:{key}")
    said = finance.read(f"/ledger/suspense?day={today(shop)}")
    assert said.count("Reversed") == 2
    assert said.count("Reversal") == 2
    mine = (str(owner.person.actor), "ledger.entry_posted")
    assert deeds(shop.service.context).count(mine) == 2


def test_what_cannot_be_posted_is_said_where_it_was_typed(
    shop: Shop, staff: dict[Role, Staff]
) -> None:
    finance = staff[Role.FINANCE]
    good = (Account.AVAILABLE, "debit", "5.00"), (Account.SUSPENSE, "credit", "5.00")

    def said(*legs: tuple[Account, str, str], **more: str) -> str:
        answer = finance.post("/ledger/new", entry(shop, finance, *legs, **more))
        assert answer.status_code == 422
        return plain(answer.text)

    assert "The debits add up to 5.00 CNY and the credits to 4.99" in said(
        good[0], (Account.SUSPENSE, "credit", "4.99")
    )
    assert "name both, each with its amount" in said()
    assert "name both" in said(good[0], (Account.AVAILABLE, "credit", "5.00"))
    for wrong in ("-5", "5.001", "1e3", "٥"):
        answer = finance.post(
            "/ledger/new", entry(shop, finance, good[0], (Account.SUSPENSE, "credit", wrong))
        )
        assert answer.status_code == 422
        assert f'value="{wrong}"' in answer.text
    assert "Choose an account." in said(*good, account_1="purse")
    assert "Say why" in said(*good, reason=" ")
    later = (shop.clock.now() + timedelta(minutes=1)).isoformat()
    for at in ("", "soon", later):
        assert "not in the future" in said(*good, at=at)
    outdated = finance.post("/ledger/new", {**entry(shop, finance, *good), "number": ""})
    assert outdated.status_code == 403
    more = finance.post("/ledger/new", {**entry(shop, finance, *good), "more": "yes"})
    assert more.status_code == 200
    assert more.text.count('name="amount_') == 4
    assert 'value="5.00"' in more.text


def test_a_locked_day_stays_and_what_comes_late_keeps_its_value_date(shop: Shop) -> None:
    day, happened = business_day(shop.clock.now()), shop.clock.now().isoformat()
    shop.pass_time(DAY_SECONDS + 2 * 3600)
    with signed_in(shop) as staff:
        finance = staff[Role.FINANCE]
        lock_day_as(shop.service.context, finance.person, 1, day)
        assert f"Locked through {day:%b} {day.day}, {day.year}" in finance.read("/ledger")
        key = posted_by_hand(shop, staff, "7.77", at=happened)
        page = finance.get(f"/ledger/available?day={day + timedelta(days=1)}").text
        ((when, *_),) = lines(page).values()
        assert f"Value date {day:%b} {day.day}, {day.year}" in when
        closed = finance.read(f"/ledger/available?day={day}")
        assert "7.77" not in closed
        assert "State Locked" in closed
        said = finance.read(f"/ledger/entry?kind=manual&key={key}")
        assert f"Value date {day:%b} {day.day}, {day.year}: that day was locked already" in said


def test_days_before_are_the_opening_and_nonsense_narrows_nothing(
    shop: Shop, staff: dict[Role, Staff]
) -> None:
    finance = staff[Role.FINANCE]
    posted_by_hand(shop, staff, "10.00")
    day = today(shop)
    eve = (business_day(shop.clock.now()) - timedelta(days=1)).isoformat()
    held = lines(finance.get(f"/ledger?from={eve}&to={eve}").text)["available"][3]
    shown = lines(finance.get(f"/ledger?from={day}&to={day}").text)["available"]
    assert shown[0] == held != "–"
    assert Money.parse(shown[3]) == Money.parse(held) + Money.parse(shown[1])
    assert lines(finance.get(f"/ledger/available?from={day}&to={day}").text) == {day: shown}
    whole = lines(finance.get("/ledger").text)
    for query in ("from=x&to=", "from=0001-01-01&to=9999-12-31", "from=2026-13-40"):
        assert lines(finance.get(f"/ledger?{query}").text) == whole, query
    backward = finance.get(f"/ledger?from={day}&to=2026-01-01").text
    assert lines(backward) == lines(finance.get(f"/ledger?from=2026-01-01&to={day}").text)


def test_books_that_are_not_complete_say_so(shop: Shop, staff: dict[Role, Staff]) -> None:
    finance = staff[Role.FINANCE]
    pages = ("/ledger", "/ledger/moment", "/ledger/sales")
    with shop.service.context.database.begin() as tx:
        ended = tx.execute(sa.select(backfill.c.ended_at).where(backfill.c.round == 1)).scalar_one()
        round_one = sa.update(backfill).where(backfill.c.round == 1)
        tx.execute(round_one.values(ended_at=None, reached_at=shop.clock.now()))
    for path in pages:
        assert "Not complete yet" in finance.read(path), path
    with shop.service.context.database.begin() as tx:
        tx.execute(sa.update(backfill).where(backfill.c.round == 1).values(ended_at=ended))
    for path in pages:
        assert "Not complete yet" not in finance.read(path), path


def test_every_account_and_kind_has_its_name_and_place() -> None:
    assert sorted(account for _, accounts in GROUPS for account in accounts) == sorted(Account)
    assert {*ACCOUNTS} == {*Account}
    assert {*KINDS} == {*EntryKind}


BOOKKEEPERS = {Role.FINANCE, Role.OWNER}


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_and_does_what_it_may(
    shop: Shop, staff: dict[Role, Staff], role: Role
) -> None:
    one, may = staff[role], role in BOOKKEEPERS
    key = posted_by_hand(shop, staff, "1.00")
    seen = (
        "/ledger",
        "/ledger/moment",
        "/ledger/sales",
        f"/ledger/sales?day={today(shop)}",
        f"/ledger/entry?kind=manual&key={key}",
        "/ledger/new",
    )
    for path in seen:
        assert one.get(path).status_code == (200 if may else 403), path
    assert (">Ledger</span>" in one.get("/orders").text) == may
    legs = (Account.AVAILABLE, "debit", "1.00"), (Account.SUSPENSE, "credit", "1.00")
    deeds_of_role = {
        "/ledger/new": entry(shop, staff[Role.OWNER], *legs),
        "/ledger/entry/take_back": {"kind": "manual", "key": key, "reason": "记错了"},
    }
    for path, fields in deeds_of_role.items():
        assert one.post(path, fields).status_code == (303 if may else 403), path
