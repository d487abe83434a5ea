"""The merchant's switch for outgoing money over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.merchants import store
from daozhang.service.merchants.model import OutgoingSwitch
from daozhang.service.merchants.outgoing import turn_outgoing
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/outgoing", tags=["outgoing money"])

TURNS_SHOWN: Final = 20


class TurnIn(BaseModel):
    """To what the switch is to be turned, and why."""

    model_config = ConfigDict(extra="forbid")

    allowed: bool = Field(description="Whether money may go out.")
    reason: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="Why; it is kept."
    )


class Turn(BaseModel):
    """One turn of the switch."""

    allowed: bool
    reason: str
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, switch: OutgoingSwitch) -> Self:
        """``switch``, rendered."""
        return cls(
            allowed=switch.allowed,
            reason=switch.reason,
            changed_by=switch.changed_by,
            changed_at=switch.changed_at,
        )


class OutgoingOut(BaseModel):
    """Whether money may go out for the merchant, and the last turns of the switch."""

    object: str = "outgoing"
    merchant: str
    environment: str
    allowed: bool
    turns: list[Turn] = Field(description="Newest first.")


@router.get("", response_model=OutgoingOut, summary="Whether money may go out")
def get_outgoing(
    request: Request, caller: Annotated[Caller, Depends(caller_with("orders:read"))]
) -> OutgoingOut:
    """How the switch stands, who turned it last, when and why."""
    with context_of(request).database.read() as tx:
        return _outgoing(caller, store.list_switches(tx, caller.merchant_id, TURNS_SHOWN))


@router.patch("", response_model=OutgoingOut, summary="Stop or allow outgoing money")
def patch_outgoing(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("outgoing:write"))],
    wanted: TurnIn,
) -> OutgoingOut:
    """Stops or allows all outgoing money of the merchant, at once."""
    context = context_of(request)
    with context.database.begin() as tx:
        turn_outgoing(
            tx,
            context,
            caller.merchant_id,
            allowed=wanted.allowed,
            reason=wanted.reason,
            actor=caller.actor,
        )
        return _outgoing(caller, store.list_switches(tx, caller.merchant_id, TURNS_SHOWN))


def _outgoing(caller: Caller, turns: list[OutgoingSwitch]) -> OutgoingOut:
    return OutgoingOut(
        merchant=caller.merchant_slug,
        environment=caller.environment,
        allowed=not turns or turns[0].allowed,
        turns=[Turn.of(turn) for turn in turns],
    )
