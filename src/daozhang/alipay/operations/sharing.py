"""Profit sharing (分账): who may receive, passing on, asking, and confirming a settlement (apis.md §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

import msgspec

from daozhang.alipay.operations.operation import (
    DetailList,
    Operation,
    Result,
    require_yuan,
)
from daozhang.money import Money

RECEIVERS_MAX: Final = 20
"""How many receivers one call binds or unbinds."""

SHARES_MAX_SYNC: Final = 5
SHARES_MAX_ASYNC: Final = 50
"""How many shares one call makes, at once and later."""

ReceiverType = Literal["userId", "loginName", "openId"]


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Who may be given a share. A ``loginName`` needs the ``name`` of its owner, which is checked."""

    type: ReceiverType
    account: str
    name: str | None = None
    memo: str | None = None
    account_open_id: str | None = None

    def __post_init__(self) -> None:
        if not self.account.strip():
            raise ValueError("account is empty; it names whose account it is.")
        if self.type == "loginName" and not self.name:
            raise ValueError("name is required for a loginName: Alipay checks whose account it is.")


class Royalty(msgspec.Struct, frozen=True, kw_only=True):
    """One share, or one share that comes back.

    From ``trans_out`` (by default the seller) to ``trans_in``. In a refund it is the other way round:
    ``trans_out`` is the receiver who gives back, ``trans_in`` the seller.
    """

    amount: Money
    trans_in: str | None = None
    trans_in_type: str | None = None
    trans_out: str | None = None
    trans_out_type: str | None = None
    royalty_type: str = "transfer"
    desc: str | None = None
    royalty_scene: str | None = None
    trans_in_name: str | None = None

    def __post_init__(self) -> None:
        require_yuan("amount", self.amount)


class TradeRoyaltyRelationResult(Result, frozen=True, kw_only=True):
    """What became of a binding: ``result_code`` SUCCESS or FAIL. Only `succeeded` proves it."""

    result_code: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether all of them are bound, or unbound, now."""
        return self.result_code == "SUCCESS"


class _Relation(Operation[TradeRoyaltyRelationResult], frozen=True, kw_only=True):
    """What binding and unbinding take."""

    RESULT: ClassVar[type[Result]] = TradeRoyaltyRelationResult

    out_request_no: str
    receiver_list: tuple[Receiver, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.receiver_list) <= RECEIVERS_MAX:
            raise ValueError(f"receiver_list holds 1 to {RECEIVERS_MAX} receivers.")


class TradeRoyaltyRelationBind(_Relation, frozen=True, kw_only=True):
    """``alipay.trade.royalty.relation.bind``: lets these receivers be given shares. They need not
    agree, and must be verified by name. Binding again changes nothing."""

    METHOD: ClassVar[str] = "alipay.trade.royalty.relation.bind"


class TradeRoyaltyRelationUnbind(_Relation, frozen=True, kw_only=True):
    """``alipay.trade.royalty.relation.unbind``: from now on these receivers get no shares."""

    METHOD: ClassVar[str] = "alipay.trade.royalty.relation.unbind"


class TradeRoyaltyRelationBatchqueryResult(Result, frozen=True, kw_only=True):
    """A page of those who are bound."""

    result_code: str | None = None
    receiver_list: DetailList | None = None
    current_page_num: int | None = None
    current_page_size: int | None = None
    total_page_num: int | None = None
    total_record_num: int | None = None


class TradeRoyaltyRelationBatchquery(
    Operation[TradeRoyaltyRelationBatchqueryResult], frozen=True, kw_only=True
):
    """``alipay.trade.royalty.relation.batchquery``: who is bound, at most 100 a page."""

    METHOD: ClassVar[str] = "alipay.trade.royalty.relation.batchquery"
    RESULT: ClassVar[type[Result]] = TradeRoyaltyRelationBatchqueryResult

    out_request_no: str
    page_num: int | None = None
    page_size: int | None = None


class TradeOrderSettleResult(Result, frozen=True, kw_only=True):
    """The share was made (sync), or accepted (async: ask, or wait for the message)."""

    trade_no: str | None = None
    settle_no: str | None = None


class TradeOrderSettle(Operation[TradeOrderSettleResult], frozen=True, kw_only=True):
    """``alipay.trade.order.settle``: passes parts of a payment on.

    ``out_request_no`` is yours: the same with the same content is the same share, so after
    `OutcomeUnknown` ask, and never send it under another number. ``royalty_mode`` sync is all or
    nothing, async may succeed in part. ``royalty_finish`` in ``extend_params`` (`finishing`) releases
    what a frozen payment still holds; it may go without royalties.
    """

    METHOD: ClassVar[str] = "alipay.trade.order.settle"
    RESULT: ClassVar[type[Result]] = TradeOrderSettleResult

    out_request_no: str
    trade_no: str
    royalty_parameters: tuple[Royalty, ...] | None = None
    operator_id: str | None = None
    royalty_mode: Literal["sync", "async"] | None = None
    extend_params: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        count = len(self.royalty_parameters or ())
        if not count and not (self.extend_params or {}).get("royalty_finish"):
            raise ValueError("TradeOrderSettle needs royalty_parameters, or a finish.")
        most = SHARES_MAX_ASYNC if self.royalty_mode == "async" else SHARES_MAX_SYNC
        if count > most:
            raise ValueError(
                f"{self.royalty_mode or 'sync'} takes {most} shares; these are {count}."
            )


def finishing(amount: Money | None = None) -> dict[str, str]:
    """``extend_params`` of a share after which the rest of a frozen payment, or ``amount`` of it, is
    the seller's."""
    more = {} if amount is None else {"royalty_finish_amount": str(amount)}
    return {"royalty_finish": "true", **more}


class TradeOrderSettleQueryResult(Result, frozen=True, kw_only=True):
    """What became of a share. Each of ``royalty_detail_list`` has its ``state`` (SUCCESS, FAIL or
    PROCESSING) and, where it failed, its ``error_code``."""

    out_request_no: str | None = None
    operation_dt: datetime | None = None
    royalty_detail_list: DetailList | None = None

    @property
    def details(self) -> Sequence[Mapping[str, Any]]:
        """The shares; none if Alipay knows no such request."""
        return self.royalty_detail_list or ()


class TradeOrderSettleQuery(Operation[TradeOrderSettleQueryResult], frozen=True, kw_only=True):
    """``alipay.trade.order.settle.query``: what became of a share, by ``settle_no`` or by your number and
    the trade's."""

    METHOD: ClassVar[str] = "alipay.trade.order.settle.query"
    RESULT: ClassVar[type[Result]] = TradeOrderSettleQueryResult

    settle_no: str | None = None
    out_request_no: str | None = None
    trade_no: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.settle_no or (self.out_request_no and self.trade_no)):
            raise ValueError(
                "TradeOrderSettleQuery needs settle_no, or out_request_no and trade_no."
            )


class TradeRoyaltyRateQueryResult(Result, frozen=True, kw_only=True):
    """How many percent of a payment may be passed on, by the seller's agreement with Alipay."""

    user_id: str | None = None
    max_ratio: int | None = None


class TradeRoyaltyRateQuery(Operation[TradeRoyaltyRateQueryResult], frozen=True, kw_only=True):
    """``alipay.trade.royalty.rate.query``: the limit of the agreement."""

    METHOD: ClassVar[str] = "alipay.trade.royalty.rate.query"
    RESULT: ClassVar[type[Result]] = TradeRoyaltyRateQueryResult

    out_request_no: str


class TradeOrderOnsettleQueryResult(Result, frozen=True, kw_only=True):
    """How much of a payment can still be passed on."""

    unsettled_amount: Money | None = None


class TradeOrderOnsettleQuery(Operation[TradeOrderOnsettleQueryResult], frozen=True, kw_only=True):
    """``alipay.trade.order.onsettle.query``: what can still be passed on. V2 only."""

    METHOD: ClassVar[str] = "alipay.trade.order.onsettle.query"
    RESULT: ClassVar[type[Result]] = TradeOrderOnsettleQueryResult

    trade_no: str
    royalty_source: str | None = None


class SettleDetail(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a payment is settled: by default (``defaultSettle``) as the sub-merchant's contract says.

    ``amount`` is the payment's total without what was refunded; ``actual_amount`` confirms a part.
    """

    amount: Money
    trans_in_type: Literal["cardAliasNo", "userId", "loginName", "defaultSettle"] = "defaultSettle"
    trans_in: str | None = None
    summary_dimension: str | None = None
    settle_entity_id: str | None = None
    settle_entity_type: Literal["SecondMerchant", "Store"] | None = None
    actual_amount: Money | None = None


class SettleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """``settle_info``: one detail; and, of a payment, after how long it is settled without being confirmed
    (``1d`` to ``365d``)."""

    settle_detail_infos: tuple[SettleDetail]
    settle_period_time: str | None = None


class TradeSettleConfirmResult(Result, frozen=True, kw_only=True):
    """What was confirmed."""

    trade_no: str | None = None
    out_request_no: str | None = None
    settle_amount: Money | None = None


class TradeSettleConfirm(Operation[TradeSettleConfirmResult], frozen=True, kw_only=True):
    """``alipay.trade.settle.confirm``: for merchants of 直付通 and those with a settlement period, lets
    the money of a payment be settled. Before it, nothing of the payment can be passed on."""

    METHOD: ClassVar[str] = "alipay.trade.settle.confirm"
    RESULT: ClassVar[type[Result]] = TradeSettleConfirmResult

    out_request_no: str
    trade_no: str
    settle_info: SettleInfo
    extend_params: Mapping[str, Any] | None = None
