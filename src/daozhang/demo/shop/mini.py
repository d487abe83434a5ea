"""In a mini program: the server makes a trade for this one buyer, and the phone has it paid."""

from urllib.parse import quote, urlencode

from daozhang.demo.shop.api import ALIPAY, HOME, api, new_number, new_order
from daozhang.demo.shop.look import TEA, Asked, Redirect, button, page, phone, watched
from daozhang.demo.shop.results import told

TITLE = ("小程序付款", "Pay in a mini program")
BAR = "明前茶铺 小程序"
BUYER, OWN_APP = "2088102168897047", "2021004133624086"
"""Who is signed in (of `my.getAuthCode`), and the mini program's own app id."""

CALLS = (
    ("POST /v1/orders", "way=mini", "way=mini"),
    (
        "POST .../mini_payment",
        "为这位买家建交易，得到 trade_no",
        "The trade of this buyer: trade_no",
    ),
    (
        "my.tradePay({tradeNO})",
        "真实小程序调它；此处由模拟器代替",
        "The mini program; here the emulator",
    ),
    (
        "POST .../mini_result",
        "把 resultCode 送来，看该显示什么",
        "resultCode; answers what to show",
    ),
)


def start(asked: Asked) -> str:
    """What there is to buy."""
    del asked
    return page(TITLE, phone(BAR, TEA + button("/mini", "购买", "Buy")), calls=CALLS)


def buy(asked: Asked) -> Redirect:
    """A new order for the mini program."""
    del asked
    number = new_number("mini")
    new_order(number, "mini")
    return Redirect(f"/mini/{number}")


def shown(asked: Asked, notice: str = "") -> str:
    """The order on the mini program's screen."""
    order = api("GET", f"/v1/orders/{asked.number}")
    pay = button(f"/mini/{asked.number}/pay", "付款", "Pay", "alipay")
    return page(TITLE, phone(BAR, TEA + notice + watched(order, pay)), calls=CALLS)


def pay(asked: Asked) -> Redirect:
    """Makes the trade, and does what `my.tradePay` would do."""
    buyer = {"buyer_id": BUYER, "op_app_id": OWN_APP}
    made = api("POST", f"/v1/orders/{asked.number}/mini_payment", buyer)
    handed = {"trade_no": made["trade_no"], "back": f"{HOME}/mini/{asked.number}/back"}
    return Redirect(f"{ALIPAY}/sheet/mini?{urlencode(handed, quote_via=quote)}")


def back(asked: Asked) -> str:
    """`my.tradePay` has ended; daozhang says what to show."""
    code = asked.fields.get("resultCode", "")
    checked = api("POST", f"/v1/orders/{asked.number}/mini_result", {"resultCode": code})
    return shown(asked, told(checked, code))


ROUTES = {
    "GET /mini": start,
    "POST /mini": buy,
    "GET /mini/*": shown,
    "POST /mini/*/pay": pay,
    "GET /mini/*/back": back,
}
