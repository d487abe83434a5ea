"""The wallet as a page: a buyer's phone, for a person who tries a till.

It shows a payment code and answers what the phone is asked; so, as the control plane, it is for this
machine only.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode

import segno
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from daozhang.emulator import pages, wire
from daozhang.emulator.control import Control
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import BUSINESS_TEXTS
from daozhang.emulator.holds import Hold, HoldStatus
from daozhang.emulator.ledger import Channel, Declined
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.requests import read_body
from daozhang.emulator.wallet import Behaviour, PaymentCode
from daozhang.emulator.wire import Unreadable

_OWN_PATH: Final = re.compile(r"/(?:qr|cashier|freeze|sign)/[A-Za-z0-9_-]{1,64}", re.ASCII)
"""Where a code of this emulator leads; nothing else is opened."""

_MODULE_PIXELS: Final = 5


class WalletPages:
    """The pages under ``/wallet``."""

    def __init__(self, desk: Desk, notifier: Notifier, control: Control, base_url: str) -> None:
        self._desk = desk
        self._notifier = notifier
        self._control = control
        self._base_url = base_url

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/wallet", self.shown),
            Route("/wallet/code", self.made, methods=["POST"]),
            Route("/wallet/answer", self.answered, methods=["POST"]),
            Route("/wallet/scan", self.scanned, methods=["POST"]),
        ]

    async def shown(self, request: Request) -> Response:
        """The phone: its code, and what it is asked."""
        if not self._control.is_admitted(request):
            return _for_this_machine(request)
        code = self._desk.code_of(request.query_params.get("code", ""))
        left = 0 if code is None else int((code.expires_at - self._desk.now()).total_seconds())
        return pages.page(
            request,
            "wallet.html",
            code=code,
            groups=[] if code is None else _groups(code.text),
            picture="" if code is None else _picture(code.text),
            left=left,
            asked=self._desk.asked(),
            holds=self._waiting_holds(),
            said=request.query_params.get("said", "")[:80],
        )

    def _waiting_holds(self) -> list[Hold]:
        return [hold for hold in self._desk.holds.all() if hold.status is HoldStatus.INIT]

    async def made(self, request: Request) -> Response:
        """A new code, with the behaviour that was chosen."""
        form = await self._form(request)
        if form is None:
            return _for_this_machine(request)
        try:
            code: PaymentCode = self._desk.show_code(
                behaviour=Behaviour(form.get("behaviour", Behaviour.PAYS)),
                channel=Channel(form.get("channel", Channel.BALANCE)),
                face=form.get("face") == "yes",
            )
        except ValueError:
            return pages.problem_page(request, "INVALID_FORM", "选项无效 (no such choice)")
        return self._back(request, code=code.text)

    async def answered(self, request: Request) -> Response:
        """The owner of the phone agrees, or refuses."""
        form = await self._form(request)
        if form is None:
            return _for_this_machine(request)
        try:
            self._answer(form.get("kind", ""), form.get("number", ""), form.get("agree") == "yes")
        except Declined as declined:
            return self._back(request, said=BUSINESS_TEXTS[declined.sub_code])
        self._notifier.wake()
        return self._back(request)

    def _answer(self, kind: str, number: str, agrees: bool) -> None:
        """Raises `Declined` if no phone was asked."""
        if kind == "hold":
            hold = self._desk.holds.numbered(number)
            if agrees:
                self._desk.holds.confirm(hold)
            return
        found = [trade for trade, _ in self._desk.asked() if trade.out_trade_no == number]
        if not found:
            raise Declined("ACQ.TRADE_STATUS_ERROR")
        self._desk.confirm(found[0], agree=agrees)

    async def scanned(self, request: Request) -> Response:
        """The phone scans a code of this emulator's: opens the page that it names."""
        form = await self._form(request)
        if form is None:
            return _for_this_machine(request)
        path = form.get("text", "").strip().removeprefix(self._base_url)
        if not _OWN_PATH.fullmatch(path):
            return self._back(request, said="不是本仿真器的二维码 (no code of this emulator)")
        return RedirectResponse(f"{path}?lang={pages.language_of(request)}", 303)

    async def _form(self, request: Request) -> dict[str, str] | None:
        """The fields of a form; ``None`` for whoever may not use the wallet."""
        if not self._control.is_admitted(request):
            return None
        try:
            pairs = wire.split_pairs(await read_body(request))
        except Unreadable:
            return {}
        return {name.decode("latin-1"): value.decode("utf-8", "replace") for name, value in pairs}

    def _back(self, request: Request, **told: str) -> Response:
        query = urlencode({"lang": pages.language_of(request), **told}, quote_via=quote)
        return RedirectResponse(f"/wallet?{query}", 303)


def _groups(text: str) -> list[str]:
    """A code as people read it aloud: four characters at a time."""
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def _picture(text: str) -> str:
    """The code as a QR code, as an address that holds the picture itself."""
    return segno.make_qr(text, error="m").png_data_uri(scale=_MODULE_PIXELS, border=2)


def _for_this_machine(request: Request) -> Response:
    return pages.problem_page(
        request, "FORBIDDEN", "钱包页面仅限本机使用 (the wallet is for this machine only)"
    )
