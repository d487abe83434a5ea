"""The page on which a buyer confirms that money is frozen: how much, for whom, agree or refuse."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from daozhang.emulator import pages
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import BUSINESS_TEXTS
from daozhang.emulator.freezing import FreezePage
from daozhang.emulator.holds import Hold, HoldStatus
from daozhang.emulator.identity import DEFAULT_APP
from daozhang.emulator.ledger import Declined
from daozhang.emulator.notifier import Notifier


class FreezingPages:
    """The pages under ``/freeze/``."""

    def __init__(self, desk: Desk, notifier: Notifier) -> None:
        self._desk = desk
        self._notifier = notifier

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/freeze/{token}", self.opened),
            Route("/freeze/{token}/agree", self.agreed, methods=["POST"]),
            Route("/freeze/{token}/refuse", self.refused, methods=["POST"]),
        ]

    async def opened(self, request: Request) -> Response:
        """What is to be frozen; or that it is."""
        page = self._desk.holds.page(request.path_params["token"])
        if page is None:
            return _unknown_page(request)
        try:
            hold = self._desk.holds.open(page.request)
        except Declined as declined:
            return _problem(request, declined)
        return self._shown(request, page, hold)

    async def agreed(self, request: Request) -> Response:
        """The buyer agrees."""
        page = self._desk.holds.page(request.path_params["token"])
        if page is None:
            return _unknown_page(request)
        try:
            self._desk.holds.confirm(self._desk.holds.open(page.request))
        except Declined as declined:
            return _problem(request, declined)
        self._notifier.wake()
        return RedirectResponse(f"/freeze/{page.token}?lang={pages.language_of(request)}", 303)

    async def refused(self, request: Request) -> Response:
        """The buyer does not agree: nothing is frozen, and the shop is not told."""
        page = self._desk.holds.page(request.path_params["token"])
        if page is None:
            return _unknown_page(request)
        return self._shown(request, page, None)

    def _shown(self, request: Request, page: FreezePage, hold: Hold | None) -> Response:
        chinese = pages.language_of(request) == "zh"
        app = self._desk.identities.app_by_id(page.request.auth_app_id)
        name = DEFAULT_APP if app is None else app.name
        if name == DEFAULT_APP:
            name = "演示商户" if chinese else "Demo shop"
        return pages.page(
            request,
            "freeze.html",
            asked=page.request,
            token=page.token,
            hold=hold,
            waits=hold is not None and hold.status is HoldStatus.INIT,
            frozen=hold is not None and hold.authorized_at is not None,
            merchant=f"{name} ({page.request.seller_id})",
        )


def _problem(request: Request, declined: Declined) -> Response:
    text = BUSINESS_TEXTS[declined.sub_code]
    return pages.problem_page(request, declined.sub_code, f"{text} {declined.detail}".strip())


def _unknown_page(request: Request) -> Response:
    return pages.problem_page(
        request,
        "PAGE_NOT_FOUND",
        "页面不存在或已失效，请重新扫码 (unknown page: scan again)",
    )
