"""The cashier: the page on which a buyer pays, and the ones around it.

Opening it is what makes a trade exist, as scanning or signing in does at Alipay. The address holds
an unguessable token, so that a page belongs to whoever was sent there.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urldefrag

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
_PAID: Final = (TradeStatus.TRADE_SUCCESS, TradeStatus.TRADE_FINISHED)


class Cashier:
    """The pages under ``/cashier/`` and ``/qr/``."""

    def __init__(self, desk: Desk, notifier: Notifier) -> None:
        self._desk = desk
        self._notifier = notifier

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/qr/{token}", self.scanned),
            Route("/cashier/{token}", self.opened),
            Route("/cashier/{token}/pay", self.paid, methods=["POST"]),
            Route("/cashier/{token}/done", self.done),
            Route("/cashier/{token}/left", self.left),
            Route("/cashier/{token}/state", self.state),
        ]

    async def scanned(self, request: Request) -> Response:
        """The address of a QR code: leads to its cashier page."""
        visit = self._visit(request)
        if visit is None or visit.request.product is not Product.QR:
            return _unknown_page(request)
        return RedirectResponse(f"/cashier/{visit.token}", 302)

    async def opened(self, request: Request) -> Response:
        """The cashier's page; from now on the trade exists."""
        visit = self._visit(request)
        if visit is None:
            return _unknown_page(request)
        try:
            trade = self._desk.open(visit)
        except Declined as declined:
            return self._declined(request, visit, declined)
        self._notifier.wake()
        return self._cashier_page(request, visit, trade)

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
                again = f"/cashier/{visit.token}?lang={language}&channel={channel.value}&wrong=yes"
                return RedirectResponse(again, 303)
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
        """The page after paying; leads on to the shop's return address, signed."""
        visit, trade = self._visit_and_trade(request)
        if visit is None or trade is None or trade.status not in _PAID:
            return _unknown_page(request)
        return pages.page(
            request,
            "done.html",
            trade=trade,
            merchant=self._merchant(request, visit),
            return_address=self._return_address(visit, trade),
        )

    async def left(self, request: Request) -> Response:
        """The page after walking away; nothing happened to the trade."""
        visit, trade = self._visit_and_trade(request)
        if visit is None or trade is None:
            return _unknown_page(request)
        quit_url = visit.request.quit_url
        return pages.page(request, "left.html", trade=trade, token=visit.token, quit_url=quit_url)

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
        return pages.page(
            request,
            "cashier.html",
            trade=trade,
            token=visit.token,
            merchant=self._merchant(request, visit),
            channels=channels,
            channel=asked.get("channel", trade.request.channels[0].value),
            password=PASSWORD,
            wrong="wrong" in asked,
            remaining_seconds=int(remaining.total_seconds()),
            clock_stands=self._desk.clock.is_manual,
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
