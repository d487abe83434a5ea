"""Closing a day: what differs is asked about, settled by two people, and then nothing is changed any more."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date

import pytest

from daozhang.clock import business_day
from daozhang.emulator.oddities import OddityName
from daozhang.money import Money
from daozhang.service.bills.model import StatementKind
from daozhang.service.closing.cases import CaseDesk
from daozhang.service.closing.days import close_day, list_day_cases, read_day, read_days
from daozhang.service.closing.model import Case, CaseStatus, Colour
from daozhang.service.closing.refusals import (
    CaseEndNotPossible,
    CaseNeedsAnother,
    CaseNotAskable,
    CaseNotFound,
    CaseOver,
    CaseReasonMissing,
    CaseUnanswered,
    DayClosed,
    DayNotClosable,
)
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import book_of, read_balances
from daozhang.service.ledger.refusals import DayNotOver
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Person, Role
from daozhang.service.people.refusals import RightMissing
from daozhang.service.reconciliation.model import MismatchClass
from people_here import add_person
from reconciling import mismatches, morning_after, odd, pay, to_hour
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop whose bills are fetched."""
    with running(tmp_path_factory.mktemp("world"), chosen={"fetch_bills": True}) as made:
        yield made


@pytest.fixture(scope="module")
def people(world: World) -> tuple[Person, Person]:
    """Two of the finance department."""
    context = world.service.context
    return add_person(context, "one", Role.FINANCE), add_person(context, "two", Role.FINANCE)


@pytest.fixture(autouse=True)
def day(world: World) -> date:
    """A day of its own for each test, at ten in the morning."""
    to_hour(world, 10, days=1)
    world.emulator.desk.account.oddities.clear()
    return business_day(world.clock.now())


def merchant(world: World) -> Merchant:
    return world.service.clients.merchant(1)


def desk(world: World) -> CaseDesk:
    return CaseDesk(world.service.inquirer, world.service.reconciler)


def only_case(world: World, person: Person, day: date) -> Case:
    """The one case of the trade bill; the account bill is off by it as well."""
    found = list_day_cases(world.service.context, person, merchant(world), day, is_open=True)
    (case,) = [one for one in found if one.mismatch.kind is StatementKind.TRADE]
    return case


def colour(world: World, person: Person, day: date) -> Colour:
    (line,) = read_days(world.service.context, person, merchant(world), day, day)
    return line.colour


def test_a_green_day_is_closed_and_stays_as_it_is(
    world: World, day: date, people: tuple[Person, Person]
) -> None:
    one, _ = people
    context, shop = world.service.context, merchant(world)
    pay(world)
    assert colour(world, one, day) is Colour.GREY
    with pytest.raises(DayNotClosable, match="trade bill"):
        close_day(context, one, shop, day)
    to_hour(world, 8, days=1)
    assert colour(world, one, day) is Colour.AMBER
    to_hour(world, 10)
    assert colour(world, one, day) is Colour.GREEN
    viewer = add_person(context, f"viewer{day}", Role.VIEWER)
    with pytest.raises(RightMissing):
        close_day(context, viewer, shop, day)
    closing = close_day(context, one, shop, day, "nothing special")
    assert (closing.closed_name, closing.note) == (one.name, "nothing special")
    assert closing.figures["trade"]["matched"] == 1
    assert colour(world, one, day) is Colour.CLOSED
    assert read_day(context, one, shop, day).obstacles == ()
    with pytest.raises(DayClosed):
        close_day(context, one, shop, day)
    with context.database.read() as tx:
        assert book_of(tx, shop.id).locked_through == day
    with pytest.raises((DayNotClosable, DayNotOver)):
        close_day(context, one, shop, business_day(world.clock.now()))


def test_a_refund_that_nobody_told_us_of_is_booked_on_a_signed_answer(
    world: World, day: date, people: tuple[Person, Person]
) -> None:
    one, _ = people
    number = pay(world, "50.00")
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.refund(number, Money(2000), "R-CENTRE")
    morning_after(world)
    case = only_case(world, one, day)
    assert (case.mismatch.mismatch, case.mismatch.theirs_minor) == (
        MismatchClass.MISSING_HERE, -2000,
    )  # fmt: skip
    assert colour(world, one, day) is Colour.RED
    desk(world).take(one, merchant(world), case.mismatch.public_id)
    settled = desk(world).ask(one, merchant(world), case.mismatch.public_id)
    assert (settled.status, settled.mismatch.resolution) == (CaseStatus.SETTLED, "agrees")
    assert world.read(number)["refunded_amount"] == "20.00"
    assert colour(world, one, day) is Colour.GREEN
    with pytest.raises(CaseOver):
        desk(world).take(one, merchant(world), case.mismatch.public_id)


def test_what_no_answer_of_alipays_decides_says_what_to_do_instead(
    world: World, day: date, people: tuple[Person, Person]
) -> None:
    one, _ = people
    _, number, _ = pay(world), pay(world), pay(world)
    odd(world, OddityName.AMOUNT_OFF, number, bill_type="signcustomer", business="交易付款")
    morning_after(world)
    (case,) = list_day_cases(world.service.context, one, merchant(world), day, is_open=True)
    assert case.mismatch.key == "balance"
    with pytest.raises(CaseNotAskable, match="two people book by hand") as refused:
        desk(world).ask(one, merchant(world), case.mismatch.public_id)
    assert "手工入账" in str(refused.value.detail_zh)


def test_another_systems_line_is_set_aside_by_two_people(
    world: World, day: date, people: tuple[Person, Person]
) -> None:
    one, two = people
    shop = merchant(world)
    pay(world)
    odd(world, OddityName.FOREIGN_LINE, day=day)
    morning_after(world)
    case = only_case(world, one, day)
    named = case.mismatch.public_id
    with pytest.raises(CaseUnanswered, match="no such trade"):
        desk(world).ask(one, shop, named)
    with pytest.raises(CaseNotFound):
        desk(world).take(one, shop, "mm_nobody")
    with pytest.raises(CaseEndNotPossible, match="foreign"):
        desk(world).propose(one, shop, named, "accepted", "it is theirs")
    with pytest.raises(CaseReasonMissing):
        desk(world).propose(one, shop, named, "foreign", "  ")
    desk(world).note(two, shop, named, "looks like the vending machines")
    proposed = desk(world).propose(one, shop, named, "foreign", "vending machines")
    assert proposed.status is CaseStatus.PROPOSED
    with pytest.raises(CaseNeedsAnother):
        desk(world).agree(one, shop, named)
    assert desk(world).refuse(two, shop, named, "which of them?").status is CaseStatus.OPEN
    desk(world).propose(one, shop, named, "foreign", "vending machine 7")
    settled = desk(world).agree(two, shop, named)
    assert (settled.status, settled.settled_name) == (CaseStatus.SETTLED, two.name)
    assert colour(world, one, day) is Colour.GREEN
    # Read again, the line is still foreign: what two people have settled stays settled.
    world.service.reconciler.run(1)
    assert mismatches(world, day) == []


def test_what_nobody_can_prove_is_booked_by_hand_and_marked(
    world: World, day: date, people: tuple[Person, Person]
) -> None:
    one, two = people
    context, shop = world.service.context, merchant(world)
    number = pay(world, "10.00")
    odd(world, OddityName.AMOUNT_OFF, number)
    morning_after(world)
    case = only_case(world, one, day)
    with context.database.read() as tx:
        before = read_balances(tx, book_of(tx, shop.id), context.clock.now())
    named = case.mismatch.public_id
    desk(world).propose(one, shop, named, "booked", "Alipay's service confirmed the fen by mail")
    desk(world).agree(two, shop, named)
    with context.database.read() as tx:
        after = read_balances(tx, book_of(tx, shop.id), context.clock.now())
    assert after[Account.AVAILABLE] - before[Account.AVAILABLE] == 1
    assert sum(after.values()) == 0
