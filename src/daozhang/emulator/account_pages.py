"""The account as a page: what a seller has, and every movement of it, for a person who looks why."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daozhang.emulator import pages
from daozhang.emulator.accounts import Pot
from daozhang.emulator.control import Control
from daozhang.emulator.desk import Desk
from daozhang.emulator.identity import App

ROWS_SHOWN: Final = 200
REACH: Final = timedelta(days=366)


class AccountPages:
    """The page ``/account``."""

    def __init__(self, desk: Desk, control: Control) -> None:
        self._desk = desk
        self._control = control

    def routes(self) -> list[Route]:
        """Its route."""
        return [Route("/account", self.shown)]

    async def shown(self, request: Request) -> Response:
        """The account of the app that is named, else of the first."""
        if not self._control.is_admitted(request):
            return pages.problem_page(
                request, "FORBIDDEN", "账户页面仅限本机使用 (accounts are for this machine only)"
            )
        apps = self._desk.identities.apps()
        chosen = _chosen(apps, request.query_params.get("app", ""))
        if chosen is None:
            return pages.problem_page(request, "APP_NOT_EXIST", "没有这个应用 (no such app)")
        account, now = self._desk.account, self._desk.now()
        movements = account.movements(chosen.seller_id, now - REACH, now + timedelta(seconds=1))
        pots = {pot: account.balance(chosen.seller_id, pot) for pot in Pot}
        return pages.page(
            request,
            "account.html",
            app=chosen,
            apps=apps,
            available=pots[Pot.AVAILABLE],
            frozen=pots[Pot.FROZEN],
            unsettled=pots[Pot.UNSETTLED],
            movements=movements[-ROWS_SHOWN:][::-1],
            hidden=max(len(movements) - ROWS_SHOWN, 0),
        )


def _chosen(apps: list[App], name: str) -> App | None:
    """The app of that name, the first where none is named."""
    return next((app for app in apps if name in ("", app.name)), None)
