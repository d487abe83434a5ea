"""Where the pages of reconciliation hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.books import bills, journal, months, reports, routes
from daozhang.console.rooms import Group, Link, Room
from daozhang.console.words import word
from daozhang.service.people.model import Right

_CASE: Final = "/books/cases/{case_id}"
_BILL: Final = "/books/bills/{kind}/{period}"

ROOM: Final = Room(
    name="books",
    routes=[
        Route("/books", routes.calendar_page),
        Route("/books/months/{month}", months.month_page),
        Route("/books/months/{month}/{deed}", months.deed_page, methods=["POST"]),
        Route("/books/{period}/report.xlsx", reports.report_file),
        Route("/books/{period}/journal/{template}", journal.journal_file),
        Route("/books/upload", bills.upload_page),
        Route("/books/upload", bills.upload, methods=["POST"]),
        Route(_BILL, bills.bill_page),
        Route(f"{_BILL}/choose", bills.choose, methods=["POST"]),
        Route(f"{_BILL}/fetch", bills.fetch, methods=["POST"]),
        Route("/books/files/{file}", bills.take_file),
        Route("/books/{day}", routes.day_page),
        Route("/books/{day}/close", routes.close_page, methods=["POST"]),
        Route("/books/{day}/read", routes.read_page, methods=["POST"]),
        Route(_CASE, routes.case_page),
        Route(f"{_CASE}/{{deed}}", routes.deed_page, methods=["POST"]),
    ],
    links=[
        Link(
            title=word("Reconciliation"),
            icon="calendar",
            path="/books",
            right=Right.LEDGER_READ,
            group=Group.MONEY,
            place=70,
        )
    ],
)
