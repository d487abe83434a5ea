"""Settlements in the hands of people: what somebody at a desk may have confirmed."""

from __future__ import annotations

from daozhang.service.jobs import Jobs
from daozhang.service.orders.actions import lock_numbered
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.settlements.model import NewSettlement, Settlement
from daozhang.service.settlements.requesting import request_settlement
from daozhang.service.web.context import Context


def confirm_as(
    context: Context,
    jobs: Jobs,
    actor: Person,
    merchant_id: int,
    out_trade_no: str,
    new: NewSettlement,
) -> Settlement:
    """Has the settlement of an order's payment confirmed. Raises what `request_settlement` raises, and
    `OrderNotFound`."""
    require(actor, Right.SHARING_REQUEST, merchant_id)
    with context.database.begin() as tx:
        order = lock_numbered(tx, merchant_id, out_trade_no)
        made, _ = request_settlement(tx, jobs, order, new, actor.actor, context.clock.now())
    return made
