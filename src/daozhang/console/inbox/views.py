"""What the pages of notifications show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daozhang.console.inbox.reasons import REASONS, Advice
from daozhang.console.paging import Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.inbox.model import InboxStatus, RecordedNotification, RefusedNotification
from daozhang.service.inbox.rules import MESSAGE
from daozhang.service.inbox.showing import ShownNotification
from daozhang.service.people.masking import sees_personal
from daozhang.service.people.model import Right


@dataclass(frozen=True, slots=True)
class Tab:
    """A filter by what became of a notification."""

    name: str
    text: str
    statuses: tuple[InboxStatus, ...] = ()
    messages: bool | None = None


TABS: Final = (
    Tab("", word("All")),
    Tab("surprised", word("Needs a person"), (InboxStatus.SURPRISED,)),
    Tab("waiting", word("Waiting for its order"), (InboxStatus.WAITING,)),
    Tab("open", word("Being applied"), (InboxStatus.RECEIVED, InboxStatus.CONFIRMING)),
    Tab("applied", word("Applied"), (InboxStatus.APPLIED, InboxStatus.KEPT)),
    Tab("messages", word("Messages"), messages=True),
)

KINDS: Final[Mapping[str, str]] = {
    "paid": word("Paid"),
    "partly_refunded": word("Partly refunded"),
    "fully_refunded": word("Refunded in full"),
    "closed": word("Closed unpaid"),
    "closed_unclear": word("Closed, with signs of a payment"),
    "finished": word("Finished"),
    "waiting": word("Waiting for the buyer"),
    "unknown": word("Of an unknown kind"),
}


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A line of the list. ``name`` is Alipay's own, of a message."""

    address: str
    row: RecordedNotification
    kind: str | None
    name: str
    order: str | None


@dataclass(frozen=True, slots=True)
class ListView:
    """The inbox."""

    path: str
    here: str
    tab: Tab
    number: str
    tabs: Sequence[tuple[str, str, bool]]
    rows: Sequence[InboxRow]
    pages: Pages


def list_view(
    visit: Visit, tab: Tab, number: str, found: Sequence[RecordedNotification]
) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    path = f"{visit.home}/notifications"
    filters = {"status": tab.name, "number": number}
    shown, pages = cut(found, path, {**filters, "before": visit.query.get("before", "")})
    return ListView(
        path=path,
        here=visit.address,
        tab=tab,
        number=number,
        tabs=[*_tabs(visit, path, tab.name, number)],
        rows=[_row(visit, one) for one in shown],
        pages=pages,
    )


def _tabs(visit: Visit, path: str, here: str, number: str = "") -> list[tuple[str, str, bool]]:
    tabs = [
        (
            with_query(path, {"status": one.name, "number": number}),
            visit.t(one.text),
            one.name == here,
        )
        for one in TABS
    ]
    return [*tabs, (f"{path}/refused", visit.t("Not believed"), here == "refused")]


def _row(visit: Visit, row: RecordedNotification) -> InboxRow:
    is_message = row.kind.startswith(MESSAGE)
    kind = None if is_message else KINDS.get(row.kind, KINDS["unknown"])
    may = visit.may(Right.ORDERS_READ) and row.out_trade_no is not None and not is_message
    return InboxRow(
        address=f"{visit.home}/notifications/{row.id}",
        row=row,
        kind=None if kind is None else visit.t(kind),
        name=row.kind.removeprefix(MESSAGE),
        order=f"{visit.home}/orders/{row.out_trade_no}" if may else None,
    )


@dataclass(frozen=True, slots=True)
class NotificationView:
    """One notification."""

    line: InboxRow
    shown: ShownNotification
    became: str
    key: str | None
    unmask: str | None
    may_apply: bool
    was_applied: bool
    surprises: str | None


def notification_view(visit: Visit, shown: ShownNotification) -> NotificationView:
    """One notification as ``visit`` may see it."""
    line = _row(visit, shown.row)
    offers = shown.is_masked and sees_personal(visit.who)
    surprised = shown.row.status in (InboxStatus.SURPRISED, InboxStatus.WAITING)
    may_see = surprised and visit.may(Right.SURPRISES_READ)
    return NotificationView(
        line=line,
        shown=shown,
        became=visit.t(_BECAME[shown.row.status]),
        key=None if shown.key is None else " ".join(_fours(shown.key[:32])),
        unmask=f"{line.address}?personal=1" if offers else None,
        may_apply=visit.may(Right.NOTIFICATIONS_APPLY) and shown.row.has_body,
        was_applied=visit.query.get("applied") == "1",
        surprises=f"{visit.home}/surprises" if may_see else None,
    )


_BECAME: Final[Mapping[InboxStatus, str]] = {
    InboxStatus.RECEIVED: word("It is recorded, and will be applied in a moment."),
    InboxStatus.CONFIRMING: word(
        "It lacks an identity, so Alipay is asked to confirm it before it is believed."
    ),
    InboxStatus.WAITING: word(
        "There is no order of that number yet. It is applied as soon as there is one; after an hour a "
        "person is told."
    ),
    InboxStatus.APPLIED: word("It is in the books."),
    InboxStatus.KEPT: word("It is kept; nobody acts on this kind."),
    InboxStatus.SURPRISED: word("It does not fit what is in the books, so a person has to decide."),
}


def _fours(text: str) -> list[str]:
    return [text[at : at + 4] for at in range(0, len(text), 4)]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One that was not believed."""

    row: RefusedNotification
    advice: Advice
    raw: Sequence[str]


@dataclass(frozen=True, slots=True)
class RefusedView:
    """What was not believed."""

    tabs: Sequence[tuple[str, str, bool]]
    counted: Sequence[tuple[str, int]]
    rows: Sequence[RefusedRow]
    pages: Pages


def refused_view(
    visit: Visit,
    counted: Mapping[str, int],
    found: Sequence[tuple[RefusedNotification, Sequence[str]]],
) -> RefusedView:
    """The counts by reason, the most frequent first, and the sample."""
    path = f"{visit.home}/notifications"
    filters = {"before": visit.query.get("before", "")}
    shown, pages = cut([row for row, _ in found], f"{path}/refused", filters)
    raw = {row.id: lines for row, lines in found}
    ranked = sorted(counted.items(), key=lambda each: -each[1])
    return RefusedView(
        tabs=_tabs(visit, path, "refused"),
        counted=[(_advice(visit, reason).why, count) for reason, count in ranked],
        rows=[RefusedRow(row, _advice(visit, row.reason), raw[row.id]) for row in shown],
        pages=pages,
    )


def _advice(visit: Visit, reason: str) -> Advice:
    advice = REASONS.get(reason, REASONS["malformed"])
    return Advice(visit.t(advice.why), visit.t(advice.todo))
