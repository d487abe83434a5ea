"""Money at risk of one merchant over HTTP: the sums, and the things behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Self
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.watch import store
from daozhang.service.watch.model import AtRisk, RiskRow
from daozhang.service.watch.risk import list_at_risk, sum_at_risk
from daozhang.service.web.context import context_of

ROWS_PER_CAUSE: Final = 100

router = APIRouter(prefix="/v1/money_at_risk", tags=["orders"])


class AtRiskSum(BaseModel):
    """The sum of one cause and age."""

    cause: str
    age: str = Field(description="under_5m, 5m_to_1h, 1h_to_24h or over_24h")
    amount: str
    currency: str
    count: int

    @classmethod
    def of(cls, one: AtRisk) -> Self:
        """``one``, rendered."""
        return cls(
            cause=one.cause.value,
            age=one.age.value,
            amount=str(one.amount),
            currency=one.amount.currency,
            count=one.count,
        )


class AtRiskItem(BaseModel):
    """One thing whose state is unknown, and where to look."""

    cause: str
    amount: str
    currency: str
    since: datetime
    out_trade_no: str | None = Field(description="Of the order, or the number of the hold.")
    out_request_no: str | None = Field(
        description="Of the refund or the release, if it is one that has a number."
    )
    detail: str | None = Field(
        description="The order's or hold's status, the last code, the surprise's reason, "
        "or the notification's kind."
    )
    hold_url: str | None = Field(description="If it is about a hold.")
    agreement_url: str | None = Field(description="If it is about an agreement.")
    order_url: str | None = Field(description="Null if there is no order here, or not yet.")
    story_url: str | None
    refunds_url: str | None = Field(description="If it is a refund.")

    @classmethod
    def of(cls, row: RiskRow) -> Self:
        """``row``, rendered."""
        order = None
        if row.has_order and row.out_trade_no is not None:
            order = f"/v1/orders/{quote(row.out_trade_no, safe='')}"
        about = {
            kind: f"/v1/{kind}s/{quote(row.out_trade_no, safe='')}"
            for kind in ("hold", "agreement")
            if row.subject == kind and row.out_trade_no is not None
        }
        told = order or next(iter(about.values()), None)
        is_refund = row.cause.value.startswith("refund_")
        return cls(
            cause=row.cause.value,
            amount=str(row.amount),
            currency=row.amount.currency,
            since=row.since,
            out_trade_no=row.out_trade_no,
            out_request_no=row.out_request_no,
            detail=row.detail,
            hold_url=about.get("hold"),
            agreement_url=about.get("agreement"),
            order_url=order,
            story_url=None if told is None else f"{told}/story",
            refunds_url=f"{order}/refunds" if order is not None and is_refund else None,
        )


class AtRiskOut(BaseModel):
    """The merchant's money in unknown states."""

    object: str = "money_at_risk"
    environment: str
    at: datetime
    sums: list[AtRiskSum] = Field(description="Complete, whatever `data` leaves out.")
    data: list[AtRiskItem] = Field(
        description=f"The oldest first of each cause, up to {ROWS_PER_CAUSE} of each."
    )


@router.get("", response_model=AtRiskOut, summary="Money at risk")
def get_money_at_risk(
    request: Request, caller: Annotated[Caller, Depends(caller_with("orders:read"))]
) -> AtRiskOut:
    """Money whose state is not known for certain now, by cause and age, and the things behind it.

    The same figures as `/metrics`, of one merchant.
    """
    context = context_of(request)
    now = context.clock.now()
    grace_seconds = context.settings.expiry_grace_seconds
    with context.database.read() as tx:
        store.see_one_moment(tx)
        sums = sum_at_risk(tx, now, grace_seconds=grace_seconds, merchant_id=caller.merchant_id)
        rows = list_at_risk(
            tx,
            caller.merchant_id,
            now,
            grace_seconds=grace_seconds,
            rows_max=ROWS_PER_CAUSE,
        )
    return AtRiskOut(
        environment=caller.environment,
        at=now,
        sums=[AtRiskSum.of(one) for one in sums],
        data=[AtRiskItem.of(row) for row in rows],
    )
