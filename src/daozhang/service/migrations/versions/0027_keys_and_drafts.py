"""Drafts of apps, changes of keys, and when Alipay last answered for a merchant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

compatible_since = "0026"
"""Code from before verifies with the new key alone, as it always did."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "app_drafts",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", db.RowId, nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_app_drafts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_drafts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_app_drafts_public_id")),
    )
    op.create_index(op.f("ix_app_drafts_person_id"), "app_drafts", ["person_id"], unique=False)
    op.create_table(
        "key_changes",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("app_row", db.RowId, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("app_cert", sa.Text(), nullable=True),
        sa.Column("alipay_cert", sa.Text(), nullable=True),
        sa.Column("alipay_root_cert", sa.Text(), nullable=True),
        sa.Column("private_key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("proved_at", db.Moment(), nullable=True),
        sa.Column("checked_at", db.Moment(), nullable=True),
        sa.Column("check_result", sa.String(length=16), nullable=True),
        sa.Column("check_detail", sa.Text(), nullable=True),
        sa.Column("ask_at", db.Moment(), nullable=True),
        sa.Column("approval_id", sa.String(length=32), nullable=True),
        sa.Column("asked_by", sa.String(length=96), nullable=False),
        sa.Column("asked_name", sa.String(length=254), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("ended_at", db.Moment(), nullable=True),
        sa.CheckConstraint("kind IN ('own', 'alipay')", name=op.f("ck_key_changes_kind")),
        sa.CheckConstraint(
            "status IN ('waiting', 'done', 'dropped')", name=op.f("ck_key_changes_status")
        ),
        sa.ForeignKeyConstraint(["app_row"], ["apps.id"], name=op.f("fk_key_changes_app_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_changes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_key_changes_public_id")),
    )
    op.create_index(
        "uq_key_changes_waiting",
        "key_changes",
        ["app_row", "kind"],
        unique=True,
        postgresql_where=sa.text("status = 'waiting'"),
        sqlite_where=sa.text("status = 'waiting'"),
    )
    op.add_column("apps", sa.Column("former_alipay_public_key", sa.Text(), nullable=True))
    op.add_column("apps", sa.Column("former_alipay_until", db.Moment(), nullable=True))
    op.add_column("merchants", sa.Column("answered_at", db.Moment(), nullable=True))
