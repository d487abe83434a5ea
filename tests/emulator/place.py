"""An emulator under a real server, a merchant with a client of its own, and a shop that listens.

The client signs and verifies with nothing but `cryptography`, so that the emulator is held to the
protocol and not to its own code.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes, urlencode

import httpx2
import uvicorn
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daozhang.clock import ManualClock, to_beijing_text
from daozhang.emulator.app import Emulator

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Server:
    """An ASGI application under uvicorn in a thread."""

    def __init__(self, app: Any, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(app, "127.0.0.1", port, log_level="error", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert self._thread.is_alive(), "the server died at its start"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@dataclass
class Received:
    """One POST that the shop got."""

    content_type: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def pairs(self) -> dict[bytes, bytes]:
        found = [piece.split(b"=", 1) for piece in self.body.split(b"&")]
        return {
            unquote_to_bytes(n.replace(b"+", b" ")): unquote_to_bytes(v.replace(b"+", b" "))
            for n, v in found
        }

    def text(self) -> dict[str, str]:
        codec = "gb18030" if self.pairs[b"charset"].lower() in (b"gbk", b"gb2312") else "utf-8"
        return {name.decode(): value.decode(codec) for name, value in self.pairs.items()}


@dataclass
class Shop:
    """The merchant's server; `answer` decides what it says."""

    base_url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Response] = lambda _: Response(b"success")

    @property
    def notify_url(self) -> str:
        return f"{self.base_url}/notify"

    async def notify(self, request: Request) -> Response:
        got = Received(request.headers["content-type"], await request.body(), dict(request.headers))
        self.received.append(got)
        return self.answer(got)

    def asgi(self) -> Starlette:
        return Starlette(routes=[Route("/notify", self.notify, methods=["POST"])])


@cache
def _private_key(pkcs8: str) -> Any:
    """A key, read once: that takes as long as a hundred signatures."""
    return load_der_private_key(base64.b64decode(pkcs8), None)


@dataclass
class Merchant:
    """A client of the gateways, in key mode unless told otherwise."""

    credentials: dict[str, str]
    http: httpx2.Client
    clock: ManualClock

    @property
    def app_id(self) -> str:
        return self.credentials["app_id"]

    def sign(self, data: bytes, hash_: hashes.HashAlgorithm | None = None) -> str:
        key = _private_key(self.credentials["app_private_key_pkcs8"])
        return base64.b64encode(key.sign(data, PKCS1v15(), hash_ or hashes.SHA256())).decode()

    def alipay_signed(self, data: bytes, signature: str | bytes) -> bool:
        key: Any = load_der_public_key(base64.b64decode(self.credentials["alipay_public_key"]))
        try:
            key.verify(base64.b64decode(signature), data, PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def parameters(
        self, method: str, biz: Mapping[str, Any] | str | None = None, **extra: str
    ) -> dict[str, str]:
        content = biz if isinstance(biz, str) else json.dumps(biz or {}, ensure_ascii=False)
        return {
            "app_id": self.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": to_beijing_text(self.clock.now()),
            "version": "1.0",
            "biz_content": content,
        } | extra

    def signed(self, parameters: Mapping[str, str]) -> dict[str, str]:
        codec = "gb18030" if parameters.get("charset", "").lower() == "gbk" else "utf-8"
        text = "&".join(
            f"{name}={parameters[name]}" for name in sorted(parameters) if parameters[name]
        )
        return {**parameters, "sign": self.sign(text.encode(codec))}

    def post(self, parameters: Mapping[str, str]) -> httpx2.Response:
        codec = "gb18030" if parameters.get("charset", "").lower() == "gbk" else "utf-8"
        body = "&".join(
            f"{quote_plus(n)}={quote_plus(v.encode(codec))}" for n, v in parameters.items()
        )
        return self.http.post(
            "/gateway.do",
            content=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    def call(
        self, method: str, biz: Mapping[str, Any] | str | None = None, **extra: str
    ) -> dict[str, Any]:
        """The verified response node."""
        answer = self.post(self.signed(self.parameters(method, biz, **extra)))
        assert answer.status_code == 200
        return self.verified(answer.content, method)

    def verified(self, body: bytes, method: str) -> dict[str, Any]:
        root = method.replace(".", "_") + "_response"
        start = len(f'{{"{root}":')
        end = body.rindex(b',"sign":"')
        node = body[start:end]
        content = json.loads(body)
        assert set(content) == {root, "sign"}
        assert self.alipay_signed(node, content["sign"])
        return json.loads(node)

    def page_address(
        self,
        out_trade_no: str,
        amount: str = "88.88",
        method: str = "alipay.trade.page.pay",
        **extra: Any,
    ) -> str:
        public = {
            name: extra.pop(name)
            for name in ("notify_url", "return_url", "charset")
            if name in extra
        }
        biz = {
            "out_trade_no": out_trade_no,
            "total_amount": amount,
            "subject": "到账 测试",
            "product_code": "FAST_INSTANT_TRADE_PAY",
            **extra,
        }
        parameters = self.signed(self.parameters(method, biz, **public))
        encoding = "gb18030" if public.get("charset", "").lower() == "gbk" else "utf-8"
        return "/gateway.do?" + urlencode(parameters, encoding=encoding)

    def open_page(self, out_trade_no: str, amount: str = "88.88", **extra: Any) -> httpx2.Response:
        return self.http.get(
            self.page_address(out_trade_no, amount, **extra), follow_redirects=True
        )

    def control(self, verb: str, path: str, **body: Any) -> dict[str, Any]:
        answer = self.http.request(verb, f"/_control/{path}", json=body if body else None)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Place:
    """All of it together."""

    emulator: Emulator
    merchant: Merchant
    shop: Shop
    clock: ManualClock
    http: httpx2.Client


def opened(place: Place, number: str, amount: str = "10.00", **extra: Any) -> None:
    place.merchant.open_page(number, amount, notify_url=place.shop.notify_url, **extra)


def is_signed(place: Place, got: Received) -> bool:
    """The V1 rule: ``sign`` and ``sign_type`` left out, over the decoded bytes."""
    pairs = got.pairs
    kept = sorted(item for item in pairs.items() if item[0] not in (b"sign", b"sign_type"))
    return place.merchant.alipay_signed(b"&".join(n + b"=" + v for n, v in kept), pairs[b"sign"])


def told(place: Place) -> list[dict[str, str]]:
    """What the shop was told so far, verified, in the order in which it came about: notices that
    are due together are sent together, and any of them may arrive first."""
    place.emulator.settle()
    order = [notice.notify_id for notice in place.emulator.notifications]
    assert all(is_signed(place, got) for got in place.shop.received)
    texts = [got.text() for got in place.shop.received]
    return sorted(texts, key=lambda text: order.index(text["notify_id"]))


def refund(place: Place, number: str, amount: str, request_no: str) -> None:
    terms = {"out_trade_no": number, "refund_amount": amount, "out_request_no": request_no}
    assert place.merchant.call("alipay.trade.refund", terms)["fund_change"] == "Y"
    place.emulator.settle()
