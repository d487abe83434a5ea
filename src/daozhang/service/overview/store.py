"""The sums of the overview as rows, and what they are made of. Never commits.

What is summed is written once and never changed: an order's creation, and the event that says that it
has been paid. So each row is counted once, by its number, and what is not counted yet is added where
the sums are read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from daozhang.money import Money
from daozhang.service.db import RowId, Tx, metadata
from daozhang.service.orders.store import orders
from daozhang.service.outbox.store import events
from daozhang.service.overview.model import Arrival, Kind, Slice, Sums
from daozhang.service.overview.rules import PROMPT_SECONDS
from daozhang.service.progress import Rows, last_id, list_positions
from daozhang.service.refunds.store import SUCCEEDED, refunds

TAIL_ROWS_MAX: Final = 100_000
"""How many rows beyond a position are summed where sums are read. With more the sums are not whole, as
while large books are counted for the first time, and whoever reads is told."""

ARRIVALS_LOOKED_AT: Final = 300
"""Among how many of a merchant's latest events those are looked for that say that money moved."""

NUMBERS_LOOKED_AT: Final = 3000
"""The same for several merchants together, by the numbers of all events."""

hours: Final = sa.Table(
    "overview_hours",
    metadata,
    sa.Column("merchant_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("way", sa.String(16), primary_key=True),
    sa.Column("created_count", sa.BigInteger, nullable=False),
    sa.Column("paid_count", sa.BigInteger, nullable=False),
    sa.Column("received_count", sa.BigInteger, nullable=False),
    sa.Column("received_minor", sa.BigInteger, nullable=False),
)
"""By the hour in which an order was created or a payment was made; `rules.hour_number`."""

delays: Final = sa.Table(
    "overview_delays",
    metadata,
    sa.Column("merchant_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seconds", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.BigInteger, nullable=False),
)
"""How many payments of a day were booked how many seconds after they were made. Alipay tells of whole
seconds, so a median of these is as exact as one of the payments."""

CREATED: Final = Rows("overview_orders", orders.c.id)
PAID: Final = Rows("overview_payments", events.c.number)
SOURCES: Final = (CREATED, PAID)

HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 24 * HOUR_SECONDS
BEIJING_AHEAD_SECONDS: Final = 8 * HOUR_SECONDS

_PAID_TYPES: Final = ("order.paid", "order.paid_late")
_REFUNDED_TYPE: Final = "order.refunded"

_SUMMED: Final = ("created_count", "paid_count", "received_count", "received_minor")


@dataclass(frozen=True, slots=True)
class Counted:
    """Up to which row of each source the sums go, and whether all that is beyond can be summed now."""

    created: int
    paid: int
    is_whole: bool


def read_counted(tx: Tx) -> Counted:
    """How far the sums go."""
    positions = list_positions(tx)

    def after(source: Rows) -> tuple[int, bool]:
        position = positions.get(source.name)
        counted = 0 if position is None else position.position
        least = last_id(tx, source) - TAIL_ROWS_MAX
        return max(counted, least), counted >= least

    (created, created_whole), (paid, paid_whole) = after(CREATED), after(PAID)
    return Counted(created, paid, created_whole and paid_whole)


def add_created(tx: Tx, after: int, upto: int) -> None:
    """Adds the orders with ``after < id <= upto``."""
    _add(tx, hours, [_row_of(one) for one in _created(tx, CREATED.id > after, CREATED.id <= upto)])


def add_paid(tx: Tx, after: int, upto: int) -> None:
    """Adds what the events with ``after < number <= upto`` say was paid."""
    payments = _payments(tx, PAID.id > after, PAID.id <= upto)
    _add(tx, hours, [_row_of(one) for one in _paid(tx, payments)])
    _add(tx, delays, [dict(row) for row in tx.execute(_delays_of(payments)).mappings()])


def read_sums(tx: Tx, merchant_ids: Collection[int], by: str, *, since: int) -> list[Slice]:
    """What is summed up since that hour, by ``hour``, ``way`` or ``merchant_id``."""
    key = hours.c[by]
    rows = tx.execute(
        sa.select(key, *[sa.func.sum(hours.c[name]) for name in _SUMMED])
        .where(hours.c.merchant_id.in_(merchant_ids), hours.c.hour >= since)
        .group_by(key)
    )
    empty: dict[str, Any] = {"merchant_id": 0, "hour": 0, "way": ""}
    return [
        Slice(**{**empty, by: found}, sums=Sums(*map(int, counted))) for found, *counted in rows
    ]


def read_tail(tx: Tx, merchant_ids: Collection[int], counted: Counted) -> list[Slice]:
    """What is not summed up yet, by merchant, hour and way."""
    # A sum: what is new is found by its number, not by its merchant.
    created = _created(
        tx, CREATED.id > counted.created, (orders.c.merchant_id + 0).in_(merchant_ids)
    )
    payments = _payments(tx, PAID.id > counted.paid, events.c.merchant_id.in_(merchant_ids))
    return [*created, *_paid(tx, payments)]


def read_delays(
    tx: Tx, merchant_ids: Collection[int], days: Collection[int], counted: Counted
) -> dict[int, dict[int, int]]:
    """By day: how many payments were booked after how many seconds, all of them."""
    kept = sa.select(delays.c.day, delays.c.seconds, delays.c.count).where(
        delays.c.merchant_id.in_(merchant_ids), delays.c.day.in_(sorted(days))
    )
    tail = _payments(tx, PAID.id > counted.paid, events.c.merchant_id.in_(merchant_ids))
    found: dict[int, dict[int, int]] = {day: {} for day in days}
    for statement in (kept, _delays_of(tail)):
        for row in tx.execute(statement).mappings():
            counts = found.get(row["day"], {})
            counts[row["seconds"]] = counts.get(row["seconds"], 0) + row["count"]
    return found


def read_refunded(tx: Tx, merchant_ids: Collection[int], since: datetime) -> list[Slice]:
    """What went back since then, by merchant and hour: from an index that holds all of it."""
    hour = (_seconds(tx, refunds.c.ended_at) // HOUR_SECONDS).label("hour")
    rows = tx.execute(
        sa.select(
            refunds.c.merchant_id,
            hour,
            sa.func.count().label("refunded_count"),
            sa.func.sum(refunds.c.amount_minor).label("refunded_minor"),
        )
        .where(SUCCEEDED, refunds.c.merchant_id.in_(merchant_ids), refunds.c.ended_at >= since)
        .group_by(refunds.c.merchant_id, hour)
    ).mappings()
    return [_slice(row) for row in rows]


def refunded_between(
    merchant_id: int, since: datetime | None, before: datetime | None
) -> sa.Select[Any]:
    """A query of the rows of the merchant's orders of which something went back in that time."""
    found = sa.select(refunds.c.order_id).where(SUCCEEDED, refunds.c.merchant_id == merchant_id)
    if since is not None:
        found = found.where(refunds.c.ended_at >= since)
    return found if before is None else found.where(refunds.c.ended_at < before)


def list_arrivals(tx: Tx, merchant_ids: Sequence[int], rows_max: int) -> list[Arrival]:
    """What came or went last, the latest first."""
    latest = sa.select(events).order_by(events.c.number.desc()).limit(ARRIVALS_LOOKED_AT)
    if len(merchant_ids) == 1:
        latest = latest.where(events.c.merchant_id == merchant_ids[0])
    else:
        last = sa.select(sa.func.coalesce(sa.func.max(events.c.number), 0)).scalar_subquery()
        latest = latest.where(
            events.c.merchant_id.in_(merchant_ids), events.c.number > last - NUMBERS_LOOKED_AT
        )
    each = latest.subquery()
    rows = tx.execute(
        sa.select(
            each.c.id,
            each.c.type,
            each.c.data,
            each.c.created_at,
            orders.c.merchant_id,
            orders.c.out_trade_no,
            orders.c.subject,
            orders.c.way,
            orders.c.paid_at,
        )
        .join(orders, orders.c.id == each.c.order_id)
        .where(each.c.type.in_([kind.value for kind in Kind]))
        .order_by(each.c.number.desc())
        .limit(rows_max)
    ).mappings()
    return [_arrival(row) for row in rows]


def _arrival(row: Mapping[Any, Any]) -> Arrival:
    kind = Kind(row["type"])
    said = row["data"]["refund" if kind is Kind.REFUNDED else "order"]
    paid_at = row["paid_at"]
    delay = None if paid_at is None else row["created_at"] - paid_at
    return Arrival(
        event_id=row["id"],
        kind=kind,
        merchant_id=row["merchant_id"],
        out_trade_no=row["out_trade_no"],
        subject=row["subject"],
        way=row["way"],
        amount=Money.parse(said["amount"], said["currency"]),
        at=row["created_at"],
        is_prompt=kind is Kind.PAID
        and delay is not None
        and delay <= timedelta(seconds=PROMPT_SECONDS),
    )


def _created(tx: Tx, *span: sa.ColumnElement[bool]) -> list[Slice]:
    """Orders by merchant, hour of their creation and way."""
    hour = (_seconds(tx, orders.c.created_at) // HOUR_SECONDS).label("hour")
    # A sum: else SQLite walks through all orders, which an index has in this order already.
    merchant = (orders.c.merchant_id + 0).label("merchant_id")
    keys = (merchant, hour, orders.c.way)
    counted = sa.select(*keys, sa.func.count().label("created_count")).where(*span)
    return [_slice(row) for row in tx.execute(counted.group_by(*keys)).mappings()]


def _paid(tx: Tx, payments: sa.Subquery) -> list[Slice]:
    """Payments by merchant, hour and way; and those of orders by the hour of their creation."""
    paid_hour = (payments.c.paid // HOUR_SECONDS).label("hour")
    created_hour = (payments.c.created // HOUR_SECONDS).label("hour")
    sums = (
        (
            paid_hour,
            sa.func.count().label("received_count"),
            sa.func.sum(payments.c.amount_minor).label("received_minor"),
        ),
        (created_hour, sa.func.count().label("paid_count")),
    )
    found: list[Slice] = []
    for hour, *counts in sums:
        keys = (payments.c.merchant_id, hour, payments.c.way)
        rows = tx.execute(sa.select(*keys, *counts).group_by(*keys)).mappings()
        found += [_slice(row) for row in rows]
    return found


def _payments(tx: Tx, *span: sa.ColumnElement[bool]) -> sa.Subquery:
    """The first event of each order that says that it is paid; one that was refunded before anybody
    here had heard of it says so by that. Times are seconds; a payment's is Alipay's, if it is known."""
    earlier = events.alias("earlier")
    said_before = sa.exists().where(
        earlier.c.order_id == events.c.order_id,
        earlier.c.sequence < events.c.sequence,
        earlier.c.type.in_(_PAID_TYPES),
    )
    is_first = events.c.type.in_(_PAID_TYPES) | ((events.c.type == _REFUNDED_TYPE) & ~said_before)
    booked = _seconds(tx, events.c.created_at)
    paid = sa.func.coalesce(_seconds_of_text(tx, events.c.data["order"]["paid_at"]), booked)
    return (
        sa.select(
            events.c.merchant_id,
            orders.c.way,
            orders.c.amount_minor,
            _seconds(tx, orders.c.created_at).label("created"),
            paid.label("paid"),
            booked.label("booked"),
        )
        .join(orders, orders.c.id == events.c.order_id)
        .where(*span, is_first)
        .subquery()
    )


def _delays_of(payments: sa.Subquery) -> sa.Select[Any, Any, Any, int]:
    day = ((payments.c.paid + BEIJING_AHEAD_SECONDS) // DAY_SECONDS).label("day")
    late = payments.c.booked - payments.c.paid
    seconds = sa.case((late > 0, late), else_=0).label("seconds")
    keys = (payments.c.merchant_id, day, seconds)
    return sa.select(*keys, sa.func.count().label("count")).group_by(*keys)


def _seconds(tx: Tx, moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[int]:
    """A moment as whole seconds since 1970."""
    if tx.dialect == "postgresql":
        return sa.cast(sa.func.floor(sa.extract("epoch", moment)), sa.BigInteger)
    return sa.type_coerce(moment, sa.BigInteger) // 1_000_000


def _seconds_of_text(tx: Tx, text: Any) -> sa.ColumnElement[int]:
    """A time in the body of an event as whole seconds since 1970."""
    if tx.dialect == "postgresql":
        return _seconds(tx, sa.cast(text.as_string(), sa.DateTime(timezone=True)))
    return sa.cast(sa.func.strftime("%s", text.as_string()), sa.BigInteger)


def _slice(row: Mapping[Any, Any]) -> Slice:
    counted = {name: int(row[name]) for name in Sums.__dataclass_fields__ if name in row}
    return Slice(
        row.get("merchant_id", 0), int(row.get("hour", 0)), row.get("way", ""), Sums(**counted)
    )


def _row_of(one: Slice) -> dict[str, Any]:
    key = {"merchant_id": one.merchant_id, "hour": one.hour, "way": one.way}
    return {**key, **{name: getattr(one.sums, name) for name in _SUMMED}}


def _add(tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds to what is there; whoever adds holds the position of the source."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    statement = insert(table)
    added = {
        column.name: column + statement.excluded[column.name]
        for column in table.c
        if column.name not in keys
    }
    # In one order, so that two that add wait for one another, not each for the other.
    in_order = sorted(rows, key=lambda row: tuple(row[name] for name in keys))
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), in_order)
