"""Context: what is made once and handed to whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from daozhang.clock import Clock, SystemClock
from daozhang.service.db import Database
from daozhang.service.seal import Sealer, open_sealer
from daozhang.service.settings import Settings
from daozhang.service.signals import Signals


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one running service. Made by the composition root."""

    settings: Settings
    clock: Clock
    database: Database
    sealer: Sealer
    signals: Signals


def open_context(settings: Settings, clock: Clock | None = None) -> Context:
    """A context of ``settings``: nothing is connected yet, but the sealing keys are read."""
    keys = settings.sealing_keys
    return Context(
        settings=settings,
        clock=SystemClock() if clock is None else clock,
        database=Database(settings.database_url),
        sealer=open_sealer(
            None if keys is None else keys.get_secret_value(), settings.sealing_keys_file
        ),
        signals=Signals(),
    )


def context_of(request: HTTPConnection) -> Context:
    """The context of the service that got ``request``."""
    return cast("Context", request.app.state.context)
