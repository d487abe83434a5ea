"""What is seen of the whole house at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from daozhang.money import Money


class Cause(StrEnum):
    """Why an amount of money is in an unknown state."""

    CANCELLING = "order_cancelling"  # a cancel's outcome is not proven; a payment may be held
    UNCLEAR = "order_unclear"  # Alipay says closed, with signs of a payment
    OVERDUE = "order_overdue"  # its time has run out, and Alipay has proven nothing
    REFUND_REQUESTED = "refund_requested"  # promised, not sent or not taken yet
    REFUND_UNKNOWN = "refund_unknown"  # it may have gone
    CHARGE_REQUESTED = "charge_requested"  # out of a hold or by an agreement: not sent yet
    CHARGE_UNKNOWN = "charge_unknown"  # the buyer may have been charged
    HOLD_CANCELLING = "hold_cancelling"  # given up, and it may be that money is frozen
    HOLD_OVERDUE = "hold_overdue"  # its time has run out, and Alipay has proven nothing
    RELEASE_REQUESTED = "release_requested"  # promised, not sent yet
    RELEASE_UNKNOWN = "release_unknown"  # it may have been let go
    NOTIFICATION = "notification_not_applied"  # Alipay has told us, the books do not say so
    SURPRISE = "surprise_open"  # it does not fit; a person decides


class Age(StrEnum):
    """For how long it has been so."""

    FRESH = "under_5m"
    MINUTES = "5m_to_1h"
    HOURS = "1h_to_24h"
    DAYS = "over_24h"


AGES_FROM = {
    Age.MINUTES: timedelta(minutes=5),
    Age.HOURS: timedelta(hours=1),
    Age.DAYS: timedelta(hours=24),
}
"""From which age on a bucket counts; `Age.FRESH` has the rest."""


@dataclass(frozen=True, slots=True)
class AtRisk:
    """Money in unknown states: the sum of one cause, age and environment."""

    cause: Cause
    age: Age
    environment: str
    amount: Money
    count: int


@dataclass(frozen=True, slots=True)
class RiskRow:
    """One thing whose state is unknown, and where to look."""

    cause: Cause
    environment: str
    amount: Money
    since: datetime
    out_trade_no: str | None
    out_request_no: str | None
    detail: str | None
    has_order: bool
    subject: str | None = None
    """``hold`` or ``agreement``, where it is about one and ``out_trade_no`` is its number."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Notifications of one status that the books do not hold yet."""

    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Inbox:
    """All notifications there ever were, and where they are."""

    recorded: int = 0
    kept: int = 0
    backlog: Mapping[str, Backlog] = field(default_factory=dict[str, Backlog])
    surprised: int = 0
    copies_max: int = 0
    copied_often: int = 0
    refused: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def waiting(self) -> int:
        """Recorded, and neither applied nor handed to a person: recorded - applied - surprised."""
        return sum(one.count for one in self.backlog.values())

    @property
    def applied(self) -> int:
        """What the books hold."""
        return self.recorded - self.kept - self.surprised - self.waiting


@dataclass(frozen=True, slots=True)
class OpenSurprises:
    """Surprises that wait for a person, of one reason and environment."""

    reason: str
    environment: str
    amount: Money
    count: int


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Webhooks, and the addresses they go to."""

    made: int = 0
    pending: int = 0
    parked: int = 0
    endpoints: Mapping[str, int] = field(default_factory=dict[str, int])
    failing_since: datetime | None = None

    @property
    def delivered(self) -> int:
        """Those that have arrived."""
        return self.made - self.pending - self.parked


@dataclass(frozen=True, slots=True)
class Key:
    """A key or certificate that an App works with. Public halves only."""

    app_id: str
    environment: str
    kind: str
    fingerprint: str
    serial: str = ""
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consents:
    """What buyers have agreed to in advance, and the steps about it and at the till that are due.

    ``late`` are the moments since when the oldest step of each kind has been due.
    """

    holds: Mapping[str, int] = field(default_factory=dict[str, int])
    frozen: Mapping[str, Money] = field(default_factory=dict[str, Money])
    agreements: Mapping[str, int] = field(default_factory=dict[str, int])
    charges: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    unwatched: Mapping[str, int] = field(default_factory=dict[str, int])
    late: Mapping[str, datetime] = field(default_factory=dict[str, datetime])


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Durable jobs: waiting or running, and failed within the last day."""

    waiting: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole house at one moment, all processes together.

    ``tallies`` are totals by name and label; ``lately`` the same of the last hour or two.
    """

    at: datetime
    inbox: Inbox
    orders_open: int
    orders_unwatched: int
    at_risk: tuple[AtRisk, ...]
    surprises: tuple[OpenSurprises, ...]
    deliveries: Deliveries
    keys: tuple[Key, ...]
    jobs: JobCounts
    alerts_not_sent: int
    tallies: Mapping[str, Mapping[str, int]]
    lately: Mapping[str, Mapping[str, int]]
    consents: Consents = field(default_factory=Consents)


class Severity(StrEnum):
    """Who is to hear of it, and when."""

    PAGE = "page"  # now, whatever the hour
    TICKET = "ticket"  # somebody, in the morning


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong: what it is and what to do, in both languages.

    ``key`` is the kind, with a subject after a colon where there may be several of one kind.
    """

    key: str
    severity: Severity
    zh: str
    en: str
    todo_zh: str
    todo_en: str

    @property
    def code(self) -> str:
        """The kind: the heading under which docs/guides/operate.md tells of it."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a channel: an alert, and whether it is over."""

    alert: Alert
    raised_at: datetime
    resolved_at: datetime | None = None
