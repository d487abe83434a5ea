"""How far forgetting has come, and the rows that it goes through.

Rows are gone through in the order of their numbers, which is that of time. So no index is needed
for it, and notifications cost no more for being forgotten one day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.agreements.model import AgreementStatus
from daozhang.service.agreements.store import agreement_steps, agreements
from daozhang.service.bulk import update_rows
from daozhang.service.charges.model import ChargeKind
from daozhang.service.charges.store import charges
from daozhang.service.db import RowId, Tx, insert_ignoring, metadata
from daozhang.service.holds.model import HoldStatus
from daozhang.service.holds.store import hold_steps, holds
from daozhang.service.inbox.model import FORGOTTEN, SETTLED_STATUSES
from daozhang.service.inbox.store import notifications, refused_notifications
from daozhang.service.orders.store import order_of, order_steps, orders
from daozhang.service.retention.rules import without_buyer, without_names
from daozhang.service.search.rules import personal_numbers_of
from daozhang.service.search.store import delete_numbers

marks = sa.Table(
    "retention_marks",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("after_id", RowId, nullable=False),
)
"""Up to which row each kind has been gone through."""


def lock_mark(tx: Tx, name: str) -> int:
    """Up to which row ``name`` has come; nobody else goes on with it before the end of ``tx``."""
    insert_ignoring(tx, marks, [{"name": name, "after_id": 0}], marks.c.name)
    wanted = sa.select(marks.c.after_id).where(marks.c.name == name).with_for_update()
    return int(tx.execute(wanted).scalar_one())


_ALL_MARKS: Final = sa.select(marks.c.name, marks.c.after_id)


def read_marks(tx: Tx) -> Mapping[str, int]:
    """Up to which row each kind has come, held for nobody; nothing of one that nobody has begun."""
    return {row.name: row.after_id for row in tx.execute(_ALL_MARKS)}


def move_mark(tx: Tx, name: str, after_id: int) -> None:
    """All rows up to ``after_id`` have been gone through."""
    tx.execute(sa.update(marks).where(marks.c.name == name).values(after_id=after_id))


def _after(table: sa.Table, at: sa.Column[datetime]) -> sa.Select[Any, datetime]:
    wanted = sa.select(table.c.id.label("row_id"), at.label("at"))
    following = wanted.where(table.c.id > sa.bindparam("after_id"))
    return following.order_by(table.c.id).limit(sa.bindparam("rows_max"))


_NOTIFICATIONS_AFTER: Final = _after(notifications, notifications.c.received_at)
_STEPS_AFTER: Final = _after(order_steps, order_steps.c.at)
_HOLD_STEPS_AFTER: Final = _after(hold_steps, hold_steps.c.at)
_AGREEMENT_STEPS_AFTER: Final = _after(agreement_steps, agreement_steps.c.at)


def _list_after(
    tx: Tx, following: sa.Select[Any, datetime], after_id: int, rows_max: int
) -> list[tuple[int, datetime]]:
    rows = tx.execute(following, {"after_id": after_id, "rows_max": rows_max})
    return [(row.row_id, row.at) for row in rows]


def list_notifications_after(tx: Tx, after_id: int, rows_max: int) -> list[tuple[int, datetime]]:
    """The next notifications, by number, and when they came."""
    return _list_after(tx, _NOTIFICATIONS_AFTER, after_id, rows_max)


def list_steps_after(tx: Tx, after_id: int, rows_max: int) -> list[tuple[int, datetime]]:
    """The next steps, by number, and when each was taken."""
    return _list_after(tx, _STEPS_AFTER, after_id, rows_max)


def forget_notifications(tx: Tx, ids: Sequence[int]) -> None:
    """Takes the raw bytes and the fact out of those that are settled: the step has what counts."""
    tx.execute(
        sa.update(notifications)
        .where(notifications.c.id.in_(ids), notifications.c.status.in_(SETTLED_STATUSES))
        .values(body_sealed=FORGOTTEN, fact=sa.null())
    )


def forget_buyers(tx: Tx, step_ids: Sequence[int]) -> None:
    """Takes out of the orders of these steps what says who paid."""
    of_steps = sa.select(order_steps.c.order_id).where(order_steps.c.id.in_(step_ids))
    rows = tx.execute(
        sa.select(orders)
        .where(orders.c.id.in_(of_steps), orders.c.payment.is_not(None))
        .order_by(orders.c.id)
        .with_for_update()
    ).mappings()
    changed: list[dict[str, Any]] = []
    for row in rows.all():
        if (kept := without_buyer(row["payment"])) is not None:
            changed.append({"id": row["id"], "payment": kept})
            # Nor is the order found any more by who paid.
            names = personal_numbers_of(order_of(row))
            delete_numbers(tx, row["merchant_id"], row["id"], names)
    update_rows(tx, orders, changed)


def list_hold_steps_after(tx: Tx, after_id: int, rows_max: int) -> list[tuple[int, datetime]]:
    """The next steps of holds, by number, and when each was taken."""
    return _list_after(tx, _HOLD_STEPS_AFTER, after_id, rows_max)


def list_agreement_steps_after(tx: Tx, after_id: int, rows_max: int) -> list[tuple[int, datetime]]:
    """The next steps of agreements, by number, and when each was taken."""
    return _list_after(tx, _AGREEMENT_STEPS_AFTER, after_id, rows_max)


def forget_payers(tx: Tx, step_ids: Sequence[int]) -> None:
    """Takes out of the holds of these steps what says whose money it was, if they have ended: one that
    has not has later steps."""
    of_steps = sa.select(hold_steps.c.hold_id).where(hold_steps.c.id.in_(step_ids))
    over = holds.c.status.in_((HoldStatus.FINISHED.value, HoldStatus.CLOSED.value))
    ended = tx.execute(
        sa.update(holds)
        .where(holds.c.id.in_(of_steps), over)
        .values(payer_user_id=None, payer_open_id=None, payer_logon_id=None)
        .returning(holds.c.id)
    )
    _forget_in_charges(tx, ChargeKind.HOLD, list(ended.scalars()))


def forget_signers(tx: Tx, step_ids: Sequence[int]) -> None:
    """Takes out of the agreements of these steps what says who signed, if they have ended."""
    of_steps = sa.select(agreement_steps.c.agreement_id).where(agreement_steps.c.id.in_(step_ids))
    over = agreements.c.status.in_((AgreementStatus.ENDED.value, AgreementStatus.EXPIRED.value))
    ended = tx.execute(
        sa.update(agreements)
        .where(agreements.c.id.in_(of_steps), over)
        .values(buyer_id=None, buyer_open_id=None, buyer_logon_id=None, external_logon_id=None)
        .returning(agreements.c.id)
    )
    _forget_in_charges(tx, ChargeKind.AGREEMENT, list(ended.scalars()))


def _forget_in_charges(tx: Tx, kind: ChargeKind, owner_ids: Sequence[int]) -> None:
    rows = tx.execute(
        sa.select(charges.c.id, charges.c.instrument)
        .where(charges.c.kind == kind.value, charges.c.owner_id.in_(owner_ids))
        .order_by(charges.c.id)
        .with_for_update()
    ).all()
    changed: list[dict[str, Any]] = [
        {"id": row.id, "instrument": kept}
        for row in rows
        if (kept := without_names(row.instrument)) is not None
    ]
    update_rows(tx, charges, changed)


def delete_refused(tx: Tx, received_until: datetime, rows_max: int) -> int:
    """Deletes samples of refused bodies; how many. The counts by day and reason stay."""
    old = (
        sa.select(refused_notifications.c.id)
        .where(refused_notifications.c.received_at <= received_until)
        .limit(rows_max)
    )
    return tx.execute(
        sa.delete(refused_notifications).where(refused_notifications.c.id.in_(old))
    ).rowcount


_OLDEST_REFUSED: Final = sa.select(sa.func.min(refused_notifications.c.received_at))


def oldest_refused(tx: Tx) -> datetime | None:
    """When the oldest sample came; there are few for each merchant."""
    return tx.execute(_OLDEST_REFUSED).scalar()
