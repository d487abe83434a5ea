"""Closing an order and asking about it at somebody's wish."""

from __future__ import annotations

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.orders.actions import give_up, lock_numbered, read_order
from daozhang.service.orders.model import ClosingReason, Order, OrderStatus, Way
from daozhang.service.orders.refusals import OrderNeedsCancel
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require


def close_by_hand(inquirer: Inquirer, actor: Actor, merchant_id: int, out_trade_no: str) -> Order:
    """Gives an unpaid order up and closes it at Alipay; how it then stands.

    It is ``closed`` once Alipay has proven it, else ``closing``. Raises `OrderNotFound`,
    `OrderNeedsCancel` and `OrderNotClosable`.
    """
    context = inquirer.context
    now = context.clock.now()
    with context.database.begin() as tx:
        order = lock_numbered(tx, merchant_id, out_trade_no)
        if order.way is Way.BARCODE and order.signed_at is not None and order.is_open:
            raise OrderNeedsCancel(order)
        order = give_up(tx, order, ClosingReason.CLOSE, now)
        subject = f"order:{out_trade_no}"
        record(tx, actor, "order.close_asked", subject, now, merchant_id=merchant_id)
    return inquirer.close(order) if order.status is OrderStatus.CLOSING else order


def close_as(inquirer: Inquirer, actor: Person, merchant_id: int, out_trade_no: str) -> Order:
    """The same, at a person's wish."""
    require(actor, Right.ORDERS_CLOSE, merchant_id)
    return close_by_hand(inquirer, actor.actor, merchant_id, out_trade_no)


def inquire_as(inquirer: Inquirer, actor: Person, merchant_id: int, out_trade_no: str) -> Order:
    """Asks Alipay about an order now and settles the answer; how it then stands."""
    require(actor, Right.ORDERS_QUERY, merchant_id)
    with inquirer.context.database.read() as tx:
        order = read_order(tx, merchant_id, out_trade_no)
    return inquirer.inquire(order)
