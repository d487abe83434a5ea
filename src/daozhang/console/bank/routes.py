"""The pages of the bank: what is open on both sides, what is matched, and saying which is which."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.clock import business_day
from daozhang.console.bank.views import DAY, LINE, matches_view, open_view
from daozhang.console.forgery import FormOutdated
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.banking.actions import BankSide, read_bank_side
from daozhang.service.banking.by_people import match_as
from daozhang.service.banking.refusals import MatchPartUnknown, MatchUneven
from daozhang.service.banking.store import list_parts
from daozhang.service.db import Tx
from daozhang.service.ledger.model import Account
from daozhang.service.ledger.reading import book_of, read_balances
from daozhang.service.people.model import Right

PLACE: Final = "bank/bank"
DAYS_SHOWN: Final = timedelta(days=90)
NOTHING_TICKED: Final = word("Tick at least one day of withdrawals.")


@page(Right.LEDGER_READ, PLACE)
def open_page(visit: Visit) -> Response:
    """What left for the bank and what arrived there, as far as nobody has said which is which."""
    return _open(visit, None, 200)


@page(Right.LEDGER_READ, PLACE)
def matches_page(visit: Visit) -> Response:
    """What somebody has said, newest first, and whether a second person has agreed."""
    with visit.context.database.read() as tx:
        side = _side(visit, tx)
        parts = list_parts(tx, [one.id for one in side.matches])
    return respond(visit, "bank/matches.html", view=matches_view(visit, side, parts))


@page(Right.LEDGER_BOOK, PLACE)
def match_page(visit: Visit) -> Response:
    """Says which withdrawals are which lines; a second person agrees where approvals are."""
    days, lines = {_day(name) for name in _ticked(visit, DAY)}, {*_ticked(visit, LINE)}
    if not days:
        return _open(visit, visit.t(NOTHING_TICKED), 422)
    try:
        match_as(visit.context, visit.who, visit.merchant.id, days, lines)
    except (MatchPartUnknown, MatchUneven) as refusal:
        return _open(visit, visit.says(refusal), refusal.status)
    return RedirectResponse(f"{visit.home}/bank/matches", 303)


def _open(visit: Visit, refused: str | None, status: int) -> Response:
    with visit.context.database.read() as tx:
        side = _side(visit, tx)
        held = read_balances(tx, side.book, visit.context.clock.now())
    view = open_view(visit, side, held[Account.WITHDRAWAL_IN_TRANSIT])
    return respond(visit, "bank/open.html", status, view=view, refused=refused)


def _side(visit: Visit, tx: Tx) -> BankSide:
    today = business_day(visit.context.clock.now())
    return read_bank_side(tx, book_of(tx, visit.merchant.id), today - DAYS_SHOWN, today)


def _ticked(visit: Visit, before: str) -> list[str]:
    """What is ticked of one side: a form has each name once."""
    return [name.removeprefix(before)[:32] for name in visit.form if name.startswith(before)]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FormOutdated from None
