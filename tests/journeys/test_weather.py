"""Weather: everything at once, over many orders; then our books are Alipay's ledger to the fen.

The short form runs with all tests; ``make chaos`` runs the long one, on both databases.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from daozhang.service.inbox.store import count_refused, notifications
from daozhang.service.orders.surprises import surprises
from databases import on_postgresql
from equality import differences, read_books
from figures import note_figures
from weather import GATEWAY_TIMEOUT_SECONDS, LOSS, STORM, Weather
from worlds import World, running

MANY_ORDERS = 5_000
"""So many that even the rarest fault must have struck."""

OFTEN = {
    "notify_twice",
    "notify_answer_lost",
    "notify_out_of_order",
    "notify_bad_signature",
    "notify_never",
    "slow",
    "gateway_20000",
    "gateway_timeout_after_success",
}

SETTINGS = {"gateway_timeout_seconds": GATEWAY_TIMEOUT_SECONDS}


def test_in_a_storm_the_books_end_as_the_ledger_does(tmp_path: Path) -> None:
    with running(tmp_path, chosen=SETTINGS) as world:
        _weather(world, orders=250, wave=125, seed=7)


@pytest.mark.chaos
@pytest.mark.timeout(7200)
def test_in_a_storm_over_20000_orders_the_books_end_as_the_ledger_does(tmp_path: Path) -> None:
    with running(tmp_path, chosen=SETTINGS) as world:
        _weather(world, orders=20_000, wave=500, seed=8)


def _weather(world: World, *, orders: int, wave: int, seed: int) -> None:
    began = time.monotonic()
    weather = Weather(world, seed=seed)
    try:
        weather.live(orders, wave=wave)
        weather.pass_away()
    finally:
        weather.close()
    _check_books(weather)
    moved = _check_refunds(weather)
    _check_inbox(weather)
    _check_storm(weather)
    world_books = read_books(world.service.context.database)
    row = {
        "database": "postgresql" if on_postgresql() else "sqlite",
        "orders": orders,
        "paid": sum(order.told("order.paid", "order.paid_late") for order in world_books.values()),
        "refunds": moved,
        "attempts to notify": sum(len(n.attempts) for n in world.emulator.notifications),
        "faults that struck": sum(weather.struck().values()),
        "orders that differ": 0,
        "refunds paid twice": 0,
        "seconds": round(time.monotonic() - began),
    }
    note_figures("weather", row)
    print(f"\n{row}\nstruck: {dict(weather.struck())}\nrefunds answered: {dict(weather.refusals)}")


def _check_storm(weather: Weather) -> None:
    """What was to strike has struck: no test of fine weather."""
    struck = weather.struck()
    of_all = {str(fault["name"]) for fault in (*STORM, LOSS)}
    expected = of_all if len(weather.lives) >= MANY_ORDERS else OFTEN
    assert {name for name in expected if not struck[name]} == set()


def _check_books(weather: Weather) -> None:
    books = read_books(weather.world.service.context.database)
    ledger = {trade.out_trade_no: trade for trade in weather.world.emulator.trades}
    assert set(books) == {life.number for life in weather.lives}
    found = [
        line for number in books for line in differences(number, books[number], ledger.get(number))
    ]
    assert found == [], f"{len(found)} differences, the first: {found[:10]}"


def _check_refunds(weather: Weather) -> int:
    """Every refund that was asked for was paid once or not at all; how many were paid."""
    ledger = {trade.out_trade_no: trade for trade in weather.world.emulator.trades}
    books = read_books(weather.world.service.context.database)
    moved = 0
    for life in weather.lives:
        trade = ledger.get(life.number)
        paid_back = [] if trade is None else [r for r in trade.refunds if r.origin.value == "api"]
        moved += 0 if trade is None else len(trade.refunds)
        # Under no number that nobody asked for, and with the amount that was asked for.
        assert {r.out_request_no: r.amount for r in paid_back}.items() <= life.asked.items()
        assert trade is None or trade.refunded <= trade.total
        ends = {name: status for name, _, status in books[life.number].refunds}
        for name in life.asked:
            is_paid = any(r.out_request_no == name for r in paid_back)
            assert ends[name] == ("succeeded" if is_paid else "failed"), (life.number, name)
    return moved


def _check_inbox(weather: Weather) -> None:
    """What was sent is applied, what was wrongly signed is refused, and nobody is left waiting."""
    database = weather.world.service.context.database
    with database.read() as tx:
        left = tx.execute(
            sa.select(notifications.c.status, sa.func.count())
            .where(notifications.c.status.not_in(["applied", "surprised"]))
            .group_by(notifications.c.status)
        ).all()
        refused = sum(count_refused(tx, 1).values())
        told = Counter(tx.execute(sa.select(surprises.c.reason)).scalars().all())
    assert left == []
    assert refused == weather.struck()["notify_bad_signature"]
    print(f"\nsurprises: {dict(told)}")
