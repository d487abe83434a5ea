"""Rounds, shares and returns as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.due import DueRows, HeldRows
from daozhang.service.merchants.store import merchants
from daozhang.service.sharing.model import (
    BY_PLAN,
    Mode,
    ReceiverType,
    Return,
    ReturnOrder,
    ReturnStatus,
    Round,
    RoundStatus,
    Share,
    ShareStatus,
)

HELD: Final = sa.text("held_at IS NOT NULL")
"""Rounds that the merchant's switch for outgoing money keeps from being sent."""

IS_DUE: Final = sa.text("due_at IS NOT NULL")

RETURNS_DUE: Final = sa.text("returns_due_at IS NOT NULL")
"""Rounds of which it is to be asked what came back with refunds that were made meanwhile."""

share_rounds = sa.Table(
    "share_rounds",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("out_request_no", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("mode", sa.String(8), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("finishes", sa.Boolean, nullable=False),
    sa.Column("returns", sa.String(16), nullable=False),
    sa.Column("plan", sa.String(64)),
    sa.Column("description", sa.String(256)),
    sa.Column("settle_no", sa.String(64)),
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
    sa.Column("returns_due_at", Moment),
    sa.Column("returns_ask_count", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    # Alipay's own: one number is one request of a seller, whatever the trade (apis.md §18.3).
    sa.UniqueConstraint("environment", "seller_id", "out_request_no"),
    sa.Index("ix_share_rounds_order_id", "order_id"),
    sa.Index("ix_share_rounds_requested_by_created_at", "requested_by", "created_at"),
    sa.Index("ix_share_rounds_due", "due_at", postgresql_where=IS_DUE, sqlite_where=IS_DUE),
    sa.Index("ix_share_rounds_held", "merchant_id", postgresql_where=HELD, sqlite_where=HELD),
    sa.Index(
        "ix_share_rounds_returns_due",
        "returns_due_at",
        postgresql_where=RETURNS_DUE,
        sqlite_where=RETURNS_DUE,
    ),
    one_of("status", RoundStatus),
    one_of("mode", Mode),
    one_of("returns", ReturnOrder),
)

shares = sa.Table(
    "shares",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("round_id", RowId, sa.ForeignKey("share_rounds.id"), nullable=False),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("receiver_type", sa.String(16), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("returned_minor", sa.BigInteger, nullable=False, default=0),
    sa.Column("returning_minor", sa.BigInteger, nullable=False, default=0),
    sa.Column("covered_minor", sa.BigInteger, nullable=False, default=0),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("detail_id", sa.String(64)),
    sa.Column("ended_at", Moment),
    sa.UniqueConstraint("round_id", "position"),
    sa.Index("ix_shares_order_id", "order_id"),
    one_of("status", ShareStatus),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.CheckConstraint("returned_minor BETWEEN 0 AND amount_minor", name="returned"),
    sa.CheckConstraint("returning_minor BETWEEN 0 AND amount_minor", name="returning"),
    sa.CheckConstraint("covered_minor BETWEEN 0 AND amount_minor", name="covered"),
)

share_returns = sa.Table(
    "share_returns",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("share_id", RowId, sa.ForeignKey("shares.id"), nullable=False),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("out_request_no", sa.String(64), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.UniqueConstraint("order_id", "out_request_no", "share_id"),
    one_of("status", ReturnStatus),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
)
"""What of a share comes back with which refund of its order."""


# ---- rounds and shares


def insert_round(
    tx: Tx, values: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]
) -> int | None:
    """Adds a round with its shares; its row id, or ``None`` if the seller's number is taken."""
    added = insert_ignoring(tx, share_rounds, [values], share_rounds.c.id)
    round_id = cast("int", added[0]) if added else None
    if round_id is not None and parts:
        tx.execute(sa.insert(shares), [{**part, "round_id": round_id} for part in parts])
    return round_id


def update_round(tx: Tx, round_id: int, **values: Any) -> None:
    """Writes the given columns of one round."""
    tx.execute(sa.update(share_rounds).where(share_rounds.c.id == round_id).values(**values))


def update_share(tx: Tx, share_id: int, **values: Any) -> None:
    """Writes the given columns of one share."""
    tx.execute(sa.update(shares).where(shares.c.id == share_id).values(**values))


def find_round(tx: Tx, environment: str, seller_id: str, out_request_no: str) -> Round | None:
    """The seller's round of that number."""
    c = share_rounds.c
    return _round(
        tx,
        c.environment == environment,
        c.seller_id == seller_id,
        c.out_request_no == out_request_no,
    )


def find_round_of_merchant(tx: Tx, merchant_id: int, out_request_no: str) -> Round | None:
    """The round of that number of the seller that the merchant is, through whichever of its apps."""
    own = sa.select(merchants.c.environment, merchants.c.seller_id).where(
        merchants.c.id == merchant_id
    )
    c = share_rounds.c
    return _round(
        tx,
        c.environment == own.with_only_columns(merchants.c.environment).scalar_subquery(),
        c.seller_id == own.with_only_columns(merchants.c.seller_id).scalar_subquery(),
        c.out_request_no == out_request_no,
    )


def find_round_by_id(tx: Tx, round_id: int) -> Round | None:
    """The round with that row id."""
    return _round(tx, share_rounds.c.id == round_id)


def _round(tx: Tx, *conditions: sa.ColumnElement[bool]) -> Round | None:
    row = tx.execute(sa.select(share_rounds).where(*conditions)).mappings().first()
    return None if row is None else round_of(row)


def list_rounds(tx: Tx, order_id: int) -> list[Round]:
    """All rounds of an order, oldest first. Under the order's lock nobody else moves them."""
    wanted = sa.select(share_rounds).where(share_rounds.c.order_id == order_id)
    return [round_of(row) for row in tx.execute(wanted.order_by(share_rounds.c.id)).mappings()]


def list_shares(tx: Tx, order_id: int) -> list[Share]:
    """All shares of an order, in the order in which they were asked for."""
    wanted = sa.select(shares).where(shares.c.order_id == order_id)
    return [share_of(row) for row in tx.execute(wanted.order_by(shares.c.id)).mappings()]


def list_shares_of_round(tx: Tx, round_id: int) -> list[Share]:
    """The shares of one round, in their order."""
    wanted = sa.select(shares).where(shares.c.round_id == round_id)
    return [share_of(row) for row in tx.execute(wanted.order_by(shares.c.position)).mappings()]


def round_of(row: Mapping[Any, Any]) -> Round:
    """A row of ``share_rounds`` as a `Round`."""
    typed = ("status", "mode", "amount", "returns")
    return Round(
        status=RoundStatus(row["status"]),
        mode=Mode(row["mode"]),
        amount=Money(row["amount_minor"], row["currency"]),
        returns=ReturnOrder(row["returns"]),
        **{name: row[name] for name in Round.__dataclass_fields__ if name not in typed},
    )


_SUMS: Final = ("amount", "returned", "returning", "covered")


def share_of(row: Mapping[Any, Any]) -> Share:
    """A row of ``shares`` as a `Share`."""
    typed = ("receiver_type", "status", *_SUMS)
    return Share(
        receiver_type=ReceiverType(row["receiver_type"]),
        status=ShareStatus(row["status"]),
        **{name: Money(row[f"{name}_minor"], row["currency"]) for name in _SUMS},
        **{name: row[name] for name in Share.__dataclass_fields__ if name not in typed},
    )


# ---- what was asked for on one person's word


def lock_requester(tx: Tx, requested_by: str) -> None:
    """Makes others wait who would add to what that requester has asked for, until ``tx`` ends."""
    if tx.dialect == "postgresql":  # SQLite has one writer, who holds everything
        key = sa.func.hashtextextended(f"shares:{requested_by}", 0)
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


_ALONE: Final = sa.and_(
    share_rounds.c.approved_by.is_(None), share_rounds.c.requested_by != BY_PLAN
)
"""Rounds on the word of one person or one key."""


def unapproved_of_order(tx: Tx, order_id: int, currency: str) -> Money:
    """What people and keys have asked to pass on of an order without a second person."""
    return _sum(tx, currency, share_rounds.c.order_id == order_id)


def unapproved_since(tx: Tx, requested_by: str, since: datetime, currency: str) -> Money:
    """What that requester has asked to pass on since then without a second person."""
    c = share_rounds.c
    return _sum(tx, currency, c.requested_by == requested_by, c.created_at >= since)


def _sum(tx: Tx, currency: str, *conditions: sa.ColumnElement[bool]) -> Money:
    c = share_rounds.c
    total = sa.select(sa.func.coalesce(sa.func.sum(c.amount_minor), 0)).where(
        c.currency == currency, c.status != RoundStatus.FAILED.value, _ALONE, *conditions
    )
    return Money(int(tx.execute(total).scalar_one()), currency)


def doubt_all(tx: Tx, now: datetime, due_at: datetime) -> None:
    """Every round that is not final becomes one that may have been sent until ``now``.

    For books that were restored: nothing of it is sent before a question has found that it never arrived.
    """
    doubt(tx, share_rounds, now, due_at)


def doubt(tx: Tx, table: sa.Table, now: datetime, due_at: datetime) -> None:
    """The same for the requests in ``table``."""
    undecided = table.c.status.in_((RoundStatus.REQUESTED.value, RoundStatus.UNKNOWN.value))
    tx.execute(
        sa.update(table)
        .where(undecided)
        .values(
            status=RoundStatus.UNKNOWN.value,
            calling=False,
            called_at=now,
            due_at=due_at,
            updated_at=now,
        )
    )


# ---- returns


def insert_returns(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes down what is to come back with a refund."""
    if rows:
        tx.execute(sa.insert(share_returns), list(rows))


def list_returns(tx: Tx, order_id: int, out_request_no: str | None = None) -> list[Return]:
    """What comes back of an order's shares, with one refund or all."""
    c = share_returns.c
    wanted = sa.select(share_returns).where(c.order_id == order_id)
    if out_request_no is not None:
        wanted = wanted.where(c.out_request_no == out_request_no)
    return [
        Return(
            row["id"],
            row["share_id"],
            row["order_id"],
            row["out_request_no"],
            Money(row["amount_minor"], row["currency"]),
            ReturnStatus(row["status"]),
        )
        for row in tx.execute(wanted.order_by(c.id)).mappings()
    ]


def update_return(tx: Tx, return_id: int, **values: Any) -> None:
    """Writes the given columns of one return."""
    tx.execute(sa.update(share_returns).where(share_returns.c.id == return_id).values(**values))


def delete_return(tx: Tx, return_id: int) -> None:
    """Takes away what was expected to come back, and has not."""
    tx.execute(sa.delete(share_returns).where(share_returns.c.id == return_id))


# ---- what is due


DUE_ROWS: Final = HeldRows(share_rounds)

RETURNS_ROWS: Final = DueRows(share_rounds, "returns_due_at", "returns_ask_count")
"""Rounds of which it is to be asked what came back."""
