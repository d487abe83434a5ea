"""Transfers: money that a merchant sends, to accounts at once and to bank cards through a bank.

It works under the lock of the desk that owns it. A frozen record for each, replaced as a whole when it
changes; each change of one to a card is told to the app's gateway.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from daozhang.clock import BEIJING, business_day, to_beijing_text
from daozhang.emulator import wire
from daozhang.emulator.accounts import Business
from daozhang.emulator.ledger import Declined
from daozhang.emulator.notices import Occasion, message_fields
from daozhang.money import Money

if TYPE_CHECKING:
    from daozhang.emulator.announcing import Announcer
    from daozhang.emulator.desk import Desk

ORDER_CHANGED: Final = "alipay.fund.trans.order.changed"
BANK_CARD: Final = "BANKCARD_ACCOUNT"
AMOUNT_MIN: Final = Money(10)

_USER: Final = re.compile(r"2088[0-9]{12}", re.ASCII)
_CARD: Final = re.compile(r"[0-9]{12,30}", re.ASCII)
_LOGON: Final = re.compile(r"1[0-9]{10}|[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)
_NOBODY: Final = "404"
"""A payee whose identity ends so does not exist."""
_WRONG: Final = "错"
"""A name with this character in it is not the payee's."""


class TransferStatus(StrEnum):
    """Alipay's own words."""

    SUCCESS = "SUCCESS"
    DEALING = "DEALING"
    FAIL = "FAIL"
    REFUND = "REFUND"


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What a merchant asks to be sent."""

    app_id: str
    seller_id: str
    out_biz_no: str
    product_code: str
    biz_scene: str
    amount: Money
    identity: str
    identity_type: str
    name: str = ""
    title: str = ""
    remark: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What names a transfer: the seller and the seller's own number."""
        return self.seller_id, self.out_biz_no

    @property
    def to_card(self) -> bool:
        """Whether a bank has a say in it."""
        return self.identity_type == BANK_CARD


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer, as it is now."""

    request: TransferRequest
    order_id: str
    fund_order_id: str
    created_at: datetime
    status: TransferStatus
    arrives_at: datetime | None = None
    paid_at: datetime | None = None
    error_code: str = ""
    fail_reason: str = ""

    @property
    def number(self) -> str:
        """The merchant's own number."""
        return self.request.out_biz_no


class TransferDesk:
    """All transfers and their verbs. Every method is safe for threads."""

    def __init__(self, desk: Desk, announcer: Announcer) -> None:
        self._desk = desk
        self._announcer = announcer
        self._transfers: dict[tuple[str, str], Transfer] = {}

    # ---- what there is

    def all(self) -> list[Transfer]:
        """Every transfer, oldest first."""
        with self._desk.lock:
            self.let_time_pass()
            return list(self._transfers.values())

    def find(self, seller_id: str, *, out_biz_no: str = "", order_id: str = "") -> Transfer:
        """The seller's transfer, by either number; Alipay's wins. Raises `Declined`."""
        for transfer in self.all():
            own = {transfer.order_id, transfer.fund_order_id} if order_id else {transfer.number}
            if transfer.request.seller_id == seller_id and (order_id or out_biz_no) in own:
                return transfer
        raise Declined("ORDER_NOT_EXIST")

    def numbered(self, number: str, app_id: str | None = None) -> Transfer:
        """The transfer of that number. Raises `Declined`."""
        named = [t for t in self.all() if t.number == number and app_id in (None, t.request.app_id)]
        if not named:
            raise Declined("ORDER_NOT_EXIST")
        return named[-1]

    def clear(self) -> None:
        """Forgets every transfer."""
        self._transfers.clear()

    # ---- sending

    def send(self, request: TransferRequest) -> Transfer:
        """Sends it; the same number with the same content is the same transfer. Raises `Declined`."""
        with self._desk.lock:
            self.let_time_pass()
            known = self._transfers.get(request.key)
            if known is not None:
                if known.request != request:
                    raise Declined("PAYMENT_INFO_INCONSISTENCY")
                return known
            self._require_payee(request)
            self._require_limits(request)
            return self._send(request)

    def _send(self, request: TransferRequest) -> Transfer:
        now = self._desk.now()
        switches = self._desk.switches(request.app_id)
        transfer = Transfer(request, _number(now), _number(now), now, TransferStatus.SUCCESS)
        if request.to_card:
            wait = timedelta(seconds=switches.card_transfer_seconds)
            transfer = replace(transfer, status=TransferStatus.DEALING, arrives_at=now + wait)
        else:
            transfer = replace(transfer, paid_at=now)
        self._move(transfer, -request.amount, Business.TRANSFER, "PAYER_BALANCE_NOT_ENOUGH")
        if _USER.fullmatch(request.identity):
            self._desk.accounts.move(
                request.identity,
                request.amount,
                business=Business.TRANSFER,
                at=now,
                trade_no=transfer.order_id,
                subject=request.title,
                other_account=request.seller_id,
                memo=request.remark,
            )
        self._keep(transfer)
        if not request.to_card and switches.transfer_notified:
            self._announce(transfer)
        return transfer

    def _require_payee(self, request: TransferRequest) -> None:
        if request.identity == request.seller_id:
            raise Declined("PAYER_PAYEE_CANNOT_SAME")
        shapes = {"ALIPAY_USER_ID": _USER, "ALIPAY_LOGON_ID": _LOGON, BANK_CARD: _CARD}
        shape = shapes.get(request.identity_type)
        fits = shape is None or shape.fullmatch(request.identity) is not None
        if request.to_card and not fits:
            raise Declined("CARD_BIN_ERROR")
        if not fits or request.identity.endswith(_NOBODY):
            raise Declined("PAYEE_NOT_EXIST")
        if _WRONG in request.name:
            raise Declined("PAYEE_USER_INFO_ERROR")

    def _require_limits(self, request: TransferRequest) -> None:
        switches = self._desk.switches(request.app_id)
        if request.amount < AMOUNT_MIN:
            raise Declined("EXCEED_LIMIT_SM_MIN_AMOUNT")
        if request.amount > Money.parse(switches.transfer_single_max):
            raise Declined("EXCEED_LIMIT_SM_AMOUNT")
        today = business_day(self._desk.now())
        sent = Money.total(
            one.request.amount
            for one in self._transfers.values()
            if one.request.seller_id == request.seller_id and business_day(one.created_at) == today
        )
        if sent + request.amount > Money.parse(switches.transfer_daily_max):
            raise Declined("EXCEED_LIMIT_DM_AMOUNT")

    # ---- what banks do

    def arrive(self, transfer: Transfer) -> Transfer:
        """The bank has taken it. Raises `Declined` unless it was on its way."""
        with self._desk.lock:
            return self._arrive(self._fresh(transfer, TransferStatus.DEALING))

    def fail(self, transfer: Transfer, code: str, reason: str) -> Transfer:
        """The bank did not take it: the money comes back. Raises `Declined`."""
        with self._desk.lock:
            dealing = self._fresh(transfer, TransferStatus.DEALING)
            return self._take_back(dealing, TransferStatus.FAIL, code, reason)

    def send_back(self, transfer: Transfer, code: str, reason: str) -> Transfer:
        """The bank has sent back what it had taken. Raises `Declined`."""
        with self._desk.lock:
            arrived = self._fresh(transfer, TransferStatus.SUCCESS)
            if not arrived.request.to_card:
                raise Declined("ORDER_STATUS_INVALID", "only a bank sends money back")
            return self._take_back(arrived, TransferStatus.REFUND, code, reason)

    def _take_back(
        self, transfer: Transfer, status: TransferStatus, code: str, reason: str
    ) -> Transfer:
        self._move(transfer, transfer.request.amount, Business.TRANSFER_RETURN)
        changed = replace(transfer, status=status, error_code=code, fail_reason=reason)
        self._keep(changed)
        self._announce(changed)
        return changed

    def _arrive(self, transfer: Transfer) -> Transfer:
        arrived = replace(
            transfer, status=TransferStatus.SUCCESS, paid_at=self._desk.now(), arrives_at=None
        )
        self._keep(arrived)
        self._announce(arrived)
        return arrived

    # ---- time

    def next_turn(self) -> datetime | None:
        """When a bank takes the next one by itself."""
        waiting = (one.arrives_at for one in self._transfers.values() if one.arrives_at)
        return min(waiting, default=None)

    def let_time_pass(self) -> None:
        """Banks take what they had to consider."""
        now = self._desk.now()
        for one in list(self._transfers.values()):
            dealing = one.status is TransferStatus.DEALING
            if dealing and one.arrives_at is not None and one.arrives_at <= now:
                self._arrive(one)

    # ---- telling

    def _announce(self, transfer: Transfer) -> None:
        app_id = transfer.request.app_id
        content = wire.compact_json(message_content(transfer))
        self._announcer.queue(
            app_id=app_id,
            number=transfer.number,
            occasion=Occasion.MESSAGE,
            url=self._desk.switches(app_id).gateway_url,
            fields=message_fields(app_id, ORDER_CHANGED, content, self._desk.now()),
        )

    def _move(
        self, transfer: Transfer, amount: Money, business: Business, declines_with: str = ""
    ) -> None:
        request = transfer.request
        self._desk.accounts.move(
            request.seller_id,
            amount,
            business=business,
            at=self._desk.now(),
            trade_no=transfer.order_id,
            out_trade_no=request.out_biz_no,
            subject=request.title,
            other_account=request.name or request.identity[-4:],
            memo=request.remark,
            declines_with=declines_with,
        )

    def _keep(self, transfer: Transfer) -> None:
        self._transfers[transfer.request.key] = transfer

    def _fresh(self, transfer: Transfer, status: TransferStatus) -> Transfer:
        self.let_time_pass()
        fresh = self._transfers[transfer.request.key]
        if fresh.status is not status:
            raise Declined("ORDER_STATUS_INVALID", f"it is {fresh.status.value}")
        return fresh


def message_content(transfer: Transfer) -> dict[str, Any]:
    """What a message says of a transfer (apis.md §6.4)."""
    request = transfer.request
    content = {
        "out_biz_no": request.out_biz_no,
        "order_id": transfer.order_id,
        "pay_fund_order_id": transfer.fund_order_id,
        "product_code": request.product_code,
        "biz_scene": request.biz_scene,
        "status": transfer.status.value,
        "trans_amount": str(request.amount),
        "pay_date": to_beijing_text(transfer.paid_at) if transfer.paid_at else "",
        "action_type": "FINISH",
        "origin_interface": "alipay.fund.trans.uni.transfer",
        "error_code": transfer.error_code,
        "fail_reason": transfer.fail_reason,
    }
    return {name: text for name, text in content.items() if text}


def _number(now: datetime) -> str:
    day = f"{now.astimezone(BEIJING):%Y%m%d}"
    return f"{day}1100{secrets.randbelow(10**20):020d}"
