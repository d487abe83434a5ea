"""Holds as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from daozhang.service.holds.messages import sentences_for
from daozhang.service.holds.model import Balance, Hold, Release
from daozhang.service.orders.model import Order
from daozhang.service.orders.views import (
    EXPIRY_SECONDS_MAX,
    EXPIRY_SECONDS_MIN,
    METADATA_KEYS_MAX,
    Number,
    ShortText,
)
from daozhang.service.web.problem import AmountText

PRODUCTS: Final = {"app": "PREAUTH_PAY", "qr": "PRE_AUTH", "barcode": "PRE_AUTH"}
"""Alipay's product for each way (apis.md §14.1); older contracts have ``PRE_AUTH_ONLINE``."""


class HoldIn(BaseModel):
    """A hold to be created. The number is the caller's own and makes creation idempotent."""

    model_config = ConfigDict(extra="forbid")

    out_order_no: Number = Field(description="Your number for it, unique for your seller id.")
    amount: AmountText = Field(description='What is to be frozen, as text: "500.00".')
    currency: str = Field("CNY", description="ISO 4217.")
    title: str = Field(min_length=1, max_length=100, description="What the buyer reads.")
    way: Literal["app", "qr", "barcode"] = Field(
        description="How the buyer agrees: in your app or mini program, by scanning your code, or by "
        "showing a code that you scan."
    )
    product_code: Literal["PRE_AUTH", "PREAUTH_PAY", "PRE_AUTH_ONLINE"] | None = Field(
        None, description="By default the way's own. Older contracts: PRE_AUTH_ONLINE with `app`."
    )
    expires_at: AwareDatetime | None = Field(
        None, description="Until when it can be confirmed; 1 minute to 15 days from now."
    )
    operator_id: ShortText | None = None
    terminal_id: ShortText | None = None
    store_id: ShortText | None = None
    metadata: dict[ShortText, Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict[str, str], max_length=METADATA_KEYS_MAX
    )

    @field_validator("title")
    @classmethod
    def _printable(cls, text: str) -> str:
        if any(ord(character) < 32 for character in text):
            raise ValueError(
                "control characters and line breaks are not allowed 不能包含控制字符或换行"
            )
        return text

    def expiry(self, now: datetime, default_seconds: int) -> datetime:
        """When its time runs out; raises `ValueError` outside Alipay's limits."""
        if self.expires_at is None:
            life = timedelta(seconds=min(default_seconds, EXPIRY_SECONDS_MAX))
            return (now + life).replace(microsecond=0)
        left = (self.expires_at - now).total_seconds()
        if not EXPIRY_SECONDS_MIN <= left <= EXPIRY_SECONDS_MAX:
            raise ValueError("expires_at must lie 1 minute to 15 days from now.")
        return self.expires_at.replace(microsecond=0)


class ScanIn(BaseModel):
    """A code that was scanned. It is used once, now, and never kept."""

    model_config = ConfigDict(extra="forbid")

    auth_code: Annotated[str, Field(max_length=512)] = Field(
        description="As the scanner typed it: the buyer's payment code, or a face's."
    )


class CaptureIn(BaseModel):
    """Money to be taken out of a hold."""

    model_config = ConfigDict(extra="forbid")

    out_trade_no: Number = Field(description="Your number for this payment: an order of its own.")
    amount: AmountText = Field(description="At most what remains of the hold.")
    subject: str = Field(min_length=1, max_length=256, description="What the buyer reads.")
    complete: bool = Field(
        False, description="The last one: Alipay lets the rest of the hold go by itself."
    )
    operator_id: ShortText | None = None
    terminal_id: ShortText | None = None
    cart_ref: ShortText | None = None
    metadata: dict[ShortText, Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict[str, str], max_length=METADATA_KEYS_MAX
    )


class ReleaseIn(BaseModel):
    """Money to be let go of a hold."""

    model_config = ConfigDict(extra="forbid")

    out_request_no: Number = Field(description="Your number for this release: it goes once.")
    amount: AmountText = Field(description="At most what remains of the hold.")
    remark: str | None = Field(None, min_length=1, max_length=100)
    operator_id: ShortText | None = None


class BalanceOut(BaseModel):
    """Where the money of a hold is; the parts make up what was frozen."""

    frozen_amount: str = Field(description="What the buyer let be frozen; 0 before that.")
    captured_amount: str = Field(description="Taken by payments.")
    capturing_amount: str = Field(description="Being taken: nobody knows yet whether it was.")
    released_amount: str = Field(description="Let go.")
    releasing_amount: str = Field(description="Being let go.")
    remaining_amount: str = Field(description="Still frozen, and promised to nobody.")


class ReleaseOut(BaseModel):
    """Money that was, or is being, let go."""

    object: str = "hold_release"
    out_request_no: str | None = Field(description="Null if Alipay let it go by itself.")
    origin: Literal["ours", "external"]
    status: Literal["requested", "unknown", "succeeded", "failed"]
    amount: str
    remark: str | None
    last_code: str | None
    message: str | None = Field(description="What Alipay's code means, in English.")
    message_zh: str | None
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, release: Release) -> Self:
        """``release`` as the API shows it."""
        said = sentences_for(release.last_code, release.last_message)
        return cls(
            out_request_no=release.out_request_no,
            origin=release.origin.value,
            status=release.status.value,
            amount=str(release.amount),
            remark=release.remark,
            last_code=release.last_code,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            created_at=release.created_at,
            ended_at=release.ended_at,
        )


class CaptureOut(BaseModel):
    """A payment out of a hold; everything else about it is in its order."""

    object: str = "hold_capture"
    out_trade_no: str
    amount: str
    status: str = Field(description="Its order's: created, closing, paid, closed, refunded, ...")
    last_code: str | None
    message: str | None = Field(description="What Alipay's code means, in English.")
    message_zh: str | None

    @classmethod
    def of(cls, order: Order, code: str | None, text: str | None) -> Self:
        """A payment as the API shows it."""
        said = sentences_for(code, text)
        return cls(
            out_trade_no=order.out_trade_no,
            amount=str(order.amount),
            status=order.status.value,
            last_code=code,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
        )


class HoldOut(BaseModel):
    """A hold as it stands."""

    object: str = "hold"
    environment: str
    out_order_no: str
    auth_no: str | None
    way: str
    product_code: str
    status: Literal["created", "waiting", "closing", "authorized", "finished", "closed"]
    amount: str
    currency: str
    title: str
    balance: BalanceOut
    captures: list[CaptureOut]
    releases: list[ReleaseOut]
    payer_user_id: str | None
    payer_open_id: str | None
    payer_logon_id: str | None
    late: bool
    attention: bool
    closed_reason: str | None
    last_code: str | None
    message: str | None = Field(description="What Alipay's last no means, in English.")
    message_zh: str | None
    operator_id: str | None
    terminal_id: str | None
    store_id: str | None
    metadata: dict[str, str]
    expires_at: datetime
    authorized_at: datetime | None
    created_at: datetime

    @classmethod
    def of(
        cls, hold: Hold, balance: Balance, captures: list[CaptureOut], releases: list[Release]
    ) -> Self:
        """``hold`` as the API shows it."""
        said = sentences_for(hold.last_code, hold.last_message)
        return cls(
            environment=hold.environment,
            out_order_no=hold.out_order_no,
            auth_no=hold.auth_no,
            way=hold.way.value,
            product_code=hold.product_code,
            status=hold.status.value,
            amount=str(hold.amount),
            currency=hold.amount.currency,
            title=hold.title,
            balance=BalanceOut(
                frozen_amount=str(balance.frozen),
                captured_amount=str(balance.captured),
                capturing_amount=str(balance.capturing),
                released_amount=str(balance.released),
                releasing_amount=str(balance.releasing),
                remaining_amount=str(balance.remaining),
            ),
            captures=captures,
            releases=[ReleaseOut.of(release) for release in releases],
            payer_user_id=hold.payer.user_id,
            payer_open_id=hold.payer.open_id,
            payer_logon_id=hold.payer.logon_id,
            late=hold.late,
            attention=hold.attention,
            closed_reason=hold.closed_reason,
            last_code=hold.last_code,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            operator_id=hold.operator_id,
            terminal_id=hold.terminal_id,
            store_id=hold.store_id,
            metadata=dict(hold.metadata),
            expires_at=hold.expires_at,
            authorized_at=hold.authorized_at,
            created_at=hold.created_at,
        )


class HoldPage(BaseModel):
    """Holds, newest first, and where the next page begins."""

    object: str = "list"
    environment: str
    data: list[HoldOut]
    next_cursor: str | None


class HoldCodeOut(BaseModel):
    """What the buyer scans to confirm."""

    object: str = "hold_qr_code"
    out_order_no: str
    qr_code: str = Field(description="The text of the code, should you draw it yourself.")
    svg_url: str = Field(description="The picture, for a page or a screen. No key is needed.")
    png_url: str
    expires_at: datetime


class AppHoldOut(BaseModel):
    """What the merchant's app, or a mini program, hands to Alipay."""

    object: str = "app_hold"
    out_order_no: str
    order_string: str = Field(
        description="For Alipay's SDK, or `my.tradePay({orderStr})`: decode nothing, add nothing."
    )
    expires_at: datetime
