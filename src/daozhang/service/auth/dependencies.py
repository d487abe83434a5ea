"""The caller of a route: ``Depends(caller_with("orders:read"))``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Protocol, cast

from fastapi import Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from daozhang.service.auth.actions import authorize
from daozhang.service.auth.model import Caller, Scope
from daozhang.service.auth.refusals import NotAuthenticated
from daozhang.service.auth.ring import KeyRing

_bearer = HTTPBearer(
    auto_error=False, description="An API key: `daozhang apikey create` makes one."
)


class _Settings(Protocol):
    @property
    def environments(self) -> Sequence[str]: ...


class _Context(Protocol):
    """What of the web's context is needed here; the web stands above this floor."""

    @property
    def settings(self) -> _Settings: ...


def caller_with(scope: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency that gives the `Caller`, or refuses whoever lacks ``scope``."""
    wanted = Scope(scope)

    async def caller(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
        daozhang_merchant: Annotated[
            str | None,
            Header(description="Which merchant, by its slug, for a key that covers several."),
        ] = None,
    ) -> Caller:
        if credentials is None:
            raise NotAuthenticated
        context = cast("_Context", request.app.state.context)
        ring = cast("KeyRing", request.app.state.key_ring)
        # Who was here a moment ago needs no thread: handing over costs more than looking up.
        key = ring.remembered(credentials.credentials)
        if key is None:
            key = await run_in_threadpool(ring.find, credentials.credentials)
        return authorize(key, wanted, daozhang_merchant, context.settings.environments)

    return caller
