"""Both clients behind one face, so that every table of tests runs through both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from alipay.fakes import Gateway
from daozhang.alipay import Alipay, AsyncAlipay, Credentials
from daozhang.clock import Clock

Shell = Literal["sync", "async"]


class Caller:
    """Calls through a client that is opened and closed around each call."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def call(
        self,
        credentials: Credentials,
        gateway: Gateway,
        operation: Any,
        *,
        protocol: Literal["v2", "v3"] = "v2",
        clock: Clock | None = None,
        **options: Any,
    ) -> Any:
        return self._run(credentials, gateway, protocol, clock, "call", (operation,), options)

    def call_method(
        self,
        credentials: Credentials,
        gateway: Gateway,
        method: str,
        content: Mapping[str, Any] | None = None,
        *,
        protocol: Literal["v2", "v3"] = "v2",
        clock: Clock | None = None,
        **options: Any,
    ) -> Any:
        arguments = (method, content)
        return self._run(credentials, gateway, protocol, clock, "call_method", arguments, options)

    def _run(
        self,
        credentials: Credentials,
        gateway: Gateway,
        protocol: Literal["v2", "v3"],
        clock: Clock | None,
        name: str,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
    ) -> Any:
        if self.shell == "sync":
            with Alipay(
                credentials, protocol=protocol, transport=gateway.transport, clock=clock
            ) as alipay:
                return getattr(alipay, name)(*arguments, **options)

        async def run() -> Any:
            async with AsyncAlipay(
                credentials, protocol=protocol, transport=gateway.transport, clock=clock
            ) as alipay:
                return await getattr(alipay, name)(*arguments, **options)

        return asyncio.run(run())
