"""The ledger: trades, refunds and how they move, as docs/reference/emulator.md says.

No HTTP, no signatures, no clock of its own: every verb is told the moment, and answers with the
changed `Trade` or raises `Declined` with Alipay's sub code. Trades are frozen records in one
dictionary, replaced as a whole when they change, so that keeping them on disk would be one place.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from daozhang.clock import BEIJING
from daozhang.money import Money

if TYPE_CHECKING:
    from daozhang.emulator.agreements import AgreementRequest

CANCEL_WINDOW: Final = timedelta(hours=24)


class TradeStatus(StrEnum):
    """Alipay's own four words."""

    WAIT_BUYER_PAY = "WAIT_BUYER_PAY"
    TRADE_SUCCESS = "TRADE_SUCCESS"
    TRADE_CLOSED = "TRADE_CLOSED"
    TRADE_FINISHED = "TRADE_FINISHED"


class Product(StrEnum):
    """How the buyer pays; decides which notifications Alipay sends by default."""

    PAGE = "page"
    WAP = "wap"
    APP = "app"
    QR = "qr"
    BARCODE = "barcode"
    MINI = "mini"
    AGREEMENT = "agreement"
    HOLD = "hold"


class Channel(StrEnum):
    """What the buyer pays with."""

    BALANCE = "balance"
    BANK_CARD = "bank_card"
    CREDIT_CARD = "credit_card"
    HUABEI = "huabei"


class RefundOrigin(StrEnum):
    """Who started a refund: the API, the merchant centre, or a cancelled trade."""

    API = "api"
    CENTRE = "centre"
    CANCEL = "cancel"


FUND_CHANNELS: Final[dict[Channel, tuple[str, str | None]]] = {
    Channel.BALANCE: ("ALIPAYACCOUNT", None),
    Channel.BANK_CARD: ("BANKCARD", "DEBIT_CARD"),
    Channel.CREDIT_CARD: ("BANKCARD", "CREDIT_CARD"),
    Channel.HUABEI: ("PCREDIT", None),
}

PAY_CHANNELS: Final[dict[Channel, frozenset[str]]] = {
    Channel.BALANCE: frozenset({"balance"}),
    Channel.BANK_CARD: frozenset({"debitCardExpress", "bankPay"}),
    Channel.CREDIT_CARD: frozenset({"creditCard", "creditCardExpress", "credit_group"}),
    Channel.HUABEI: frozenset({"pcredit", "pcreditpayInstallment", "credit_group"}),
}
"""By which names merchants enable and disable them."""


class Declined(Exception):
    """A definite no of the business, with its ``ACQ.`` sub code."""

    def __init__(self, sub_code: str, detail: str = "") -> None:
        super().__init__(f"{sub_code} {detail}".strip())
        self.sub_code = sub_code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What a merchant signed: the terms of a payment, and where to tell of it."""

    app_id: str
    auth_app_id: str
    seller_id: str
    out_trade_no: str
    total: Money
    subject: str
    product: Product
    method: str
    expires_at: datetime
    body: str = ""
    passback_params: str = ""
    notify_url: str = ""
    return_url: str = ""
    quit_url: str = ""
    store_id: str = ""
    terminal_id: str = ""
    operator_id: str = ""
    royalty_freeze: bool = False
    """What is paid stays frozen until it was shared."""
    channels: tuple[Channel, ...] = tuple(Channel)
    instalments: int = 0
    signs: AgreementRequest | None = None
    """What the buyer signs by paying."""
    qr_mode: str = ""
    """How a page shows itself (``qr_pay_mode``), and in mode 4 how wide its code is."""
    qr_width: int = 0
    buyer_id: str = ""
    buyer_open_id: str = ""
    charset: str = "utf-8"
    sign_type: str = "RSA2"
    version: str = "1.0"

    @property
    def key(self) -> tuple[str, str]:
        """What names a trade: the seller and the seller's own number."""
        return self.seller_id, self.out_trade_no

    def same_terms_as(self, other: PaymentRequest) -> bool:
        """Whether both ask for the same thing: amount, subject and text must not change."""
        return (self.total, self.subject, self.body) == (other.total, other.subject, other.body)


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back."""

    out_request_no: str
    amount: Money
    reason: str
    at: datetime
    origin: RefundOrigin
    deposit_back: str = ""
    """Of a refund to a bank card: ``P`` on its way, ``S`` arrived, ``F`` came back."""
    bank_ack_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade, as it is now."""

    trade_no: str
    request: PaymentRequest
    created_at: datetime
    buyer_id: str
    status: TradeStatus = TradeStatus.WAIT_BUYER_PAY
    channel: Channel | None = None
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    finished_at: datetime | None = None
    refunds: tuple[Refund, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What names it: the seller and the seller's own number."""
        return self.request.key

    @property
    def out_trade_no(self) -> str:
        """The seller's own number."""
        return self.request.out_trade_no

    @property
    def total(self) -> Money:
        """What the buyer pays, or paid."""
        return self.request.total

    @property
    def refunded(self) -> Money:
        """The sum of its refunds."""
        return Money.total(refund.amount for refund in self.refunds)

    @property
    def remaining(self) -> Money:
        """What could still be refunded."""
        return self.total - self.refunded

    def refund(self, out_request_no: str) -> Refund | None:
        """The refund of that number."""
        return next((r for r in self.refunds if r.out_request_no == out_request_no), None)


@dataclass(frozen=True, slots=True)
class Refunded:
    """The outcome of a refund request; ``moved`` is false for a repeat of an earlier one."""

    trade: Trade
    refund: Refund
    moved: bool


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The outcome of a cancel: what it did (``close``, ``refund`` or nothing) and to which."""

    trade: Trade | None
    action: str | None
    changed: bool


def _any_balance(trade: Trade, amount: Money, now: datetime) -> None:
    """A seller who can pay every refund."""


@dataclass(slots=True)
class Ledger:
    """All trades. Not safe for threads by itself; its owner holds a lock."""

    require_balance: Callable[[Trade, Money, datetime], None] = _any_balance
    """Raises `Declined` where the seller cannot pay a refund of that amount."""
    _trades: dict[tuple[str, str], Trade] = field(default_factory=dict[tuple[str, str], Trade])
    _barred: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    # The same trades by what is looked for, so that the ten thousandth is found like the first.
    _by_status: dict[TradeStatus, dict[tuple[str, str], Trade]] = field(
        default_factory=lambda: {status: {} for status in TradeStatus}
    )
    _keys_of_number: dict[str, list[tuple[str, str]]] = field(
        default_factory=dict[str, list[tuple[str, str]]]
    )
    _key_of_trade_no: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    def trades(self) -> tuple[Trade, ...]:
        """All of them, in the order in which they were created."""
        return tuple(self._trades.values())

    def find(self, seller_id: str, out_trade_no: str = "", trade_no: str = "") -> Trade:
        """The seller's trade; ``trade_no`` wins where both are given.

        Raises `Declined` with ``ACQ.TRADE_NOT_EXIST``.
        """
        if trade_no:
            key = self._key_of_trade_no.get(trade_no)
            if key is None or key[0] != seller_id:
                raise Declined("ACQ.TRADE_NOT_EXIST")
            return self._trades[key]
        trade = self._trades.get((seller_id, out_trade_no))
        if trade is None:
            raise Declined("ACQ.TRADE_NOT_EXIST")
        return trade

    def check_terms(self, request: PaymentRequest, now: datetime) -> Trade | None:
        """The waiting trade that ``request`` may go on with, or None if there is no trade yet."""
        trade = self._trades.get(request.key)
        if trade is None:
            if request.key in self._barred:
                raise Declined("ACQ.TRADE_HAS_CLOSE", "the number was cancelled before it was used")
            if request.expires_at <= now:
                raise Declined("ACQ.TRADE_HAS_CLOSE", "the time to pay is over")
            return None
        if trade.status is TradeStatus.TRADE_CLOSED:
            raise Declined("ACQ.TRADE_HAS_CLOSE")
        if trade.status is not TradeStatus.WAIT_BUYER_PAY:
            raise Declined("ACQ.TRADE_HAS_SUCCESS")
        if not request.same_terms_as(trade.request):
            raise Declined("ACQ.CONTEXT_INCONSISTENT")
        return trade

    def open(self, request: PaymentRequest, now: datetime) -> Trade:
        """The trade that a buyer opened: a new one, or the same one again."""
        trade = self.check_terms(request, now)
        if trade is not None:
            return trade
        return self._keep(
            Trade(
                trade_no=new_trade_no(now),
                request=request,
                created_at=now,
                buyer_id=request.buyer_id or "2088" + _digits(12),
            )
        )

    def pay(self, trade: Trade, channel: Channel, now: datetime, *, final: bool = False) -> Trade:
        """The buyer paid. ``final``: a product without refunds, which is finished at once."""
        if trade.status is TradeStatus.TRADE_CLOSED:
            raise Declined("ACQ.TRADE_HAS_CLOSE")
        if trade.status is not TradeStatus.WAIT_BUYER_PAY:
            raise Declined("ACQ.TRADE_HAS_SUCCESS")
        if channel not in trade.request.channels:
            allowed = ", ".join(trade.request.channels)
            raise Declined("ACQ.INVALID_PARAMETER", f"{channel} may not pay it; {allowed} may")
        status = TradeStatus.TRADE_FINISHED if final else TradeStatus.TRADE_SUCCESS
        finished_at = now if final else None
        return self._keep(
            replace(trade, status=status, channel=channel, paid_at=now, finished_at=finished_at)
        )

    def close(self, trade: Trade, now: datetime) -> Trade:
        """Closes a trade that nobody paid; any other is declined."""
        if trade.status is TradeStatus.TRADE_CLOSED:
            raise Declined("ACQ.REASON_TRADE_STATUS_INVALID")
        if trade.status is not TradeStatus.WAIT_BUYER_PAY:
            raise Declined("ACQ.TRADE_STATUS_ERROR")
        return self._keep(replace(trade, status=TradeStatus.TRADE_CLOSED, closed_at=now))

    def cancel(self, seller_id: str, out_trade_no: str, trade_no: str, now: datetime) -> Cancelled:
        """Closes an unpaid trade, refunds a paid one, and bars a number that has no trade."""
        try:
            trade = self.find(seller_id, out_trade_no, trade_no)
        except Declined:
            if out_trade_no and not trade_no:
                self._barred.add((seller_id, out_trade_no))
            return Cancelled(None, None, changed=False)
        if trade.status is TradeStatus.TRADE_CLOSED:
            return Cancelled(trade, "refund" if trade.refunds else "close", changed=False)
        if trade.status is TradeStatus.TRADE_FINISHED:
            raise Declined("ACQ.TRADE_HAS_FINISHED")
        if now - trade.created_at > CANCEL_WINDOW:
            raise Declined("ACQ.TRADE_CANCEL_TIME_OUT")
        if trade.status is TradeStatus.WAIT_BUYER_PAY:
            return Cancelled(self.close(trade, now), "close", changed=True)
        number = trade.out_trade_no
        if trade.refund(number) is not None:
            number = f"cancel-{number}"[:64]
        outcome = self.refund(trade, trade.remaining, number, "", RefundOrigin.CANCEL, now)
        return Cancelled(outcome.trade, "refund", changed=True)

    def refund(
        self,
        trade: Trade,
        amount: Money,
        out_request_no: str,
        reason: str,
        origin: RefundOrigin,
        now: datetime,
    ) -> Refunded:
        """Sends ``amount`` back under ``out_request_no`` (empty: the trade's own number)."""
        number = out_request_no or trade.out_trade_no
        earlier = trade.refund(number)
        if earlier is not None:
            if earlier.amount != amount:
                raise Declined("ACQ.DISCORDANT_REPEAT_REQUEST")
            return Refunded(trade, earlier, moved=False)
        _require_refundable(trade, amount, numbered=bool(out_request_no))
        self.require_balance(trade, amount, now)
        to_card = trade.channel in (Channel.BANK_CARD, Channel.CREDIT_CARD)
        refund = Refund(number, amount, reason, now, origin, "P" if to_card else "")
        changed = replace(trade, refunds=(*trade.refunds, refund))
        if not changed.remaining:
            changed = replace(changed, status=TradeStatus.TRADE_CLOSED, closed_at=now)
        return Refunded(self._keep(changed), refund, moved=True)

    def deposit_back(self, trade: Trade, number: str, status: str, now: datetime) -> Trade:
        """A bank has taken a refund to a card, or sent it back. Raises `Declined`."""
        found = trade.refund(number)
        if found is None or not found.deposit_back:
            raise Declined("ACQ.TRADE_NOT_EXIST", "no refund of that number goes to a bank card")
        told = replace(found, deposit_back=status, bank_ack_at=now)
        refunds = tuple(told if r is found else r for r in trade.refunds)
        return self._keep(replace(trade, refunds=refunds))

    def finish(self, trade: Trade, now: datetime) -> Trade:
        """The refund window of a paid trade is over."""
        return self._keep(replace(trade, status=TradeStatus.TRADE_FINISHED, finished_at=now))

    def waiting(self) -> Iterable[Trade]:
        """Trades that nobody has paid yet."""
        return list(self._by_status[TradeStatus.WAIT_BUYER_PAY].values())

    def refundable(self) -> Iterable[Trade]:
        """Trades that are paid and not finished."""
        return list(self._by_status[TradeStatus.TRADE_SUCCESS].values())

    def clear(self) -> None:
        """Forgets every trade."""
        self._trades.clear()
        self._barred.clear()
        self._keys_of_number.clear()
        self._key_of_trade_no.clear()
        for trades in self._by_status.values():
            trades.clear()

    def of_number(self, out_trade_no: str) -> list[Trade]:
        """The trades of that number, of every seller, oldest first."""
        return [self._trades[key] for key in self._keys_of_number.get(out_trade_no, ())]

    def _keep(self, trade: Trade) -> Trade:
        before = self._trades.get(trade.key)
        if before is None:
            self._keys_of_number.setdefault(trade.out_trade_no, []).append(trade.key)
            self._key_of_trade_no[trade.trade_no] = trade.key
        else:
            del self._by_status[before.status][trade.key]
        self._by_status[trade.status][trade.key] = trade
        self._trades[trade.key] = trade
        return trade


def _require_refundable(trade: Trade, amount: Money, *, numbered: bool) -> None:
    """Alipay's refusals, in the order of the catalogue's table."""
    if trade.status is TradeStatus.WAIT_BUYER_PAY:
        raise Declined("ACQ.TRADE_STATUS_ERROR")
    if trade.status is TradeStatus.TRADE_CLOSED:
        raise Declined("ACQ.TRADE_HAS_CLOSE")
    if trade.status is TradeStatus.TRADE_FINISHED:
        raise Declined("ACQ.TRADE_HAS_FINISHED")
    if amount > trade.remaining:
        raise Declined("ACQ.REASON_TRADE_REFUND_FEE_ERR")
    if not numbered and amount != trade.total:
        raise Declined("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")


def new_trade_no(now: datetime) -> str:
    """28 digits that begin with Beijing's date."""
    return f"{now.astimezone(BEIJING):%Y%m%d}22001" + _digits(15)


def new_notify_id(now: datetime) -> str:
    """34 digits that begin with Beijing's date and hold the time."""
    return f"{now.astimezone(BEIJING):%Y%m%d00222%H%M%S}" + _digits(15)


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}d}"
