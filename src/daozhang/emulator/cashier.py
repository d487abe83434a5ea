"""The cashier: the page on which a buyer pays, and the ones around it.

Opening it is what makes a trade exist, as scanning or signing in does at Alipay. The address holds
an unguessable token, so that a page belongs to whoever was sent there.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import urldefrag

import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from daozhang.emulator import pages, wire
from daozhang.emulator.desk import Desk, Visit
from daozhang.emulator.errors import BUSINESS_TEXTS
from daozhang.emulator.identity import DEFAULT_APP
from daozhang.emulator.ledger import Channel, Declined, Product, Trade, TradeStatus
from daozhang.emulator.notices import return_query
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.requests import read_body
from daozhang.emulator.wire import Unreadable
from daozhang.money import Money

PASSWORD: Final = "888888"
"""What the demonstration's buyer types; the page says so."""

_CHANNELS: Final = {
    Channel.BALANCE: ("余", "账户余额", "Balance", "可用余额 ¥88,888.88", "¥88,888.88 available"),
    Channel.BANK_CARD: ("储", "储蓄卡", "Bank card", "演示银行 尾号 6688", "Demo Bank, ends in 6688"),
    Channel.CREDIT_CARD: (
        "信", "信用卡", "Credit card", "演示银行 尾号 8866", "Demo Bank, ends in 8866",
    ),
    Channel.HUABEI: ("花", "花呗", "Huabei", "可用额度 ¥5,000.00", "¥5,000.00 of credit left"),
}  # fmt: skip
_FRAMES: Final = {"0": 200, "1": 200, "3": 75, "4": 0}
"""The values of ``qr_pay_mode`` that are made for a frame in the shop's page, and how wide their code
is; 4 says so itself. Any other is the cashier."""

_PAID: Final = (TradeStatus.TRADE_SUCCESS, TradeStatus.TRADE_FINISHED)


class Cashier:
    """The pages under ``/cashier/`` and ``/qr/``."""

    def __init__(self, desk: Desk, notifier: Notifier, base_url: str) -> None:
        self._desk = desk
        self._notifier = notifier
        self._base_url = base_url

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/qr/{token}", self.scanned),
            Route("/cashier/{token}", self.opened),
            Route("/cashier/{token}/phone", self.on_phone),
            Route("/cashier/{token}/pay", self.paid, methods=["POST"]),
            Route("/cashier/{token}/done", self.done),
            Route("/cashier/{token}/left", self.left),
            Route("/cashier/{token}/state", self.state),
        ]

    async def scanned(self, request: Request) -> Response:
        """The address of a QR code: leads to the page where its buyer pays."""
        visit = self._visit(request)
        if visit is None or not (visit.request.product is Product.QR or _is_frame(visit)):
            return _unknown_page(request)
        return RedirectResponse(_paying_at(visit), 302)

    async def opened(self, request: Request) -> Response:
        """The cashier's page, or its code for a frame; from now on the trade exists."""
        visit = self._visit(request)
        if visit is None:
            return _unknown_page(request)
        if _is_frame(visit):
            return self._frame(request, visit)
        return self._open_cashier(request, visit)

    async def on_phone(self, request: Request) -> Response:
        """The cashier on the phone that scanned the code of a frame."""
        visit = self._visit(request)
        if visit is None or not _is_frame(visit):
            return _unknown_page(request)
        return self._open_cashier(request, visit)

    def _open_cashier(self, request: Request, visit: Visit) -> Response:
        try:
            trade = self._desk.open(visit)
        except Declined as declined:
            return self._declined(request, visit, declined)
        self._notifier.wake()
        return self._cashier_page(request, visit, trade)

    def _frame(self, request: Request, visit: Visit) -> Response:
        """What a frame in the shop's page shows: the code, or that it is paid."""
        try:
            trade = self._desk.open(visit)
        except Declined as declined:
            if declined.sub_code != "ACQ.TRADE_HAS_SUCCESS":
                return self._declined(request, visit, declined)
            trade = self._desk.find(*visit.request.key)
        self._notifier.wake()
        mode = visit.request.qr_mode
        code = f"{self._base_url}/qr/{visit.token}"
        return self._shown(
            request,
            visit,
            "frame.html",
            trade=trade,
            mode=mode,
            code=code,
            picture=segno.make_qr(code, error="m").svg_data_uri(border=1 if mode == "3" else 2),
            width=_FRAMES[mode] or visit.request.qr_width,
            paid=trade.status in _PAID,
            merchant=self._merchant(request, visit),
            return_address=self._return_address(visit, trade),
        )

    async def paid(self, request: Request) -> Response:
        """The form of the page: the right password pays."""
        visit = self._visit(request)
        if visit is None:
            return _unknown_page(request)
        try:
            form = dict(wire.split_pairs(await read_body(request)))
            trade = self._desk.open(visit)
            channel = Channel(form.get(b"channel", b"balance").decode("latin-1"))
            if form.get(b"password", b"").decode("latin-1") != PASSWORD:
                language = pages.language_of(request)
                again = f"lang={language}&channel={channel.value}&wrong=yes"
                return RedirectResponse(f"{_paying_at(visit)}?{again}", 303)
            self._desk.pay(trade, channel)
        except Declined as declined:
            return self._declined(request, visit, declined)
        except (Unreadable, ValueError):
            return pages.problem_page(request, "INVALID_FORM", "付款方式无效 (no such way to pay)")
        if self._desk.must_notify_first(trade.out_trade_no):
            await asyncio.wrap_future(self._notifier.settle())
        self._notifier.wake()
        return RedirectResponse(self._done_address(request, visit), 303)

    async def done(self, request: Request) -> Response:
        """The page after paying; leads on to the shop's return address, signed.

        A phone that scanned a frame's code stays: it is the frame that leads on.
        """
        visit, trade = self._visit_and_trade(request)
        if visit is None or trade is None or trade.status not in _PAID:
            return _unknown_page(request)
        return self._shown(
            request,
            visit,
            "done.html",
            trade=trade,
            merchant=self._merchant(request, visit),
            return_address="" if _is_frame(visit) else self._return_address(visit, trade),
        )

    async def left(self, request: Request) -> Response:
        """The page after walking away; nothing happened to the trade."""
        visit, trade = self._visit_and_trade(request)
        if visit is None or trade is None:
            return _unknown_page(request)
        return self._shown(
            request,
            visit,
            "left.html",
            trade=trade,
            pay_again=_paying_at(visit),
            quit_url=visit.request.quit_url,
        )

    async def state(self, request: Request) -> Response:
        """How the trade stands, for the open page."""
        _, trade = self._visit_and_trade(request)
        if trade is None:
            return JSONResponse({"status": "NONE"}, 404)
        return JSONResponse({"status": trade.status.value})

    def _visit(self, request: Request) -> Visit | None:
        return self._desk.visit(request.path_params["token"])

    def _visit_and_trade(self, request: Request) -> tuple[Visit | None, Trade | None]:
        visit = self._visit(request)
        if visit is None:
            return None, None
        try:
            return visit, self._desk.find(*visit.request.key)
        except Declined:
            return visit, None

    def _merchant(self, request: Request, visit: Visit) -> str:
        app = self._desk.identities.app_by_id(visit.request.auth_app_id)
        name = DEFAULT_APP if app is None else app.name
        if name == DEFAULT_APP:
            name = "演示商户" if pages.language_of(request) == "zh" else "Demo shop"
        return f"{name} ({visit.request.seller_id})"

    def _cashier_page(self, request: Request, visit: Visit, trade: Trade) -> Response:
        asked = request.query_params
        chinese = pages.language_of(request) == "zh"
        channels = [
            (name.value, icon, title if chinese else english, _note(name, trade, chinese=chinese))
            for name, (icon, title, english, *_) in _CHANNELS.items()
            if name in trade.request.channels
        ]
        remaining = trade.request.expires_at - self._desk.now()
        return self._shown(
            request,
            visit,
            "cashier.html",
            trade=trade,
            merchant=self._merchant(request, visit),
            channels=channels,
            channel=asked.get("channel", trade.request.channels[0].value),
            password=PASSWORD,
            wrong="wrong" in asked,
            remaining_seconds=int(remaining.total_seconds()),
            clock_stands=self._desk.clock.is_manual,
        )

    def _shown(self, request: Request, visit: Visit, template: str, **values: Any) -> Response:
        """A page of ``visit``, which the shop's page may embed if it asked for one of the five modes."""
        return pages.page(
            request, template, framed=bool(visit.request.qr_mode), token=visit.token, **values
        )

    def _declined(self, request: Request, visit: Visit, declined: Declined) -> Response:
        """A page that cannot be paid any more; one that was paid shows so instead."""
        if declined.sub_code == "ACQ.TRADE_HAS_SUCCESS":
            return RedirectResponse(self._done_address(request, visit), 303)
        text = BUSINESS_TEXTS[declined.sub_code]
        return pages.problem_page(request, declined.sub_code, f"{text} {declined.detail}".strip())

    def _done_address(self, request: Request, visit: Visit) -> str:
        return f"/cashier/{visit.token}/done?lang={pages.language_of(request)}"

    def _return_address(self, visit: Visit, trade: Trade) -> str:
        address, fragment = urldefrag(visit.request.return_url)
        if not address:
            return ""
        key = self._desk.identities.authority.private_key
        query = return_query(trade, visit.request, key, self._desk.now()).decode("ascii")
        joined = f"{address}{'&' if '?' in address else '?'}{query}"
        return f"{joined}#{fragment}" if fragment else joined


def _is_frame(visit: Visit) -> bool:
    return visit.request.qr_mode in _FRAMES


def _paying_at(visit: Visit) -> str:
    """The page on which the buyer pays: the cashier, or what a phone finds behind a frame's code."""
    return f"/cashier/{visit.token}/phone" if _is_frame(visit) else f"/cashier/{visit.token}"


def _note(channel: Channel, trade: Trade, *, chinese: bool) -> str:
    """What stands below a means of payment: with Huabei, the instalments that the shop offers."""
    months = trade.request.instalments
    if channel is not Channel.HUABEI or not months:
        return _CHANNELS[channel][3 if chinese else 4]
    each = Money(-(-trade.total.minor // months))
    return (
        f"分 {months} 期, 每期约 ¥{each}" if chinese else f"{months} instalments of about ¥{each}"
    )


def _unknown_page(request: Request) -> Response:
    return pages.problem_page(
        request,
        "PAGE_NOT_FOUND",
        "页面不存在或已失效，请从商户页面重新发起付款 (unknown page: start again from the shop)",
    )
