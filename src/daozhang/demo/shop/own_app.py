"""In the shop's own app: an order string for Alipay's SDK, and the check of what it gave back."""

from urllib.parse import quote, urlencode

from daozhang.demo.shop.api import ALIPAY, HOME, api, new_number, new_order
from daozhang.demo.shop.look import TEA, Asked, Redirect, both, button, page, phone, watched
from daozhang.demo.shop.results import told

TITLE = ("商家 App 付款", "Pay in our own app")
BAR = "明前茶铺 App"
CALLS = (
    ("POST /v1/orders", "way=app", "way=app"),
    ("POST .../app_payment", "点付款时取订单串", "The order string, when the buyer taps"),
    (
        "payOrder(orderString)",
        "真实 App 调支付宝 SDK；此处由模拟器代替",
        "Alipay's SDK; here the emulator",
    ),
    ("POST .../app_result", "把带回的结果原样送来核对", "What came back, unchanged, is checked"),
)


def start(asked: Asked) -> str:
    """What there is to buy."""
    del asked
    return page(TITLE, phone(BAR, TEA + button("/app", "购买", "Buy")), calls=CALLS)


def buy(asked: Asked) -> Redirect:
    """A new order for the app."""
    del asked
    number = new_number("app")
    new_order(number, "app")
    return Redirect(f"/app/{number}")


def shown(asked: Asked, notice: str = "") -> str:
    """The order on the app's screen."""
    order = api("GET", f"/v1/orders/{asked.number}")
    pay = button(f"/app/{asked.number}/pay", "用支付宝付款", "Pay with Alipay", "alipay")
    return page(TITLE, phone(BAR, TEA + notice + watched(order, pay)), calls=CALLS)


def pay(asked: Asked) -> Redirect:
    """Hands the order string over, unchanged, as the app would hand it to Alipay's SDK."""
    made = api("POST", f"/v1/orders/{asked.number}/app_payment")
    handed = {"order_string": made["order_string"], "back": f"{HOME}/app/{asked.number}/back"}
    return Redirect(f"{ALIPAY}/sheet/app?{urlencode(handed, quote_via=quote)}")


def back(asked: Asked) -> str:
    """The SDK has given something back; daozhang says what to show."""
    got = {name: asked.fields.get(name, "") for name in ("resultStatus", "result", "memo")}
    checked = api("POST", f"/v1/orders/{asked.number}/app_result", got)
    signed = both("支付宝签名有效", "signed by Alipay") if checked["signed_by_alipay"] else ""
    return shown(asked, told(checked, got["resultStatus"], signed))


ROUTES = {
    "GET /app": start,
    "POST /app": buy,
    "GET /app/*": shown,
    "POST /app/*/pay": pay,
    "GET /app/*/back": back,
}
