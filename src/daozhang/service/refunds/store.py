"""Refunds as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.bulk import read_rows
from daozhang.service.db import Json, Moment, RowId, Tx, metadata, one_of
from daozhang.service.due import DueRows, HeldRows
from daozhang.service.orders.store import orders
from daozhang.service.refunds.model import (
    BY_POLICY,
    NO_BALANCE_CODE,
    Destination,
    Refund,
    RefundOrigin,
    RefundSelection,
    RefundStatus,
)

UNDECIDED: Final = sa.text("status IN ('requested', 'unknown')")
"""Refunds whose end is not known: few rows, which have an index of their own."""

HELD: Final = sa.text("held_at IS NOT NULL")
"""Refunds that the merchant's switch for outgoing money keeps from being sent."""

OTHERWISE: Final = sa.text(
    "status = 'failed' OR origin = 'external' OR destination = 'buyer_balance'"
)
"""Refunds that did not go as somebody here asked: few rows, which are looked for by themselves."""

SUCCEEDED: Final = sa.text("status = 'succeeded'")
"""Refunds of money that has gone back."""

AT_BANK: Final = sa.text("bank_due_at IS NOT NULL")
"""Refunds that a bank has not taken yet, as far as anybody has told."""

IN_SHIFT: Final = sa.text("shift_id IS NOT NULL")
"""Refunds that were asked for in a shift at the till."""

refunds = sa.Table(
    "refunds",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("out_request_no", sa.String(64)),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("reason", sa.String(256)),
    sa.Column("operator_id", sa.String(64)),
    sa.Column("terminal_id", sa.String(64)),
    sa.Column("store_id", sa.String(64)),
    sa.Column("shift_id", RowId),
    sa.Column("requested_by", sa.String(64)),
    sa.Column("approved_by", sa.String(96)),
    sa.Column("calling", sa.Boolean, nullable=False, default=False),
    sa.Column("called_at", Moment),
    sa.Column("call_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("held_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("ended_at", Moment),
    sa.Column("destination", sa.String(24)),
    sa.Column("bank_due_at", Moment),
    sa.Column("bank_ask_count", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("royalty_parameters", Json),
    sa.Column("settle_confirm_no", sa.String(64)),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("billed_on", sa.Date),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("order_id", "out_request_no"),
    sa.Index("ix_refunds_due_at", "due_at"),
    sa.Index("ix_refunds_requested_by_created_at", "requested_by", "created_at"),
    sa.Index(
        "ix_refunds_undecided",
        "status",
        "created_at",
        postgresql_where=UNDECIDED,
        sqlite_where=UNDECIDED,
    ),
    sa.Index("ix_refunds_shift", "shift_id", postgresql_where=IN_SHIFT, sqlite_where=IN_SHIFT),
    sa.Index("ix_refunds_bank_due", "bank_due_at", postgresql_where=AT_BANK, sqlite_where=AT_BANK),
    sa.Index("ix_refunds_merchant_id", "merchant_id", "id"),
    sa.Index(
        "ix_refunds_otherwise",
        "merchant_id",
        "id",
        postgresql_where=OTHERWISE,
        sqlite_where=OTHERWISE,
    ),
    # For whoever sums up what went back: the index holds all of it.
    sa.Index(
        "ix_refunds_succeeded",
        "merchant_id",
        "ended_at",
        "order_id",
        "amount_minor",
        postgresql_where=SUCCEEDED,
        sqlite_where=SUCCEEDED,
    ),
    sa.Index("ix_refunds_held", "merchant_id", postgresql_where=HELD, sqlite_where=HELD),
    one_of("status", RefundStatus),
    one_of("origin", RefundOrigin),
    sa.CheckConstraint("amount_minor >= 0", name="amount"),
)


_ALONE: Final = sa.and_(
    refunds.c.origin == RefundOrigin.OURS.value,
    refunds.c.approved_by.is_(None),
    refunds.c.requested_by != BY_POLICY,
)
"""Refunds on the word of one person or one key."""


def insert_refund(tx: Tx, values: Mapping[str, Any]) -> int:
    """Adds a refund; its row id."""
    result = tx.execute(sa.insert(refunds).values(**values).returning(refunds.c.id))
    return cast("int", result.scalar_one())


def update_refund(tx: Tx, refund_id: int, **values: Any) -> None:
    """Writes the given columns of one refund."""
    tx.execute(sa.update(refunds).where(refunds.c.id == refund_id).values(**values))


def delete_refund(tx: Tx, refund_id: int) -> None:
    """Takes back an unnamed refund that turned out to be one of the named ones."""
    tx.execute(sa.delete(refunds).where(refunds.c.id == refund_id))


def find_refund(tx: Tx, order_id: int, out_request_no: str) -> Refund | None:
    """The order's refund of that number."""
    found = tx.execute(
        sa.select(refunds).where(
            refunds.c.order_id == order_id, refunds.c.out_request_no == out_request_no
        )
    )
    row = found.mappings().first()
    return None if row is None else refund_of(row)


def find_refund_by_id(tx: Tx, refund_id: int) -> Refund | None:
    """The refund with that row id."""
    row = tx.execute(sa.select(refunds).where(refunds.c.id == refund_id)).mappings().first()
    return None if row is None else refund_of(row)


def list_refunds(tx: Tx, order_id: int) -> list[Refund]:
    """All refunds of an order, oldest first. Under the order's lock nobody else moves them."""
    return [refund_of(row) for row in read_rows(tx, _OF_ORDER, {"order_id": order_id})]


_OF_ORDER: Final = (
    sa.select(refunds).where(refunds.c.order_id == sa.bindparam("order_id")).order_by(refunds.c.id)
)


_WAITS_FOR_BALANCE: Final = refunds.c.last_code == NO_BALANCE_CODE

# As text: only so both databases see that an index which holds few rows will do.
_SELECTED: Final[Mapping[RefundSelection, tuple[sa.ColumnElement[bool] | sa.TextClause, ...]]] = {
    RefundSelection.REQUESTED: (sa.text("status = 'requested'"),),
    RefundSelection.UNKNOWN: (sa.text("status = 'unknown'"),),
    RefundSelection.BALANCE: (sa.text("status = 'requested'"), _WAITS_FOR_BALANCE),
    RefundSelection.HELD: (HELD,),
    RefundSelection.SUCCEEDED: (refunds.c.status == RefundStatus.SUCCEEDED.value,),
    RefundSelection.FAILED: (sa.text("status = 'failed'"),),
    RefundSelection.EXTERNAL: (sa.text("origin = 'external'"),),
    RefundSelection.BOUNCED: (sa.text("destination = 'buyer_balance'"),),
}


def list_refunds_of_merchant(
    tx: Tx,
    merchant_id: int,
    *,
    selection: RefundSelection | None = None,
    before_id: int | None = None,
    rows_max: int = 50,
) -> list[tuple[Refund, str]]:
    """The merchant's refunds, newest first, each with the number of its order."""
    wanted = sa.select(refunds).where(refunds.c.merchant_id == merchant_id)
    if selection is not None:
        wanted = wanted.where(*_SELECTED[selection])
    if before_id is not None:
        wanted = wanted.where(refunds.c.id < before_id)
    listed = [
        refund_of(row)
        for row in tx.execute(wanted.order_by(refunds.c.id.desc()).limit(rows_max)).mappings()
    ]
    named = sa.select(orders.c.id, orders.c.out_trade_no).where(
        orders.c.id.in_({refund.order_id for refund in listed})
    )
    numbers = {row.id: row.out_trade_no for row in tx.execute(named)}
    return [(refund, numbers[refund.order_id]) for refund in listed]


def lock_requester(tx: Tx, requested_by: str) -> None:
    """Makes others wait who would add to what that requester has asked for, until ``tx`` ends."""
    if tx.dialect == "postgresql":  # SQLite has one writer, who holds everything
        key = sa.func.hashtextextended(f"refunds:{requested_by}", 0)
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def unapproved_of_order(tx: Tx, order_id: int, currency: str) -> Money:
    """What people and keys have asked to refund of an order without a second person."""
    return _sum(tx, currency, _ALONE, refunds.c.order_id == order_id)


def unapproved_since(tx: Tx, requested_by: str, since: datetime, currency: str) -> Money:
    """What that requester has asked to refund since then without a second person."""
    c = refunds.c
    return _sum(tx, currency, _ALONE, c.requested_by == requested_by, c.created_at >= since)


def unapproved_of_shift(tx: Tx, shift_id: int, currency: str) -> Money:
    """What was asked to be refunded in a shift without a second person."""
    return _sum(tx, currency, _ALONE, refunds.c.shift_id == shift_id)


def requested_since(tx: Tx, requested_by: str, since: datetime, currency: str) -> Money:
    """What that requester has asked to refund since then, without what has failed."""
    c = refunds.c
    return _sum(tx, currency, c.requested_by == requested_by, c.created_at >= since)


def _sum(tx: Tx, currency: str, *conditions: sa.ColumnElement[bool]) -> Money:
    """What such refunds come to, without what has failed."""
    total = sa.select(sa.func.coalesce(sa.func.sum(refunds.c.amount_minor), 0)).where(
        refunds.c.currency == currency,
        refunds.c.status != RefundStatus.FAILED.value,
        *conditions,
    )
    return Money(int(tx.execute(total).scalar_one()), currency)


def doubt_all(tx: Tx, now: datetime, due_at: datetime) -> int:
    """Every refund of ours that is not final becomes one that may have been sent until ``now``.

    Nothing of it is sent before a question, due at ``due_at``, has found that it never arrived.
    """
    doubted = tx.execute(
        sa.update(refunds)
        .where(UNDECIDED, refunds.c.origin == RefundOrigin.OURS.value)
        .values(
            status=RefundStatus.UNKNOWN.value,
            calling=False,
            called_at=now,
            due_at=due_at,
            updated_at=now,
        )
    )
    return doubted.rowcount


def list_unsettled_since(tx: Tx, since: datetime) -> list[Refund]:
    """Refunds whose end is not known, and those that were asked for or ended since then."""
    rows = tx.execute(
        sa.select(refunds)
        .where(sa.or_(UNDECIDED, refunds.c.created_at >= since, refunds.c.ended_at >= since))
        .order_by(refunds.c.id)
    ).mappings()
    return [refund_of(row) for row in rows]


DUE_ROWS: Final = HeldRows(refunds)

AT_BANK_ROWS: Final = DueRows(refunds, "bank_due_at", "bank_ask_count")
"""Refunds whose bank is to be asked after."""


def refund_of(row: Mapping[Any, Any]) -> Refund:
    """A row of ``refunds`` as a `Refund`."""
    plain = {
        name: row[name]
        for name in Refund.__dataclass_fields__
        if name not in ("origin", "status", "amount", "destination", "royalty_parameters")
    }
    destination = row["destination"]
    return Refund(
        origin=RefundOrigin(row["origin"]),
        status=RefundStatus(row["status"]),
        amount=Money(row["amount_minor"], row["currency"]),
        destination=None if destination is None else Destination(destination),
        royalty_parameters=tuple(row["royalty_parameters"] or ()),
        **plain,
    )
