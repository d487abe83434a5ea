"""Receipts: what Alipay writes of a movement, a day or a month, as a PDF that is asked for and fetched."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daozhang.clock import BEIJING, business_day, to_beijing_text
from daozhang.emulator.accounts import Movement
from daozhang.emulator.ledger import Declined
from daozhang.emulator.pages import expired_page
from daozhang.emulator.pdf import pdf
from daozhang.money import Money

if TYPE_CHECKING:
    from daozhang.emulator.desk import Desk

RECEIPT_LIFE: Final = timedelta(days=2)
ADDRESS_LIFE: Final = timedelta(seconds=30)
_FLOW_DAYS_LENGTH: Final = 17


@dataclass(frozen=True, slots=True)
class Receipt:
    """One that was asked for."""

    file_id: str
    seller_id: str
    kind: str
    key: str
    asked_at: datetime
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """Where a receipt stands."""

    status: str
    path: str = ""
    problem: str = ""


class Receipts:
    """All of them. Every method is safe for threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._receipts: dict[str, Receipt] = {}
        self._addresses: dict[str, tuple[Receipt, datetime]] = {}

    def clear(self) -> None:
        """Forgets every receipt."""
        self._receipts.clear()
        self._addresses.clear()

    def apply(self, seller_id: str, app_id: str, kind: str, key: str) -> str:
        """The number of the receipt; that of the living one, where it was asked for before."""
        with self._desk.lock:
            now = self._desk.now()
            for receipt in self._receipts.values():
                own = receipt.seller_id, receipt.kind, receipt.key
                if own == (seller_id, kind, key) and now < receipt.asked_at + RECEIPT_LIFE:
                    return receipt.file_id
            wait = timedelta(seconds=self._desk.switches(app_id).receipt_seconds)
            file_id = secrets.token_hex(16)
            self._receipts[file_id] = Receipt(file_id, seller_id, kind, key, now, now + wait)
            return file_id

    def query(self, seller_id: str, file_id: str) -> Told:
        """Where it stands, with a new address once it is made. Raises `Declined`."""
        with self._desk.lock:
            now = self._desk.now()
            receipt = self._receipts.get(file_id)
            if receipt is None or receipt.seller_id != seller_id:
                raise Declined("INVALID_PARAMETER", "file_id不存在 (no such receipt)")
            if now >= receipt.asked_at + RECEIPT_LIFE:
                raise Declined("BIZ_ERROR", "file_id已过期 (older than two days)")
            if now < receipt.ready_at:
                half = receipt.asked_at + (receipt.ready_at - receipt.asked_at) / 2
                return Told("INIT" if now < half else "PROCESS")
            if not self._movements(receipt):
                return Told("FAIL", problem="无对应的账务数据 (there is nothing of that key)")
            token = secrets.token_hex(16)
            self._addresses[token] = receipt, now + ADDRESS_LIFE
            return Told("SUCCESS", f"/ereceipt/{token}.pdf")

    def routes(self) -> list[Route]:
        """Where a receipt is fetched."""
        return [Route("/ereceipt/{token}.pdf", self._download)]

    async def _download(self, request: Request) -> Response:
        content = await asyncio.to_thread(self._file, request.path_params["token"])
        return (
            expired_page() if content is None else Response(content, media_type="application/pdf")
        )

    def _file(self, token: str) -> bytes | None:
        """The PDF behind an address, while that lives."""
        with self._desk.lock:
            receipt, until = self._addresses.get(token, (None, None))
            if receipt is None or until is None or until <= self._desk.now():
                return None
            movements = self._movements(receipt)
            return pdf(_lines(receipt, movements))

    def _movements(self, receipt: Receipt) -> list[Movement]:
        """What the receipt is of; nothing where its key names nothing."""
        accounts, seller_id = self._desk.accounts, receipt.seller_id
        accounts.let_time_pass(self._desk.now())
        if receipt.kind == "ACCOUNT_LOG_DETAIL":
            found = accounts.of_log_id(seller_id, receipt.key)
            return [found] if found is not None and found.is_listed else []
        if receipt.kind == "FUND_DETAIL":
            moved = accounts.of_number(seller_id, receipt.key)
            return [movement for movement in moved if movement.is_listed]
        days = _days(receipt)
        if days is None:
            return []
        since, until = (datetime.combine(day, datetime.min.time(), BEIJING) for day in days)
        return [m for m in accounts.movements(seller_id, since, until) if m.is_listed]


def _days(receipt: Receipt) -> tuple[date, date] | None:
    """From which day to before which, if the key says so and they are over."""
    key = receipt.key
    try:
        if receipt.kind == "ACCOUNT_LOG_SUM_MONTHLY":
            since = date.fromisoformat(f"{key}-01")
            until = (since + timedelta(days=31)).replace(day=1)
        elif receipt.kind == "ACCOUNT_LOG_SUM_DAILY":
            since = date.fromisoformat(key)
            until = since + timedelta(days=1)
        elif len(key) == _FLOW_DAYS_LENGTH:
            first, _, last = key.partition("-")
            since, until = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return (since, until) if since < until <= business_day(receipt.ready_at) else None


def _lines(receipt: Receipt, movements: list[Movement]) -> list[str]:
    come = Money.total(m.amount for m in movements if m.amount > Money(0))
    gone = Money.total(m.amount for m in movements if m.amount < Money(0))
    lines = [
        "支付宝电子回单 (emulator: no money has moved)",
        f"账号: {receipt.seller_id}0156",
        f"类型: {receipt.kind}  {receipt.key}",
        f"收入: {come} 元   支出: {gone} 元",
        "",
    ]
    if "_SUM_" not in receipt.kind:
        lines += [
            f"{to_beijing_text(m.at)}  {m.log_id}  {m.business}  {m.amount}  {m.out_trade_no}"
            for m in movements
        ]
    return lines
