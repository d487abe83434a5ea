"""What was frozen of a payment for its receivers, and is the seller's since its time is over.

Alipay lets it go after 30 days, shared or not, and says so in a message of its own (`AUTO_SETTLE_FINISH`). Nothing
but the message proves it: the account bill does not list it, because the balance stays.
"""

from __future__ import annotations

from typing import Final

from daozhang.alipay.messages import OrderSettled
from daozhang.service.db import Tx
from daozhang.service.ledger.actions import post_entry
from daozhang.service.orders.actions import lock_order
from daozhang.service.orders.store import find_by_trade
from daozhang.service.sharing.posting import entry_of_thaw
from daozhang.service.web.context import Context

THAWED: Final = "AUTO_SETTLE_FINISH"
"""The ``msg_type`` of such a message."""


def take_thaw(tx: Tx, context: Context, merchant_id: int, told: OrderSettled) -> str:
    """Moves what the books hold as frozen of that payment to what can be spent; what became of the message,
    in words. Told again it changes nothing."""
    found = None if told.trade_no is None else find_by_trade(tx, merchant_id, told.trade_no)
    if found is None:
        return "kept; the payment that was let go is none of ours"
    order = lock_order(tx, found.id)
    at = told.operation_finish_dt or told.operation_dt or context.clock.now()
    entry = entry_of_thaw(tx, order, at)
    if entry is None:
        return "kept; nothing of the payment is frozen in the books"
    post_entry(tx, entry)
    return f"let go: {entry.moves[0].amount}"
