"""What is learned of a day after its trade bill was read: the day is matched again by itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.bills.model import StatementKind
from daozhang.service.closing.cases import CaseDesk
from daozhang.service.closing.model import CaseStatus
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.people.model import Role
from daozhang.service.reconciliation.model import Mismatch, MismatchClass
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.refunds.model import Outcome
from people_here import add_person
from reconciling import mismatches, morning_after, pay, run_of, to_hour
from worlds import World, find_order, running


def of_the_trade_bill(world: World, day: date) -> list[Mismatch]:
    found = mismatches(world, day, is_open=None)
    return [one for one in found if one.kind is StatementKind.TRADE]


def test_a_refund_that_is_learned_of_late_ends_its_difference_the_next_morning(
    tmp_path: Path,
) -> None:
    with running(tmp_path, chosen={"fetch_bills": True}) as world:
        context = world.service.context
        to_hour(world, 12)
        day = business_day(world.clock.now())
        number = pay(world, "50.00")
        world.emulator.set_fault("notify_never", out_trade_no=number)
        world.emulator.refund(number, Money(2000), "R-CENTRE")
        morning_after(world)
        (case,) = of_the_trade_bill(world, day)
        assert (case.mismatch, case.is_open) == (MismatchClass.MISSING_HERE, True)
        first = run_of(world, day)
        pay(world, "1.00")
        morning_after(world)
        # Nothing was learned of the day: its bill is not read a second time.
        assert run_of(world, day).id == first.id
        with context.database.read() as tx:
            order = find_order_by_id(tx, find_order(tx, number))
        assert order is not None
        attempts = Attempts(context, world.service.clients)
        assert attempts.ask_named(order, "R-CENTRE") is Outcome.PROVEN
        pay(world, "1.00")
        morning_after(world)
        (case,) = of_the_trade_bill(world, day)
        assert (case.resolution, case.is_open) == ("agrees", False)
        again = run_of(world, day)
        assert again.id != first.id
        morning_after(world)
        assert run_of(world, day).id == again.id


def test_a_payment_that_nobody_saw_refunded_whole_past_us_is_proven_by_the_bills_number(
    tmp_path: Path,
) -> None:
    with running(tmp_path, chosen={"fetch_bills": True}) as world:
        context = world.service.context
        to_hour(world, 12)
        day = business_day(world.clock.now())
        person = add_person(context, "finance", Role.FINANCE)
        number = world.order("50.00")
        query = "alipay.trade.query"
        world.emulator.set_fault("notify_never", out_trade_no=number)
        world.emulator.set_fault("gateway_20000", method=query, out_trade_no=number)
        world.pay(number)
        world.emulator.refund(number, None, "R-WHOLE")
        world.advance(3600)
        world.emulator.clear_faults()
        # Alipay says closed, with signs of a payment, and not what went back: a query says no more.
        morning_after(world)
        assert (world.read(number)["status"], world.read(number)["attention"]) == ("closing", True)
        cases = [one for one in of_the_trade_bill(world, day) if one.is_open]
        assert {one.mismatch for one in cases} == {
            MismatchClass.STATE_DIFFERS,
            MismatchClass.MISSING_HERE,
        }
        (refund,) = [one for one in cases if one.out_request_no == "R-WHOLE"]
        desk = CaseDesk(world.service.inquirer, world.service.reconciler)
        case = desk.ask(person, world.service.clients.merchant(1), refund.public_id)
        assert (case.status, case.mismatch.resolution) == (CaseStatus.SETTLED, "agrees")
        world.settle()
        assert world.read(number)["status"] == "refunded"
        assert [one["status"] for one in world.refunds(number)] == ["succeeded"]
        assert [one for one in mismatches(world, day, is_open=None) if one.is_open] == []
