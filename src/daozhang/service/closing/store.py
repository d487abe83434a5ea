"""Cases, what was said about them, and closed days, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.closing.model import (
    Case,
    CaseEnd,
    CaseNote,
    CaseStatus,
    Closing,
    MonthClosing,
)
from daozhang.service.db import Json, Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.reconciliation.model import Mismatch
from daozhang.service.reconciliation.store import find_mismatch, mismatches

cases: Final = sa.Table(
    "cases",
    metadata,
    sa.Column("mismatch_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("owner", sa.String(96)),
    sa.Column("owner_name", sa.String(254)),
    sa.Column("proposed_end", sa.String(16)),
    sa.Column("proposed_by", sa.String(96)),
    sa.Column("proposed_name", sa.String(254)),
    sa.Column("proposal", sa.Text),
    sa.Column("settled_by", sa.String(96)),
    sa.Column("settled_name", sa.String(254)),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("proposed_ours_minor", sa.BigInteger),
    sa.Column("proposed_theirs_minor", sa.BigInteger),
    one_of("status", CaseStatus),
)
"""What people have done about a mismatch; there is no row before somebody does something."""

case_notes: Final = sa.Table(
    "case_notes",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("mismatch_id", RowId, nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.String(96), nullable=False),
    sa.Column("name", sa.String(254), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

closed_days: Final = sa.Table(
    "closed_days",
    metadata,
    sa.Column("environment", sa.String(16), primary_key=True),
    sa.Column("seller_id", sa.String(32), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("closed_by", sa.String(96), nullable=False),
    sa.Column("closed_name", sa.String(254), nullable=False),
    sa.Column("closed_at", Moment, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("figures", Json, nullable=False),
)
"""Days that nobody changes any more, with the figures with which they were closed."""

closed_months: Final = sa.Table(
    "closed_months",
    metadata,
    sa.Column("environment", sa.String(16), primary_key=True),
    sa.Column("seller_id", sa.String(32), primary_key=True),
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("proposed_by", sa.String(96), nullable=False),
    sa.Column("proposed_name", sa.String(254), nullable=False),
    sa.Column("proposed_at", Moment, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("closed_by", sa.String(96)),
    sa.Column("closed_name", sa.String(254)),
    sa.Column("closed_at", Moment),
    sa.Column("figures", Json, nullable=False),
)
"""Months that somebody has proposed to close, or two people have closed."""


def find_case(tx: Tx, public_id: str, *, lock: bool = False) -> Case | None:
    """The case of a mismatch, whether anybody has dealt with it or not."""
    mismatch = find_mismatch(tx, public_id, lock=lock)
    if mismatch is None:
        return None
    row = tx.execute(sa.select(cases).where(cases.c.mismatch_id == mismatch.id)).mappings().first()
    return case_of(mismatch, row)


def list_cases(tx: Tx, found: list[Mismatch]) -> list[Case]:
    """The cases of those mismatches, in their order."""
    ids = [one.id for one in found]
    rows = tx.execute(sa.select(cases).where(cases.c.mismatch_id.in_(ids))).mappings()
    by_id = {row["mismatch_id"]: row for row in rows}
    return [case_of(one, by_id.get(one.id)) for one in found]


def case_of(mismatch: Mismatch, row: Mapping[Any, Any] | None) -> Case:
    """A mismatch with what its row says that people have done."""
    if row is None:
        status = CaseStatus.OPEN if mismatch.is_open else CaseStatus.SETTLED
        return Case(mismatch, status)
    status = CaseStatus(row["status"]) if mismatch.is_open else CaseStatus.SETTLED
    if mismatch.is_open and status is CaseStatus.SETTLED:
        # It became another amount since: what two people agreed to then holds for it no longer.
        return Case(mismatch, CaseStatus.OPEN, row["owner"], row["owner_name"])
    return Case(
        mismatch,
        status,
        row["owner"],
        row["owner_name"],
        None if row["proposed_end"] is None else CaseEnd(row["proposed_end"]),
        row["proposed_by"],
        row["proposed_name"],
        row["proposal"],
        row["settled_by"],
        row["settled_name"],
        (row["proposed_ours_minor"], row["proposed_theirs_minor"]),
    )


def put_case(tx: Tx, mismatch_id: int, values: Mapping[str, Any]) -> None:
    """Writes what somebody has done about a mismatch."""
    new = {"mismatch_id": mismatch_id, "status": CaseStatus.OPEN.value, **values}
    insert_ignoring(tx, cases, [new], cases.c.mismatch_id)
    tx.execute(sa.update(cases).where(cases.c.mismatch_id == mismatch_id).values(**values))


def add_note(tx: Tx, mismatch_id: int, values: Mapping[str, Any]) -> None:
    """Writes down what somebody has said."""
    tx.execute(sa.insert(case_notes).values(mismatch_id=mismatch_id, **values))


def list_notes(tx: Tx, mismatch_id: int) -> list[CaseNote]:
    """What was said about a case, oldest first."""
    wanted = sa.select(case_notes).where(case_notes.c.mismatch_id == mismatch_id)
    rows = tx.execute(wanted.order_by(case_notes.c.id)).mappings()
    return [CaseNote(row["at"], row["by"], row["name"], row["text"]) for row in rows]


def end_mismatch(tx: Tx, mismatch_id: int, **values: Any) -> None:
    """Writes how a mismatch has ended."""
    tx.execute(sa.update(mismatches).where(mismatches.c.id == mismatch_id).values(**values))


def insert_closed(tx: Tx, values: Mapping[str, Any]) -> None:
    """Writes down that a day is closed."""
    tx.execute(sa.insert(closed_days).values(**values))


def list_closed(
    tx: Tx, environment: str, seller_id: str, first: date, last: date
) -> dict[date, Closing]:
    """The closed days from ``first`` to ``last``."""
    c = closed_days.c
    wanted = sa.select(closed_days).where(
        c.environment == environment, c.seller_id == seller_id, c.day.between(first, last)
    )
    names = Closing.__dataclass_fields__
    rows = tx.execute(wanted).mappings()
    return {row["day"]: Closing(**{name: row[name] for name in names}) for row in rows}


def closed_span(tx: Tx, environment: str, seller_id: str) -> tuple[date | None, date | None]:
    """The first and the last day that is closed."""
    c = closed_days.c
    wanted = sa.select(sa.func.min(c.day).label("first"), sa.func.max(c.day).label("last")).where(
        c.environment == environment, c.seller_id == seller_id
    )
    row = tx.execute(wanted).one()
    return row.first, row.last


def insert_month(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Writes down that somebody proposes to close a month; ``False`` if somebody has already."""
    return bool(insert_ignoring(tx, closed_months, [values], closed_months.c.month))


def find_month(
    tx: Tx, environment: str, seller_id: str, month: date, *, lock: bool = False
) -> MonthClosing | None:
    """Who proposed to close the month, and who agreed; ``None`` if nobody has proposed it."""
    wanted = sa.select(closed_months).where(*_month(environment, seller_id, month))
    row = tx.execute(wanted.with_for_update() if lock else wanted).mappings().first()
    if row is None:
        return None
    return MonthClosing(**{name: row[name] for name in MonthClosing.__dataclass_fields__})


def update_month(tx: Tx, environment: str, seller_id: str, month: date, **values: Any) -> None:
    """Writes columns of a month."""
    chosen = _month(environment, seller_id, month)
    tx.execute(sa.update(closed_months).where(*chosen).values(**values))


def delete_month(tx: Tx, environment: str, seller_id: str, month: date) -> None:
    """Forgets a proposal; the trail keeps it."""
    tx.execute(sa.delete(closed_months).where(*_month(environment, seller_id, month)))


def last_closed_month(tx: Tx, environment: str, seller_id: str) -> date | None:
    """The last month that is closed."""
    c = closed_months.c
    wanted = sa.select(sa.func.max(c.month)).where(
        c.environment == environment, c.seller_id == seller_id, c.closed_at.is_not(None)
    )
    return tx.execute(wanted).scalar()


def _month(environment: str, seller_id: str, month: date) -> tuple[Any, ...]:
    c = closed_months.c
    return (c.environment == environment, c.seller_id == seller_id, c.month == month)
