"""What the pages of reconciliation show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from babel.dates import format_date, get_day_names

from daozhang.clock import business_day
from daozhang.console.formats import LOCALES
from daozhang.console.paging import CURSOR, Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.bills.model import Statement, StatementKind, StatementStatus
from daozhang.service.closing import rules
from daozhang.service.closing.model import (
    Case,
    CaseEnd,
    CaseNote,
    CaseStatus,
    Colour,
    DayLine,
    DaySheet,
)
from daozhang.service.closing.suggesting import is_askable, suggestion_of
from daozhang.service.journal.reading import NAMES, template_of
from daozhang.service.people.model import Language, Right
from daozhang.service.reconciliation.model import Mismatch, MismatchClass, Run
from daozhang.service.reconciliation.telling import name_of

COLOURS: Final[Mapping[Colour, str]] = {
    Colour.GREY: word("Not over yet"),
    Colour.AMBER: word("Waits"),
    Colour.RED: word("Differs"),
    Colour.GREEN: word("Agrees"),
    Colour.CLOSED: word("Books closed"),
}

CLASSES: Final[Mapping[MismatchClass, str]] = {
    MismatchClass.MISSING_HERE: word("Missing here"),
    MismatchClass.MISSING_THERE: word("Missing in the bill"),
    MismatchClass.AMOUNT_DIFFERS: word("Amount differs"),
    MismatchClass.FEE_DIFFERS: word("Fee differs"),
    MismatchClass.STATE_DIFFERS: word("State differs"),
    MismatchClass.DAY_CUT: word("Cut by midnight"),
    MismatchClass.DUPLICATE: word("Twice in the bill"),
    MismatchClass.FOREIGN: word("Another system's"),
}

ENDS: Final[Mapping[CaseEnd, str]] = {
    CaseEnd.ACCEPTED: word("Alipay's figure is right"),
    CaseEnd.FOREIGN: word("It is another system's"),
    CaseEnd.EXPLAINED: word("Both are right, and it is known why"),
    CaseEnd.BOOKED: word("Book the difference by hand"),
}

RESOLUTIONS: Final[Mapping[str, str]] = {
    "agrees": word("Both sides agree"),
    "day_cut": word("It stood in the next day's bill"),
    "set_aside": word("Set aside by a rule"),
    **{end.value: text for end, text in ENDS.items()},
}

BILLS: Final[Mapping[str, str]] = {
    "trade": word("Trade bill"),
    "signcustomer": word("Account bill"),
}

STATUSES: Final[Mapping[StatementStatus, str]] = {
    StatementStatus.WAITING: word("Not there yet"),
    StatementStatus.KEPT: word("Being read"),
    StatementStatus.READY: word("Read"),
    StatementStatus.HELD: word("Held: it does not add up"),
    StatementStatus.NONE: word("Nothing happened"),
    StatementStatus.ABSENT: word("Alipay has none"),
}


def journals(visit: Visit, period: str) -> list[tuple[str, str]]:
    """Where the vouchers of a closed day or month are, by what the program is called."""
    return [
        (template_of(name).title, f"{visit.home}/books/{period}/journal/{name}") for name in NAMES
    ]


def month_address(visit: Visit, first: date) -> str:
    """Where the month that begins so is shown whole."""
    return f"{visit.home}/books/months/{first:%Y-%m}"


def month_title(visit: Visit, first: date) -> str:
    """How the month that begins so is called."""
    pattern = "MMMM y" if visit.language is Language.ENGLISH else "y年M月"
    return format_date(first, pattern, locale=LOCALES[visit.language])


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day of the calendar; ``number`` alone where it is not of the month."""

    day: date
    in_month: bool
    address: str
    colour: str
    text: str
    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class CalendarView:
    """A month."""

    here: str
    title: str
    whole: str
    before: str
    after: str | None
    weekdays: Sequence[str]
    weeks: Sequence[Sequence[DayCell | None]]
    waiting: Sequence[DayCell]
    counts: Sequence[tuple[str, str, int]]


def calendar_view(visit: Visit, first: date, days: Sequence[DayLine]) -> CalendarView:
    """The month that begins ``first``."""
    locale = LOCALES[visit.language]
    path = f"{visit.home}/books"
    cells = [_cell(visit, line) for line in days]
    padded: list[DayCell | None] = [None] * first.weekday() + list(cells)
    padded += [None] * (-len(padded) % 7)
    after = rules.first_of_next_month(first)
    names = get_day_names("abbreviated", locale=locale)
    return CalendarView(
        here=visit.address,
        title=month_title(visit, first),
        whole=month_address(visit, first),
        before=with_query(path, {"month": f"{first - timedelta(days=1):%Y-%m}"}),
        after=with_query(path, {"month": f"{after:%Y-%m}"})
        if days and _is_past(visit, after)
        else None,
        weekdays=[names[number] for number in range(7)],
        weeks=[padded[n : n + 7] for n in range(0, len(padded), 7)],
        waiting=[cell for cell in cells if cell.count],
        counts=[
            (colour.value, visit.t(text), sum(line.colour is colour for line in days))
            for colour, text in COLOURS.items()
            if any(line.colour is colour for line in days)
        ],
    )


def _is_past(visit: Visit, day: date) -> bool:
    return day <= visit.context.clock.now().date() + timedelta(days=1)


def _cell(visit: Visit, line: DayLine) -> DayCell:
    return DayCell(
        day=line.day,
        in_month=True,
        address=f"{visit.home}/books/{line.day.isoformat()}",
        colour=line.colour.value,
        text=visit.t(_text_of(visit, line)),
        count=line.open_count,
        amount=Money(line.open_minor),
    )


def _text_of(visit: Visit, line: DayLine) -> str:
    is_over = line.day < business_day(visit.context.clock.now())
    return word("Not expected") if line.colour is Colour.GREY and is_over else COLOURS[line.colour]


@dataclass(frozen=True, slots=True)
class BillRow:
    """One of the day's bills."""

    name: str
    address: str | None
    status: str
    tone: str
    statement: Statement | None
    run: Run | None
    matched: Money | None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of the list of cases."""

    address: str
    case: Case
    title: str
    number: str
    ours: Money | None
    theirs: Money | None
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class DayView:
    """A day."""

    sheet: DaySheet
    shop: str
    seller_id: str
    title: str
    month: str
    month_title: str
    colour: str
    text: str
    bills: Sequence[BillRow]
    classes: Sequence[tuple[str, int, Money]]
    cases: Sequence[CaseRow]
    pages: Pages
    obstacles: Sequence[str]
    report: str
    journals: Sequence[tuple[str, str]]
    may_close: bool
    may_read: bool
    here: str


def day_view(visit: Visit, sheet: DaySheet, cases: Sequence[Case]) -> DayView:
    """A day, with a page of its cases, of which one more than a page holds may have been read."""
    t, day, locale = visit.t, sheet.line.day, LOCALES[visit.language]
    here = f"{visit.home}/books/{day.isoformat()}"
    rows = [_Numbered(case.mismatch.id, case) for case in cases]
    shown, pages = cut(rows, here, {CURSOR: visit.query.get(CURSOR, "")})
    chinese = visit.language is Language.CHINESE
    return DayView(
        sheet=sheet,
        shop=visit.merchant.name,
        seller_id=visit.merchant.seller_id,
        title=format_date(day, "full", locale=locale),
        month=with_query(f"{visit.home}/books", {"month": f"{day:%Y-%m}"}),
        month_title=t(word("Reconciliation")),
        colour=sheet.line.colour.value,
        text=t(_text_of(visit, sheet.line)),
        bills=[_bill_row(visit, kind, sheet.statements[kind], sheet.runs[kind]) for kind in BILLS],
        classes=[
            (t(CLASSES[kind]), count, Money(minor))
            for kind, (count, minor) in sheet.line.open_counts.items()
        ],
        cases=[_case_row(visit, row.case) for row in shown],
        pages=pages,
        obstacles=[one.say_zh if chinese else one.say for one in sheet.obstacles],
        report=f"{here}/report.xlsx",
        journals=[] if sheet.line.closing is None else journals(visit, day.isoformat()),
        may_close=visit.may(Right.LEDGER_LOCK)
        and not sheet.obstacles
        and sheet.line.closing is None,
        may_read=visit.may(Right.LEDGER_BOOK),
        here=here,
    )


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A case, ordered by the number of its mismatch."""

    id: int
    case: Case


TONES: Final[Mapping[StatementStatus, str]] = {
    StatementStatus.READY: "good",
    StatementStatus.NONE: "calm",
    StatementStatus.HELD: "bad",
    StatementStatus.ABSENT: "bad",
}


def bill_address(visit: Visit, statement: Statement) -> str:
    """Where the page of a bill is."""
    return f"{visit.home}/books/bills/{statement.kind}/{statement.period}"


def months_bills(visit: Visit, found: Sequence[Statement]) -> Sequence[tuple[str, str, str, str]]:
    """The bills of a whole month: address, name, state and its tone."""
    t = visit.t
    return [
        (
            bill_address(visit, one),
            t(BILLS[one.kind]),
            t(STATUSES[one.status]),
            TONES.get(one.status, "busy"),
        )
        for one in found
    ]


def _bill_row(visit: Visit, kind: str, statement: Statement | None, run: Run | None) -> BillRow:
    status = None if statement is None else statement.status
    return BillRow(
        name=visit.t(BILLS[kind]),
        address=None if statement is None else bill_address(visit, statement),
        status=visit.t(word("Not expected")) if status is None else visit.t(STATUSES[status]),
        tone="calm" if status is None else TONES.get(status, "busy"),
        statement=statement,
        run=run,
        matched=None if run is None or kind != "trade" else Money(run.matched_minor),
    )


_STATES: Final[Mapping[CaseStatus, tuple[str, str]]] = {
    CaseStatus.OPEN: (word("Open"), "warn"),
    CaseStatus.PROPOSED: (word("Waits for a second person"), "busy"),
    CaseStatus.SETTLED: (word("Settled"), "calm"),
}


def _case_row(visit: Visit, case: Case) -> CaseRow:
    one = case.mismatch
    text, tone = _STATES[case.status]
    return CaseRow(
        address=f"{visit.home}/books/cases/{one.public_id}",
        case=case,
        title=visit.t(CLASSES[one.mismatch]),
        number=_number(visit, one),
        ours=_money(one.ours_minor),
        theirs=_money(one.theirs_minor),
        state=visit.t(text),
        tone=tone,
    )


def _number(visit: Visit, one: Mismatch) -> str:
    if one.kind is StatementKind.ACCOUNT:
        return name_of(one)[visit.language is Language.CHINESE]
    return one.out_request_no or one.out_trade_no or one.trade_no or one.key


def _money(minor: int | None) -> Money | None:
    return None if minor is None else Money(minor)


@dataclass(frozen=True, slots=True)
class Side:
    """A figure as both sides have it."""

    name: str
    bill: str | Money | None
    books: str | Money | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case."""

    row: CaseRow
    day: str
    day_address: str
    suggestion: str
    sides: Sequence[Side]
    order: str | None
    notes: Sequence[CaseNote]
    ends: Sequence[tuple[str, str]]
    proposed_end: str | None
    resolution: str | None
    is_mine: bool
    may_work: bool
    may_ask: bool
    may_agree: bool
    is_proposer: bool


def case_view(visit: Visit, case: Case, notes: Sequence[CaseNote]) -> CaseView:
    """A case as ``visit`` may see it; deeds are offered to whoever may do them."""
    t, one = visit.t, case.mismatch
    own = str(visit.who.actor)
    may_work = visit.may(Right.LEDGER_BOOK) and one.is_open
    in_chinese = visit.language is Language.CHINESE
    has_order = one.order_id is not None and visit.may(Right.ORDERS_READ)
    return CaseView(
        row=_case_row(visit, case),
        day=visit.formats.day(one.day),
        day_address=f"{visit.home}/books/{one.day.isoformat()}",
        suggestion=suggestion_of(one)[in_chinese],
        sides=_sides(visit, one),
        order=f"{visit.home}/orders/{one.out_trade_no}" if has_order else None,
        notes=notes,
        ends=[(end.value, t(ENDS[end])) for end in rules.ENDS[one.mismatch]],
        proposed_end=None if case.proposed_end is None else t(ENDS[case.proposed_end]),
        resolution=None if one.resolution is None else t(RESOLUTIONS[one.resolution]),
        is_mine=case.owner == own,
        may_work=may_work,
        may_ask=may_work and visit.may(Right.ORDERS_QUERY) and is_askable(one),
        may_agree=visit.may(Right.LEDGER_APPROVE) and one.is_open,
        is_proposer=case.proposed_by == own,
    )


def _sides(visit: Visit, one: Mismatch) -> Sequence[Side]:
    t = visit.t
    bill: Mapping[str, Any] = one.evidence.get("bill") or {}
    books: Mapping[str, Any] = one.evidence.get("books") or {}
    sides = [
        Side(t(word("Amount")), _money(one.theirs_minor), _money(one.ours_minor)),
        Side(
            t(word("Received by you")),
            _money(bill.get("receipt_minor")),
            _money(books.get("receipt_minor")),
        ),
        Side(t(word("Fee")), _money(bill.get("fee_minor")), None),
        Side(t(word("Alipay trade number")), bill.get("trade_no"), books.get("trade_no")),
        Side(
            t(word("Time")),
            bill.get("at"),
            one.evidence.get("paid_at") or one.evidence.get("refunded_at") or books.get("day"),
        ),
        Side(t(word("State")), None, books.get("status")),
        Side(
            t(word("Line of the file")), _text(bill.get("line") or one.evidence.get("line")), None
        ),
    ]
    return [side for side in sides if side.bill is not None or side.books is not None]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
