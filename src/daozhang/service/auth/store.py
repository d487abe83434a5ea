"""API keys as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.auth.model import ApiKey, KeyMerchant, Scope
from daozhang.service.db import Json, Moment, RowId, Tx, metadata

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("prefix", sa.String(16), nullable=False, unique=True),
    # SHA-256 is enough: what it hashes is 256 random bits, which no dictionary holds.
    sa.Column("key_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("refund_limit_minor", sa.BigInteger),
    sa.Column("refund_limit_currency", sa.String(3)),
    sa.Column("created_by", sa.String(96)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_used_at", Moment),
    sa.Column("revoked_at", Moment),
)

api_key_merchants = sa.Table(
    "api_key_merchants",
    metadata,
    sa.Column("api_key_id", RowId, sa.ForeignKey("api_keys.id"), primary_key=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), primary_key=True),
    sa.Column("merchant_slug", sa.String(64), nullable=False),
)


def insert_key(tx: Tx, values: dict[str, Any], merchants: Sequence[KeyMerchant]) -> int:
    """Writes a key and what it covers; returns its row's number."""
    inserted = tx.execute(sa.insert(api_keys).values(values).returning(api_keys.c.id))
    key_id = int(inserted.scalar_one())
    rows = [
        {"api_key_id": key_id, "merchant_id": m.merchant_id, "merchant_slug": m.slug}
        for m in merchants
    ]
    tx.execute(sa.insert(api_key_merchants), rows)
    return key_id


def find_by_hash(tx: Tx, key_sha256: str) -> ApiKey | None:
    """The key of that hash, revoked or not."""
    found = _read(tx, api_keys.c.key_sha256 == key_sha256)
    return found[0] if found else None


def find_by_prefix(tx: Tx, prefix: str) -> ApiKey | None:
    """The key that shows that prefix."""
    found = _read(tx, api_keys.c.prefix == prefix)
    return found[0] if found else None


def find_by_id(tx: Tx, key_id: int) -> ApiKey | None:
    """The key with that row id."""
    return next(iter(_read(tx, api_keys.c.id == key_id)), None)


def list_keys(tx: Tx) -> list[ApiKey]:
    """All keys, oldest first, revoked ones too."""
    return _read(tx, sa.true())


def mark_used(tx: Tx, key_id: int, now: datetime, unless_after: datetime) -> None:
    """Notes the use, unless one was noted after ``unless_after``."""
    last = api_keys.c.last_used_at
    tx.execute(
        sa.update(api_keys)
        .where(api_keys.c.id == key_id, sa.or_(last.is_(None), last <= unless_after))
        .values(last_used_at=now)
    )


def mark_revoked(tx: Tx, key_id: int, now: datetime) -> None:
    """Ends a key; the first time stays."""
    tx.execute(
        sa.update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _read(tx: Tx, condition: sa.ColumnElement[bool]) -> list[ApiKey]:
    rows = tx.execute(sa.select(api_keys).where(condition).order_by(api_keys.c.id)).all()
    covered: dict[int, list[KeyMerchant]] = {row.id: [] for row in rows}
    found = tx.execute(
        sa.select(api_key_merchants)
        .where(api_key_merchants.c.api_key_id.in_(list(covered)))
        .order_by(api_key_merchants.c.merchant_slug)
    )
    for row in found:
        covered[row.api_key_id].append(KeyMerchant(row.merchant_id, row.merchant_slug))
    return [_api_key(row, tuple(covered[row.id])) for row in rows]


def _api_key(row: sa.Row[Any], merchants: tuple[KeyMerchant, ...]) -> ApiKey:
    limit = row.refund_limit_minor
    return ApiKey(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        environment=row.environment,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        refund_limit=None if limit is None else Money(limit, row.refund_limit_currency),
        merchants=merchants,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        created_by=row.created_by,
    )
