"""All tables of the service, gathered: what migrations are made from and compared with."""

from __future__ import annotations

from typing import Final

from daozhang.service import progress, standing
from daozhang.service.agreements import store as agreements_store
from daozhang.service.approvals import store as approvals_store
from daozhang.service.audit import store as audit_store
from daozhang.service.auth import store as auth_store
from daozhang.service.banking import store as banking_store
from daozhang.service.bills import store as bills_store
from daozhang.service.charges import store as charges_store
from daozhang.service.closing import store as closing_store
from daozhang.service.db import metadata
from daozhang.service.exports import store as exports_store
from daozhang.service.holds import store as holds_store
from daozhang.service.inbox import store as inbox_store
from daozhang.service.keys import store as keys_store
from daozhang.service.ledger import store as ledger_store
from daozhang.service.merchants import store as merchants_store
from daozhang.service.orders import store as orders_store
from daozhang.service.orders import surprises
from daozhang.service.outbox import store as outbox_store
from daozhang.service.overview import store as overview_store
from daozhang.service.paylinks import store as paylinks_store
from daozhang.service.people import store as people_store
from daozhang.service.receipts import store as receipts_store
from daozhang.service.reconciliation import store as reconciliation_store
from daozhang.service.refunds import store as refunds_store
from daozhang.service.retention import store as retention_store
from daozhang.service.search import store as search_store
from daozhang.service.settlements import store as settlements_store
from daozhang.service.sharing import register as share_register
from daozhang.service.sharing import store as shares_store
from daozhang.service.shifts import store as shifts_store
from daozhang.service.till import store as till_store
from daozhang.service.transfers import batch_store as transfer_batches_store
from daozhang.service.transfers import store as transfers_store
from daozhang.service.watch import store as watch_store
from daozhang.service.web import idempotency
from daozhang.service.webhooks import store as webhooks_store

STORES: Final = (
    agreements_store,
    approvals_store,
    audit_store,
    auth_store,
    banking_store,
    bills_store,
    charges_store,
    closing_store,
    exports_store,
    holds_store,
    idempotency,
    inbox_store,
    keys_store,
    ledger_store,
    merchants_store,
    orders_store,
    outbox_store,
    overview_store,
    paylinks_store,
    people_store,
    progress,
    receipts_store,
    reconciliation_store,
    refunds_store,
    retention_store,
    search_store,
    settlements_store,
    share_register,
    shares_store,
    shifts_store,
    standing,
    surprises,
    till_store,
    transfer_batches_store,
    transfers_store,
    webhooks_store,
    watch_store,
)
"""Every module that defines tables; importing them fills `metadata`."""

__all__ = ["STORES", "metadata"]
