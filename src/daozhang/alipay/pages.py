"""Handing the buyer over: a signed address, a form that submits itself, an app's order string.

Nothing here touches the network: Alipay hears of it when the buyer's browser or app goes there.
Always V2, in V3 clients too (protocol §5.1), and never encrypted: the buyer sees it all anyway.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from urllib.parse import quote

from daozhang.alipay.config import Credentials
from daozhang.alipay.exchange import Call
from daozhang.alipay.gateway import form_text, parameters


def page_url(credentials: Credentials, call: Call, now: datetime) -> str:
    """The address to redirect the buyer's browser to, signed now.

    It stays payable until the trade's own expiry, however often it is opened.
    """
    public, own = parameters(credentials, call, now)
    return f"{credentials.gateway_url}?{form_text({**public, **own}, credentials.charset)}"


def page_form(
    credentials: Credentials, call: Call, now: datetime, *, script_nonce: str | None = None
) -> str:
    """HTML that takes the buyer's browser to Alipay by POST as soon as it is shown.

    For contents too long for an address. Every value is escaped whole, so that nothing in a
    subject changes the page or the signed text. ``script_nonce`` is your
    Content-Security-Policy's; without a script that runs, the buyer sees a button.
    """
    public, own = parameters(credentials, call, now)
    action = f"{credentials.gateway_url}?{form_text(public, credentials.charset)}"
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in own.items()
    )
    nonce = f' nonce="{escape(script_nonce)}"' if script_nonce else ""
    return (
        f'<form name="punchout_form" method="post" action="{escape(action)}"'
        f' accept-charset="{escape(credentials.charset)}">{inputs}'
        '<button type="submit">前往支付宝 Continue to Alipay</button></form>'
        f'<script{nonce}>document.forms["punchout_form"].submit();</script>'
    )


def order_string(credentials: Credentials, call: Call, now: datetime) -> str:
    """What the merchant's own app hands to Alipay's SDK for phones, unchanged."""
    public, own = parameters(credentials, call, now)
    return "&".join(
        f"{name}={quote(text, safe='', encoding=credentials.charset)}"
        for name, text in sorted({**public, **own}.items())
    )
