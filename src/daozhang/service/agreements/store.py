"""Agreements, their steps and the tries to charge them as rows. Plain functions in a caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import msgspec
import sqlalchemy as sa

from daozhang.service.agreements.model import (
    Agreement,
    AgreementStatus,
    Deduction,
    DeductionStatus,
    Plan,
    Rule,
)
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

DUE: Final = sa.text("due_at IS NOT NULL")
"""What somebody still has to do something about."""

UNSETTLED: Final = sa.text("status NOT IN ('active', 'ended', 'expired')")
"""Agreements that are neither in effect nor over: few, whatever the number of members."""

UNWATCHED: Final = sa.text("due_at IS NULL AND status NOT IN ('ended', 'expired')")
"""Agreements that nobody would ask about any more: there must be none."""

agreements = sa.Table(
    "agreements",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("app_id", sa.String(32), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("external_agreement_no", sa.String(32), nullable=False),
    sa.Column("personal_product_code", sa.String(64), nullable=False),
    sa.Column("product_code", sa.String(64), nullable=False),
    sa.Column("sign_scene", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("rule", Json),
    sa.Column("plan", Json),
    sa.Column("external_logon_id", sa.String(100)),
    sa.Column("return_url", sa.Text),
    sa.Column("agreement_no", sa.String(64)),
    sa.Column("next_deduct_on", sa.Date),
    sa.Column("announced_on", sa.Date),
    sa.Column("signed_at", Moment),
    sa.Column("valid_at", Moment),
    sa.Column("invalid_at", Moment),
    sa.Column("buyer_id", sa.String(32)),
    sa.Column("buyer_open_id", sa.String(128)),
    sa.Column("buyer_logon_id", sa.String(128)),
    sa.Column("attention", sa.Boolean, nullable=False, default=False),
    sa.Column("opened_at", Moment),
    sa.Column("absent_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("next_try_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("ended_at", Moment),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("environment", "seller_id", "external_agreement_no"),
    sa.Index("ix_agreements_due", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    sa.Index(
        "ix_agreements_unsettled", "status", postgresql_where=UNSETTLED, sqlite_where=UNSETTLED
    ),
    sa.Index("ix_agreements_unwatched", "id", postgresql_where=UNWATCHED, sqlite_where=UNWATCHED),
    sa.Index("ix_agreements_merchant_id", "merchant_id", "id"),
    one_of("status", AgreementStatus),
)

deductions = sa.Table(
    "deductions",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("agreement_id", RowId, sa.ForeignKey("agreements.id"), nullable=False),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False, unique=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("planned_on", sa.Date),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("code", sa.String(128)),
    sa.Column("message", sa.Text),
    sa.Column("ended_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("agreement_id", "number"),
    one_of("status", DeductionStatus),
)

agreement_steps = sa.Table(
    "agreement_steps",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("agreement_id", RowId, sa.ForeignKey("agreements.id"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("cause", sa.String(32), nullable=False),
    sa.Column("source_ref", sa.String(128), nullable=False),
    sa.Column("status_before", sa.String(16), nullable=False),
    sa.Column("status_after", sa.String(16), nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("note", sa.Text),
)


def insert_agreement(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Adds an agreement; its row id, or ``None`` if the number is taken."""
    added = insert_ignoring(tx, agreements, [values], agreements.c.id)
    return cast("int", added[0]) if added else None


def update_agreement(tx: Tx, agreement_id: int, **values: Any) -> None:
    """Writes the given columns of one agreement."""
    tx.execute(sa.update(agreements).where(agreements.c.id == agreement_id).values(**values))


def find_agreement(tx: Tx, environment: str, seller_id: str, number: str) -> Agreement | None:
    """The agreement of that number, whichever app of the seller made it."""
    return _one(
        tx,
        (agreements.c.environment == environment)
        & (agreements.c.seller_id == seller_id)
        & (agreements.c.external_agreement_no == number),
    )


def find_of_merchant(tx: Tx, merchant_id: int, number: str) -> Agreement | None:
    """The merchant's agreement of that number."""
    return _one(
        tx,
        (agreements.c.merchant_id == merchant_id) & (agreements.c.external_agreement_no == number),
    )


def find_by_id(tx: Tx, agreement_id: int, *, lock: bool = False) -> Agreement | None:
    """The agreement with that row id; locked until the transaction ends if ``lock``."""
    return _one(tx, agreements.c.id == agreement_id, lock=lock)


def _one(tx: Tx, condition: sa.ColumnElement[bool], *, lock: bool = False) -> Agreement | None:
    statement = sa.select(agreements).where(condition)
    if lock and tx.dialect == "postgresql":
        # Not the key: a row that refers to it is added meanwhile.
        statement = statement.with_for_update(key_share=True)
    row = tx.execute(statement).mappings().first()
    return None if row is None else agreement_of(row)


def list_agreements(
    tx: Tx, merchant_id: int, *, before_id: int | None, rows_max: int, status: str | None = None
) -> list[Agreement]:
    """The merchant's agreements, newest first."""
    wanted = sa.select(agreements).where(agreements.c.merchant_id == merchant_id)
    if before_id is not None:
        wanted = wanted.where(agreements.c.id < before_id)
    if status is not None:
        wanted = wanted.where(agreements.c.status == status)
    rows = tx.execute(wanted.order_by(agreements.c.id.desc()).limit(rows_max)).mappings()
    return [agreement_of(row) for row in rows]


DUE_ROWS: Final = DueRows(agreements)


def doubt_all(tx: Tx, now: datetime) -> None:
    """Every agreement that has not ended is asked about before it is charged again.

    For books that were restored: what was done since the copy was made is not in them.
    """
    ended = (AgreementStatus.ENDED.value, AgreementStatus.EXPIRED.value)
    tx.execute(
        sa.update(agreements)
        .where(agreements.c.status.not_in(ended))
        .values(due_at=now, next_try_at=None, updated_at=now)
    )


def list_unsettled_since(tx: Tx, since: datetime) -> list[int]:
    """Agreements that are not over, or have moved since ``since``."""
    over = (AgreementStatus.ENDED.value, AgreementStatus.EXPIRED.value)
    moved = agreements.c.status.not_in(over) | (agreements.c.updated_at >= since)
    return list(tx.execute(sa.select(agreements.c.id).where(moved).order_by("id")).scalars())


def insert_deduction(tx: Tx, values: Mapping[str, Any]) -> None:
    """Adds a try."""
    tx.execute(sa.insert(deductions).values(**values))


def update_deduction(tx: Tx, order_id: int, **values: Any) -> None:
    """Writes the given columns of the try by that order."""
    tx.execute(sa.update(deductions).where(deductions.c.order_id == order_id).values(**values))


def list_deductions(tx: Tx, agreement_id: int) -> list[Deduction]:
    """All tries of an agreement, oldest first."""
    rows = tx.execute(
        sa.select(deductions)
        .where(deductions.c.agreement_id == agreement_id)
        .order_by(deductions.c.number)
    ).mappings()
    return [
        Deduction(
            status=DeductionStatus(row["status"]),
            **{name: row[name] for name in Deduction.__dataclass_fields__ if name != "status"},
        )
        for row in rows
    ]


def insert_step(tx: Tx, values: Mapping[str, Any]) -> None:
    """Adds a step to an agreement."""
    tx.execute(sa.insert(agreement_steps).values(**values))


def list_steps(tx: Tx, agreement_id: int, *, rows_max: int = 5000) -> list[Mapping[str, Any]]:
    """The steps of an agreement, oldest first."""
    wanted = sa.select(agreement_steps).where(agreement_steps.c.agreement_id == agreement_id)
    rows = tx.execute(wanted.order_by(agreement_steps.c.id).limit(rows_max)).mappings()
    return [dict(row) for row in rows]


def last_step(tx: Tx, agreement_id: int) -> Mapping[str, Any] | None:
    """The latest step of an agreement."""
    wanted = sa.select(agreement_steps).where(agreement_steps.c.agreement_id == agreement_id)
    row = tx.execute(wanted.order_by(agreement_steps.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else dict(row)


def agreement_of(row: Mapping[Any, Any]) -> Agreement:
    """A row of ``agreements`` as an `Agreement`."""
    own = ("status", "rule", "plan", "metadata")
    plain = {name: row[name] for name in Agreement.__dataclass_fields__ if name not in own}
    return Agreement(
        status=AgreementStatus(row["status"]),
        rule=None if row["rule"] is None else msgspec.convert(row["rule"], Rule),
        plan=None if row["plan"] is None else msgspec.convert(row["plan"], Plan),
        metadata=dict(row["metadata"]),
        **plain,
    )
