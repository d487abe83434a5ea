"""What is watched, over HTTP: metrics for Prometheus."""

from __future__ import annotations

import hmac
from typing import ClassVar, cast

from fastapi import APIRouter, Request, Response

from daozhang.service.refusals import Refusal
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.exposition import CONTENT_TYPE, write_metrics
from daozhang.service.web.context import context_of
from daozhang.service.web.nearness import is_near

router = APIRouter(include_in_schema=False)


class MetricsRefused(Refusal):
    """Metrics tell sums of money: they are read on this machine, or with the token."""

    code: ClassVar[str] = "metrics_refused"
    status: ClassVar[int] = 403
    title: ClassVar[str] = "Not from there"

    def __init__(self) -> None:
        super().__init__(
            "Metrics are read on this machine and not through a proxy, or with "
            "DAOZHANG_METRICS_TOKEN as Bearer.",
            "只能在本机直接 (不经代理) 读取指标, 或以 DAOZHANG_METRICS_TOKEN 作为 Bearer 令牌.",
        )


@router.get("/metrics")
def read_metrics(request: Request) -> Response:
    """All metrics, in Prometheus' text format; the same from whichever process answers."""
    _require_right(request)
    lookout = cast("Lookout", request.app.state.lookout)
    return Response(
        write_metrics(lookout.look()),
        media_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def _require_right(request: Request) -> None:
    token = context_of(request).settings.metrics_token
    if token is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    else:
        allowed = is_near(request)
    if not allowed:
        raise MetricsRefused
