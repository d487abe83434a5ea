"""The page by which a bank statement is given, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from daozhang.console.bank.routes import PLACE
from daozhang.console.forms import text_sent
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.timeline import marked
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.banking.actions import Imported
from daozhang.service.banking.by_people import give_statement_as
from daozhang.service.banking.refusals import StatementUnreadable
from daozhang.service.banking.statements import columns_of
from daozhang.service.people.model import Right

STATEMENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""A year of a busy account, as a bank writes it."""

NAME_CHARACTERS_MAX: Final = 64
FIELDS: Final[Mapping[str, str]] = {
    "date": word("Column of the day"),
    "amount": word("Column of the money that came in"),
    "payer": word("Column of who paid"),
    "number": word("Column of the bank's number"),
}
"""What a person may name, in the order in which `columns_of` takes it."""

FILE_MISSING: Final = word("Choose the bank statement first.")


@page(Right.LEDGER_BOOK, PLACE)
def give_page(visit: Visit) -> Response:
    """The form."""
    return _form(visit, None, None, 200)


@page(Right.LEDGER_BOOK, PLACE, file_bytes_max=STATEMENT_BYTES_MAX)
def give(visit: Visit) -> Response:
    """Keeps what the statement has of Alipay's payments, and says how much of it was new."""
    if visit.upload is None:
        return _form(visit, visit.t(FILE_MISSING), None, 422)
    columns = columns_of(*(_named(visit, name) for name in FIELDS))
    content = visit.upload.file.read()
    try:
        done = give_statement_as(visit.context, visit.who, visit.merchant.id, content, columns)
    except StatementUnreadable as refusal:
        # It names what stands in the file, in whichever language that is.
        return _form(visit, marked(visit.says(refusal), visit.language), None, refusal.status)
    return _form(visit, None, done, 200)


def _form(visit: Visit, refused: str | None, done: Imported | None, status: int) -> Response:
    names = {name: text_sent(visit, name, NAME_CHARACTERS_MAX) for name in FIELDS}
    return respond(
        visit,
        "bank/statement.html",
        status,
        refused=refused,
        done=done,
        path=f"{visit.home}/bank",
        fields=[(name, visit.t(label), names[name]) for name, label in FIELDS.items()],
        names_given=any(names.values()),
    )


def _named(visit: Visit, name: str) -> str | None:
    return text_sent(visit, name, NAME_CHARACTERS_MAX) or None
