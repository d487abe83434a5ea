"""Holds, their releases and their steps as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import (
    Json,
    Moment,
    RowId,
    Tx,
    insert_ignoring,
    metadata,
    one_of,
)
from daozhang.service.due import DueRows
from daozhang.service.holds.model import (
    Hold,
    HoldStatus,
    HoldWay,
    Payer,
    Release,
    ReleaseOrigin,
    ReleaseStatus,
)

DUE: Final = sa.text("due_at IS NOT NULL")
"""What somebody still has to do something about."""

UNDECIDED: Final = sa.text("status IN ('requested', 'unknown')")
"""Releases whose end is not known."""

OPEN: Final = sa.text("status NOT IN ('finished', 'closed')")
"""Holds of which money is frozen, or may be."""

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("app_id", sa.String(32), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("out_order_no", sa.String(64), nullable=False),
    sa.Column("out_request_no", sa.String(64), nullable=False),
    sa.Column("way", sa.String(16), nullable=False),
    sa.Column("product_code", sa.String(64), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("title", sa.String(100), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("captured_minor", sa.BigInteger, nullable=False),
    sa.Column("released_minor", sa.BigInteger, nullable=False),
    sa.Column("auth_no", sa.String(64)),
    sa.Column("operation_id", sa.String(64)),
    sa.Column("payer_user_id", sa.String(32)),
    sa.Column("payer_open_id", sa.String(128)),
    sa.Column("payer_logon_id", sa.String(128)),
    sa.Column("late", sa.Boolean, nullable=False, default=False),
    sa.Column("attention", sa.Boolean, nullable=False, default=False),
    sa.Column("closed_reason", sa.String(32)),
    sa.Column("operator_id", sa.String(64)),
    sa.Column("terminal_id", sa.String(64)),
    sa.Column("store_id", sa.String(64)),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("code_hash", sa.String(64)),
    sa.Column("called_at", Moment),
    sa.Column("wait_until", Moment),
    sa.Column("absent_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("cancel_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("authorized_at", Moment),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("environment", "seller_id", "out_order_no"),
    sa.Index("ix_holds_due", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    sa.Index("ix_holds_open", "status", postgresql_where=OPEN, sqlite_where=OPEN),
    sa.Index("ix_holds_merchant_id", "merchant_id", "id"),
    one_of("status", HoldStatus),
    one_of("way", HoldWay),
)

hold_releases = sa.Table(
    "hold_releases",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("hold_id", RowId, sa.ForeignKey("holds.id"), nullable=False),
    sa.Column("out_request_no", sa.String(64)),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("remark", sa.String(100)),
    sa.Column("operator_id", sa.String(64)),
    sa.Column("calling", sa.Boolean, nullable=False, default=False),
    sa.Column("rejected", sa.Boolean, nullable=False, default=False),
    sa.Column("called_at", Moment),
    sa.Column("call_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("ended_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("hold_id", "out_request_no"),
    sa.Index(
        "ix_hold_releases_undecided",
        "status",
        postgresql_where=UNDECIDED,
        sqlite_where=UNDECIDED,
    ),
    one_of("origin", ReleaseOrigin),
    one_of("status", ReleaseStatus),
)

hold_steps = sa.Table(
    "hold_steps",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("hold_id", RowId, sa.ForeignKey("holds.id"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("cause", sa.String(32), nullable=False),
    sa.Column("source_ref", sa.String(128), nullable=False),
    sa.Column("status_before", sa.String(16), nullable=False),
    sa.Column("status_after", sa.String(16), nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("fact", Json, nullable=False),
)


# ---- holds


def insert_hold(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Adds a hold; its row id, or ``None`` if the number is taken."""
    added = insert_ignoring(tx, holds, [values], holds.c.id)
    return cast("int", added[0]) if added else None


def update_hold(tx: Tx, hold_id: int, **values: Any) -> None:
    """Writes the given columns of one hold."""
    tx.execute(sa.update(holds).where(holds.c.id == hold_id).values(**values))


def find_hold(tx: Tx, environment: str, seller_id: str, out_order_no: str) -> Hold | None:
    """The hold of that number, whichever app of the seller made it."""
    return _one(
        tx,
        (holds.c.environment == environment)
        & (holds.c.seller_id == seller_id)
        & (holds.c.out_order_no == out_order_no),
    )


def find_hold_of_merchant(tx: Tx, merchant_id: int, out_order_no: str) -> Hold | None:
    """The merchant's hold of that number."""
    return _one(tx, (holds.c.merchant_id == merchant_id) & (holds.c.out_order_no == out_order_no))


def find_hold_by_id(tx: Tx, hold_id: int, *, lock: bool = False) -> Hold | None:
    """The hold with that row id; locked until the transaction ends if ``lock``."""
    return _one(tx, holds.c.id == hold_id, lock=lock)


def code_hash_of(tx: Tx, hold_id: int) -> str | None:
    """What tells the code that was scanned for a hold from any other."""
    return tx.execute(sa.select(holds.c.code_hash).where(holds.c.id == hold_id)).scalar()


def _one(tx: Tx, condition: sa.ColumnElement[bool], *, lock: bool = False) -> Hold | None:
    statement = sa.select(holds).where(condition)
    if lock and tx.dialect == "postgresql":
        # Not the key: a row that refers to it is added meanwhile.
        statement = statement.with_for_update(key_share=True)
    row = tx.execute(statement).mappings().first()
    return None if row is None else hold_of(row)


def list_holds(
    tx: Tx,
    merchant_id: int,
    *,
    before_id: int | None,
    rows_max: int,
    status: str | None = None,
) -> list[Hold]:
    """The merchant's holds, newest first."""
    wanted = sa.select(holds).where(holds.c.merchant_id == merchant_id)
    if before_id is not None:
        wanted = wanted.where(holds.c.id < before_id)
    if status is not None:
        wanted = wanted.where(holds.c.status == status)
    rows = tx.execute(wanted.order_by(holds.c.id.desc()).limit(rows_max)).mappings()
    return [hold_of(row) for row in rows]


DUE_ROWS: Final = DueRows(holds)


def doubt_all(tx: Tx, now: datetime) -> None:
    """Every hold that has not ended is asked about, and every open release before it is sent again.

    For books that were restored: what was done since the copy was made is not in them.
    """
    open_ones = holds.c.status.not_in((HoldStatus.FINISHED.value, HoldStatus.CLOSED.value))
    tx.execute(sa.update(holds).where(open_ones).values(due_at=now, updated_at=now))
    undecided = hold_releases.c.status == ReleaseStatus.REQUESTED.value
    tx.execute(
        sa.update(hold_releases)
        .where(undecided)
        .values(status=ReleaseStatus.UNKNOWN.value, updated_at=now)
    )


def list_unsettled_since(tx: Tx, since: datetime) -> list[int]:
    """Holds that are open, or have moved since ``since``."""
    moved = sa.select(holds.c.id).where(sa.or_(OPEN, holds.c.updated_at >= since))
    return list(tx.execute(moved.order_by(holds.c.id)).scalars())


# ---- releases


def insert_release(tx: Tx, values: Mapping[str, Any]) -> int:
    """Adds a release; its row id."""
    added = tx.execute(sa.insert(hold_releases).values(**values).returning(hold_releases.c.id))
    return cast("int", added.scalar_one())


def update_release(tx: Tx, release_id: int, **values: Any) -> None:
    """Writes the given columns of one release."""
    tx.execute(sa.update(hold_releases).where(hold_releases.c.id == release_id).values(**values))


def list_releases(tx: Tx, hold_id: int) -> list[Release]:
    """All releases of a hold, oldest first."""
    rows = tx.execute(
        sa.select(hold_releases)
        .where(hold_releases.c.hold_id == hold_id)
        .order_by(hold_releases.c.id)
    ).mappings()
    return [release_of(row) for row in rows]


# ---- steps


def insert_step(tx: Tx, values: Mapping[str, Any]) -> None:
    """Adds a step to a hold."""
    tx.execute(sa.insert(hold_steps).values(**values))


def list_steps(tx: Tx, hold_id: int, *, rows_max: int = 5000) -> list[Mapping[str, Any]]:
    """The steps of a hold, oldest first."""
    wanted = sa.select(hold_steps).where(hold_steps.c.hold_id == hold_id)
    rows = tx.execute(wanted.order_by(hold_steps.c.id).limit(rows_max)).mappings()
    return [dict(row) for row in rows]


def last_step(tx: Tx, hold_id: int) -> Mapping[str, Any] | None:
    """The latest step of a hold."""
    wanted = sa.select(hold_steps).where(hold_steps.c.hold_id == hold_id)
    row = tx.execute(wanted.order_by(hold_steps.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else dict(row)


# ---- rows as what they are


def hold_of(row: Mapping[Any, Any]) -> Hold:
    """A row of ``holds`` as a `Hold`."""
    currency = row["currency"]
    own = (
        "way", "status", "amount", "captured", "released", "payer", "metadata",
    )  # fmt: skip
    plain = {name: row[name] for name in Hold.__dataclass_fields__ if name not in own}
    return Hold(
        way=HoldWay(row["way"]),
        status=HoldStatus(row["status"]),
        amount=Money(row["amount_minor"], currency),
        captured=Money(row["captured_minor"], currency),
        released=Money(row["released_minor"], currency),
        payer=Payer(row["payer_user_id"], row["payer_open_id"], row["payer_logon_id"]),
        metadata=dict(row["metadata"]),
        **plain,
    )


def release_of(row: Mapping[Any, Any]) -> Release:
    """A row of ``hold_releases`` as a `Release`."""
    own = ("origin", "status", "amount")
    plain = {name: row[name] for name in Release.__dataclass_fields__ if name not in own}
    return Release(
        origin=ReleaseOrigin(row["origin"]),
        status=ReleaseStatus(row["status"]),
        amount=Money(row["amount_minor"], row["currency"]),
        **plain,
    )
