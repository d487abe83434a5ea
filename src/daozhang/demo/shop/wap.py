"""In a phone's browser: Alipay's mobile page, and a way out for who gives up."""

from html import escape

from daozhang.demo.shop.api import HOME, api, new_number, new_order
from daozhang.demo.shop.look import TEA, Asked, Redirect, both, button, page, phone, state, watched

TITLE = ("手机浏览器付款", "Pay in a phone's browser")
BAR = "shop.example"
CALLS = (
    ("POST /v1/orders", "way=wap，带 quit_url", "way=wap, with a quit_url"),
    ("GET /pay/...", "打开支付宝，或它的手机网页", "Alipay's app, or its mobile page"),
    ("quit_url", "买家放弃后回到这里；不代表未付款", "Who gives up; it proves nothing"),
    ("GET /v1/watch/...", "页面收到事件", "The page hears of the payment"),
)


def start(asked: Asked) -> str:
    """What there is to buy."""
    del asked
    return page(TITLE, phone(BAR, TEA + button("/wap", "购买", "Buy")), calls=CALLS)


def buy(asked: Asked) -> Redirect:
    """A new order for a phone."""
    del asked
    number = new_number("wap")
    at = f"{HOME}/wap/{number}"
    new_order(number, "wap", return_url=at, pay_options={"quit_url": f"{at}/quit"})
    return Redirect(at)


def shown(asked: Asked, notice: str = "") -> str:
    """The order, and the way to Alipay while it can be paid."""
    order = api("GET", f"/v1/orders/{asked.number}")
    words = both("去支付宝付款", "Pay with Alipay")
    pay = f'<a class="button alipay" id=pay href="{escape(order["pay_url"] or "")}">{words}</a>'
    return page(TITLE, phone(BAR, TEA + watched(order, notice + pay)), calls=CALLS)


def quitted(asked: Asked) -> str:
    """Who gave up is back, and may pay all the same."""
    return shown(
        asked, state("wait", "您离开了支付宝，订单还在", "You left Alipay; the order waits")
    )


ROUTES = {
    "GET /wap": start,
    "POST /wap": buy,
    "GET /wap/*": shown,
    "GET /wap/*/quit": quitted,
}
