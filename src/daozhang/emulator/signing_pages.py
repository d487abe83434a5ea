"""The pages on which a buyer signs: what, by which rule, agree or refuse."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urldefrag

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from daozhang.clock import to_beijing_text
from daozhang.emulator import pages
from daozhang.emulator.agreements import Agreement, PeriodRule
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import BUSINESS_TEXTS
from daozhang.emulator.identity import DEFAULT_APP
from daozhang.emulator.ledger import Declined
from daozhang.emulator.notices import signed_query
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.signing import SignPage

_NOT_SIGNED: Final = ("notify_type", "alipay_logon_id")


class SigningPages:
    """The pages under ``/sign/``."""

    def __init__(self, desk: Desk, notifier: Notifier) -> None:
        self._desk = desk
        self._notifier = notifier

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/sign/{token}", self.opened),
            Route("/sign/{token}/agree", self.agreed, methods=["POST"]),
            Route("/sign/{token}/refuse", self.refused, methods=["POST"]),
            Route("/sign/{token}/done", self.done),
        ]

    async def opened(self, request: Request) -> Response:
        """What is to be signed."""
        page = self._page(request)
        if page is None:
            return _unknown_page(request)
        if self._desk.agreements.signed_on(page) is not None:
            return RedirectResponse(self._done_address(request, page), 303)
        return self._shown(request, "sign.html", page)

    async def agreed(self, request: Request) -> Response:
        """The buyer agrees."""
        page = self._page(request)
        if page is None:
            return _unknown_page(request)
        try:
            self._desk.agreements.sign(page)
        except Declined as declined:
            text = BUSINESS_TEXTS[declined.sub_code]
            return pages.problem_page(
                request, declined.sub_code, f"{text} {declined.detail}".strip()
            )
        self._notifier.wake()
        return RedirectResponse(self._done_address(request, page), 303)

    async def refused(self, request: Request) -> Response:
        """The buyer does not agree: nothing has happened, and the shop is not told."""
        page = self._page(request)
        return (
            _unknown_page(request) if page is None else self._shown(request, "refused.html", page)
        )

    async def done(self, request: Request) -> Response:
        """The page after signing; leads on to the shop's return address, signed."""
        page = self._page(request)
        agreement = None if page is None else self._desk.agreements.signed_on(page)
        if page is None or agreement is None:
            return _unknown_page(request)
        address = self._return_address(page, agreement)
        return self._shown(
            request, "signed.html", page, agreement=agreement, return_address=address
        )

    def _page(self, request: Request) -> SignPage | None:
        return self._desk.agreements.page(request.path_params["token"])

    def _shown(self, request: Request, template: str, page: SignPage, **more: Any) -> Response:
        chinese = pages.language_of(request) == "zh"
        app = self._desk.identities.app_by_id(page.request.auth_app_id)
        name = DEFAULT_APP if app is None else app.name
        if name == DEFAULT_APP:
            name = "演示商户" if chinese else "Demo shop"
        return pages.page(
            request,
            template,
            asked=page.request,
            token=page.token,
            merchant=f"{name} ({page.request.seller_id})",
            rule=in_words(page.request.rule, chinese=chinese),
            **more,
        )

    def _done_address(self, request: Request, page: SignPage) -> str:
        return f"/sign/{page.token}/done?lang={pages.language_of(request)}"

    def _return_address(self, page: SignPage, agreement: Agreement) -> str:
        address, fragment = urldefrag(page.request.return_url)
        if not address:
            return ""
        told = self._desk.agreements.fields(agreement)
        fields = {name: text for name, text in told.items() if name not in _NOT_SIGNED}
        fields["timestamp"] = to_beijing_text(self._desk.now())
        fields["method"] = "alipay.user.agreement.page.sign.return"
        key = self._desk.identities.authority.private_key
        query = signed_query(fields, key).decode("ascii")
        joined = f"{address}{'&' if '?' in address else '?'}{query}"
        return f"{joined}#{fragment}" if fragment else joined


def in_words(rule: PeriodRule | None, *, chinese: bool) -> list[str]:
    """The rule as a buyer reads it, a line for each thing it says."""
    if rule is None:
        return [
            "商户按实际使用金额扣款, 不定期"
            if chinese
            else "The merchant deducts what you use, whenever it is due"
        ]
    if rule.period_type == "MONTH":
        often = (
            f"每 {rule.period} 个月扣款一次"
            if chinese
            else ("Every month" if rule.period == 1 else f"Every {rule.period} months")
        )
    else:
        often = f"每 {rule.period} 天扣款一次" if chinese else f"Every {rule.period} days"
    lines = [
        often,
        f"首次扣款日 {rule.first_on}" if chinese else f"First on {rule.first_on}",
        f"每次不超过 ¥{rule.single}" if chinese else f"At most ¥{rule.single} each time",
    ]
    if rule.payments is not None:
        lines.append(f"共 {rule.payments} 次" if chinese else f"{rule.payments} times in all")
    if rule.total is not None:
        lines.append(f"总额不超过 ¥{rule.total}" if chinese else f"At most ¥{rule.total} in all")
    return lines


def _unknown_page(request: Request) -> Response:
    return pages.problem_page(
        request,
        "PAGE_NOT_FOUND",
        "页面不存在或已失效，请从商户页面重新发起签约 (unknown page: start again from the shop)",
    )
