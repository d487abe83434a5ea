"""The pages of API keys: listed with their last use, made, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.confirming import grave
from daozhang.console.pages import page
from daozhang.console.people.views import ticked_merchants
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money, MoneyError
from daozhang.service.auth.model import ApiKey, KeyMerchant, Scope
from daozhang.service.auth.refusals import ApiKeyInvalid
from daozhang.service.people.apikeys import list_keys, make_key, revoke_key
from daozhang.service.people.model import Right

ROOM = "people/apikeys"

SCOPES: Final[Mapping[Scope, str]] = {
    Scope.ORDERS_READ: word("Read orders, refunds, holds and agreements"),
    Scope.ORDERS_WRITE: word("Create and close orders, take payments"),
    Scope.REFUNDS_WRITE: word("Send money back"),
    Scope.EVENTS_READ: word("Read events"),
    Scope.WEBHOOKS_WRITE: word("Set up webhooks"),
    Scope.OUTGOING_WRITE: word("Stop and allow outgoing money"),
    Scope.SHARING_WRITE: word("Share payments, and say with whom"),
    Scope.LEDGER_READ: word("Read the books"),
    Scope.TRANSFERS_READ: word("Read transfers"),
    Scope.TRANSFERS_WRITE: word("Send money to others"),
    Scope.BOOKS_READ: word("Read bills and what differs"),
    Scope.BOOKS_WRITE: word("Give bills and set lines aside"),
}
"""What each scope allows, in words."""


@page(Right.APIKEYS_READ, ROOM)
def list_page(visit: Visit) -> Response:
    """The keys of merchants that one covers: those that are valid, or those that were revoked."""
    revoked = visit.query.get("state") == "revoked"
    keys = [
        key
        for key in list_keys(visit.context, visit.who)
        if (key.revoked_at is not None) is revoked
    ]
    path = f"{visit.base}/apikeys"
    tabs = [
        (path, visit.t("Valid"), not revoked),
        (f"{path}?state=revoked", visit.t("Revoked"), revoked),
    ]
    return respond(visit, "people/apikeys.html", keys=keys[::-1], tabs=tabs, revoked=revoked)


@page(Right.APIKEYS_WRITE, ROOM)
@grave
def make_page(visit: Visit) -> Response:
    """A new key. It is shown once, by the answer to the form, and by nothing afterwards."""
    if visit.request.method == "GET":
        return _form(visit, {}, 200)
    try:
        limit = _limit(visit.form.get("refund_limit", ""))
    except MoneyError:
        says = visit.t("An amount looks like 88.88; leave it empty for no limit.")
        return _form(visit, {"refund_limit": says}, 422)
    try:
        key, secret = _make(visit, limit)
    except ApiKeyInvalid as refusal:
        return _form(visit, {"": visit.says(refusal)}, refusal.status)
    return respond(visit, "people/apikey_made.html", key=key, secret=secret)


def _make(visit: Visit, limit: Money | None) -> tuple[ApiKey, str]:
    ticked = ticked_merchants(visit)
    chosen = [one for one in visit.merchants if one.id in ticked]
    environments = {one.environment for one in chosen}
    if len(environments) > 1:
        raise ApiKeyInvalid.several_environments([*environments])
    return make_key(
        visit.context,
        visit.who,
        name=visit.form.get("name", "").strip(),
        environment=next(iter(environments), ""),
        merchants=[KeyMerchant(one.id, one.slug) for one in chosen],
        scopes=[scope for scope in Scope if f"scope_{scope}" in visit.form],
        refund_limit=limit,
    )


def _limit(text: str) -> Money | None:
    return Money.parse(text.strip()) if text.strip() else None


def _form(visit: Visit, errors: Mapping[str, str], status: int) -> Response:
    scopes = [(scope, visit.t(says)) for scope, says in SCOPES.items()]
    return respond(visit, "people/apikey_new.html", status, scopes=scopes, errors=errors)


@page(Right.APIKEYS_READ, ROOM)
@grave
def revoke(visit: Visit) -> Response:
    """Ends a key at once and for good."""
    revoke_key(visit.context, visit.who, visit.request.path_params["prefix"])
    return RedirectResponse(f"{visit.base}/apikeys?state=revoked", 303)
