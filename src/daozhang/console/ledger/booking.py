"""Entries by hand in the console: asked for here, leg by leg, and decided where approvals are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import (
    NUMBER,
    amount_sent,
    new_number,
    number_sent,
    text_sent,
    time_sent,
)
from daozhang.console.ledger.names import ACCOUNTS, GROUPS
from daozhang.console.ledger.routes import HERE, entry_shown, key_of, kind_of
from daozhang.console.ledger.views import BookView, book_view
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.approvals.rules import NOTE_CHARACTERS_MAX
from daozhang.service.ledger.by_hand import ask_entry, ask_reversal
from daozhang.service.ledger.model import Account, Legs
from daozhang.service.ledger.reading import book_of
from daozhang.service.ledger.refusals import EntryEmpty, EntryUnbalanced
from daozhang.service.people.model import Right
from daozhang.service.web.problem import AmountInvalid

LEGS: Final = 4
LEGS_MAX: Final = 12
SIDES: Final[Sequence[tuple[str, str]]] = (("debit", word("Debit")), ("credit", word("Credit")))
WHY: Final = word("Say why: it stays with the entry, for whoever reads the books.")
NOT_YET: Final = word("Choose a time that is not in the future.")


@dataclass(frozen=True, slots=True)
class LegField:
    """A line of the form, as it was sent."""

    place: int
    account: str
    side: str
    amount: str
    error: str | None


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of an entry by hand."""

    book: BookView
    number: str
    accounts: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    sides: Sequence[tuple[str, str]]
    legs: Sequence[LegField]
    more: int | None
    at: str
    reason: str
    refusal: str | None
    errors: Mapping[str, str]


@page(Right.LEDGER_BOOK, HERE)
def new_page(visit: Visit) -> Response:
    """Asks for an entry by hand, and leads to where it waits for a second person."""
    if visit.request.method != "POST":
        return _form(visit, LEGS, new_number(visit, "ent"), {}, None, 200)
    number, count = number_sent(visit), _count(visit)
    if visit.form.get("more"):
        return _form(visit, min(count + 2, LEGS_MAX), number, {}, None, 200)
    errors: dict[str, str] = {}
    legs = _legs_sent(visit, count, errors)
    at, reason = _at_sent(visit, errors), text_sent(visit, "reason", NOTE_CHARACTERS_MAX)
    if not reason:
        errors["reason"] = visit.t(WHY)
    if at is None or errors:
        return _form(visit, count, number, errors, None, 422)
    try:
        asked = ask_entry(
            visit.context, visit.who, visit.merchant.id, key=number, legs=legs, at=at, memo=reason
        )
    except (EntryEmpty, EntryUnbalanced) as refusal:
        return _form(visit, count, number, {}, visit.says(refusal), 422)
    return RedirectResponse(f"{visit.home}/approvals/{asked.id}", 303)


@page(Right.LEDGER_BOOK, HERE)
def take_back(visit: Visit) -> Response:
    """Asks for the reversal of an entry, and leads to where that waits."""
    kind, key = kind_of(visit.form.get("kind", "")), key_of(visit.form)
    reason = text_sent(visit, "reason", NOTE_CHARACTERS_MAX)
    if not reason:
        return entry_shown(visit, kind, key, visit.t(WHY), 422)
    asked = ask_reversal(
        visit.context, visit.who, visit.merchant.id, kind=kind, key=key, memo=reason
    )
    return RedirectResponse(f"{visit.home}/approvals/{asked.id}", 303)


def _count(visit: Visit) -> int:
    """How many lines the form had."""
    return sum(f"amount_{place}" in visit.form for place in range(LEGS_MAX)) or LEGS


def _legs_sent(visit: Visit, count: int, errors: dict[str, str]) -> Legs:
    """What the lines do to each account together; a line without an amount does nothing."""
    legs: defaultdict[Account, int] = defaultdict(int)
    for place in range(count):
        if not visit.form.get(f"amount_{place}", "").strip():
            continue
        account = visit.form.get(f"account_{place}", "")
        if account not in tuple(Account):
            errors[f"leg_{place}"] = visit.t("Choose an account.")
            continue
        try:
            amount = amount_sent(visit, "CNY", f"amount_{place}").minor
        except AmountInvalid as refusal:
            errors[f"leg_{place}"] = visit.says(refusal)
            continue
        legs[Account(account)] += -amount if visit.form.get(f"side_{place}") == "credit" else amount
    return {account: minor for account, minor in legs.items() if minor}


def _at_sent(visit: Visit, errors: dict[str, str]) -> datetime | None:
    at = time_sent(visit, "at")
    if at is None or at > visit.context.clock.now():
        errors["at"] = visit.t(NOT_YET)
        return None
    return at


def _form(
    visit: Visit,
    count: int,
    number: str,
    errors: Mapping[str, str],
    refusal: str | None,
    status: int,
) -> Response:
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
    form, t, zone = visit.form, visit.t, visit.formats.zone
    now = visit.context.clock.now().astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    view = FormView(
        book=book_view(visit, book, None),
        number=number,
        accounts=[
            (t(name), [(account.value, t(ACCOUNTS[account])) for account in accounts])
            for name, accounts in GROUPS
        ],
        sides=[(side, t(text)) for side, text in SIDES],
        legs=[
            LegField(
                place,
                form.get(f"account_{place}", ""),
                form.get(f"side_{place}", SIDES[place % 2][0]),
                form.get(f"amount_{place}", ""),
                errors.get(f"leg_{place}"),
            )
            for place in range(count)
        ],
        more=count if count < LEGS_MAX else None,
        at=form.get("at", now),
        reason=form.get("reason", ""),
        refusal=refusal,
        errors=errors,
    )
    return respond(visit, "ledger/new.html", status, view=view, number_field=NUMBER)
