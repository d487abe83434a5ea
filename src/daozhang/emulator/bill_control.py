"""The control plane's part about accounts: movements, withdrawals, and what bills shall have wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from daozhang.emulator.accounts import Movement, Pot
from daozhang.emulator.bills import day_start, span_of
from daozhang.emulator.control import Control, Refused, not_declined, positive_amount, read
from daozhang.emulator.desk import Desk
from daozhang.emulator.oddities import Oddity, OddityName, Struck


class OddityBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/bill_oddities``."""

    name: OddityName
    app_id: str | None = None
    bill_type: Literal["trade", "signcustomer"] | None = None
    day: date | None = None
    out_trade_no: str | None = None
    lines: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    business: str | None = None


class MoneyBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/accounts/{app_id}``."""

    action: Literal["withdraw", "withdrawal_bounces", "top_up"]
    amount: str


class BillControl:
    """The routes about accounts under ``/_control/``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self, control: Control) -> list[Route]:
        """The routes, guarded as ``control`` guards its own."""
        return [
            control.route("/_control/accounts/{app_id}", self.account, "GET"),
            control.route("/_control/accounts/{app_id}", self.move, "POST"),
            control.route("/_control/bill_oddities", self.set_oddity, "POST"),
            control.route("/_control/bill_oddities", self.oddities, "GET"),
            control.route("/_control/bill_oddities", self.clear_oddities, "DELETE"),
        ]

    async def account(self, request: Request) -> object:
        """What is in an app's account, and its movements of a day (``?day=``)."""
        seller = self._seller(request.path_params["app_id"])
        desk = self._desk.account
        content: dict[str, Any] = {
            "user_id": seller,
            **{pot.value: str(desk.balance(seller, pot)) for pot in Pot},
        }
        if day := request.query_params.get("day"):
            try:
                span = span_of(day)
            except ValueError as problem:
                raise Refused(400, "INVALID_BODY", f"day: {problem}") from problem
            until = day_start(span.last + timedelta(days=1))
            moved = desk.movements(seller, day_start(span.first), until)
            content["movements"] = [_movement_content(one) for one in moved]
        return content

    async def move(self, request: Request) -> object:
        """The owner withdraws or puts money in, or the bank sends a withdrawal back."""
        body = await read(request, MoneyBody)
        seller = self._seller(request.path_params["app_id"])
        amount = positive_amount(body.amount)
        act = getattr(self._desk.account, body.action)
        return _movement_content(not_declined(lambda: act(seller, amount)))

    async def set_oddity(self, request: Request) -> object:
        """Bills shall have something wrong."""
        body = await read(request, OddityBody)
        seller = None if body.app_id is None else self._seller(body.app_id)
        oddity = Oddity(
            body.name,
            seller,
            body.bill_type,
            body.day,
            body.out_trade_no,
            body.lines,
            body.business,
        )
        self._desk.account.oddities.set(oddity)
        return _oddity_content(oddity)

    async def oddities(self, request: Request) -> object:
        """What is set, and what bills have shown otherwise than it was."""
        del request
        oddities = self._desk.account.oddities
        return {
            "set": [_oddity_content(one) for one in oddities.all()],
            "struck": [_struck_content(one) for one in oddities.struck()],
        }

    async def clear_oddities(self, request: Request) -> object:
        """Bills are as it was again."""
        del request
        self._desk.account.oddities.clear()
        return {}

    def _seller(self, app_id: str) -> str:
        app = self._desk.identities.app_by_id(app_id)
        if app is None:
            raise Refused(404, "APP_NOT_EXIST", f"No app {app_id[:40]!r}.")
        return app.seller_id


def _movement_content(one: Movement) -> dict[str, Any]:
    return {
        "account_log_id": one.log_id,
        "at": one.at.isoformat(),
        "amount": str(one.amount),
        "balance": str(one.balance),
        "pot": one.pot.value,
        "business": one.business.value,
        "trade_no": one.trade_no,
        "out_trade_no": one.out_trade_no,
        "out_request_no": one.out_request_no,
        "memo": one.memo,
    }


def _oddity_content(one: Oddity) -> dict[str, Any]:
    return {
        "name": one.name.value,
        "seller_id": one.seller_id,
        "bill_type": one.bill_type,
        "day": None if one.day is None else one.day.isoformat(),
        "out_trade_no": one.out_trade_no,
        "lines": one.lines,
        "business": one.business,
    }


def _struck_content(one: Struck) -> dict[str, Any]:
    return {
        "name": one.name.value,
        "bill_type": one.bill_type,
        "day": one.day.isoformat(),
        "seller_id": one.seller_id,
        "trade_no": one.trade_no,
        "out_trade_no": one.out_trade_no,
        "out_request_no": one.out_request_no,
        "account_log_id": one.account_log_id,
        "business": one.business,
    }
