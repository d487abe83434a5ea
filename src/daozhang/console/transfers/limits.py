"""How much may be sent, and from which amounts on it takes two: set by an owner, before anything is sent."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.confirming import grave
from daozhang.console.forms import limit_sent
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.transfers.routes import HERE
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.people.model import Language, Right
from daozhang.service.transfers.by_people import limits_for
from daozhang.service.transfers.limits import CLEARING, set_limits_as
from daozhang.service.transfers.model import TransferLimits

NAMES: Final = tuple(TransferLimits.__dataclass_fields__)
READ_FIRST: Final = word("Say that you have read it.")


@page(Right.MERCHANTS_WRITE, HERE)
@grave
def limits_page(visit: Visit) -> Response:
    """The limits; for whoever has just proven who they are."""
    errors: dict[str, str] = {}
    if visit.request.method == "POST":
        sent = {name: limit_sent(visit, name, errors) for name in NAMES}
        if visit.form.get("own_money") != "yes":
            errors["own_money"] = visit.t(READ_FIRST)
        if not errors:
            set_limits_as(visit.context, visit.who, visit.merchant.id, TransferLimits(**sent))
            return RedirectResponse(f"{visit.home}/transfers", 303)
    limits = limits_for(visit.context, visit.who, visit.merchant.id)
    return respond(
        visit,
        "transfers/limits.html",
        422 if errors else 200,
        values={name: visit.form.get(name, _text(limits, name)) for name in NAMES},
        errors=errors,
        clearing=CLEARING[visit.language is Language.CHINESE],
        set_up=limits is not None,
    )


def _text(limits: TransferLimits | None, name: str) -> str:
    amount: Money | None = None if limits is None else getattr(limits, name)
    return "" if amount is None else str(amount)
