"""Agreements: what a buyer signed, and which deductions it allows, as docs/reference/emulator.md says.

As the ledger: no HTTP, no signatures, no clock of its own; a frozen record for each agreement, replaced
as a whole when it changes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.clock import BEIJING, business_day
from daozhang.emulator.ledger import Declined
from daozhang.money import Money

FOR_EVER: Final = datetime(2115, 1, 31, 16, tzinfo=UTC)
"""What Alipay writes as 2115-02-01 for an agreement without an end."""

NOTHING: Final = Money(0)

CYCLE_PAY: Final = "CYCLE_PAY_AUTH"


class AgreementStatus(StrEnum):
    """Alipay's own words."""

    TEMP = "TEMP"
    NORMAL = "NORMAL"
    STOP = "STOP"
    UNSIGN = "UNSIGN"


@dataclass(frozen=True, slots=True)
class PeriodRule:
    """When may be deducted, and how much."""

    period_type: str
    period: int
    first_on: date
    single: Money
    total: Money | None = None
    payments: int | None = None

    def after(self, day: date) -> date:
        """The planned day that follows ``day``."""
        if self.period_type == "DAY":
            return day + timedelta(days=self.period)
        months = day.year * 12 + day.month - 1 + self.period
        return day.replace(year=months // 12, month=months % 12 + 1)


@dataclass(frozen=True, slots=True)
class AgreementRequest:
    """What a merchant asks a buyer to sign, and where to tell of it."""

    app_id: str
    auth_app_id: str
    seller_id: str
    product_code: str
    personal_product_code: str
    sign_scene: str
    external_agreement_no: str
    external_logon_id: str
    channel: str
    rule: PeriodRule | None
    valid_for: timedelta | None
    third_party_type: str = "PARTNER"
    notify_url: str = ""
    return_url: str = ""
    charset: str = "utf-8"
    sign_type: str = "RSA2"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names an agreement for its merchant."""
        own = self.external_agreement_no, self.personal_product_code, self.sign_scene
        return self.seller_id, *own


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement, as it is now."""

    agreement_no: str
    request: AgreementRequest
    buyer_id: str
    status: AgreementStatus
    signed_at: datetime
    invalid_at: datetime
    next_on: date | None
    last_at: datetime | None = None
    unsigned_at: datetime | None = None
    deductions: int = 0
    deducted: Money = NOTHING

    @property
    def number(self) -> str:
        """How people call it: the merchant's number, else Alipay's."""
        return self.request.external_agreement_no or self.agreement_no

    def is_alive(self, now: datetime) -> bool:
        """Whether it has neither been ended nor run out."""
        return self.status is not AgreementStatus.UNSIGN and now < self.invalid_at


@dataclass(slots=True)
class Agreements:
    """All of them, the latest of a number last. Not safe for threads; its owner holds a lock."""

    _agreements: dict[str, Agreement] = field(default_factory=dict[str, Agreement])

    def all(self) -> list[Agreement]:
        """Every agreement, oldest first."""
        return list(self._agreements.values())

    def find(
        self,
        seller_id: str,
        *,
        agreement_no: str = "",
        key: tuple[str, str, str, str] | None = None,
        missing: str = "USER_AGREEMENT_NOT_EXIST",
    ) -> Agreement:
        """The seller's agreement of that number or key. Raises `Declined` with ``missing``."""
        found = self._agreements.get(agreement_no)
        if not agreement_no:
            named = [agreement for agreement in self.all() if agreement.request.key == key]
            found = named[-1] if named else None
        if found is None or found.request.seller_id != seller_id:
            raise Declined(missing)
        return found

    def require_free(self, request: AgreementRequest, now: datetime) -> None:
        """Raises `Declined` if an agreement of that key is alive."""
        alive = [one for one in self.all() if one.request.key == request.key and one.is_alive(now)]
        if alive and request.external_agreement_no:
            raise Declined("AGREEMENT_EXIST")

    def sign(self, request: AgreementRequest, buyer_id: str, now: datetime) -> Agreement:
        """The buyer signs. Raises `Declined` if it is signed already."""
        self.require_free(request, now)
        valid_for = request.valid_for
        agreement = Agreement(
            agreement_no=f"{now.astimezone(BEIJING):%Y%m%d}{secrets.randbelow(10**12):012d}",
            request=request,
            buyer_id=buyer_id,
            status=AgreementStatus.NORMAL,
            signed_at=now,
            invalid_at=FOR_EVER if valid_for is None else now + valid_for,
            next_on=None if request.rule is None else request.rule.first_on,
        )
        return self._keep(agreement)

    def unsign(self, agreement: Agreement, now: datetime) -> Agreement:
        """Ends it, whoever wanted that."""
        return self._keep(replace(agreement, status=AgreementStatus.UNSIGN, unsigned_at=now))

    def pause(self, agreement: Agreement, *, paused: bool) -> Agreement:
        """Stops it for a while, or lets it go on."""
        status = AgreementStatus.STOP if paused else AgreementStatus.NORMAL
        return self._keep(replace(agreement, status=status))

    def move_plan(self, agreement: Agreement, day: date, now: datetime) -> Agreement:
        """Moves the next deduction to a later ``day``. Raises `Declined`."""
        rule = agreement.request.rule
        if rule is None or agreement.next_on is None or not agreement.is_alive(now):
            raise Declined("ILLEGAL_AGREEMENT")
        too_late_in_month = rule.period_type == "MONTH" and day.day > _MONTH_DAY_MAX
        if day <= agreement.next_on or too_late_in_month:
            raise Declined("ILLEGAL_EXECUTION_TIME")
        return self._keep(replace(agreement, next_on=day))

    def require_deductible(
        self, agreement: Agreement, amount: Money, now: datetime, window_days: int
    ) -> None:
        """Raises `Declined` unless ``amount`` may be deducted by ``agreement`` now."""
        if not agreement.is_alive(now):
            raise Declined("ACQ.AGREEMENT_NOT_EXIST")
        if agreement.status is not AgreementStatus.NORMAL:
            raise Declined("ACQ.AGREEMENT_STATUS_NOT_NORMAL")
        rule = agreement.request.rule
        if rule is None or agreement.next_on is None:
            return
        today = business_day(now)
        if not agreement.next_on - timedelta(days=window_days) <= today <= agreement.next_on:
            raise Declined("ACQ.CYCLE_PAY_DATE_NOT_MATCH", f"next_deduct_time {agreement.next_on}")
        if amount > rule.single:
            raise Declined("ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED")
        if rule.total is not None and agreement.deducted + amount > rule.total:
            raise Declined("ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED")
        if rule.payments is not None and agreement.deductions >= rule.payments:
            raise Declined("ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED")

    def deducted(self, agreement: Agreement, amount: Money, now: datetime) -> Agreement:
        """A deduction succeeded: the period is over, and the plan moves on to the next."""
        return self._keep(
            replace(
                _moved_on(agreement),
                last_at=now,
                deductions=agreement.deductions + 1,
                deducted=agreement.deducted + amount,
            )
        )

    def skip_missed(self, now: datetime) -> None:
        """Moves every plan on whose day has passed without a deduction."""
        today = business_day(now)
        for agreement in self.all():
            moved = agreement
            while moved.next_on is not None and moved.next_on < today and moved.is_alive(now):
                moved = _moved_on(moved)
            if moved is not agreement:
                self._keep(moved)

    def clear(self) -> None:
        """Forgets every agreement."""
        self._agreements.clear()

    def _keep(self, agreement: Agreement) -> Agreement:
        self._agreements[agreement.agreement_no] = agreement
        return agreement


_MONTH_DAY_MAX: Final = 28


def _moved_on(agreement: Agreement) -> Agreement:
    rule = agreement.request.rule
    if rule is None or agreement.next_on is None:
        return agreement
    return replace(agreement, next_on=rule.after(agreement.next_on))
