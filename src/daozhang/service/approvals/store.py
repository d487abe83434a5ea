"""What waits for a second person, as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.approvals.model import Approval, ApprovalKind, ApprovalStatus
from daozhang.service.db import Json, Moment, RowId, Tx, insert_ignoring, metadata, one_of

_PENDING = sa.text("status = 'pending'")

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("subject", sa.String(160), nullable=False),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("currency", sa.String(3)),
    sa.Column("reason", sa.String(256)),
    sa.Column("content", Json, nullable=False),
    sa.Column("requested_by", sa.String(96), nullable=False),
    sa.Column("requested_name", sa.String(254), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("decided_by", sa.String(96)),
    sa.Column("decided_name", sa.String(254)),
    sa.Column("decided_at", Moment),
    sa.Column("decision_note", sa.String(256)),
    one_of("kind", ApprovalKind),
    one_of("status", ApprovalStatus),
    sa.Index("ix_approvals_merchant_id", "merchant_id", "id"),
    # One thing waits once.
    sa.Index(
        "uq_approvals_pending",
        "merchant_id",
        "kind",
        "subject",
        unique=True,
        postgresql_where=_PENDING,
        sqlite_where=_PENDING,
    ),
)


def insert_approval(tx: Tx, values: dict[str, Any]) -> bool:
    """Writes one; whether nothing of that kind and subject was pending."""
    return bool(insert_ignoring(tx, approvals, [values], approvals.c.id))


def find_approval(tx: Tx, public_id: str) -> Approval | None:
    """The approval of that id."""
    return _one(tx, sa.select(approvals).where(approvals.c.public_id == public_id))


def lock_approval(tx: Tx, public_id: str) -> Approval | None:
    """The approval of that id; nobody else decides it before ``tx`` ends."""
    wanted = sa.select(approvals).where(approvals.c.public_id == public_id)
    return _one(tx, wanted.with_for_update())


def find_pending(tx: Tx, merchant_id: int, kind: ApprovalKind, subject: str) -> Approval | None:
    """What of that kind waits about ``subject``."""
    c = approvals.c
    wanted = sa.select(approvals).where(
        c.merchant_id == merchant_id, c.kind == kind.value, c.subject == subject, _PENDING
    )
    return _one(tx, wanted)


def list_pending_about(
    tx: Tx, merchant_id: int, kind: ApprovalKind, subject_prefix: str
) -> list[Approval]:
    """What of that kind waits about whatever begins so, the oldest first."""
    c = approvals.c
    wanted = sa.select(approvals).where(
        c.merchant_id == merchant_id,
        c.kind == kind.value,
        c.subject.startswith(subject_prefix, autoescape=True),
        _PENDING,
    )
    return [_approval_of(row) for row in tx.execute(wanted.order_by(c.id)).all()]


def list_approvals(
    tx: Tx,
    *,
    merchants: Collection[int] | None,
    status: ApprovalStatus | None,
    rows_max: int,
    before: str | None = None,
    requested_by: str | None = None,
) -> list[Approval]:
    """The newest, of these merchants or of all; ``before`` is the id where the last page ended."""
    c = approvals.c
    wanted = sa.select(approvals).order_by(c.id.desc()).limit(rows_max)
    if merchants is not None:
        wanted = wanted.where(c.merchant_id.in_(merchants))
    if status is not None:
        wanted = wanted.where(c.status == status.value)
    if requested_by is not None:
        wanted = wanted.where(c.requested_by == requested_by)
    if before is not None:
        wanted = wanted.where(c.public_id < before)
    return [_approval_of(row) for row in tx.execute(wanted).all()]


def state_of_pending(tx: Tx, merchant_id: int) -> tuple[int, int]:
    """How many wait for that merchant, and the latest of them: it differs once something changed."""
    c = approvals.c
    wanted = sa.select(
        sa.func.count().label("pending"), sa.func.coalesce(sa.func.max(c.id), 0).label("latest")
    )
    row = tx.execute(wanted.where(_PENDING, c.merchant_id == merchant_id)).one()
    return int(row.pending), int(row.latest)


def list_about(tx: Tx, merchant_id: int, kind: ApprovalKind, subject: str) -> list[Approval]:
    """All that was asked about ``subject``, oldest first."""
    c = approvals.c
    wanted = sa.select(approvals).where(
        c.merchant_id == merchant_id, c.kind == kind.value, c.subject == subject
    )
    return [_approval_of(row) for row in tx.execute(wanted.order_by(c.id)).all()]


def decide(
    tx: Tx,
    public_id: str,
    status: ApprovalStatus,
    *,
    by: str,
    name: str,
    note: str | None,
    now: datetime,
) -> None:
    """Writes down how a pending one ended."""
    tx.execute(
        sa.update(approvals)
        .where(approvals.c.public_id == public_id)
        .values(
            status=status.value,
            decided_by=by,
            decided_name=name,
            decided_at=now,
            decision_note=note,
        )
    )


def lock_expired(tx: Tx, now: datetime, rows_max: int) -> list[Approval]:
    """Those whose time is over and whom nobody has decided."""
    wanted = sa.select(approvals).where(_PENDING, approvals.c.expires_at <= now)
    rows = tx.execute(wanted.order_by(approvals.c.id).limit(rows_max).with_for_update())
    return [_approval_of(row) for row in rows.all()]


_EARLIEST_EXPIRY: Final = sa.select(sa.func.min(approvals.c.expires_at)).where(_PENDING)


def earliest_expiry(tx: Tx) -> datetime | None:
    """When the first of those that wait is over."""
    return tx.execute(_EARLIEST_EXPIRY).scalar_one()


def _one(tx: Tx, wanted: sa.Select[Any]) -> Approval | None:
    row = tx.execute(wanted).first()
    return None if row is None else _approval_of(row)


def _approval_of(row: sa.Row[Any]) -> Approval:
    return Approval(
        id=row.public_id,
        kind=ApprovalKind(row.kind),
        status=ApprovalStatus(row.status),
        merchant_id=row.merchant_id,
        subject=row.subject,
        amount=None if row.amount_minor is None else Money(row.amount_minor, row.currency),
        reason=row.reason,
        content=row.content,
        requested_by=row.requested_by,
        requested_name=row.requested_name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_by=row.decided_by,
        decided_name=row.decided_name,
        decided_at=row.decided_at,
        decision_note=row.decision_note,
    )
