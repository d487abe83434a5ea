"""The page of payouts, as the ledger stands; and with Alipay's own balance, once somebody asks for it."""

from __future__ import annotations

from typing import Final, cast

from markupsafe import Markup
from starlette.responses import Response

from daozhang.console.pages import page
from daozhang.console.payouts.balances import BalancesView, balances_view
from daozhang.console.payouts.views import payouts_view
from daozhang.console.rendering import respond
from daozhang.console.timeline import marked
from daozhang.console.visits import Visit
from daozhang.service.ledger.reading import book_of
from daozhang.service.payouts.calendars import known_working_days
from daozhang.service.payouts.comparing import Balances
from daozhang.service.payouts.reading import read_forecast
from daozhang.service.payouts.refusals import BalanceNotTold
from daozhang.service.people.model import Right

PLACE: Final = "payouts/payouts"


@page(Right.LEDGER_READ, PLACE)
def payouts_page(visit: Visit) -> Response:
    """What can be spent, what comes on which day, and what is held."""
    return _payouts(visit, None, None, 200)


@page(Right.LEDGER_READ, PLACE)
def ask(visit: Visit) -> Response:
    """Asks Alipay what is in the account; the answer stands on the page, and nowhere else."""
    balances = cast("Balances", visit.request.app.state.balances)
    try:
        found = balances.compare(visit.merchant.id)
    except BalanceNotTold as refusal:
        # What Alipay answered may be of the other language.
        says = marked(visit.says(refusal), visit.language)
        return _payouts(visit, None, says, refusal.status)
    return _payouts(visit, balances_view(visit, found), None, 200)


def _payouts(
    visit: Visit, balances: BalancesView | None, says: Markup | str | None, status: int
) -> Response:
    with visit.context.database.read() as tx:
        book = book_of(tx, visit.merchant.id)
        found = read_forecast(tx, book, visit.context.clock.now(), known_working_days())
    return respond(
        visit,
        "payouts/payouts.html",
        status,
        view=payouts_view(visit, found),
        balances=balances,
        refused=says,
    )
