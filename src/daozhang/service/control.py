"""The control route of a service with a manual clock. It exists under no other clock."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import ClassVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from daozhang.clock import ManualClock
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import context_of
from daozhang.service.web.nearness import is_near
from daozhang.service.worker import Worker

router = APIRouter(prefix="/_control", include_in_schema=False)

ADVANCE_SECONDS_MAX = 400 * 24 * 3600


class ControlRefused(Refusal):
    """The clock may be pushed from this machine only, or with the token."""

    code: ClassVar[str] = "control_refused"
    status: ClassVar[int] = 403
    title: ClassVar[str] = "Not from there"


class Push(BaseModel):
    """How far to push the clock."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: float = Field(ge=0, le=ADVANCE_SECONDS_MAX, allow_inf_nan=False)


class Pushed(BaseModel):
    """What the clock shows now."""

    now: datetime


@router.post("/clock")
def push_clock(request: Request, push: Push) -> Pushed:
    """Pushes the clock; answers once all that became due has run."""
    _require_right(request)
    clock = context_of(request).clock
    assert isinstance(clock, ManualClock), "the route is mounted under a manual clock only"
    worker: Worker = request.app.state.worker
    return Pushed(now=worker.advance(clock, push.advance_seconds))


def _require_right(request: Request) -> None:
    token = context_of(request).settings.control_token
    if token is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    else:
        allowed = is_near(request)
    if not allowed:
        raise ControlRefused(
            "The clock is pushed from this machine and not through a proxy, or with "
            "DAOZHANG_CONTROL_TOKEN as Bearer.",
            "只能在本机直接 (不经代理) 推动时钟, 或以 DAOZHANG_CONTROL_TOKEN 作为 Bearer 令牌.",
        )
