"""At the till: scan the buyer's code, or show one; goods go when daozhang says that the money stays."""

from html import escape
from typing import Any
from urllib.parse import quote

from daozhang.demo.shop.api import ALIPAY, Refused, api, new_number
from daozhang.demo.shop.look import Asked, Redirect, again, both, button, page, state

TITLE = ("收银台", "The till")
CALLS = (
    ("POST /v1/orders", "way=barcode 或 qr", "way=barcode or qr"),
    ("POST .../barcode_payment", "扫到的付款码原样送来", "What the scanner typed"),
    ("GET .../barcode_payment", "现在能否交货，该说什么", "Whether goods may go, and what to say"),
    ("POST .../qr_code", "或出示收款码", "Or a code for the buyer to scan"),
    ("POST .../cancel, .../close", "放弃这一笔", "Gives the sale up"),
)

WAIT = state("wait", "请勿交付商品", "Do not hand over the goods yet")
PAID = state("good", "到账，可以交付商品", "Paid: hand over the goods")
OVER = state("bad", "未收款", "Not paid")

CODES: dict[str, dict[str, Any]] = {}
"""The code that is shown for each sale: the page looks again and again, and the buyer scans one."""


def start(asked: Asked) -> str:
    """A new sale."""
    del asked
    amount = both("金额", "Amount") + " ¥"
    form = f"""<form method=post action=/till><label>{amount}<input class=big name=amount value=8.88
inputmode=decimal pattern="[0-9]+(\\.[0-9]{{1,2}})?" required></label>
<div class=row><button name=way value=barcode>{both("扫买家付款码", "Scan the buyer's code")}</button>
<button name=way value=qr class=quiet>{both("出示收款码", "Show our code")}</button></div></form>"""
    return page(TITLE, form + wallet(), calls=CALLS)


def begin(asked: Asked) -> Redirect:
    """The order of a sale."""
    number = new_number("till")
    wanted = {name: asked.fields.get(name, "") for name in ("amount", "way")}
    terms = {"out_trade_no": number, "subject": "Tea 茶", "terminal_id": "till-1"}
    api("POST", "/v1/orders", {**wanted, **terms})
    return Redirect(f"/till/{number}")


def shown(asked: Asked) -> str:
    """How the sale stands."""
    order = api("GET", f"/v1/orders/{asked.number}")
    body = by_our_code(order) if order["way"] == "qr" else by_their_code(order, asked.fields)
    price = f"<p class=price><small>¥</small>{escape(order['amount'])}</p>"
    number = f"<p class=number><code>{escape(order['out_trade_no'])}</code></p>"
    return page(TITLE, price + body + number + wallet(), calls=CALLS)


def by_their_code(order: dict[str, Any], fields: dict[str, str]) -> str:
    """A sale that is paid by the code that the buyer shows."""
    at = f"/till/{order['out_trade_no']}"
    notice = f"<p>{escape(fields['no'])}</p>" if "no" in fields else ""
    field = f"""<form method=post action="{at}/scan"><label>{both("付款码", "Payment code")}
<input class=big name=auth_code autofocus autocomplete=off required></label><button>{both("收款", "Charge")}</button></form>"""
    cancel = button(f"{at}/cancel", "取消", "Cancel", "quiet")
    try:
        told = api("GET", f"/v1/orders/{order['out_trade_no']}/barcode_payment")
    except Refused:  # nothing was scanned yet
        return notice + field + cancel
    words = f"<p>{both(escape(told['message_zh']), escape(told['message']))}</p>"
    if told["hand_over_goods"]:
        return PAID + words + onward()
    if told["may_scan_again"]:
        return WAIT + (notice or words) + field + cancel
    return OVER + words + onward() if told["final"] else WAIT + words + cancel + again(at)


def by_our_code(order: dict[str, Any]) -> str:
    """A sale that is paid by the code that we show."""
    if order["status"] in ("paid", "finished"):
        return PAID + onward()
    if order["status"] in ("closed", "refunded"):
        return OVER + onward()
    number = order["out_trade_no"]
    made = CODES.get(number) or api("POST", f"/v1/orders/{number}/qr_code")
    CODES[number] = made
    cancel = button(f"/till/{number}/cancel", "取消", "Cancel", "quiet")
    return WAIT + code(made) + cancel + again(f"/till/{number}")


def code(made: dict[str, Any]) -> str:
    """A code to scan; where there is no phone, a click on it does."""
    hint = both("点二维码即代替手机扫码", "Click the code instead of scanning it")
    text = escape(made["qr_code"])
    return (
        f'<a class=code href="{text}" target=_blank><img src="{escape(made["svg_url"])}" alt="二维码 The code"></a>'
        f"<p class=hint>{hint}<br><code>{text}</code></p>"
    )


def onward() -> str:
    """To the next sale."""
    return f'<p><a class=button href="/till">{both("下一笔", "Next")}</a></p>'


def wallet() -> str:
    """Where the buyer's phone is."""
    words = both("买家的手机：出示付款码，确认付款", "The buyer's phone: shows codes, confirms")
    return f'<p class=hint><a href="{ALIPAY}/wallet" target=_blank>{words}</a></p>'


def scan(asked: Asked) -> Redirect:
    """The scanner has typed."""
    number = asked.number
    try:
        body = {"auth_code": asked.fields.get("auth_code", "")}
        api("POST", f"/v1/orders/{number}/barcode_payment", body)
    except Refused as no:
        return Redirect(f"/till/{number}?no={quote(str(no))}")
    return Redirect(f"/till/{number}")


def cancel(asked: Asked) -> Redirect:
    """The sale is given up: one that a phone may be paying is undone, a code is closed."""
    number = asked.number
    verb = "close" if api("GET", f"/v1/orders/{number}")["way"] == "qr" else "cancel"
    try:
        api("POST", f"/v1/orders/{number}/{verb}")
    except Refused as no:
        return Redirect(f"/till/{number}?no={quote(str(no))}")
    return Redirect(f"/till/{number}")


ROUTES = {
    "GET /till": start,
    "POST /till": begin,
    "GET /till/*": shown,
    "POST /till/*/scan": scan,
    "POST /till/*/cancel": cancel,
}
