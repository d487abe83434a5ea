"""The page to which Alipay sends the buyer back. It shows what we know and proves nothing.

The query string is signed by Alipay but may be replayed, and precedes the money; so the page says
"confirming" until a fact is in, and never ships on what the address says (protocol.md §7).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from daozhang.alipay.errors import Untrusted
from daozhang.alipay.returns import verify_return
from daozhang.service.merchants.clients import clients_of
from daozhang.service.orders.model import Order
from daozhang.service.orders.routes import render
from daozhang.service.orders.store import find_order_of_merchant, update_order
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.pages import page_response, problem_page, return_page

ASK_AGAIN_SECONDS: Final = 10
"""A returning buyer brings the next question forward, but not more often than this."""

router = APIRouter(include_in_schema=False)


@router.get("/alipay/return/{merchant}")
def receive_return(request: Request, merchant: str) -> Response:
    """Shows the buyer where the payment stands, and keeps showing it as it changes."""
    context = context_of(request)
    clients = clients_of(request)
    found = clients.merchant_by_slug(merchant)
    if found is None:
        return page_response(problem_page("link_invalid"), 404)
    try:
        returned = verify_return(request.url.query, clients.verifying_keys_for(found))
    except Untrusted:
        return page_response(problem_page("link_invalid"), 400)
    with context.database.read() as tx:
        order = find_order_of_merchant(tx, found.id, returned.out_trade_no)
    if order is None:
        return page_response(problem_page("link_invalid"), 404)
    _ask_soon(context, order)
    # A code in the shop's own page is a frame, and Alipay leads that frame back here.
    framed_by = context.settings.cors_origins
    return page_response(return_page(render(context, order, found.slug)), framed_by=framed_by)


def _ask_soon(context: Context, order: Order) -> None:
    """Brings the next question about an open order forward, within bounds."""
    now = context.clock.now()
    asked_lately = now - order.updated_at < timedelta(seconds=ASK_AGAIN_SECONDS)
    if order.is_open and not asked_lately:
        with context.database.begin() as tx:
            update_order(tx, order.id, next_query_at=now, updated_at=now)
            tx.after_commit(lambda: context.signals.wake("silent_orders"))
