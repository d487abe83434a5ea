"""A membership: the buyer signs once, alone or with the first payment, and each period is charged."""

from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

from daozhang.demo.shop.api import HOME, Refused, api, new_number
from daozhang.demo.shop.look import Asked, Redirect, again, both, button, page, state

TITLE = ("周期扣款会员", "A membership")
PRICE = "30.00"
BEIJING = timezone(timedelta(hours=8))
CALLS = (
    ("POST /v1/agreements", "扣款规则，得到 sign_url", "The rule; answers sign_url"),
    ("POST .../payment", "或付首期并签约，得到 pay_url", "Or pay and sign at once: pay_url"),
    ("GET /v1/agreements/...", "是否已签约，下次扣款日", "Whether it is signed; the next day"),
    ("POST .../deductions", "扣本期，是一笔新订单", "Charges the period: an order of its own"),
    ("POST .../unsign", "解约", "Ends it"),
)

TRIES = {
    "open": ("处理中", "under way"),
    "paid": ("已扣", "charged"),
    "failed": ("未扣成", "not charged"),
}


def start(asked: Asked) -> str:
    """What is to be signed, and from which day on it is charged."""
    del asked
    today = datetime.now(BEIJING).date()
    body = f"""<p class=lead>{both("茶友会员，每 30 天一期", "The tea club, every 30 days")}</p>
<p class=price><small>¥</small>{PRICE}</p><form method=post action=/membership>
<label>{both("首次扣款日", "First charged on")} <input type=date name=first_on value={today} required></label>
<div class=row><button name=kind value=sign>{both("签约", "Sign")}</button>
<button name=kind value=pay class=quiet>{both("付首期并签约", "Pay and sign at once")}</button></div></form>"""
    return page(TITLE, body, calls=CALLS)


def begin(asked: Asked) -> Redirect:
    """A new agreement, and an order that signs it if that was chosen."""
    number = new_number("member")
    back = f"{HOME}/membership/{number}"
    rule = {"period_type": "DAY", "period": 30, "first_on": asked.fields.get("first_on", "")}
    wanted = {"external_agreement_no": number, "sign_scene": "INDUSTRY|DIGITAL_MEDIA"}
    rule["single_amount"] = PRICE
    api("POST", "/v1/agreements", {**wanted, "rule": rule, "return_url": back})
    if asked.fields.get("kind") == "pay":
        first = {
            "out_trade_no": f"{number}-first",
            "amount": PRICE,
            "subject": "会员首期 First period",
        }
        api("POST", f"/v1/agreements/{number}/payment", {**first, "return_url": back})
    return Redirect(back)


def shown(asked: Asked) -> str:
    """How the agreement stands."""
    agreement = api("GET", f"/v1/agreements/{asked.number}")
    at = f"/membership/{asked.number}"
    if agreement["status"] in ("created", "temp"):
        body = unsigned(agreement) + again(at)
    elif agreement["status"] == "active":
        body = signed(agreement, at)
    else:
        body = state("bad", "已解约或失效，不再扣款", "It has ended: nothing is charged")
        body += again(at) if agreement["status"] == "ending" else ""
    number = f"<p class=number><code>{escape(asked.number)}</code></p>"
    return page(TITLE, body + charges(agreement) + number, calls=CALLS)


def unsigned(agreement: dict[str, Any]) -> str:
    """The way to Alipay's page."""
    words, address = both("去支付宝签约", "Sign at Alipay"), agreement["sign_url"]
    try:
        first = api("GET", f"/v1/orders/{agreement['external_agreement_no']}-first")
    except Refused:  # it is signed alone
        pass
    else:
        words, address = both("去支付宝付款并签约", "Pay and sign at Alipay"), first["pay_url"]
    wait = state("wait", "等待买家签约", "Waiting for the buyer to sign")
    link = (
        f'<a class="button alipay" id=sign href="{escape(address or "")}" target=_blank>{words}</a>'
    )
    return wait + (link if address else "")


def signed(agreement: dict[str, Any], at: str) -> str:
    """What can be done by it."""
    day, first = agreement["next_deduct_on"], agreement["window_from"]
    words = state("good", "已签约", "Signed")
    words += (
        f"<p>{both(f'扣款日 {day}，{first} 起可扣', f'Due on {day}, charged from {first} on')}</p>"
    )
    if any(tried["status"] == "open" for tried in agreement["deductions"]):
        return words + again(at)
    charge = button(f"{at}/charge", f"扣本期 ¥{PRICE}", "Charge this period")
    return (
        f"{words}<div class=row>{charge}{button(f'{at}/unsign', '解约', 'End it', 'quiet')}</div>"
    )


def charges(agreement: dict[str, Any]) -> str:
    """Every try to charge it."""
    rows = "".join(
        f"<li>¥{tried['amount']} {both(*TRIES[tried['status']])} {escape(tried['message'] or '')}</li>"
        for tried in agreement["deductions"]
    )
    return f"<ul class=list>{rows}</ul>" if rows else ""


def charge(asked: Asked) -> Redirect:
    """Charges the period."""
    wanted = {"out_trade_no": new_number("period"), "amount": PRICE, "subject": "会员费 Membership"}
    api("POST", f"/v1/agreements/{asked.number}/deductions", wanted)
    return Redirect(f"/membership/{asked.number}")


def unsign(asked: Asked) -> Redirect:
    """Ends it."""
    api("POST", f"/v1/agreements/{asked.number}/unsign")
    return Redirect(f"/membership/{asked.number}")


ROUTES = {
    "GET /membership": start,
    "POST /membership": begin,
    "GET /membership/*": shown,
    "POST /membership/*/charge": charge,
    "POST /membership/*/unsign": unsign,
}
