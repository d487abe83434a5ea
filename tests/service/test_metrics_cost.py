"""A scrape reads small indexes, however large the books have grown."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from daozhang.service.db import Database
from daozhang.service.merchants.store import list_merchants
from daozhang.service.orders.model import OPEN_STATUSES, OrderStatus
from daozhang.service.overview.actions import read_overview, read_risks
from daozhang.service.search.actions import find_orders
from daozhang.service.search.model import Sought
from daozhang.service.watch.exposition import write_metrics
from grown import grow
from people_here import add_person
from refund_world import open_shop

ROWS = 20_000
SMALL = {
    "ix_inbox_notifications_copied",
    "ix_inbox_notifications_not_applied",
    "ix_orders_open",
    "ix_orders_unclear",
    "ix_orders_unwatched",
    "ix_refunds_undecided",
    "ix_webhook_deliveries_due",
    "ix_webhook_deliveries_pending_order",
    "ix_webhook_deliveries_parked",
    "primary key",  # after a position, or of one row
}
"""Indexes of what is not over; everything else of a large table grows with the books."""

LARGE = "orders|inbox_notifications|order_steps|events|refunds|webhook_deliveries|webhook_attempts"


def statements_of(database: Database, action: Any) -> list[tuple[str, Any]]:
    """What ``action`` asks the database; not what duties ask meanwhile, in threads of theirs."""
    asked: list[tuple[str, Any]] = []
    here = threading.get_ident()

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if threading.get_ident() == here:
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return [one for one in asked if one[0].lstrip().startswith(("SELECT", "WITH"))]


def plan_of(database: Database, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN " if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN "
    with database.read() as tx:
        rows = tx.connection.exec_driver_sql(explain + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


def ways_into_large_tables(plan: str) -> set[str]:
    """The indexes through which a plan reads large tables; ``all of it`` if through none."""
    found: set[str] = set()
    for line in plan.splitlines():
        if re.search(rf"(Seq Scan on|SCAN) ({LARGE})\b(?!.* USING )", line):
            found.add("all of it")
        elif re.search(rf"\b(INTEGER PRIMARY KEY|pk_({LARGE}))\b", line):
            found.add("primary key")
        elif way := re.search(rf"\b(ix|uq)_({LARGE})_\w+", line):
            found.add(way.group())
    return found


def test_no_query_of_a_scrape_reads_a_large_table_through(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        database, lookout = shop.service.context.database, shop.service.lookout
        shop.service.worker.settle()
        grow(database, ROWS)
        shop.pass_time(300)  # what there is passes into the tallies
        asked = statements_of(database, lookout.look)
        plans = {
            statement: plan_of(database, statement, parameters)
            for statement, parameters in asked
            if "workflow_status" not in statement
        }
        assert len(plans) > 15
        used = {name for plan in plans.values() for name in ways_into_large_tables(plan)}
        assert sorted(used - SMALL) == [], plans
        assert {"ix_orders_unwatched", "ix_orders_open", "ix_refunds_undecided"} <= used
        picture = lookout.look()
        assert picture.inbox.recorded == picture.inbox.applied == ROWS
        assert picture.deliveries.delivered == ROWS
        assert picture.tallies["payments_learned"] == {"notification": ROWS}
        assert picture.tallies["webhook_attempts"] == {"2xx": ROWS}
        assert f"daozhang_notifications_recorded_total {ROWS}.0".encode() in write_metrics(picture)


def test_what_was_there_before_anybody_counted_belongs_to_no_hour(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        service = shop.service
        shop.paid_order()
        shop.pass_time(300)
        with service.context.database.begin() as tx:
            # As it is after an update from a version that did not count.
            tx.execute(sa.text("DELETE FROM watch_positions"))
            tx.execute(sa.text("DELETE FROM watch_tallies"))
        shop.pass_time(300)
        picture = service.lookout.look()
        assert picture.tallies["payments_learned"] == {"notification": 1}
        assert "payments_learned" not in picture.lately
        shop.paid_order()
        shop.pass_time(300)
        picture = service.lookout.look()
        assert picture.tallies["payments_learned"] == {"notification": 2}
        assert picture.lately["payments_learned"] == {"notification": 1}
        shop.pass_time(3 * 24 * 3600)
        picture = service.lookout.look()
        assert picture.tallies["payments_learned"] == {"notification": 2}
        assert "payments_learned" not in picture.lately


def test_no_query_of_an_overview_reads_a_large_table_through(tmp_path: Path) -> None:
    """Neither its sums nor what is at risk of one merchant, which is to be found as that of all is."""
    with open_shop(tmp_path) as shop:
        context = shop.service.context
        shop.service.worker.settle()
        grow(context.database, ROWS)
        shop.pass_time(300)
        person = add_person(context, "owner")
        with context.database.read() as tx:
            merchants = list_merchants(tx)
        asked = statements_of(
            context.database, lambda: read_overview(context, person, merchants, 30)
        )
        asked += statements_of(context.database, lambda: read_risks(context, person, merchants[0]))
        plans = {one: plan_of(context.database, one, given) for one, given in asked}
        assert len(plans) > 30
        of_its_own = {
            "ix_refunds_succeeded",
            "ix_events_merchant_id_number",
            "uq_events_order_id",
            "uq_events_order_id_sequence",
        }
        walks = {s: p for s, p in plans.items() if ways_into_large_tables(p) - SMALL - of_its_own}
        assert walks == {}


@pytest.mark.parametrize("status", OPEN_STATUSES)
def test_the_few_orders_that_are_open_are_found_without_a_walk_through_all(
    tmp_path: Path, status: OrderStatus
) -> None:
    """Newest first, a planner that has counted them would rather walk until there are fifty."""
    with open_shop(tmp_path) as shop:
        database = shop.service.context.database
        shop.service.worker.settle()
        grow(database, ROWS)

        def find() -> None:
            with database.read() as tx:
                find_orders(
                    tx, 1, Sought(equal={"status": status.value}), before_id=None, rows_max=51
                )

        *_, (listing, given) = statements_of(database, find)
        plan = plan_of(database, listing, given)
        (used,) = ways_into_large_tables(plan)
        assert used in ("ix_orders_not_paid", "ix_orders_open"), plan
