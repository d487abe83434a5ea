"""Apps and merchants as rows. Rows are never deleted: a slug or an app id stays spoken for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.merchants.model import (
    App,
    DuplicatePolicy,
    LatePolicy,
    Merchant,
    OutgoingSwitch,
)

apps = sa.Table(
    "apps",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("app_id", sa.String(32), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("private_key_sealed", sa.LargeBinary, nullable=False),
    sa.Column("encrypt_key_sealed", sa.LargeBinary),
    sa.Column("alipay_public_key", sa.Text),
    sa.Column("app_cert", sa.Text),
    sa.Column("alipay_cert", sa.Text),
    sa.Column("alipay_root_cert", sa.Text),
    sa.Column("gateway_url", sa.Text),
    sa.Column("v3_base_url", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("retired_at", Moment),
    sa.Column("former_alipay_public_key", sa.Text),
    sa.Column("former_alipay_until", Moment),
    sa.UniqueConstraint("environment", "app_id"),
)

merchants = sa.Table(
    "merchants",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("slug", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("app_row", RowId, sa.ForeignKey("apps.id"), nullable=False),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("auth_app_id", sa.String(32)),
    sa.Column("app_auth_token_sealed", sa.LargeBinary),
    sa.Column("late_policy", sa.String(16), nullable=False),
    sa.Column("duplicate_policy", sa.String(16), nullable=False),
    sa.Column("second_person_order_minor", sa.BigInteger),
    sa.Column("second_person_day_minor", sa.BigInteger),
    sa.Column("second_person_shift_minor", sa.BigInteger),
    sa.Column("share_percent_max", sa.Integer, nullable=False, server_default=sa.text("30")),
    sa.Column("share_plan", sa.String(64)),
    sa.Column("share_cover", sa.String(16), nullable=False, server_default=sa.text("'person'")),
    sa.Column("direct_pay", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("answered_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("retired_at", Moment),
    one_of("late_policy", LatePolicy),
    one_of("duplicate_policy", DuplicatePolicy),
)

outgoing_switches = sa.Table(
    "outgoing_switches",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("allowed", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String(256), nullable=False),
    sa.Column("changed_by", sa.String(64), nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Index("ix_outgoing_switches_merchant_id", "merchant_id", "id"),
)
"""Each turn of the switch for outgoing money, for ever; a merchant's newest row is how it stands."""

_newer = outgoing_switches.alias("newer")

STOPPED: Final = (
    sa.select(outgoing_switches.c.merchant_id)
    .where(
        outgoing_switches.c.allowed.is_(False),
        ~sa.exists().where(
            _newer.c.merchant_id == outgoing_switches.c.merchant_id,
            _newer.c.id > outgoing_switches.c.id,
        ),
    )
    .scalar_subquery()
)
"""The merchants from whom no money may go out now."""


def lock_switch(tx: Tx, merchant_id: int, *, to_turn: bool) -> None:
    """Holds the merchant's switch as it stands until the end of ``tx``.

    Who reads it holds it beside others who read; who turns it waits for them, and they for him.
    SQLite has one writer, who holds everything.
    """
    row = sa.select(merchants.c.id).where(merchants.c.id == merchant_id)
    # Neither hinders rows elsewhere that merely point to the merchant.
    row = row.with_for_update(key_share=True) if to_turn else row.with_for_update(read=True)
    tx.execute(row).one()


def insert_switch(tx: Tx, values: dict[str, Any]) -> None:
    """Writes down one turn of a switch."""
    tx.execute(sa.insert(outgoing_switches).values(**values))


def list_switches(tx: Tx, merchant_id: int, rows_max: int) -> list[OutgoingSwitch]:
    """The merchant's last turns of the switch, newest first."""
    rows = tx.execute(
        sa.select(outgoing_switches)
        .where(outgoing_switches.c.merchant_id == merchant_id)
        .order_by(outgoing_switches.c.id.desc())
        .limit(rows_max)
    ).mappings()
    return [
        OutgoingSwitch(row["allowed"], row["reason"], row["changed_by"], row["changed_at"])
        for row in rows
    ]


def insert_app(tx: Tx, values: dict[str, Any]) -> int | None:
    """Writes an App; its row's number, None if the app id is there in that environment."""
    inserted = insert_ignoring(tx, apps, [values], apps.c.id)
    return int(inserted[0]) if inserted else None


def insert_merchant(tx: Tx, values: dict[str, Any]) -> int | None:
    """Writes a Merchant; its row's number, None if the slug was used before."""
    inserted = insert_ignoring(tx, merchants, [values], merchants.c.id)
    return int(inserted[0]) if inserted else None


def update_merchant(tx: Tx, merchant_id: int, **values: Any) -> None:
    """Changes columns of a merchant."""
    tx.execute(sa.update(merchants).where(merchants.c.id == merchant_id).values(**values))


def update_app(tx: Tx, app_row: int, **values: Any) -> None:
    """Changes columns of an app."""
    tx.execute(sa.update(apps).where(apps.c.id == app_row).values(**values))


def lock_app(tx: Tx, app_row: int) -> App | None:
    """The App of that row, held until the end of ``tx``."""
    wanted = sa.select(apps).where(apps.c.id == app_row).with_for_update(key_share=True)
    row = tx.execute(wanted).mappings().first()
    return None if row is None else App(**row)


def note_answer(tx: Tx, merchant_id: int, at: datetime) -> None:
    """Writes down that Alipay answered for a merchant, unless something later stands there."""
    c = merchants.c
    earlier = sa.or_(c.answered_at.is_(None), c.answered_at < at)
    tx.execute(sa.update(merchants).where(c.id == merchant_id, earlier).values(answered_at=at))


def list_apps(tx: Tx) -> list[App]:
    """All Apps, oldest first."""
    return [App(**row) for row in tx.execute(sa.select(apps).order_by(apps.c.id)).mappings()]


def list_merchants(tx: Tx) -> list[Merchant]:
    """All Merchants, oldest first."""
    query = _joined().order_by(merchants.c.id)
    return [_merchant(row) for row in tx.execute(query).mappings()]


def find_app(tx: Tx, app_id: str, environment: str | None = None) -> list[App]:
    """The Apps of that number: one, or one in each environment, or none."""
    return [
        app
        for app in list_apps(tx)
        if app.app_id == app_id and environment in (None, app.environment)
    ]


def find_merchant_by_id(tx: Tx, merchant_id: int) -> Merchant:
    """The merchant of that row, retired or not; rows that point to it keep it there."""
    query = _joined().where(merchants.c.id == merchant_id)
    return _merchant(tx.execute(query).mappings().one())


def find_merchant(tx: Tx, slug: str) -> Merchant | None:
    """The Merchant of that slug."""
    return next((found for found in list_merchants(tx) if found.slug == slug), None)


def _joined() -> sa.Select[Any]:
    return sa.select(merchants, apps.c.app_id).join(apps, apps.c.id == merchants.c.app_row)


def _merchant(row: sa.RowMapping) -> Merchant:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    values["late_policy"] = LatePolicy(values["late_policy"])
    values["duplicate_policy"] = DuplicatePolicy(values["duplicate_policy"])
    return Merchant(**values)
