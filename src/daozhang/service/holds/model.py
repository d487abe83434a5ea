"""What a hold is, and the facts by which it moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from daozhang.money import Money


class HoldStatus(StrEnum):
    """Where a hold stands."""

    CREATED = "created"  # Alipay has not heard of it, or nobody has scanned or opened it
    WAITING = "waiting"  # the buyer has to confirm
    CLOSING = "closing"  # given up here, not yet proven closed there
    AUTHORIZED = "authorized"  # money is frozen
    FINISHED = "finished"  # nothing is frozen any more: taken, released, or too old
    CLOSED = "closed"  # nothing was ever taken: not confirmed, or cancelled


OPEN_STATUSES = (HoldStatus.CREATED, HoldStatus.WAITING, HoldStatus.CLOSING)


class HoldWay(StrEnum):
    """How the buyer agrees."""

    APP = "app"  # by an order string, in an app or a mini program
    QR = "qr"  # by scanning our code
    BARCODE = "barcode"  # by a code of theirs that is scanned


class HoldFactKind(StrEnum):
    """What Alipay says is true now; the columns of the table."""

    ABSENT = "A"  # no such hold
    INIT = "I"  # the buyer has to confirm
    AUTHORIZED = "S"
    FINISHED = "F"
    CLOSED = "C"


@dataclass(frozen=True, slots=True)
class Payer:
    """Who lets us freeze money, as far as Alipay tells."""

    user_id: str | None = None
    open_id: str | None = None
    logon_id: str | None = None


NOBODY = Payer()


@dataclass(frozen=True, slots=True)
class HoldFact:
    """What Alipay, signed and verified, says of a hold. The totals are cumulative."""

    kind: HoldFactKind
    out_order_no: str
    source: str
    source_ref: str
    learned_at: datetime
    auth_no: str | None = None
    operation_id: str | None = None
    frozen: Money | None = None
    captured: Money | None = None
    rest: Money | None = None
    authorized_at: datetime | None = None
    payer: Payer = NOBODY

    @property
    def released(self) -> Money | None:
        """What has been let go by now: frozen, and neither taken nor left. A query tells no such sum."""
        if self.frozen is None or self.captured is None or self.rest is None:
            return None
        return self.frozen - self.captured - self.rest


@dataclass(frozen=True, slots=True)
class Hold:
    """Money that a buyer lets us freeze. Unique by ``(environment, seller_id, out_order_no)``.

    ``captured`` and ``released`` are the most that Alipay has told of; what is under way here is in the
    orders and releases of the hold.
    """

    id: int
    merchant_id: int
    environment: str
    app_id: str
    seller_id: str
    out_order_no: str
    out_request_no: str
    way: HoldWay
    product_code: str
    amount: Money
    title: str
    status: HoldStatus
    captured: Money
    released: Money
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    auth_no: str | None = None
    operation_id: str | None = None
    payer: Payer = NOBODY
    late: bool = False
    attention: bool = False
    closed_reason: str | None = None
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    called_at: datetime | None = None
    wait_until: datetime | None = None
    absent_count: int = 0
    ask_count: int = 0
    cancel_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None
    authorized_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewHold:
    """What a caller asks for when creating a hold."""

    out_order_no: str
    amount: Money
    title: str
    way: HoldWay
    product_code: str
    expires_at: datetime
    operator_id: str | None = None
    terminal_id: str | None = None
    store_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


class ReleaseStatus(StrEnum):
    """Where a release stands."""

    REQUESTED = "requested"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ReleaseOrigin(StrEnum):
    """Who let money go."""

    OURS = "ours"
    EXTERNAL = "external"  # Alipay: with the last capture, by age, or in the merchant centre


@dataclass(frozen=True, slots=True)
class Release:
    """Money that is let go of a hold."""

    id: int
    hold_id: int
    out_request_no: str | None
    origin: ReleaseOrigin
    status: ReleaseStatus
    amount: Money
    created_at: datetime
    updated_at: datetime
    remark: str | None = None
    operator_id: str | None = None
    calling: bool = False
    rejected: bool = False
    called_at: datetime | None = None
    call_count: int = 0
    ask_count: int = 0
    last_code: str | None = None
    last_message: str | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether money may still move by it."""
        return self.status in (ReleaseStatus.REQUESTED, ReleaseStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the money of a hold is. The parts make up the amount, once it is frozen."""

    frozen: Money
    captured: Money
    capturing: Money
    released: Money
    releasing: Money

    @property
    def remaining(self) -> Money:
        """What is still frozen, and promised to nobody. What Alipay has told of already and is under
        way here still counts twice until our own answer is in: less is promised then, never more."""
        rest = self.frozen - self.captured - self.capturing - self.released - self.releasing
        return max(rest, Money.zero(self.frozen.currency))
