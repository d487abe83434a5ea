"""What the page of a bill shows, ready for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from babel.dates import format_date

from daozhang.alipay.bills import Side
from daozhang.console.books.views import BILLS, STATUSES, TONES
from daozhang.console.formats import LOCALES
from daozhang.console.paging import with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.bills.model import (
    FileOrigin,
    FileStatus,
    Statement,
    StatementFile,
    StatementStatus,
)
from daozhang.service.people.model import Language, Right

ADVICE: Final[Mapping[str, str]] = {
    "bill_unreadable": word(
        "Download it again in Alipay's merchant centre and give the file as it is: the archive, not "
        "unpacked, and not saved again by a spreadsheet."
    ),
    "bill_of_another": word(
        "Sign in to Alipay's merchant centre with this merchant's account and download the bill there; "
        "or choose, in the menu, the merchant whose bill it is."
    ),
}
"""What to do about a file that was refused, by the code of the refusal."""

SIDES: Final[Mapping[str, str]] = {
    Side.PAYMENTS.value: word("Payments of buyers"),
    Side.REFUNDS.value: word("Refunds"),
    Side.INCOME.value: word("Money in"),
    Side.OUTGO.value: word("Money out"),
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of the bill."""

    file: StatementFile
    address: str
    dialog: str
    stands: bool
    is_new: bool
    came: str
    added_by: str | None
    totals: Sequence[tuple[str, int, Money]]
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class BillView:
    """A bill with its files, newest first."""

    statement: Statement
    title: str
    here: str
    status: str
    tone: str
    back: str
    back_title: str
    files: Sequence[FileRow]
    undecided: bool
    is_being_read: bool
    may_give: bool
    may_fetch: bool


def bill_view(visit: Visit, statement: Statement, files: Sequence[StatementFile]) -> BillView:
    """The bill as ``visit`` may see it."""
    t, books = visit.t, f"{visit.home}/books"
    standing = next((one for one in files if one.id == statement.file_id), None)
    here = f"{books}/bills/{statement.kind}/{statement.period}"
    may_work = visit.may(Right.LEDGER_BOOK)
    is_over = statement.until <= visit.context.clock.now()
    is_here = statement.status in (StatementStatus.KEPT, StatementStatus.READY)
    back = with_query(books, {"month": statement.period})
    return BillView(
        statement=statement,
        title=f"{t(BILLS[statement.kind])} · {_period(visit, statement)}",
        here=here,
        status=t(STATUSES[statement.status]),
        tone=TONES.get(statement.status, "busy"),
        back=back if statement.is_month else f"{books}/{statement.period}",
        back_title=_period(visit, statement),
        files=[_row(visit, one, standing) for one in files],
        # One that has stood before is "replaced": somebody has decided about it.
        undecided=standing is not None
        and any(one.status is FileStatus.KEPT and one.id != standing.id for one in files),
        is_being_read=statement.status is StatementStatus.KEPT,
        may_give=may_work,
        may_fetch=may_work and is_over and not is_here,
    )


def _row(visit: Visit, file: StatementFile, standing: StatementFile | None) -> FileRow:
    t, by_hand = visit.t, file.origin is FileOrigin.UPLOADED
    chinese = visit.language is Language.CHINESE
    says = [*file.differences, *([file.problem] if file.problem else [])]
    return FileRow(
        file=file,
        address=f"{visit.home}/books/files/{file.public_id}",
        dialog=f"choose-{file.public_id}",
        stands=standing is not None and file.id == standing.id,
        is_new=file.line_count is None,
        came=t(word("Given by hand")) if by_hand else t(word("Fetched from Alipay")),
        added_by=file.added_name if by_hand else None,
        totals=[
            (t(SIDES[side]), total["count"], Money.parse(total["amount"]))
            for side, total in (file.totals or {}).items()
        ],
        problems=[one["say_zh" if chinese else "say"] for one in says],
    )


def _period(visit: Visit, statement: Statement) -> str:
    if not statement.is_month:
        return visit.formats.day(statement.first)
    pattern = "y年M月" if visit.language is Language.CHINESE else "MMMM y"
    return format_date(statement.first, pattern, locale=LOCALES[visit.language])
