"""Charges as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.service.charges.model import Charge, ChargeKind, Ending, Outcome, Phase
from daozhang.service.db import Json, Moment, RowId, Tx, metadata, one_of
from daozhang.service.due import DueRows

DUE: Final = sa.text("due_at IS NOT NULL")
"""What somebody still has to do something about: few rows, with an index of their own."""

OPEN: Final = sa.text("phase <> 'ended'")
"""Charges by which money may still move."""

charges = sa.Table(
    "charges",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("order_id", RowId, sa.ForeignKey("orders.id"), nullable=False, unique=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("owner_id", RowId, nullable=False),
    sa.Column("instrument", Json, nullable=False),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("ending", sa.String(16)),
    sa.Column("last_outcome", sa.String(16)),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("called_at", Moment),
    sa.Column("call_count", sa.Integer, nullable=False, default=0),
    sa.Column("ask_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("journal", Json),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_charges_due", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    sa.Index("ix_charges_open", "kind", "phase", postgresql_where=OPEN, sqlite_where=OPEN),
    sa.Index("ix_charges_owner", "kind", "owner_id"),
    one_of("kind", ChargeKind),
    one_of("phase", Phase),
)


def insert_charge(tx: Tx, values: Mapping[str, Any]) -> int:
    """Adds a charge; its row id."""
    added = tx.execute(sa.insert(charges).values(**values).returning(charges.c.id))
    return cast("int", added.scalar_one())


def update_charge(tx: Tx, charge_id: int, **values: Any) -> None:
    """Writes the given columns of one charge."""
    tx.execute(sa.update(charges).where(charges.c.id == charge_id).values(**values))


def find_charge(tx: Tx, charge_id: int) -> Charge | None:
    """The charge with that row id."""
    return _one(tx, charges.c.id == charge_id)


def charge_of_order(tx: Tx, order_id: int) -> Charge | None:
    """The charge by which that order is paid."""
    return _one(tx, charges.c.order_id == order_id)


def _one(tx: Tx, condition: sa.ColumnElement[bool]) -> Charge | None:
    row = tx.execute(sa.select(charges).where(condition)).mappings().first()
    return None if row is None else charge_of(row)


def list_charges(tx: Tx, kind: ChargeKind, owner_id: int) -> Sequence[Charge]:
    """All charges of one hold or agreement, oldest first."""
    rows = tx.execute(
        sa.select(charges)
        .where(charges.c.kind == kind.value, charges.c.owner_id == owner_id)
        .order_by(charges.c.id)
    ).mappings()
    return [charge_of(row) for row in rows]


DUE_ROWS: Final = DueRows(charges)


def doubt_all(tx: Tx, now: datetime) -> int:
    """Every charge that has not ended is asked about before anything is sent again.

    For books that were restored: what was sent since the copy was made is not in them.
    """
    doubted = tx.execute(
        sa.update(charges)
        .where(charges.c.phase != Phase.ENDED.value)
        .values(
            phase=Phase.ASKING.value,
            # An outcome that nobody knows: whatever is called from now on is the second call.
            call_count=charges.c.call_count + 1,
            last_outcome=Outcome.UNKNOWN.value,
            due_at=now,
            updated_at=now,
        )
    )
    return doubted.rowcount


def charge_of(row: Mapping[Any, Any]) -> Charge:
    """A row of ``charges`` as a `Charge`."""
    typed = ("kind", "phase", "ending", "last_outcome", "journal")
    plain = {name: row[name] for name in Charge.__dataclass_fields__ if name not in typed}
    return Charge(
        kind=ChargeKind(row["kind"]),
        phase=Phase(row["phase"]),
        ending=None if row["ending"] is None else Ending(row["ending"]),
        last_outcome=None if row["last_outcome"] is None else Outcome(row["last_outcome"]),
        journal=tuple(row["journal"] or ()),
        **plain,
    )
