"""What a phone was told, beside what daozhang says of it."""

from html import escape
from typing import Any

from daozhang.demo.shop.look import both

KINDS = {"paid": "good", "confirming": "wait", "cancelled": "wait"}
"""How to colour what is to be shown; anything else is bad news."""


def told(checked: dict[str, Any], code: str, signed: str = "") -> str:
    """The code of the phone, which decides nothing, and the sentence to show instead."""
    words = both(escape(checked["message_zh"]), escape(checked["message"]))
    heard = both("手机得到", "The phone was told") + f" <kbd>{escape(code)}</kbd> {signed}"
    kind = KINDS.get(checked["show"], "bad")
    return f'<p class=hint>{heard}</p><p class="said {kind}" id=show>{words}</p>'
