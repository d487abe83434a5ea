"""The address at which a buyer pays: ours. It signs at the click and leads to the cashier.

A signed Alipay address stays payable until the order's time runs out, whatever becomes of the
order here; so one is made only when a buyer is really there, and never for an order given up.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from daozhang.alipay.operations.trade import TradePagePay
from daozhang.service.merchants.clients import Clients, clients_of
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.actions import lock_order, mark_signed
from daozhang.service.orders.model import Order, OrderStatus
from daozhang.service.orders.routes import PAY_PURPOSE
from daozhang.service.seal import TokenRefused
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.pages import page_response, problem_page

router = APIRouter(include_in_schema=False)


@router.get("/pay/{token}")
def pay(request: Request, token: str) -> Response:
    """Leads to Alipay's cashier, or says why it cannot."""
    context = context_of(request)
    try:
        order_id = context.sealer.read_token(PAY_PURPOSE, token, context.clock.now())["order_id"]
    except TokenRefused:
        return page_response(problem_page("link_invalid"), 404)
    with context.database.begin() as tx:
        order = lock_order(tx, int(order_id))
        problem = _problem(order, context)
        if problem is None:
            mark_signed(tx, order, context.clock.now())
            tx.after_commit(lambda: context.signals.wake("silent_orders"))
    if problem is not None:
        return page_response(problem_page(problem, continue_url=order.return_url), 410)
    address = cashier_address(context, clients_of(request), order)
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})


def cashier_address(context: Context, clients: Clients, order: Order) -> str:
    """Alipay's cashier for ``order``, signed now; payable until the order's own expiry."""
    merchant = clients.merchant(order.merchant_id)
    operation = TradePagePay(
        out_trade_no=order.out_trade_no,
        total_amount=order.amount,
        subject=order.subject,
        body=order.body,
        time_expire=order.expires_at,
        passback_params=order.passback,
        store_id=order.store_id,
    )
    return clients.client_for(order.merchant_id).page_url(
        operation,
        notify_url=notify_address(context, merchant),
        return_url=f"{context.settings.public_url}/alipay/return/{merchant.slug}",
    )


def notify_address(context: Context, merchant: Merchant) -> str:
    """Where Alipay sends this merchant's notifications."""
    return f"{context.settings.public_url}/alipay/notify/{merchant.slug}"


def _problem(order: Order, context: Context) -> str | None:
    if order.status in (OrderStatus.PAID, OrderStatus.FINISHED, OrderStatus.REFUNDED):
        return "already_paid"
    if order.status in (OrderStatus.CLOSING, OrderStatus.CLOSED):
        return "closed"
    return "expired" if context.clock.now() >= order.expires_at else None
