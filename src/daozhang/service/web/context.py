"""Context: what is made once and handed to whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from daozhang.clock import Clock
from daozhang.service.db import Database
from daozhang.service.meter import Meter
from daozhang.service.seal import Sealer
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
    meter: Meter = field(default_factory=Meter)


def context_of(request: HTTPConnection) -> Context:
    """The context of the service that got ``request``."""
    return cast("Context", request.app.state.context)
