"""Receivers, plans and shares as the API takes and renders them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.views import Number, ShortText
from daozhang.service.sharing.messages import sentences_for
from daozhang.service.sharing.model import (
    Mode,
    Part,
    Plan,
    Receiver,
    ReturnOrder,
    Round,
    Share,
)
from daozhang.service.sharing.rules import percent_text, to_points
from daozhang.service.web.problem import AmountText

Account = Annotated[str, Field(pattern=r"^[!-~]{1,64}$", description="The receiver's account.")]
PercentText = Annotated[
    str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,2})?$", examples=["12.5"], description="As text.")
]
Description = Annotated[str, Field(min_length=1, max_length=256)]

_STRICT: Final = ConfigDict(extra="forbid")


class ReceiverIn(BaseModel):
    """Somebody who may be given shares. They need not agree, and must be verified by name at Alipay."""

    model_config = _STRICT

    type: Literal["userId", "loginName", "openId"] = "userId"
    account: Account
    name: ShortText | None = Field(None, description="Required for a loginName: Alipay checks it.")
    memo: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class ReceiverOut(BaseModel):
    """A receiver, and where the relation stands."""

    object: str = "receiver"
    type: str
    account: str
    name: str | None
    memo: str | None
    status: str = Field(description="binding, bound, refused, unbinding or unbound")
    last_code: str | None = Field(description="What Alipay said last, if it was no yes.")
    message: str | None = Field(description="What that means and what to do, in English.")
    message_zh: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, receiver: Receiver) -> Self:
        """``receiver``, rendered."""
        said = sentences_for(receiver.last_code, receiver.last_message)
        return cls(
            type=receiver.type.value,
            account=receiver.account,
            name=receiver.name,
            memo=receiver.memo,
            status=receiver.status.value,
            last_code=receiver.last_code,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            created_at=receiver.created_at,
            updated_at=receiver.updated_at,
        )


class ReceiverList(BaseModel):
    """All receivers of a merchant, oldest first."""

    object: str = "list"
    data: list[ReceiverOut]


class PartIn(BaseModel):
    """What one receiver gets: a percentage of the payment, a fixed amount, or the remainder of the pool."""

    model_config = _STRICT

    account: Account
    percent: PercentText | None = None
    amount: AmountText | None = None
    remainder: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(one is not None for one in (self.percent, self.amount, self.remainder)) != 1:
            raise ValueError(
                "a part has percent, amount or remainder 每个分账方须且仅须指定 percent、amount 或 remainder"
            )
        return self


class PlanIn(BaseModel):
    """How payments are split. What no part gets stays with the seller."""

    model_config = _STRICT

    parts: list[PartIn] = Field(min_length=1, max_length=50)
    pool_percent: PercentText | None = Field(
        None, description="What all parts come to together, where one of them gets the remainder."
    )
    rounding: Account | None = Field(
        None,
        description="Who gets the fen to which percentages do not come out; else the largest remainders.",
    )
    mode: Mode = Field(Mode.SYNC, description="sync: at once, all or nothing; async: later.")
    finish: bool = Field(False, description="Sharing ends with it: what was frozen is let go.")
    returns: ReturnOrder = Field(
        ReturnOrder.SELLER_FIRST, description="Whose money a refund draws on first."
    )

    def plan(self, name: str) -> Plan:
        """As the service knows it."""
        return Plan(
            name=name,
            parts=tuple(
                Part(
                    part.account,
                    None if part.amount is None else Money.parse(part.amount),
                    None if part.percent is None else to_points(part.percent),
                )
                for part in self.parts
            ),
            pool_basis_points=None if self.pool_percent is None else to_points(self.pool_percent),
            rounding=self.rounding,
            mode=self.mode,
            finishes=self.finish,
            returns=self.returns,
        )


class PlanOut(PlanIn):
    """A plan."""

    object: str = "share_plan"
    name: str

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """``plan``, rendered."""
        pool = plan.pool_basis_points
        return cls(
            name=plan.name,
            parts=[
                PartIn(
                    account=part.account,
                    percent=None if part.basis_points is None else percent_text(part.basis_points),
                    amount=None if part.amount is None else str(part.amount),
                    remainder=True if part.is_remainder else None,
                )
                for part in plan.parts
            ],
            pool_percent=None if pool is None else percent_text(pool),
            rounding=plan.rounding,
            mode=plan.mode,
            finish=plan.finishes,
            returns=plan.returns,
        )


class PlanList(BaseModel):
    """All plans of a merchant, by name."""

    object: str = "list"
    data: list[PlanOut]


class SharingIn(BaseModel):
    """How a merchant shares."""

    model_config = _STRICT

    percent_max: Annotated[int, Field(ge=0, le=100)] = Field(
        30, description="What the agreement with Alipay lets be shared of a payment."
    )
    plan: ShortText | None = Field(
        None, description="By which plan every payment is shared that names no other."
    )
    when_receiver_cannot_return: Literal["person", "seller"] = Field(
        "person",
        description="A refund for which a receiver cannot give back fails for a person to decide, or the "
        "seller pays that part as well.",
    )
    direct_pay: bool = Field(
        False,
        description="A merchant of 直付通 or 账期: Alipay holds each payment until its settlement is confirmed.",
    )


class SharingOut(SharingIn):
    """How a merchant shares now."""

    object: str = "sharing"

    @classmethod
    def of(cls, merchant: Merchant) -> Self:
        """The settings of ``merchant``."""
        return cls(
            percent_max=merchant.share_percent_max,
            plan=merchant.share_plan,
            when_receiver_cannot_return="seller" if merchant.share_cover == "seller" else "person",
            direct_pay=merchant.direct_pay,
        )


class ShareIn(BaseModel):
    """What one receiver gets."""

    model_config = _STRICT

    account: Account
    amount: AmountText


class SharesIn(BaseModel):
    """Shares to be made: by a plan, or to whom how much. It needs a number of yours, here or as
    `Idempotency-Key`."""

    model_config = _STRICT

    out_request_no: Number | None = Field(
        None, description="Your number, unique for your seller id."
    )
    plan: ShortText | None = None
    shares: list[ShareIn] = Field(default_factory=list[ShareIn], max_length=50)
    mode: Mode = Mode.SYNC
    finish: bool = Field(False, description="Sharing of the order ends with it.")
    returns: ReturnOrder = ReturnOrder.SELLER_FIRST
    description: Description | None = None

    @model_validator(mode="after")
    def _plan_or_shares(self) -> Self:
        if self.plan is not None and self.shares:
            raise ValueError("plan or shares, not both plan 与 shares 只能选其一")
        return self


class ShareOut(BaseModel):
    """One share, as it stands."""

    account: str
    amount: str
    status: str = Field(description="pending, failed or succeeded")
    returned_amount: str
    returning_amount: str = Field(description="On its way back, with a refund under way.")
    covered_amount: str = Field(description="Paid by the seller in the receiver's place.")
    last_code: str | None
    message: str | None = Field(description="What that means and what to do, in English.")
    message_zh: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, share: Share) -> Self:
        """``share``, rendered."""
        said = sentences_for(share.last_code, share.last_message)
        return cls(
            account=share.account,
            amount=str(share.amount),
            status=share.status.value,
            returned_amount=str(share.returned),
            returning_amount=str(share.returning),
            covered_amount=str(share.covered),
            last_code=share.last_code,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            ended_at=share.ended_at,
        )


class RoundOut(BaseModel):
    """One request that passes parts of an order on, and what became of each."""

    object: str = "share_round"
    out_trade_no: str
    out_request_no: str
    settle_no: str | None = Field(description="Alipay's number.")
    environment: str
    status: str = Field(description="requested, unknown, accepted, done or failed")
    mode: str
    amount: str
    currency: str
    finish: bool
    returns: str
    plan: str | None
    description: str | None
    shares: list[ShareOut]
    last_code: str | None = Field(description="What Alipay said last, if it was no proof.")
    last_message: str | None
    message: str | None
    message_zh: str | None
    requested_by: str | None
    approved_by: str | None = Field(description="The second person, if it took one.")
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    next_attempt_at: datetime | None
    held_at: datetime | None = Field(
        description="Since when it waits because outgoing money is stopped."
    )

    @classmethod
    def of(
        cls, round_: Round, shares: Sequence[Share], out_trade_no: str, environment: str
    ) -> Self:
        """``round_`` of that order with its shares, rendered."""
        said = sentences_for(round_.last_code, round_.last_message)
        return cls(
            out_trade_no=out_trade_no,
            out_request_no=round_.out_request_no,
            settle_no=round_.settle_no,
            environment=environment,
            status=round_.status.value,
            mode=round_.mode.value,
            amount=str(round_.amount),
            currency=round_.amount.currency,
            finish=round_.finishes,
            returns=round_.returns.value,
            plan=round_.plan,
            description=round_.description,
            shares=[ShareOut.of(share) for share in shares if share.round_id == round_.id],
            last_code=round_.last_code,
            last_message=round_.last_message,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            requested_by=round_.requested_by,
            approved_by=round_.approved_by,
            created_at=round_.created_at,
            updated_at=round_.updated_at,
            ended_at=round_.ended_at,
            next_attempt_at=round_.due_at,
            held_at=round_.held_at,
        )


class RoundList(BaseModel):
    """All rounds of an order, oldest first, and what could still be shared."""

    object: str = "list"
    environment: str
    shared_amount: str
    shareable_amount: str = Field(
        description="By the agreement's limit and what is left of the order."
    )
    data: list[RoundOut]


class ShareApprovalOut(BaseModel):
    """Shares that wait for a second person. Nothing has moved."""

    object: str = "approval"
    id: str
    status: str = Field(description="pending")
    environment: str
    out_trade_no: str
    out_request_no: str
    amount: str | None
    requested_by: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(
        cls, approval: Approval, out_trade_no: str, out_request_no: str, environment: str
    ) -> Self:
        """``approval`` of shares of that order, rendered."""
        return cls(
            id=approval.id,
            status=approval.status.value,
            environment=environment,
            out_trade_no=out_trade_no,
            out_request_no=out_request_no,
            amount=None if approval.amount is None else str(approval.amount),
            requested_by=approval.requested_by,
            created_at=approval.created_at,
            expires_at=approval.expires_at,
        )
