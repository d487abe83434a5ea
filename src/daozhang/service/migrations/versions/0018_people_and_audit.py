"""People, what they sign in with, and the trail of who did what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from daozhang.service import db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

compatible_since = "0015"
"""Code from before never looks into the new tables."""


def upgrade() -> None:
    """Takes the tables one revision forward."""
    op.create_table(
        "audit_entries",
        sa.Column("id", db.RowId, autoincrement=False, nullable=False),
        sa.Column("at", db.Moment(), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_reference", sa.String(length=64), nullable=False),
        sa.Column("actor_name", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('person', 'api_key', 'cli', 'system')",
            name=op.f("ck_audit_entries_actor_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entries_hash")),
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject", "id"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("roles", db.Json, nullable=False),
        sa.Column("all_merchants", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", db.Moment(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("signed_in_at", db.Moment(), nullable=True),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("updated_at", db.Moment(), nullable=False),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_people_language")),
        sa.CheckConstraint(
            "status IN ('invited', 'active', 'disabled')", name=op.f("ck_people_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", db.Moment(), nullable=True),
        sa.Column("locked_until", db.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
        sa.UniqueConstraint("key", name=op.f("uq_sign_in_attempts_key")),
    )
    op.create_index(
        "ix_sign_in_attempts_last_failed_at", "sign_in_attempts", ["last_failed_at"], unique=False
    )
    op.create_table(
        "person_challenges",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("challenge_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", db.RowId, nullable=True),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_challenges_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_challenges")),
        sa.UniqueConstraint("challenge_sha256", name=op.f("uq_person_challenges_challenge_sha256")),
    )
    op.create_index(
        op.f("ix_person_challenges_expires_at"), "person_challenges", ["expires_at"], unique=False
    )
    op.create_table(
        "person_invitations",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("person_id", db.RowId, nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=96), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.Column("used_at", db.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_invitations_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_invitations")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_person_invitations_token_sha256")),
    )
    op.create_index(
        op.f("ix_person_invitations_person_id"), "person_invitations", ["person_id"], unique=False
    )
    op.create_table(
        "person_passkeys",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("person_id", db.RowId, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("last_used_at", db.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_passkeys_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_person_passkeys_credential_id")),
    )
    op.create_index(
        op.f("ix_person_passkeys_person_id"), "person_passkeys", ["person_id"], unique=False
    )
    op.create_table(
        "person_recovery_codes",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("person_id", db.RowId, nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("used_at", db.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_recovery_codes_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_recovery_codes")),
        sa.UniqueConstraint(
            "person_id", "code_sha256", name=op.f("uq_person_recovery_codes_person_id_code_sha256")
        ),
    )
    op.create_table(
        "person_sessions",
        sa.Column("id", db.RowId, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", db.RowId, nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=256), nullable=False),
        sa.Column("created_at", db.Moment(), nullable=False),
        sa.Column("seen_at", db.Moment(), nullable=False),
        sa.Column("expires_at", db.Moment(), nullable=False),
        sa.Column("confirmed_at", db.Moment(), nullable=False),
        sa.CheckConstraint(
            "step IN ('second_factor', 'signed_in')", name=op.f("ck_person_sessions_step")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_sessions_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_sessions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_person_sessions_public_id")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_person_sessions_token_sha256")),
    )
    op.create_index(
        op.f("ix_person_sessions_expires_at"), "person_sessions", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_person_sessions_person_id"), "person_sessions", ["person_id"], unique=False
    )
    op.create_table(
        "person_merchants",
        sa.Column("person_id", db.RowId, nullable=False),
        sa.Column("merchant_id", db.RowId, nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.id"], name=op.f("fk_person_merchants_merchant_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_merchants_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "merchant_id", name=op.f("pk_person_merchants")),
    )
    op.add_column("api_keys", sa.Column("created_by", sa.String(length=96), nullable=True))
