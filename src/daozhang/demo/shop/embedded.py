"""In the shop's own page: the five values of `qr_pay_mode`, each in a frame of the size it needs."""

from html import escape
from typing import Any

from daozhang.demo.shop.api import HOME, api, new_number, new_order
from daozhang.demo.shop.look import TEA, Asked, Redirect, both, button, page, watched

TITLE = ("嵌入本店页面", "In our own page")
CODE_WIDTH = 220
MODES = {
    "0": ("简约前置", "a code and the amount beside it"),
    "1": ("前置", "a code below the amount"),
    "2": ("支付宝的整页", "Alipay's own page; usually the buyer is sent there"),
    "3": ("迷你", "a small code"),
    "4": ("自定宽度", "only the code, as wide as we say"),
}
FULL_PAGE = {"width": 960, "height": 860}
"""Mode 2 asks for no size: it is a page."""

CALLS = (
    ("POST /v1/orders", "pay_options 里选 qr_pay_mode", "pay_options name the qr_pay_mode"),
    ("<iframe src=pay_url>", "尺寸取自订单的 frame", "As large as the order's frame says"),
    ("GET /v1/watch/...", "服务器推送到账，页面不刷新", "Told by server-sent events; no reload"),
)


def start(asked: Asked) -> str:
    """The five modes to choose from."""
    del asked
    doors = "".join(
        f"<div class=door><span class=icon>{mode}</span><span><b>{zh}</b><small lang=en>{en}</small></span>"
        f"{button('/embedded', '试试', 'Try', 'quiet', mode=mode)}</div>"
        for mode, (zh, en) in MODES.items()
    )
    return page(TITLE, f"{TEA}<div class=list>{doors}</div>", calls=CALLS)


def buy(asked: Asked) -> Redirect:
    """A new order whose code stands in our page."""
    number, mode = new_number("embedded"), asked.fields.get("mode", "0")
    options: dict[str, Any] = {"qr_pay_mode": mode}
    if mode == "4":
        options["qrcode_width"] = CODE_WIDTH
    back = f"{HOME}/embedded/{number}"
    new_order(number, "page", pay_options=options, return_url=back)
    return Redirect(back)


def shown(asked: Asked) -> str:
    """The order with Alipay in a frame, until the page hears that it is paid."""
    order = api("GET", f"/v1/orders/{asked.number}")
    mode = order["pay_options"]["qr_pay_mode"]
    size = order["frame"] or FULL_PAGE
    hint = both("点二维码即代替手机扫码", "Click the code instead of scanning it")
    frame = (
        f'<iframe src="{escape(order["pay_url"])}" width={size["width"]} height={size["height"]} '
        f'title="支付宝 Alipay"></iframe><p class=hint>{"" if mode == "2" else hint}</p>'
        if order["pay_url"]
        else ""
    )
    named = f"<p class=lead>qr_pay_mode <kbd>{mode}</kbd> {both(*MODES[mode])}</p>"
    return page(TITLE, TEA + named + watched(order, frame), calls=CALLS, wide=mode == "2")


ROUTES = {"GET /embedded": start, "POST /embedded": buy, "GET /embedded/*": shown}
