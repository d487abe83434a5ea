"""Resealing: every sealed value under the current sealing key, so that an older one can go.

Stands beside ``schema``: it knows every table that holds something sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.inbox.recording import sealed_to
from daozhang.service.inbox.store import notifications, refused_notifications
from daozhang.service.keys.changing import sealed_new_key
from daozhang.service.keys.drafts import sealed_draft
from daozhang.service.keys.store import changes, drafts
from daozhang.service.merchants.credentials import (
    sealed_auth_token,
    sealed_encrypt_key,
    sealed_private_key,
)
from daozhang.service.merchants.store import apps, merchants
from daozhang.service.people.signing_in import sealed_totp
from daozhang.service.people.store import people
from daozhang.service.receipts.actions import sealed_receipt as sealed_account_receipt
from daozhang.service.receipts.store import account_receipts
from daozhang.service.seal import Sealer
from daozhang.service.transfers.batch_store import transfer_receipts
from daozhang.service.transfers.payees import sealed_payee
from daozhang.service.transfers.receipts import sealed_receipt
from daozhang.service.transfers.store import transfers
from daozhang.service.webhooks.actions import sealed_secret, sealed_signing_key
from daozhang.service.webhooks.store import endpoints as webhook_endpoints
from daozhang.service.webhooks.store import secrets as webhook_secrets

BATCH_ROWS_MAX: Final = 200
"""Rows in one transaction: on SQLite nobody else writes meanwhile."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column with sealed values, and what a row's value is sealed to."""

    column: sa.Column[bytes]
    bound_to: Callable[[sa.Row[tuple[object, ...]]], str]


SEALED: Final = (
    Sealed(people.c.totp_sealed, lambda row: sealed_totp(row.id)),
    Sealed(apps.c.private_key_sealed, lambda row: sealed_private_key(row.environment, row.app_id)),
    Sealed(apps.c.encrypt_key_sealed, lambda row: sealed_encrypt_key(row.environment, row.app_id)),
    Sealed(drafts.c.content_sealed, lambda row: sealed_draft(row.public_id)),
    Sealed(changes.c.private_key_sealed, lambda row: sealed_new_key(row.public_id)),
    Sealed(merchants.c.app_auth_token_sealed, lambda row: sealed_auth_token(row.slug)),
    Sealed(
        notifications.c.body_sealed,
        lambda row: sealed_to(row.merchant_id, row.notify_id, row.content_hash),
    ),
    Sealed(webhook_endpoints.c.signing_key_sealed, lambda row: sealed_signing_key(row.public_id)),
    Sealed(webhook_secrets.c.secret_sealed, lambda row: sealed_secret(row.endpoint_id)),
    Sealed(
        transfers.c.payee_sealed,
        lambda row: sealed_payee(row.environment, row.seller_id, row.out_biz_no),
    ),
    Sealed(transfer_receipts.c.pdf_sealed, lambda row: sealed_receipt(row.transfer_id)),
    Sealed(
        account_receipts.c.pdf_sealed,
        lambda row: sealed_account_receipt(row.environment, row.seller_id, row.kind, row.key),
    ),
    Sealed(refused_notifications.c.body_sealed, lambda row: f"refused:{row.merchant_id}"),
)
"""Every sealed column there is; a test compares it with the tables."""


def reseal_all(database: Database, sealer: Sealer) -> dict[str, int]:
    """Seals again what older keys hold, in batches. How many values of each column it was."""
    return {
        f"{sealed.column.table.name}.{sealed.column.name}": _reseal_column(database, sealer, sealed)
        for sealed in SEALED
    }


def _reseal_column(database: Database, sealer: Sealer, sealed: Sealed) -> int:
    done, after_id = 0, 0
    while True:
        count, last_id = _reseal_batch(database, sealer, sealed, after_id)
        done += count
        if last_id is None:
            return done
        after_id = last_id


def _reseal_batch(
    database: Database, sealer: Sealer, sealed: Sealed, after_id: int
) -> tuple[int, int | None]:
    table, column = sealed.column.table, sealed.column
    some = (
        sa.select(table)
        # Empty: it was sealed, and has been forgotten (retention).
        .where(table.c.id > after_id, sa.func.length(column) > 0)
        .order_by(table.c.id)
        .limit(BATCH_ROWS_MAX)
        .with_for_update()
    )
    count, last_id = 0, None
    with database.begin() as tx:
        for row in tx.execute(some).all():
            last_id = row.id
            blob = getattr(row, column.name)
            if sealer.needs_reseal(blob):
                bound_to = sealed.bound_to(row)
                again = sealer.seal(sealer.open(blob, bound_to), bound_to)
                tx.execute(sa.update(table).where(table.c.id == row.id).values({column: again}))
                count += 1
    return count, last_id
