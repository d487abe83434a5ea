"""The tables of the hot path have no foreign keys, and keep their rows in one piece."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FOREIGN_KEYS: Final = {
    "inbox_notifications": ("fk_inbox_notifications_merchant_id",),
    "events": ("fk_events_merchant_id", "fk_events_order_id"),
    "order_steps": ("fk_order_steps_order_id",),
    "webhook_deliveries": ("fk_webhook_deliveries_event_number",),
}

WHOLE_ROWS: Final = ("inbox_notifications", "orders", "order_steps", "events")
"""Rows of these may be a little over 2 kB. What is sealed does not compress, and a second table
for the rest of a row costs more than a page that holds fewer rows."""

HAS_CART: Final = sa.text("cart_ref IS NOT NULL")


def upgrade() -> None:
    """Takes the tables one revision forward."""
    if op.get_bind().dialect.name == "postgresql":
        for table, names in FOREIGN_KEYS.items():
            for name in names:
                op.drop_constraint(name, table, type_="foreignkey")
        for table in WHOLE_ROWS:
            op.execute(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")
        op.execute("ALTER TABLE inbox_notifications ALTER COLUMN body_sealed SET STORAGE EXTERNAL")
    else:
        _forget_on_sqlite()
    op.drop_index("ix_orders_merchant_id_cart_ref", "orders")
    op.create_index(
        "ix_orders_merchant_id_cart_ref",
        "orders",
        ["merchant_id", "cart_ref"],
        unique=False,
        postgresql_where=HAS_CART,
        sqlite_where=HAS_CART,
    )


def _forget_on_sqlite() -> None:
    """Takes the constraints out of the schema's text: no row changes, so none is copied.

    The procedure that SQLite itself gives for this (lang_altertable.html, section 7).
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    for table, names in FOREIGN_KEYS.items():
        text = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
        ).scalar_one()
        for name in names:
            constraint = rf",\s*CONSTRAINT {name} FOREIGN KEY\(\w+\) REFERENCES \w+ \(\w+\)"
            text, found = re.subn(constraint, "", text)
            if found != 1:
                raise RuntimeError(f"{table} has no constraint {name}: {text}")
        connection.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", (text, table)
        )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")
    if (said := connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()) != "ok":
        raise RuntimeError(f"SQLite does not like its new schema: {said}")
