"""The verbs of a person at a till: sell, show a code, scan one, give up, find again.

What an API key does by `routes`, a person does here, in a shift and with their name on it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from daozhang.alipay.operations.pay import scene_of
from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.db import Tx
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.actions import create_order, give_up, lock_numbered, read_order
from daozhang.service.orders.handing import sign_for, unpayable
from daozhang.service.orders.listing import list_orders
from daozhang.service.orders.model import ClosingReason, NewOrder, Order, OrderStatus, Way
from daozhang.service.orders.refusals import OrderNotFound, OrderNotPayable, WayDiffers
from daozhang.service.orders.store import find_order_of_merchant
from daozhang.service.orders.subjects import require_subject
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.shifts.actions import require_shift
from daozhang.service.shifts.store import add_order, shift_of_order
from daozhang.service.till import rules, sales_store, scanning
from daozhang.service.till.codes import MadeCode, make_code
from daozhang.service.till.model import Scan
from daozhang.service.till.refusals import PaymentCodeInvalid, SaleNumberInvalid
from daozhang.service.till.workflow import Till
from daozhang.service.web.context import Context

SALE_SECONDS: Final = 900
"""How long somebody may stand at a till before what they wanted is over."""

ROWS_MAX: Final = 50


def sell(
    context: Context,
    actor: Person,
    merchant: Merchant,
    *,
    number: str,
    amount: Money,
    subject: str,
    way: Way,
) -> Order:
    """The order of a sale in the person's open shift.

    ``number`` is the page's, made when the form was: sent twice, it is one order. Raises
    `ShiftNotOpen`, `SubjectInvalid`, and `OrderConflict` if that form has sold something else.
    """
    require(actor, Right.TILL_USE, merchant.id)
    require(actor, Right.ORDERS_CREATE, merchant.id)
    if not rules.is_sale_number(number):
        raise SaleNumberInvalid
    if way not in (Way.QR, Way.BARCODE):
        raise ValueError(f"{way} is no way to pay at a till")
    said = require_subject(subject or merchant.name)
    now = context.clock.now()
    with context.database.begin() as tx:
        # Locked, so that what is counted when the shift is handed over is all that is in it.
        shift = require_shift(tx, actor, merchant.id, lock=True)
        new = NewOrder(
            out_trade_no=number,
            amount=amount,
            subject=said,
            expires_at=(now + timedelta(seconds=SALE_SECONDS)).replace(microsecond=0),
            way=way,
            operator_id=shift.operator_id,
            terminal_id=shift.terminal_id,
            store_id=shift.store_id,
            metadata={"shift": shift.public_id},
        )
        order, is_new = create_order(tx, merchant, new, now)
        if is_new:
            add_order(tx, shift.id, order.id)
        tx.after_commit(lambda: context.signals.wake("inbox_waiting"))
    return order


def show_code(
    context: Context, clients: Clients, actor: Person, merchant_id: int, number: str
) -> MadeCode:
    """A code of a sale for its buyer to scan; asked for again, another that leads to the same.

    Raises what `make_code` raises, `WayDiffers` and `OrderNotPayable`.
    """
    require(actor, Right.TILL_USE, merchant_id)
    with context.database.begin() as tx:
        order = lock_numbered(tx, merchant_id, number)
        if order.way is not Way.QR:
            raise WayDiffers(order, Way.QR)
        if (problem := unpayable(order, context)) is not None:
            raise OrderNotPayable(order, problem)
        sign_for(tx, order, context)
    return make_code(context, clients, order)


def scan_code(till: Till, actor: Person, merchant_id: int, number: str, scanned: str) -> None:
    """Charges what the scanner typed for a sale. The same code again is the same payment.

    Raises `PaymentCodeInvalid` and what `scanning.begin` raises.
    """
    require(actor, Right.TILL_USE, merchant_id)
    code = scanned.strip()
    scene = scene_of(code)
    if scene is None:
        raise PaymentCodeInvalid(code)
    context = till.context
    with context.database.begin() as tx:
        order = lock_numbered(tx, merchant_id, number)
        shift = require_shift(tx, actor, merchant_id)
        scan = Scan(code, scene, shift.operator_id, shift.terminal_id, shift.store_id)
        payment, is_new = scanning.begin(tx, context, order, scan)
    if is_new:
        till.charge(order, payment, scan)


def give_up_sale(
    till: Till, inquirer: Inquirer, actor: Person, merchant_id: int, number: str
) -> None:
    """Gives a sale up that is not decided: what was charged is cancelled, the rest closed.

    Raises `NotCancellable` and `OrderNotClosable` for what is decided.
    """
    require(actor, Right.TILL_USE, merchant_id)
    require(actor, Right.ORDERS_CLOSE, merchant_id)
    context = till.context
    with context.database.begin() as tx:
        order = lock_numbered(tx, merchant_id, number)
        payment = None
        if order.way is Way.BARCODE and order.signed_at is not None:
            _, payment = scanning.cancel(tx, context, order)
        else:
            order = give_up(tx, order, ClosingReason.CLOSE, context.clock.now())
        _record(tx, context, actor, order, "order.cancel_asked" if payment else "order.close_asked")
    if payment is not None:
        till.run(payment.id)
    elif order.status is OrderStatus.CLOSING:
        inquirer.close(order)


def find_sale(context: Context, actor: Person, merchant_id: int, scanned: str) -> Order:
    """The order behind a buyer's receipt: our number, or Alipay's, as their bar codes hold them.

    Raises `OrderNotFound`.
    """
    require(actor, Right.TILL_USE, merchant_id)
    number = scanned.strip()[:64]
    with context.database.read() as tx:
        ours = find_order_of_merchant(tx, merchant_id, number)
        if ours is not None:
            return ours
        found = list_orders(tx, merchant_id, before_id=None, rows_max=1, trade_no=number)
    if not found:
        raise OrderNotFound(number)
    return found[0]


def find_sales_of(context: Context, actor: Person, merchant_id: int, amount: Money) -> list[Order]:
    """Today's orders (Beijing's day) of that amount, newest first."""
    require(actor, Right.TILL_USE, merchant_id)
    today = context.clock.now().astimezone(BEIJING)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    with context.database.read() as tx:
        return sales_store.find_sales(
            tx, merchant_id, since=midnight, rows_max=ROWS_MAX, amount=amount
        )


def read_sale(context: Context, actor: Person, merchant_id: int, number: str) -> Order:
    """An order, for whoever stands at a till. Raises `OrderNotFound`."""
    require(actor, Right.TILL_USE, merchant_id)
    with context.database.read() as tx:
        return read_order(tx, merchant_id, number)


def _record(tx: Tx, context: Context, actor: Person, order: Order, action: str) -> None:
    shift = shift_of_order(tx, order.id)
    record(
        tx,
        actor.actor,
        action,
        f"order:{order.out_trade_no}",
        context.clock.now(),
        merchant_id=order.merchant_id,
        shift=None if shift is None else shift.public_id,
    )
