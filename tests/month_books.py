"""What has to hold of a month's books: days, ledger, accounts, orders, shares and transfers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from daozhang.emulator.accounts import Pot
from daozhang.emulator.ledger import RefundOrigin, Trade
from daozhang.emulator.royalties import State
from daozhang.money import Money
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import StatementKind, StatementStatus
from daozhang.service.closing.cases import CaseDesk
from daozhang.service.closing.days import close_day, read_days
from daozhang.service.closing.model import CaseStatus, Colour
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import book_of, read_balances, read_trial_balance
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.store import orders
from daozhang.service.people.model import Person, Role
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.account_checking import check_of_day
from daozhang.service.reconciliation.model import Mismatch, MismatchClass, Resolution
from daozhang.service.sharing.store import share_returns, shares
from daozhang.service.transfers.store import transfers
from equality import Booked, differences, read_books
from month import Month
from people_here import add_person
from worlds import World

ENDS_OF_TRANSFERS = {
    "SUCCESS": "succeeded",
    "FAIL": "failed",
    "REFUND": "returned",
}


def check_month(month: Month) -> dict[str, int]:
    """Everything; what there was of it."""
    world = month.world
    person = add_person(world.service.context, "finance", Role.FINANCE)
    asked = ask_about_cases(month, person)
    month.pass_days(1)  # the next bill looks at the days before again
    unnamed = _check_orders(month)
    refunds = sum(len(trade.refunds) for trade in world.emulator.trades)
    counted = {"refunds": refunds, **_check_shares(world), **_check_transfers(month)}
    counted |= {"found by the bill alone": asked, "refunds without a number": unnamed}
    for merchant in accounts_of(month):
        _check_days(month, person, merchant)
        _check_ledger(world, merchant, month.days)
    return counted


def accounts_of(month: Month) -> list[Merchant]:
    """One merchant of each Alipay account."""
    return list({shop.seller_id: shop.merchant for shop in month.shops}.values())


def open_mismatches(world: World, merchant: Merchant) -> list[Mismatch]:
    """What of an account is open, oldest first."""
    with world.service.context.database.read() as tx:
        return store.list_mismatches(
            tx, merchant.environment, merchant.seller_id, is_open=True, rows_max=10_000
        )[::-1]


def ask_about_cases(month: Month, person: Person) -> int:
    """Somebody has Alipay asked about every refund that only a bill tells of; how many there were."""
    world = month.world
    desk = CaseDesk(world.service.inquirer, world.service.reconciler)
    asked: set[str] = set()
    for merchant in accounts_of(month):
        # Looked up anew each time: with the answer the day is compared again, and other cases of it end, too.
        while (one := _only_in_a_bill(world, merchant, asked)) is not None:
            asked.add(one.public_id)
            case = desk.ask(person, merchant, one.public_id)
            assert (case.status, case.mismatch.resolution) == (CaseStatus.SETTLED, "agrees"), case
    world.settle()
    return len(asked)


def _only_in_a_bill(world: World, merchant: Merchant, but: Collection[str]) -> Mismatch | None:
    """The oldest refund that only a bill tells of, and that was not asked about yet."""
    return next(
        (
            one
            for one in open_mismatches(world, merchant)
            if one.mismatch is MismatchClass.MISSING_HERE
            and one.out_request_no
            and one.public_id not in but
        ),
        None,
    )


# ---- orders, shares, transfers


def _check_orders(month: Month) -> int:
    """Each order is as Alipay has it; how many refunds of it nobody has ever named."""
    books = read_books(month.world.service.context.database)
    ledger = {trade.out_trade_no: trade for trade in month.world.emulator.trades}
    assert set(books) == {life.number for life in month.lives}
    found: list[str] = []
    unnamed = 0
    for number, booked in books.items():
        trade = ledger.get(number)
        named = booked if trade is None else _as_named(booked, trade)
        unnamed += named is not booked
        found += differences(number, named, trade)
    assert found == [], f"{len(found)} differences, the first: {found[:10]}"
    return unnamed


def _as_named(booked: Booked, trade: Trade) -> Booked:
    """An order whose refund in the merchant centre only Alipay's running total has shown, as if it had been
    named: that proves how much went back, and where each notice of it is lost nothing proves its number."""
    known = {name for name, _, _ in booked.refunds}
    by_centre = next((r for r in trade.refunds if r.origin is RefundOrigin.CENTRE), None)
    if "" not in known or by_centre is None or by_centre.out_request_no in known:
        return booked
    refunds = [
        (name or by_centre.out_request_no, amount, status)
        for name, amount, status in booked.refunds
    ]
    return replace(booked, refunds=refunds)


def _check_shares(world: World) -> dict[str, int]:
    """Each share is as Alipay has it: who has how much of which trade, and what came back."""
    theirs: Counter[tuple[str, str]] = Counter()
    returned: Counter[str] = Counter()
    for trade in world.emulator.trades:
        for settlement in world.emulator.desk.sharing.settlements(trade.trade_no):
            for one in settlement.royalties:
                assert one.state is not State.PROCESSING
                if one.state is State.SUCCESS:
                    theirs[trade.out_trade_no, one.trans_in] += one.amount.minor
        for one in world.emulator.desk.sharing.returns(trade.trade_no):
            returned[trade.out_trade_no] += one.amount.minor
    ours: Counter[tuple[str, str]] = Counter()
    ours_returned: Counter[str] = Counter()
    with world.service.context.database.read() as tx:
        told = sa.select(orders.c.out_trade_no, shares).join(
            shares, shares.c.order_id == orders.c.id
        )
        for row in tx.execute(told):
            assert row.status in ("succeeded", "failed"), row
            if row.status == "succeeded":
                ours[row.out_trade_no, row.account] += row.amount_minor
        came = sa.select(orders.c.out_trade_no, share_returns).join(
            share_returns, share_returns.c.order_id == orders.c.id
        )
        for row in tx.execute(came):
            assert row.status in ("returned", "failed", "covered"), row
            if row.status == "returned":
                ours_returned[row.out_trade_no] += row.amount_minor
    assert ours == theirs
    assert ours_returned == returned
    return {"shares": len(ours), "shares returned": len(ours_returned)}


def _check_transfers(month: Month) -> dict[str, int]:
    theirs = {
        one.number: (ENDS_OF_TRANSFERS[one.status.value], one.request.amount)
        for one in month.world.emulator.transfers
    }
    with month.world.service.context.database.read() as tx:
        ours = {
            row.out_biz_no: (row.status, Money(row.amount_minor))
            for row in tx.execute(sa.select(transfers))
        }
    assert ours == theirs
    assert {number: amount for number, (_, amount) in ours.items()} == {
        sent.number: sent.amount for sent in month.sent
    }
    return {"transfers": len(ours)}


# ---- days and the ledger


def told(mismatches: Sequence[Mismatch]) -> list[tuple[Any, ...]]:
    """What is open, short enough to be read in a failure."""
    return [
        (one.day.isoformat(), one.kind.value, one.mismatch.value, one.key, one.ours_minor, one.theirs_minor)
        for one in mismatches
    ]  # fmt: skip


def _check_days(month: Month, person: Person, merchant: Merchant) -> None:
    """Every day is green, comes out to the fen, and can be closed; then it is closed."""
    context = month.world.service.context
    assert told(open_mismatches(month.world, merchant)) == []
    off: dict[date, int] = {}
    statuses: defaultdict[str, set[StatementStatus]] = defaultdict(set)
    for day in month.days:
        where = (merchant.environment, merchant.seller_id)
        with context.database.read() as tx:
            check = check_of_day(tx, *where, day)
            for kind in StatementKind:
                found = bills.find_statement(tx, *where, kind.value, day.isoformat())
                assert found is not None, (day, kind)
                statuses[kind].add(found.status)
        assert check is not None, day
        off[day] = check.difference.minor
    for kind in StatementKind:
        assert StatementStatus.READY in statuses[kind]
        assert statuses[kind] <= {StatementStatus.READY, StatementStatus.NONE}, statuses
    first, last = month.days[0], month.days[-1]
    assert off[last] == 0  # what midnight has cut of the days before stands in later ones
    _check_cut(month.world, merchant, off)
    colours = {line.colour for line in read_days(context, person, merchant, first, last)}
    assert colours == {Colour.GREEN}
    for day in month.days:
        assert close_day(context, person, merchant, day).closed_name == person.name
        with context.database.read() as tx:
            assert book_of(tx, merchant.id).locked_through == day


def _check_cut(world: World, merchant: Merchant, off: Mapping[date, int]) -> None:
    """A day ends off only by what was found of it, or of those before it, and was made good later."""
    with world.service.context.database.read() as tx:
        found = store.list_mismatches(
            tx, merchant.environment, merchant.seller_id, is_open=False, rows_max=100_000
        )
    cut = {
        one.day
        for one in found
        if one.key == store.BALANCE and one.resolution == Resolution.DAY_CUT.value
    }
    began = 0
    for day, minor in off.items():
        assert minor in (began, 0) or day in cut, (day, began, minor)
        began = minor


def _check_ledger(world: World, merchant: Merchant, days: Sequence[date]) -> None:
    """The books balance to the fen on every day, and hold what Alipay's account holds."""
    context = world.service.context
    with context.database.read() as tx:
        book = book_of(tx, merchant.id)
        for day in days:
            balance = read_trial_balance(tx, book, day, day)
            assert sum(one.closing for one in balance.accounts) == 0
            assert sum(one.debits - one.credits for one in balance.accounts) == 0
        held = read_balances(tx, book, context.clock.now())
    account = world.emulator.desk.account
    theirs = {pot: account.balance(merchant.seller_id, pot).minor for pot in Pot}
    assert {
        Pot.AVAILABLE: held[Account.AVAILABLE],
        Pot.FROZEN: held[Account.FROZEN],
        Pot.UNSETTLED: held[Account.UNSETTLED],
    } == theirs
    assert held[Account.SUSPENSE] == held[Account.OTHER] == 0
