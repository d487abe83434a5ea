"""Taking a payment: pages, QR code, query, close, cancel (apis.md §1, §2, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from daozhang.alipay.operations.agreement import AgreementSign
from daozhang.alipay.operations.operation import (
    DetailList,
    Details,
    Operation,
    Page,
    Result,
    require_trade,
    require_yuan,
)
from daozhang.money import Money


class Payment(Details, frozen=True, kw_only=True):
    """What every way to be paid takes.

    ``out_trade_no`` is yours and names one trade of one seller for ever: the same number with
    another amount or subject is refused. Give ``time_expire``, an absolute time; without it a page
    can be paid for 15 days.
    """

    out_trade_no: str
    total_amount: Money
    subject: str
    body: str | None = None
    product_code: str | None = None
    time_expire: datetime | None = None
    timeout_express: str | None = None
    passback_params: str | None = None
    goods_detail: DetailList | None = None
    extend_params: Mapping[str, Any] | None = None
    business_params: Mapping[str, Any] | str | None = None
    disable_pay_channels: str | None = None
    merchant_order_no: str | None = None
    store_id: str | None = None
    ext_user_info: Mapping[str, Any] | None = None
    sub_merchant: Mapping[str, Any] | None = None
    settle_info: Mapping[str, Any] | None = None
    royalty_info: Mapping[str, Any] | None = None
    query_options: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_yuan("total_amount", self.total_amount)
        if not self.subject.strip():
            raise ValueError("subject is empty; Alipay shows it to the buyer and requires it.")


class PagePayment(Page, Payment, frozen=True, kw_only=True):
    """A payment that the buyer's browser is sent to."""

    enable_pay_channels: str | None = None
    goods_type: str | None = None
    invoice_info: Mapping[str, Any] | None = None
    promo_params: str | None = None


class TradePagePay(PagePayment, frozen=True, kw_only=True):
    """``alipay.trade.page.pay``: the cashier for computers. There is no trade at Alipay until the
    buyer logs in or scans."""

    METHOD: ClassVar[str] = "alipay.trade.page.pay"

    product_code: str | None = "FAST_INSTANT_TRADE_PAY"
    qr_pay_mode: str | None = None
    qrcode_width: str | None = None
    integration_type: str | None = None
    request_from_url: str | None = None
    agreement_sign_params: AgreementSign | Mapping[str, Any] | None = None


class TradeWapPay(PagePayment, frozen=True, kw_only=True):
    """``alipay.trade.wap.pay``: the cashier for a phone's browser. ``quit_url`` is where a buyer
    who gives up returns to."""

    METHOD: ClassVar[str] = "alipay.trade.wap.pay"

    product_code: str | None = "QUICK_WAP_WAY"
    quit_url: str | None = None
    seller_id: str | None = None
    specified_channel: str | None = None


class TradeAppPay(Payment, frozen=True, kw_only=True):
    """``alipay.trade.app.pay``: an order string for the merchant's own app, no call."""

    METHOD: ClassVar[str] = "alipay.trade.app.pay"

    product_code: str | None = "QUICK_MSECURITY_PAY"
    enable_pay_channels: str | None = None
    goods_type: str | None = None
    invoice_info: Mapping[str, Any] | None = None
    promo_params: str | None = None
    seller_id: str | None = None
    specified_channel: str | None = None
    agreement_sign_params: AgreementSign | Mapping[str, Any] | None = None


class TradePrecreateResult(Result, frozen=True, kw_only=True):
    """The code to show. It lives two hours at most, whatever the trade's own expiry."""

    out_trade_no: str | None = None
    qr_code: str | None = None
    share_code: str | None = None
    prepay_id: str | None = None


class TradePrecreate(Payment, Operation[TradePrecreateResult], frozen=True, kw_only=True):
    """``alipay.trade.precreate``: a QR code that the buyer scans."""

    METHOD: ClassVar[str] = "alipay.trade.precreate"
    RESULT: ClassVar[type[Result]] = TradePrecreateResult

    enable_pay_channels: str | None = None
    discountable_amount: Money | None = None
    undiscountable_amount: Money | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    seller_id: str | None = None
    buyer_logon_id: str | None = None
    code_type: str | None = None
    qr_code_timeout_express: str | None = None


class TradeQueryResult(Result, frozen=True, kw_only=True):
    """What Alipay says of a trade now. A query tells no refunded amount."""

    CURRENCIES: ClassVar[Mapping[str, str]] = {
        "total_amount": "trans_currency",
        "settle_amount": "settle_currency",
        "pay_amount": "pay_currency",
    }

    trade_no: str | None = None
    out_trade_no: str | None = None
    trade_status: str | None = None
    total_amount: Money | None = None
    receipt_amount: Money | None = None
    buyer_pay_amount: Money | None = None
    invoice_amount: Money | None = None
    point_amount: Money | None = None
    discount_amount: Money | None = None
    mdiscount_amount: Money | None = None
    send_pay_date: datetime | None = None
    buyer_user_id: str | None = None
    buyer_open_id: str | None = None
    buyer_logon_id: str | None = None
    buyer_user_type: str | None = None
    subject: str | None = None
    body: str | None = None
    passback_params: str | None = None
    store_id: str | None = None
    store_name: str | None = None
    terminal_id: str | None = None
    fund_bill_list: DetailList | None = None
    voucher_detail_list: DetailList | None = None
    trade_settle_info: Mapping[str, Any] | None = None
    trans_currency: str | None = None
    settle_currency: str | None = None
    settle_amount: Money | None = None
    pay_currency: str | None = None
    pay_amount: Money | None = None
    settlement_id: str | None = None
    auth_trade_pay_mode: str | None = None
    credit_pay_mode: str | None = None
    charge_amount: Money | None = None
    charge_info_list: DetailList | None = None


class TradeQuery(Operation[TradeQueryResult], frozen=True, kw_only=True):
    """``alipay.trade.query``: what became of a trade.

    `Rejected` with ``ACQ.TRADE_NOT_EXIST`` means that nobody has opened the page: unpaid, never
    failed. ``trade_no`` wins if both numbers are given.
    """

    METHOD: ClassVar[str] = "alipay.trade.query"
    RESULT: ClassVar[type[Result]] = TradeQueryResult

    out_trade_no: str | None = None
    trade_no: str | None = None
    query_options: tuple[str, ...] | None = None
    org_pid: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_trade(self)


class TradeCloseResult(Result, frozen=True, kw_only=True):
    """The trade that is closed now."""

    trade_no: str | None = None
    out_trade_no: str | None = None


class TradeClose(Operation[TradeCloseResult], frozen=True, kw_only=True):
    """``alipay.trade.close``: closes a trade that waits for its buyer. `Rejected` may mean that it
    was paid or closed meanwhile: query it."""

    METHOD: ClassVar[str] = "alipay.trade.close"
    RESULT: ClassVar[type[Result]] = TradeCloseResult

    out_trade_no: str | None = None
    trade_no: str | None = None
    operator_id: str | None = None
    extend_params: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_trade(self)


class TradeCancelResult(Result, frozen=True, kw_only=True):
    """What cancelling did: ``action`` is ``close`` (it was unpaid), ``refund`` (it was paid, and
    the money went back) or absent (no trade); ``retry_flag`` ``Y`` means: cancel again."""

    trade_no: str | None = None
    out_trade_no: str | None = None
    retry_flag: str | None = None
    action: str | None = None
    gmt_refund_pay: datetime | None = None
    refund_settlement_id: str | None = None


class TradeCancel(Operation[TradeCancelResult], frozen=True, kw_only=True):
    """``alipay.trade.cancel``: ends a trade whose outcome is unknown, within 24 hours, and gives a
    payment back. It moves money; it is no general refund."""

    METHOD: ClassVar[str] = "alipay.trade.cancel"
    RESULT: ClassVar[type[Result]] = TradeCancelResult

    out_trade_no: str | None = None
    trade_no: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_trade(self)


class TradeOrderinfoSyncResult(Result, frozen=True, kw_only=True):
    """Alipay has taken note of it."""

    trade_no: str | None = None
    out_trade_no: str | None = None
    buyer_user_id: str | None = None
    buyer_open_id: str | None = None


class TradeOrderinfoSync(Operation[TradeOrderinfoSyncResult], frozen=True, kw_only=True):
    """``alipay.trade.orderinfo.sync``: tells Alipay what became of an order after its payment
    (apis.md §2.4). ``out_request_no`` makes it idempotent: a repeat changes nothing.

    ``order_biz_info`` is JSON: ``{"status": "COMPLETE"}`` the buyer kept the agreement, ``CLOSED`` it was
    called off, ``VIOLATED`` it was broken (unverified).
    """

    METHOD: ClassVar[str] = "alipay.trade.orderinfo.sync"
    RESULT: ClassVar[type[Result]] = TradeOrderinfoSyncResult

    trade_no: str
    out_request_no: str
    biz_type: str
    orig_request_no: str | None = None
    order_biz_info: str | None = None
