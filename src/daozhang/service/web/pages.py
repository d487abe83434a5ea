"""The few pages that a buyer sees here: after paying, and when a pay address leads nowhere.

Every text is in the page in Chinese and English; a script of our own chooses. Whatever comes from
outside is escaped where it is put in. Nothing is inline, so the policy can be strict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Final, Protocol

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

FILES: Final = Path(__file__).parent / "page_files"

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)

NOBODY: Final = "'none'"

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What every page is sent with, and who may frame it."""

_ASSETS: Final = {
    "icon.svg": "image/svg+xml",
    "pages.css": "text/css",
    "pages.js": "text/javascript",
    "paylink.css": "text/css",
    "paylink.js": "text/javascript",
}

router = APIRouter(prefix="/pages", include_in_schema=False)


class OrderView(Protocol):
    """What a page shows of an order."""

    @property
    def out_trade_no(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def amount(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def environment(self) -> str: ...
    @property
    def return_url(self) -> str | None: ...
    @property
    def watch_url(self) -> str | None: ...


Text = tuple[str, str]
"""The same in Chinese and in English."""

_STATES: Final[Mapping[str, tuple[Text, Text]]] = {
    "confirming": (
        ("正在确认付款", "Confirming your payment"),
        (
            "正在等待支付宝的通知, 通常只需几秒. 此页面会自动更新, 请勿重复付款.",
            "We are waiting for word from Alipay, usually a few seconds. "
            "This page updates by itself; please do not pay again.",
        ),
    ),
    "paid": (
        ("付款成功", "Payment received"),
        ("支付宝已确认这笔付款.", "Alipay has confirmed this payment."),
    ),
    "refunded": (
        ("已全额退款", "Refunded in full"),
        ("款项已退回原付款方式.", "The money has gone back to where it was paid from."),
    ),
    "closed": (
        ("订单已关闭", "This order is closed"),
        (
            "我们没有收到这笔订单的付款. 如已付款, 请联系商家, 款项不会丢失.",
            "No payment has arrived for this order. If you did pay, contact the shop: "
            "the money is not lost.",
        ),
    ),
}

_STATE_OF: Final = {
    "created": "confirming",
    "waiting": "confirming",
    "closing": "confirming",
    "paid": "paid",
    "finished": "paid",
    "refunded": "refunded",
    "closed": "closed",
}

_PROBLEMS: Final[Mapping[str, tuple[str, Text, Text]]] = {
    "expired": (
        "closed",
        ("付款时间已过", "The time to pay is over"),
        (
            "此订单已不能付款. 请回到商家重新下单.",
            "This order can no longer be paid. Please go back to the shop and order again.",
        ),
    ),
    "already_paid": (
        "paid",
        ("此订单已付款", "This order is paid already"),
        ("无需再次付款.", "There is nothing more to pay."),
    ),
    "already_signed": (
        "paid",
        ("此协议已签约", "This is signed already"),
        ("无需再次签约.", "There is nothing more to do."),
    ),
    "sign_ended": (
        "closed",
        ("签约页面已失效", "This can no longer be signed"),
        ("请回到商家重新发起签约.", "Please go back to the shop and start again."),
    ),
    "closed": (
        "closed",
        ("订单已关闭", "This order is closed"),
        (
            "商家已关闭此订单, 不能再付款. 请回到商家重新下单.",
            "This order has been closed and can no longer be paid. Please go back to the shop.",
        ),
    ),
    "link_invalid": (
        "closed",
        ("链接无效", "This link is not valid"),
        (
            "链接不完整或已过期. 请回到商家的订单页面重新打开.",
            "It is incomplete or out of date. Please open it again from the shop's order page.",
        ),
    ),
}

PROBLEM_KINDS: Final = frozenset(_PROBLEMS)
"""The problems that `problem_page` can show."""


def return_page(order: OrderView) -> str:
    """The page after paying: shows where ``order`` stands, and turns by itself when that changes."""
    state = _STATE_OF[order.status]
    texts = "".join(
        f'<div class="state {name}">{mark(name)}{heading(title)}{lines("p", line)}</div>'
        for name, (title, line) in _STATES.items()
    )
    details = (
        f'<p class="amount"><span>{escape(order.currency)}</span> {escape(order.amount)}</p><dl>'
        f"{row(('商品', 'For'), order.subject)}{row(('订单号', 'Order'), order.out_trade_no)}</dl>"
    )
    return write_page(
        state=state,
        title=_STATES[state][0],
        content=f'<div role="status" aria-live="polite">{texts}</div>{details}',
        continue_url=order.return_url,
        watch_url=order.watch_url,
        environment=order.environment,
    )


def problem_page(kind: str, *, continue_url: str | None = None) -> str:
    """The page that says why there is nothing to pay here: one of `PROBLEM_KINDS`."""
    state, title, line = _PROBLEMS[kind]
    content = f'<div class="state {state}">{mark(state)}{heading(title)}{lines("p", line)}</div>'
    return write_page(state=state, title=title, content=content, continue_url=continue_url)


def page_response(
    html: str, status: int = 200, *, framed_by: Sequence[str] = (), has_form: bool = False
) -> HTMLResponse:
    """``html`` with the headers of a page. ``framed_by``: the origins whose pages may embed it."""
    own = POLICY.replace("form-action 'none'", "form-action 'self'") if has_form else POLICY
    policy = f"{own}; frame-ancestors {' '.join(framed_by) or NOBODY}"
    return HTMLResponse(html, status, headers={**HEADERS, "Content-Security-Policy": policy})


@router.get("/{name}")
def get_asset(name: str) -> Response:
    """The style and the script of the pages."""
    if name not in _ASSETS:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return FileResponse(FILES / name, media_type=_ASSETS[name], headers=headers)


def write_page(
    *,
    state: str,
    title: Text,
    content: str,
    continue_url: str | None,
    watch_url: str | None = None,
    environment: str = "production",
    head: str = "",
) -> str:
    """A whole page; ``content`` and ``head`` are HTML already."""
    play = ("演示环境, 不涉及真实资金", "Not real money: a test environment")
    return _template().substitute(
        state=escape(state),
        title=escape(f"{title[0]} {title[1]}"),
        watch=f' data-watch="{escape(watch_url)}"' if watch_url else "",
        environment="" if environment == "production" else lines("p", play, "environment"),
        head=head,
        content=content,
        onward=_onward(continue_url),
    )


def _onward(continue_url: str | None) -> str:
    # The scheme was checked when the order was created; here it is what keeps a script out.
    if continue_url is None or not continue_url.startswith(("https://", "http://")):
        return ""
    words = spans(("返回商家", "Back to the shop"))
    # The shop's page takes the whole window, also where Alipay has led a frame in it back to us.
    return f'<a class="onward" rel="noreferrer" target="_top" href="{escape(continue_url)}">{words}</a>'


def mark(state: str) -> str:
    """The sign of a state."""
    return f'<div class="mark {state}" aria-hidden="true"></div>'


def heading(text: Text) -> str:
    """A heading in both languages."""
    return f"<h1>{spans(text)}</h1>"


def row(name: Text, value: str) -> str:
    """A named value; ``value`` is escaped."""
    return f"<div><dt>{spans(name)}</dt><dd>{escape(value)}</dd></div>"


def lines(tag: str, text: Text, css_class: str = "line") -> str:
    """An element with a text in both languages."""
    return f'<{tag} class="{css_class}">{spans(text)}</{tag}>'


def spans(text: Text) -> str:
    """A text in both languages, of which the page shows one."""
    chinese, english = (escape(part) for part in text)
    return f'<span lang="zh-CN">{chinese}</span><span lang="en">{english}</span>'


@cache
def _template() -> Template:
    return Template((FILES / "page.html").read_text(encoding="utf-8"))
