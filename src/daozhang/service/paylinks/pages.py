"""The public page of a pay link: what is to be paid and to whom, and the way to Alipay.

It is the service's, not the console's: whoever holds the address sees it, and nothing else by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from daozhang.money import Money
from daozhang.service.merchants.model import Merchant
from daozhang.service.paylinks.model import PayLink, Standing
from daozhang.service.web.pages import Text, heading, lines, mark, row, spans, write_page

_OVER: Final[Mapping[Standing, tuple[str, Text, Text]]] = {
    Standing.PAID: (
        "paid",
        ("已付款", "Paid"),
        ("款项已到账，无需再次付款。", "The payment has arrived. There is nothing more to pay."),
    ),
    Standing.EXPIRED: (
        "closed",
        ("链接已过期", "This link is over"),
        ("请联系商家获取新的收款链接。", "Please ask the shop for a new one."),
    ),
    Standing.CLOSED: (
        "closed",
        ("链接已关闭", "This link was closed"),
        (
            "商家已停用此收款链接，请联系商家。",
            "The shop takes no payments by it any more. Please ask the shop.",
        ),
    ),
}

_HEAD: Final = (
    '<link rel="stylesheet" href="/pages/paylink.css">'
    '<script src="/pages/paylink.js" defer></script>'
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, as far as their browser says."""

    on_phone: bool
    in_wechat: bool

    @classmethod
    def of(cls, agent: str) -> Reader:
        """By the header ``User-Agent``. What it says decides only which page is offered first."""
        said = agent.lower()
        phone = any(word in said for word in ("mobile", "android", "iphone", "ipad", "harmony"))
        return cls(phone, "micromessenger" in said)


def link_page(
    link: PayLink,
    standing: Standing,
    merchant: Merchant,
    reader: Reader,
    *,
    form_key: str,
    typed: str = "",
    says: Text | None = None,
) -> str:
    """The page of ``link`` as it stands. ``says`` is what was wrong with what was ``typed``."""
    path = f"/pay/link/{link.token}"
    over = _OVER.get(standing)
    if over is not None:
        state, title, line = over
        content = (
            f'<div class="state {state}">{mark(state)}{heading(title)}{lines("p", line)}</div>'
        )
        content += _facts(link, merchant)
    else:
        state, title = "pay", ("付款", "Pay")
        content = _facts(link, merchant) + _form(link, path, reader, form_key, typed, says)
        if link.once:
            content += _arrived(path)
    return write_page(
        state=state,
        title=title,
        content=content,
        continue_url=None,
        environment=merchant.environment,
        head=_HEAD,
    )


def leading_page(pay_url: str, environment: str) -> str:
    """The page between our button and Alipay's: it goes on by itself, or by a click."""
    words = spans(("前往支付宝", "Go on to Alipay"))
    content = (
        f'<div class="state confirming">{mark("confirming")}'
        f"{heading(('正在前往支付宝', 'Leading you to Alipay'))}</div>"
        f'<a class="onward" data-now rel="noreferrer" href="{escape(pay_url)}">{words}</a>'
    )
    return write_page(
        state="confirming",
        title=("正在前往支付宝", "Leading you to Alipay"),
        content=content,
        continue_url=None,
        environment=environment,
        head=_HEAD,
    )


def _facts(link: PayLink, merchant: Merchant) -> str:
    amount = (
        ""
        if link.amount is None
        else f'<p class="amount"><span>{escape(link.amount.currency)}</span> {link.amount}</p>'
    )
    note = "" if link.note is None else row(("说明", "Note"), link.note)
    return (
        f'<p class="payee">{escape(merchant.name)}</p>{amount}'
        f"<dl>{row(('商品', 'For'), link.subject)}{note}</dl>"
    )


def _form(
    link: PayLink, path: str, reader: Reader, form_key: str, typed: str, says: Text | None
) -> str:
    if reader.in_wechat:
        return lines(
            "p",
            (
                "微信内无法打开支付宝：请点右上角“…”，选择在浏览器中打开。",
                "WeChat does not open Alipay: choose … above, and open this page in the browser.",
            ),
            "line elsewhere",
        )
    key = f'<input type="hidden" name="form_key" value="{escape(form_key)}">'
    button = ("用支付宝付款", "Pay with Alipay")
    if not reader.on_phone:
        button = ("在此电脑上付款", "Pay on this computer")
    return (
        f"{'' if reader.on_phone else _picture(path)}"
        f'<form method="post" action="{path}">{key}{_amount_field(link, typed, says)}'
        f'<button class="onward">{spans(button)}</button></form>'
    )


def _picture(path: str) -> str:
    # The link's own address, not a code of Alipay's: looking at a page makes no order.
    return (
        f'<div class="scan"><img src="{path}/qr.svg" width="220" height="220" alt="QR">'
        f"{lines('p', ('用支付宝扫码付款', 'Scan with Alipay to pay on your phone'))}</div>"
    )


def _amount_field(link: PayLink, typed: str, says: Text | None) -> str:
    wrong = "" if says is None else lines("p", says, "wrong")
    if link.amount is not None:
        return wrong
    assert link.least is not None
    assert link.most is not None
    bounds = _bounds(link.least, link.most)
    return (
        f'<label class="chosen"><span>{spans(("金额", "Amount"))}</span>'
        f"<b>{escape(link.least.currency)}</b>"
        f'<input name="amount" inputmode="decimal" autocomplete="off" required maxlength="12" '
        f'value="{escape(typed)}" placeholder="0.00"></label>{wrong or bounds}'
    )


def _bounds(least: Money, most: Money) -> str:
    return lines("p", (f"{least} 至 {most} 元", f"From {least} to {most}"), "line")


def _arrived(path: str) -> str:
    """What the page turns to when the payment has arrived, by another device or tab too."""
    _, title, line = _OVER[Standing.PAID]
    return (
        f'<div class="state paid" role="status" data-ask="{path}/state">'
        f"{mark('paid')}{heading(title)}{lines('p', line)}</div>"
    )
