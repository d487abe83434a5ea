"""Payments that nobody claims: the order that is made for one, and what it is linked to.

Money that came is never given back around the books: it gets an order first, under the number that Alipay
tells and over the amount that Alipay tells, and moves by the rules of every order from there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from daozhang.alipay.errors import Untrusted
from daozhang.alipay.notify import read_again
from daozhang.service.agreements import store as agreements_store
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.holds import store as holds_store
from daozhang.service.inbox import store as inbox_store
from daozhang.service.inbox.applying import apply_one
from daozhang.service.inbox.model import InboxStatus, RecordedNotification
from daozhang.service.inbox.recording import open_body
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders import store
from daozhang.service.orders.actions import create_order, lock_numbered, lock_order
from daozhang.service.orders.model import NewOrder, Order, Surprise, TradeFact
from daozhang.service.orders.surprises import is_any_open, update_surprise
from daozhang.service.surprises import rules
from daozhang.service.surprises.refusals import AttachTargetPaid
from daozhang.service.web.context import Context

SUBJECT_CHARACTERS_MAX: Final = 256

MADE_FOR: Final = "made_for"
ATTACHED_TO: Final = "attached_to"
"""In the ``metadata`` of an order that was made for a payment: for which surprise, to which order."""


def order_of(tx: Tx, surprise: Surprise) -> Order | None:
    """The order that it is about: the linked one, or one of its number that has come to be since."""
    if surprise.order_id is not None:
        return store.find_order_by_id(tx, surprise.order_id)
    if surprise.out_trade_no is None or rules.subject_of(surprise) is not None:
        return None
    return store.find_order_of_merchant(tx, surprise.merchant_id, surprise.out_trade_no)


def payment_of(tx: Tx, surprise: Surprise) -> TradeFact | None:
    """The payment of a surprise without an order, as Alipay signed it."""
    notice = _notice_of(tx, surprise)
    return None if notice is None else notice[0].fact


def link(tx: Tx, surprise: Surprise, order: Order) -> None:
    """Makes ``surprise`` one of ``order``, which then wants attention until it ends."""
    if surprise.order_id is None:
        update_surprise(tx, surprise.id, order_id=order.id)
        store.update_order(tx, order.id, attention=True)


def make_order(
    tx: Tx,
    context: Context,
    clients: Clients,
    surprise: Surprise,
    actor: Actor,
    now: datetime,
    *,
    target: Order | None = None,
) -> Order:
    """Makes an order for the payment of ``surprise``, and applies what Alipay has told of it."""
    notice = _notice_of(tx, surprise)
    assert notice is not None, "only a payment gets an order made for it"
    fact = notice[0].fact
    assert fact is not None
    assert fact.total is not None
    merchant = clients.merchant(surprise.merchant_id)
    metadata = {MADE_FOR: f"surprise-{surprise.id}"}
    if target is not None:
        metadata[ATTACHED_TO] = target.out_trade_no
    new = NewOrder(
        out_trade_no=fact.out_trade_no,
        amount=fact.total,
        subject=_subject_of(context, notice, fact),
        expires_at=now,
        cart_ref=None if target is None else target.cart_ref,
        metadata=metadata,
    )
    made, _ = create_order(tx, merchant, new, now)
    link(tx, surprise, made)
    record(
        tx,
        actor,
        "surprise.order_made",
        f"surprise:{surprise.id}",
        now,
        merchant_id=surprise.merchant_id,
        out_trade_no=made.out_trade_no,
        amount=str(made.amount),
    )
    for row in inbox_store.list_notifications(tx, made.merchant_id, made.out_trade_no):
        if row.status is InboxStatus.WAITING:
            apply_one(tx, context, row, now)
    return lock_order(tx, made.id)


def target_of(tx: Tx, merchant_id: int, out_trade_no: str) -> Order:
    """The order to which a payment is to be attached, locked. Raises `OrderNotFound`, `AttachTargetPaid`."""
    target = lock_numbered(tx, merchant_id, out_trade_no)
    if not rules.is_attachable(target):
        raise AttachTargetPaid(target)
    return target


def note_attached(tx: Tx, target: Order, made: Order, surprise: Surprise, now: datetime) -> None:
    """Tells in the story of ``target`` that a payment beside it is for it."""
    store.insert_step(
        tx,
        {
            "order_id": target.id,
            "at": now,
            "cause": "payment_attached",
            "source_ref": f"surprise:{surprise.id}",
            "status_before": target.status.value,
            "status_after": target.status.value,
            "events": [],
            "note": None,
            "fact": {"out_trade_no": made.out_trade_no, "total_amount": str(made.amount)},
        },
    )


def lift_attention_elsewhere(tx: Tx, ended: Surprise) -> None:
    """Takes the attention from a hold or an agreement whose last open surprise this was."""
    subject, number = rules.subject_of(ended), ended.out_trade_no
    if subject is None or number is None:
        return
    if is_any_open(tx, ended.merchant_id, order_id=None, number=number):
        return
    if subject == "hold":
        hold = holds_store.find_hold_of_merchant(tx, ended.merchant_id, number)
        if hold is not None:
            holds_store.update_hold(tx, hold.id, attention=False)
    else:
        agreement = agreements_store.find_of_merchant(tx, ended.merchant_id, number)
        if agreement is not None:
            agreements_store.update_agreement(tx, agreement.id, attention=False)


Notice = tuple[RecordedNotification, str, bytes]


def _notice_of(tx: Tx, surprise: Surprise) -> Notice | None:
    if surprise.notification_id is not None:
        return inbox_store.find_notification(tx, surprise.merchant_id, surprise.notification_id)
    if surprise.out_trade_no is None:
        return None
    # Of an earlier version, which did not note by which notification it came.
    told = inbox_store.list_notifications(tx, surprise.merchant_id, surprise.out_trade_no)
    paid = [row for row in told if row.fact is not None and row.fact.kind in rules.PAYMENTS]
    return inbox_store.find_notification(tx, surprise.merchant_id, paid[0].id) if paid else None


def _subject_of(context: Context, notice: Notice, fact: TradeFact) -> str:
    """What was bought, as the payment's own notification tells it."""
    row, content_hash, sealed = notice
    told = None
    if row.has_body:
        try:
            told = read_again(open_body(context, row, content_hash, sealed)).fields.get("subject")
        except Untrusted:
            told = None
    return (told or f"支付宝交易 {fact.trade_no or fact.out_trade_no}")[:SUBJECT_CHARACTERS_MAX]
