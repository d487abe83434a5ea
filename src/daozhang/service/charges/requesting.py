"""A charge is asked for: the intent, before any call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from daozhang.service.charges import store
from daozhang.service.charges.model import Charge, ChargeKind, Phase
from daozhang.service.db import Tx
from daozhang.service.merchants.outgoing import require_outgoing
from daozhang.service.orders.actions import mark_signed
from daozhang.service.orders.model import Order
from daozhang.service.web.context import Context

CHARGES_SIGNAL: Final = "charges"
"""Wakes the sweep over charges that are due, in this process."""


def begin_charge(
    tx: Tx,
    context: Context,
    order: Order,
    kind: ChargeKind,
    owner_id: int,
    instrument: Mapping[str, Any],
) -> tuple[Charge, bool]:
    """The charge of a locked order, and whether it is new: then a durable job charges it, soon.

    ``instrument`` are the parameters of `daozhang.alipay.TradePay` that say what is charged
    (``auth_no``, ``agreement_params``, ``product_code``, ...). An order has one charge; a second try is
    another order. Raises `OutgoingStopped` where the merchant's switch stops what moves money.
    """
    known = store.charge_of_order(tx, order.id)
    if known is not None:
        return known, False
    require_outgoing(tx, order.merchant_id)
    now = context.clock.now()
    mark_signed(tx, order, now)
    charge_id = store.insert_charge(
        tx,
        {
            "order_id": order.id,
            "merchant_id": order.merchant_id,
            "kind": kind.value,
            "owner_id": owner_id,
            "instrument": dict(instrument),
            "phase": Phase.DUE.value,
            "call_count": 0,
            "ask_count": 0,
            "attempt": 0,
            "due_at": now,
            "created_at": now,
            "updated_at": now,
        },
    )
    tx.after_commit(lambda: context.signals.wake(CHARGES_SIGNAL))
    charge = store.find_charge(tx, charge_id)
    assert charge is not None
    return charge, True
