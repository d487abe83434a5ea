"""Settlements as the API takes and renders them."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

from daozhang.service.orders.views import Number
from daozhang.service.settlements.messages import sentences_for
from daozhang.service.settlements.model import Settlement

_STRICT: Final = ConfigDict(extra="forbid")


class SettlementIn(BaseModel):
    """A settlement to be confirmed: all that is left of the payment. It needs a number of yours, here or
    as `Idempotency-Key`."""

    model_config = _STRICT

    out_request_no: Number | None = Field(
        None, description="Your number, unique for your seller id."
    )
    royalty_freeze: bool = Field(
        False, description="It stays frozen for its receivers, for 30 days at most."
    )


class SettlementOut(BaseModel):
    """A settlement, as it stands."""

    object: str = "settlement"
    out_trade_no: str
    out_request_no: str
    environment: str
    status: str = Field(description="requested, unknown, confirmed or failed")
    amount: str
    currency: str
    royalty_freeze: bool
    last_code: str | None = Field(description="What Alipay said last, if it was no proof.")
    last_message: str | None
    message: str | None = Field(description="What that means and what to do, in English.")
    message_zh: str | None
    requested_by: str | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    next_attempt_at: datetime | None
    held_at: datetime | None = Field(
        description="Since when it waits because outgoing money is stopped."
    )

    @classmethod
    def of(cls, settlement: Settlement, out_trade_no: str, environment: str) -> Self:
        """``settlement`` of that order, rendered."""
        said = sentences_for(settlement.last_code, settlement.last_message)
        return cls(
            out_trade_no=out_trade_no,
            out_request_no=settlement.out_request_no,
            environment=environment,
            status=settlement.status.value,
            amount=str(settlement.amount),
            currency=settlement.amount.currency,
            royalty_freeze=settlement.freezes,
            last_code=settlement.last_code,
            last_message=settlement.last_message,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            requested_by=settlement.requested_by,
            created_at=settlement.created_at,
            updated_at=settlement.updated_at,
            ended_at=settlement.ended_at,
            next_attempt_at=settlement.due_at,
            held_at=settlement.held_at,
        )


class SettlementList(BaseModel):
    """All settlements of an order that were asked for, oldest first."""

    object: str = "list"
    environment: str
    data: list[SettlementOut]
