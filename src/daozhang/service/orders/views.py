"""An order, a step and a page of orders as the API renders them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from daozhang.service.orders.model import Order, Step, Surprise
from daozhang.service.orders.options import PayOptions
from daozhang.service.web.problem import AmountText

EXPIRY_SECONDS_MIN: Final = 60
EXPIRY_SECONDS_MAX: Final = 15 * 24 * 3600
"""Alipay takes 1 minute to 15 days (apis.md §1.1)."""

SUBJECT_FORBIDDEN: Final = frozenset("/=&")
"""What Alipay's documentation forbids in a subject (apis.md §1.1)."""

METADATA_KEYS_MAX: Final = 20

Number = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""A number of the caller's: letters, digits, underscore and hyphen, 1 to 64."""

ShortText = Annotated[str, Field(min_length=1, max_length=64)]


class OrderIn(BaseModel):
    """An order to be created. The number is the caller's own and makes creation idempotent."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    out_trade_no: Number = Field(description="Your number for it, unique for your seller id.")
    amount: AmountText = Field(description='What is to be paid, as text: "88.88".')
    currency: str = Field("CNY", description="ISO 4217.")
    subject: str = Field(min_length=1, max_length=256, description="What the buyer reads.")
    way: Literal["page", "wap", "app", "qr", "barcode", "mini"] = Field(
        "page",
        description="How the buyer pays: on a computer's page, in a phone's browser, in your app, by "
        "scanning your code, by showing a code that you scan, or inside Alipay (a mini program).",
    )
    pay_options: PayOptions | None = None
    body: str | None = Field(None, max_length=128)
    cart_ref: ShortText | None = Field(
        None, description="Orders of one cart carry the same: paid twice is announced."
    )
    operator_id: ShortText | None = None
    terminal_id: ShortText | None = None
    store_id: ShortText | None = None
    expires_at: AwareDatetime | None = Field(
        None, description="Until when it can be paid; 1 minute to 15 days from now."
    )
    return_url: str | None = Field(
        None, max_length=256, pattern=r"^https?://", description="Where the buyer goes afterwards."
    )
    passback: str | None = Field(None, max_length=512, description="Comes back to you unchanged.")
    share_plan: ShortText | None = Field(
        None,
        description="By which plan it is shared once it is paid; else the merchant's, if it has one.",
    )
    metadata: dict[ShortText, Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict[str, str], max_length=METADATA_KEYS_MAX
    )

    @field_validator("subject", "body")
    @classmethod
    def _printable(cls, text: str | None) -> str | None:
        if text is not None and any(ord(character) < 32 for character in text):
            raise ValueError(
                "control characters and line breaks are not allowed 不能包含控制字符或换行"
            )
        return text

    @field_validator("subject")
    @classmethod
    def _allowed_by_alipay(cls, text: str) -> str:
        if SUBJECT_FORBIDDEN & set(text):
            raise ValueError("Alipay allows no / = & in a subject 标题不能包含 / = &")
        return text

    @model_validator(mode="after")
    def _options_are_of_the_way(self) -> Self:
        if self.pay_options is not None:
            self.pay_options.require_for(self.way)
        return self

    def expiry(self, now: datetime, default_seconds: int) -> datetime:
        """When the order's time runs out; raises `ValueError` outside Alipay's limits."""
        if self.expires_at is None:
            return (now + timedelta(seconds=default_seconds)).replace(microsecond=0)
        left = (self.expires_at - now).total_seconds()
        if not EXPIRY_SECONDS_MIN <= left <= EXPIRY_SECONDS_MAX:
            raise ValueError("expires_at must lie 1 minute to 15 days from now.")
        return self.expires_at.replace(microsecond=0)


class PaymentOut(BaseModel):
    """How a payment was made up, as Alipay told it. Amounts are text."""

    paid_at: datetime | None
    receipt_amount: str | None
    buyer_pay_amount: str | None
    invoice_amount: str | None
    point_amount: str | None
    discount_amount: str | None
    fund_bills: list[dict[str, Any]]
    buyer_id: str | None
    buyer_open_id: str | None
    buyer_logon_id: str | None


class FrameOut(BaseModel):
    """The least that an `<iframe>` must measure for what `pay_url` shows in it, in CSS pixels."""

    width: int
    height: int


class OrderOut(BaseModel):
    """An order. ``pay_url`` and ``watch_token`` are there while they are of use."""

    object: str = "order"
    out_trade_no: str
    trade_no: str | None
    environment: str
    merchant: str
    way: str
    status: str = Field(description="created, waiting, closing, paid, finished, closed or refunded")
    amount: str
    currency: str
    refunded_amount: str
    reserved_amount: str
    shared_amount: str = Field(description="Passed on to others, and not come back.")
    refundable_amount: str
    subject: str
    body: str | None
    cart_ref: str | None
    operator_id: str | None
    terminal_id: str | None
    store_id: str | None
    return_url: str | None
    passback: str | None
    pay_options: PayOptions | None
    share_plan: str | None
    metadata: dict[str, str]
    late: bool = Field(description="Paid after it had been given up here.")
    attention: bool = Field(description="A fact did not fit; a person has to look.")
    closing_reason: str | None
    closed_reason: str | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    payment: PaymentOut | None
    pay_url: str | None = Field(
        None, description="Our own address; it signs at the click and leads to the cashier."
    )
    frame: FrameOut | None = Field(
        None, description="With a `qr_pay_mode` made for your own page: the frame for `pay_url`."
    )
    watch_token: str | None = Field(None, description="For the shop's page: read-only, expires.")
    watch_url: str | None = None

    @classmethod
    def of(
        cls,
        order: Order,
        merchant: str,
        *,
        pay_url: str | None,
        watch_token: str | None,
        watch_url: str | None,
    ) -> Self:
        """``order`` of the merchant whose slug is ``merchant``, rendered."""
        payment = _payment_out(order)
        frame = None if order.pay_options is None else order.pay_options.frame()
        return cls(
            out_trade_no=order.out_trade_no,
            trade_no=order.trade_no,
            environment=order.environment,
            merchant=merchant,
            way=order.way.value,
            status=order.status.value,
            amount=str(order.amount),
            currency=order.amount.currency,
            refunded_amount=str(order.refunded),
            reserved_amount=str(order.reserved),
            shared_amount=str(order.shared),
            refundable_amount=str(order.remainder) if order.status == "paid" else "0.00",
            subject=order.subject,
            body=order.body,
            cart_ref=order.cart_ref,
            operator_id=order.operator_id,
            terminal_id=order.terminal_id,
            store_id=order.store_id,
            return_url=order.return_url,
            passback=order.passback,
            pay_options=order.pay_options,
            share_plan=order.share_plan,
            metadata=dict(order.metadata),
            late=order.late,
            attention=order.attention,
            closing_reason=order.closing_reason,
            closed_reason=order.closed_reason,
            created_at=order.created_at,
            updated_at=order.updated_at,
            expires_at=order.expires_at,
            paid_at=payment.paid_at if payment is not None else None,
            payment=payment,
            pay_url=pay_url,
            frame=None if frame is None else FrameOut(width=frame[0], height=frame[1]),
            watch_token=watch_token,
            watch_url=watch_url,
        )


def _payment_out(order: Order) -> PaymentOut | None:
    payment = order.payment
    if payment is None:
        return None
    amounts = {
        f"{name}_amount": None if (amount := getattr(payment, name)) is None else str(amount)
        for name in ("receipt", "buyer_pay", "invoice", "point", "discount")
    }
    return PaymentOut(
        paid_at=payment.paid_at,
        fund_bills=[dict(bill) for bill in payment.fund_bills],
        buyer_id=payment.buyer_id,
        buyer_open_id=payment.buyer_open_id,
        buyer_logon_id=payment.buyer_logon_id,
        **amounts,
    )


class OrderPage(BaseModel):
    """A page of orders, newest first. ``next_cursor`` asks for the next one; null at the end."""

    object: str = "list"
    environment: str
    data: list[OrderOut]
    next_cursor: str | None


class StepOut(BaseModel):
    """One step of an order: what we learned, how, and what it changed."""

    kind: str = "step"
    at: datetime
    sequence: int
    cause: str
    source_ref: str
    status_before: str
    status_after: str
    events: list[str]
    note: str | None
    fact: dict[str, Any]

    @classmethod
    def of(cls, step: Step) -> Self:
        """``step``, rendered."""
        return cls(
            at=step.at,
            sequence=step.sequence,
            cause=step.cause,
            source_ref=step.source_ref,
            status_before=step.status_before.value,
            status_after=step.status_after.value,
            events=list(step.events),
            note=step.note,
            fact=dict(step.fact),
        )


class SurpriseOut(BaseModel):
    """A fact that did not fit, waiting for a person."""

    kind: str = "surprise"
    at: datetime
    reason: str
    detail: str
    amount: str
    currency: str
    owner: str

    @classmethod
    def of(cls, surprise: Surprise) -> Self:
        """``surprise``, rendered."""
        return cls(
            at=surprise.created_at,
            reason=surprise.reason,
            detail=surprise.detail,
            amount=str(surprise.amount),
            currency=surprise.amount.currency,
            owner=surprise.owner,
        )
