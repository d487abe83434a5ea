"""Deaths at named points: a process is killed at each commit and each edge of the network.

A day in a shop is lived once for each point: payments plain and not, one that Alipay never told
of, a refund that is answered and one that is not, an order that is given up. The process dies at
the point; others take its place, on PostgreSQL two of them. In the end our books are the
emulator's ledger, and every event has arrived. Another day is lived at the till, with a hold that
is taken from and let go of, and with an agreement that is charged by itself; one on which money is
sent to others; and one on which a direct-pay merchant confirms settlements.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from books import check_books
from daozhang.clock import business_day
from daozhang.emulator.holds import Kind
from daozhang.emulator.switches import changed
from daozhang.money import Money
from daozhang.service.db import Database
from daozhang.service.ledger.store import moves
from daozhang.service.transfers.model import TransferLimits
from daozhang.service.transfers.store import write_limits
from databases import database_url, on_postgresql
from equality import differences, read_books, unheard
from figures import note_figures
from mortal import (
    ALL_POINTS,
    MARK,
    POINTS,
    POINTS_OF_CONSENTS,
    POINTS_OF_SETTLEMENTS,
    POINTS_OF_TRANSFERS,
    Point,
)
from mortal_shop import Shop, shop

SHORT = (
    "payment written, before its commit",
    "POST answered, before it is recorded",
    "money moved, before it is written",
    "money frozen, before it is written",
    "buyer charged, before it is written",
    "money sent, before it is written",
    "settled at Alipay, before it is written",
)
"""What runs with all tests; ``make chaos`` dies everywhere."""

HOLDS = {"INIT": "waiting", "AUTHORIZED": "authorized", "FINISH": "finished", "CLOSED": "closed"}
"""What our books have to say of a hold of the emulator's."""


def _named(points: tuple[Point, ...]) -> list[Any]:
    return [
        pytest.param(point, id=point.name, marks=[] if point.name in SHORT else pytest.mark.chaos)
        for point in points
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", _named(POINTS))
def test_a_death_at_a_named_point_loses_nothing_and_doubles_nothing(
    tmp_path: Path, point: Point
) -> None:
    _die(tmp_path, point, _live_a_day, _differences)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", _named(POINTS_OF_CONSENTS))
def test_a_death_at_the_till_of_a_hold_or_an_agreement_loses_nothing_and_doubles_nothing(
    tmp_path: Path, point: Point
) -> None:
    _die(tmp_path, point, _live_a_day_of_consents, _differences_of_consents)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", _named(POINTS_OF_TRANSFERS))
def test_a_death_while_money_is_sent_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, point: Point
) -> None:
    _die(tmp_path, point, _live_a_day_of_transfers, _differences_of_transfers)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", _named(POINTS_OF_SETTLEMENTS))
def test_a_death_while_a_settlement_is_confirmed_loses_nothing(
    tmp_path: Path, point: Point
) -> None:
    _die(tmp_path, point, _live_a_day_of_settlements, _differences_of_settlements)


def _die(
    directory: Path,
    point: Point,
    live: Callable[[Shop], None],
    compare: Callable[[Shop], list[str]],
) -> None:
    began = time.monotonic()
    with shop(directory) as alive:
        alive.start(alive.port, point.name)
        live(alive)
        alive.push_until(lambda: compare(alive) == [])
        assert alive.deaths == [-signal.SIGKILL], "it has not died, or not alone"
        assert (directory / MARK).read_text() == point.name
        database = Database(database_url(directory))
        check_books(database)
        database.dispose()
    figures = {
        "database": "postgresql" if on_postgresql() else "sqlite",
        "died": point.name,
        "lost": 0,
        "double": 0,
        "seconds": round(time.monotonic() - began, 1),
    }
    note_figures("deaths at named points", figures)


def _live_a_day(alive: Shop) -> None:
    url = alive.hook.url
    alive.ask("POST", "/v1/webhook_endpoints", (201,), url=url)
    plain = alive.order("PLAIN")
    alive.emulator.pay(plain)
    cart = alive.order("CART", cart_ref="cart-1")
    alive.emulator.pay(cart)
    given_up = alive.order("GIVEN-UP")
    alive.ask("POST", f"/v1/orders/{given_up}/close", (200, 202))
    untold = alive.order("UNTOLD")
    alive.emulator.set_fault("notify_never", out_trade_no=untold)
    alive.emulator.pay(untold)
    for number in (plain, cart, untold):
        alive.push_until(lambda number=number: alive.status(number) == "paid")
    alive.refund(plain, "R-ANSWERED")
    # Whether this one has moved money, only a question tells.
    alive.emulator.set_fault("notify_never", out_trade_no=cart)
    alive.emulator.set_fault(
        "gateway_timeout_after_success", out_trade_no=cart, method="alipay.trade.refund", times=1
    )
    alive.refund(cart, "R-UNANSWERED")


def _differences(alive: Shop) -> list[str]:
    """What is not yet as it must be."""
    database = Database(database_url(alive.directory))
    try:
        books = read_books(database)
        with database.read() as tx:
            left = tx.execute(
                sa.text("SELECT count(*) FROM inbox_notifications WHERE status <> 'applied'")
            ).scalar_one()
        silence = unheard(database, alive.hook)
    finally:
        database.dispose()
    ledger = {trade.out_trade_no: trade for trade in alive.emulator.trades}
    found = [
        line for number in ledger for line in differences(number, books[number], ledger[number])
    ]
    assert len(books) == 4
    moved = {number: len(trade.refunds) for number, trade in ledger.items()}
    if moved != {"PLAIN": 1, "CART": 1, "GIVEN-UP": 0, "UNTOLD": 0}:
        found.append(f"refunds at Alipay: {moved}")
    if left:
        found.append(f"{left} notifications are not applied")
    return found + silence


def _live_a_day_of_consents(alive: Shop) -> None:
    alive.ask("POST", "/v1/webhook_endpoints", (201,), url=alive.hook.url)
    _until_one_is(alive, "TILL", "paid", _scan_an_order)
    # Whether this one was charged, only a question tells.
    _until_one_is(alive, "UNANSWERED", "paid", _scan_an_order, fault="gateway_bad_signature")
    hold = _until_one_is(alive, "HOLD", "authorized", _scan_a_hold)
    taken = {"out_trade_no": "TAKEN", "amount": "120.00", "subject": "Room"}
    alive.ask("POST", f"/v1/holds/{hold}/captures", (202,), **taken)
    _let_go(alive, hold, "80.00", "R-ANSWERED")
    alive.push_until(lambda: alive.status("TAKEN") == "paid")
    alive.emulator.set_fault("notify_never", out_trade_no=hold)
    unfreeze = "alipay.fund.auth.order.unfreeze"
    alive.emulator.set_fault("gateway_bad_signature", method=unfreeze, times=1)
    _let_go(alive, hold, "30.00", "R-UNANSWERED")
    rule = {
        "period_type": "DAY",
        "period": 7,
        "first_on": business_day(alive.clock.now() + timedelta(days=1)).isoformat(),
        "single_amount": "30.00",
    }
    plan = {"amount": "30.00", "subject": "Membership", "lead_days": 5}
    signing = {"external_agreement_no": "E", "sign_scene": "INDUSTRY|DIGITAL_MEDIA"}
    made = alive.ask("POST", "/v1/agreements", (200, 201), **signing, rule=rule, plan=plan)
    alive.open(made["sign_url"])
    alive.emulator.agree("E")
    alive.push_until(lambda: alive.read("/v1/agreements/E")["status"] == "active")
    alive.push_until(lambda: alive.read("/v1/agreements/E")["deductions"] != [])


def _let_go(alive: Shop, hold: str, amount: str, name: str) -> None:
    body = {"amount": amount, "out_request_no": name}
    alive.ask("POST", f"/v1/holds/{hold}/releases", (202,), **body)


def _until_one_is(
    alive: Shop,
    name: str,
    wanted: str,
    scan: Callable[[Shop, str], str],
    fault: str | None = None,
) -> str:
    """Whoever stands there: what was given up unpaid is begun again under another number."""
    ends = (wanted, "closed", "refunded")
    for count in range(3):
        number = f"{name}-{count}"
        if fault is not None:
            alive.emulator.set_fault(fault, method="alipay.trade.pay", times=1)
        path = scan(alive, number)
        alive.push_until(lambda path=path: alive.read(path)["status"] in ends)
        if alive.read(path)["status"] == wanted:
            return number
    raise AssertionError(f"{name} never became {wanted}")


def _scan_an_order(alive: Shop, number: str) -> str:
    body = {"out_trade_no": number, "amount": "88.88", "subject": "明前龙井", "way": "barcode"}
    alive.ask("POST", "/v1/orders", (200, 201), **body)
    code = alive.emulator.payment_code()
    alive.ask("POST", f"/v1/orders/{number}/barcode_payment", (200, 202, 409), auth_code=code)
    return f"/v1/orders/{number}"


def _scan_a_hold(alive: Shop, number: str) -> str:
    body = {"out_order_no": number, "amount": "500.00", "title": "Deposit", "way": "barcode"}
    alive.ask("POST", "/v1/holds", (200, 201), **body)
    code = alive.emulator.payment_code()
    alive.ask("POST", f"/v1/holds/{number}/barcode", (200, 202), auth_code=code)
    return f"/v1/holds/{number}"


def _differences_of_consents(alive: Shop) -> list[str]:
    """What is not yet as it must be."""
    database = Database(database_url(alive.directory))
    try:
        books = read_books(database)
        silence = unheard(database, alive.hook)
    finally:
        database.dispose()
    ledger = {trade.out_trade_no: trade for trade in alive.emulator.trades}
    found = [f"{number} is in no book" for number in ledger if number not in books]
    found += [
        line
        for number, booked in books.items()
        for line in differences(number, booked, ledger.get(number))
    ]
    for hold in alive.emulator.holds:
        shown = alive.read(f"/v1/holds/{hold.number}")
        parts = shown["balance"]
        kept = parts["captured_amount"], parts["released_amount"], parts["remaining_amount"]
        there = hold.total(Kind.PAY), hold.total(Kind.UNFREEZE), hold.rest
        same = tuple(map(str, there)) if shown["status"] == "authorized" else kept
        if (HOLDS[hold.status.value], same) != (shown["status"], kept):
            found.append(f"{hold.number}: {shown['status']} {kept} {hold.status} {there}")
        ended = {one["status"] for one in shown["releases"]} <= {"succeeded"}
        if shown["status"] == "authorized" and (
            kept != ("120.00", "110.00", "270.00") or not ended
        ):
            found.append(f"{hold.number}: {kept}")
    (agreement,) = alive.emulator.agreements
    tries = [one["status"] for one in alive.read("/v1/agreements/E")["deductions"]]
    if (agreement.deductions, agreement.deducted, tries.count("paid")) != (
        1,
        Money.parse("30.00"),
        1,
    ):
        found.append(f"agreement: {agreement.deductions} {agreement.deducted} {tries}")
    return found + silence


SENT = {
    "ANSWERED": "succeeded",
    "UNANSWERED": "succeeded",
    "ARRIVED-NOT": "succeeded",
    "NOBODY": "failed",
}


def _live_a_day_of_transfers(alive: Shop) -> None:
    alive.ask("POST", "/v1/webhook_endpoints", (201,), url=alive.hook.url)
    database = Database(database_url(alive.directory))
    with database.begin() as tx:
        write_limits(tx, 1, TransferLimits(None, None, None, None), alive.clock.now())
    database.dispose()
    send = "alipay.fund.trans.uni.transfer"
    faults = {"UNANSWERED": "gateway_bad_signature", "ARRIVED-NOT": "gateway_20000"}
    for number, fault in faults.items():
        alive.emulator.set_fault(fault, out_trade_no=number, method=send, times=1)
    for number in SENT:
        identity = "2088000000000404" if number == "NOBODY" else "2088000000000001"
        body = {
            "out_biz_no": number,
            "amount": "12.00",
            "title": "佣金",
            "payee": {"kind": "user_id", "identity": identity},
        }
        alive.ask("POST", "/v1/transfers", (200, 201), **body)


def _differences_of_transfers(alive: Shop) -> list[str]:
    """What is not yet as it must be."""
    database = Database(database_url(alive.directory))
    try:
        silence = unheard(database, alive.hook)
        with database.read() as tx:
            posted = [
                row.key
                for row in tx.execute(sa.select(moves.c.key).where(moves.c.kind == "transfer"))
            ]
    finally:
        database.dispose()
    stands = {number: alive.read(f"/v1/transfers/{number}")["status"] for number in SENT}
    found = [] if stands == SENT else [f"transfers stand {stands}"]
    gone = sorted(number for number, status in SENT.items() if status == "succeeded")
    there = sorted(transfer.number for transfer in alive.emulator.transfers)
    if there != gone or sorted(posted) != gone:
        found.append(f"sent {there}, posted {posted}")
    return found + silence


SETTLED = ("ANSWERED", "UNANSWERED", "ARRIVED-NOT")


def _live_a_day_of_settlements(alive: Shop) -> None:
    alive.ask("POST", "/v1/webhook_endpoints", (201,), url=alive.hook.url)
    desk, app_id = alive.emulator.desk, alive.emulator.credentials("shop")["app_id"]
    desk.set_switches(app_id, changed(desk.switches(app_id), {"direct_pay": True}))
    alive.ask("PUT", "/v1/sharing", (200,), direct_pay=True)
    confirm = "alipay.trade.settle.confirm"
    faults = {"UNANSWERED": "gateway_bad_signature", "ARRIVED-NOT": "gateway_20000"}
    for number in SETTLED:
        alive.emulator.pay(alive.order(number))
        alive.push_until(lambda number=number: alive.status(number) == "paid")
        if number in faults:
            # The next call is this order's: the one before has been answered.
            alive.emulator.set_fault(faults[number], method=confirm, times=1)
        body = {"out_request_no": f"{number}-S"}
        alive.ask("POST", f"/v1/orders/{number}/settlements", (200, 201), **body)
        alive.push_until(lambda number=number: _settlements(alive, number) == ["confirmed"])


def _settlements(alive: Shop, number: str) -> list[str]:
    found = alive.read(f"/v1/orders/{number}/settlements")["data"]
    return [one["status"] for one in found]


def _differences_of_settlements(alive: Shop) -> list[str]:
    """What is not yet as it must be."""
    database = Database(database_url(alive.directory))
    try:
        silence = unheard(database, alive.hook)
        with database.read() as tx:
            told = sa.text("SELECT count(*) FROM events WHERE type = 'settlement.confirmed'")
            count = tx.execute(told).scalar_one()
    finally:
        database.dispose()
    found = [] if count == len(SETTLED) else [f"{count} settlements were told of"]
    for number in SETTLED:
        trade = alive.emulator.trade(number)
        info = alive.emulator.desk.sharing.confirmations.settle_info(trade)
        names = [one["operation_serial_no"] for one in info.get("trade_settle_detail_list", ())]
        if (_settlements(alive, number), names) != (["confirmed"], [f"{number}-S"]):
            found.append(f"{number}: {names}")
    return found + silence


def test_every_point_has_a_name_of_its_own_and_is_there() -> None:
    points = ALL_POINTS
    assert len({point.name for point in points}) == len(points)
    assert set(SHORT) <= {point.name for point in points}
    root = Path(sys.modules["daozhang"].__file__ or "").parent / "service"
    for point in points:
        function = point.function.rpartition(".")[2]
        assert f"def {function}(" in (root / point.file).read_text(), point
