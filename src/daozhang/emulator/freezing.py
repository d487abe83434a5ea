"""The freezing desk: pages for confirming, the verbs of a hold, and their notifications.

It works under the lock of the desk that owns it, so that a payment that is taken from a hold, and the
hold's own sums, change as one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from daozhang.clock import to_beijing_text
from daozhang.emulator.holds import (
    FreezeRequest,
    Hold,
    Holds,
    HoldStatus,
    Kind,
    Operation,
    is_too_old,
)
from daozhang.emulator.ledger import Channel, Declined, PaymentRequest, Trade
from daozhang.emulator.notices import Occasion
from daozhang.emulator.wallet import BALANCE_TOO_LOW, Behaviour
from daozhang.money import Money

if TYPE_CHECKING:
    from daozhang.emulator.announcing import Announcer
    from daozhang.emulator.desk import Desk

PAGES_MAX: Final = 1000
"""How many pages for confirming are remembered; the oldest are forgotten first."""

NOTIFY_TYPES: Final = {
    Occasion.FROZEN: "fund_auth_freeze",
    Occasion.UNFROZEN: "fund_auth_unfreeze",
    Occasion.FREEZE_CANCELLED: "fund_auth_operation_cancel",
}


@dataclass(frozen=True, slots=True)
class FreezePage:
    """A page for confirming that was handed out."""

    token: str
    request: FreezeRequest


class FreezingDesk:
    """All holds and their verbs. Every method is safe for threads."""

    def __init__(self, desk: Desk, announcer: Announcer) -> None:
        self._desk = desk
        self._announcer = announcer
        self._holds = Holds()
        self._pages: dict[str, FreezePage] = {}

    # ---- what there is

    def all(self) -> list[Hold]:
        """Every hold, oldest first."""
        with self._desk.lock:
            self._let_time_pass()
            return self._holds.all()

    def find(self, seller_id: str, auth_no: str, out_order_no: str) -> Hold:
        """The seller's hold. Raises `Declined`."""
        with self._desk.lock:
            self._let_time_pass()
            return self._holds.find(seller_id, auth_no, out_order_no)

    def numbered(self, number: str, app_id: str | None = None) -> Hold:
        """The hold of that number. Raises `Declined`."""
        named = [h for h in self.all() if h.number == number and app_id in (None, h.request.app_id)]
        if not named:
            raise Declined("AUTH_ORDER_NOT_EXIST")
        return named[-1]

    def clear(self) -> None:
        """Forgets holds and pages."""
        self._holds.clear()
        self._pages.clear()

    # ---- freezing

    def hand_out(self, request: FreezeRequest) -> FreezePage:
        """A page on which a buyer can confirm ``request``. Raises `Declined`.

        There is no hold until somebody opens it, unless the switch ``voucher_opens_hold`` says so.
        """
        with self._desk.lock:
            self._let_time_pass()
            self._require_open(self._holds.check_terms(request, self._desk.now()))
            if self._desk.switches(request.app_id).voucher_opens_hold:
                self._holds.open(request, self._desk.now())
            page = FreezePage(secrets.token_urlsafe(18), request)
            self._pages[page.token] = page
            while len(self._pages) > PAGES_MAX:
                del self._pages[next(iter(self._pages))]
            return page

    def page(self, token: str) -> FreezePage | None:
        """The page of that token, if it was handed out here."""
        with self._desk.lock:
            return self._pages.get(token)

    def page_for(self, number: str) -> FreezePage:
        """The latest page on which that number can be confirmed. Raises `Declined`."""
        with self._desk.lock:
            pages = [p for p in self._pages.values() if p.request.out_order_no == number]
            if not pages:
                raise Declined("AUTH_ORDER_NOT_EXIST", "nobody was shown a code for it")
            return pages[-1]

    def open(self, request: FreezeRequest) -> Hold:
        """The buyer sees what is to be frozen: from now on there is a hold. Raises `Declined`."""
        with self._desk.lock:
            self._let_time_pass()
            return self._holds.open(request, self._desk.now())

    def freeze_by_code(self, request: FreezeRequest, auth_code: str, scene: str) -> Hold:
        """Freezes by a code that a buyer shows: at once, or once confirmed. Raises `Declined`."""
        with self._desk.lock:
            self._let_time_pass()
            known = self._holds.check_terms(request, self._desk.now())
            if known is not None:
                self._require_open(known)
                return known
            try:
                code = self._desk.wallet.use(auth_code, scene, self._desk.now())
            except Declined as declined:
                raise Declined(declined.sub_code.removeprefix("ACQ.")) from declined
            said = "MONEY_NOT_ENOUGH" if code.sub_code == BALANCE_TOO_LOW else code.sub_code
            refusal = said.removeprefix("ACQ.")
            if code.behaviour is Behaviour.DIES:
                raise Declined(refusal)
            hold = self._holds.open(request, self._desk.now())
            if code.behaviour is Behaviour.DECLINES:
                raise Declined(refusal)
            return hold if code.behaviour is Behaviour.ASKS else self.confirm(hold)

    def confirm(self, hold: Hold) -> Hold:
        """The buyer confirms. Raises `Declined`."""
        with self._desk.lock:
            frozen = self._holds.confirm(self._fresh(hold), self._desk.now())
            self._announce(frozen, frozen.operations[0], Occasion.FROZEN)
            return frozen

    def _require_open(self, hold: Hold | None) -> None:
        if hold is not None and hold.status in (HoldStatus.CLOSED, HoldStatus.FINISH):
            finished = hold.status is HoldStatus.FINISH
            raise Declined("ORDER_ALREADY_FINISH" if finished else "ORDER_ALREADY_CLOSED")

    # ---- what happens to a hold

    def unfreeze(
        self, hold: Hold, amount: Money, out_request_no: str, remark: str, notify_url: str = ""
    ) -> tuple[Hold, Operation]:
        """Lets some of it go. Raises `Declined`."""
        with self._desk.lock:
            changed, done, moved = self._holds.unfreeze(
                self._fresh(hold), amount, out_request_no, remark, self._desk.now()
            )
            if moved:
                self._announce(changed, done, Occasion.UNFROZEN, url=notify_url)
            return changed, done

    def cancel(self, hold: Hold, notify_url: str = "") -> tuple[Hold, str]:
        """Undoes the freeze; what that did. Raises `Declined`."""
        with self._desk.lock:
            changed, action, moved = self._holds.cancel(self._fresh(hold), self._desk.now())
            tells = self._desk.switches(hold.request.app_id).hold_cancel_notified
            if moved and tells:
                done = changed.operations[0]
                self._announce(changed, done, Occasion.FREEZE_CANCELLED, url=notify_url)
            return changed, action

    def capture(
        self, auth_no: str, request: PaymentRequest, product: str, *, completes: bool
    ) -> Trade:
        """Takes a payment out of a hold. Raises `Declined`; then there is no trade."""
        desk = self._desk
        with desk.lock:
            self._let_time_pass()
            try:
                hold = self._holds.find(request.seller_id, auth_no)
            except Declined as declined:
                raise Declined("ACQ.AUTH_NO_ERROR") from declined
            desk.ledger.check_terms(request, desk.now())
            self._holds.require_capturable(hold, request.total, product)
            trade = desk.open_request(replace(request, buyer_id=hold.buyer_id))
            paid = desk.pay(trade, Channel.BALANCE)
            hold = self._holds.capture(hold, request.total, request.out_trade_no, desk.now())
            if completes and hold.rest:
                self._release_rest(hold)
            return paid

    def _release_rest(self, hold: Hold) -> None:
        """Alipay lets the rest go by itself: there is no number of the merchant's for it."""
        number = f"auto-{secrets.token_hex(8)}"
        changed, done, _ = self._holds.unfreeze(hold, hold.rest, number, "", self._desk.now())
        if self._desk.switches(hold.request.app_id).hold_rest_notified:
            self._announce(changed, done, Occasion.UNFROZEN)

    def _fresh(self, hold: Hold) -> Hold:
        self._let_time_pass()
        return self._holds.find(hold.request.seller_id, hold.auth_no)

    def _let_time_pass(self) -> None:
        now = self._desk.now()
        for hold in self._holds.all():
            if hold.status is HoldStatus.INIT and hold.request.expires_at <= now:
                self._holds.close(hold)
            elif is_too_old(hold, self._desk.switches(hold.request.app_id).hold_days, now):
                self._release_rest(hold)

    # ---- notifications

    def _announce(self, hold: Hold, done: Operation, occasion: Occasion, *, url: str = "") -> None:
        request = hold.request
        self._announcer.queue(
            app_id=request.app_id,
            number=hold.number,
            occasion=occasion,
            url=url or request.notify_url,
            fields=self.fields(hold, done, NOTIFY_TYPES[occasion]),
        )

    def fields(self, hold: Hold, done: Operation, notify_type: str) -> dict[str, str]:
        """What a notification of ``done`` says, but for what each attempt adds."""
        request = hold.request
        switches = self._desk.switches(request.app_id)
        charset = request.charset if switches.notify_charset == "request" else ""
        fields = {
            "charset": charset or switches.notify_charset,
            "notify_type": notify_type,
            "app_id": request.app_id,
            "auth_app_id": request.auth_app_id,
            "sign_type": request.sign_type,
            "version": "1.0",
            "auth_no": hold.auth_no,
            "out_order_no": hold.number,
            "operation_id": done.operation_id,
            "out_request_no": ""
            if done.out_request_no.startswith("auto-")
            else done.out_request_no,
            "operation_type": done.kind.value,
            "amount": str(done.amount),
            "status": done.status,
            "gmt_create": to_beijing_text(hold.created_at),
            "gmt_trans": to_beijing_text(done.at),
            "total_freeze_amount": str(hold.total(Kind.FREEZE)),
            "total_unfreeze_amount": str(hold.total(Kind.UNFREEZE)),
            "total_pay_amount": str(hold.total(Kind.PAY)),
            "rest_amount": str(hold.rest),
            **self.payer_fields(hold),
        }
        return {name: text for name, text in fields.items() if text}

    def payer_fields(self, hold: Hold) -> dict[str, str]:
        """Whose money it is, by the id that the app may see; nobody's before it is confirmed."""
        if hold.authorized_at is None:
            return {}
        masked = {"payer_logon_id": f"{hold.buyer_id[-3:]}***@example.com"}
        if self._desk.switches(hold.request.app_id).buyer_open_id:
            return masked | {"payer_open_id": f"074a1Cc{hold.buyer_id}".ljust(47, "o")}
        return masked | {"payer_user_id": hold.buyer_id}
