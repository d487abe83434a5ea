"""A shop in forty lines: standard library, the HTTP API, and nothing else of daozhang's.

SHOP_API=http://127.0.0.1:8800 SHOP_KEY=dz_... SHOP_PORT=8801 python -m daozhang.demo.shop
"""

import json
import os
import time
import urllib.request
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API, KEY, PORT = os.environ["SHOP_API"], os.environ["SHOP_KEY"], int(os.environ["SHOP_PORT"])
STYLE = """<meta charset=utf-8><meta name=viewport content="width=device-width"><style>
body{font:17px/1.6 system-ui,sans-serif;max-width:24em;margin:12vh auto;padding:0 1em;text-align:center}
a,button{font:inherit;background:#1677ff;color:#fff;border:0;border-radius:10px;padding:.6em 1.4em;
text-decoration:none;cursor:pointer}b{font-size:2em}.paid #pay{display:none}</style>"""
PRODUCT = f"""{STYLE}<title>茶 Tea</title><p style="font-size:5em;margin:0">🍵</p><h1>西湖龙井 Longjing tea</h1>
<p><b>¥ 88.88</b></p><form method=post action=/buy><button>购买 Buy</button></form>"""
ORDER = """%s<title>订单 Order</title><h1>订单 Order</h1><p>%s</p><p><b>¥ %s</b></p>
<h2 id=status role=status data-watch="%s">%s</h2><p><a id=pay href="%s" target=_blank>支付宝付款 Pay with Alipay</a>
<script>const status_ = document.getElementById("status"), stream = new EventSource(status_.dataset.watch);
const show = m => { const o = JSON.parse(m.data).data; status_.textContent = o.status;
  document.body.className = ["created", "waiting"].includes(o.status) ? "" : "paid" };
for (const t of ["order.state", "order.paid", "order.closed", "order.refunded", "refund.succeeded"])
  stream.addEventListener(t, show);</script>"""


def api(method: str, path: str, body: dict[str, str] | None = None) -> dict[str, str]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, data, headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/":
            return self.answer(200, PRODUCT)
        if not self.path.startswith("/orders/"):
            return self.answer(404, "nothing here")
        order = api("GET", "/v1" + self.path.split("?")[0])
        shown = (
            order[k] or "" for k in ("out_trade_no", "amount", "watch_url", "status", "pay_url")
        )
        return self.answer(200, ORDER % (STYLE, *map(escape, shown)))

    def do_POST(self) -> None:
        number = f"shop-{time.time_ns()}"
        page = f"http://127.0.0.1:{PORT}/orders/{number}"
        wanted = {"out_trade_no": number, "amount": "88.88", "subject": "西湖龙井 Longjing tea"}
        api("POST", "/v1/orders", {**wanted, "return_url": page})
        self.answer(303, "", Location=page)

    def answer(self, status: int, page: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: the demo's output is for people."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
