"""Keeping what is not believed, within bounds."""

from __future__ import annotations

import structlog

from daozhang.alipay.errors import Untrusted
from daozhang.clock import business_day
from daozhang.service.inbox import store
from daozhang.service.merchants.model import Merchant
from daozhang.service.web.context import Context

log = structlog.get_logger(__name__)


def keep_refused(context: Context, merchant: Merchant, body: bytes, refused: Untrusted) -> None:
    """Counts refused bytes by reason and keeps them in the merchant's bounded sample, sealed."""
    now = context.clock.now()
    log.warning("notification_refused", merchant=merchant.slug, reason=refused.reason.value)
    with context.database.begin() as tx:
        values = {
            "merchant_id": merchant.id,
            "reason": refused.reason.value,
            "detail": str(refused)[:1000],
            "body_sealed": context.sealer.seal(body, f"refused:{merchant.id}"),
            "received_at": now,
        }
        store.insert_refused(tx, values, business_day(now))
