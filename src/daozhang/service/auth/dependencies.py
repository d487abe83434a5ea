"""The caller of a route: ``Depends(caller_with("orders:read"))``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, cast

from fastapi import Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from daozhang.clock import Clock
from daozhang.service.auth.actions import authenticate, authorize
from daozhang.service.auth.model import Caller, Scope
from daozhang.service.auth.refusals import NotAuthenticated
from daozhang.service.db import Database

_bearer = HTTPBearer(
    auto_error=False, description="An API key: `daozhang apikey create` makes one."
)


class _Settings(Protocol):
    @property
    def environments(self) -> Sequence[str]: ...


class _Context(Protocol):
    """What of the web's context is needed here; the web stands above this floor."""

    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def settings(self) -> _Settings: ...


def caller_with(scope: str) -> Callable[..., Caller]:
    """A dependency that gives the `Caller`, or refuses whoever lacks ``scope``."""
    wanted = Scope(scope)

    def caller(
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
        key = authenticate(context.database, credentials.credentials, context.clock.now())
        return authorize(key, wanted, daozhang_merchant, context.settings.environments)

    return caller
