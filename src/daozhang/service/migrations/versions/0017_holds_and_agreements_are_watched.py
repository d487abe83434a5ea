"""Holds, agreements and charges can be told of and are watched: their events, each call, what is open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

compatible_since = "0015"
"""Code from before leaves the new table and column empty: a story lacks what it did meanwhile."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "event_subjects",
        sa.Column("event_number", db.RowId, autoincrement=False, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("event_number", name=op.f("pk_event_subjects")),
    )
    op.create_index("ix_event_subjects_subject", "event_subjects", ["merchant_id", "subject"])
    op.add_column("charges", sa.Column("journal", db.Json, nullable=True))
    op.create_index(
        "ix_holds_open",
        "holds",
        ["status"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('finished', 'closed')"),
        sqlite_where=sa.text("status NOT IN ('finished', 'closed')"),
    )
    op.create_index(
        "ix_hold_releases_undecided",
        "hold_releases",
        ["status"],
        unique=False,
        postgresql_where=sa.text("status IN ('requested', 'unknown')"),
        sqlite_where=sa.text("status IN ('requested', 'unknown')"),
    )
    op.create_index(
        "ix_agreements_unsettled",
        "agreements",
        ["status"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('active', 'ended', 'expired')"),
        sqlite_where=sa.text("status NOT IN ('active', 'ended', 'expired')"),
    )
    op.create_index(
        "ix_agreements_unwatched",
        "agreements",
        ["id"],
        unique=False,
        postgresql_where=sa.text("due_at IS NULL AND status NOT IN ('ended', 'expired')"),
        sqlite_where=sa.text("due_at IS NULL AND status NOT IN ('ended', 'expired')"),
    )
    op.create_index(
        "ix_charges_open",
        "charges",
        ["kind", "phase"],
        unique=False,
        postgresql_where=sa.text("phase <> 'ended'"),
        sqlite_where=sa.text("phase <> 'ended'"),
    )
