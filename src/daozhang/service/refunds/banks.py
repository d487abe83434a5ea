"""What a bank did with a refund to a card: it arrives days later, or it comes back.

A refund that came back lies in the buyer's Alipay balance: the buyer has the money, so it stays
succeeded and is never sent again; people are told (money.md §5).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.alipay.messages import RefundDepositBack, read_message
from daozhang.alipay.notifications import Message, Notification
from daozhang.service.db import Tx
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.announcing import announce, tell_person
from daozhang.service.orders.model import Order
from daozhang.service.orders.store import find_order_of_merchant
from daozhang.service.refunds import store
from daozhang.service.refunds.events import REFUND_BOUNCED, refund_snapshot
from daozhang.service.refunds.model import Destination, Refund, RefundStatus
from daozhang.service.refunds.settling import REFUNDS_SIGNAL, add_external
from daozhang.service.web.context import Context

DESTINATIONS: Final = {
    "P": Destination.BANK_CARD_PENDING,
    "S": Destination.BANK_CARD,
    "F": Destination.BUYER_BALANCE,
}
"""By ``dback_status`` (apis.md §3.3)."""

ASK_AFTER_DAYS: Final = (1, 2, 3, 5, 7, 15)
"""When a bank that is silent is asked after: the message that tells may be lost, and the sandbox
never sends it. After the last time it stays as it is."""


def settle_bank(
    tx: Tx, context: Context, order: Order, refund: Refund, status: str, now: datetime
) -> str:
    """Takes what is told of the bank for a refund of a locked order; what became of it, in words.

    The first end stays: what contradicts it later is for a person. Of a refund that is not proven it is
    not believed either: that is asked about, and its answer tells of the bank, too.
    """
    if refund.is_open:
        store.update_refund(tx, refund.id, due_at=now)
        tx.after_commit(lambda: context.signals.wake(REFUNDS_SIGNAL))
        return f"{refund.out_request_no} is not proven yet: it is asked about"
    if refund.status is RefundStatus.FAILED:
        _ask_person(tx, context, order, refund, "bank_tells_of_failed_refund", now)
        return f"{refund.out_request_no} has failed: a person is told"
    told, known = DESTINATIONS.get(status), refund.destination
    if told is None or told is known:
        return "known already" if told else f"dback_status {status!r} is not known"
    if known is not None and known is not Destination.BANK_CARD_PENDING:
        if told is Destination.BANK_CARD_PENDING:
            return "older than what is known"
        _ask_person(tx, context, order, refund, "refund_bank_contradicts", now)
        return f"contradicts {known.value}: a person is told"
    pending = told is Destination.BANK_CARD_PENDING
    due_at = now + timedelta(days=ASK_AFTER_DAYS[0]) if pending else None
    store.update_refund(
        tx, refund.id, destination=told.value, bank_due_at=due_at, bank_ask_count=0, updated_at=now
    )
    if told is Destination.BUYER_BALANCE:
        _announce_bounce(tx, context, order, refund.id, now)
    return f"{refund.out_request_no}: {told.value}"


def _announce_bounce(tx: Tx, context: Context, order: Order, refund_id: int, now: datetime) -> None:
    bounced = store.find_refund_by_id(tx, refund_id)
    assert bounced is not None
    standing = lock_order(tx, order.id)
    announce(tx, context, standing, REFUND_BOUNCED, now, refund=refund_snapshot(bounced))
    _ask_person(tx, context, order, bounced, "refund_bounced", now)


def _ask_person(
    tx: Tx, context: Context, order: Order, refund: Refund, reason: str, now: datetime
) -> None:
    detail = f"refund {refund.out_request_no} of {refund.amount}: the bank and the buyer's balance"
    told = refund_snapshot(refund)
    tell_person(tx, context, order, reason, detail, refund.amount, now, refund=told)


def take_deposit_back(
    tx: Tx, context: Context, merchant_id: int, notification: Notification
) -> str:
    """Takes the message that a bank has taken a refund, or sent it back; the outcome in words."""
    told = read_message(notification) if isinstance(notification, Message) else None
    if not isinstance(told, RefundDepositBack) or not told.out_trade_no:
        return "kept; it names no order"
    found = find_order_of_merchant(tx, merchant_id, told.out_trade_no)
    if found is None:
        return "kept; the order it names is none of ours"
    order, now = lock_order(tx, found.id), context.clock.now()
    differs = _disagreement(order, notification, told)
    if differs is not None:
        detail = f"{differs} is another's"
        tell_person(tx, context, order, "bank_message_differs", detail, order.amount, now)
        return f"{differs} differs: a person is told"
    number = told.out_request_no or order.out_trade_no
    refund = store.find_refund(tx, order.id, number)
    if refund is None:
        # Started elsewhere, and its notice was lost: the query that follows proves how much it was.
        supposed = told.dback_amount or (order.amount - order.refunded) or order.amount
        refund = add_external(tx, order, number, supposed, now)
    return settle_bank(tx, context, order, refund, told.dback_status or "", now)


def _disagreement(order: Order, notification: Notification, told: RefundDepositBack) -> str | None:
    """Which identity of the message cannot be the order's (money.md §2)."""
    if told.trade_no and order.trade_no not in (None, told.trade_no):
        return "trade_no"
    apps = (None, order.app_id)
    return "app_id" if notification.app_id not in apps else None


def next_question(refund: Refund, now: datetime) -> datetime | None:
    """When a silent bank is asked after next, this question being counted; ``None`` after the last time."""
    asked = refund.bank_ask_count
    return now + timedelta(days=ASK_AFTER_DAYS[asked]) if asked < len(ASK_AFTER_DAYS) else None
