"""Pay links as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.bulk import insert_row
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata
from daozhang.service.orders.model import OPEN_STATUSES, Order, OrderStatus
from daozhang.service.orders.store import order_of, orders
from daozhang.service.paylinks.model import Brought, PayLink

RECEIVED: Final = (
    OrderStatus.PAID.value,
    OrderStatus.FINISHED.value,
    OrderStatus.REFUNDED.value,
)

paylinks = sa.Table(
    "paylinks",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("token", sa.String(43), nullable=False, unique=True),
    sa.Column("form_key", sa.String(43), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("least_minor", sa.BigInteger),
    sa.Column("most_minor", sa.BigInteger),
    sa.Column("once", sa.Boolean, nullable=False),
    sa.Column("subject", sa.String(256), nullable=False),
    sa.Column("note", sa.String(200)),
    sa.Column("created_by", RowId, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("created_name", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("store_id", sa.String(64)),
    sa.Column("terminal_id", sa.String(64)),
    sa.Column("expires_at", Moment),
    sa.Column("closed_at", Moment),
    sa.UniqueConstraint("merchant_id", "form_key"),
    sa.Index("ix_paylinks_merchant_id_id", "merchant_id", "id"),
)

# Beside the orders, not in them: the orders' table is on the hot path.
paylink_orders = sa.Table(
    "paylink_orders",
    metadata,
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), primary_key=True, autoincrement=False),
    sa.Column("paylink_id", RowId, sa.ForeignKey("paylinks.id"), nullable=False),
    sa.Column("form_key", sa.String(43), nullable=False),
    sa.UniqueConstraint("paylink_id", "form_key"),
)


def insert_link(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Adds a link; ``False`` if that form has made one."""
    return bool(insert_ignoring(tx, paylinks, [values], paylinks.c.id))


def find_link_of_form(tx: Tx, merchant_id: int, form_key: str) -> PayLink | None:
    """The link that a form has made."""
    c = paylinks.c
    return _one(tx, c.merchant_id == merchant_id, c.form_key == form_key)


def find_link(tx: Tx, merchant_id: int, public_id: str) -> PayLink | None:
    """The merchant's link of that id."""
    c = paylinks.c
    return _one(tx, c.merchant_id == merchant_id, c.public_id == public_id)


def find_link_by_token(tx: Tx, token: str, *, lock: bool = False) -> PayLink | None:
    """The link behind an address; with ``lock`` nobody else makes an order by it meanwhile."""
    return _one(tx, paylinks.c.token == token, lock=lock)


def list_links(tx: Tx, merchant_id: int, *, before_id: int | None, rows_max: int) -> list[PayLink]:
    """The merchant's links, newest first."""
    wanted = sa.select(paylinks).where(paylinks.c.merchant_id == merchant_id)
    if before_id is not None:
        wanted = wanted.where(paylinks.c.id < before_id)
    rows = tx.execute(wanted.order_by(paylinks.c.id.desc()).limit(rows_max)).mappings()
    return [link_of(row) for row in rows]


def close_link(tx: Tx, link_id: int, now: datetime) -> bool:
    """Notes that nobody shall pay there any more; ``False`` if that was noted before."""
    open_one = paylinks.c.closed_at.is_(None)
    closed = sa.update(paylinks).where(paylinks.c.id == link_id, open_one).values(closed_at=now)
    return tx.execute(closed).rowcount == 1


def add_order(tx: Tx, link_id: int, order_id: int, form_key: str) -> None:
    """Notes that an order was made by a link, and by which sending of its form."""
    insert_row(
        tx,
        paylink_orders,
        {"order_id": order_id, "paylink_id": link_id, "form_key": form_key},
        returning="order_id",
    )


def order_of_form(tx: Tx, link_id: int, form_key: str) -> Order | None:
    """The order that one sending of the form has made."""
    of_form = paylink_orders.c.form_key == form_key
    found = _orders(tx, of_form, paylink_orders.c.paylink_id == link_id, rows_max=1)
    return found[0] if found else None


def orders_of_link(tx: Tx, link_id: int, rows_max: int) -> list[Order]:
    """The orders that a link has made, newest first."""
    return _orders(tx, paylink_orders.c.paylink_id == link_id, rows_max=rows_max)


def _orders(tx: Tx, *conditions: sa.ColumnElement[bool], rows_max: int) -> list[Order]:
    wanted = (
        sa.select(orders)
        .join(paylink_orders, paylink_orders.c.order_id == orders.c.id)
        .where(*conditions)
        .order_by(orders.c.id.desc())
        .limit(rows_max)
    )
    return [order_of(row) for row in tx.execute(wanted).mappings()]


def count_open(tx: Tx, link_id: int) -> int:
    """How many orders of a link are not decided."""
    statuses = [status.value for status in OPEN_STATUSES]
    wanted = (
        sa.select(sa.func.count())
        .select_from(paylink_orders.join(orders, orders.c.id == paylink_orders.c.order_id))
        .where(paylink_orders.c.paylink_id == link_id, orders.c.status.in_(statuses))
    )
    return int(tx.execute(wanted).scalar_one())


def brought_by(tx: Tx, links: Collection[PayLink]) -> dict[int, Brought]:
    """What each of these links brought in, by its row id."""
    c = orders.c
    wanted = (
        sa.select(
            paylink_orders.c.paylink_id,
            c.currency,
            sa.func.count().label("payments"),
            sa.func.sum(c.amount_minor).label("received"),
            sa.func.sum(c.refunded_minor).label("refunded"),
        )
        .select_from(paylink_orders.join(orders, c.id == paylink_orders.c.order_id))
        .where(paylink_orders.c.paylink_id.in_([link.id for link in links]), c.status.in_(RECEIVED))
        .group_by(paylink_orders.c.paylink_id, c.currency)
    )
    nothing = Money(0, "CNY")
    found = {link.id: Brought(0, nothing, nothing) for link in links}
    for row in tx.execute(wanted):
        found[row.paylink_id] = Brought(
            payments=row.payments,
            received=Money(int(row.received), row.currency),
            refunded=Money(int(row.refunded), row.currency),
        )
    return found


def _one(tx: Tx, *conditions: sa.ColumnElement[bool], lock: bool = False) -> PayLink | None:
    wanted = sa.select(paylinks).where(*conditions)
    if lock:
        wanted = wanted.with_for_update(key_share=True)
    row = tx.execute(wanted).mappings().first()
    return None if row is None else link_of(row)


def link_of(row: Mapping[Any, Any]) -> PayLink:
    """A row of ``paylinks`` as a `PayLink`."""

    def money(name: str) -> Money | None:
        return None if row[name] is None else Money(row[name], row["currency"])

    amounts = ("amount", "least", "most")
    plain = {name: row[name] for name in PayLink.__dataclass_fields__ if name not in amounts}
    return PayLink(**{name: money(f"{name}_minor") for name in amounts}, **plain)
