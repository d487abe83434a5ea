"""Agreements as the API takes and shows them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from daozhang.service.agreements.model import (
    Agreement,
    Deduction,
    PeriodType,
    Plan,
    Rule,
)
from daozhang.service.agreements.rules import WINDOW_DAYS, window_of
from daozhang.service.charges.messages import sentences_for
from daozhang.service.orders.model import Order
from daozhang.service.orders.views import METADATA_KEYS_MAX, ShortText
from daozhang.service.web.problem import AmountText, amount_of

PERIOD_DAYS_MIN = 7
MONTH_DAY_MAX = 28
PAGE_SECONDS_MAX = 24 * 3600

AgreementNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
"""A number of the caller's: letters, digits, underscore and hyphen, 1 to 32."""


class RuleIn(BaseModel):
    """When may be charged, and how much; the buyer reads it on the page."""

    model_config = ConfigDict(extra="forbid")

    period_type: PeriodType
    period: int = Field(ge=1, le=9999, description="Every so many days (7 at least) or months.")
    first_on: date = Field(description="The first planned day; by months, one of 1 to 28.")
    single_amount: AmountText = Field(description="The most that may be charged at once.")
    total_amount: AmountText | None = Field(None, description="The most of all charges together.")
    payments: int | None = Field(None, ge=1, description="How many charges at most.")

    @model_validator(mode="after")
    def _as_alipay_wants(self) -> Self:
        if self.period_type is PeriodType.DAY and self.period < PERIOD_DAYS_MIN:
            raise ValueError("period must be 7 days at least 按天扣款时 period 不能小于 7")
        if self.period_type is PeriodType.MONTH and self.first_on.day > MONTH_DAY_MAX:
            raise ValueError("first_on must be one of the days 1 to 28 按月扣款时须为 1 至 28 日")
        return self

    def rule(self) -> Rule:
        """As it is kept."""
        total = None if self.total_amount is None else amount_of(self.total_amount, "CNY")
        return Rule(
            period_type=self.period_type,
            period=self.period,
            first_on=self.first_on,
            single_minor=amount_of(self.single_amount, "CNY").minor,
            total_minor=None if total is None else total.minor,
            payments=self.payments,
        )


class PlanIn(BaseModel):
    """How it is charged by itself. Without a plan `agreement.due` tells when, and you charge."""

    model_config = ConfigDict(extra="forbid")

    amount: AmountText
    subject: str = Field(min_length=1, max_length=256, description="What the buyer reads.")
    lead_days: int = Field(
        1,
        ge=0,
        le=WINDOW_DAYS,
        description="How many days before the planned day it is first tried.",
    )

    def plan(self) -> Plan:
        """As it is kept."""
        minor = amount_of(self.amount, "CNY").minor
        return Plan(amount_minor=minor, subject=self.subject, lead_days=self.lead_days)


class AgreementIn(BaseModel):
    """What a buyer is asked to sign. The number makes creation idempotent."""

    model_config = ConfigDict(extra="forbid")

    external_agreement_no: AgreementNumber = Field(description="Your number, used once.")
    sign_scene: str = Field(
        max_length=64, description="From your contract: INDUSTRY|DIGITAL_MEDIA, ..."
    )
    product: Literal["CYCLE_PAY_AUTH", "GENERAL_WITHHOLDING"] = Field(
        "CYCLE_PAY_AUTH", description="周期扣款, by a rule; or 商家扣款, whenever something is due."
    )
    channel: str = Field(
        "QRCODEORSMS", max_length=64, description="ALIPAYAPP, QRCODE, QRCODEORSMS."
    )
    rule: RuleIn | None = None
    plan: PlanIn | None = None
    external_logon_id: str | None = Field(
        None, max_length=100, description="The buyer's login name with you, shown on the page."
    )
    return_url: str | None = Field(None, max_length=256, pattern=r"^https?://")
    page_seconds: int = Field(
        3600, ge=60, le=PAGE_SECONDS_MAX, description="How long it can be signed."
    )
    metadata: dict[ShortText, Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict[str, str], max_length=METADATA_KEYS_MAX
    )

    @model_validator(mode="after")
    def _rule_goes_with_product(self) -> Self:
        if (self.product == "CYCLE_PAY_AUTH") != (self.rule is not None):
            raise ValueError(
                "a rule goes with CYCLE_PAY_AUTH and with no other product "
                "rule 须且仅须与 CYCLE_PAY_AUTH 同时提供"
            )
        if self.plan is not None and self.rule is None:
            raise ValueError("a plan needs a rule 设置 plan 时须提供 rule")
        return self

    def expiry(self, now: datetime) -> datetime:
        """Until when it can be signed."""
        return (now + timedelta(seconds=self.page_seconds)).replace(microsecond=0)


class PlanDayIn(BaseModel):
    """Another planned day."""

    model_config = ConfigDict(extra="forbid")

    next_deduct_on: date = Field(description="Later than the present one.")


class DeductionIn(BaseModel):
    """A charge of the present period."""

    model_config = ConfigDict(extra="forbid")

    out_trade_no: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    amount: AmountText
    subject: str = Field(min_length=1, max_length=256)


class DeductionOut(BaseModel):
    """A try to charge; everything else about it is in its order."""

    object: str = "deduction"
    out_trade_no: str
    amount: str
    planned_on: date | None
    status: Literal["open", "paid", "failed"]
    order_status: str
    code: str | None
    message: str | None = Field(description="What Alipay's code means and what to do, in English.")
    message_zh: str | None
    created_at: datetime

    @classmethod
    def of(cls, deduction: Deduction, order: Order) -> Self:
        """``deduction`` as the API shows it."""
        said = sentences_for(deduction.code, deduction.message)
        return cls(
            out_trade_no=order.out_trade_no,
            amount=str(order.amount),
            planned_on=deduction.planned_on,
            status=deduction.status.value,
            order_status=order.status.value,
            code=deduction.code,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            created_at=deduction.created_at,
        )


class SigningPaymentIn(BaseModel):
    """A payment by which the buyer signs as well."""

    model_config = ConfigDict(extra="forbid")

    out_trade_no: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    amount: AmountText
    subject: str = Field(min_length=1, max_length=256)
    way: Literal["page", "wap", "app"] = "page"
    return_url: str | None = Field(None, max_length=256, pattern=r"^https?://")
    cart_ref: ShortText | None = None


class AgreementOut(BaseModel):
    """An agreement as it stands. ``sign_url`` is there while it can be signed."""

    object: str = "agreement"
    environment: str
    external_agreement_no: str
    agreement_no: str | None
    product: str
    sign_scene: str
    status: Literal["created", "temp", "active", "stopped", "ending", "ended", "expired"]
    sign_url: str | None
    next_deduct_on: date | None = Field(
        description="The planned day of the next charge, Beijing's."
    )
    window_from: date | None = Field(
        description="The first day on which that period can be charged."
    )
    next_try_at: datetime | None = Field(description="When it is charged by itself next.")
    deductions: list[DeductionOut]
    buyer_id: str | None
    buyer_open_id: str | None
    buyer_logon_id: str | None
    attention: bool
    signed_at: datetime | None
    invalid_at: datetime | None
    expires_at: datetime
    created_at: datetime
    metadata: dict[str, str]

    @classmethod
    def of(cls, agreement: Agreement, deductions: list[DeductionOut], sign_url: str | None) -> Self:
        """``agreement`` as the API shows it."""
        window = window_of(agreement)
        return cls(
            environment=agreement.environment,
            external_agreement_no=agreement.external_agreement_no,
            agreement_no=agreement.agreement_no,
            product=agreement.product_code,
            sign_scene=agreement.sign_scene,
            status=agreement.status.value,
            sign_url=sign_url,
            next_deduct_on=agreement.next_deduct_on,
            window_from=None if window is None else window[0],
            next_try_at=agreement.next_try_at,
            deductions=deductions,
            buyer_id=agreement.buyer_id,
            buyer_open_id=agreement.buyer_open_id,
            buyer_logon_id=agreement.buyer_logon_id,
            attention=agreement.attention,
            signed_at=agreement.signed_at,
            invalid_at=agreement.invalid_at,
            expires_at=agreement.expires_at,
            created_at=agreement.created_at,
            metadata=dict(agreement.metadata),
        )


class AgreementPage(BaseModel):
    """Agreements, newest first, and where the next page begins."""

    object: str = "list"
    environment: str
    data: list[AgreementOut]
    next_cursor: str | None
