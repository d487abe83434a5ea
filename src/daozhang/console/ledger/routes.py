"""The pages of the ledger that show: the trial balance, a moment, an account, an entry."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from daozhang.clock import business_day
from daozhang.console.ledger.postings import AFTER, day_view, entry_view
from daozhang.console.ledger.spans import day_of, moment_of, span_of
from daozhang.console.ledger.views import (
    account_view,
    moment_view,
    trial_balance_view,
)
from daozhang.console.pages import page
from daozhang.console.paging import ROWS
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.ledger.model import KEY_CHARACTERS_MAX, Account, EntryKind
from daozhang.service.ledger.reading import (
    backfilling_until,
    book_of,
    list_account,
    list_days,
    list_reversed,
    read_balances,
    read_entry,
    read_trial_balance,
)
from daozhang.service.orders.store import numbers_of
from daozhang.service.people.model import Right
from daozhang.service.web.pagination import read_cursor

ROOM = "ledger"
HERE = f"{ROOM}/ledger"


@page(Right.LEDGER_READ, HERE)
def trial_balance_page(visit: Visit) -> Response:
    """All accounts over some days, grouped, with the sums that must be nothing."""
    span = span_of(visit.query, business_day(visit.context.clock.now()))
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
        found = read_trial_balance(tx, book, span.first, span.last)
    return respond(visit, "ledger/trial_balance.html", view=trial_balance_view(visit, span, found))


@page(Right.LEDGER_READ, HERE)
def moment_page(visit: Visit) -> Response:
    """What each account held at a moment."""
    at = moment_of(visit.query, visit.formats.zone, visit.context.clock.now())
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
        held = read_balances(tx, book, at)
        until = backfilling_until(tx)
    return respond(visit, "ledger/moment.html", view=moment_view(visit, book, at, held, until))


@page(Right.LEDGER_READ, HERE)
def account_page(visit: Visit) -> Response:
    """An account: what was posted to it on a day, or the days on which something was."""
    account = _account(visit.request.path_params["account"])
    day = day_of(visit.query, "day")
    if day is not None:
        return _day_page(visit, account)
    span = span_of(visit.query, business_day(visit.context.clock.now()))
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
        found = list_days(tx, book, account, span.first, span.last)
        until = backfilling_until(tx)
    view = account_view(visit, book, span, found, until)
    return respond(visit, "ledger/account.html", view=view)


def _day_page(visit: Visit, account: Account) -> Response:
    day = day_of(visit.query, "day")
    assert day is not None
    cursor = visit.query.get(AFTER)
    after_id = read_cursor(cursor) if cursor else 0
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
        held, _ = list_days(tx, book, account, day, day)
        posted = list_account(tx, book, account, day, after_id=after_id, rows_max=ROWS + 1)
        numbers = numbers_of(tx, {one.order_id for one in posted if one.order_id is not None})
        gone = list_reversed(tx, book, posted)
    view = day_view(visit, book, day, held, posted, numbers, gone)
    return respond(visit, "ledger/day.html", view=view)


@page(Right.LEDGER_READ, HERE)
def entry_page(visit: Visit) -> Response:
    """One entry whole: all that it moved, why, and whether it was taken back."""
    return entry_shown(visit, kind_of(visit.query.get("kind", "")), key_of(visit.query))


def entry_shown(
    visit: Visit, kind: EntryKind, key: str, refusal: str | None = None, status: int = 200
) -> Response:
    """The page of an entry; with a ``refusal``, after something about it was not done."""
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
        posted = read_entry(tx, book, kind, key)
        numbers = numbers_of(tx, {one.order_id for one in posted if one.order_id is not None})
        gone = list_reversed(tx, book, posted)
    view = entry_view(visit, book, posted, numbers, gone, refusal)
    return respond(visit, "ledger/entry.html", status, view=view)


def key_of(fields: Mapping[str, str]) -> str:
    """The key of an entry that an address or a form names, without what no key has."""
    key = "".join(letter for letter in fields.get("key", "") if letter.isprintable())
    return key[:KEY_CHARACTERS_MAX]


def kind_of(text: str) -> EntryKind:
    """The kind that an address names; raises `HTTPException` 404."""
    if text not in tuple(EntryKind):
        raise HTTPException(404)
    return EntryKind(text)


def _account(text: str) -> Account:
    if text not in tuple(Account):
        raise HTTPException(404)
    return Account(text)
