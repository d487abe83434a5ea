"""What an agreement is, the facts by which it moves, and the tries to charge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import msgspec

from daozhang.money import Money


class AgreementStatus(StrEnum):
    """Where an agreement stands."""

    CREATED = "created"  # nobody has signed it
    TEMP = "temp"  # signed, not in effect yet
    ACTIVE = "active"
    STOPPED = "stopped"  # the buyer has paused it
    ENDING = "ending"  # unsigning was asked for, not yet proven
    ENDED = "ended"
    EXPIRED = "expired"  # nobody signed in time


class AgreementFactKind(StrEnum):
    """What Alipay says is true now; the columns of the table."""

    ABSENT = "A"  # no such agreement in effect
    TEMP = "T"
    NORMAL = "N"
    STOPPED = "S"
    UNSIGNED = "U"  # it was ended


class PeriodType(StrEnum):
    """What a period is counted in."""

    DAY = "DAY"
    MONTH = "MONTH"


class Rule(msgspec.Struct, frozen=True):
    """``period_rule_params``: when may be charged, and how much. Amounts in fen."""

    period_type: PeriodType
    period: int
    first_on: date
    single_minor: int
    total_minor: int | None = None
    payments: int | None = None

    @property
    def single(self) -> Money:
        """The most that may be charged at once."""
        return Money(self.single_minor)


class Plan(msgspec.Struct, frozen=True):
    """How it is charged by itself. Amount in fen.

    ``lead_days`` before the planned day the first try is made, so that there is time for others.
    """

    amount_minor: int
    subject: str
    lead_days: int = 1

    @property
    def amount(self) -> Money:
        """What is charged each time."""
        return Money(self.amount_minor)


@dataclass(frozen=True, slots=True)
class AgreementFact:
    """What Alipay, signed and verified, says of an agreement."""

    kind: AgreementFactKind
    source: str
    source_ref: str
    learned_at: datetime
    agreement_no: str | None = None
    next_deduct_on: date | None = None
    signed_at: datetime | None = None
    valid_at: datetime | None = None
    invalid_at: datetime | None = None
    buyer_id: str | None = None
    buyer_open_id: str | None = None
    buyer_logon_id: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a buyer agreed to. Unique by ``(environment, seller_id, external_agreement_no)``."""

    id: int
    merchant_id: int
    environment: str
    app_id: str
    seller_id: str
    external_agreement_no: str
    personal_product_code: str
    product_code: str
    sign_scene: str
    channel: str
    status: AgreementStatus
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    rule: Rule | None = None
    plan: Plan | None = None
    external_logon_id: str | None = None
    return_url: str | None = None
    agreement_no: str | None = None
    next_deduct_on: date | None = None
    announced_on: date | None = None
    signed_at: datetime | None = None
    valid_at: datetime | None = None
    invalid_at: datetime | None = None
    buyer_id: str | None = None
    buyer_open_id: str | None = None
    buyer_logon_id: str | None = None
    attention: bool = False
    opened_at: datetime | None = None
    absent_count: int = 0
    ask_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    next_try_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None
    ended_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class NewAgreement:
    """What a caller asks a buyer to sign."""

    external_agreement_no: str
    personal_product_code: str
    product_code: str
    sign_scene: str
    channel: str
    expires_at: datetime
    rule: Rule | None = None
    plan: Plan | None = None
    external_logon_id: str | None = None
    return_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


class DeductionStatus(StrEnum):
    """Where one try stands."""

    OPEN = "open"  # nobody knows yet
    PAID = "paid"
    FAILED = "failed"  # proven: nothing was charged by it


@dataclass(frozen=True, slots=True)
class Deduction:
    """One try to charge an agreement: one order."""

    id: int
    agreement_id: int
    order_id: int
    number: int
    status: DeductionStatus
    created_at: datetime
    planned_on: date | None = None
    code: str | None = None
    message: str | None = None
    ended_at: datetime | None = None
