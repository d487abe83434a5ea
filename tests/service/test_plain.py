"""Plain settlements: what is written in groups is what one fact alone would have written."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daozhang.app import create_context
from daozhang.clock import ManualClock
from daozhang.money import Money
from daozhang.service.ledger.store import moves
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.migrations import upgrade
from daozhang.service.orders.actions import create_order, give_up, lock_order
from daozhang.service.orders.model import (
    ClosingReason,
    FactKind,
    NewOrder,
    Payment,
    Source,
    TradeFact,
)
from daozhang.service.orders.plain import book_plain, settle_plainly
from daozhang.service.orders.store import lock_free_orders, order_steps, orders
from daozhang.service.outbox.store import events
from daozhang.service.refunds.settling import settle_fact
from daozhang.service.settings import load_settings
from daozhang.service.web.context import Context
from databases import database_url, refusing
from deployment import APP_ID, SELLER_ID, new_app
from effort import examples
from signed_world import paid, signed_world
from worlds import START, find_order, register

TOTAL = Money.parse("88.88")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Generator[Context]:
    clock, directory = ManualClock(START), tmp_path_factory.mktemp("plain")
    chosen = load_settings(
        {},
        data_dir=directory,
        database_url=database_url(directory),
        clock="manual",
        environments=("emulator",),
        public_url="http://127.0.0.1:1",
    )
    context = create_context(chosen, clock)
    upgrade(context.database)
    register(context, new_app(), seller_id=SELLER_ID)
    yield context
    context.database.dispose()


def _merchant(context: Context) -> Merchant:
    with context.database.read() as tx:
        return find_merchant_by_id(tx, 1)


facts = st.builds(
    TradeFact,
    kind=st.sampled_from(FactKind),
    out_trade_no=st.just(""),
    source=st.just(Source.NOTIFICATION),
    source_ref=st.text("0123456789", max_size=8),
    learned_at=st.integers(0, 100_000).map(lambda s: START + timedelta(seconds=s)),
    app_id=st.sampled_from([None, APP_ID, APP_ID, "2099"]),
    seller_id=st.sampled_from([None, SELLER_ID, SELLER_ID]),
    trade_no=st.sampled_from([None, "1", "1", "1", "2"]),
    total=st.sampled_from([None, TOTAL, TOTAL, Money.parse("88.87")]),
    payment=st.sampled_from(
        [
            None,
            Payment(paid_at=START, receipt=TOTAL, fund_bills=({"amount": "88.88"},)),
            Payment(paid_at=START, buyer_id="2088", buyer_pay=Money.parse("80.00")),
        ]
    ),
)
plain_facts = facts.map(
    lambda fact: replace(fact, app_id=APP_ID, trade_no="1", total=TOTAL)
).flatmap(
    lambda fact: st.sampled_from([FactKind.WAITING, FactKind.PAID]).map(
        lambda kind: replace(fact, kind=kind)
    )
)
pasts = st.lists(st.one_of(st.just("give up"), facts), max_size=3)


@settings(
    deadline=None,
    max_examples=examples(200),
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(past=pasts, fact=st.one_of(plain_facts, facts))
def test_a_group_writes_what_one_fact_alone_would(
    context: Context, past: list[Any], fact: TradeFact
) -> None:
    together, alone = (_order_with(context, past) for _ in range(2))
    with context.database.begin() as tx:
        (in_hand,) = lock_free_orders(tx, _merchant_in(tx), [together]).values()
        own = replace(fact, out_trade_no=together)
        settlement = settle_plainly(in_hand, own, grace_seconds=300)
        assume(settlement is not None)
        assert settlement is not None
        book_plain(tx, [settlement], context.signals)
    with context.database.begin() as tx:
        order = lock_order(tx, find_order(tx, alone))
        settle_fact(tx, context, order, replace(fact, out_trade_no=alone))

    assert _rows(context, together) == _rows(context, alone)


def _merchant_in(tx: Any) -> Merchant:
    return find_merchant_by_id(tx, 1)


def _order_with(context: Context, past: list[Any]) -> str:
    """A new order, after what ``past`` says has happened to it."""
    number = f"P{next(_numbers)}"
    new = NewOrder(number, TOTAL, "Tea", START + timedelta(hours=2))
    with context.database.begin() as tx:
        order, _ = create_order(tx, _merchant_in(tx), new, START)
    for happened in past:
        with context.database.begin() as tx:
            order = lock_order(tx, order.id)
            if happened == "give up":
                if order.is_open:
                    give_up(tx, order, ClosingReason.CLOSE, START)
            else:
                settle_fact(tx, context, order, replace(happened, out_trade_no=number))
    return number


def _rows(context: Context, number: str) -> list[list[dict[str, Any]]]:
    """All that the database holds of an order, but for what tells it from another."""
    with context.database.read() as tx:
        order_id = find_order(tx, number)
        found = [
            tx.execute(sa.select(orders).where(orders.c.id == order_id)),
            tx.execute(
                sa.select(order_steps)
                .where(order_steps.c.order_id == order_id)
                .order_by(order_steps.c.sequence)
            ),
            tx.execute(
                sa.select(events).where(events.c.order_id == order_id).order_by(events.c.sequence)
            ),
            # "number" counts the moves of an entry, and is compared by their order.
            tx.execute(sa.select(moves).where(moves.c.order_id == order_id).order_by(moves.c.id)),
        ]
        own = {"id", "order_id", "number", "out_trade_no", "key"}
        rows = [
            [{name: row[name] for name in row if name not in own} for row in one.mappings()]
            for one in found
        ]
    for event in rows[2]:
        event["data"]["order"].pop("out_trade_no")
    return rows


def test_a_payment_is_booked_when_success_is_heard(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.create("A-1")
        world.tell(paid("A-1"))
        # No clock was pushed: no duty has run.
        assert world.order("A-1")["status"] == "paid"
        assert world.events() == [("order.paid", "A-1")]
        world.tell(paid("A-1", notify_id="again"))
        world.pass_time()
        assert world.events() == [("order.paid", "A-1")]


def test_what_cannot_be_settled_is_recorded_and_applied_later(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.create("A-1")
        with refusing(world.context.database, "INSERT", "events"):
            world.tell(paid("A-1"))
            assert world.order("A-1")["status"] == "created"
        world.pass_time(60)
        assert world.order("A-1")["status"] == "paid"
        assert world.events() == [("order.paid", "A-1")]
