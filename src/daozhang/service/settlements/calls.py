"""The calls about settlements. No row is touched here; what their answers prove, `rules` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.sharing import SettleDetail, SettleInfo, TradeSettleConfirm
from daozhang.alipay.operations.trade import TradeQuery
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.model import Order
from daozhang.service.settlements import rules
from daozhang.service.settlements.model import Answer, Outcome, Settlement

SETTLE_INFO: Final = "trade_settle_info"
"""What a query of a trade has to be asked for, to tell of its settlement."""


@dataclass(frozen=True, slots=True)
class SettlementCalls:
    """Calls Alipay about settlements."""

    clients: Clients

    def confirm(self, order: Order, settlement: Settlement) -> Answer:
        """Sends a settlement, which stands as it did before this call; always under its own number."""
        assert order.trade_no is not None
        detail = SettleDetail(amount=settlement.amount)
        operation = TradeSettleConfirm(
            out_request_no=settlement.out_request_no,
            trade_no=order.trade_no,
            settle_info=SettleInfo(settle_detail_infos=(detail,)),
            extend_params={"royalty_freeze": "true"} if settlement.freezes else None,
        )
        try:
            result = self.clients.client_for(order.merchant_id).call(operation)
        except Rejected as no:
            return rules.refused(settlement, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        return rules.confirmed(settlement, result.settle_amount)

    def ask(self, order: Order, settlement: Settlement) -> Answer:
        """What Alipay says of a settlement; changes nothing, here or there."""
        operation = TradeQuery(trade_no=order.trade_no, query_options=(SETTLE_INFO,))
        try:
            result = self.clients.client_for(order.merchant_id).call(operation)
        except Rejected as no:
            # A "no" to a question says nothing of what was asked about.
            return Answer(Outcome.UNKNOWN, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        return rules.told(settlement, result.trade_status, result.trade_settle_info)
