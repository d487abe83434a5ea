"""The verbs of an order: create, sign at the click, give up, reserve, settle, be surprised.

`settle_order` is where every fact enters, whichever way it was learned. It writes the order and
its step; what it announces is appended by the caller (`daozhang.service.refunds.actions
.settle_fact`), so that a refund's event stands where the table puts it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger.takings import post_new_takings, post_taking
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders import rules, store
from daozhang.service.orders.model import (
    ClosingReason,
    Fact,
    NewOrder,
    Order,
    OrderStatus,
    Settlement,
)
from daozhang.service.orders.posting import is_received, learns_more, taking_of
from daozhang.service.orders.refusals import (
    AmountExceedsRemainder,
    CurrencyNotTaken,
    OrderConflict,
    OrderNotClosable,
    OrderNotFound,
    OrderNotRefundable,
)
from daozhang.service.orders.standing import columns_of, stand_after, step_of
from daozhang.service.orders.surprises import insert_surprise

CURRENCY_TAKEN = "CNY"
"""What the web pay page charges in: it takes an amount without a currency, and means yuan."""

SURPRISE_OWNER = "merchant"
"""Who owns a surprise until somebody takes it: the people of the merchant, as a group."""

_COMPARED = (
    "amount", "subject", "body", "cart_ref", "operator_id", "terminal_id", "store_id",
    "return_url", "passback", "way", "pay_options",
)  # fmt: skip


def create_order(tx: Tx, merchant: Merchant, new: NewOrder, now: datetime) -> tuple[Order, bool]:
    """The order of that number, and whether it is new.

    The number makes creation idempotent: the same content again gives the order that is there;
    other content is refused with `OrderConflict`, a currency that Alipay's page would take for
    yuan with `CurrencyNotTaken`.
    """
    if new.amount.currency != CURRENCY_TAKEN:
        raise CurrencyNotTaken(new.amount.currency)
    if (made := store.insert_order(tx, _row_of(merchant, new, now))) is not None:
        return made, True
    order = store.find_order(tx, merchant.environment, merchant.seller_id, new.out_trade_no)
    assert order is not None
    differs = tuple(name for name in _COMPARED if getattr(order, name) != getattr(new, name))
    if dict(order.metadata) != dict(new.metadata):
        differs = (*differs, "metadata")
    if new.share_plan not in (None, order.share_plan):
        differs = (*differs, "share_plan")
    if order.merchant_id != merchant.id:
        # Another app of the same seller: Alipay would take both for one trade.
        differs = (*differs, "merchant")
    if differs:
        raise OrderConflict(new.out_trade_no, differs)
    return order, False


def _row_of(merchant: Merchant, new: NewOrder, now: datetime) -> dict[str, Any]:
    return {
        "merchant_id": merchant.id,
        "environment": merchant.environment,
        "app_id": merchant.app_id,
        "seller_id": merchant.seller_id,
        "out_trade_no": new.out_trade_no,
        "way": new.way.value,
        "amount_minor": new.amount.minor,
        "currency": new.amount.currency,
        "subject": new.subject,
        "body": new.body,
        "cart_ref": new.cart_ref,
        "operator_id": new.operator_id,
        "terminal_id": new.terminal_id,
        "store_id": new.store_id,
        "return_url": new.return_url,
        "passback": new.passback,
        "pay_options": None if new.pay_options is None else new.pay_options.kept(),
        "metadata": dict(new.metadata),
        "share_plan": new.share_plan or merchant.share_plan,
        "status": OrderStatus.CREATED.value,
        "refunded_minor": 0,
        "reserved_minor": 0,
        "shared_minor": 0,
        "late": False,
        "attention": False,
        "close_confirmed": False,
        "absent_count": 0,
        "unclear_count": 0,
        "query_count": 0,
        "step_count": 0,
        "next_query_at": now + timedelta(seconds=rules.QUERY_DELAYS_SECONDS[0]),
        "expires_at": new.expires_at,
        "created_at": now,
        "updated_at": now,
    }


def read_order(tx: Tx, merchant_id: int, out_trade_no: str) -> Order:
    """The merchant's order of that number; `OrderNotFound` if it is another's or nobody's."""
    order = store.find_order_of_merchant(tx, merchant_id, out_trade_no)
    if order is None:
        raise OrderNotFound(out_trade_no)
    return order


def lock_numbered(tx: Tx, merchant_id: int, out_trade_no: str) -> Order:
    """The merchant's order of that number, locked as by `lock_order`; else `OrderNotFound`."""
    order = store.find_order_of_merchant(tx, merchant_id, out_trade_no, lock=True)
    if order is None:
        raise OrderNotFound(out_trade_no)
    return order


def lock_order(tx: Tx, order_id: int) -> Order:
    """The order with that row id, locked until the transaction ends: one writer at a time."""
    order = store.find_order_by_id(tx, order_id, lock=True)
    assert order is not None, f"order row {order_id} is gone, and orders are never deleted"
    return order


def mark_signed(tx: Tx, order: Order, now: datetime) -> None:
    """Notes that an address that can be paid has been handed out, and that to ask soon is wise."""
    soon = rules.first_query_at(order.way, now)
    charged = order.way in rules.CHARGED_HERE
    asked = soon if charged else min(order.next_query_at or soon, soon)
    store.update_order(
        tx,
        order.id,
        signed_at=now,
        query_count=0,
        next_query_at=asked,
        updated_at=now,
    )


def give_up(tx: Tx, order: Order, reason: ClosingReason, now: datetime) -> Order:
    """Puts a locked, unpaid order into closing. It is closed once Alipay has proven it.

    A closed or closing order is returned as it is, but for one that is to be cancelled now: money
    that comes meanwhile is held. A paid one raises `OrderNotClosable`.
    """
    cancels = reason is ClosingReason.CANCEL and order.closing_reason is not reason
    if order.status is OrderStatus.CLOSED or (order.status is OrderStatus.CLOSING and not cancels):
        return order
    if not order.is_open:
        raise OrderNotClosable(order)
    # Whoever charges an order and gives it up asks about it; whoever else gives it up wants to know now.
    asks_itself = order.way in rules.CHARGED_HERE and reason is not ClosingReason.CLOSE
    asked = order.next_query_at if asks_itself else now
    closing = replace(
        order,
        status=OrderStatus.CLOSING,
        closing_reason=reason,
        next_query_at=asked,
        updated_at=now,
    )
    store.update_order(
        tx,
        order.id,
        status=closing.status.value,
        closing_reason=reason.value,
        next_query_at=asked,
        query_count=0,
        updated_at=now,
    )
    _insert_own_step(tx, order, closing, reason.value, now)
    return closing


def reinstate(tx: Tx, order: Order, now: datetime) -> Order:
    """Takes back that a locked order is being cancelled: Alipay has definitely refused to.

    The caller settles in the same transaction what a fresh question has told.
    """
    back = replace(order, status=OrderStatus.WAITING, closing_reason=None, updated_at=now)
    store.update_order(tx, order.id, status=back.status.value, closing_reason=None, updated_at=now)
    _insert_own_step(tx, order, back, "cancel_refused", now)
    return back


def _insert_own_step(tx: Tx, before: Order, after: Order, cause: str, now: datetime) -> None:
    """The step of a change that we made, not a fact."""
    step: dict[str, Any] = {
        "order_id": after.id,
        "at": now,
        "cause": cause,
        "source_ref": "",
        "status_before": before.status.value,
        "status_after": after.status.value,
        "events": [],
        "note": None,
        "fact": {},
    }
    store.insert_step(tx, step)


def reserve(tx: Tx, order: Order, amount: Money, now: datetime) -> Order:
    """Sets ``amount`` of a locked order aside before it is asked to be refunded.

    Raises what `require_refundable` raises.
    """
    require_refundable(order, amount)
    return _set_reserved(tx, order, order.reserved + amount, now)


def set_aside(tx: Tx, order: Order, amount: Money, now: datetime) -> Order:
    """Sets ``amount`` of a locked order aside before it is asked to be passed on.

    Raises `AmountExceedsRemainder` if less is left.
    """
    if amount > order.remainder:
        raise AmountExceedsRemainder(amount, order.remainder)
    return _set_reserved(tx, order, order.reserved + amount, now)


def pass_on(tx: Tx, order: Order, amount: Money, now: datetime) -> Order:
    """Counts ``amount`` of a locked order as shared: somebody else has it."""
    return _set_shared(tx, order, order.shared + amount, now)


def take_back(tx: Tx, order: Order, amount: Money, now: datetime) -> Order:
    """Counts ``amount`` of what was shared of a locked order as the seller's: it comes back."""
    assert amount <= order.shared, "more would come back than is shared"
    return _set_shared(tx, order, order.shared - amount, now)


def _set_shared(tx: Tx, order: Order, shared: Money, now: datetime) -> Order:
    store.update_order(tx, order.id, shared_minor=shared.minor, updated_at=now)
    return replace(order, shared=shared, updated_at=now)


def require_refundable(order: Order, amount: Money) -> None:
    """Raises `OrderNotRefundable` unless the order is paid, `AmountExceedsRemainder` if less is left."""
    require_paid(order)
    if amount > order.remainder:
        raise AmountExceedsRemainder(amount, order.remainder)


def require_paid(order: Order) -> None:
    """Raises `OrderNotRefundable` unless the order is paid."""
    if order.status is not OrderStatus.PAID:
        raise OrderNotRefundable(order)


def release(tx: Tx, order: Order, amount: Money, now: datetime) -> Order:
    """Gives back what `reserve` had set aside on a locked order: it has gone, or never will."""
    assert amount <= order.reserved, "more would be released than is reserved"
    return _set_reserved(tx, order, order.reserved - amount, now)


def _set_reserved(tx: Tx, order: Order, reserved: Money, now: datetime) -> Order:
    store.update_order(tx, order.id, reserved_minor=reserved.minor, updated_at=now)
    return replace(order, reserved=reserved, updated_at=now)


def settle_order(tx: Tx, order: Order, fact: Fact, *, grace_seconds: int) -> Settlement:
    """Takes one fact into a locked order: decides by the table, writes the order and its step.

    Applying the same fact again changes nothing. A fact that does not fit leaves the order where
    it stands, with ``attention`` and a surprise. The events of the settlement are for the caller
    to append, in this transaction and in their order.
    """
    decision = rules.decide(order, fact, grace_seconds=grace_seconds)
    after = stand_after(order, fact, decision, grace_seconds)
    events = decision.events
    if decision.surprise is not None:
        detail = f"{fact.source.value} {fact.source_ref}: {rules.describe(fact)}"
        if raise_surprise(
            tx,
            merchant_id=order.merchant_id,
            order=order,
            reason=decision.surprise,
            detail=detail,
            amount=order.amount,
            now=fact.learned_at,
        ):
            events = (*events, rules.SURPRISE)
    becomes_paid = any(name in (rules.PAID, rules.PAID_LATE) for name in events)
    if becomes_paid and store.another_paid_of_cart(tx, order) is not None:
        events = (*events, rules.DUPLICATE)
    _save(tx, order, after)
    if is_received(after) and not is_received(order):
        post_new_takings(tx, [taking_of(after)])
    elif learns_more(order, after):
        post_taking(tx, taking_of(after))
    note = decision.surprise or decision.note
    store.insert_step(tx, step_of(order, after, fact, events, note))
    return Settlement(order, after, events, decision.surprise)


def _save(tx: Tx, before: Order, after: Order) -> None:
    changed = columns_of(after)
    if after.payment is not None and after.payment != before.payment:
        changed |= store.payment_columns(after.payment)
    store.update_order(tx, after.id, **changed)


def raise_surprise(
    tx: Tx,
    *,
    merchant_id: int,
    order: Order | None,
    reason: str,
    detail: str,
    amount: Money,
    now: datetime,
    out_trade_no: str | None = None,
    notification_id: int | None = None,
) -> bool:
    """Writes a surprise for a person; ``False`` if the same one is open already.

    With an order, the order gets ``attention``, which stops automatic closing and refunding.
    The caller announces `order.surprise`.
    """
    number = order.out_trade_no if order is not None else out_trade_no
    surprise_id = insert_surprise(
        tx,
        {
            "merchant_id": merchant_id,
            "order_id": None if order is None else order.id,
            "out_trade_no": number,
            "reason": reason,
            "detail": detail,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "owner": SURPRISE_OWNER,
            "open_key": f"{merchant_id}:{number}:{reason}",
            "notification_id": notification_id,
            "created_at": now,
        },
    )
    if order is not None:
        store.update_order(tx, order.id, attention=True)
    return surprise_id is not None


def note_query(tx: Tx, order: Order, now: datetime, *, grace_seconds: int) -> None:
    """Counts an unanswered or answered question and sets when the next one is due."""
    counted = replace(order, query_count=order.query_count + 1)
    due = rules.next_query_at(counted, now, grace_seconds=grace_seconds)
    store.update_order(tx, order.id, query_count=counted.query_count, next_query_at=due)
