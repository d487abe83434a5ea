"""What the pages of reconciliation show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from babel.dates import format_date, get_day_names

from daozhang.clock import business_day
from daozhang.console.books.case_views import CLASSES, CaseRow, case_row
from daozhang.console.formats import LOCALES
from daozhang.console.paging import CURSOR, Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.bills.model import Statement, StatementStatus
from daozhang.service.closing import rules
from daozhang.service.closing.model import (
    Case,
    Colour,
    DayLine,
    DaySheet,
)
from daozhang.service.journal.reading import NAMES, template_of
from daozhang.service.people.model import Language, Right
from daozhang.service.reconciliation.model import Run

COLOURS: Final[Mapping[Colour, str]] = {
    Colour.GREY: word("Not over yet"),
    Colour.AMBER: word("Waits"),
    Colour.RED: word("Differs"),
    Colour.GREEN: word("Agrees"),
    Colour.CLOSED: word("Books closed"),
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
        cases=[case_row(visit, row.case) for row in shown],
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
