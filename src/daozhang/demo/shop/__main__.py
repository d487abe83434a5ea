"""The shop as a program.

SHOP_API=http://127.0.0.1:8800 SHOP_KEY=dz_... SHOP_PORT=8801 SHOP_ALIPAY=http://127.0.0.1:8802 python -m daozhang.demo.shop
"""

import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from daozhang.demo.shop import embedded, hold, index, membership, mini, own_app, till, wap, web
from daozhang.demo.shop.api import Refused
from daozhang.demo.shop.look import Asked, Redirect, refused

Handler = Callable[[Asked], str | Redirect]
ROUTES: dict[str, Handler] = {}
for way in (index, web, embedded, wap, own_app, mini, till, hold, membership):
    ROUTES.update(way.ROUTES)

FILES = Path(__file__).parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FORM_BYTES_MAX = 8192


def find(method: str, path: str) -> tuple[Handler, str] | None:
    """Who answers, and the number in the address: ``*`` in a route."""
    parts = path.split("/")
    for route, handler in ROUTES.items():
        wanted, pattern = route.split(" ")
        pairs = list(zip(pattern.split("/"), parts, strict=False))
        same = len(pattern.split("/")) == len(parts) and all(a in ("*", b) for a, b in pairs)
        if wanted == method and same:
            return handler, next((unquote(b) for a, b in pairs if a == "*"), "")
    return None


class Shop(BaseHTTPRequestHandler):
    """Finds who answers, and sends what they say."""

    def do_GET(self) -> None:
        name = self.path.removeprefix("/static/")
        if (FILES / name) in FILES.iterdir():
            return self.answer(200, (FILES / name).read_bytes(), KINDS[Path(name).suffix])
        return self.route("GET", "")

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length", 0)), FORM_BYTES_MAX)
        return self.route("POST", self.rfile.read(length).decode())

    def route(self, method: str, form: str) -> None:
        path, query = urlsplit(self.path)[2:4]
        found = find(method, path)
        if found is None:
            return self.answer(404, b"nothing here")
        fields = dict(parse_qsl(query, keep_blank_values=True) + parse_qsl(form))
        try:
            answer = found[0](Asked(found[1], fields))
        except Refused as no:
            return self.answer(409, refused(str(no), self.headers.get("Referer", "")).encode())
        if isinstance(answer, Redirect):
            return self.answer(303, b"", Location=answer.to)
        return self.answer(200, answer.encode())

    def answer(self, status: int, body: bytes, kind: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: the demo's output is for people."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["SHOP_PORT"])), Shop).serve_forever()
