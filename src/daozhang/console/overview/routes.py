"""The pages of the overview: parse what is asked, read, render."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import RedirectResponse, Response

from daozhang.console.overview.risks import risk_view
from daozhang.console.overview.views import overview_view
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.merchants.model import Merchant
from daozhang.service.overview.actions import read_overview, read_risks
from daozhang.service.overview.rules import PERIODS_DAYS
from daozhang.service.people.model import Right

ROOM = "overview"
HERE = f"{ROOM}/overview"


@page(Right.OVERVIEW_READ, HERE)
def overview_page(visit: Visit) -> Response:
    """One merchant's day."""
    seen = read_overview(visit.context, visit.who, [visit.merchant], _period(visit))
    view = overview_view(visit, seen, [visit.merchant], ())
    return respond(visit, "overview/overview.html", view=view)


@page(Right.OVERVIEW_READ, HERE)
def overview_of_all_page(visit: Visit) -> Response:
    """The day of all merchants of a person together; money that is not real is never added to real."""
    environments = sorted({one.environment for one in visit.merchants})
    if not environments:
        return RedirectResponse(f"{visit.base}/", 303)
    wanted = visit.query.get("environment", "")
    real = "production" if "production" in environments else environments[0]
    chosen = wanted if wanted in environments else real
    merchants: Sequence[Merchant] = [m for m in visit.merchants if m.environment == chosen]
    seen = read_overview(visit.context, visit.who, merchants, _period(visit))
    view = overview_view(visit, seen, merchants, environments)
    return respond(visit, "overview/overview.html", view=view, live_of_all=True)


@page(Right.OVERVIEW_READ, HERE)
def risk_page(visit: Visit) -> Response:
    """What is in an unknown state, one by one."""
    rows = read_risks(visit.context, visit.who, visit.merchant)
    return respond(visit, "overview/at_risk.html", view=risk_view(visit, rows))


def _period(visit: Visit) -> int:
    asked = visit.query.get("days", "")
    return int(asked) if asked in {str(days) for days in PERIODS_DAYS} else PERIODS_DAYS[0]
