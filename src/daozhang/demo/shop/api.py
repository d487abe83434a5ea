"""Asking daozhang: one function, and the few addresses that a shop has to know."""

import json
import os
import time
import urllib.error
import urllib.request
from typing import Any

API, KEY = os.environ["SHOP_API"], os.environ["SHOP_KEY"]
HOME = f"http://127.0.0.1:{os.environ['SHOP_PORT']}"
"""Where this shop is."""

ALIPAY = os.environ["SHOP_ALIPAY"]
"""The emulator: it plays the buyer's phone, too."""


class Refused(Exception):
    """daozhang said no; the text says why, in both languages."""


def api(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What daozhang answers to ``body`` at ``path``. Raises `Refused`."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, data, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as no:
        told = json.load(no)
        raise Refused(f"{told.get('detail_zh', '')} {told.get('detail', '')}".strip()) from no


def new_order(number: str, way: str, **more: Any) -> dict[str, Any]:
    """An order for a tin of tea, paid in that way."""
    wanted = {"out_trade_no": number, "amount": "88.88", "subject": "西湖龙井 Longjing tea"}
    return api("POST", "/v1/orders", {**wanted, "way": way, **more})


def new_number(kind: str) -> str:
    """A number that was never used."""
    return f"{kind}-{time.time_ns()}"
