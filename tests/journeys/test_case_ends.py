"""How a case of the account bill ends: what two people book moves the money that is in question, and once."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date
from pathlib import Path

import pytest

from daozhang.clock import business_day
from daozhang.emulator.oddities import OddityName
from daozhang.money import Money
from daozhang.service.bills.model import StatementKind
from daozhang.service.closing.cases import CaseDesk
from daozhang.service.closing.days import list_day_cases
from daozhang.service.closing.model import Case, CaseStatus
from daozhang.service.closing.refusals import CaseChanged, CaseEndNotPossible, CaseNotProposed
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import book_of, read_balances
from daozhang.service.people.model import Person, Role
from people_here import add_person
from reconciling import bring_changed, morning_after, odd, pay, seller, statement, to_hour
from sharing import AGENCY, bind, paid, shared
from worlds import World, running

ACCOUNT = StatementKind.ACCOUNT


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


@pytest.fixture
def day(world: World) -> date:
    """A day of its own for each test, at ten in the morning."""
    world.emulator.desk.account.oddities.clear()
    to_hour(world, 10, days=2)
    world.settle()
    return business_day(world.clock.now())


def desk(world: World) -> CaseDesk:
    return CaseDesk(world.service.inquirer, world.service.reconciler)


def cases(world: World, person: Person, day: date) -> dict[str, Case]:
    """The open cases of a day's account bill, by what they are about."""
    shop = world.service.clients.merchant(1)
    found = list_day_cases(world.service.context, person, shop, day, is_open=True)
    return {one.mismatch.key: one for one in found if one.mismatch.kind is ACCOUNT}


def end(world: World, case: Case, how: str, by: tuple[Person, Person]) -> Case:
    """Ends a case, by two."""
    (one, two), shop, named = by, world.service.clients.merchant(1), case.mismatch.public_id
    desk(world).propose(one, shop, named, how, "Alipay's service said so")
    return desk(world).agree(two, shop, named)


def held(world: World) -> dict[Account, int]:
    context = world.service.context
    with context.database.read() as tx:
        return read_balances(tx, book_of(tx, 1), context.clock.now())


def change_of(before: dict[Account, int], after: dict[Account, int]) -> dict[Account, int]:
    return {one: after[one] - before[one] for one in Account if after[one] != before[one]}


def rename(world: World, day: date, folder: Path, business: str) -> None:
    """Another file of the day calls lines of that type 押金, which nobody knows."""
    folder.mkdir(exist_ok=True)
    old, new = (word.encode("gb18030") for word in (business, "押金"))
    bring_changed(world, day, folder, lambda text: text.replace(old, new), ACCOUNT.value)


def withdraw_by_another_name(world: World, day: date, folder: Path) -> None:
    """A day with a payment, and a withdrawal that the bill calls otherwise."""
    pay(world, "100.00")
    world.emulator.desk.account.withdraw(seller(world), Money(500))
    morning_after(world)
    rename(world, day, folder, "提现")


def test_what_waits_in_suspense_is_taken_from_there(
    world: World, day: date, people: tuple[Person, Person], tmp_path: Path
) -> None:
    pay(world, "100.00")
    world.emulator.desk.account.withdraw(seller(world), Money(500))
    morning_after(world)
    old, new = (text.encode("gb18030") for text in ("提现", "保证金"))
    bring_changed(world, day, tmp_path, lambda text: text.replace(old, new), ACCOUNT.value)
    before = held(world)
    assert before[Account.SUSPENSE] == 500
    settled = end(world, cases(world, people[0], day)["type:保证金"], "booked", people)
    assert settled.status is CaseStatus.SETTLED
    # The bill has taken it from the account already: nothing more leaves that.
    assert change_of(before, held(world)) == {Account.SUSPENSE: -500, Account.OTHER: 500}


def test_a_share_that_is_not_in_the_bill_is_no_sale(
    world: World, day: date, people: tuple[Person, Person]
) -> None:
    bind(world, AGENCY)
    number = paid(world)
    shared(world, number, f"S-{number}", (AGENCY, "10.00"))
    pay(world)
    odd(world, OddityName.MISSING_LINE, number, bill_type=ACCOUNT.value, business="分账")
    morning_after(world)
    before = held(world)
    end(world, cases(world, people[0], day)[f"share:{number}"], "booked", people)
    assert change_of(before, held(world)) == {Account.AVAILABLE: 1000, Account.ROYALTY: -1000}


def test_lines_of_another_type_are_explained_and_never_booked(
    world: World, day: date, people: tuple[Person, Person]
) -> None:
    pay(world, "10.00")
    number = pay(world, "20.00")
    odd(world, OddityName.TYPE_DIFFERS, number, bill_type=ACCOUNT.value, business="交易付款")
    morning_after(world)
    case = cases(world, people[0], day)["group:trades"]
    # Both groups together agree: what is booked for one would put the account off.
    with pytest.raises(CaseEndNotPossible, match="explained") as refused:
        end(world, case, "booked", people)
    assert "booked" in str(refused.value)
    assert end(world, case, "explained", people).status is CaseStatus.SETTLED


def test_what_two_have_settled_waits_again_if_it_becomes_another_amount(
    world: World, day: date, people: tuple[Person, Person], tmp_path: Path
) -> None:
    one, two = people
    shop = world.service.clients.merchant(1)
    withdraw_by_another_name(world, day, tmp_path)
    settled = end(world, cases(world, one, day)["type:押金"], "booked", people)
    named = settled.mismatch.public_id
    world.service.reconciler.run(statement(world, day, ACCOUNT.value).id)
    assert cases(world, one, day) == {}
    rename(world, day, tmp_path / "again", "收费")
    again = cases(world, one, day)["type:押金"]
    assert (again.mismatch.public_id, again.status) == (named, CaseStatus.OPEN)
    with pytest.raises(CaseNotProposed):
        desk(world).agree(two, shop, named)
    before = held(world)
    end(world, again, "booked", people)
    # What was booked the first time is not booked a second time.
    more = before[Account.SUSPENSE]
    assert more == abs(again.mismatch.theirs_minor or 0) - 500
    assert change_of(before, held(world)) == {Account.SUSPENSE: -more, Account.OTHER: more}


def test_what_is_another_amount_than_was_proposed_is_not_agreed_to(
    world: World, day: date, people: tuple[Person, Person], tmp_path: Path
) -> None:
    one, two = people
    shop = world.service.clients.merchant(1)
    withdraw_by_another_name(world, day, tmp_path)
    named = cases(world, one, day)["type:押金"].mismatch.public_id
    desk(world).propose(one, shop, named, "booked", "Alipay's service said so")
    rename(world, day, tmp_path / "again", "收费")
    before = held(world)
    with pytest.raises(CaseChanged):
        desk(world).agree(two, shop, named)
    changed = cases(world, one, day)["type:押金"]
    assert (changed.status, changed.has_changed) == (CaseStatus.PROPOSED, True)
    assert changed.proposed_over[1] == -500
    assert change_of(before, held(world)) == {}
    settled = end(world, changed, "booked", people)
    assert settled.status is CaseStatus.SETTLED
    assert change_of(before, held(world)) == {
        Account.SUSPENSE: settled.mismatch.theirs_minor,
        Account.OTHER: -(settled.mismatch.theirs_minor or 0),
    }
