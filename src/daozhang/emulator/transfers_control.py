"""The control plane's part about transfers: playing the bank of a card."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from daozhang.emulator.control import Control, not_declined, read
from daozhang.emulator.desk import Desk
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.transfers import Transfer

Action = Literal["arrive", "fail", "send_back"]

REASON = "PAYEE_CARD_INFO_ERROR", "收款方卡信息错误"
"""What the bank says where it does not take it, or sends it back."""


class TransferActionBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/transfers/{number}``."""

    action: Action
    app_id: str | None = None


class TransferControl:
    """The routes about transfers under ``/_control/``."""

    def __init__(self, desk: Desk, notifier: Notifier) -> None:
        self._desk = desk
        self._notifier = notifier

    def routes(self, control: Control) -> list[Route]:
        """The routes, guarded as ``control`` guards its own."""
        return [
            control.route("/_control/transfers", self.transfers, "GET"),
            control.route("/_control/transfers/{number}", self.act, "POST"),
        ]

    async def transfers(self, request: Request) -> object:
        """Every transfer."""
        del request
        return {"transfers": [transfer_content(one) for one in self._desk.transfers.all()]}

    async def act(self, request: Request) -> object:
        """A bank does something about a transfer."""
        body = await read(request, TransferActionBody)
        number: str = request.path_params["number"]
        transfer = not_declined(lambda: self.play(number, body.action, body.app_id))
        await asyncio.wrap_future(self._notifier.settle())
        return transfer_content(transfer)

    def play(self, number: str, action: Action, app_id: str | None) -> Transfer:
        """Does ``action``. Raises `ledger.Declined`."""
        desk = self._desk.transfers
        transfer = desk.numbered(number, app_id)
        if action == "arrive":
            return desk.arrive(transfer)
        act = desk.fail if action == "fail" else desk.send_back
        return act(transfer, *REASON)


def transfer_content(transfer: Transfer) -> dict[str, Any]:
    """A transfer as the control plane shows it."""
    request, paid_at = transfer.request, transfer.paid_at
    return {
        "out_biz_no": request.out_biz_no,
        "order_id": transfer.order_id,
        "app_id": request.app_id,
        "seller_id": request.seller_id,
        "status": transfer.status.value,
        "amount": str(request.amount),
        "payee": request.identity,
        "title": request.title,
        "created_at": transfer.created_at.isoformat(),
        "paid_at": None if paid_at is None else paid_at.isoformat(),
    }
