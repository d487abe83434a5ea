"""What somebody sets about the Alipay account: when it is paid out, and which fee is expected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
from daozhang.service.ledger.model import Book, Payout
from daozhang.service.ledger.reading import book_of
from daozhang.service.people.model import Right

RATE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
PPM_IN_A_PERCENT: Final = 10_000
RATE_WRONG: Final = word("Write a percentage such as 0.6: up to 100, four digits after the point.")
PAYOUT_MISSING: Final = word("Choose when Alipay pays out.")

SAYS: Final[Mapping[Payout, str]] = {
    Payout.AT_ONCE: word("What buyers pay is available in the account at once."),
    Payout.LATER: word(
        "What buyers pay is not available before the next day, or the end of an agreed period; until then it "
        "stands as unsettled."
    ),
}


@page(Right.MERCHANTS_WRITE, HERE)
def settings_page(visit: Visit) -> Response:
    """The form; sent, it holds for payments from now on."""
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
    if visit.request.method != "POST":
        return _form(visit, book, book.payout.value, percent_text(book.fee_ppm), {})
    payout, rate = visit.form.get("payout", ""), visit.form.get("rate", "").strip()
    errors: dict[str, str] = {}
    if payout not in tuple(Payout):
        errors["payout"] = visit.t(PAYOUT_MISSING)
    if RATE.fullmatch(rate) is None or Decimal(rate) > 100:
        errors["rate"] = visit.t(RATE_WRONG)
    if errors:
        return _form(visit, book, payout, rate, errors)
    fee_ppm = int(Decimal(rate) * PPM_IN_A_PERCENT)
    set_book_as(visit.context, visit.who, visit.merchant.id, payout=Payout(payout), fee_ppm=fee_ppm)
    return RedirectResponse(f"{visit.home}/ledger", 303)


def _form(visit: Visit, book: Book, payout: str, rate: str, errors: Mapping[str, str]) -> Response:
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
        payout=payout,
        rate=rate,
        errors=errors,
    )
