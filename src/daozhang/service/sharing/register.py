"""Receivers and plans as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.db import (
    Json,
    Moment,
    RowId,
    Tx,
    insert_ignoring,
    metadata,
    one_of,
)
from daozhang.service.due import DueRows
from daozhang.service.sharing.model import (
    Mode,
    Part,
    Plan,
    Receiver,
    ReceiverStatus,
    ReceiverType,
    ReturnOrder,
)
from daozhang.service.sharing.store import IS_DUE

share_receivers = sa.Table(
    "share_receivers",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("name", sa.String(64)),
    sa.Column("memo", sa.String(200)),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("call_count", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Moment),
    sa.Column("last_code", sa.String(128)),
    sa.Column("last_message", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("merchant_id", "account"),
    sa.Index("ix_share_receivers_due", "due_at", postgresql_where=IS_DUE, sqlite_where=IS_DUE),
    one_of("type", ReceiverType),
    one_of("status", ReceiverStatus),
)

share_plans = sa.Table(
    "share_plans",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("merchant_id", "name"),
)


def insert_receiver(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Adds a receiver; its row id, or ``None`` if the merchant has one of that account."""
    added = insert_ignoring(tx, share_receivers, [values], share_receivers.c.id)
    return cast("int", added[0]) if added else None


def update_receiver(tx: Tx, receiver_id: int, **values: Any) -> None:
    """Writes the given columns of one receiver."""
    tx.execute(
        sa.update(share_receivers).where(share_receivers.c.id == receiver_id).values(**values)
    )


def find_receiver(tx: Tx, merchant_id: int, account: str) -> Receiver | None:
    """The merchant's receiver of that account."""
    c = share_receivers.c
    return _receiver(tx, c.merchant_id == merchant_id, c.account == account)


def find_receiver_by_id(tx: Tx, receiver_id: int) -> Receiver | None:
    """The receiver with that row id."""
    return _receiver(tx, share_receivers.c.id == receiver_id)


def _receiver(tx: Tx, *conditions: sa.ColumnElement[bool]) -> Receiver | None:
    row = tx.execute(sa.select(share_receivers).where(*conditions)).mappings().first()
    return None if row is None else _receiver_of(row)


def list_receivers(tx: Tx, merchant_id: int) -> list[Receiver]:
    """The merchant's receivers, oldest first."""
    wanted = sa.select(share_receivers).where(share_receivers.c.merchant_id == merchant_id)
    rows = tx.execute(wanted.order_by(share_receivers.c.id)).mappings()
    return [_receiver_of(row) for row in rows]


def _receiver_of(row: Mapping[Any, Any]) -> Receiver:
    plain = {n: row[n] for n in Receiver.__dataclass_fields__ if n not in ("type", "status")}
    return Receiver(type=ReceiverType(row["type"]), status=ReceiverStatus(row["status"]), **plain)


def save_plan(tx: Tx, merchant_id: int, plan: Plan, now: datetime) -> None:
    """Writes a plan down; one of that name is replaced. What was shared by it stays as it was."""
    c, changed = share_plans.c, {"content": plan_json(plan), "updated_at": now}
    row = {"merchant_id": merchant_id, "name": plan.name, "created_at": now, **changed}
    if not insert_ignoring(tx, share_plans, [row], c.id):
        known = (c.merchant_id == merchant_id, c.name == plan.name)
        tx.execute(sa.update(share_plans).where(*known).values(**changed))


def find_plan(tx: Tx, merchant_id: int, name: str) -> Plan | None:
    """The merchant's plan of that name."""
    c = share_plans.c
    wanted = sa.select(share_plans).where(c.merchant_id == merchant_id, c.name == name)
    row = tx.execute(wanted).mappings().first()
    return None if row is None else plan_of(row["name"], row["content"])


def list_plans(tx: Tx, merchant_id: int) -> list[Plan]:
    """The merchant's plans, by name."""
    wanted = sa.select(share_plans).where(share_plans.c.merchant_id == merchant_id)
    rows = tx.execute(wanted.order_by(share_plans.c.name)).mappings()
    return [plan_of(row["name"], row["content"]) for row in rows]


def plan_json(plan: Plan) -> dict[str, Any]:
    """``plan`` as the column keeps it."""
    parts = [
        {
            "account": part.account,
            "amount_minor": None if part.amount is None else part.amount.minor,
            "basis_points": part.basis_points,
        }
        for part in plan.parts
    ]
    return {
        "parts": parts,
        "pool_basis_points": plan.pool_basis_points,
        "rounding": plan.rounding,
        "mode": plan.mode.value,
        "finishes": plan.finishes,
        "returns": plan.returns.value,
    }


def plan_of(name: str, kept: Mapping[str, Any]) -> Plan:
    """What the column has kept, as a `Plan`."""
    return Plan(
        name=name,
        parts=tuple(
            Part(
                part["account"],
                None if part["amount_minor"] is None else Money(part["amount_minor"]),
                part["basis_points"],
            )
            for part in kept["parts"]
        ),
        pool_basis_points=kept["pool_basis_points"],
        rounding=kept["rounding"],
        mode=Mode(kept["mode"]),
        finishes=kept["finishes"],
        returns=ReturnOrder(kept["returns"]),
    )


# ---- what is due


DUE_ROWS: Final = DueRows(share_receivers)
"""Receivers whose relation is to be made or ended."""
