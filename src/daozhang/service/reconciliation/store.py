"""Runs, mismatches and the rules that set lines aside, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.bills.model import StatementKind
from daozhang.service.bulk import insert_rows
from daozhang.service.db import Json, Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.reconciliation.model import (
    ForeignRule,
    Mismatch,
    MismatchClass,
    Run,
)
from daozhang.service.refunds.store import refunds

BALANCE: Final = "balance"
"""The key of the mismatch that says that the account of a day does not come out."""

UNRESOLVED: Final = sa.text("resolved_at IS NULL")

runs: Final = sa.Table(
    "reconciliation_runs",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("statement_id", RowId, nullable=False, index=True),
    sa.Column("file_id", RowId),
    sa.Column("at", Moment, nullable=False),
    sa.Column("line_count", sa.BigInteger, nullable=False),
    sa.Column("matched_count", sa.BigInteger, nullable=False),
    sa.Column("matched_minor", sa.BigInteger, nullable=False),
    sa.Column("counts", Json, nullable=False),
    sa.Column("figures", Json, nullable=False),
)

mismatches: Final = sa.Table(
    "mismatches",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("mismatch", sa.String(16), nullable=False),
    sa.Column("key", sa.String(160), nullable=False),
    sa.Column("merchant_id", RowId),
    sa.Column("order_id", RowId),
    sa.Column("trade_no", sa.String(64)),
    sa.Column("out_trade_no", sa.String(64)),
    sa.Column("out_request_no", sa.String(64)),
    sa.Column("ours_minor", sa.BigInteger),
    sa.Column("theirs_minor", sa.BigInteger),
    sa.Column("evidence", Json, nullable=False),
    sa.Column("resolution", sa.String(16)),
    sa.Column("first_seen_at", Moment, nullable=False),
    sa.Column("last_run_id", RowId, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.UniqueConstraint("environment", "seller_id", "day", "kind", "mismatch", "key"),
    sa.Index(
        "ix_mismatches_open",
        "environment",
        "seller_id",
        "day",
        postgresql_where=UNRESOLVED,
        sqlite_where=UNRESOLVED,
    ),
    one_of("kind", StatementKind),
    one_of("mismatch", MismatchClass),
)

foreign_rules: Final = sa.Table(
    "foreign_rules",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("prefix", sa.String(64), nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("made_by", sa.String(96), nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.UniqueConstraint("environment", "seller_id", "prefix"),
)
"""How orders of other systems on the same account begin."""


def insert_run(tx: Tx, values: Mapping[str, Any]) -> int:
    """Writes down a run; its row."""
    return int(tx.execute(sa.insert(runs).values(**values).returning(runs.c.id)).scalar_one())


def last_run(tx: Tx, statement_id: int) -> Run | None:
    """The latest run over a statement."""
    wanted = sa.select(runs).where(runs.c.statement_id == statement_id)
    row = tx.execute(wanted.order_by(runs.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else Run(**{str(name): value for name, value in row.items()})


SETTLED_BY_PEOPLE: Final = ("accepted", "foreign", "explained", "booked")
"""Ends that a run does not undo, as long as it is the same amount by which both sides differ."""


def _by(row: str) -> str:
    return f"COALESCE({row}.theirs_minor, 0) - COALESCE({row}.ours_minor, 0)"


_SEEN_AGAIN: Final = (
    "ON CONFLICT (environment, seller_id, day, kind, mismatch, key) DO UPDATE SET "
    + ", ".join(
        f"{name} = excluded.{name}"
        for name in (
            "last_run_id", "evidence", "ours_minor", "theirs_minor", "order_id", "merchant_id", "trade_no",
        )
    )
    + "".join(
        f", {name} = CASE WHEN mismatches.resolution IN ({', '.join(map(repr, SETTLED_BY_PEOPLE))})"
        f" AND {_by('mismatches')} = {_by('excluded')}"
        f" THEN mismatches.{name} ELSE excluded.{name} END"
        for name in ("resolved_at", "resolution")
    )
)  # fmt: skip


def put_mismatches(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes down what differs; what is there already is seen again, and open again if it had ended by
    itself, or differs by another amount than the one that two people have settled."""
    insert_rows(tx, mismatches, rows, on_conflict=_SEEN_AGAIN)


def resolve_unseen(
    tx: Tx,
    environment: str,
    seller_id: str,
    kind: str,
    day: date,
    run_id: int,
    now: datetime,
    *,
    but: Iterable[str] = (),
) -> None:
    """Ends what a run over the whole day has not seen any more."""
    c = mismatches.c
    tx.execute(
        sa.update(mismatches)
        .where(
            c.environment == environment,
            c.seller_id == seller_id,
            c.kind == kind,
            c.day == day,
            c.resolved_at.is_(None),
            c.last_run_id != run_id,
            c.mismatch.not_in(list(but)),
        )
        .values(resolution="agrees", resolved_at=now)
    )


def resolve_cut(
    tx: Tx,
    environment: str,
    seller_id: str,
    kind: str,
    keys: Mapping[date, Sequence[str]],
    now: datetime,
) -> None:
    """Ends what was missing in the bill of a day and stands in the next one's; so does what its account
    was off by for that."""
    c = mismatches.c
    for day, named in keys.items():
        tx.execute(
            sa.update(mismatches)
            .where(
                c.environment == environment,
                c.seller_id == seller_id,
                c.kind == kind,
                c.day == day,
                sa.or_(
                    c.mismatch == MismatchClass.MISSING_THERE.value,
                    c.kind == StatementKind.ACCOUNT.value,
                ),
                c.key.in_(named),
                c.resolved_at.is_(None),
            )
            .values(resolution="day_cut", resolved_at=now)
        )


def list_mismatches(
    tx: Tx,
    environment: str,
    seller_id: str,
    *,
    day: date | None = None,
    mismatch: str | None = None,
    is_open: bool | None = None,
    before_id: int | None = None,
    rows_max: int = 50,
) -> list[Mismatch]:
    """The account's mismatches, newest first."""
    c = mismatches.c
    wanted = sa.select(mismatches).where(c.environment == environment, c.seller_id == seller_id)
    if day is not None:
        wanted = wanted.where(c.day == day)
    if mismatch is not None:
        wanted = wanted.where(c.mismatch == mismatch)
    if is_open is not None:
        wanted = wanted.where(c.resolved_at.is_(None) if is_open else c.resolved_at.is_not(None))
    if before_id is not None:
        wanted = wanted.where(c.id < before_id)
    rows = tx.execute(wanted.order_by(c.id.desc()).limit(rows_max)).mappings()
    return [mismatch_of(row) for row in rows]


def find_mismatch(tx: Tx, public_id: str, *, lock: bool = False) -> Mismatch | None:
    """The mismatch of that id."""
    wanted = sa.select(mismatches).where(mismatches.c.public_id == public_id)
    row = tx.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    return None if row is None else mismatch_of(row)


def open_counts(
    tx: Tx, environment: str, seller_id: str, first: date, last: date
) -> dict[date, dict[MismatchClass, tuple[int, int]]]:
    """How many mismatches of each class are open on each day, and over how much money, in fen."""
    c = mismatches.c
    wanted = (
        sa.select(c.day)
        .where(
            c.environment == environment,
            c.seller_id == seller_id,
            c.day.between(first, last),
            c.resolved_at.is_(None),
        )
        .group_by(c.day, c.mismatch)
    )
    found: dict[date, dict[MismatchClass, tuple[int, int]]] = {}
    for row in tx.execute(wanted.with_only_columns(*_COUNTED)):
        found.setdefault(row.day, {})[MismatchClass(row.mismatch)] = (row.n, int(row.minor or 0))
    return found


_COUNTED: Final = (
    mismatches.c.day,
    mismatches.c.mismatch,
    sa.func.count().label("n"),
    sa.func.sum(
        sa.func.abs(
            sa.func.coalesce(mismatches.c.theirs_minor, 0)
            - sa.func.coalesce(mismatches.c.ours_minor, 0)
        )
    ).label("minor"),
)


def list_prefixes(tx: Tx, environment: str, seller_id: str) -> list[str]:
    """How orders of other systems on the account begin."""
    c = foreign_rules.c
    wanted = sa.select(c.prefix).where(c.environment == environment, c.seller_id == seller_id)
    return list(tx.execute(wanted).scalars())


def list_rules(tx: Tx, environment: str, seller_id: str) -> list[ForeignRule]:
    """The account's rules that set lines aside, oldest first."""
    c = foreign_rules.c
    wanted = sa.select(foreign_rules).where(c.environment == environment, c.seller_id == seller_id)
    rows = tx.execute(wanted.order_by(c.id)).mappings()
    return [ForeignRule(**{str(name): value for name, value in row.items()}) for row in rows]


def insert_rule(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Writes down a rule; whether it is new."""
    return bool(insert_ignoring(tx, foreign_rules, [values], foreign_rules.c.id))


def delete_rule(tx: Tx, rule_id: int) -> None:
    """Takes a rule away."""
    tx.execute(sa.delete(foreign_rules).where(foreign_rules.c.id == rule_id))


def mark_billed(tx: Tx, refund_ids: Sequence[int], day: date) -> None:
    """Notes in which day's bill refunds stand."""
    for first in range(0, len(refund_ids), 500):
        chosen = refunds.c.id.in_(refund_ids[first : first + 500])
        tx.execute(sa.update(refunds).where(chosen).values(billed_on=day))


def mismatch_of(row: Mapping[Any, Any]) -> Mismatch:
    """A row as a `Mismatch`."""
    fields: dict[str, Any] = {name: row[name] for name in Mismatch.__dataclass_fields__}
    fields["kind"] = StatementKind(row["kind"])
    fields["mismatch"] = MismatchClass(row["mismatch"])
    return Mismatch(**fields)
