"""What somebody sets about the Alipay account: when it is paid out, and which fee is expected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.ledger.routes import HERE
from daozhang.console.ledger.views import PAYOUTS, book_view, percent_text
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.ledger.configuring import set_book_as
from daozhang.service.ledger.model import PAYOUT_DAYS_MAX, Book, Payout
from daozhang.service.ledger.reading import book_of
from daozhang.service.people.model import Right

RATE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
PPM_IN_A_PERCENT: Final = 10_000
RATE_WRONG: Final = word("Write a percentage such as 0.6: up to 100, four digits after the point.")
DAYS: Final = re.compile(r"[0-9]{1,3}")
DAYS_WRONG: Final = word("Write a whole number of working days, from 1 to {most}.")
PAYOUT_MISSING: Final = word("Choose when Alipay pays out.")

SAYS: Final[Mapping[Payout, str]] = {
    Payout.AT_ONCE: word("What buyers pay is available in the account at once."),
    Payout.LATER: word(
        "What buyers pay is not available before the next day, or the end of an agreed period; until then it "
        "stands as unsettled."
    ),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What stands in the form."""

    payout: str
    days: str
    rate: str


@page(Right.MERCHANTS_WRITE, HERE)
def settings_page(visit: Visit) -> Response:
    """The form; sent, it holds for payments from now on."""
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
    if visit.request.method != "POST":
        now = Sent(book.payout.value, str(book.payout_days), percent_text(book.fee_ppm))
        return _form(visit, book, now, {})
    sent = Sent(*(visit.form.get(name, "").strip() for name in ("payout", "days", "rate")))
    errors = _errors(visit, sent)
    if errors:
        return _form(visit, book, sent, errors)
    is_later = sent.payout == Payout.LATER
    set_book_as(
        visit.context,
        visit.who,
        visit.merchant.id,
        payout=Payout(sent.payout),
        fee_ppm=int(Decimal(sent.rate) * PPM_IN_A_PERCENT),
        # Who is paid out at once has no T+N; what was set before is there should it come back.
        payout_days=int(sent.days) if is_later else None,
    )
    return RedirectResponse(f"{visit.home}/ledger", 303)


def _errors(visit: Visit, sent: Sent) -> Mapping[str, str]:
    """What is wrong, by field."""
    errors: dict[str, str] = {}
    if sent.payout not in tuple(Payout):
        errors["payout"] = visit.t(PAYOUT_MISSING)
    is_count = DAYS.fullmatch(sent.days) is not None and 0 < int(sent.days) <= PAYOUT_DAYS_MAX
    if sent.payout == Payout.LATER and not is_count:
        errors["days"] = visit.t(DAYS_WRONG, most=PAYOUT_DAYS_MAX)
    if RATE.fullmatch(sent.rate) is None or Decimal(sent.rate) > 100:
        errors["rate"] = visit.t(RATE_WRONG)
    return errors


def _form(visit: Visit, book: Book, sent: Sent, errors: Mapping[str, str]) -> Response:
    t = visit.t
    choices: Sequence[tuple[str, str, str]] = [
        (value.value, t(PAYOUTS[value]), t(SAYS[value])) for value in Payout
    ]
    return respond(
        visit,
        "ledger/settings.html",
        422 if errors else 200,
        book=book_view(visit, book, None),
        choices=choices,
        sent=sent,
        errors=errors,
    )
