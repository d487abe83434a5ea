"""What the pages of surprises show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from daozhang.console.paging import CURSOR, ROWS, Pages, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.orders.model import Surprise, SurpriseEnd
from daozhang.service.orders.surprises import OpenSum
from daozhang.service.people.model import Language, Person, Right
from daozhang.service.surprises.reading import Known
from daozhang.service.surprises.rules import meaning_of, subject_of
from daozhang.service.web.pagination import write_cursor

TABS: Final = (
    ("", word("Open")),
    ("mine", word("Mine")),
    ("free", word("Nobody's")),
    ("ended", word("Dealt with")),
)

TITLES: Final[Mapping[str, str]] = {
    "amount_differs": word("Another amount"),
    "seller_id_differs": word("Another seller"),
    "app_id_differs": word("Another app"),
    "trade_no_differs": word("Another trade number"),
    "refund_exceeds_total": word("More refunded than paid"),
    "paid_trade_absent": word("Paid here, unknown there"),
    "paid_trade_closed_unpaid": word("Paid here, closed there"),
    "finished_trade_absent": word("Finished here, unknown there"),
    "finished_trade_closed_unpaid": word("Finished here, closed there"),
    "finished_trade_refunded": word("Refunded after its end"),
    "refunded_trade_absent": word("Refunded here, unknown there"),
    "refunded_trade_finished": word("Refunded here, finished there"),
    "paid_after_confirmed_close": word("Paid after it was closed"),
    "order_paid_late": word("Paid too late"),
    "order_duplicate_payment": word("Cart paid twice"),
    "outcome_stays_unclear": word("Outcome unclear"),
    "cancel_stays_unclear": word("Cancel unclear"),
    "refund_stays_unclear": word("Refund unclear"),
    "refund_waits_for_balance": word("Balance too low for a refund"),
    "failed_refund_succeeded": word("Failed refund has gone"),
    "receiver_cannot_return": word("Receiver cannot give back"),
    "share_waits_for_balance": word("Balance too low for shares"),
    "share_stays_unclear": word("Shares unclear"),
    "failed_share_succeeded": word("Failed share has gone"),
    "share_return_unclear": word("What receivers gave back is unclear"),
    "share_plan_failed": word("Plan could not share"),
    "settlement_stays_unclear": word("Settlement unclear"),
    "failed_settlement_confirmed": word("Failed settlement is confirmed"),
    "share_message_differs": word("Share message does not fit"),
    "refund_bounced": word("Refund sent back by the bank"),
    "bank_message_differs": word("Bank message does not fit"),
    "payment_without_order": word("Payment nobody claims"),
    "notification_not_understood": word("Not understood"),
    "notification_not_applicable": word("Could not be applied"),
    "notification_contradicted": word("Notification contradicted"),
}
_OTHER: Final = word("Does not fit")


def age(visit: Visit, surprise: Surprise) -> str:
    """How long it has waited, or took to be dealt with."""
    until = surprise.resolved_at or visit.context.clock.now()
    waited = max(until - surprise.created_at, timedelta())
    if waited.days:
        return visit.t("{count} d", count=waited.days)
    hours = waited.seconds // 3600
    if hours:
        return visit.t("{count} h", count=hours)
    return visit.t("{count} min", count=waited.seconds // 60)


@dataclass(frozen=True, slots=True)
class SurpriseRow:
    """A line of the queue."""

    address: str
    surprise: Surprise
    title: str
    age: str
    is_old: bool
    owner: str | None


@dataclass(frozen=True, slots=True)
class ListView:
    """The queue."""

    here: str
    tab: str
    tabs: Sequence[tuple[str, str, bool]]
    sums: Sequence[OpenSum]
    rows: Sequence[SurpriseRow]
    pages: Pages


def list_view(
    visit: Visit, tab: str, found: Sequence[Surprise], sums: Sequence[OpenSum]
) -> ListView:
    """The queue of ``found``, of which one more than a page holds may have been read."""
    path, shown = f"{visit.home}/surprises", found[:ROWS]
    here = {"show": tab}
    onward = {**here, CURSOR: write_cursor(shown[-1].id)} if len(found) > ROWS else None
    return ListView(
        here=visit.address,
        tab=tab,
        tabs=[
            (with_query(path, {"show": name}), visit.t(text), name == tab) for name, text in TABS
        ],
        sums=sums,
        rows=[_row(visit, one) for one in shown],
        pages=Pages(
            count=len(shown),
            first=with_query(path, here) if visit.query.get(CURSOR) else None,
            next=None if onward is None else with_query(path, onward),
        ),
    )


def _row(visit: Visit, surprise: Surprise) -> SurpriseRow:
    waited = visit.context.clock.now() - surprise.created_at
    return SurpriseRow(
        address=f"{visit.home}/surprises/{surprise.id}",
        surprise=surprise,
        title=visit.t(TITLES.get(surprise.reason, _OTHER)),
        age=age(visit, surprise),
        is_old=surprise.is_open and waited >= timedelta(days=1),
        owner=surprise.owner_name,
    )


@dataclass(frozen=True, slots=True)
class SurpriseView:
    """One surprise."""

    line: SurpriseRow
    known: Known
    meaning: str
    subject: str | None
    order: str | None
    notifications: str | None
    is_mine: bool
    is_anothers: bool
    may_work: bool
    ends: frozenset[str]
    workers: Sequence[Person]
    waits: bool


def surprise_view(visit: Visit, known: Known, workers: Sequence[Person]) -> SurpriseView:
    """One surprise as ``visit`` may see it; ends are offered to whoever may work on it."""
    surprise, own = known.surprise, str(visit.who.actor)
    may_work = visit.may(Right.SURPRISES_WORK) and surprise.is_open
    is_anothers = surprise.owner.startswith("person:") and surprise.owner != own
    ends = known.possible_ends if may_work and not is_anothers else ()
    offered = {end.value for end in ends}
    if not visit.may(Right.REFUNDS_REQUEST):
        offered.discard(SurpriseEnd.REFUNDED.value)
    chinese = visit.language is Language.CHINESE
    has_order = known.order is not None and visit.may(Right.ORDERS_READ)
    number = surprise.out_trade_no
    return SurpriseView(
        line=_row(visit, surprise),
        known=known,
        meaning=meaning_of(surprise)[1 if chinese else 0],
        subject=subject_of(surprise),
        order=f"{visit.home}/orders/{number}" if has_order else None,
        notifications=f"{visit.home}/notifications"
        if visit.may(Right.NOTIFICATIONS_READ)
        else None,
        is_mine=surprise.owner == own,
        is_anothers=is_anothers,
        may_work=may_work,
        ends=frozenset(offered),
        workers=[one for one in workers if str(one.actor) != surprise.owner],
        waits=visit.query.get("waits") == "1" and surprise.is_open,
    )
