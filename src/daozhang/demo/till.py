"""A till: standard library, the HTTP API, and nothing else of daozhang's.

TILL_API=http://127.0.0.1:8800 TILL_KEY=dz_... TILL_PORT=8803 TILL_WALLET=http://... python -m daozhang.demo.till
"""

import json
import os
import time
import urllib.error
import urllib.request
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote

API, KEY, PORT = os.environ["TILL_API"], os.environ["TILL_KEY"], int(os.environ["TILL_PORT"])
WALLET = os.environ["TILL_WALLET"]

STYLE = """<!doctype html><meta charset=utf-8><meta name=viewport content="width=device-width"><style>
body{font:17px/1.6 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;max-width:26em;margin:6vh auto;padding:0 1em;
text-align:center;color:#1f2329;background:#f4f6f9}main{background:#fff;border:1px solid #e5e8ed;border-radius:14px;padding:1.4em}
button,.button{font:inherit;background:#1677ff;color:#fff;border:0;border-radius:10px;padding:.6em 1.4em;margin:.3em;
text-decoration:none;cursor:pointer;display:inline-block}.quiet{background:#fff;color:#646a73;border:1px solid #cfd5dd}
input{font:inherit;font-size:1.3em;padding:.4em;border:1.5px solid #cfd5dd;border-radius:10px;width:90%;text-align:center}
b{font-size:2.2em}.state{font-size:1.3em;font-weight:600;border-radius:10px;padding:.5em;margin:.6em 0}
.wait{background:#fff4e0;color:#b26a00}.good{background:#e3f6ec;color:#12a15f}.bad{background:#fdeaea;color:#c62a2f}
small,a{color:#646a73}img{max-width:14em}</style>"""

START = f"""{STYLE}<title>收银台 Till</title><main><h1>收银台 Till</h1><form method=post action=/sales>
<p><label>金额 Amount (¥)<br><input name=amount value=8.88 inputmode=decimal pattern="[0-9]+(\\.[0-9]{{1,2}})?" required></label></p>
<p><button name=way value=barcode>扫买家付款码 Scan the buyer's code</button>
<button name=way value=qr>出示收款码 Show our code</button></p></form></main>
<p><small>买家的手机 The buyer's phone: <a href="{WALLET}" target=_blank>{WALLET}</a></small></p>"""

CODES: dict[str, dict[str, Any]] = {}
"""The code that is shown for each sale."""

WAIT = ("wait", "请勿交付商品 Do not hand over the goods yet")
PAID = ("good", "到账 Paid: hand over the goods 可以交付商品")
OVER = ("bad", "未收款 Not paid")


class Refused(Exception):
    """daozhang said no; the text says why, in both languages."""


def api(method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, data, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as no:
        told = json.load(no)
        raise Refused(f"{told.get('detail_zh', '')} {told.get('detail', '')}".strip()) from no


def barcode_page(order: dict[str, Any], notice: str) -> str:
    """What the person at the till sees of a sale that is paid by the buyer's code."""
    path = f"/v1/orders/{order['out_trade_no']}/barcode_payment"
    try:
        shown = api("GET", path)
    except Refused:  # nothing was scanned yet
        return page(order, None, notice, scans=True)
    words = f"{escape(shown['message_zh'])}<br><small>{escape(shown['message'])}</small>"
    if shown["hand_over_goods"]:
        return page(order, PAID, words)
    if shown["may_scan_again"]:
        return page(order, WAIT, notice or words, scans=True)
    return page(order, OVER if shown["final"] else WAIT, words, waits=not shown["final"])


def qr_page(order: dict[str, Any]) -> str:
    """What the buyer scans, and how it stands."""
    if order["status"] in ("paid", "finished"):
        return page(order, PAID, "")
    if order["status"] in ("closed", "refunded"):
        return page(order, OVER, "")
    number = order["out_trade_no"]
    made = CODES.get(number) or api("POST", f"/v1/orders/{number}/qr_code")
    CODES[number] = made  # the page looks again and again, and the buyer scans one code
    picture = f'<img src="{escape(made["svg_url"])}" alt="收款码 The code to scan"><br>'
    return page(order, WAIT, f"{picture}<small>{escape(made['qr_code'])}</small>", waits=True)


def page(
    order: dict[str, Any],
    state: tuple[str, str] | None,
    words: str,
    *,
    scans: bool = False,
    waits: bool = False,
) -> str:
    number = escape(str(order["out_trade_no"]))
    again = f'<meta http-equiv=refresh content="2;url=/sales/{number}">' if waits else ""
    shown = "" if state is None else f'<p class="state {state[0]}" role=status>{state[1]}</p>'
    field = (
        f"<form method=post action=/sales/{number}/scan><label>付款码 Payment code<br><input name=auth_code "
        "autofocus autocomplete=off required></label><p><button>收款 Charge</button></p></form>"
        if scans
        else ""
    )
    stop = (
        f"<form method=post action=/sales/{number}/cancel><button class=quiet>取消 Cancel</button></form>"
        if waits or scans
        else '<a class=button href="/">下一笔 Next</a>'
    )
    return (
        f"{STYLE}<title>收银台 Till</title>{again}<main><p><b>¥ {escape(order['amount'])}</b></p>"
        f"{shown}<p>{words}</p>{field}{stop}</main><p><small>{number}</small></p>"
        f'<p><small>买家的手机 The buyer\'s phone: <a href="{WALLET}" target=_blank>{WALLET}</a></small></p>'
    )


class Till(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/":
            return self.answer(200, START)
        if not path.startswith("/sales/"):
            return self.answer(404, "nothing here")
        order = api("GET", f"/v1/orders/{quote(path.removeprefix('/sales/'))}")
        notice = escape(parse_qs(query).get("no", [""])[0])
        shown = qr_page(order) if order["way"] == "qr" else barcode_page(order, notice)
        return self.answer(200, shown)

    def do_POST(self) -> None:
        raw = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 4096)).decode()
        form = {name: values[0] for name, values in parse_qs(raw).items()}
        said = ""
        if self.path == "/sales":
            number = f"till-{time.time_ns()}"
            order = {"out_trade_no": number, "amount": form["amount"], "way": form["way"]}
            try:
                api("POST", "/v1/orders", {**order, "subject": "Tea 茶", "terminal_id": "till-1"})
            except Refused as no:
                return self.answer(200, f'{START}<p class="state bad">{escape(str(no))}</p>')
        else:
            _, _, number, what = self.path.split("/")
            paths = {"scan": "barcode_payment", "cancel": "cancel"}
            try:
                body = {"auth_code": form.get("auth_code", "")} if what == "scan" else None
                if what == "cancel" and api("GET", f"/v1/orders/{quote(number)}")["way"] == "qr":
                    paths["cancel"] = "close"
                api("POST", f"/v1/orders/{quote(number)}/{paths[what]}", body)
            except Refused as no:
                said = f"?no={quote(str(no))}"
        return self.answer(303, "", Location=f"/sales/{quote(number)}{said}")

    def answer(self, status: int, shown: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(shown.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: the demo's output is for people."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Till).serve_forever()
