"""All routes of the service, gathered."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from daozhang.service.agreements.routes import router as agreements_router
from daozhang.service.announced import router as announced_router
from daozhang.service.banking.routes import router as banking_router
from daozhang.service.bills.routes import router as bills_router
from daozhang.service.closing.routes import router as closing_router
from daozhang.service.holds.routes import router as holds_router
from daozhang.service.inbox import message_routes, returning
from daozhang.service.inquiries.orderinfo import router as orderinfo_router
from daozhang.service.inquiries.routes import router as inquiries_router
from daozhang.service.journal.routes import router as journal_router
from daozhang.service.ledger.routes import router as ledger_router
from daozhang.service.merchants.routes import router as merchants_router
from daozhang.service.mini.routes import router as mini_router
from daozhang.service.orders import paying, watching
from daozhang.service.orders.routes import router as orders_router
from daozhang.service.outbox.routes import router as outbox_router
from daozhang.service.paylinks.routes import router as paylinks_router
from daozhang.service.payouts.routes import router as payouts_router
from daozhang.service.receipts.routes import router as receipts_router
from daozhang.service.reconciliation.routes import router as reconciliation_router
from daozhang.service.refunds.routes import router as refunds_router
from daozhang.service.reports.routes import router as reports_router
from daozhang.service.settlements.routes import router as settlements_router
from daozhang.service.sharing.register_routes import router as sharing_router
from daozhang.service.sharing.routes import router as shares_router
from daozhang.service.story.routes import router as story_router
from daozhang.service.surprises.routes import router as surprises_router
from daozhang.service.till.code_routes import router as codes_router
from daozhang.service.till.routes import router as till_router
from daozhang.service.transfers.batch_routes import router as transfer_batches_router
from daozhang.service.transfers.routes import router as transfers_router
from daozhang.service.watch.at_risk import router as at_risk_router
from daozhang.service.web import pages
from daozhang.service.webhooks import routes as webhooks

DESCRIPTION = (
    "Takes Alipay payments and never loses one. Amounts are text in the currency's major unit "
    '(`"88.88"`), times are RFC 3339, errors are `application/problem+json` with a stable `code`.'
)

_PROBLEM: Final[dict[str, Any]] = {
    "description": "A no, with a stable `code` (docs/reference/errors.md).",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "code", "title", "status", "detail", "detail_zh", "instance"],
                "properties": {
                    "status": {"type": "integer"},
                    **{
                        name: {"type": "string"}
                        for name in ("type", "code", "title", "detail", "detail_zh", "instance")
                    },
                },
            }
        }
    },
}

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {422: _PROBLEM, "4XX": _PROBLEM}
"""What every operation may answer beside its own yes (RFC 9457)."""


def add_routes(app: FastAPI) -> None:
    """Hangs every route into ``app``, but for the notifications' door, which stands before it."""
    app.router.routes.extend(_all().routes)


@cache
def _all() -> APIRouter:
    """Every route. They keep nothing of the application that they hang in, and FastAPI works out for
    each what it takes and gives: a fifth of a second for all, once in a process."""
    every = APIRouter(responses=PROBLEMS)
    # In this order a request looks for its route: what is called for every payment comes first.
    for router in (orders_router, codes_router, till_router, watching.router, paying.router):
        every.include_router(router)
    for router in (inquiries_router, refunds_router, story_router, outbox_router):
        every.include_router(router)
    every.include_router(orderinfo_router)
    every.include_router(announced_router)
    every.include_router(at_risk_router)
    every.include_router(surprises_router)
    every.include_router(merchants_router)
    every.include_router(ledger_router)
    every.include_router(payouts_router)
    every.include_router(journal_router)
    every.include_router(bills_router)
    every.include_router(reconciliation_router)
    every.include_router(receipts_router)
    every.include_router(closing_router)
    every.include_router(banking_router)
    every.include_router(reports_router)
    every.include_router(webhooks.router)
    every.include_router(webhooks.deliveries_router)
    every.include_router(paylinks_router)
    every.include_router(message_routes.router)
    every.include_router(returning.router)
    every.include_router(mini_router)
    every.include_router(shares_router)
    every.include_router(settlements_router)
    every.include_router(sharing_router)
    every.include_router(holds_router)
    every.include_router(agreements_router)
    every.include_router(transfers_router)
    every.include_router(transfer_batches_router)
    every.include_router(pages.router)
    return every
