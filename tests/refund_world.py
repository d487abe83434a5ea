"""A shop whose Alipay the test plays: the gateway's weather, its ledger, and its rules.

The service is real, over HTTP, with its own queue and clock; only the road to Alipay is the
test's (an httpx2 transport). The gateway also holds the service to the rules of money.md §5:
what may be sent, when, and that nothing is sent again in doubt.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2

from books import check_books
from daozhang.app import Service, create_context
from daozhang.clock import ManualClock
from daozhang.money import Money
from daozhang.service.migrations import upgrade
from daozhang.service.orders.surprises import list_surprises
from daozhang.service.outbox.store import list_events_of_order
from daozhang.service.settings import load_settings
from databases import database_url
from deployment import SELLER_ID, new_app
from ports import free_port
from signed_world import FORM, paid, sign, signed
from worlds import START, Server, find_order, register

TOTAL = Money.parse("10.00")


class Weather(StrEnum):
    """What becomes of one refund call."""

    FINE = "fine"
    LOST = "lost"  # never arrives; we see a timeout
    LATE_ANSWER = "late answer"  # moves the money; we see a timeout
    LATE_ARRIVAL = "late arrival"  # we see a timeout; it moves the money five seconds later
    BUSY = "busy"  # 20000, and nothing moves
    BUSY_YET_DONE = "busy yet done"  # 20000, and the money moves
    UNSIGNED = "unsigned"  # moves the money; the answer cannot be verified
    NO_PROOF = "no proof"  # moves the money; answers 10000 with fund_change=N
    REFUSED = "refused"  # a definite no
    POOR = "poor"  # SELLER_BALANCE_NOT_ENOUGH


DOUBTFUL = frozenset(Weather) - {Weather.FINE, Weather.REFUSED, Weather.POOR}


@dataclass
class Gateway:
    """Alipay's side of refunds: a ledger by trade and number, and the weather of each call."""

    clock: ManualClock
    weather: list[Weather] = field(default_factory=list)
    questions_lost: int = 0
    calls: list[tuple[datetime, str, str]] = field(default_factory=list)
    broken_rules: list[str] = field(default_factory=list)
    heard: list[tuple[float, str]] = field(default_factory=list)  # monotonic seconds, App
    hanging: dict[str, threading.Event] = field(default_factory=dict)  # by App, until it is set
    _ledger: dict[str, dict[str, Money]] = field(default_factory=dict)
    _arriving: list[tuple[datetime, str, str, Money]] = field(default_factory=list)
    _in_doubt: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _last_sent: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        asked = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        asked |= dict(request.url.params)
        content = json.loads(asked["biz_content"])
        self.heard.append((time.monotonic(), asked["app_id"]))
        if asked["app_id"] in self.hanging:
            self.hanging[asked["app_id"]].wait(60)
        with self._lock:
            self._let_arrive()
            if asked["method"] == "alipay.trade.refund":
                return self._refund(asked["method"], content)
            if asked["method"] == "alipay.trade.fastpay.refund.query":
                return self._query(asked["method"], content)
            return _answer(asked["method"], {"code": "20000", "msg": "busy"})

    def refunded(self, trade: str) -> dict[str, Money]:
        """What has gone back of a trade, by request number."""
        with self._lock:
            self._let_arrive()
            return dict(self._ledger.get(trade, {}))

    def _refund(self, method: str, content: dict[str, Any]) -> httpx2.Response:
        trade, number = content["out_trade_no"], content["out_request_no"]
        amount, now = Money.parse(content["refund_amount"]), self.clock.now()
        self.calls.append((now, trade, number))
        if (trade, number) in self._in_doubt:
            self.broken_rules.append(f"{number} sent again in doubt")
        if now - self._last_sent.get(trade, START - timedelta(days=1)) < timedelta(seconds=3):
            self.broken_rules.append(f"{number} sent within 3 s of another")
        self._last_sent[trade] = now
        weather = self.weather.pop(0) if self.weather else Weather.FINE
        if weather in DOUBTFUL:
            self._in_doubt[trade, number] = now
        if weather is Weather.LOST:
            raise httpx2.ConnectTimeout("lost")
        if weather is Weather.LATE_ARRIVAL:
            self._arriving.append((now + timedelta(seconds=5), trade, number, amount))
            raise httpx2.ReadTimeout("slow")
        if weather is Weather.BUSY:
            return _answer(method, {"code": "20000", "msg": "Service Currently Unavailable"})
        if weather in (Weather.REFUSED, Weather.POOR):
            reason = "TRADE_NOT_ALLOW_REFUND" if weather is Weather.REFUSED else NO_BALANCE
            return _answer(method, _no(reason))
        is_new = number not in self._ledger.get(trade, {})
        if not self._move(trade, number, amount):
            return _answer(method, _no("REASON_TRADE_REFUND_FEE_ERR"))
        return self._moved(method, trade, weather, is_new=is_new)

    def _moved(self, method: str, trade: str, weather: Weather, *, is_new: bool) -> httpx2.Response:
        if weather is Weather.LATE_ANSWER:
            raise httpx2.ReadTimeout("slow")
        if weather is Weather.BUSY_YET_DONE:
            return _answer(method, {"code": "20000", "msg": "Service Currently Unavailable"})
        changed = "Y" if is_new and weather is not Weather.NO_PROOF else "N"
        content = {
            "code": "10000",
            "msg": "Success",
            "out_trade_no": trade,
            "fund_change": changed,
            "refund_fee": str(Money.total(self._ledger[trade].values())),
        }
        return _answer(method, content, is_signed=weather is not Weather.UNSIGNED)

    def _query(self, method: str, content: dict[str, Any]) -> httpx2.Response:
        trade, number = content["out_trade_no"], content["out_request_no"]
        doubted_at = self._in_doubt.get((trade, number))
        if doubted_at and self.clock.now() - doubted_at < timedelta(seconds=10):
            self.broken_rules.append(f"{number} asked about within 10 s")
        if self.questions_lost:
            self.questions_lost -= 1
            raise httpx2.ReadTimeout("slow")
        self._in_doubt.pop((trade, number), None)
        amount = self._ledger.get(trade, {}).get(number)
        if amount is None:
            return _answer(method, {"code": "10000", "msg": "Success"})
        found = {"out_trade_no": trade, "out_request_no": number, "refund_amount": str(amount)}
        proof = {"code": "10000", "msg": "Success", "refund_status": "REFUND_SUCCESS", **found}
        return _answer(method, proof)

    def _let_arrive(self) -> None:
        due = [late for late in self._arriving if late[0] <= self.clock.now()]
        self._arriving = [late for late in self._arriving if late not in due]
        for _, trade, number, amount in due:
            self._move(trade, number, amount)

    def _move(self, trade: str, number: str, amount: Money) -> bool:
        gone = self._ledger.setdefault(trade, {})
        if number not in gone and Money.total(gone.values()) + amount > TOTAL:
            return False
        return gone.setdefault(number, amount) == amount


NO_BALANCE = "SELLER_BALANCE_NOT_ENOUGH"


def _no(sub_code: str) -> dict[str, str]:
    return {
        "code": "40004",
        "msg": "Business Failed",
        "sub_code": f"ACQ.{sub_code}",
        "sub_msg": "不予退款",
    }


def _answer(method: str, content: dict[str, str], *, is_signed: bool = True) -> httpx2.Response:
    text = json.dumps(content, ensure_ascii=False)
    node = method.replace(".", "_") + "_response"
    seal = f',"sign":"{sign(text.encode())}"' if is_signed else ""
    return httpx2.Response(200, content=f'{{"{node}":{text}{seal}}}'.encode())


@dataclass
class Shop:
    """A merchant, its service over HTTP, and its Alipay in the test's hand."""

    service: Service
    api: httpx2.Client
    gateway: Gateway
    clock: ManualClock
    _orders: int = 0

    def paid_order(self) -> str:
        """The number of a new order that is paid."""
        self._orders += 1
        number = f"T{self._orders:05d}"
        body = {"out_trade_no": number, "amount": str(TOTAL), "subject": "Tea"}
        assert self.api.post("/v1/orders", json=body).status_code == 201
        self.tell(number)
        self.pass_time(0)
        assert self.order(number)["status"] == "paid"
        return number

    def tell(self, number: str, **changes: str | None) -> None:
        """A signed notification about the order, by default of its payment."""
        amounts = {"total_amount": str(TOTAL), "receipt_amount": str(TOTAL)}
        body = signed(paid(number, **{**amounts, **changes}))
        headers = {"Content-Type": FORM}
        answer = self.api.post("/alipay/notify/shop", content=body, headers=headers)
        assert answer.content == b"success"

    def tell_refund(self, number: str, out_request_no: str, total: Money) -> None:
        """The notice of a refund, with the running total that Alipay puts into it."""
        whole = total == TOTAL
        self.tell(
            number,
            notify_id=f"{number}{out_request_no}{total.minor}",
            trade_status="TRADE_CLOSED" if whole else "TRADE_SUCCESS",
            refund_fee=str(total),
            out_biz_no=out_request_no,
            receipt_amount=None,
            buyer_pay_amount=None,
        )

    def refund(self, number: str, amount: Money, out_request_no: str) -> httpx2.Response:
        body = {"amount": str(amount), "out_request_no": out_request_no}
        return self.api.post(f"/v1/orders/{number}/refunds", json=body)

    def refunds(self, number: str) -> list[dict[str, Any]]:
        return self.api.get(f"/v1/orders/{number}/refunds").json()["data"]

    def the_refund(self, number: str) -> dict[str, Any]:
        (refund,) = self.refunds(number)
        return refund

    def order(self, number: str) -> dict[str, Any]:
        return self.api.get(f"/v1/orders/{number}").json()

    def events(self, number: str) -> list[str]:
        with self.service.context.database.read() as tx:
            return [event.type for event in list_events_of_order(tx, find_order(tx, number))]

    def surprises(self, number: str) -> list[str]:
        with self.service.context.database.read() as tx:
            return [found.reason for found in list_surprises(tx, 1, find_order(tx, number))]

    def pass_time(self, seconds: float) -> None:
        """Pushes the clock, stopping wherever something is due."""
        self.service.worker.advance(self.clock, seconds)


@contextmanager
def open_shop(
    data_dir: Path, *, settings: Mapping[str, Any] | None = None, **policies: Any
) -> Generator[Shop]:
    """A shop of its own; ``settings`` are the service's, ``policies`` the merchant's."""
    clock = ManualClock(START)
    gateway = Gateway(clock)
    port = free_port()
    chosen = load_settings(
        {},
        data_dir=data_dir,
        database_url=database_url(data_dir),
        clock="manual",
        environments=("emulator",),
        public_url=f"http://127.0.0.1:{port}",
        **(settings or {}),
    )
    context = create_context(chosen, clock)
    upgrade(context.database)
    key = register(context, new_app(), seller_id=SELLER_ID, **policies)
    service = Service(context, transport=httpx2.MockTransport(gateway))
    own = {"Authorization": f"Bearer {key}"}
    with (
        Server(service.web(), port) as server,
        httpx2.Client(
            base_url=server.base_url, headers=own, trust_env=False, verify=False, timeout=60
        ) as api,
    ):
        yield Shop(service, api, gateway, clock)
        check_books(context.database)
