"""What is watched, over HTTP: metrics for Prometheus."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import ClassVar, Final, cast

from fastapi import APIRouter, Request, Response

from daozhang.service.refusals import Refusal
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.exposition import CONTENT_TYPE, write_metrics
from daozhang.service.web.context import context_of

SIGNS_OF_A_PROXY: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy adds: behind one on the same machine everybody seems to be that machine."""

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
        proxied = any(name in request.headers for name in SIGNS_OF_A_PROXY)
        allowed = not proxied and request.client is not None and _is_loopback(request.client.host)
    if not allowed:
        raise MetricsRefused


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
