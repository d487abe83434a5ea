"""Orders and their steps as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.clock import require_aware
from daozhang.money import Money
from daozhang.service.bulk import any_of, insert_row, insert_rows, read_rows, update_rows
from daozhang.service.db import Json, Moment, RowId, Tx, earliest_of, metadata, one_of
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.store import merchants
from daozhang.service.orders.model import (
    ClosingReason,
    Order,
    OrderInHand,
    OrderStatus,
    Payment,
    Step,
    Way,
)
from daozhang.service.orders.options import read_options
from daozhang.service.outbox.store import latest_sequence

OPEN: Final = sa.text("status IN ('created', 'waiting', 'closing')")
"""Where Alipay may still tell us something that decides: these rows have indexes of their own."""

UNWATCHED: Final = sa.text("status IN ('created', 'waiting', 'closing') AND next_query_at IS NULL")
"""Nobody would ask about them any more. There is none, or something is wrong."""

ASKED_ABOUT: Final = sa.text("next_query_at IS NOT NULL")

UNCLEAR: Final = sa.text("unclear_count > 0")
"""Alipay has said that they are closed, with signs of a payment."""

HAS_TRADE: Final = sa.text("trade_no IS NOT NULL")

IS_DATED: Final = sa.text("paid_at IS NOT NULL")

NOT_PAID: Final = sa.text("status <> 'paid'")
"""Every status but the one in which nearly all orders of late are."""

HAS_CART: Final = sa.text("cart_ref IS NOT NULL")


orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("app_id", sa.String(32), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("out_trade_no", sa.String(64), nullable=False),
    sa.Column("way", sa.String(16), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text),
    sa.Column("cart_ref", sa.String(64)),
    sa.Column("operator_id", sa.String(64)),
    sa.Column("terminal_id", sa.String(64)),
    sa.Column("store_id", sa.String(64)),
    sa.Column("return_url", sa.Text),
    sa.Column("passback", sa.Text),
    sa.Column("pay_options", Json),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("refunded_minor", sa.BigInteger, nullable=False, default=0),
    sa.Column("reserved_minor", sa.BigInteger, nullable=False, default=0),
    sa.Column("shared_minor", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("share_plan", sa.String(64)),
    sa.Column("late", sa.Boolean, nullable=False, default=False),
    sa.Column("attention", sa.Boolean, nullable=False, default=False),
    sa.Column("closing_reason", sa.String(16)),
    sa.Column("closed_reason", sa.String(32)),
    sa.Column("close_confirmed", sa.Boolean, nullable=False, default=False),
    sa.Column("absent_count", sa.Integer, nullable=False, default=0),
    sa.Column("unclear_count", sa.Integer, nullable=False, default=0),
    sa.Column("query_count", sa.Integer, nullable=False, default=0),
    sa.Column("next_query_at", Moment),
    sa.Column("signed_at", Moment),
    sa.Column("step_count", sa.Integer, nullable=False, default=0),
    sa.Column("trade_no", sa.String(64)),
    sa.Column("paid_at", Moment),
    sa.Column("payment", Json),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("environment", "seller_id", "out_trade_no"),
    sa.Index(
        "ix_orders_asked_about",
        "next_query_at",
        postgresql_where=ASKED_ABOUT,
        sqlite_where=ASKED_ABOUT,
    ),
    sa.Index("ix_orders_merchant_id_id", "merchant_id", "id"),
    sa.Index(
        "ix_orders_merchant_id_cart_ref",
        "merchant_id",
        "cart_ref",
        postgresql_where=HAS_CART,
        sqlite_where=HAS_CART,
    ),
    sa.Index("ix_orders_trade_no", "trade_no", postgresql_where=HAS_TRADE, sqlite_where=HAS_TRADE),
    sa.Index(
        "ix_orders_paid_at",
        "merchant_id",
        "paid_at",
        "way",
        "id",
        postgresql_where=IS_DATED,
        sqlite_where=IS_DATED,
    ),
    sa.Index(
        "ix_orders_not_paid",
        "merchant_id",
        "status",
        "id",
        postgresql_where=NOT_PAID,
        sqlite_where=NOT_PAID,
    ),
    sa.Index("ix_orders_way", "merchant_id", "way", "id"),
    sa.Index("ix_orders_open", "expires_at", postgresql_where=OPEN, sqlite_where=OPEN),
    sa.Index("ix_orders_unwatched", "id", postgresql_where=UNWATCHED, sqlite_where=UNWATCHED),
    sa.Index("ix_orders_unclear", "id", postgresql_where=UNCLEAR, sqlite_where=UNCLEAR),
    one_of("status", OrderStatus),
    one_of("way", Way),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded"),
    sa.CheckConstraint("reserved_minor BETWEEN 0 AND amount_minor", name="reserved"),
)

# No foreign keys: docs/decisions/0011.
order_steps = sa.Table(
    "order_steps",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("order_id", RowId, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("cause", sa.String(32), nullable=False),
    sa.Column("source_ref", sa.Text, nullable=False),
    sa.Column("status_before", sa.String(16), nullable=False),
    sa.Column("status_after", sa.String(16), nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("fact", Json, nullable=False),
    sa.UniqueConstraint("order_id", "sequence"),
)


def insert_order(tx: Tx, values: Mapping[str, Any]) -> Order | None:
    """The new order, or ``None`` if its number is taken in this environment."""
    new = insert_row(tx, orders, values, returning="id", on_conflict="ON CONFLICT DO NOTHING")
    return None if new is None else order_of({**_EMPTY, **values, "id": new})


_EMPTY: Final = dict.fromkeys(column.name for column in orders.c)
"""A row of which nothing is known."""


def find_order(
    tx: Tx, environment: str, seller_id: str, out_trade_no: str, *, lock: bool = False
) -> Order | None:
    """The order of that number, locked until the transaction ends if ``lock``."""
    given = {"environment": environment, "seller_id": seller_id, "out_trade_no": out_trade_no}
    return _one(tx, _by_number(lock=lock), given)


def find_order_of_merchant(
    tx: Tx, merchant_id: int, out_trade_no: str, *, lock: bool = False
) -> Order | None:
    """The merchant's order of that number; another merchant's is not found."""
    given = {"merchant_id": merchant_id, "out_trade_no": out_trade_no}
    found = _one(tx, _of_merchant(lock=lock), given)
    return found if found is not None and found.merchant_id == merchant_id else None


@cache
def _by_number(*, lock: bool) -> sa.Select[Any]:
    return _reading(
        (orders.c.environment == sa.bindparam("environment"))
        & (orders.c.seller_id == sa.bindparam("seller_id"))
        & (orders.c.out_trade_no == sa.bindparam("out_trade_no")),
        lock=lock,
    )


@cache
def _of_merchant(*, lock: bool) -> sa.Select[Any]:
    # By the seller, whose numbers are the table's own key: with the merchant as a condition as
    # well, a planner may prefer the index of all of the merchant's orders.
    own = sa.select(merchants.c.environment, merchants.c.seller_id).where(
        merchants.c.id == sa.bindparam("merchant_id")
    )
    return _reading(
        (orders.c.environment == own.with_only_columns(merchants.c.environment).scalar_subquery())
        & (orders.c.seller_id == own.with_only_columns(merchants.c.seller_id).scalar_subquery())
        & (orders.c.out_trade_no == sa.bindparam("out_trade_no")),
        lock=lock,
    )


@cache
def _by_id(*, lock: bool) -> sa.Select[Any]:
    return _reading(orders.c.id == sa.bindparam("order_id"), lock=lock)


def _reading(condition: sa.ColumnElement[bool], *, lock: bool) -> sa.Select[Any]:
    """Built once for each way to look: building costs more than asking."""
    query = sa.select(orders).where(condition)
    return locking(query) if lock else query


def lock_free_orders(tx: Tx, merchant: Merchant, numbers: Sequence[str]) -> dict[str, OrderInHand]:
    """The merchant's orders of those numbers that nobody else has locked, now locked here.

    Never waits, so whoever holds other locks cannot be in each other's way.
    """
    own = {"environment": merchant.environment, "seller_id": merchant.seller_id}
    rows = read_rows(tx, _lock_free(tx.dialect), {**own, "numbers": list(numbers)})
    return {
        row["out_trade_no"]: OrderInHand(order_of(row), row["step_count"], row["event_count"])
        for row in rows
        if row["merchant_id"] == merchant.id  # see `find_order_of_merchant`
    }


@cache
def _lock_free(dialect: str) -> sa.Select[Any]:
    return (
        sa.select(orders, latest_sequence(orders.c.id).label("event_count"))
        .where(
            orders.c.environment == sa.bindparam("environment"),
            orders.c.seller_id == sa.bindparam("seller_id"),
            any_of(dialect, orders.c.out_trade_no, "numbers"),
        )
        .with_for_update(of=orders, skip_locked=True, key_share=True)
    )


def save_settlements(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes the same columns of many orders, by their ``id``."""
    update_rows(tx, orders, rows)


def insert_steps(tx: Tx, steps: Sequence[Mapping[str, Any]]) -> None:
    """Writes steps that bear their number already; the caller has locked their orders."""
    insert_rows(tx, order_steps, steps)


def find_order_by_id(tx: Tx, order_id: int, *, lock: bool = False) -> Order | None:
    """The order with that row id."""
    return _one(tx, _by_id(lock=lock), {"order_id": order_id})


def numbers_of(tx: Tx, order_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """The merchant and the number of each of those orders."""
    c = orders.c
    wanted = sa.select(c.id, c.merchant_id, c.out_trade_no).where(c.id.in_(order_ids))
    return {row.id: (row.merchant_id, row.out_trade_no) for row in tx.execute(wanted)}


def _one(tx: Tx, query: sa.Select[Any], given: Mapping[str, Any]) -> Order | None:
    rows = read_rows(tx, query, given)
    return order_of(rows[0]) if rows else None


def locking(query: sa.Select[Any]) -> sa.Select[Any]:
    """``query``, which locks what it finds against every other writer.

    Not against foreign keys: a row that refers to an order is checked by its key, which never
    changes. PostgreSQL checks that of a row that is changed twice in one transaction too, so a sweep
    and a step of its work would wait for each other for ever.
    """
    return query.with_for_update(key_share=True)


def update_order(tx: Tx, order_id: int, **values: Any) -> None:
    """Writes columns of one order."""
    update_rows(tx, orders, [{"id": order_id, **values}])


def insert_step(tx: Tx, step: Mapping[str, Any]) -> int:
    """Writes a step under the next sequence number of its order, which the caller has locked."""
    sequence = tx.execute(_NEXT_SEQUENCE, {"row": step["order_id"]}).scalar_one()
    insert_rows(tx, order_steps, [{"sequence": sequence, **step}])
    return cast("int", sequence)


_NEXT_SEQUENCE: Final = (
    sa.update(orders)
    .where(orders.c.id == sa.bindparam("row"))
    .values(step_count=orders.c.step_count + 1)
    .returning(orders.c.step_count)
)


def list_steps(tx: Tx, order_id: int, *, rows_max: int = 1000) -> list[Step]:
    """An order's steps, oldest first."""
    rows = tx.execute(
        sa.select(order_steps)
        .where(order_steps.c.order_id == order_id)
        .order_by(order_steps.c.sequence)
        .limit(rows_max)
    ).mappings()
    return [
        Step(
            order_id=row["order_id"],
            sequence=row["sequence"],
            at=row["at"],
            cause=row["cause"],
            source_ref=row["source_ref"],
            status_before=OrderStatus(row["status_before"]),
            status_after=OrderStatus(row["status_after"]),
            events=tuple(row["events"]),
            note=row["note"],
            fact=row["fact"],
        )
        for row in rows
    ]


def another_paid_of_cart(tx: Tx, order: Order) -> str | None:
    """The number of another paid order with the same ``cart_ref``, the earliest, if any."""
    if order.cart_ref is None:
        return None
    paid = (OrderStatus.PAID.value, OrderStatus.FINISHED.value)
    return tx.execute(
        sa.select(orders.c.out_trade_no)
        .where(
            orders.c.merchant_id == order.merchant_id,
            orders.c.cart_ref == order.cart_ref,
            orders.c.id != order.id,
            orders.c.status.in_(paid),
        )
        .order_by(orders.c.id)
        .limit(1)
    ).scalar()


def list_unsettled_since(tx: Tx, since: datetime) -> list[int]:
    """The ids of orders that Alipay may know more of: those that are open, and those that were
    paid or changed since then. Oldest first."""
    wanted = sa.select(orders.c.id).where(
        sa.or_(OPEN, orders.c.paid_at >= since, orders.c.updated_at >= since)
    )
    return list(tx.execute(wanted.order_by(orders.c.id)).scalars())


def find_by_trade(tx: Tx, merchant_id: int, trade_no: str) -> Order | None:
    """The order of that trade at Alipay, of the seller that the merchant is, through whichever of its apps."""
    own = sa.select(merchants.c.environment, merchants.c.seller_id).where(
        merchants.c.id == merchant_id
    )
    wanted = sa.select(orders).where(
        orders.c.trade_no == trade_no,
        sa.tuple_(orders.c.environment, orders.c.seller_id).in_(own),
    )
    row = tx.execute(wanted).mappings().first()
    return None if row is None else order_of(row)


def list_numbered(tx: Tx, out_trade_no: str) -> list[Order]:
    """All orders of that number: one for each seller that has used it."""
    sellers = sa.select(merchants.c.environment, merchants.c.seller_id)
    of_sellers = sa.tuple_(orders.c.environment, orders.c.seller_id).in_(sellers)
    wanted = sa.select(orders).where(of_sellers, orders.c.out_trade_no == out_trade_no)
    return [order_of(row) for row in tx.execute(wanted.order_by(orders.c.id)).mappings()]


def claim_silent(
    tx: Tx, now: datetime, lease_until: datetime, rows_max: int
) -> Sequence[tuple[int, int]]:
    """Claims orders whose query is due by moving it to ``lease_until``; ``(id, merchant_id)``.

    If whoever claimed them dies, they are due again then.
    """
    due = (
        sa.select(orders.c.id)
        .where(orders.c.next_query_at <= now)
        .order_by(orders.c.next_query_at)
        .limit(rows_max)
    )
    if tx.dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)
    claimed = tx.execute(
        sa.update(orders)
        .where(orders.c.id.in_(due))
        .values(next_query_at=lease_until)
        .returning(orders.c.id, orders.c.merchant_id)
    )
    return [(row.id, row.merchant_id) for row in claimed]


_EARLIEST_QUERY: Final = earliest_of(orders.c.next_query_at)


def earliest_query(tx: Tx) -> datetime | None:
    """When the next query of any order is due."""
    return tx.execute(_EARLIEST_QUERY).scalar()


def order_of(row: Mapping[Any, Any]) -> Order:
    """A row of ``orders`` as an `Order`."""
    currency = row["currency"]
    closing = row["closing_reason"]
    return Order(
        id=row["id"],
        merchant_id=row["merchant_id"],
        environment=row["environment"],
        app_id=row["app_id"],
        seller_id=row["seller_id"],
        out_trade_no=row["out_trade_no"],
        way=Way(row["way"]),
        amount=Money(row["amount_minor"], currency),
        subject=row["subject"],
        status=OrderStatus(row["status"]),
        refunded=Money(row["refunded_minor"], currency),
        reserved=Money(row["reserved_minor"], currency),
        shared=Money(row["shared_minor"] or 0, currency),
        share_plan=row["share_plan"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        body=row["body"],
        cart_ref=row["cart_ref"],
        operator_id=row["operator_id"],
        terminal_id=row["terminal_id"],
        store_id=row["store_id"],
        return_url=row["return_url"],
        passback=row["passback"],
        pay_options=read_options(row["pay_options"]),
        metadata=row["metadata"],
        trade_no=row["trade_no"],
        late=row["late"],
        attention=row["attention"],
        closing_reason=None if closing is None else ClosingReason(closing),
        closed_reason=row["closed_reason"],
        close_confirmed=row["close_confirmed"],
        absent_count=row["absent_count"],
        unclear_count=row["unclear_count"],
        query_count=row["query_count"],
        next_query_at=row["next_query_at"],
        signed_at=row["signed_at"],
        payment=_payment_of(row["payment"], row["paid_at"], currency),
    )


_AMOUNTS = ("receipt", "buyer_pay", "invoice", "point", "discount")


def payment_columns(payment: Payment | None) -> dict[str, Any]:
    """What is known of a payment, as columns."""
    if payment is None:
        return {"payment": None, "paid_at": None}
    return {"payment": payment_json(payment), "paid_at": payment.paid_at}


def payment_json(payment: Payment) -> dict[str, Any]:
    """``payment`` as the column keeps it: amounts in minor units, nothing that is absent."""
    amounts = {name: getattr(payment, name) for name in _AMOUNTS}
    values: dict[str, Any] = {
        **{name: None if amount is None else amount.minor for name, amount in amounts.items()},
        "fund_bills": [dict(bill) for bill in payment.fund_bills],
        "buyer_id": payment.buyer_id,
        "buyer_open_id": payment.buyer_open_id,
        "buyer_logon_id": payment.buyer_logon_id,
    }
    return {name: value for name, value in values.items() if value not in (None, [])}


def _payment_of(
    kept: Mapping[str, Any] | None, paid_at: datetime | None, currency: str
) -> Payment | None:
    if kept is None and paid_at is None:
        return None
    kept = kept or {}
    amounts = {name: Money(kept[name], currency) for name in _AMOUNTS if name in kept}
    return Payment(
        paid_at=None if paid_at is None else require_aware(paid_at),
        fund_bills=tuple(kept.get("fund_bills", ())),
        buyer_id=kept.get("buyer_id"),
        buyer_open_id=kept.get("buyer_open_id"),
        buyer_logon_id=kept.get("buyer_logon_id"),
        **amounts,
    )
