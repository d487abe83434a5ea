"""The hand-over of a shift: what its books say, what was noted by hand, and the two signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.orders.model import OPEN_STATUSES, OrderStatus, Way
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.refunds.model import RefundStatus
from daozhang.service.shifts.actions import close_shift, visible_shift
from daozhang.service.shifts.model import Shift
from daozhang.service.shifts.refusals import ShiftNoteMissing
from daozhang.service.shifts.rules import NOTE_CHARACTERS_MAX, differences
from daozhang.service.shifts.store import find_shift
from daozhang.service.till import sales_store
from daozhang.service.web.context import Context

WAYS: Final = (Way.QR, Way.BARCODE)
"""How one pays at a till."""

REFUNDED: Final = "refunded"
"""The line of what went back, beside those of the ways."""

CURRENCY: Final = "CNY"
"""What Alipay's till takes (`orders.actions.CURRENCY_TAKEN`)."""


NOTHING: Final = Money(0, CURRENCY)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many, and what they come to."""

    count: int = 0
    total: Money = NOTHING

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, self.total + other.total)


@dataclass(frozen=True, slots=True)
class Count:
    """What the books say of a shift. ``taken`` is what buyers paid, also of what went back since."""

    taken: Mapping[Way, Tally]
    refunded: Tally
    refunds_open: Tally
    orders_open: Tally
    unpaid: Tally

    @property
    def all_taken(self) -> Tally:
        """Over all ways."""
        return sum(self.taken.values(), Tally())

    @property
    def net(self) -> Money:
        """What stays, of what is final."""
        return self.all_taken.total - self.refunded.total

    @property
    def is_final(self) -> bool:
        """Whether nothing of it can change by itself any more."""
        return not (self.orders_open.count or self.refunds_open.count)

    def lines(self) -> dict[str, int]:
        """The sums that are noted by hand as well, in minor units."""
        return {
            **{way.value: tally.total.minor for way, tally in self.taken.items()},
            REFUNDED: self.refunded.total.minor,
        }


def count_shift(tx: Tx, shift_id: int) -> Count:
    """What the books say of a shift now."""
    taken = {way: Tally() for way in WAYS}
    orders_open = unpaid = refunded = refunds_open = Tally()
    for way, status, count, total in sales_store.sum_orders_of_shift(tx, shift_id):
        tally = Tally(count, total)
        if status in OPEN_STATUSES:
            orders_open += tally
        elif status is OrderStatus.CLOSED:
            unpaid += tally
        else:
            taken[way] = taken.get(way, Tally()) + tally
    for status, count, total in sales_store.sum_refunds_of_shift(tx, shift_id):
        if status is RefundStatus.SUCCEEDED:
            refunded += Tally(count, total)
        elif status is not RefundStatus.FAILED:
            refunds_open += Tally(count, total)
    return Count(taken, refunded, refunds_open, orders_open, unpaid)


def hand_over(
    context: Context,
    actor: Person,
    merchant_id: int,
    public_id: str,
    *,
    noted: Mapping[str, Money],
    note: str | None,
) -> Shift:
    """Ends a shift: what the books say is kept beside what was ``noted``, signed by ``actor``.

    One's own, or anybody's for who oversees shifts. What is not final yet stands in it as such.
    Raises `ShiftNotFound`, `ShiftNotOpen`, and `ShiftNoteMissing` if the two differ without a word.
    """
    require(actor, Right.TILL_USE, merchant_id)
    said = (note or "").strip()[:NOTE_CHARACTERS_MAX] or None
    with context.database.begin() as tx:
        shift = visible_shift(tx, actor, merchant_id, public_id, lock=True)
        if shift.person_id != actor.id:
            require(actor, Right.TILL_SHIFTS, merchant_id)
        count = count_shift(tx, shift.id)
        by_hand = {name: amount.minor for name, amount in noted.items()}
        if said is None and differences(count.lines(), by_hand):
            raise ShiftNoteMissing
        counted = {**kept(count), "noted": by_hand, "signed": actor.name}
        close_shift(tx, context, actor, shift, counted, said)
        ended = find_shift(tx, merchant_id, public_id)
    assert ended is not None
    return ended


def kept(count: Count) -> dict[str, Any]:
    """``count`` as a shift keeps it: counts and minor units."""

    def pair(tally: Tally) -> list[int]:
        return [tally.count, tally.total.minor]

    return {
        "taken": {way.value: pair(tally) for way, tally in count.taken.items()},
        "refunded": pair(count.refunded),
        "refunds_open": pair(count.refunds_open),
        "orders_open": pair(count.orders_open),
        "unpaid": pair(count.unpaid),
    }


def read_kept(counted: Mapping[str, Any]) -> Count:
    """What `kept` has written."""

    def tally(pair: list[int]) -> Tally:
        return Tally(pair[0], Money(pair[1], CURRENCY))

    return Count(
        taken={Way(name): tally(pair) for name, pair in counted["taken"].items()},
        refunded=tally(counted["refunded"]),
        refunds_open=tally(counted["refunds_open"]),
        orders_open=tally(counted["orders_open"]),
        unpaid=tally(counted["unpaid"]),
    )
