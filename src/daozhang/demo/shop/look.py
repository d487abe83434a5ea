"""How the shop looks: one page around everything, Chinese first and English beside it."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from daozhang.demo.shop.api import ALIPAY, API, HOME


class Asked(NamedTuple):
    """What a browser asks for: the number in the address, and the fields of query and form."""

    number: str
    fields: dict[str, str]


class Redirect(NamedTuple):
    """An answer that leads elsewhere."""

    to: str


Call = tuple[str, str, str]
"""A call to daozhang, and what it is for in Chinese and in English."""

OPEN, PAID = "created waiting", "paid finished"
"""The states of an order that waits for its buyer, and of one that is paid."""

STATES = (
    (OPEN, "wait", "等待付款", "Waiting for the payment"),
    ("closing", "wait", "正在确认", "Being confirmed"),
    (PAID, "good", "到账，我们会发货", "Paid: we ship it"),
    ("closed", "bad", "订单已关闭", "The order is closed"),
    ("refunded", "bad", "已退款", "Refunded"),
)

TEA = """<div class=tea><img src=/static/tea.svg alt="" width=148 height=148><div><h2>西湖龙井</h2>
<p class=en lang=en>Longjing tea, a tin of 250 g</p><p class=price><small>¥</small>88.88</p></div></div>"""


def both(chinese: str, english: str) -> str:
    """The same in both languages; neither is escaped."""
    return f"<span class=zh>{chinese}</span><span class=en lang=en>{english}</span>"


def page(
    title: tuple[str, str], body: str, *, calls: Sequence[Call] = (), wide: bool = False
) -> str:
    """A page of the shop; ``calls`` are shown beside it, or below a ``wide`` one."""
    rows = "".join(f"<li><code>{escape(c)}</code>{both(zh, en)}</li>" for c, zh, en in calls)
    heading = both("商店调用的接口", "What the shop calls")
    behind = f"<aside><h2>{heading}</h2><ol>{rows}</ol></aside>" if calls else ""
    return f"""<!doctype html><html lang=zh-CN><meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1"><title>{title[0]} {title[1]}</title>
<link rel=stylesheet href=/static/shop.css><link rel=icon href=/static/tea.svg type="image/svg+xml">
<script src=/static/shop.js defer></script>
<header><a href="/"><img src=/static/tea.svg alt="" width=34 height=34><b>明前茶铺</b><span>Tea shop</span></a>
<nav><a href="{ALIPAY}/wallet" target=_blank>买家手机 Phone</a><a href="{ALIPAY}" target=_blank>模拟器 Emulator</a>
<a href="{API}/docs" target=_blank>接口 API</a></nav></header>
<main{" class=wide" if wide else ""}><article><h1>{both(*title)}</h1>{body}</article>{behind}</main>
<footer>演示环境，没有真实资金。 A demonstration: no real money.</footer></html>"""


def phone(bar: str, body: str) -> str:
    """``body`` on the screen of a phone, under the title ``bar``."""
    return f"<div class=device><p class=bar>{bar}</p><div class=screen>{body}</div></div>"


def button(action: str, chinese: str, english: str, kind: str = "", **fields: str) -> str:
    """A button that posts ``fields`` to ``action``."""
    hidden = "".join(
        f'<input type=hidden name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    words = both(chinese, english)
    return f'<form method=post action="{escape(action)}">{hidden}<button class="{kind}">{words}</button></form>'


def watched(order: dict[str, Any], while_open: str, when_paid: str = "") -> str:
    """How ``order`` stands. The page follows its events and turns by itself, without being loaded again."""
    status = order["status"]
    parts = [(OPEN, while_open), (PAID, when_paid)]
    parts += [(when, state(kind, zh, en)) for when, kind, zh, en in STATES]
    shown = "".join(
        f'<div data-when="{when}"{"" if status in when.split() else " hidden"}>{part}</div>'
        for when, part in parts
        if part
    )
    number = both("订单号", "Order") + f" <code>{escape(order['out_trade_no'])}</code>"
    watch = escape(order["watch_url"])
    return (
        f'<section data-watch="{watch}" role=status>{shown}<p class=number>{number}</p></section>'
    )


def state(kind: str, chinese: str, english: str) -> str:
    """How something stands: ``good``, ``bad``, or ``wait``."""
    return f'<p class="state {kind}">{both(chinese, english)}</p>'


def again(address: str) -> str:
    """Has the page looked at again soon, where nothing tells it to."""
    return f'<meta http-equiv=refresh content="2;url={escape(address)}">'


def refused(words: str, came_from: str) -> str:
    """The page for a no of daozhang's, and the way back."""
    address = came_from if came_from.startswith(f"{HOME}/") else "/"
    back = f'<a class="button quiet" href="{escape(address)}">{both("返回", "Back")}</a>'
    return page(("没有成功", "Not done"), f'<p class="state bad">{escape(words)}</p>{back}')
