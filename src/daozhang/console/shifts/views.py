"""What the pages of shifts show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daozhang.console.orders.views import WAYS
from daozhang.console.paging import Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal
from daozhang.service.shifts.model import Shift, ShiftStatus
from daozhang.service.till.counting import CURRENCY, REFUNDED, Count, Tally, read_kept

_TABS = (
    ("", word("All")),
    (ShiftStatus.OPEN.value, word("Running")),
    (ShiftStatus.HANDED_OVER.value, word("Waits to be taken")),
    (ShiftStatus.TAKEN.value, word("Taken over")),
)


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A line of the list. ``count`` is what was kept when it was handed over."""

    address: str
    shift: Shift
    count: Count | None


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of shifts, and for whoever may set it the limit of each."""

    path: str
    here: str
    tabs: Sequence[tuple[str, str, bool]]
    rows: Sequence[ShiftRow]
    pages: Pages
    sets_limit: bool
    limit: str
    limit_error: str | None


def list_view(
    visit: Visit, found: Sequence[Shift], status: str, refusal: Refusal | None, typed: str
) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    path = f"{visit.home}/shifts"
    shown, pages = cut(found, path, {"status": status, "before": visit.query.get("before", "")})
    minor = visit.merchant.second_person_shift_minor
    set_to = "" if minor is None else str(Money(minor, CURRENCY))
    return ListView(
        path=path,
        here=visit.address if visit.request.method == "GET" else path,
        tabs=[
            (with_query(path, {"status": value}), visit.t(text), value == status)
            for value, text in _TABS
        ],
        rows=[
            ShiftRow(
                f"{path}/{each.public_id}", each, None if each.is_open else read_kept(each.counted)
            )
            for each in shown
        ],
        pages=pages,
        sets_limit=visit.may(Right.MERCHANTS_WRITE),
        limit=typed or set_to,
        limit_error=None if refusal is None else visit.says(refusal),
    )


@dataclass(frozen=True, slots=True)
class CountRow:
    """A line of the hand-over: what the books said, what was noted, and how far they are apart.

    ``now`` is what the books say today where that is something else.
    """

    name: str
    text: str
    booked: Tally
    noted: Money | None
    difference: Money | None
    now: Tally | None


@dataclass(frozen=True, slots=True)
class ShiftView:
    """One shift."""

    path: str
    here: str
    shift: Shift
    rows: Sequence[CountRow]
    count: Count
    now: Count
    has_noted: bool
    changed_since: bool
    signed: str | None
    limit: Money | None
    may_hand_over: bool
    may_take: bool
    error: str | None
    typed: Mapping[str, str]


def shift_view(visit: Visit, shift: Shift, now: Count, refusal: Refusal | None) -> ShiftView:
    """One shift with the books of ``now``; once handed over, beside those that were signed."""
    count = now if shift.is_open else read_kept(shift.counted)
    noted: Mapping[str, int] = {} if shift.is_open else shift.counted["noted"]
    own = shift.person_id == visit.who.id
    minor = visit.merchant.second_person_shift_minor
    path = f"{visit.home}/shifts/{shift.public_id}"
    return ShiftView(
        path=path,
        here=visit.address if visit.request.method == "GET" else path,
        shift=shift,
        rows=_rows(visit, count, now, noted),
        count=count,
        now=now,
        has_noted=bool(noted),
        changed_since=count != now,
        signed=None if shift.is_open else str(shift.counted["signed"]),
        limit=None if minor is None else Money(minor, CURRENCY),
        may_hand_over=shift.is_open and (own or visit.may(Right.TILL_SHIFTS)),
        may_take=shift.status is ShiftStatus.HANDED_OVER and not own,
        error=None if refusal is None else visit.says(refusal),
        typed=visit.form,
    )


def _rows(visit: Visit, count: Count, now: Count, noted: Mapping[str, int]) -> list[CountRow]:
    def row(name: str, text: str, booked: Tally, today: Tally) -> CountRow:
        by_hand = Money(noted[name], CURRENCY) if name in noted else None
        apart = None if by_hand is None else by_hand - booked.total
        return CountRow(name, text, booked, by_hand, apart, today if today != booked else None)

    ways = [
        row(way.value, visit.t(WAYS[way]), tally, now.taken.get(way, Tally()))
        for way, tally in count.taken.items()
    ]
    back = row(REFUNDED, visit.t(word("Given back")), count.refunded, now.refunded)
    return [*ways, back]
