"""The trail as rows. There is no update and no delete here, and there must never be."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.audit.model import Actor, ActorKind, AuditEntry
from daozhang.service.audit.rules import GENESIS, detail_text, hash_of
from daozhang.service.db import Moment, RowId, Tx, metadata, one_of

_CHAIN: Final = 0x64616F7A_61756474
"""The advisory lock of whoever writes the next row: each hash covers the one before it."""

BATCH_ROWS: Final = 500

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    # Counted by us, without gaps: a row that is missing shows.
    sa.Column("id", RowId, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor_kind", sa.String(16), nullable=False),
    sa.Column("actor_reference", sa.String(64), nullable=False),
    sa.Column("actor_name", sa.String(254), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(128), nullable=False),
    sa.Column("merchant_id", RowId),
    sa.Column("address", sa.String(64)),
    # Text, not JSON: a database may write JSON in its own way, and the hash covers every byte.
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    one_of("actor_kind", ActorKind),
    sa.Index("ix_audit_entries_subject", "subject", "id"),
)


def append(tx: Tx, entry: AuditEntry) -> AuditEntry:
    """Writes ``entry`` as the next row; its number and both hashes are set here."""
    if tx.dialect == "postgresql":  # SQLite has one writer, who holds everything
        tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN})
    columns = sa.select(audit_entries.c.id, audit_entries.c.hash)
    last = tx.execute(columns.order_by(audit_entries.c.id.desc()).limit(1)).first()
    follows = replace(
        entry,
        sequence=1 if last is None else last.id + 1,
        previous_hash=GENESIS if last is None else last.hash,
    )
    chained = replace(follows, hash=hash_of(follows))
    tx.execute(
        sa.insert(audit_entries).values(
            id=chained.sequence,
            at=chained.at,
            actor_kind=chained.actor.kind.value,
            actor_reference=chained.actor.reference,
            actor_name=chained.actor.name,
            action=chained.action,
            subject=chained.subject,
            merchant_id=chained.merchant_id,
            address=chained.address,
            detail=detail_text(chained.detail),
            previous_hash=chained.previous_hash,
            hash=chained.hash,
        )
    )
    return chained


def list_entries(
    tx: Tx,
    *,
    rows_max: int,
    before: int | None = None,
    subject: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    merchants: Collection[int] | None = None,
) -> list[AuditEntry]:
    """The newest rows below number ``before``, newest first; ``action`` matches its beginning,
    ``actor`` is one as text, or their name.

    With ``merchants`` only what belongs to one of them.
    """
    c = audit_entries.c
    wanted = sa.select(audit_entries).order_by(c.id.desc()).limit(rows_max)
    if before is not None:
        wanted = wanted.where(c.id < before)
    if subject is not None:
        wanted = wanted.where(c.subject == subject)
    if actor is not None:
        kind, _, reference = actor.partition(":")
        named = sa.and_(c.actor_kind == kind, c.actor_reference == reference)
        wanted = wanted.where(sa.or_(named, c.actor_name == actor))
    if action is not None:
        wanted = wanted.where(c.action.startswith(action, autoescape=True))
    if since is not None:
        wanted = wanted.where(c.at >= since)
    if until is not None:
        wanted = wanted.where(c.at < until)
    if merchants is not None:
        wanted = wanted.where(c.merchant_id.in_(merchants))
    return [_entry_of(row) for row in tx.execute(wanted).all()]


def all_entries(tx: Tx) -> Generator[AuditEntry]:
    """Every row, oldest first, read piece by piece."""
    piece = entries_after(tx, 0)
    while piece:
        yield from piece
        piece = entries_after(tx, piece[-1].sequence)


def entries_after(
    tx: Tx,
    after: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    merchants: Collection[int] | None = None,
) -> list[AuditEntry]:
    """A piece of the rows above number ``after``, oldest first; none: there are no more."""
    c = audit_entries.c
    piece = sa.select(audit_entries).where(c.id > after).order_by(c.id).limit(BATCH_ROWS)
    if since is not None:
        piece = piece.where(c.at >= since)
    if until is not None:
        piece = piece.where(c.at < until)
    if merchants is not None:
        piece = piece.where(c.merchant_id.in_(merchants))
    return [_entry_of(row) for row in tx.execute(piece).all()]


def _entry_of(row: sa.Row[Any]) -> AuditEntry:
    return AuditEntry(
        sequence=row.id,
        at=row.at,
        actor=Actor(ActorKind(row.actor_kind), row.actor_reference, row.actor_name),
        action=row.action,
        subject=row.subject,
        merchant_id=row.merchant_id,
        address=row.address,
        detail=json.loads(row.detail),
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
