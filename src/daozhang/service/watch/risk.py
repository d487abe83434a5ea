"""Money at risk, in SQL: what is in an unknown state, by cause, from small indexes only.

An order that a person has to look at is counted by its surprise, not a second time by its state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.charges.model import Phase as ChargePhase
from daozhang.service.charges.store import OPEN as OPEN_CHARGES
from daozhang.service.charges.store import charges
from daozhang.service.db import Moment, Tx
from daozhang.service.holds.model import HoldStatus, ReleaseStatus
from daozhang.service.holds.store import OPEN as OPEN_HOLDS
from daozhang.service.holds.store import UNDECIDED as UNDECIDED_RELEASES
from daozhang.service.holds.store import hold_releases, holds
from daozhang.service.inbox.store import NOT_APPLIED, notifications
from daozhang.service.merchants.store import merchants
from daozhang.service.orders.model import ClosingReason, OrderStatus, Way
from daozhang.service.orders.store import OPEN, UNCLEAR, orders
from daozhang.service.orders.surprises import UNRESOLVED, surprises
from daozhang.service.refunds.model import RefundStatus
from daozhang.service.refunds.store import UNDECIDED, refunds
from daozhang.service.watch.model import AGES_FROM, Age, AtRisk, Cause, RiskRow
from daozhang.service.watch.reading import WITH_A_PERSON
from daozhang.service.watch.store import fetch

OVERDUE_SECONDS: Final = 600
"""How long after an order's expiry and grace Alipay should have proven what became of it."""

NOT_APPLIED_SECONDS: Final = 60
"""A notification that is applied within this time was never at risk."""

_CNY: Final = "CNY"

_OVERDUE_BEFORE: Final = sa.bindparam("overdue_before", type_=Moment)
_NOT_APPLIED_BEFORE: Final = sa.bindparam("not_applied_before", type_=Moment)


def _order_rows(since: sa.ColumnElement[Any], *conditions: Any) -> Any:
    return sa.select(
        orders.c.merchant_id,
        orders.c.environment,
        orders.c.currency,
        orders.c.amount_minor.label("minor"),
        since.label("since"),
        orders.c.out_trade_no,
        sa.null().label("out_request_no"),
        orders.c.status.label("detail"),
        sa.true().label("has_order"),
        sa.null().label("subject"),
    ).where(~orders.c.attention, *conditions)


def _refund_rows(status: RefundStatus) -> Any:
    found = (
        sa.select(refunds)
        .where(UNDECIDED, refunds.c.status == sa.literal(status.value, literal_execute=True))
        .subquery()
    )
    return sa.select(
        found.c.merchant_id,
        orders.c.environment,
        found.c.currency,
        found.c.amount_minor.label("minor"),
        found.c.created_at.label("since"),
        orders.c.out_trade_no,
        found.c.out_request_no,
        found.c.last_code.label("detail"),
        sa.true().label("has_order"),
        sa.null().label("subject"),
    ).join(orders, orders.c.id == found.c.order_id)


def _charge_rows(*, sent: bool) -> Any:
    """Charges that are not over; of those in doubt the order is counted by that."""
    found = sa.select(charges).where(OPEN_CHARGES).subquery()
    since = sa.func.coalesce(found.c.called_at, found.c.created_at)
    rows = sa.select(
        found.c.merchant_id,
        orders.c.environment,
        orders.c.currency,
        orders.c.amount_minor.label("minor"),
        since.label("since"),
        orders.c.out_trade_no,
        sa.null().label("out_request_no"),
        found.c.last_code.label("detail"),
        sa.true().label("has_order"),
        sa.null().label("subject"),
    ).join(orders, orders.c.id == found.c.order_id)
    is_due = found.c.phase == ChargePhase.DUE.value
    return rows.where(~orders.c.attention, ~is_due if sent else is_due)


def _hold_rows(since: sa.ColumnElement[Any], *conditions: Any) -> Any:
    return sa.select(
        holds.c.merchant_id,
        holds.c.environment,
        holds.c.currency,
        holds.c.amount_minor.label("minor"),
        since.label("since"),
        holds.c.out_order_no.label("out_trade_no"),
        sa.null().label("out_request_no"),
        holds.c.status.label("detail"),
        sa.false().label("has_order"),
        sa.literal("hold").label("subject"),
    ).where(OPEN_HOLDS, ~holds.c.attention, *conditions)


def _release_rows(status: ReleaseStatus) -> Any:
    found = (
        sa.select(hold_releases)
        .where(
            UNDECIDED_RELEASES,
            hold_releases.c.status == sa.literal(status.value, literal_execute=True),
        )
        .subquery()
    )
    return sa.select(
        holds.c.merchant_id,
        holds.c.environment,
        found.c.currency,
        found.c.amount_minor.label("minor"),
        found.c.created_at.label("since"),
        holds.c.out_order_no.label("out_trade_no"),
        found.c.out_request_no,
        found.c.last_code.label("detail"),
        sa.false().label("has_order"),
        sa.literal("hold").label("subject"),
    ).join(holds, holds.c.id == found.c.hold_id)


def _surprise_rows() -> Any:
    found = sa.select(surprises).where(UNRESOLVED).subquery()
    return sa.select(
        found.c.merchant_id,
        merchants.c.environment,
        found.c.currency,
        found.c.amount_minor.label("minor"),
        found.c.created_at.label("since"),
        found.c.out_trade_no,
        sa.null().label("out_request_no"),
        found.c.reason.label("detail"),
        found.c.order_id.is_not(None).label("has_order"),
        # Whoever tells a person of a hold or an agreement begins with its kind and number.
        sa.case(
            (found.c.detail.startswith("hold "), "hold"),
            (found.c.detail.startswith("agreement "), "agreement"),
        ).label("subject"),
    ).join(merchants, merchants.c.id == found.c.merchant_id)


def _notification_rows() -> Any:
    found = (
        sa.select(notifications)
        .where(
            NOT_APPLIED,
            ~WITH_A_PERSON,  # its surprise is counted
            notifications.c.received_at < _NOT_APPLIED_BEFORE,
        )
        .subquery()
    )
    total = found.c.fact["total"]
    return sa.select(
        found.c.merchant_id,
        merchants.c.environment,
        sa.func.coalesce(total[1].as_string(), _CNY).label("currency"),
        sa.func.coalesce(total[0].as_integer(), 0).label("minor"),
        found.c.received_at.label("since"),
        found.c.out_trade_no,
        sa.null().label("out_request_no"),
        found.c.kind.label("detail"),
        sa.false().label("has_order"),
        sa.null().label("subject"),
    ).join(merchants, merchants.c.id == found.c.merchant_id)


def _rows_of(cause: Cause) -> Any:
    waits = holds.c.status.in_((HoldStatus.CREATED.value, HoldStatus.WAITING.value))
    given_up = holds.c.status == HoldStatus.CLOSING.value
    rows: Mapping[Cause, Callable[[], Any]] = {
        Cause.CANCELLING: lambda: _order_rows_of(cause),
        Cause.OVERDUE: lambda: _order_rows_of(cause),
        Cause.UNCLEAR: lambda: _order_rows_of(cause),
        Cause.REFUND_REQUESTED: lambda: _refund_rows(RefundStatus.REQUESTED),
        Cause.REFUND_UNKNOWN: lambda: _refund_rows(RefundStatus.UNKNOWN),
        Cause.CHARGE_REQUESTED: lambda: _charge_rows(sent=False),
        Cause.CHARGE_UNKNOWN: lambda: _charge_rows(sent=True),
        Cause.HOLD_CANCELLING: lambda: _hold_rows(holds.c.created_at, given_up),
        Cause.HOLD_OVERDUE: lambda: _hold_rows(
            holds.c.expires_at, waits, holds.c.expires_at < _OVERDUE_BEFORE
        ),
        Cause.RELEASE_REQUESTED: lambda: _release_rows(ReleaseStatus.REQUESTED),
        Cause.RELEASE_UNKNOWN: lambda: _release_rows(ReleaseStatus.UNKNOWN),
        Cause.NOTIFICATION: _notification_rows,
        Cause.SURPRISE: _surprise_rows,
    }
    return rows[cause]()


def _order_rows_of(cause: Cause) -> Any:
    cancels = orders.c.closing_reason == ClosingReason.CANCEL.value
    if cause is Cause.CANCELLING:
        closing = orders.c.status == OrderStatus.CLOSING.value
        return _order_rows(orders.c.created_at, OPEN, closing, cancels)
    if cause is Cause.UNCLEAR:
        # As long as Alipay is still asked about it; after that it is a surprise, or proven. Said
        # so that no planner takes it for a reason to read all orders that are asked about.
        is_asked = sa.case((orders.c.next_query_at.is_(None), 0), else_=1) == 1
        return _order_rows(orders.c.created_at, UNCLEAR, is_asked)
    others = orders.c.closing_reason.is_(None) | ~cancels
    overdue = orders.c.expires_at < _OVERDUE_BEFORE
    # What is charged from here is counted by its charge.
    theirs = orders.c.way.not_in((Way.HOLD.value, Way.AGREEMENT.value))
    clear = orders.c.unclear_count == 0
    return _order_rows(orders.c.expires_at, OPEN, overdue, others, clear, theirs)


def sum_at_risk(
    tx: Tx, now: datetime, *, grace_seconds: int, merchant_id: int | Collection[int] | None = None
) -> list[AtRisk]:
    """The sums by cause, age, environment and currency; of one merchant, or of some, if given."""
    given = _moments(now, grace_seconds)
    if merchant_id is not None:
        of_all = [merchant_id] if isinstance(merchant_id, int) else list(merchant_id)
        given["merchant_ids"] = of_all
    return [
        AtRisk(cause, Age(age), environment, Money(int(minor), currency), count)
        for cause in Cause
        for age, environment, currency, minor, count in fetch(
            tx, _sums(cause, of_some=merchant_id is not None), given
        )
    ]


def _moments(now: datetime, grace_seconds: int) -> dict[str, Any]:
    """The moments by which statements tell what is at risk, and for how long."""
    return {
        "overdue_before": now - timedelta(seconds=grace_seconds + OVERDUE_SECONDS),
        "not_applied_before": now - timedelta(seconds=NOT_APPLIED_SECONDS),
        **{bucket.value: now - age for bucket, age in AGES_FROM.items()},
    }


@cache
def _sums(cause: Cause, *, of_some: bool) -> Any:
    """Built once: to build all of them takes longer than to ask them."""
    found = _rows_of(cause).subquery()
    age = _age_of(found.c.since).label("age")
    wanted = sa.select(
        age,
        found.c.environment,
        found.c.currency,
        sa.func.sum(found.c.minor),
        sa.func.count(),
    ).group_by("age", found.c.environment, found.c.currency)
    if not of_some:
        return wanted
    merchant_ids: sa.BindParameter[Any] = sa.bindparam("merchant_ids", expanding=True)
    return wanted.where(_merchant_of(found).in_(merchant_ids))


def _merchant_of(found: Any) -> sa.ColumnElement[int]:
    """A sum, so that nobody looks for a merchant's few things in doubt among all that it has."""
    return found.c.merchant_id + 0


def _age_of(since: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    oldest_first = sorted(AGES_FROM.items(), key=lambda each: each[1], reverse=True)
    whens = [
        (sa.type_coerce(since, Moment) <= sa.bindparam(bucket.value, type_=Moment), bucket.value)
        for bucket, _ in oldest_first
    ]
    return sa.case(*whens, else_=Age.FRESH.value)


def list_at_risk(
    tx: Tx, merchant_id: int, now: datetime, *, grace_seconds: int, rows_max: int
) -> list[RiskRow]:
    """The merchant's things in unknown states, the oldest first of each cause."""
    given = {**_moments(now, grace_seconds), "merchant_id": merchant_id, "rows_max": rows_max}
    return [
        _risk_row(cause, row)
        for cause in Cause
        for row in tx.execute(_oldest(cause), given).mappings().all()
    ]


@cache
def _oldest(cause: Cause) -> Any:
    found = _rows_of(cause).subquery()
    wanted = sa.select(found).where(_merchant_of(found) == sa.bindparam("merchant_id"))
    return wanted.order_by(found.c.since).limit(sa.bindparam("rows_max"))


def _risk_row(cause: Cause, row: Mapping[Any, Any]) -> RiskRow:
    return RiskRow(
        cause=cause,
        environment=row["environment"],
        amount=Money(int(row["minor"]), row["currency"]),
        since=row["since"],
        out_trade_no=row["out_trade_no"],
        out_request_no=row["out_request_no"],
        detail=row["detail"],
        has_order=bool(row["has_order"]),
        subject=row["subject"],
    )
