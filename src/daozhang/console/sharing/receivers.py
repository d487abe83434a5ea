"""The pages of who may receive: the register, binding and unbinding, and how the merchant shares."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import text_sent
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.sharing.views import (
    CLEARING,
    COVERS,
    RECEIVER_TYPES,
    register_view,
)
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Right
from daozhang.service.sharing.by_people import bind_as, read_register, set_sharing_as, unbind_as
from daozhang.service.sharing.model import CoverPolicy, ReceiverType
from daozhang.service.sharing.refusals import ReceiverInvalid

HERE: Final = "sharing/sharing"
ACCOUNT: Final = re.compile(r"[!-~]{1,64}")
PERCENT_MAX: Final = re.compile(r"100|[0-9]{1,2}")


@page(Right.SHARING_READ, HERE)
def register_page(visit: Visit) -> Response:
    """Receivers with where they stand, plans, and how the merchant shares."""
    found = read_register(visit.context, visit.who, visit.merchant.id)
    return respond(visit, "sharing/register.html", view=register_view(visit, found))


@page(Right.SHARING_WRITE, HERE)
def bind_page(visit: Visit) -> Response:
    """Lets somebody be given shares."""
    errors: dict[str, str] = {}
    fields = {
        name: text_sent(visit, name, most)
        for name, most in (("type", 16), ("account", 64), ("name", 64), ("memo", 200))
    }
    if visit.request.method == "POST":
        if ACCOUNT.fullmatch(fields["account"]) is None:
            errors["account"] = visit.t(word("Write the account as Alipay knows it."))
        elif _bound(visit, fields, errors):
            return RedirectResponse(f"{visit.home}/sharing", 303)
    return respond(
        visit,
        "sharing/bind.html",
        422 if errors else 200,
        fields=fields,
        errors=errors,
        types=[(kind.value, visit.t(text)) for kind, text in RECEIVER_TYPES.items()],
        clearing=visit.t(CLEARING),
    )


def _bound(visit: Visit, fields: dict[str, str], errors: dict[str, str]) -> bool:
    kind = fields["type"]
    try:
        bind_as(
            visit.context,
            visit.who,
            visit.merchant.id,
            kind=ReceiverType(kind) if kind in tuple(ReceiverType) else ReceiverType.USER_ID,
            account=fields["account"],
            name=fields["name"] or None,
            memo=fields["memo"] or None,
        )
    except ReceiverInvalid as refusal:
        errors["account"] = visit.says(refusal)
        return False
    return True


@page(Right.SHARING_WRITE, HERE)
def unbind(visit: Visit) -> Response:
    """Ends a relation: what they have had stays with them."""
    account = visit.form.get("account", "")[:64]
    unbind_as(visit.context, visit.who, visit.merchant.id, account)
    return RedirectResponse(f"{visit.home}/sharing", 303)


@page(Right.SHARING_WRITE, HERE)
def settings_page(visit: Visit) -> Response:
    """The limit of the agreement, the plan of every payment, and who pays where a receiver cannot."""
    found = read_register(visit.context, visit.who, visit.merchant.id)
    merchant, errors = found.merchant, dict[str, str]()
    values = {
        "percent_max": visit.form.get("percent_max", str(merchant.share_percent_max)).strip(),
        "plan": visit.form.get("plan", merchant.share_plan or ""),
        "cover": visit.form.get("cover", merchant.share_cover),
        "direct_pay": _direct_pay(visit, merchant),
    }
    if visit.request.method == "POST":
        if PERCENT_MAX.fullmatch(values["percent_max"]) is None:
            errors["percent_max"] = visit.t(word("Write a whole number from 0 to 100."))
        else:
            set_sharing_as(
                visit.context,
                visit.who,
                visit.merchant.id,
                percent_max=int(values["percent_max"]),
                plan=values["plan"] or None,
                cover=CoverPolicy.SELLER if values["cover"] == "seller" else CoverPolicy.PERSON,
                direct_pay=values["direct_pay"] == "yes",
            )
            return RedirectResponse(f"{visit.home}/sharing", 303)
    none = ("", visit.t(word("None: only orders that name a plan are shared")))
    return respond(
        visit,
        "sharing/settings.html",
        422 if errors else 200,
        values=values,
        errors=errors,
        plans=[none, *((plan.name, plan.name) for plan in found.plans)],
        covers=[(value, visit.t(text)) for value, text in COVERS.items()],
    )


def _direct_pay(visit: Visit, merchant: Merchant) -> str:
    """``yes`` if it is ticked: what is not ticked, a browser does not send."""
    if visit.request.method == "POST":
        return visit.form.get("direct_pay", "")
    return "yes" if merchant.direct_pay else ""
