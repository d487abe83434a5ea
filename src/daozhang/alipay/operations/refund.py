"""Giving money back, and asking whether it went (apis.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from daozhang.alipay.operations.operation import (
    DetailList,
    Operation,
    Result,
    require_trade,
    require_yuan,
)
from daozhang.alipay.operations.sharing import Royalty
from daozhang.money import Money


class TradeRefundResult(Result, frozen=True, kw_only=True):
    """The answer to a refund. Only `moved_money` proves that this very request moved money: a
    repeat of one that did answers ``N``. ``refund_fee`` is everything refunded on the trade."""

    CURRENCIES: ClassVar[Mapping[str, str]] = {"refund_fee": "refund_currency"}

    trade_no: str | None = None
    out_trade_no: str | None = None
    fund_change: str | None = None
    refund_fee: Money | None = None
    refund_currency: str | None = None
    gmt_refund_pay: datetime | None = None
    send_back_fee: Money | None = None
    buyer_logon_id: str | None = None
    buyer_user_id: str | None = None
    buyer_open_id: str | None = None
    store_name: str | None = None
    has_deposit_back: str | None = None
    present_refund_buyer_amount: Money | None = None
    present_refund_discount_amount: Money | None = None
    present_refund_mdiscount_amount: Money | None = None
    refund_charge_amount: Money | None = None
    refund_detail_item_list: DetailList | None = None
    refund_voucher_detail_list: DetailList | None = None
    refund_charge_info_list: DetailList | None = None
    refund_settlement_id: str | None = None

    @property
    def moved_money(self) -> bool:
        """Whether this request moved money. ``False`` proves nothing: ask with a refund query."""
        return self.fund_change == "Y"


class TradeRefund(Operation[TradeRefundResult], frozen=True, kw_only=True):
    """``alipay.trade.refund``: gives back ``refund_amount``.

    ``out_request_no`` is required here, although Alipay would do without for a full refund: with
    it the same request can be repeated and asked about. After `OutcomeUnknown`, ask; repeat only
    with the same number and amount.
    """

    METHOD: ClassVar[str] = "alipay.trade.refund"
    RESULT: ClassVar[type[Result]] = TradeRefundResult

    refund_amount: Money
    out_request_no: str
    out_trade_no: str | None = None
    trade_no: str | None = None
    refund_reason: str | None = None
    refund_currency: str | None = None
    refund_goods_detail: DetailList | None = None
    refund_royalty_parameters: DetailList | tuple[Royalty, ...] | None = None
    goods_detail: DetailList | None = None
    query_options: tuple[str, ...] | None = None
    operator_id: str | None = None
    store_id: str | None = None
    terminal_id: str | None = None
    org_pid: str | None = None
    refund_advance_account: str | None = None
    refund_advance_account_type: str | None = None
    refund_trans_out: str | None = None
    refund_trans_out_type: str | None = None
    related_settle_confirm_no: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_trade(self)
        royalty_only = bool(self.refund_royalty_parameters)
        require_yuan("refund_amount", self.refund_amount, positive=not royalty_only)


class TradeFastpayRefundQueryResult(Result, frozen=True, kw_only=True):
    """What became of one refund. ``refund_amount`` is this request's own."""

    trade_no: str | None = None
    out_trade_no: str | None = None
    out_request_no: str | None = None
    refund_status: str | None = None
    refund_amount: Money | None = None
    total_amount: Money | None = None
    refund_reason: str | None = None
    gmt_refund_pay: datetime | None = None
    send_back_fee: Money | None = None
    error_code: str | None = None
    present_refund_buyer_amount: Money | None = None
    present_refund_discount_amount: Money | None = None
    present_refund_mdiscount_amount: Money | None = None
    refund_charge_amount: Money | None = None
    refund_detail_item_list: DetailList | None = None
    refund_voucher_detail_list: DetailList | None = None
    refund_charge_info_list: DetailList | None = None
    refund_royaltys: DetailList | None = None
    deposit_back_info: Mapping[str, Any] | None = None
    deposit_back_info_list: DetailList | None = None
    refund_settlement_id: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the refund is done. ``False``: not received, or failed, or still on its way."""
        return self.refund_status == "REFUND_SUCCESS"


class TradeFastpayRefundQuery(Operation[TradeFastpayRefundQueryResult], frozen=True, kw_only=True):
    """``alipay.trade.fastpay.refund.query``: what became of the refund ``out_request_no``."""

    METHOD: ClassVar[str] = "alipay.trade.fastpay.refund.query"
    RESULT: ClassVar[type[Result]] = TradeFastpayRefundQueryResult

    out_request_no: str
    out_trade_no: str | None = None
    trade_no: str | None = None
    query_options: tuple[str, ...] | None = None
    org_pid: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_trade(self)
