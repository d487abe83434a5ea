"""A trade for a mini program or a page inside Alipay (apis.md §9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from daozhang.alipay.operations.operation import Operation, Result
from daozhang.alipay.operations.trade import Payment
from daozhang.money import Money


class TradeCreateResult(Result, frozen=True, kw_only=True):
    """The trade that waits now: hand ``trade_no`` to ``my.tradePay`` as ``tradeNO``."""

    trade_no: str | None = None
    out_trade_no: str | None = None


class TradeCreate(Payment, Operation[TradeCreateResult], frozen=True, kw_only=True):
    """``alipay.trade.create``: a trade for one named buyer, who pays it inside Alipay.

    Name the buyer by `BuyerRef.fields`. Unlike a code or a page it makes the trade at once, and charges
    nobody: the same again gives the same ``trade_no``.
    """

    METHOD: ClassVar[str] = "alipay.trade.create"
    RESULT: ClassVar[type[Result]] = TradeCreateResult

    buyer_id: str | None = None
    buyer_open_id: str | None = None
    buyer_logon_id: str | None = None
    op_app_id: str | None = None
    op_buyer_open_id: str | None = None
    seller_id: str | None = None
    enable_pay_channels: str | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    discountable_amount: Money | None = None
    undiscountable_amount: Money | None = None
    receiver_address_info: Mapping[str, Any] | None = None
    logistics_detail: Mapping[str, Any] | None = None
    agreement_sign_params: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.buyer_id or self.buyer_open_id or self.buyer_logon_id):
            raise ValueError("TradeCreate needs its buyer: **BuyerRef.parse(...).fields().")
