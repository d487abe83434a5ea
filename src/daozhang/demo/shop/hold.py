"""A deposit: 500 are frozen by a code, a part is taken, the rest is let go, and what remains is shown."""

from html import escape
from typing import Any

from daozhang.demo.shop.api import api, new_number
from daozhang.demo.shop.look import Asked, Redirect, again, both, button, page, state
from daozhang.demo.shop.till import code, wallet

TITLE = ("预授权押金", "A deposit")
CALLS = (
    ("POST /v1/holds", "冻结 500 元，way=qr 或 barcode", "A hold of 500; way=qr or barcode"),
    ("POST .../qr_code, .../barcode", "出示二维码，或扫付款码", "Our code, or the buyer's"),
    ("GET /v1/holds/...", "balance：各部分之和即冻结额", "Its balance always adds up"),
    ("POST .../captures", "扣一部分，是一笔新订单", "Takes a part: an order of its own"),
    ("POST .../releases", "解冻其余", "Lets the rest go"),
)

PARTS = (
    ("captured_amount", "taken", "已扣", "taken"),
    ("capturing_amount", "moving", "扣款中", "being taken"),
    ("releasing_amount", "moving", "解冻中", "being let go"),
    ("released_amount", "gone", "已解冻", "let go"),
    ("remaining_amount", "frozen", "仍冻结", "still frozen"),
)

CODES: dict[str, dict[str, Any]] = {}
"""The code that is shown for each hold."""


def start(asked: Asked) -> str:
    """What is to be frozen, and by which code."""
    del asked
    room = f"<p class=lead>{both('客房押金', 'A deposit for a room')}</p><p class=price><small>¥</small>500.00</p>"
    ours = button("/hold", "出示二维码", "Show our code", way="qr")
    theirs = button("/hold", "扫买家付款码", "Scan the buyer's code", "quiet", way="barcode")
    return page(TITLE, f"{room}<div class=row>{ours}{theirs}</div>", calls=CALLS)


def begin(asked: Asked) -> Redirect:
    """A new hold."""
    number, way = new_number("hold"), asked.fields.get("way", "qr")
    wanted = {"out_order_no": number, "amount": "500.00", "title": "客房押金 Deposit", "way": way}
    api("POST", "/v1/holds", wanted)
    return Redirect(f"/hold/{number}")


def shown(asked: Asked) -> str:
    """How the hold stands, and what can be done about it."""
    hold = api("GET", f"/v1/holds/{asked.number}")
    at = f"/hold/{asked.number}"
    if hold["status"] == "authorized":
        body = bar(hold["balance"]) + moves(hold, at)
    elif hold["status"] == "finished":
        body = bar(hold["balance"]) + state(
            "good", "已结清，不再冻结", "Settled: nothing is frozen"
        )
    elif hold["status"] == "closed":
        body = state("bad", "没有冻结任何金额", "Nothing is frozen")
    else:
        body = waiting(hold, at)
    number = f"<p class=number><code>{escape(hold['out_order_no'])}</code></p>"
    return page(TITLE, body + number, calls=CALLS)


def waiting(hold: dict[str, Any], at: str) -> str:
    """The buyer has not confirmed yet."""
    wait = state("wait", "等待买家确认冻结", "Waiting for the buyer to agree")
    if hold["way"] == "qr":
        number = hold["out_order_no"]
        CODES[number] = CODES.get(number) or api("POST", f"/v1/holds/{number}/qr_code")
        return wait + code(CODES[number]) + again(at)
    if hold["status"] != "created":
        return wait + wallet() + again(at)
    return f"""<form method=post action="{at}/scan"><label>{both("付款码", "Payment code")}
<input class=big name=auth_code autofocus autocomplete=off required></label>
<button>{both("冻结", "Freeze")} ¥500.00</button></form>{wallet()}"""


def bar(balance: dict[str, str]) -> str:
    """Where the frozen money is: a bar, and the same in words."""
    parts = [part for part in PARTS if balance[part[0]] != "0.00"]
    strips = "".join(f'<i class={kind} style="flex:{balance[key]}"></i>' for key, kind, *_ in parts)
    rows = "".join(
        f"<div class={kind}><dt>{both(zh, en)}</dt><dd>¥{balance[key]}</dd></div>"
        for key, kind, zh, en in PARTS
        if balance[key] != "0.00" or key == "remaining_amount"
    )
    return f"<div class=bar-of-money>{strips}</div><dl class=money>{rows}</dl>"


def moves(hold: dict[str, Any], at: str) -> str:
    """What can still be taken and let go; nothing while something is under way."""
    balance = hold["balance"]
    if balance["capturing_amount"] != "0.00" or balance["releasing_amount"] != "0.00":
        return state("wait", "正在处理", "Under way") + again(at)
    rest = balance["remaining_amount"]
    return f"""<form class=row method=post action="{at}/capture"><label>{both("扣款", "Take")} ¥
<input name=amount value=120.00 inputmode=decimal required></label><button>{both("扣款", "Take")}</button></form>
<form class=row method=post action="{at}/release"><label>{both("解冻", "Let go")} ¥
<input name=amount value="{rest}" inputmode=decimal required></label><button class=quiet>{both("解冻", "Let go")}</button></form>"""


def scan(asked: Asked) -> Redirect:
    """Freezes by the code of the buyer."""
    body = {"auth_code": asked.fields.get("auth_code", "")}
    api("POST", f"/v1/holds/{asked.number}/barcode", body)
    return Redirect(f"/hold/{asked.number}")


def capture(asked: Asked) -> Redirect:
    """Takes a part."""
    number = new_number("minibar")
    wanted = {
        "out_trade_no": number,
        "amount": asked.fields.get("amount", ""),
        "subject": "Minibar",
    }
    api("POST", f"/v1/holds/{asked.number}/captures", wanted)
    return Redirect(f"/hold/{asked.number}")


def release(asked: Asked) -> Redirect:
    """Lets a part go."""
    wanted = {"out_request_no": new_number("rest"), "amount": asked.fields.get("amount", "")}
    api("POST", f"/v1/holds/{asked.number}/releases", wanted)
    return Redirect(f"/hold/{asked.number}")


ROUTES = {
    "GET /hold": start,
    "POST /hold": begin,
    "GET /hold/*": shown,
    "POST /hold/*/scan": scan,
    "POST /hold/*/capture": capture,
    "POST /hold/*/release": release,
}
