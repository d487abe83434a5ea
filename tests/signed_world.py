"""A service whose Alipay is the test: it signs notifications and answers queries with its own key.

For what no real Alipay and no honest emulator would ever send: nonsense with a valid signature.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus

import httpx2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from books import check_books
from daozhang.app import Service, create_context
from daozhang.clock import ManualClock, to_beijing_text
from daozhang.service.inbox.store import count_refused, refused_notifications
from daozhang.service.migrations import upgrade
from daozhang.service.outbox.store import list_events_of_merchant
from daozhang.service.settings import load_settings
from daozhang.service.web.context import Context
from databases import database_url
from deployment import ALIPAY_KEYS, APP_ID, SELLER_ID, KeyPair, new_app
from ports import free_port
from worlds import START, Server, register

FORM = "application/x-www-form-urlencoded; text/html; charset=utf-8"

SLUG = "shop"


@cache
def _private_key(pem: str) -> rsa.RSAPrivateKey:
    """A key, read once: that takes as long as a hundred signatures."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def sign(data: bytes, keys: KeyPair = ALIPAY_KEYS) -> str:
    """The RSA2 signature over ``data``, in base64."""
    signature = _private_key(keys.private).sign(data, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


def paid(out_trade_no: str, **changes: str | None) -> dict[str, str]:
    """The fields of a payment's notification; ``None`` takes one away."""
    fields: dict[str, str | None] = {
        "notify_type": "trade_status_sync",
        "notify_id": f"2026030200222{out_trade_no}",
        "notify_time": to_beijing_text(START),
        "charset": "utf-8",
        "version": "1.0",
        "app_id": APP_ID,
        "auth_app_id": APP_ID,
        "seller_id": SELLER_ID,
        "trade_no": f"20260302220014{out_trade_no}",
        "out_trade_no": out_trade_no,
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "88.88",
        "receipt_amount": "88.88",
        "buyer_pay_amount": "88.88",
        "gmt_payment": to_beijing_text(START),
    }
    return {name: text for name, text in {**fields, **changes}.items() if text is not None}


def signed(fields: Mapping[str, str], keys: KeyPair = ALIPAY_KEYS) -> bytes:
    """``fields`` with their signature, as the body of a POST."""
    covered = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name])
    whole = {**fields, "sign_type": "RSA2", "sign": sign(covered.encode(), keys)}
    return "&".join(
        f"{quote_plus(name)}={quote_plus(text)}" for name, text in whole.items()
    ).encode()


@dataclass
class Gateway:
    """Answers `alipay.trade.query` with what the test says, signed; else "no such trade"."""

    trades: dict[str, dict[str, str]] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/gateway.do", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        asked = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        } | dict(request.query_params)
        number = json.loads(asked["biz_content"])["out_trade_no"]
        self.questions.append(number)
        absent = {
            "code": "40004",
            "msg": "Business Failed",
            "sub_code": "ACQ.TRADE_NOT_EXIST",
            "sub_msg": "交易不存在",
        }
        trade = self.trades.get(number)
        content = absent if trade is None else {"code": "10000", "msg": "Success", **trade}
        text = json.dumps(content, ensure_ascii=False)
        node = asked["method"].replace(".", "_") + "_response"
        return Response(
            f'{{"{node}":{text},"sign":"{sign(text.encode())}"}}',
            media_type="application/json",
        )


@dataclass
class SignedWorld:
    """The service over HTTP, and its Alipay in the test's hand."""

    context: Context
    api: httpx2.Client
    stranger: httpx2.Client
    gateway: Gateway

    def create(self, out_trade_no: str, **wanted: object) -> dict[str, Any]:
        """Creates an order of 88.88 yuan, unless ``wanted`` says otherwise."""
        body = {"out_trade_no": out_trade_no, "amount": "88.88", "subject": "Tea", **wanted}
        answer = self.api.post("/v1/orders", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def notify(self, body: bytes, *, content_type: str = FORM) -> httpx2.Response:
        """Posts ``body`` as Alipay would."""
        return self.stranger.post(
            f"/alipay/notify/{SLUG}", content=body, headers={"Content-Type": content_type}
        )

    def tell(self, fields: Mapping[str, str]) -> None:
        """Posts a signed notification, which is acknowledged."""
        answer = self.notify(signed(fields))
        assert (answer.status_code, answer.content) == (200, b"success")

    def pass_time(self, seconds: float = 0) -> None:
        """Pushes the clock; everything that became due has run afterwards."""
        answer = self.stranger.post("/_control/clock", json={"advance_seconds": seconds})
        assert answer.status_code == 200, answer.text

    def order(self, out_trade_no: str) -> dict[str, Any]:
        return self.api.get(f"/v1/orders/{out_trade_no}").json()

    def story(self, out_trade_no: str, kind: str) -> list[dict[str, Any]]:
        """The entries of one kind of an order's story."""
        story = self.api.get(f"/v1/orders/{out_trade_no}/story").json()
        return [entry for entry in story["entries"] if entry["kind"] == kind]

    def events(self) -> list[tuple[str, str | None]]:
        """Type and order number of every event there is, in order."""
        with self.context.database.read() as tx:
            events = list_events_of_merchant(tx, 1, after_number=0, types=(), rows_max=10_000)
        return [(event.type, _number_in(event.data)) for event in events]

    def refused(self) -> tuple[int, int]:
        """How many bodies were refused, and how many of them are kept."""
        with self.context.database.read() as tx:
            kept = tx.execute(refused_notifications.select()).all()
            return sum(count_refused(tx, 1).values()), len(kept)


def _number_in(data: Mapping[str, Any]) -> str | None:
    told = data.get("order") or data.get("surprise") or {"out_trade_no": None}
    number = told["out_trade_no"]
    return None if number is None else str(number)


@contextmanager
def signed_world(data_dir: Path, **chosen: object) -> Generator[SignedWorld]:
    """A service in ``data_dir`` with one merchant, and its gateway; ``chosen`` are settings."""
    gateway = Gateway()
    gateway_server = Server(gateway.app(), free_port())
    port = free_port()
    settings = load_settings(
        {},
        data_dir=data_dir,
        database_url=database_url(data_dir),
        clock="manual",
        environments=("emulator",),
        public_url=f"http://127.0.0.1:{port}",
        **chosen,
    )
    context = create_context(settings, ManualClock(START))
    upgrade(context.database)
    app = new_app(gateway_url=f"{gateway_server.base_url}/gateway.do")
    key = register(context, app, seller_id=SELLER_ID, slug=SLUG)
    limits = httpx2.Limits(max_connections=100)
    own = {"Authorization": f"Bearer {key}"}
    with (
        gateway_server,
        Server(Service(context).web(), port) as server,
        httpx2.Client(base_url=server.base_url, headers=own, trust_env=False, verify=False) as api,
        httpx2.Client(
            base_url=server.base_url, trust_env=False, verify=False, limits=limits, timeout=60
        ) as stranger,
    ):
        yield SignedWorld(context, api, stranger, gateway)
        check_books(context.database)
