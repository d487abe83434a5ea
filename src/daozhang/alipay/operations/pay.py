"""Taking a payment by a call of the server: a buyer's payment code, a hold, an agreement (apis.md §8, §14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from daozhang.alipay.operations.operation import DetailList, Operation, Result
from daozhang.alipay.operations.trade import Payment
from daozhang.money import Money

BAR_CODE: Final = "bar_code"
SECURITY_CODE: Final = "security_code"
"""The scenes: a code that was scanned, and a face that was recognised."""

_PAYMENT_CODE: Final = re.compile(r"(?:2[5-9]|30)[0-9]{14,22}", re.ASCII)
_FACE_CODE: Final = re.compile(r"fp[0-9A-Za-z]{33}", re.ASCII)


def scene_of(auth_code: str) -> str | None:
    """The scene of a code as a scanner or a camera gives it; ``None`` if it is no payment code.

    A buyer's code has 16 to 24 digits and begins with 25 to 30; a face gives ``fp`` and 33
    characters more (apis.md §8). A goods barcode, or another wallet's code, is neither.
    """
    if _PAYMENT_CODE.fullmatch(auth_code):
        return BAR_CODE
    return SECURITY_CODE if _FACE_CODE.fullmatch(auth_code) else None


class TradePayResult(Result, frozen=True, kw_only=True):
    """What became of a payment that was asked for.

    `is_paid` is the only proof. `waits_for_buyer` means that the buyer has to confirm on the phone:
    query until it is paid or closed, and cancel what stays open.
    """

    CURRENCIES: ClassVar[Mapping[str, str]] = {
        "total_amount": "trans_currency",
        "settle_amount": "settle_currency",
        "pay_amount": "pay_currency",
    }

    trade_no: str | None = None
    out_trade_no: str | None = None
    total_amount: Money | None = None
    receipt_amount: Money | None = None
    buyer_pay_amount: Money | None = None
    invoice_amount: Money | None = None
    point_amount: Money | None = None
    discount_amount: Money | None = None
    mdiscount_amount: Money | None = None
    gmt_payment: datetime | None = None
    buyer_user_id: str | None = None
    buyer_open_id: str | None = None
    buyer_logon_id: str | None = None
    buyer_user_type: str | None = None
    fund_bill_list: DetailList | None = None
    voucher_detail_list: DetailList | None = None
    store_name: str | None = None
    card_balance: str | None = None
    async_payment_mode: str | None = None
    auth_trade_pay_mode: str | None = None
    trans_currency: str | None = None
    settle_currency: str | None = None
    settle_amount: Money | None = None
    pay_currency: str | None = None
    pay_amount: Money | None = None

    @property
    def is_paid(self) -> bool:
        """Whether the buyer has paid. V3 answers without a code; what waits has no time of payment."""
        return self.raw.get("code") in (None, "10000") and self.gmt_payment is not None

    @property
    def waits_for_buyer(self) -> bool:
        """Whether the trade is open and the buyer has to act."""
        return not self.is_paid


class TradePay(Payment, Operation[TradePayResult], frozen=True, kw_only=True):
    """``alipay.trade.pay``: charges a payment code (``auth_code`` with ``scene``), a hold
    (``auth_no``) or an agreement (``agreement_params``).

    After `OutcomeUnknown`, and after a result that waits for its buyer, query; where nobody wants to
    wait any longer, cancel. `Rejected` is no proof that no trade is open: close or query it before
    another number is used.
    """

    METHOD: ClassVar[str] = "alipay.trade.pay"
    RESULT: ClassVar[type[Result]] = TradePayResult

    scene: str | None = None
    auth_code: str | None = None
    auth_no: str | None = None
    auth_confirm_mode: str | None = None
    agreement_params: Mapping[str, Any] | None = None
    buyer_id: str | None = None
    buyer_open_id: str | None = None
    seller_id: str | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    terminal_params: Mapping[str, Any] | str | None = None
    discountable_amount: Money | None = None
    undiscountable_amount: Money | None = None
    is_async_pay: bool | None = None
    pay_params: Mapping[str, Any] | None = None
    advance_payment_type: str | None = None
    promo_params: Mapping[str, Any] | str | None = None
    trans_currency: str | None = None
    settle_currency: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.auth_code is not None and scene_of(self.auth_code) is None:
            raise ValueError(
                "auth_code is no payment code: 16 to 24 digits that begin with 25 to 30, or fp and "
                "33 characters of a face."
            )
        if not (self.auth_code or self.auth_no or self.agreement_params):
            raise ValueError("TradePay needs auth_code, auth_no or agreement_params.")
