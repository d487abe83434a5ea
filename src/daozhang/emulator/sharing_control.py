"""The control plane's part about profit sharing: how receivers' accounts behave, and what was shared."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from daozhang.emulator.control import Control, Refused, read
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import require_code
from daozhang.emulator.royalties import Conduct, Settlement
from daozhang.emulator.sharing import detail


class ConductBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/receivers/{account}``."""

    exists: bool = True
    certified: bool = True
    name: str = ""
    gives_back: Literal["yes", "unauthorised", "insolvent"] = "yes"
    refuses: str = ""

    def conduct(self) -> Conduct:
        """As the desk keeps it. Raises `ValueError` for a sub code that this emulator cannot say."""
        if self.refuses:
            require_code(self.refuses)
        return Conduct(self.exists, self.certified, self.name, self.gives_back, self.refuses)


class SharingControl:
    """The routes about profit sharing under ``/_control/``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self, control: Control) -> list[Route]:
        """The routes, guarded as ``control`` guards its own."""
        return [
            control.route("/_control/shares", self.shares, "GET"),
            control.route("/_control/receivers/{account}", self.set_conduct, "POST"),
        ]

    async def shares(self, request: Request) -> object:
        """Every call that passed something on."""
        del request
        return {"shares": [content(one) for one in self._desk.sharing.settlements()]}

    async def set_conduct(self, request: Request) -> object:
        """Says how an account behaves from now on."""
        body = await read(request, ConductBody)
        account: str = request.path_params["account"]
        try:
            self._desk.sharing.set_conduct(account, body.conduct())
        except ValueError as problem:
            raise Refused(400, "INVALID_BODY", str(problem)) from problem
        return {"account": account, **msgspec.to_builtins(body)}


def content(settlement: Settlement) -> dict[str, Any]:
    """A call of ``order.settle`` as the control plane shows it."""
    request = settlement.request
    return {
        "settle_no": settlement.settle_no,
        "out_request_no": request.out_request_no,
        "trade_no": request.trade_no,
        "seller_id": request.seller_id,
        "finishes": request.finishes,
        "royalties": [detail(one) for one in settlement.royalties],
    }
