"""Holds (预授权): freezing a buyer's money, letting it go, query and cancel (apis.md §14.1).

What is taken from a hold is a `daozhang.alipay.TradePay` with ``auth_no`` and the product code of the freeze.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from daozhang.alipay.operations.operation import (
    DetailList,
    Details,
    Operation,
    Result,
    require_yuan,
)
from daozhang.alipay.operations.pay import scene_of
from daozhang.money import Money

PRE_AUTH: Final = "PRE_AUTH"
"""The product for holds at a counter: a code that is scanned, yours or the buyer's."""

PREAUTH_PAY: Final = "PREAUTH_PAY"
"""The product for holds online, in an app or a mini program. Older contracts: ``PRE_AUTH_ONLINE``."""


class Freeze(Details, frozen=True, kw_only=True):
    """What every way to freeze takes.

    ``out_order_no`` is your number for the hold, ``out_request_no`` the number of this operation: the same
    with the same content is the same freeze. ``pay_timeout`` (1m to 15d) is how long the buyer may take.
    """

    out_order_no: str
    out_request_no: str
    order_title: str
    amount: Money
    product_code: str | None = None
    payee_user_id: str | None = None
    payee_logon_id: str | None = None
    pay_timeout: str | None = None
    timeout_express: str | None = None
    extra_param: str | None = None
    enable_pay_channels: str | None = None
    disable_pay_channels: str | None = None
    deposit_product_mode: str | None = None
    post_payments: DetailList | None = None
    identity_params: str | None = None
    trans_currency: str | None = None
    settle_currency: str | None = None
    business_params: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_yuan("amount", self.amount)
        if not self.order_title.strip():
            raise ValueError("order_title is empty; Alipay shows it to the buyer and requires it.")


class FundAuthOrderFreezeResult(Result, frozen=True, kw_only=True):
    """What became of a freeze: ``status`` SUCCESS, INIT (the buyer has to confirm) or CLOSED.

    `is_frozen` is the only proof; after anything else, query.
    """

    auth_no: str | None = None
    operation_id: str | None = None
    out_order_no: str | None = None
    out_request_no: str | None = None
    amount: Money | None = None
    status: str | None = None
    gmt_trans: datetime | None = None
    payer_user_id: str | None = None
    payer_open_id: str | None = None
    payer_logon_id: str | None = None
    pre_auth_type: str | None = None
    credit_amount: Money | None = None
    fund_amount: Money | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether the money is frozen now."""
        return self.status == "SUCCESS"


class FundAuthOrderFreeze(Freeze, Operation[FundAuthOrderFreezeResult], frozen=True, kw_only=True):
    """``alipay.fund.auth.order.freeze``: freezes by a code that a buyer shows.

    After `OutcomeUnknown`, and after INIT, query; where nobody wants to wait any longer,
    `FundAuthOperationCancel`.
    """

    METHOD: ClassVar[str] = "alipay.fund.auth.order.freeze"
    RESULT: ClassVar[type[Result]] = FundAuthOrderFreezeResult

    auth_code: str
    auth_code_type: str
    product_code: str | None = PRE_AUTH
    terminal_params: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if scene_of(self.auth_code) is None:
            raise ValueError(
                "auth_code is no payment code: 16 to 24 digits that begin with 25 to 30, or fp and "
                "33 characters of a face."
            )


class FundAuthOrderVoucherCreateResult(Result, frozen=True, kw_only=True):
    """The code to show: ``code_value`` is its text, ``code_url`` a picture of it at Alipay."""

    out_order_no: str | None = None
    out_request_no: str | None = None
    code_type: str | None = None
    code_value: str | None = None
    code_url: str | None = None


class FundAuthOrderVoucherCreate(
    Freeze, Operation[FundAuthOrderVoucherCreateResult], frozen=True, kw_only=True
):
    """``alipay.fund.auth.order.voucher.create``: a QR code that the buyer scans to confirm."""

    METHOD: ClassVar[str] = "alipay.fund.auth.order.voucher.create"
    RESULT: ClassVar[type[Result]] = FundAuthOrderVoucherCreateResult

    product_code: str | None = PRE_AUTH


class FundAuthOrderAppFreeze(Freeze, frozen=True, kw_only=True):
    """``alipay.fund.auth.order.app.freeze``: an order string for the merchant's own app or a mini
    program (``my.tradePay({orderStr})``), no call. Always sign it with a ``notify_url``: nothing else is
    told of it."""

    METHOD: ClassVar[str] = "alipay.fund.auth.order.app.freeze"

    product_code: str | None = PREAUTH_PAY


class FundAuthOrderUnfreezeResult(Result, frozen=True, kw_only=True):
    """Money was let go, or is about to be; ``status`` SUCCESS is the proof."""

    auth_no: str | None = None
    out_order_no: str | None = None
    operation_id: str | None = None
    out_request_no: str | None = None
    amount: Money | None = None
    status: str | None = None
    gmt_trans: datetime | None = None
    credit_amount: Money | None = None
    fund_amount: Money | None = None


class FundAuthOrderUnfreeze(Operation[FundAuthOrderUnfreezeResult], frozen=True, kw_only=True):
    """``alipay.fund.auth.order.unfreeze``: lets a part of a hold, or all of it, go.

    ``out_request_no`` makes it idempotent: after `OutcomeUnknown` ask, or send the same again, never a
    new number.
    """

    METHOD: ClassVar[str] = "alipay.fund.auth.order.unfreeze"
    RESULT: ClassVar[type[Result]] = FundAuthOrderUnfreezeResult

    auth_no: str
    out_request_no: str
    amount: Money
    remark: str
    extra_param: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_yuan("amount", self.amount)


class _Named(Details, frozen=True, kw_only=True):
    """What names one operation of a hold."""

    auth_no: str | None = None
    out_order_no: str | None = None
    operation_id: str | None = None
    out_request_no: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        hold = self.auth_no or self.out_order_no
        if not (hold and (self.operation_id or self.out_request_no)):
            raise ValueError(
                f"{type(self).__name__} needs auth_no or out_order_no, and operation_id or out_request_no."
            )


class FundAuthOperationDetailQueryResult(Result, frozen=True, kw_only=True):
    """One operation of a hold, and how the hold stands.

    ``status`` is the operation's (INIT, SUCCESS, CLOSED), ``order_status`` the hold's (INIT, AUTHORIZED,
    FINISH, CLOSED). The totals are the hold's, cumulative; what was let go is the frozen total without
    the paid and the rest.
    """

    auth_no: str | None = None
    out_order_no: str | None = None
    order_title: str | None = None
    operation_id: str | None = None
    out_request_no: str | None = None
    operation_type: str | None = None
    amount: Money | None = None
    status: str | None = None
    order_status: str | None = None
    gmt_create: datetime | None = None
    gmt_trans: datetime | None = None
    remark: str | None = None
    payer_user_id: str | None = None
    payer_open_id: str | None = None
    payer_logon_id: str | None = None
    pre_auth_type: str | None = None
    total_freeze_amount: Money | None = None
    total_pay_amount: Money | None = None
    rest_amount: Money | None = None
    credit_amount: Money | None = None
    fund_amount: Money | None = None
    rest_credit_amount: Money | None = None
    rest_fund_amount: Money | None = None
    trans_currency: str | None = None


class FundAuthOperationDetailQuery(
    _Named, Operation[FundAuthOperationDetailQueryResult], frozen=True, kw_only=True
):
    """``alipay.fund.auth.operation.detail.query``: one operation, by default the freeze, and the sums of
    its hold. `Rejected` with ``AUTH_ORDER_NOT_EXIST`` while nobody has confirmed or scanned."""

    METHOD: ClassVar[str] = "alipay.fund.auth.operation.detail.query"
    RESULT: ClassVar[type[Result]] = FundAuthOperationDetailQueryResult

    operation_type: str | None = None
    query_options: tuple[str, ...] | None = None


class FundAuthOperationCancelResult(Result, frozen=True, kw_only=True):
    """What a cancel did: ``action`` close (nobody had confirmed) or unfreeze (it was frozen)."""

    auth_no: str | None = None
    out_order_no: str | None = None
    operation_id: str | None = None
    out_request_no: str | None = None
    action: str | None = None


class FundAuthOperationCancel(
    _Named, Operation[FundAuthOperationCancelResult], frozen=True, kw_only=True
):
    """``alipay.fund.auth.operation.cancel``: undoes a freeze that nobody wants any more, or whose
    outcome is not known. It can be repeated."""

    METHOD: ClassVar[str] = "alipay.fund.auth.operation.cancel"
    RESULT: ClassVar[type[Result]] = FundAuthOperationCancelResult

    remark: str
