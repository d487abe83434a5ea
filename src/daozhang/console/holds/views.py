"""What the pages of holds show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daozhang.console.forms import new_number
from daozhang.console.paging import Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.holds.messages import sentences_for
from daozhang.service.holds.model import (
    OPEN_STATUSES,
    Balance,
    Hold,
    HoldStatus,
    HoldWay,
    Release,
)
from daozhang.service.orders.model import Order
from daozhang.service.people import masking
from daozhang.service.people.model import Language, Right

WAYS: Final[Mapping[HoldWay, str]] = {
    HoldWay.APP: word("App"),
    HoldWay.QR: word("QR code"),
    HoldWay.BARCODE: word("Payment code"),
}

_TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("All")),
    (HoldStatus.AUTHORIZED, word("Frozen")),
    (HoldStatus.WAITING, word("Waiting for the buyer to confirm")),
    (HoldStatus.CREATED, word("Not confirmed yet")),
    (HoldStatus.CLOSING, word("Being cancelled")),
    (HoldStatus.FINISHED, word("Settled")),
    (HoldStatus.CLOSED, word("Closed, nothing taken")),
)

THOUSANDTHS: Final = 1000


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A line of the list."""

    id: int
    address: str
    hold: Hold
    way: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of holds."""

    here: str
    narrows: bool
    tabs: Sequence[tuple[str, str, bool]]
    rows: Sequence[HoldRow]
    pages: Pages


@dataclass(frozen=True, slots=True)
class Strip:
    """A part of the bar that shows where money is: from ``start``, so wide, in thousandths."""

    kind: str
    text: str
    amount: Money
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class HoldView:
    """One hold, with what this visitor may do with it."""

    hold: Hold
    path: str
    way: str
    strips: Sequence[Strip]
    balance: Balance
    payer: Sequence[str]
    captures: Sequence[Order]
    releases: Sequence[Release]
    answer: str | None
    number: str
    may_capture: bool
    may_release: bool
    may_cancel: bool
    is_still: bool


def status_of(query: Mapping[str, str]) -> str | None:
    """Which holds an address asks for; all of them if it cannot be understood."""
    asked = query.get("state", "")
    return asked if asked in tuple(HoldStatus) else None


def list_view(visit: Visit, status: str | None, found: Sequence[Hold]) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    t, path, chosen = visit.t, f"{visit.home}/holds", status or ""
    rows = [HoldRow(one.id, f"{path}/{one.out_order_no}", one, t(WAYS[one.way])) for one in found]
    shown, pages = cut(rows, path, {"state": chosen, "before": visit.query.get("before", "")})
    return ListView(
        here=visit.address,
        narrows=status is not None,
        tabs=[
            (with_query(path, {"state": value}), t(text), value == chosen) for value, text in _TABS
        ],
        rows=shown,
        pages=pages,
    )


def hold_view(
    visit: Visit,
    hold: Hold,
    balance: Balance,
    captures: Sequence[Order],
    releases: Sequence[Release],
) -> HoldView:
    """One hold as ``visit`` may see it: who froze the money is masked for whoever needs it not."""
    payer, who = hold.payer, visit.who
    has_rest = hold.status is HoldStatus.AUTHORIZED and bool(balance.remaining)
    said = sentences_for(hold.last_code, hold.last_message)
    return HoldView(
        hold=hold,
        path=f"{visit.home}/holds/{hold.out_order_no}",
        way=visit.t(WAYS[hold.way]),
        strips=strips_of(visit, balance) if hold.authorized_at is not None else (),
        balance=balance,
        payer=masking.buyer(who, payer.logon_id, payer.user_id or payer.open_id),
        captures=captures,
        releases=releases,
        answer=None if said is None else said[visit.language is Language.CHINESE],
        number=new_number(visit, "hold"),
        may_capture=has_rest and not hold.attention and visit.may(Right.HOLDS_CAPTURE),
        may_release=has_rest and visit.may(Right.HOLDS_RELEASE),
        may_cancel=hold.status in OPEN_STATUSES
        and hold.status is not HoldStatus.CLOSING
        and visit.may(Right.HOLDS_RELEASE),
        is_still=not balance.capturing and not balance.releasing,
    )


def strips_of(visit: Visit, balance: Balance) -> list[Strip]:
    """Where the frozen money is: what was taken first, what remains last."""
    parts = (
        ("captured", word("Taken"), balance.captured),
        ("capturing", word("Being taken"), balance.capturing),
        ("releasing", word("Being let go"), balance.releasing),
        ("released", word("Let go"), balance.released),
        ("remaining", word("Still frozen"), balance.remaining),
    )
    strips: list[Strip] = []
    before = 0
    whole = max(balance.frozen.minor, 1)
    for kind, text, amount in parts:
        start = before * THOUSANDTHS // whole
        before += amount.minor
        end = min(before * THOUSANDTHS // whole, THOUSANDTHS)
        strips.append(Strip(kind, visit.t(text), amount, start, max(end - start, 0)))
    return strips
