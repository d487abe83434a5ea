"""On a web page: the order has a page, which leads to Alipay's and turns by itself."""

from html import escape

from daozhang.demo.shop.api import HOME, api, new_number, new_order
from daozhang.demo.shop.look import TEA, Asked, Redirect, both, button, page, watched

TITLE = ("电脑网页付款", "Pay on a web page")
CALLS = (
    ("POST /v1/orders", "创建订单，得到 pay_url", "Creates the order; answers pay_url"),
    ("GET /pay/...", "买家打开 pay_url，当场签名并跳转", "Signs at the click and leads to Alipay"),
    ("GET /v1/watch/...", "页面收到事件，自己变为到账", "The page hears of the payment"),
)


def start(asked: Asked) -> str:
    """What there is to buy."""
    del asked
    return page(TITLE, TEA + button("/web", "购买", "Buy"), calls=CALLS)


def buy(asked: Asked) -> Redirect:
    """A new order."""
    del asked
    number = new_number("web")
    new_order(number, "page", return_url=f"{HOME}/web/{number}")
    return Redirect(f"/web/{number}")


def shown(asked: Asked) -> str:
    """The order, and the way to Alipay while it can be paid."""
    order = api("GET", f"/v1/orders/{asked.number}")
    words = both("去支付宝付款", "Pay with Alipay")
    pay = f'<a class="button alipay" id=pay href="{escape(order["pay_url"] or "")}" target=_blank>{words}</a>'
    return page(TITLE, TEA + watched(order, pay), calls=CALLS)


ROUTES = {"GET /web": start, "POST /web": buy, "GET /web/*": shown}
