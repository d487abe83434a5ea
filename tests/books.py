"""What holds of the books at the end of every journey, whatever happened in it."""

from __future__ import annotations

from collections import Counter

import msgspec
import sqlalchemy as sa

from daozhang.service.announced import struct_of
from daozhang.service.db import Database, Tx
from daozhang.service.inbox.model import InboxStatus
from daozhang.service.inbox.rules import MESSAGE
from daozhang.service.inbox.store import notifications
from daozhang.service.ledger.store import books, moves
from daozhang.service.merchants.store import merchants
from daozhang.service.orders.model import OrderStatus
from daozhang.service.orders.posting import RECEIVED
from daozhang.service.orders.store import order_steps, orders
from daozhang.service.outbox.model import Event
from daozhang.service.outbox.store import events
from daozhang.service.refunds.store import SUCCEEDED, refunds
from daozhang.service.sharing.store import share_returns, shares
from daozhang.service.webhooks.store import deliveries


def check_books(database: Database) -> None:
    """Every event is as its schema says, no row names an order that is not there, each payment, refund and
    share is in the ledger, and what orders hold back is what is under way."""
    check_events(database)
    check_orphans(database)
    check_ledger(database)
    check_remainders(database)


def check_remainders(database: Database) -> None:
    """What of each order is reserved and shared is what its refunds and shares say, and no more than paid."""
    with database.read() as tx:
        reserved: Counter[int] = Counter()
        shared: Counter[int] = Counter()
        for row in tx.execute(sa.select(refunds)):
            if row.origin == "ours" and row.status in ("requested", "unknown"):
                reserved[row.order_id] += row.amount_minor
        for row in tx.execute(sa.select(shares)):
            if row.status == "pending":
                reserved[row.order_id] += row.amount_minor
            elif row.status == "succeeded":
                back = row.returned_minor + row.returning_minor + row.covered_minor
                shared[row.order_id] += row.amount_minor - back
        for row in tx.execute(sa.select(orders)):
            assert row.reserved_minor == reserved[row.id], row.out_trade_no
            assert row.shared_minor == shared[row.id], row.out_trade_no
            held = row.refunded_minor + row.reserved_minor + row.shared_minor
            assert held <= row.amount_minor, row.out_trade_no


def check_events(database: Database) -> None:
    """Each event, as it goes out, is of its type: no field less, none more."""
    with database.read() as tx:
        rows = tx.execute(sa.select(events)).mappings().all()
    for row in rows:
        event = Event(**row)
        msgspec.convert(event.envelope(), struct_of(event.type))


def check_ledger(database: Database) -> None:
    """What each order has brought and given back is in the ledger, once; nothing else of it is."""
    with database.read() as tx:
        sold = {
            (row.id, row.amount_minor, row.currency)
            for row in tx.execute(sa.select(orders))
            if OrderStatus(row.status) in RECEIVED
        }
        back = {
            (row.id, row.amount_minor, row.currency)
            for row in tx.execute(sa.select(refunds).where(SUCCEEDED))
            if row.amount_minor
        }
        passed_on = {
            (row.id, row.amount_minor, row.currency)
            for row in tx.execute(sa.select(shares).where(shares.c.status == "succeeded"))
        }
        given_back = {
            (row.id, row.amount_minor, row.currency)
            for row in tx.execute(
                sa.select(share_returns).where(share_returns.c.status == "returned")
            )
        }
        assert _posted(tx, "share", "royalty") == passed_on
        assert _posted(tx, "share_return", "royalty") == given_back
        assert _posted(tx, "payment", "sales") == sold
        assert _posted(tx, "refund", "refunds") == back


def _posted(tx: Tx, kind: str, account: str) -> set[tuple[int, int, str]]:
    """What the entries of that kind have done to an account: key, amount, currency."""
    c = moves.c
    sums = (
        sa.select(c.key, sa.func.sum(c.amount_minor).label("minor"), books.c.currency)
        .join(books, books.c.id == c.book_id)
        .group_by(c.key, books.c.currency)
    )
    found: Counter[tuple[str, str]] = Counter()
    for column, sign in ((c.debit, 1), (c.credit, -1)):
        rows = tx.execute(sums.where(c.kind == kind, column == account)).mappings()
        found.update({(row["key"], row["currency"]): sign * int(row["minor"]) for row in rows})
    return {(int(key), abs(minor), currency) for (key, currency), minor in found.items() if minor}


def check_orphans(database: Database) -> None:
    """The hot path's tables have no foreign keys (decision 11): so this is what holds them."""
    its_order = orders.alias("its_order")
    with database.read() as tx:
        for table in (events, order_steps, deliveries):
            there = sa.exists().where(its_order.c.id == table.c.order_id)
            orphans = sa.select(table.c.order_id).where(table.c.order_id.is_not(None), ~there)
            assert tx.execute(orphans).all() == [], f"{table.name} names orders that are not there"
        event = events.alias("its_event")
        there = sa.exists().where(event.c.number == deliveries.c.event_number)
        unsaid = tx.execute(sa.select(deliveries.c.event_id).where(~there)).all()
        assert unsaid == [], "deliveries of events that are not there"
        there = sa.exists().where(
            its_order.c.out_trade_no == notifications.c.out_trade_no,
            its_order.c.environment == merchants.c.environment,
            its_order.c.seller_id == merchants.c.seller_id,
        )
        unbooked = (
            sa.select(notifications.c.notify_id)
            .outerjoin(merchants, merchants.c.id == notifications.c.merchant_id)
            .where(
                notifications.c.status == InboxStatus.APPLIED.value,
                notifications.c.out_trade_no.is_not(None),
                ~notifications.c.kind.startswith(MESSAGE),  # it names a hold or an agreement
                ~there,
            )
        )
        assert tx.execute(unbooked).all() == [], "notifications applied to no order"
        stray = sa.select(notifications.c.id).where(
            ~sa.exists().where(merchants.c.id == notifications.c.merchant_id)
        )
        assert tx.execute(stray).all() == [], "notifications of no merchant"
