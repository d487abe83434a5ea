"""Holds: what a buyer let a merchant freeze, and every operation on it, as docs/reference/emulator.md says.

As the ledger: no HTTP, no signatures, no clock of its own; a frozen record for each hold, replaced as a
whole when it changes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.clock import BEIJING
from daozhang.emulator.ledger import CANCEL_WINDOW, Declined
from daozhang.money import Money

NOTHING: Final = Money(0)


class HoldStatus(StrEnum):
    """Alipay's own words for the hold."""

    INIT = "INIT"
    AUTHORIZED = "AUTHORIZED"
    FINISH = "FINISH"
    CLOSED = "CLOSED"


class Kind(StrEnum):
    """What an operation did."""

    FREEZE = "FREEZE"
    UNFREEZE = "UNFREEZE"
    PAY = "PAY"


@dataclass(frozen=True, slots=True)
class FreezeRequest:
    """What a merchant asks a buyer to let freeze, and where to tell of it."""

    app_id: str
    auth_app_id: str
    seller_id: str
    out_order_no: str
    out_request_no: str
    title: str
    amount: Money
    product_code: str
    expires_at: datetime
    notify_url: str = ""
    charset: str = "utf-8"
    sign_type: str = "RSA2"

    @property
    def key(self) -> tuple[str, str]:
        """What names a hold: the seller and the seller's own number."""
        return self.seller_id, self.out_order_no

    def same_terms_as(self, other: FreezeRequest) -> bool:
        """Whether both ask for the same freeze."""
        own = self.out_request_no, self.amount, self.title, self.product_code
        return own == (other.out_request_no, other.amount, other.title, other.product_code)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that was done to a hold."""

    operation_id: str
    out_request_no: str
    kind: Kind
    amount: Money
    status: str
    at: datetime
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, as it is now."""

    auth_no: str
    request: FreezeRequest
    buyer_id: str
    created_at: datetime
    operations: tuple[Operation, ...]
    status: HoldStatus = HoldStatus.INIT
    authorized_at: datetime | None = None

    @property
    def number(self) -> str:
        """The merchant's own number."""
        return self.request.out_order_no

    def total(self, kind: Kind) -> Money:
        """The sum of what succeeded of one kind."""
        done = (o.amount for o in self.operations if o.kind is kind and o.status == "SUCCESS")
        return Money.total(done)

    @property
    def rest(self) -> Money:
        """What is still frozen."""
        return self.total(Kind.FREEZE) - self.total(Kind.UNFREEZE) - self.total(Kind.PAY)

    def operation(self, operation_id: str, out_request_no: str) -> Operation | None:
        """The operation of either number; Alipay's wins."""
        for one in self.operations:
            if operation_id and one.operation_id == operation_id:
                return one
            if not operation_id and one.out_request_no == out_request_no:
                return one
        return None


@dataclass(slots=True)
class Holds:
    """All of them. Not safe for threads; its owner holds a lock."""

    _holds: dict[tuple[str, str], Hold] = field(default_factory=dict[tuple[str, str], Hold])

    def all(self) -> list[Hold]:
        """Every hold, oldest first."""
        return list(self._holds.values())

    def find(self, seller_id: str, auth_no: str = "", out_order_no: str = "") -> Hold:
        """The seller's hold; ``auth_no`` wins. Raises `Declined` with ``AUTH_ORDER_NOT_EXIST``."""
        for hold in self._holds.values():
            own = hold.auth_no == auth_no if auth_no else hold.number == out_order_no
            if own and hold.request.seller_id == seller_id:
                return hold
        raise Declined("AUTH_ORDER_NOT_EXIST")

    def check_terms(self, request: FreezeRequest, now: datetime) -> Hold | None:
        """The hold of that number, if it is there and ``request`` asks for it. Raises `Declined`."""
        hold = self._holds.get(request.key)
        if hold is None:
            if request.expires_at <= now:
                raise Declined("ORDER_ALREADY_CLOSED", "the time to confirm is over")
            return None
        if not request.same_terms_as(hold.request):
            raise Declined("UNIQUE_VIOLATION")
        return hold

    def open(self, request: FreezeRequest, now: datetime) -> Hold:
        """The hold that a buyer was asked for: a new one, or the same one again. Raises `Declined`."""
        hold = self.check_terms(request, now)
        if hold is not None:
            return hold
        freeze = Operation(
            _new_number(now), request.out_request_no, Kind.FREEZE, request.amount, "INIT", now
        )
        buyer_id = "2088" + _digits(12)
        return self._keep(Hold(_new_number(now, 28), request, buyer_id, now, (freeze,)))

    def confirm(self, hold: Hold, now: datetime) -> Hold:
        """The buyer lets the money be frozen. Raises `Declined`."""
        _require(hold, HoldStatus.INIT)
        frozen = replace(hold.operations[0], status="SUCCESS", at=now)
        return self._keep(
            replace(hold, operations=(frozen,), status=HoldStatus.AUTHORIZED, authorized_at=now)
        )

    def close(self, hold: Hold) -> Hold:
        """Nobody confirmed in time, or it was cancelled: what is frozen goes back."""
        closed = tuple(
            replace(o, status="CLOSED") if o.kind is Kind.FREEZE else o for o in hold.operations
        )
        return self._keep(replace(hold, operations=closed, status=HoldStatus.CLOSED))

    def unfreeze(
        self, hold: Hold, amount: Money, out_request_no: str, remark: str, now: datetime
    ) -> tuple[Hold, Operation, bool]:
        """Lets some of it go; whether it moved now, or had before. Raises `Declined`."""
        known = hold.operation("", out_request_no)
        if known is not None:
            if known.kind is not Kind.UNFREEZE or known.amount != amount:
                raise Declined("UNIQUE_VIOLATION")
            return hold, known, False
        _require(hold, HoldStatus.AUTHORIZED)
        if amount > hold.rest:
            raise Declined("REQUEST_AMOUNT_EXCEED", f"{hold.rest} is left")
        done = Operation(
            _new_number(now), out_request_no, Kind.UNFREEZE, amount, "SUCCESS", now, remark
        )
        return self._with(hold, done), done, True

    def require_capturable(self, hold: Hold, amount: Money, product_code: str) -> None:
        """Raises `Declined` unless ``amount`` may be taken from ``hold`` now."""
        refusals = {
            HoldStatus.INIT: "ACQ.AUTH_ORDER_NOT_PAID",
            HoldStatus.FINISH: "ACQ.AUTH_ORDER_HAS_FINISHED",
            HoldStatus.CLOSED: "ACQ.AUTH_ORDER_HAS_CLOSED",
        }
        if hold.status in refusals:
            raise Declined(refusals[hold.status])
        if product_code != hold.request.product_code:
            raise Declined("ACQ.PRE_AUTH_PROD_CODE_INCONSISTENT")
        if amount > hold.rest:
            raise Declined("ACQ.AUTH_AMOUNT_NOT_ENOUGH", f"{hold.rest} is left")

    def capture(self, hold: Hold, amount: Money, out_trade_no: str, now: datetime) -> Hold:
        """Some of it was taken by a payment."""
        done = Operation(_new_number(now), out_trade_no, Kind.PAY, amount, "SUCCESS", now)
        return self._with(hold, done)

    def cancel(self, hold: Hold, now: datetime) -> tuple[Hold, str, bool]:
        """Undoes the freeze; what that did, and whether now. Raises `Declined`."""
        if hold.status is HoldStatus.CLOSED:
            return hold, "close" if hold.authorized_at is None else "unfreeze", False
        if hold.status is HoldStatus.FINISH:
            raise Declined("ORDER_ALREADY_FINISH")
        if now - hold.created_at > CANCEL_WINDOW:
            raise Declined("CANCEL_OPERATION_TIME_OUT")
        if hold.status is HoldStatus.INIT:
            return self.close(hold), "close", True
        if len(hold.operations) > 1:
            raise Declined("REQUEST_AMOUNT_EXCEED", "some of it was taken or let go")
        return self.close(hold), "unfreeze", True

    def clear(self) -> None:
        """Forgets every hold."""
        self._holds.clear()

    def _with(self, hold: Hold, done: Operation) -> Hold:
        changed = replace(hold, operations=(*hold.operations, done))
        if not changed.rest:
            changed = replace(changed, status=HoldStatus.FINISH)
        return self._keep(changed)

    def _keep(self, hold: Hold) -> Hold:
        self._holds[hold.request.key] = hold
        return hold


def is_too_old(hold: Hold, days: int, now: datetime) -> bool:
    """Whether Alipay lets go what is left of it."""
    at = hold.authorized_at
    return hold.status is HoldStatus.AUTHORIZED and at is not None and at + timedelta(days) <= now


def _require(hold: Hold, status: HoldStatus) -> None:
    if hold.status is status:
        return
    raise Declined(
        {
            HoldStatus.INIT: "ILLEGAL_STATUS",
            HoldStatus.AUTHORIZED: "FREEZE_ALREADY_SUCCESS",
            HoldStatus.FINISH: "ORDER_ALREADY_FINISH",
            HoldStatus.CLOSED: "ORDER_ALREADY_CLOSED",
        }[hold.status]
    )


def _new_number(now: datetime, length: int = 20) -> str:
    day = f"{now.astimezone(BEIJING):%Y%m%d}"
    return day + _digits(length - len(day))


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}d}"
