"""Where bills are asked for and fetched: when there is one, and the address that lives 30 seconds."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daozhang.clock import business_day
from daozhang.emulator.bills import Span, day_start, span_of
from daozhang.emulator.desk import Desk
from daozhang.emulator.ledger import Declined
from daozhang.emulator.oddities import OddityName
from daozhang.emulator.pages import expired_page

ADDRESS_LIFE: Final = timedelta(seconds=30)
READY_AT: Final = timedelta(hours=9)
LATE_AT: Final = timedelta(hours=11)
MONTH_READY_DAY: Final = 3
REACHES_BACK: Final = timedelta(days=6 * 366)
TYPES: Final = ("trade", "signcustomer")
ADDRESSES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class _Address:
    seller_id: str
    bill_type: str
    span: Span
    until: datetime


class BillOffice:
    """Hands out addresses of bills, and the bills behind them."""

    def __init__(self, desk: Desk, base_url: str) -> None:
        self._desk = desk
        self._base_url = base_url
        self._addresses: dict[str, _Address] = {}

    def routes(self) -> list[Route]:
        """Where a bill is fetched."""
        return [Route("/downloadBillFile.resource", self._download, methods=["GET"])]

    def address(
        self, app_id: str, seller_id: str, bill_type: str, bill_date: str
    ) -> tuple[str, bool]:
        """An address that lives 30 seconds, and whether the bill is empty. Raises `Declined`."""
        if bill_type not in TYPES:
            raise Declined("TYPE_NOT_SUPPORTED", bill_type[:40])
        try:
            span = span_of(bill_date)
        except ValueError:
            raise Declined("INVAILID_ARGUMENTS", f"bill_date {bill_date[:40]!r}") from None
        now = self._desk.now()
        today = business_day(now)
        if span.first + REACHES_BACK < today:
            raise Declined("INVAILID_ARGUMENTS", "bill_date is more than six years ago")
        switches = self._desk.switches(app_id)
        if f"{span.last}" < switches.registered_on:
            raise Declined("BILL_DATE_BEFORE_REGISTRATION")
        if now < self._ready_at(seller_id, bill_type, span):
            raise Declined("BILL_NOT_EXIST")
        empty = self._desk.account.bill_is_empty(seller_id, bill_type, span)
        if empty and not switches.empty_bill_has_file:
            raise Declined("NO_BILL_DATA")
        return self._hand_out(_Address(seller_id, bill_type, span, now + ADDRESS_LIFE)), empty

    def _ready_at(self, seller_id: str, bill_type: str, span: Span) -> datetime:
        after = span.last + timedelta(days=1)
        if span.days > 1:
            return day_start(after + timedelta(days=MONTH_READY_DAY - 1)) + READY_AT
        oddities = self._desk.account.oddities.of(seller_id, bill_type, span.first)
        late = any(one.name is OddityName.LATE_BILL for one in oddities)
        return day_start(after) + (LATE_AT if late else READY_AT)

    def _hand_out(self, address: _Address) -> str:
        token = secrets.token_hex(16)
        while len(self._addresses) >= ADDRESSES_MAX:
            del self._addresses[next(iter(self._addresses))]
        self._addresses[token] = address
        account = f"{address.seller_id}0156"
        name = f"{account}_{address.span.name}.csv.zip"
        return (
            f"{self._base_url}/downloadBillFile.resource?bizType={address.bill_type}&userId={account}"
            f"&fileType=csv.zip&bizDates={address.span.name}&downloadFileName={name}&token={token}"
        )

    async def _download(self, request: Request) -> Response:
        address = self._addresses.get(request.query_params.get("token", ""))
        if address is None or self._desk.now() >= address.until:
            return expired_page()
        # A large day takes a second or two, in which others have to be answered.
        content = await asyncio.to_thread(
            self._desk.account.bill, address.seller_id, address.bill_type, address.span
        )
        name = request.query_params.get("downloadFileName", "bill.csv.zip")[:100]
        headers = (
            {"Content-Disposition": f'attachment; filename="{name}"'} if name.isascii() else {}
        )
        return Response(content, media_type="application/zip", headers=headers)
