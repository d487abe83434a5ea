"""Reading a surprise: what is known of it, from the order to the signed evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daozhang.service.inbox.model import RecordedNotification
from daozhang.service.inbox.store import find_notification, list_notifications
from daozhang.service.orders.ending import refund_number
from daozhang.service.orders.model import Order, Step, Surprise, SurpriseEnd, TradeFact
from daozhang.service.orders.store import list_steps
from daozhang.service.orders.surprises import find_surprise
from daozhang.service.refunds.model import Refund
from daozhang.service.refunds.store import find_refund
from daozhang.service.surprises import claiming, rules
from daozhang.service.surprises.refusals import SurpriseNotFound
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a surprise, and how it may end now."""

    surprise: Surprise
    order: Order | None
    payment: TradeFact | None
    notifications: Sequence[RecordedNotification]
    steps: Sequence[Step]
    refund: Refund | None
    possible_ends: tuple[SurpriseEnd, ...]


def read_surprise(context: Context, merchant_id: int, surprise_id: int) -> Known:
    """Raises `SurpriseNotFound`."""
    with context.database.read() as tx:
        surprise = find_surprise(tx, merchant_id, surprise_id)
        if surprise is None:
            raise SurpriseNotFound(surprise_id)
        order = claiming.order_of(tx, surprise)
        payment = claiming.payment_of(tx, surprise)
        told: list[RecordedNotification] = []
        if surprise.out_trade_no is not None and rules.subject_of(surprise) is None:
            told = list_notifications(tx, merchant_id, surprise.out_trade_no)
        if surprise.notification_id not in (None, *(row.id for row in told)):
            own = find_notification(tx, merchant_id, int(surprise.notification_id or 0))
            told += [] if own is None else [own[0]]
        steps = [] if order is None else list_steps(tx, order.id)
        refund = None if order is None else find_refund(tx, order.id, refund_number(surprise))
    possible = rules.possible_ends(surprise, order, payment) if surprise.is_open else ()
    return Known(surprise, order, payment, told, steps, refund, possible)
