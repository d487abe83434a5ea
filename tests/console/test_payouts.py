"""Payouts in the console: what comes on which day, and Alipay's balance beside the ledger's."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from console.staff import Staff, plain
from daozhang.emulator.faults import FaultName
from daozhang.emulator.switches import Switches
from daozhang.money import Money
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.model import Payout
from daozhang.service.ledger.reading import book_of
from daozhang.service.people.model import Role
from people_here import deeds
from reconciling import morning_after, pay, seller, to_hour
from worlds import World, running


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop whose bills are fetched, on a Thursday at ten in the morning."""
    with running(tmp_path_factory.mktemp("payouts"), chosen={"fetch_bills": True}) as made:
        to_hour(made, 10, days=3)
        yield made


@pytest.fixture
def staff(world: World) -> Iterator[Callable[..., Staff]]:
    """Signs somebody of a role in, now: a day later they are signed out."""
    people: list[Staff] = []

    def sign_in(role: Role, language: str = "en") -> Staff:
        people.append(Staff(world.service.context, role, language=language))
        return people[-1]

    yield sign_in
    for one in people:
        one.close()


def switch(world: World, **chosen: Any) -> None:
    app = world.emulator.credentials("shop")["app_id"]
    world.emulator.desk.set_switches(app, Switches(**chosen))


def move_count(world: World) -> int:
    with world.service.context.database.read() as tx:
        counted = tx.execute(sa.select(sa.func.count()).select_from(ledger.moves))
        return int(counted.scalar_one())


def test_the_days_are_set_by_an_owner_and_read_by_finance(
    world: World, staff: Callable[..., Staff]
) -> None:
    owner, finance = staff(Role.OWNER), staff(Role.FINANCE)
    page = finance.read("/payouts")
    assert "Nothing waits to be paid out" in page
    assert "what buyers pay is available at once" in page
    fields = {"payout": "later", "rate": "0.6"}
    for days in ("", "0", "91", "1.5", "-1", "a"):
        wrong = owner.post("/ledger/settings", {**fields, "days": days})
        assert wrong.status_code == 422, days
        assert "Write a whole number of working days, from 1 to 90." in plain(wrong.text)
    owner.do("/ledger/settings", {**fields, "days": "2"})
    assert "Paid out later (T+2)" in owner.read("/ledger")
    assert "2 working days after the payment" in finance.read("/payouts")
    done = [what for _, what in deeds(world.service.context) if what == "ledger.book_set"]
    assert len(done) == 1
    # Paid out at once for a while, and later again: what was agreed is there.
    owner.do("/ledger/settings", {"payout": "at_once", "rate": "0.6", "days": ""})
    with world.service.context.database.read() as tx:
        book = book_of(tx, 1)
    assert (book.payout, book.payout_days) == (Payout.AT_ONCE, 2)


def test_what_comes_stands_under_its_day_until_its_bill_is_read(
    world: World, staff: Callable[..., Staff]
) -> None:
    switch(world, settlement_days=1)
    owner = staff(Role.OWNER)
    owner.do("/ledger/settings", {"payout": "later", "rate": "0.6", "days": "1"})
    pay(world, "100.00")
    number = pay(world, "40.00")
    world.advance(60)
    world.refund(number, "15.00", "R-1")
    world.settle()
    page = owner.read("/payouts")
    for told in (
        "Still to be paid out 125.00 CNY",
        "Mar 6, 2026 Fri 0.75 125.00",
        "Payments of Mar 5, 2026 2 Expected 0.75 125.00",
        "The holidays are known through Dec 31, 2026.",
        "国办发明电",
    ):
        assert told in page, told
    chinese = staff(Role.FINANCE, "zh").read("/payouts")
    assert "2026年3月5日 的付款 2 预计到账 0.75 125.00" in chinese
    to_hour(world, 1, days=2)
    assert "Its account bill is not read yet" in staff(Role.FINANCE).read("/payouts")
    to_hour(world, 10)
    world.settle()
    page = staff(Role.FINANCE).read("/payouts")
    assert "Nothing waits to be paid out" in page
    assert "125.00" not in page.partition("When it comes")[2]


def test_what_did_not_come_is_said_before_all(world: World, staff: Callable[..., Staff]) -> None:
    switch(world, settlement_days=3)
    staff(Role.OWNER).do("/ledger/settings", {"payout": "later", "rate": "0.6", "days": "1"})
    pay(world, "100.00")
    frozen = world.order("50.00", pay_options={"royalty_freeze": True})
    world.pay(frozen)
    morning_after(world)
    pay(world, "1.00")  # so that there is a bill
    morning_after(world)
    page = staff(Role.FINANCE).read("/payouts")
    assert "100.00 did not come on its day" in page
    assert "Did not come on its day 0.60 100.00" in page
    assert "Payments of Mar 5, 2026 1 It is to be shared Apr 4, 2026 50.00" in page


def test_alipays_balance_is_asked_for_and_each_fen_has_a_reason(
    world: World, staff: Callable[..., Staff]
) -> None:
    pay(world, "100.00")
    morning_after(world)
    finance = staff(Role.FINANCE)
    assert "gets a reason" in finance.read("/payouts")
    answer = finance.post("/payouts")
    assert (answer.status_code, "Both agree, to the fen." in plain(answer.text)) == (200, True)
    pay(world, "50.00")
    before = move_count(world)
    world.emulator.desk.account.withdraw(seller(world), Money.parse("200.00"))
    page = plain(finance.post("/payouts").text)
    for told in (
        "They differ by −200.30.",
        "−0.30 Alipay's fees: −0.30 at Alipay in 1 movements, 0.00 in the ledger.",
        "−200.00 Withdrawals: −200.00 at Alipay in 1 movements, 0.00 in the ledger.",
        "Tomorrow's account bill brings it to the ledger",
    ):
        assert told in page, told
    assert move_count(world) == before
    world.emulator.set_fault(FaultName.GATEWAY_20000, method="alipay.data.bill.balance.query")
    for one, told in (
        (finance, "no clear answer came"),
        (staff(Role.FINANCE, "zh"), "未得到明确答复"),
    ):
        refused = one.post("/payouts")
        assert (refused.status_code, told in plain(refused.text)) == (409, True)
        assert "/v1/" not in plain(refused.text)


def test_a_refund_whose_answer_was_lost_is_under_way(
    world: World, staff: Callable[..., Staff]
) -> None:
    number = pay(world, "50.00")
    morning_after(world)
    world.emulator.set_fault(
        FaultName.GATEWAY_BAD_SIGNATURE, method="alipay.trade.refund", out_trade_no=number
    )
    world.emulator.set_fault(FaultName.GATEWAY_20000, method="alipay.trade.fastpay.refund.query")
    world.postman.holding = True
    world.refund(number, "20.00", "R-1")
    world.settle()
    page = staff(Role.FINANCE).post("/payouts")
    assert "20.00 Refunds × 1" in plain(page.text)
    assert "/console/m/shop/refunds?state=unknown" in page.text
    assert "Something is under way" in plain(page.text)


ALLOWED = {"look": {Role.FINANCE, Role.OWNER}, "ask": {Role.FINANCE, Role.OWNER}}


@pytest.mark.parametrize("role", Role)
def test_who_may_what(world: World, staff: Callable[..., Staff], role: Role) -> None:
    one = staff(role)
    answers = {"look": one.get("/payouts"), "ask": one.post("/payouts")}
    assert answers.keys() == ALLOWED.keys()
    for deed, answer in answers.items():
        assert (answer.status_code != 403) == (role in ALLOWED[deed]), (role, deed)
    assert ("/payouts" in one.get("/orders").text) == (role in ALLOWED["look"])
