"""The control plane's part about agreements: playing the buyer who signs, ends or stops one."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from daozhang.emulator.agreements import Agreement
from daozhang.emulator.control import Control, not_declined, read
from daozhang.emulator.desk import Desk
from daozhang.emulator.notifier import Notifier

Action = Literal["sign", "unsign", "stop", "resume"]


class ActionBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/agreements/{number}``."""

    action: Action
    app_id: str | None = None


class SigningControl:
    """The routes about agreements under ``/_control/``."""

    def __init__(self, desk: Desk, notifier: Notifier) -> None:
        self._desk = desk
        self._notifier = notifier

    def routes(self, control: Control) -> list[Route]:
        """The routes, guarded as ``control`` guards its own."""
        return [
            control.route("/_control/agreements", self.agreements, "GET"),
            control.route("/_control/agreements/{number}", self.act, "POST"),
        ]

    async def agreements(self, request: Request) -> object:
        """Every agreement."""
        del request
        return {"agreements": [agreement_content(one) for one in self._desk.agreements.all()]}

    async def act(self, request: Request) -> object:
        """The buyer does something about an agreement."""
        body = await read(request, ActionBody)
        number: str = request.path_params["number"]
        agreement = not_declined(lambda: self.play(number, body.action, body.app_id))
        await asyncio.wrap_future(self._notifier.settle())
        return agreement_content(agreement)

    def play(self, number: str, action: Action, app_id: str | None) -> Agreement:
        """Does ``action`` as the buyer. Raises `ledger.Declined`."""
        desk = self._desk.agreements
        if action == "sign":
            return desk.sign(desk.page_for(number))
        agreement = desk.numbered(number, app_id)
        if action == "unsign":
            return desk.unsign(agreement)
        return desk.pause(agreement, paused=action == "stop")


def agreement_content(agreement: Agreement) -> dict[str, Any]:
    """An agreement as the control plane shows it."""
    next_on, last_at = agreement.next_on, agreement.last_at
    return {
        "agreement_no": agreement.agreement_no,
        "external_agreement_no": agreement.request.external_agreement_no,
        "app_id": agreement.request.app_id,
        "seller_id": agreement.request.seller_id,
        "personal_product_code": agreement.request.personal_product_code,
        "status": agreement.status.value,
        "signed_at": agreement.signed_at.isoformat(),
        "invalid_at": agreement.invalid_at.isoformat(),
        "next_deduct_time": None if next_on is None else next_on.isoformat(),
        "last_deduct_at": None if last_at is None else last_at.isoformat(),
        "deductions": agreement.deductions,
        "deducted_amount": str(agreement.deducted),
    }
