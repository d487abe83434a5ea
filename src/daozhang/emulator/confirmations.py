"""Confirmed settlements: what a direct-pay merchant's money waits for (``alipay.trade.settle.confirm``).

It works under the lock of the desk, so that a trade, its confirmation and the accounts change
as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from daozhang.clock import to_beijing_text
from daozhang.emulator.accounts import Pot
from daozhang.emulator.errors import invalid_parameter
from daozhang.emulator.ledger import Declined, Trade, TradeStatus
from daozhang.money import Money

if TYPE_CHECKING:
    from daozhang.emulator.desk import Desk


@dataclass(frozen=True, slots=True)
class Request:
    """What a merchant confirms, and what makes it the same request again."""

    out_request_no: str
    amount: Money
    freezes: bool
    """It stays frozen for its receivers once it is settled."""


class Confirmations:
    """All of them, one of a trade at most. Every method is safe for threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._confirmed: dict[str, tuple[Request, datetime]] = {}

    def is_confirmed(self, trade_no: str) -> bool:
        """Whether the settlement of the trade was confirmed."""
        with self._desk.lock:
            return trade_no in self._confirmed

    def require_related(self, trade: Trade, related: str) -> None:
        """A refund of a confirmed payment names the request that confirmed it, any other names none. Raises
        `Declined`; which code Alipay gives is unverified."""
        with self._desk.lock:
            found = self._confirmed.get(trade.trade_no)
            if related != ("" if found is None else found[0].out_request_no):
                raise invalid_parameter("related_settle_confirm_no与确认结算请求号不一致")

    def confirm(self, trade: Trade, app_id: str, request: Request) -> None:
        """Confirms the settlement of a trade; the same again changes nothing. Raises `Declined`."""
        with self._desk.lock:
            switches = self._desk.switches(app_id)
            if not switches.direct_pay:
                raise Declined("ACQ.SETTLE_SCENE_NOT_SUPPORT")
            if trade.trade_no in self._confirmed:
                self._require_same(trade, request)
                return
            if trade.status is TradeStatus.WAIT_BUYER_PAY:
                raise Declined("ACQ.REASON_TRADE_STATUS_INVALID")
            if trade.status is TradeStatus.TRADE_CLOSED:
                raise Declined("ACQ.CONFIRM_REFUSE_AFTER_REFUND")
            if switches.settlement_suspended:
                raise Declined("ACQ.RISK_SETTLE_SUSPEND")
            if request.amount != trade.remaining:
                raise Declined("ACQ.INVALID_SETTLE_AMOUNT_PARAMETER")
            now = self._desk.now()
            self._confirmed[trade.trade_no] = (request, now)
            self._desk.books.confirmed(trade, now, freezes=request.freezes)

    def _require_same(self, trade: Trade, request: Request) -> None:
        known, _ = self._confirmed[trade.trade_no]
        if known == request:
            return
        same = known.out_request_no == request.out_request_no
        raise Declined(f"ACQ.{'DISCORDANT_REPEAT_REQUEST' if same else 'ALREADY_CONFIRM_SETTLE'}")

    def settle_info(self, trade: Trade) -> dict[str, Any]:
        """``trade_settle_info`` of a query: what has not been confirmed yet, of a direct-pay merchant
        only, and what was, under the merchant's number."""
        with self._desk.lock:
            if not self._desk.switches(trade.request.app_id).direct_pay or trade.paid_at is None:
                return {}
            found = self._confirmed.get(trade.trade_no)
            if found is None:
                return {"trade_unsettled_amount": str(trade.remaining)}
            request, at = found
            self._desk.accounts.let_time_pass(self._desk.now())
            pot = self._desk.accounts.pot_of(trade.request.seller_id, trade.trade_no)
            detail = {
                "operation_type": "on_settle" if pot is Pot.UNSETTLED else "settle",
                "operation_serial_no": request.out_request_no,
                "operation_dt": to_beijing_text(at),
                "amount": str(request.amount),
            }
            return {"trade_unsettled_amount": "0.00", "trade_settle_detail_list": [detail]}

    def clear(self) -> None:
        """Forgets everything."""
        self._confirmed.clear()
