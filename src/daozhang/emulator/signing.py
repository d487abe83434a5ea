"""The signing desk: pages for signing, the verbs of an agreement, and their notifications.

It works under the lock of the desk that owns it, so that a payment that signs, and a deduction that
moves a plan, happen as one.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from daozhang.clock import to_beijing_text
from daozhang.emulator.agreements import Agreement, AgreementRequest, Agreements, AgreementStatus
from daozhang.emulator.faults import FaultName
from daozhang.emulator.ledger import Channel, Declined, PaymentRequest, Trade
from daozhang.emulator.notices import Occasion

if TYPE_CHECKING:
    from daozhang.emulator.announcing import Announcer
    from daozhang.emulator.desk import Desk

PAGES_MAX: Final = 1000
"""How many pages for signing are remembered; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class SignPage:
    """A page for signing that was handed out."""

    token: str
    request: AgreementRequest
    valid_until: datetime


class SigningDesk:
    """All agreements and their verbs. Every method is safe for threads."""

    def __init__(self, desk: Desk, announcer: Announcer) -> None:
        self._desk = desk
        self._announcer = announcer
        self._agreements = Agreements()
        self._pages: dict[str, SignPage] = {}

    # ---- what there is

    def all(self) -> list[Agreement]:
        """Every agreement, oldest first."""
        with self._desk.lock:
            self._let_time_pass()
            return self._agreements.all()

    def find(self, seller_id: str, agreement_no: str, key: tuple[str, str, str]) -> Agreement:
        """The seller's agreement that lives, by Alipay's number, else by the merchant's with product
        and scene. Raises `Declined`."""
        with self._desk.lock:
            self._let_time_pass()
            agreement = self._agreements.find(
                seller_id, agreement_no=agreement_no, key=(seller_id, *key)
            )
            if agreement.status is AgreementStatus.UNSIGN:
                raise Declined("AGREEMENT_HAS_UNSIGNED")
            if not agreement.is_alive(self._desk.now()):
                raise Declined("USER_AGREEMENT_NOT_EXIST")
            return agreement

    def numbered(self, number: str, app_id: str | None = None) -> Agreement:
        """The latest agreement that people call so. Raises `Declined`."""
        named = [
            agreement
            for agreement in self.all()
            if agreement.number == number and app_id in (None, agreement.request.app_id)
        ]
        if not named:
            raise Declined("USER_AGREEMENT_NOT_EXIST")
        return named[-1]

    def clear(self) -> None:
        """Forgets agreements and pages."""
        self._agreements.clear()
        self._pages.clear()

    # ---- signing

    def hand_out(self, request: AgreementRequest, life: timedelta) -> SignPage:
        """A page on which ``request`` can be signed. Raises `Declined` if it is signed already."""
        with self._desk.lock:
            self._agreements.require_free(request, self._desk.now())
            page = SignPage(secrets.token_urlsafe(18), request, self._desk.now() + life)
            self._pages[page.token] = page
            while len(self._pages) > PAGES_MAX:
                del self._pages[next(iter(self._pages))]
            return page

    def page(self, token: str) -> SignPage | None:
        """The page of that token, if it was handed out here."""
        with self._desk.lock:
            return self._pages.get(token)

    def page_for(self, number: str) -> SignPage:
        """The latest page on which that number can be signed. Raises `Declined`."""
        with self._desk.lock:
            pages = [p for p in self._pages.values() if p.request.external_agreement_no == number]
            if not pages:
                raise Declined("USER_AGREEMENT_NOT_EXIST", "nobody has opened its page")
            return pages[-1]

    def sign(self, page: SignPage) -> Agreement:
        """The buyer agrees. Raises `Declined`."""
        with self._desk.lock:
            if page.valid_until <= self._desk.now():
                raise Declined("ILLEGAL_PARAMS", "the page was left too long")
            return self._sign(page.request, _new_buyer())

    def sign_with(self, trade: Trade) -> None:
        """The buyer has paid a trade that signs as well."""
        wanted = trade.request.signs
        if wanted is None:
            return
        # One that was signed meanwhile stands; the payment does too.
        with contextlib.suppress(Declined):
            self._sign(wanted, trade.buyer_id)

    def signed_on(self, page: SignPage) -> Agreement | None:
        """The agreement that was signed on ``page``."""
        of_page = [one for one in self.all() if one.request == page.request]
        return of_page[-1] if of_page else None

    def _sign(self, request: AgreementRequest, buyer_id: str) -> Agreement:
        agreement = self._agreements.sign(request, buyer_id, self._desk.now())
        self._announce(agreement, Occasion.SIGNED)
        return agreement

    # ---- what happens to an agreement

    def unsign(self, agreement: Agreement, notify_url: str = "") -> Agreement:
        """Ends it: by the API, or by the buyer in Alipay. Raises `Declined`."""
        with self._desk.lock:
            fresh = self._fresh(agreement)
            if fresh.status is AgreementStatus.UNSIGN:
                raise Declined("AGREEMENT_HAS_UNSIGNED")
            ended = self._agreements.unsign(fresh, self._desk.now())
            self._announce(ended, Occasion.UNSIGNED, url=notify_url)
            return ended

    def pause(self, agreement: Agreement, *, paused: bool) -> Agreement:
        """The buyer stops it for a while, or lets it go on; nobody is told. Raises `Declined`."""
        with self._desk.lock:
            fresh = self._fresh(agreement)
            if not fresh.is_alive(self._desk.now()):
                raise Declined("USER_AGREEMENT_STATUS_NOT_NORMAL")
            return self._agreements.pause(fresh, paused=paused)

    def move_plan(self, seller_id: str, agreement_no: str, day_text: str) -> Agreement:
        """Moves the next deduction to a later day. Raises `Declined`."""
        with self._desk.lock:
            self._let_time_pass()
            agreement = self._agreements.find(
                seller_id, agreement_no=agreement_no, missing="ILLEGAL_AGREEMENT"
            )
            day = day_of(day_text, "ILLEGAL_EXECUTION_TIME")
            return self._agreements.move_plan(agreement, day, self._desk.now())

    def deduct(self, agreement_no: str, request: PaymentRequest) -> Trade:
        """Takes the money of one period. Raises `Declined`.

        Where the buyer has too little of it, the trade stays and waits: it is not dead, and has to be
        closed before another number is used.
        """
        desk = self._desk
        with desk.lock:
            self._let_time_pass()
            agreement = self._agreements.find(
                request.seller_id, agreement_no=agreement_no, missing="ACQ.AGREEMENT_NOT_EXIST"
            )
            desk.ledger.check_terms(request, desk.now())
            window_days = desk.switches(request.app_id).deduct_window_days
            self._agreements.require_deductible(agreement, request.total, desk.now(), window_days)
            trade = desk.open_request(replace(request, buyer_id=agreement.buyer_id))
            poor = desk.faults.strike(
                FaultName.BUYER_BALANCE_NOT_ENOUGH,
                out_trade_no=request.out_trade_no,
                app_id=request.app_id,
                method=request.method,
            )
            if poor is not None:
                raise Declined("ACQ.BUYER_BALANCE_NOT_ENOUGH")
            paid = desk.pay(trade, Channel.BALANCE)
            self._agreements.deducted(agreement, request.total, desk.now())
            return paid

    def _fresh(self, agreement: Agreement) -> Agreement:
        self._let_time_pass()
        return self._agreements.find(
            agreement.request.seller_id, agreement_no=agreement.agreement_no
        )

    def _let_time_pass(self) -> None:
        self._agreements.skip_missed(self._desk.now())

    # ---- notifications

    def _announce(self, agreement: Agreement, occasion: Occasion, *, url: str = "") -> None:
        request = agreement.request
        self._announcer.queue(
            app_id=request.app_id,
            number=agreement.number,
            occasion=occasion,
            url=url or request.notify_url,
            fields=self.fields(agreement, occasion),
        )

    def fields(self, agreement: Agreement, occasion: Occasion = Occasion.SIGNED) -> dict[str, str]:
        """What a notification of ``agreement`` says, but for what each attempt adds."""
        request = agreement.request
        switches = self._desk.switches(request.app_id)
        charset = request.charset if switches.notify_charset == "request" else ""
        buyer = (
            {"alipay_open_id": f"074a1Cc{agreement.buyer_id}".ljust(47, "o")}
            if switches.buyer_open_id
            else {"alipay_user_id": agreement.buyer_id}
        )
        fields = {
            "charset": charset or switches.notify_charset,
            **buyer,
            "alipay_logon_id": f"{agreement.buyer_id[-3:]}***@example.com",
            "external_agreement_no": request.external_agreement_no,
            "external_logon_id": request.external_logon_id,
            "version": "1.0",
            "sign_time": to_beijing_text(agreement.signed_at),
            "valid_time": to_beijing_text(agreement.signed_at),
            "invalid_time": to_beijing_text(agreement.invalid_at),
            "notify_type": "dut_user_sign" if occasion is Occasion.SIGNED else "dut_user_unsign",
            "agreement_no": agreement.agreement_no,
            "personal_product_code": request.personal_product_code,
            "sign_scene": request.sign_scene,
            "status": agreement.status.value,
            "app_id": request.app_id,
            "auth_app_id": request.auth_app_id,
            "sign_type": request.sign_type,
        }
        if agreement.unsigned_at is not None:
            fields["unsign_time"] = to_beijing_text(agreement.unsigned_at)
        return {name: text for name, text in fields.items() if text}


def day_of(text: str, refusal: str = "INVALID_PARAMETER") -> date:
    """A day as ``yyyy-MM-dd``. Raises `Declined` with ``refusal``."""
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise Declined(refusal, f"{text[:20]!r}") from problem


def _new_buyer() -> str:
    return f"2088{secrets.randbelow(10**12):012d}"
