"""The vouchers of a closed day or month, as files that a browser saves."""

from __future__ import annotations

from starlette.responses import Response

from daozhang.console.books.routes import PLACE
from daozhang.console.pages import page
from daozhang.console.visits import Visit
from daozhang.service.journal.actions import export_journal_as
from daozhang.service.journal.reading import template_of
from daozhang.service.journal.routes import file_response
from daozhang.service.people.model import Right


@page(Right.LEDGER_READ, PLACE)
def journal_file(visit: Visit) -> Response:
    """The file in one of the layouts that come with the service."""
    template = template_of(visit.request.path_params["template"])
    period = visit.request.path_params["period"][:10]
    return file_response(
        export_journal_as(visit.context, visit.who, visit.merchant, period, template)
    )
