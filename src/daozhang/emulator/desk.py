"""The desk: everything this Alipay knows, and the verbs that change it.

Ledger, faults, switches, page visits and notifications in one place under one lock. The gateway,
the cashier and the control plane all act through it, so that each change of a trade brings its
notification along whoever caused it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from daozhang.clock import Clock
from daozhang.emulator.account_desk import AccountDesk
from daozhang.emulator.announcing import Announcer
from daozhang.emulator.bookkeeping import Bookkeeping
from daozhang.emulator.desk_clock import DeskClock
from daozhang.emulator.faults import Fault, FaultName, Faults
from daozhang.emulator.freezing import FreezingDesk
from daozhang.emulator.identity import App, Identities
from daozhang.emulator.ledger import (
    Cancelled,
    Channel,
    Declined,
    Ledger,
    PaymentRequest,
    Product,
    Refund,
    Refunded,
    RefundOrigin,
    Trade,
    TradeStatus,
)
from daozhang.emulator.notices import DEPOSIT_BACK, Occasion, deposit_back_content
from daozhang.emulator.notifier import Attempt, Delivery, Notification, next_attempt_at
from daozhang.emulator.outgoing import Outgoing
from daozhang.emulator.receipts import Receipts
from daozhang.emulator.sharing import SharingDesk
from daozhang.emulator.signing import SigningDesk
from daozhang.emulator.switches import DEFAULTS, Switches
from daozhang.emulator.transfers import TransferDesk
from daozhang.emulator.wallet import Behaviour, PaymentCode, Wallet
from daozhang.money import Money

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
FAR_AWAY: Final = datetime.max.replace(tzinfo=UTC)

VISITS_MAX: Final = 10_000
"""How many handed-out pages are remembered; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that was handed out for a signed request, to be opened by the buyer."""

    token: str
    request: PaymentRequest
    valid_until: datetime


class Desk:
    """All state, all verbs. Every method is safe for threads."""

    def __init__(self, identities: Identities, clock: Clock, *, seed: int = 0) -> None:
        self.identities = identities
        self.clock = DeskClock(clock)
        self.faults = Faults(seed)
        self.lock = self._lock = threading.RLock()
        self.books = Bookkeeping(identities, self.switches)
        self.accounts = self.books.accounts
        self.account = AccountDesk(self._lock, self.books, self.now)
        self.ledger = Ledger(self.books.require_balance)
        self.wallet = Wallet()
        self.orderinfo: dict[tuple[str, str], str] = {}
        """What merchants have told of orders, by trade and by the number of their word."""
        self._switches: dict[str, Switches] = {}
        self._visits: dict[str, Visit] = {}
        self._outgoing = Outgoing()
        self._announcer = Announcer(
            identities, self.faults, self._outgoing, self.now, self.switches
        )
        self.agreements = SigningDesk(self, self._announcer)
        self.holds = FreezingDesk(self, self._announcer)
        self.sharing = SharingDesk(self, self._announcer)
        self.receipts = Receipts(self)
        self.transfers = TransferDesk(self, self._announcer)
        # Until then time changes no trade, so that nobody need look through all of them.
        self._quiet_until = LONG_AGO

    # ---- what there is

    def now(self) -> datetime:
        """The emulator's present."""
        return self.clock.now()

    def trades(self) -> list[Trade]:
        """Every trade as it is now, oldest first."""
        with self._lock:
            self._let_time_pass()
            return list(self.ledger.trades())

    def notifications(self, out_trade_no: str | None = None) -> list[Notification]:
        """The notifications, of one number or all, oldest first."""
        with self._lock:
            return self._outgoing.list_of(out_trade_no)

    def switches(self, app_id: str) -> Switches:
        """How Alipay behaves towards the app."""
        with self._lock:
            return self._switches.get(app_id, DEFAULTS)

    def set_switches(self, app_id: str, switches: Switches) -> None:
        """Changes how Alipay behaves towards the app."""
        with self._lock:
            self._switches[app_id] = switches
            self._quiet_until = LONG_AGO  # a refund window may end earlier now

    def find(self, seller_id: str, out_trade_no: str = "", trade_no: str = "") -> Trade:
        """The seller's trade. Raises `Declined` with ``ACQ.TRADE_NOT_EXIST``."""
        with self._lock:
            self._let_time_pass()
            return self.ledger.find(seller_id, out_trade_no, trade_no)

    def find_by_number(self, out_trade_no: str, app_id: str | None = None) -> list[Trade]:
        """The trades of that number, of the app or of any seller."""
        with self._lock:
            self._let_time_pass()
            return [
                trade
                for trade in self.ledger.of_number(out_trade_no)
                if app_id in (None, trade.request.app_id, trade.request.auth_app_id)
            ]

    def reset(self, seed: int | None = None) -> None:
        """Forgets trades, pages, notifications, faults and switches; keys and clock stay."""
        with self._lock:
            self.ledger.clear()
            self.books.clear()
            self.account.clear()
            self.receipts.clear()
            self.wallet.clear()
            self.orderinfo.clear()
            self.agreements.clear()
            self.holds.clear()
            self.transfers.clear()
            self.sharing.clear()
            self._visits.clear()
            self._outgoing.clear()
            self._announcer.overdue.clear()
            self._switches.clear()
            self.faults.clear(seed)

    def note_orderinfo(self, trade: Trade, out_request_no: str, told: str) -> None:
        """Takes note of what became of an order; the first word under a number stays."""
        with self._lock:
            self.orderinfo.setdefault((trade.trade_no, out_request_no), told)

    # ---- pages

    def hand_out(self, request: PaymentRequest, *, valid_for: timedelta | None = None) -> Visit:
        """A page for ``request``. Raises `Declined` where the number cannot be paid any more."""
        with self._lock:
            self._let_time_pass()
            self.ledger.check_terms(request, self.now())
            self._require_terms_of_visits(request)
            valid_until = request.expires_at
            if valid_for is not None:
                valid_until = min(valid_until, self.now() + valid_for)
            visit = Visit(secrets.token_urlsafe(18), request, valid_until)
            self._visits[visit.token] = visit
            while len(self._visits) > VISITS_MAX:
                del self._visits[next(iter(self._visits))]
            return visit

    def _require_terms_of_visits(self, request: PaymentRequest) -> None:
        """A QR code that is out already fixes the terms of its number."""
        if request.product is not Product.QR:
            return
        for visit in self._visits_of(request.seller_id, request.out_trade_no):
            if visit.request.product is Product.QR and not request.same_terms_as(visit.request):
                raise Declined("ACQ.CONTEXT_INCONSISTENT")

    def visit(self, token: str) -> Visit | None:
        """The page of that token, if it was handed out here."""
        with self._lock:
            return self._visits.get(token)

    def open(self, visit: Visit) -> Trade:
        """The buyer opens the page: the trade comes to be, unless it is there already.

        Raises `Declined`; a page that was left too long is ``ACQ.TRADE_HAS_CLOSE``.
        """
        with self._lock:
            self._let_time_pass()
            now = self.now()
            if visit.valid_until <= now:
                self.ledger.check_terms(visit.request, now)
                raise Declined("ACQ.TRADE_HAS_CLOSE", "the page was left too long")
            return self._open(visit.request)

    def _open(self, request: PaymentRequest) -> Trade:
        is_new = self.ledger.check_terms(request, self.now()) is None
        trade = self.ledger.open(request, self.now())
        self._quiet_until = min(self._quiet_until, request.expires_at)
        if is_new and self._announcer.triggers(trade).created:
            self._announcer.announce(trade, Occasion.CREATED)
        return trade

    def open_request(self, request: PaymentRequest) -> Trade:
        """As `open`, for a request that reaches the buyer without a page (the app)."""
        with self._lock:
            self._let_time_pass()
            return self._open(request)

    # ---- what happens to a trade

    def pay(self, trade: Trade, channel: Channel = Channel.BALANCE) -> Trade:
        """The buyer pays. Raises `Declined`."""
        with self._lock:
            return self._pay(self._fresh(trade), channel)

    def _pay(self, trade: Trade, channel: Channel) -> Trade:
        switches = self.switches(trade.request.app_id)
        paid = self.ledger.pay(trade, channel, self.now(), final=switches.finished_at_once)
        self._quiet_until = min(self._quiet_until, self._window_end(paid))
        self.books.paid(paid)
        self._announcer.announce(paid, Occasion.PAID)
        self.agreements.sign_with(paid)
        if self._strikes(FaultName.EXTERNAL_REFUND, paid) is not None:
            half = Money(max(1, paid.total.minor // 2), paid.total.currency)
            self._refund(paid, half, f"centre-{secrets.token_hex(8)}", "", RefundOrigin.CENTRE)
        return paid

    # ---- after a refund, and whatever else Alipay has to say

    def send_message(
        self, app: App, msg_method: str, content: Mapping[str, Any], *, encrypted: bool = False
    ) -> Notification | None:
        """Sends a message to the app's gateway address; ``None`` if it has none."""
        with self._lock:
            return self._announcer.message(app, msg_method, content, encrypted=encrypted)

    def bank_returns(self, trade: Trade, out_request_no: str, status: str) -> Trade:
        """The bank has taken a refund to a card (``S``), or sent it back (``F``). Raises `Declined`."""
        with self._lock:
            changed = self.ledger.deposit_back(
                self._fresh(trade), out_request_no, status, self.now()
            )
            app = self.identities.app_by_id(changed.request.app_id)
            refund = changed.refund(out_request_no)
            if app is not None and refund is not None:
                content = deposit_back_content(changed, refund)
                self._announcer.message(app, DEPOSIT_BACK, content)
            return changed

    # ---- at a till

    def show_code(self, **how: Any) -> PaymentCode:
        """A payment code as a buyer's phone shows it; ``how`` is `Wallet.make`'s."""
        with self._lock:
            return self.wallet.make(self.now(), **how)

    def code_of(self, text: str) -> PaymentCode | None:
        """The payment code of that text, while it can be used."""
        with self._lock:
            return self.wallet.find(text, self.now())

    def charge(self, request: PaymentRequest, auth_code: str, scene: str) -> Trade:
        """Charges a code: the trade is paid, or waits for its buyer. Raises `Declined`."""
        with self._lock:
            self._let_time_pass()
            self.ledger.check_terms(request, self.now())
            code = self.wallet.use(auth_code, scene, self.now())
            if code.behaviour is Behaviour.DIES:
                raise Declined(code.sub_code)
            trade = self._open(request)
            if code.behaviour is Behaviour.DECLINES:
                raise Declined(code.sub_code)
            if code.channel not in request.channels:
                raise Declined("ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE")
            if code.behaviour is Behaviour.ASKS:
                self.wallet.ask(trade.key, code.channel)
                return trade
            return self._pay(trade, code.channel)

    def asked(self) -> list[tuple[Trade, Channel]]:
        """The trades that wait for a confirmation on a phone, oldest first."""
        with self._lock:
            self._let_time_pass()
            found = [
                (self.ledger.find(*key), channel) for key, channel in self.wallet.asked().items()
            ]
            return [pair for pair in found if pair[0].status is TradeStatus.WAIT_BUYER_PAY]

    def confirm(self, trade: Trade, *, agree: bool) -> Trade:
        """The buyer confirms on the phone, or refuses. Raises `Declined`."""
        with self._lock:
            fresh = self._fresh(trade)
            channel = self.wallet.answer(fresh.key)
            if channel is None:
                raise Declined("ACQ.TRADE_STATUS_ERROR", "no phone was asked to confirm it")
            return self._pay(fresh, channel) if agree else fresh

    def close(
        self, seller_id: str, out_trade_no: str, trade_no: str, notify_url: str = ""
    ) -> Trade:
        """Closes an unpaid trade. Raises `Declined`."""
        with self._lock:
            self._let_time_pass()
            self._pay_after_not_exist(seller_id, out_trade_no, trade_no, "alipay.trade.close")
            trade = self.ledger.find(seller_id, out_trade_no, trade_no)
            closed = self.ledger.close(trade, self.now())
            self._announcer.close(closed, notify_url)
            return closed

    def cancel(self, seller_id: str, out_trade_no: str, trade_no: str) -> Cancelled:
        """Closes or refunds, whichever undoes the trade. Raises `Declined`."""
        with self._lock:
            self._let_time_pass()
            self._pay_during_cancel(seller_id, out_trade_no, trade_no)
            outcome = self.ledger.cancel(seller_id, out_trade_no, trade_no, self.now())
            if outcome.changed and outcome.trade is not None:
                if outcome.action == "refund":
                    self._refunded(outcome.trade, outcome.trade.refunds[-1])
                else:
                    self._announcer.close(outcome.trade)
            return outcome

    def refund(
        self,
        trade: Trade,
        amount: Money,
        out_request_no: str,
        reason: str,
        origin: RefundOrigin = RefundOrigin.API,
    ) -> Refunded:
        """Sends money back. Raises `Declined`."""
        with self._lock:
            return self._refund(self._fresh(trade), amount, out_request_no, reason, origin)

    def _refund(
        self, trade: Trade, amount: Money, out_request_no: str, reason: str, origin: RefundOrigin
    ) -> Refunded:
        now = self.now()
        outcome = self.ledger.refund(trade, amount, out_request_no, reason, origin, now)
        if outcome.moved:
            self._refunded(outcome.trade, outcome.refund)
        return outcome

    def _refunded(self, trade: Trade, refund: Refund) -> None:
        self.books.refunded(trade, refund)
        self._announcer.refund(trade, refund)

    def query(self, seller_id: str, out_trade_no: str, trade_no: str) -> Trade:
        """The trade as a query finds it. Raises `Declined` with ``ACQ.TRADE_NOT_EXIST``."""
        with self._lock:
            self._let_time_pass()
            self._pay_after_not_exist(seller_id, out_trade_no, trade_no, "alipay.trade.query")
            return self.ledger.find(seller_id, out_trade_no, trade_no)

    def _fresh(self, trade: Trade) -> Trade:
        self._let_time_pass()
        return self.ledger.find(*trade.key)

    # ---- faults that are a matter of the trade

    def _strikes(self, name: FaultName, trade: Trade, method: str = "") -> Fault | None:
        return self.faults.strike(
            name, out_trade_no=trade.out_trade_no, app_id=trade.request.app_id, method=method
        )

    def _pay_after_not_exist(
        self, seller_id: str, out_trade_no: str, trade_no: str, method: str
    ) -> None:
        """The answer is "no such trade", and the buyer pays a moment after it was given."""
        payable = self._payable(seller_id, out_trade_no, trade_no)
        if payable is None or not self.faults.strike(
            FaultName.PAY_AFTER_NOT_EXIST,
            out_trade_no=payable.out_trade_no,
            app_id=payable.app_id,
            method=method,
        ):
            return
        self._pay(self._open(payable), Channel.BALANCE)
        raise Declined("ACQ.TRADE_NOT_EXIST")

    def _payable(self, seller_id: str, out_trade_no: str, trade_no: str) -> PaymentRequest | None:
        """What a buyer could still pay under that number: a waiting trade, or a page."""
        try:
            trade = self.ledger.find(seller_id, out_trade_no, trade_no)
        except Declined:
            now = self.now()
            visits = self._visits_of(seller_id, out_trade_no)
            alive = [visit.request for visit in visits if visit.valid_until > now]
            return alive[-1] if alive and not trade_no else None
        return trade.request if trade.status is TradeStatus.WAIT_BUYER_PAY else None

    def _visits_of(self, seller_id: str, out_trade_no: str) -> list[Visit]:
        key = (seller_id, out_trade_no)
        return [visit for visit in self._visits.values() if visit.request.key == key]

    def _pay_during_cancel(self, seller_id: str, out_trade_no: str, trade_no: str) -> None:
        """The buyer pays while the cancel is on its way, so that it finds a paid trade."""
        payable = self._payable(seller_id, out_trade_no, trade_no)
        if payable is not None and self.faults.strike(
            FaultName.PAY_DURING_CANCEL,
            out_trade_no=payable.out_trade_no,
            app_id=payable.app_id,
            method="alipay.trade.cancel",
        ):
            self._pay(self._open(payable), Channel.BALANCE)

    # ---- time

    def push_clock_to(self, moment: datetime) -> None:
        """Moves the emulator's present on to ``moment``."""
        self.clock.push_to(moment)

    def next_due(self) -> datetime | None:
        """When the next attempt, expiry or end of a refund window is."""
        with self._lock:
            turns = self._next_turn(), self.transfers.next_turn(), self.sharing.next_due()
            moments = [self._outgoing.next_due(), *turns]
            return min((moment for moment in moments if moment is not None), default=None)

    def _next_turn(self) -> datetime | None:
        """When time will next change a trade: an expiry, or the end of a refund window."""
        turns = [trade.request.expires_at for trade in self.ledger.waiting()]
        turns += [self._window_end(trade) for trade in self.ledger.refundable()]
        return min(turns, default=None)

    def _window_end(self, trade: Trade) -> datetime:
        days = self.switches(trade.request.app_id).refund_window_days
        return (trade.paid_at or trade.created_at) + timedelta(days=days)

    def _let_time_pass(self) -> None:
        now = self.now()
        self.transfers.let_time_pass()
        if now < self._quiet_until:
            return
        for trade in self.ledger.waiting():
            if trade.request.expires_at <= now:
                self._announcer.close(self.ledger.close(trade, trade.request.expires_at))
        for trade in self.ledger.refundable():
            if self._window_end(trade) <= now:
                finished = self.ledger.finish(trade, self._window_end(trade))
                if self._announcer.triggers(finished).finished:
                    self._announcer.announce(finished, Occasion.FINISHED)
        self._quiet_until = self._next_turn() or FAR_AWAY

    # ---- notifications

    def must_notify_first(self, out_trade_no: str) -> bool:
        """Whether the answer that is being given has to wait for the notification; asks once."""
        with self._lock:
            if out_trade_no not in self._announcer.overdue:
                return False
            self._announcer.overdue.discard(out_trade_no)
            return True

    def take_due(self) -> list[Notification]:
        """Lets happen what is due, and hands out the notifications to send now."""
        with self._lock:
            self._let_time_pass()
            self.sharing.let_time_pass()
            return self._outgoing.take_due(self.now())

    def body_of(self, notification: Notification) -> bytes:
        """The body of the attempt that is about to be made."""
        return self._announcer.body_of(notification)

    def record(self, notification: Notification, attempts: Sequence[Attempt]) -> None:
        """Keeps the outcome of one round and says when the next one is due."""
        with self._lock:
            heard = [self._as_heard(notification, attempt) for attempt in attempts]
            notification.attempts.extend(heard)
            notification.rounds += 1
            if any(attempt.acknowledged for attempt in heard):
                notification.delivery = Delivery.ACKNOWLEDGED
                return
            due_at = next_attempt_at(notification.rounds, attempts[0].at)
            self._outgoing.schedule(notification, due_at)
            if due_at is None:
                notification.delivery = Delivery.GIVEN_UP

    def _as_heard(self, notification: Notification, attempt: Attempt) -> Attempt:
        """The attempt as it looks from here: its answer may have been lost on its way back."""
        lost = self.faults.strike(
            FaultName.NOTIFY_ANSWER_LOST,
            out_trade_no=notification.out_trade_no,
            app_id=notification.app_id,
        )
        if lost is None:
            return attempt
        error = "the answer was lost on its way back (fault notify_answer_lost)"
        return replace(attempt, status=None, answer=b"", error=error, acknowledged=False)
