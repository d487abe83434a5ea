"""Lines of bank statements and matches, as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.service.approvals.model import ApprovalStatus
from daozhang.service.approvals.store import approvals
from daozhang.service.banking.model import BankLine, Match, MatchParts, Withdrawal
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata
from daozhang.service.ledger.model import Account, Book, EntryKind
from daozhang.service.ledger.store import moves

_DAY: Final = len("2026-03-02")

bank_lines: Final = sa.Table(
    "bank_lines",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("counterparty", sa.String(200), nullable=False),
    sa.Column("reference", sa.String(200), nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("file_sha256", sa.String(64), nullable=False),
    sa.Column("added_by", sa.String(96), nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("match_id", RowId),
    sa.UniqueConstraint("environment", "seller_id", "fingerprint"),
    sa.Index("ix_bank_lines_day", "environment", "seller_id", "day"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
)

bank_matches: Final = sa.Table(
    "bank_matches",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("approval_id", sa.String(32)),
    sa.Column("created_by", sa.String(96), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

bank_match_days: Final = sa.Table(
    "bank_match_days",
    metadata,
    sa.Column("match_id", RowId, sa.ForeignKey("bank_matches.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
)

_LIVE: Final = sa.or_(
    bank_matches.c.approval_id.is_(None),
    approvals.c.status.in_([ApprovalStatus.PENDING.value, ApprovalStatus.APPROVED.value]),
)
"""Matches that hold their days and lines: an approval that ended otherwise has let them go."""

_WITH_APPROVAL: Final = bank_matches.outerjoin(
    approvals, approvals.c.public_id == bank_matches.c.approval_id
)


def insert_lines(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> int:
    """Adds lines; how many were new. Those that the account has already stay as they are."""
    return len(insert_ignoring(tx, bank_lines, rows, bank_lines.c.id)) if rows else 0


def list_lines(
    tx: Tx, book: Book, first: date, last: date, *, public_ids: Collection[str] | None = None
) -> list[BankLine]:
    """The account's lines of those days, oldest first; only some of them."""
    c = bank_lines.c
    live = sa.select(bank_matches.c.id).select_from(_WITH_APPROVAL).where(_LIVE)
    is_free = sa.or_(c.match_id.is_(None), c.match_id.not_in(live)).label("is_free")
    wanted = sa.select(bank_lines, is_free).where(
        c.environment == book.environment,
        c.seller_id == book.seller_id,
        c.day.between(first, last),
    )
    if public_ids is not None:
        wanted = wanted.where(c.public_id.in_(public_ids))
    return [
        _line(row, is_free=bool(row["is_free"]))
        for row in tx.execute(wanted.order_by(c.day, c.id)).mappings()
    ]


def _line(row: sa.RowMapping, *, is_free: bool) -> BankLine:
    return BankLine(
        id=row["id"],
        public_id=row["public_id"],
        day=row["day"],
        minor=row["amount_minor"],
        counterparty=row["counterparty"],
        reference=row["reference"],
        is_free=is_free,
    )


def give_lines(tx: Tx, match_id: int, line_ids: Collection[int]) -> None:
    """Makes lines a match's."""
    tx.execute(sa.update(bank_lines).where(bank_lines.c.id.in_(line_ids)).values(match_id=match_id))


def insert_match(tx: Tx, values: Mapping[str, Any], days: Mapping[date, int]) -> int:
    """Adds a match and what it has of each day; its row."""
    match_id = cast("int", tx.execute(
        sa.insert(bank_matches).values(**values).returning(bank_matches.c.id)
    ).scalar_one())  # fmt: skip
    rows = [
        {"match_id": match_id, "day": day, "amount_minor": minor} for day, minor in days.items()
    ]
    tx.execute(sa.insert(bank_match_days), rows)
    return match_id


def set_approval(tx: Tx, match_id: int, approval_id: str) -> None:
    """Notes which approval decides about a match."""
    tx.execute(
        sa.update(bank_matches).where(bank_matches.c.id == match_id).values(approval_id=approval_id)
    )


def list_matches(tx: Tx, book: Book, rows_max: int) -> list[Match]:
    """The account's matches, newest first."""
    return _matches(tx, book, sa.true(), rows_max)


def find_match(tx: Tx, book: Book, public_id: str) -> Match | None:
    """One of the account's matches."""
    found = _matches(tx, book, bank_matches.c.public_id == public_id, 1)
    return found[0] if found else None


def _matches(tx: Tx, book: Book, condition: sa.ColumnElement[bool], rows_max: int) -> list[Match]:
    c = bank_matches.c
    wanted = (
        sa.select(bank_matches, approvals.c.status.label("approval"))
        .select_from(_WITH_APPROVAL)
        .where(c.environment == book.environment, c.seller_id == book.seller_id, condition)
        .order_by(c.id.desc())
        .limit(rows_max)
    )
    return [
        Match(
            id=row["id"],
            public_id=row["public_id"],
            minor=row["amount_minor"],
            approval_id=row["approval_id"],
            approval=None if row["approval"] is None else ApprovalStatus(row["approval"]),
            created_at=row["created_at"],
        )
        for row in tx.execute(wanted).mappings()
    ]


def list_parts(tx: Tx, match_ids: Collection[int]) -> dict[int, MatchParts]:
    """What each of these matches holds, oldest first; a line that another one has by now is that one's."""
    days: dict[int, list[date]] = {match_id: [] for match_id in match_ids}
    lines: dict[int, list[BankLine]] = {match_id: [] for match_id in match_ids}
    d, c = bank_match_days.c, bank_lines.c
    of_days = sa.select(d.match_id, d.day).where(d.match_id.in_(match_ids)).order_by(d.day)
    for row in tx.execute(of_days):
        days[row.match_id].append(row.day)
    of_lines = sa.select(bank_lines).where(c.match_id.in_(match_ids)).order_by(c.day, c.id)
    for row in tx.execute(of_lines).mappings():
        lines[row["match_id"]].append(_line(row, is_free=False))
    return {match_id: MatchParts(days[match_id], lines[match_id]) for match_id in match_ids}


def list_withdrawals(tx: Tx, book: Book) -> list[Withdrawal]:
    """What left the account for the bank on each day, by the account bill, and what matches have of it."""
    m, in_transit = moves.c, Account.WITHDRAWAL_IN_TRANSIT.value
    signed = sa.case((m.debit == in_transit, m.amount_minor), else_=-m.amount_minor)
    told = (
        sa.select(m.key, sa.func.sum(signed).label("minor"))
        .where(m.book_id == book.id, m.kind == EntryKind.WITHDRAWAL.value)
        .group_by(m.key)
    )
    minor: dict[date, int] = {}
    for row in tx.execute(told):
        day = date.fromisoformat(row.key[:_DAY])
        minor[day] = minor.get(day, 0) + int(row.minor)
    d = bank_match_days.c
    taken = (
        sa.select(d.day, sa.func.sum(d.amount_minor).label("minor"))
        .select_from(_WITH_APPROVAL.join(bank_match_days, d.match_id == bank_matches.c.id))
        .where(
            bank_matches.c.environment == book.environment,
            bank_matches.c.seller_id == book.seller_id,
            _LIVE,
        )
        .group_by(d.day)
    )
    matched = {row.day: int(row.minor) for row in tx.execute(taken)}
    return [
        Withdrawal(day, minor.get(day, 0), matched.get(day, 0))
        for day in sorted(minor.keys() | matched.keys())
    ]
