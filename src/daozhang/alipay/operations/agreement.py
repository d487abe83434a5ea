"""Agreements (周期扣款, 商家扣款): signing on a page, query, unsign, moving the plan (apis.md §14.2).

A deduction is a `daozhang.alipay.TradePay` with ``agreement_params`` and the agreement's product code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Final, Literal

import msgspec

from daozhang.alipay.operations.operation import (
    DetailList,
    Details,
    Operation,
    Page,
    Result,
    require_yuan,
)
from daozhang.money import Money

CYCLE_PAY: Final = "CYCLE_PAY_AUTH"
"""周期扣款: the merchant deducts once a period, in its window."""

WITHHOLDING: Final = "GENERAL_WITHHOLDING"
"""商家扣款: the merchant deducts whenever something is due. Few merchants are given it."""

PERIOD_DAYS_MIN: Final = 7
MONTH_DAY_MAX: Final = 28


class PeriodRule(msgspec.Struct, frozen=True, kw_only=True):
    """``period_rule_params``: when may be deducted, and how much.

    Every ``period`` days (7 at least) or months, first on ``execute_time``, at most ``single_amount``
    each time. By months, that day is one of the 1st to the 28th. ``total_amount`` and ``total_payments``
    bound all of them together.
    """

    period_type: Literal["DAY", "MONTH"]
    period: int
    execute_time: date
    single_amount: Money
    total_amount: Money | None = None
    total_payments: int | None = None

    def __post_init__(self) -> None:
        require_yuan("single_amount", self.single_amount)
        if self.total_amount is not None:
            require_yuan("total_amount", self.total_amount)
        if isinstance(self.execute_time, datetime):
            raise TypeError("execute_time is a day of Beijing's, a date without a time.")
        if self.period_type == "DAY" and self.period < PERIOD_DAYS_MIN:
            raise ValueError(
                f"period must be {PERIOD_DAYS_MIN} days at least; it is {self.period}."
            )
        if self.period_type == "MONTH" and self.execute_time.day > MONTH_DAY_MAX:
            raise ValueError(
                "execute_time must be one of the days 1 to 28 where period_type is MONTH."
            )
        if self.period < 1 or (self.total_payments is not None and self.total_payments < 1):
            raise ValueError("period and total_payments must be at least one.")


class AccessParams(msgspec.Struct, frozen=True, kw_only=True):
    """``access_params``: how the buyer comes to the page (ALIPAYAPP, QRCODE, QRCODEORSMS, ...)."""

    channel: str


class UserAgreementPageSign(Page, frozen=True, kw_only=True):
    """``alipay.user.agreement.page.sign``: the page on which a buyer agrees to be deducted.

    ``external_agreement_no`` is yours; with ``personal_product_code`` and ``sign_scene`` it names one
    agreement. ``period_rule_params`` are required for 周期扣款. What the buyer did is told by the
    notification ``dut_user_sign``, or by `UserAgreementQuery`; the page's return proves nothing.
    """

    METHOD: ClassVar[str] = "alipay.user.agreement.page.sign"

    personal_product_code: str
    access_params: AccessParams
    product_code: str | None = None
    sign_scene: str | None = None
    external_agreement_no: str | None = None
    external_logon_id: str | None = None
    period_rule_params: PeriodRule | None = None
    sign_validity_period: str | None = None
    third_party_type: str | None = None
    effect_time: str | None = None
    agreement_effect_type: str | None = None
    merchant_process_url: str | None = None
    prod_params: Mapping[str, Any] | None = None
    promo_params: str | None = None
    identity_params: Mapping[str, Any] | None = None
    user_age_range: str | None = None
    sub_merchant: Mapping[str, Any] | None = None


class AgreementSign(msgspec.Struct, frozen=True, kw_only=True):
    """``agreement_sign_params``: pay now and sign together, inside a page, wap or app payment.

    What was signed is told to ``sign_notify_url``, else to the payment's address.
    """

    personal_product_code: str
    access_params: AccessParams
    product_code: str | None = None
    sign_scene: str | None = None
    external_agreement_no: str | None = None
    external_logon_id: str | None = None
    period_rule_params: PeriodRule | None = None
    sign_notify_url: str | None = None
    effect_time: str | None = None
    sub_merchant: Mapping[str, Any] | None = None


class _Named(Details, frozen=True, kw_only=True):
    """What names an agreement: Alipay's number, or your own with its product and scene."""

    agreement_no: str | None = None
    external_agreement_no: str | None = None
    personal_product_code: str | None = None
    sign_scene: str | None = None
    third_party_type: str | None = None
    alipay_user_id: str | None = None
    alipay_open_id: str | None = None
    alipay_logon_id: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.agreement_no or (self.external_agreement_no and self.personal_product_code)):
            raise ValueError(
                f"{type(self).__name__} needs agreement_no, or external_agreement_no with"
                " personal_product_code (and the sign_scene it was signed with)."
            )


class UserAgreementQueryResult(Result, frozen=True, kw_only=True):
    """An agreement as it is now: ``status`` TEMP (signed, not in effect), NORMAL or STOP.

    ``next_deduct_time`` is the planned day of the next deduction. One that has ended is `Rejected`
    with ``USER_AGREEMENT_NOT_EXIST`` or ``AGREEMENT_HAS_UNSIGNED``.
    """

    agreement_no: str | None = None
    status: str | None = None
    external_agreement_no: str | None = None
    external_logon_id: str | None = None
    personal_product_code: str | None = None
    sign_scene: str | None = None
    third_party_type: str | None = None
    sign_time: datetime | None = None
    valid_time: datetime | None = None
    invalid_time: datetime | None = None
    last_deduct_time: date | None = None
    next_deduct_time: date | None = None
    single_quota: Money | None = None
    execution_plans: DetailList | None = None
    principal_id: str | None = None
    principal_open_id: str | None = None
    alipay_logon_id: str | None = None


class UserAgreementQuery(_Named, Operation[UserAgreementQueryResult], frozen=True, kw_only=True):
    """``alipay.user.agreement.query``: how an agreement stands. The only way to learn that its
    validity has run out: no notification tells."""

    METHOD: ClassVar[str] = "alipay.user.agreement.query"
    RESULT: ClassVar[type[Result]] = UserAgreementQueryResult


class UserAgreementUnsignResult(Result, frozen=True, kw_only=True):
    """It has ended, or its end is under way: ``dut_user_unsign`` tells when it has."""


class UserAgreementUnsign(_Named, Operation[UserAgreementUnsignResult], frozen=True, kw_only=True):
    """``alipay.user.agreement.unsign``: ends an agreement. Nothing can be deducted by it any more."""

    METHOD: ClassVar[str] = "alipay.user.agreement.unsign"
    RESULT: ClassVar[type[Result]] = UserAgreementUnsignResult

    operate_type: str | None = None
    extend_params: Mapping[str, Any] | str | None = None


class UserAgreementExecutionplanModifyResult(Result, frozen=True, kw_only=True):
    """The plan as it is now: ``deduct_time`` is the day of the next deduction."""

    agreement_no: str | None = None
    deduct_time: date | None = None


class UserAgreementExecutionplanModify(
    Operation[UserAgreementExecutionplanModifyResult], frozen=True, kw_only=True
):
    """``alipay.user.agreement.executionplan.modify``: moves the next deduction to a later day."""

    METHOD: ClassVar[str] = "alipay.user.agreement.executionplan.modify"
    RESULT: ClassVar[type[Result]] = UserAgreementExecutionplanModifyResult

    agreement_no: str
    deduct_time: date
    memo: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.deduct_time, datetime):
            raise TypeError("deduct_time is a day of Beijing's, a date without a time.")
