"""A day or a month as a workbook, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from daozhang.console.books.case_views import CLASSES, RESOLUTIONS
from daozhang.console.books.routes import PLACE
from daozhang.console.books.views import BILLS, COLOURS
from daozhang.console.ledger.names import ACCOUNTS, KINDS
from daozhang.console.pages import page
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.people.model import Right
from daozhang.service.reports.actions import make_report_as
from daozhang.service.reports.routes import workbook_response

SHEETS: Final[Mapping[str, str]] = {
    "summary": word("Summary"),
    "days": word("Days of the month"),
    "trial_balance": word("Trial balance"),
    "mismatches": word("What differs"),
    "postings": word("Postings"),
}

COLUMNS: Final[Mapping[str, str]] = {
    "what": word("What"),
    "value": word("Value"),
    "day": word("Day"),
    "colour": word("State"),
    "open_count": word("Cases that wait"),
    "open_amount": word("Amount of these"),
    "closed_by": word("Closed by"),
    "closed_at": word("Closed at (Beijing time)"),
    "account": word("Account"),
    "opening": word("Opening"),
    "debits": word("Debits"),
    "credits": word("Credits"),
    "closing": word("Closing balance"),
    "number": word("Number it is about"),
    "bill": word("Bill"),
    "class": word("What differs"),
    "refund_number": word("Refund number"),
    "trade_number": word("Alipay trade number"),
    "ours": word("In the books"),
    "theirs": word("In the bill"),
    "ended": word("How it ended"),
    "first_seen_at": word("First seen (Beijing time)"),
    "ended_at": word("Ended (Beijing time)"),
    "entry": word("Key"),
    "order": word("Order number"),
    "kind": word("Kind"),
    "booked_on": word("Booked on"),
    "value_date": word("Value date"),
    "happened_at": word("Happened (Beijing time)"),
    "debit": word("Debit"),
    "credit": word("Credit"),
    "amount": word("Amount"),
    "memo": word("Memo"),
}

LINES: Final[Mapping[str, str]] = {
    "seller_id": word("Alipay account"),
    "environment": word("Environment"),
    "period": word("Day or month"),
    "first": word("First day"),
    "last": word("Last day"),
    "status": word("State"),
    "proposed_by": word("Proposed by"),
    "proposed_at": word("Proposed at (Beijing time)"),
    "closed_by": word("Closed by"),
    "closed_at": word("Closed at (Beijing time)"),
    "note": word("Note"),
    "days_closed": word("Days closed"),
    "days": word("All days"),
    "open_count": word("Cases that wait"),
    "open_amount": word("Amount of these"),
    "mismatches": word("Differences found"),
    "mismatches_listed": word("Of these listed here"),
    "postings": word("Postings"),
    "postings_listed": word("Of these listed here"),
    "made_at": word("Made at (Beijing time)"),
    "zone": word("Time zone"),
}

STATUSES: Final[Mapping[str, str]] = {"closed": word("Books closed"), "open": word("Open")}


@page(Right.LEDGER_READ, PLACE)
def report_file(visit: Visit) -> Response:
    """The workbook, closed or not."""
    period = visit.request.path_params["period"][:10]
    content = make_report_as(visit.context, visit.who, visit.merchant, period, _words(visit))
    return workbook_response(content, f"report-{visit.merchant.slug}-{period}.xlsx")


def _words(visit: Visit) -> dict[str, str]:
    named: dict[str, Mapping[str, str]] = {
        "sheet": SHEETS,
        "column": COLUMNS,
        "line": LINES,
        "status": STATUSES,
        "account": {key.value: text for key, text in ACCOUNTS.items()},
        "kind": {key.value: text for key, text in KINDS.items()},
        "class": {key.value: text for key, text in CLASSES.items()},
        "colour": {key.value: text for key, text in COLOURS.items()},
        "bill": BILLS,
        "end": RESOLUTIONS,
    }
    return {
        f"{group}.{name}": visit.t(text)
        for group, texts in named.items()
        for name, text in texts.items()
    }
