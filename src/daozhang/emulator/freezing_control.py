"""The control plane's part about holds: playing the buyer who confirms, and the merchant centre."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from daozhang.emulator import wire
from daozhang.emulator.control import Control, Refused, not_declined, read
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import GatewayError, business
from daozhang.emulator.gateway import Conversation, Gateway
from daozhang.emulator.holds import Hold, HoldStatus, Kind
from daozhang.emulator.ledger import Declined
from daozhang.emulator.methods.catalogue import APP_FREEZE
from daozhang.emulator.methods.hold import freeze_request
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.wire import Unreadable
from daozhang.money import Money, MoneyError

Action = Literal["confirm", "refuse", "release"]


class HoldActionBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/holds/{number}``. ``amount`` is for a release; by default all that is left."""

    action: Action
    amount: str | None = None
    app_id: str | None = None


class FreezeBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/freeze``."""

    order_string: str
    confirm: bool = True


class FreezingControl:
    """The routes about holds under ``/_control/``."""

    def __init__(self, desk: Desk, notifier: Notifier, gateway: Gateway) -> None:
        self._desk = desk
        self._notifier = notifier
        self._gateway = gateway

    def routes(self, control: Control) -> list[Route]:
        """The routes, guarded as ``control`` guards its own."""
        return [
            control.route("/_control/holds", self.holds, "GET"),
            control.route("/_control/holds/{number}", self.act, "POST"),
            control.route("/_control/freeze", self.freeze, "POST"),
        ]

    async def holds(self, request: Request) -> object:
        """Every hold."""
        del request
        return {"holds": [hold_content(hold) for hold in self._desk.holds.all()]}

    async def act(self, request: Request) -> object:
        """The buyer, or the merchant centre, does something about a hold."""
        body = await read(request, HoldActionBody)
        number: str = request.path_params["number"]
        try:
            amount = None if body.amount is None else Money.parse(body.amount)
        except MoneyError as problem:
            raise Refused(400, "INVALID_BODY", str(problem)) from problem
        hold = not_declined(lambda: self.play(number, body.action, amount, body.app_id))
        await asyncio.wrap_future(self._notifier.settle())
        return hold_content(hold)

    async def freeze(self, request: Request) -> object:
        """The Alipay app is handed an order string: the buyer sees it, and confirms unless told not to."""
        body = await read(request, FreezeBody)
        try:
            hold = self.freeze_in_app(body.order_string, confirm=body.confirm)
        except Unreadable as problem:
            raise Refused(400, "INVALID_BODY", f"order_string: {problem}") from problem
        except Declined as declined:
            said = business(declined)
            raise Refused(409, said.sub_code, said.sub_msg) from declined
        except GatewayError as problem:
            raise Refused(409, problem.sub_code, problem.sub_msg) from problem
        await asyncio.wrap_future(self._notifier.settle())
        return hold_content(hold)

    def freeze_in_app(self, order_string: str, *, confirm: bool = True) -> Hold:
        """Plays the Alipay app. Raises `Declined`, `GatewayError` or `Unreadable`."""
        form = wire.merge([wire.split_pairs(order_string.encode())])
        call = self._gateway.authenticate(form, Conversation())
        if call.method != APP_FREEZE:
            raise Unreadable(f"it is of {call.method}, not of {APP_FREEZE}")
        hold = self._desk.holds.open(freeze_request(call))
        return self._desk.holds.confirm(hold) if confirm else hold

    def play(self, number: str, action: Action, amount: Money | None, app_id: str | None) -> Hold:
        """Does ``action``. Raises `ledger.Declined`."""
        desk = self._desk.holds
        if action == "release":
            hold = desk.numbered(number, app_id)
            out_request_no = f"centre-{secrets.token_hex(8)}"
            return desk.unfreeze(hold, amount or hold.rest, out_request_no, "")[0]
        try:
            hold = desk.numbered(number, app_id)
        except Declined:
            hold = desk.open(desk.page_for(number).request)
        return desk.confirm(hold) if action == "confirm" else hold


def hold_content(hold: Hold) -> dict[str, Any]:
    """A hold as the control plane shows it."""
    at = hold.authorized_at
    return {
        "auth_no": hold.auth_no,
        "out_order_no": hold.number,
        "app_id": hold.request.app_id,
        "seller_id": hold.request.seller_id,
        "status": hold.status.value,
        "title": hold.request.title,
        "amount": str(hold.request.amount),
        "paid_amount": str(hold.total(Kind.PAY)),
        "released_amount": str(hold.total(Kind.UNFREEZE)),
        "rest_amount": str(hold.rest),
        "authorized_at": None if at is None else at.isoformat(),
        "is_open": hold.status is HoldStatus.INIT,
    }
