"""The sheet that Alipay draws over a merchant's app or mini program: confirm, leave, or lose the network.

On a phone an app calls Alipay's SDK and a mini program calls ``my.tradePay``. A person with a browser opens
this page instead and is led ``back`` with what the phone would have been told. It pays for whoever asks;
so, as the wallet, it is for this machine only.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urldefrag, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from daozhang.emulator import pages, wire
from daozhang.emulator.control import Control
from daozhang.emulator.desk import VISITS_MAX, Desk
from daozhang.emulator.errors import GatewayError, business
from daozhang.emulator.gateway import Conversation, Gateway
from daozhang.emulator.ledger import Declined, PaymentRequest
from daozhang.emulator.methods.terms import address
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.order_strings import read_order_string, signed_result
from daozhang.emulator.requests import read_body
from daozhang.emulator.wire import Unreadable

PAID: Final = "9000"
LEFT: Final = "6001"
LOST: Final = "6002"
"""What the phone is told: done, the buyer left, the network broke (after the money went)."""


@dataclass(slots=True)
class Sheet:
    """One sheet: what is to be paid, where the phone goes on, and what it is told."""

    token: str
    request: PaymentRequest
    back: str
    talk: Conversation | None
    """How the result of an app is written; ``None`` in a mini program, which gets none."""
    code: str = ""
    result: str = ""

    @property
    def onward(self) -> str:
        """Where the phone goes on, with what it is told."""
        told = {"resultCode": self.code}
        if self.talk is not None:
            told = {"resultStatus": self.code, "result": self.result, "memo": ""}
        place, fragment = urldefrag(self.back)
        joined = f"{place}{'&' if '?' in place else '?'}{urlencode(told, quote_via=quote)}"
        return f"{joined}#{fragment}" if fragment else joined


class SheetPages:
    """The pages under ``/sheet/``."""

    def __init__(self, desk: Desk, notifier: Notifier, control: Control, gateway: Gateway) -> None:
        self._desk = desk
        self._notifier = notifier
        self._control = control
        self._gateway = gateway
        self._sheets: dict[str, Sheet] = {}

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/sheet/app", self.from_app),
            Route("/sheet/mini", self.from_mini_program),
            Route("/sheet/{token}", self.shown),
            Route("/sheet/{token}/answer", self.answered, methods=["POST"]),
            Route("/sheet/{token}/done", self.done),
        ]

    async def from_app(self, request: Request) -> Response:
        """A merchant's app hands over its ``order_string``."""
        asked = request.query_params
        try:
            payment, talk = read_order_string(self._gateway, asked.get("order_string", ""))
            return self._draw(request, payment, talk)
        except Unreadable as problem:
            return pages.problem_page(request, "INVALID_ORDER_STRING", str(problem))
        except GatewayError as problem:
            return pages.problem_page(request, problem.sub_code, problem.sub_msg)
        except Declined as declined:
            return _declined(request, declined)

    async def from_mini_program(self, request: Request) -> Response:
        """A mini program hands over the ``trade_no`` that its server was given."""
        number = request.query_params.get("trade_no", "")
        found = [trade.request for trade in self._desk.trades() if trade.trade_no == number]
        if not found:
            return _declined(request, Declined("ACQ.TRADE_NOT_EXIST"))
        try:
            return self._draw(request, found[0], None)
        except Declined as declined:
            return _declined(request, declined)

    def _draw(
        self, request: Request, payment: PaymentRequest, talk: Conversation | None
    ) -> Response:
        """A new sheet. Raises `Declined` for an address to go back to that is none."""
        if not self._control.is_admitted(request):
            return _for_this_machine(request)
        back = address("back", request.query_params.get("back", ""))
        sheet = Sheet(secrets.token_urlsafe(18), payment, back, talk)
        self._sheets[sheet.token] = sheet
        while len(self._sheets) > VISITS_MAX:
            del self._sheets[next(iter(self._sheets))]
        return RedirectResponse(f"/sheet/{sheet.token}?lang={pages.language_of(request)}", 302)

    async def shown(self, request: Request) -> Response:
        """What is to be paid; from now on the trade exists."""
        sheet = self._sheets.get(request.path_params["token"])
        if sheet is None:
            return _unknown_page(request)
        try:
            trade = self._desk.open_request(sheet.request)
        except Declined as declined:
            return _declined(request, declined)
        self._notifier.wake()
        return pages.page(request, "sheet.html", trade=trade, sheet=sheet)

    async def answered(self, request: Request) -> Response:
        """The buyer confirms, leaves, or confirms and loses the network."""
        sheet = self._sheets.get(request.path_params["token"])
        if sheet is None:
            return _unknown_page(request)
        try:
            form = dict(wire.split_pairs(await read_body(request)))
            code = form.get(b"code", b"").decode("latin-1")
            if code not in (PAID, LEFT, LOST):
                return pages.problem_page(request, "INVALID_FORM", "选项无效 (no such choice)")
            if code != LEFT:
                trade = self._desk.open_request(sheet.request)
                paid = self._desk.pay(trade, trade.request.channels[0])
                if code == PAID and sheet.talk is not None:
                    sheet.result = signed_result(self._desk, self._gateway, paid, sheet.talk)
        except Unreadable as problem:
            return pages.problem_page(request, "INVALID_FORM", str(problem))
        except Declined as declined:
            return _declined(request, declined)
        sheet.code = code
        self._notifier.wake()
        onward = f"/sheet/{sheet.token}/done?lang={pages.language_of(request)}"
        return RedirectResponse(onward, 303)

    async def done(self, request: Request) -> Response:
        """What the phone is told; leads back to the app or mini program."""
        sheet = self._sheets.get(request.path_params["token"])
        if sheet is None or not sheet.code:
            return _unknown_page(request)
        return pages.page(request, "sheet_done.html", sheet=sheet, paid=PAID, left=LEFT)


def _declined(request: Request, declined: Declined) -> Response:
    said = business(declined)
    return pages.problem_page(request, said.sub_code, said.sub_msg)


def _for_this_machine(request: Request) -> Response:
    return pages.problem_page(
        request, "FORBIDDEN", "收银台仅限本机使用 (the sheet is for this machine only)"
    )


def _unknown_page(request: Request) -> Response:
    return pages.problem_page(
        request,
        "PAGE_NOT_FOUND",
        "页面已失效，请从应用重新付款 (unknown page: pay again in the app)",
    )
