"""The pages of an app's keys: those in use, the new ones that wait, and what for."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from daozhang.console.confirming import grave
from daozhang.console.merchants.views import change_view, key_rows
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.keys import changing
from daozhang.service.keys.reading import list_changes, read_app
from daozhang.service.merchants.clients import clients_of
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal
from daozhang.service.watch.keys import KeyRing

ROOM = "merchants/merchants"


@page(Right.MERCHANTS_READ, ROOM)
def app_page(visit: Visit) -> Response:
    """The keys of one app."""
    return _show(visit)


@page(Right.MERCHANTS_READ, ROOM)
@grave
def give_own(visit: Visit) -> Response:
    """A new key of the app's own, made here or pasted."""
    pasted = visit.form.get("private_key", "").strip()
    try:
        changing.change_own_key(
            visit.context,
            visit.who,
            _app(visit),
            pasted=pasted or None,
            app_cert=visit.form.get("app_cert", "").strip() or None,
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _back(visit)


@page(Right.MERCHANTS_READ, ROOM)
@grave
def give_alipay(visit: Visit) -> Response:
    """A new key or certificate of Alipay's; another owner is asked."""
    form = visit.form
    try:
        changing.change_alipay_key(
            visit.context,
            visit.who,
            _app(visit),
            pasted=form.get("alipay_public_key", "").strip() or None,
            alipay_cert=form.get("alipay_cert", "").strip() or None,
            alipay_root_cert=form.get("alipay_root_cert", "").strip() or None,
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _back(visit)


@page(Right.MERCHANTS_READ, ROOM)
@grave
def ask_now(visit: Visit) -> Response:
    """Has Alipay asked with the new key."""
    try:
        changing.ask_about(visit.context, clients_of(visit.request), visit.who, _change(visit))
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _back(visit)


@page(Right.MERCHANTS_READ, ROOM)
@grave
def approve(visit: Visit) -> Response:
    """Another owner approves a new key of Alipay's."""
    try:
        changing.approve_change(
            visit.context,
            clients_of(visit.request),
            visit.who,
            _change(visit),
            visit.form.get("note", ""),
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _back(visit)


@page(Right.MERCHANTS_READ, ROOM)
@grave
def drop(visit: Visit) -> Response:
    """Takes a new key back, or declines it."""
    try:
        changing.drop_change(visit.context, visit.who, _change(visit), visit.form.get("note", ""))
    except Refusal as refusal:
        return _refused(visit, refusal)
    return _back(visit)


def _refused(visit: Visit, refusal: Refusal) -> Response:
    if refusal.status in (403, 404):
        raise refusal
    return _show(visit, refusal)


def _show(visit: Visit, refusal: Refusal | None = None) -> Response:
    app, merchants = read_app(visit.context, visit.who, _app(visit))
    listed = list_changes(visit.context, visit.who, app.id)
    views = [change_view(visit, one) for one in listed]
    return respond(
        visit,
        "merchants/app.html",
        200 if refusal is None else refusal.status,
        app=app,
        merchants=merchants,
        keys=key_rows(visit, KeyRing(visit.context).keys_of([app])),
        on_the_way=[one for one in views if one.ended is None],
        ended=[one for one in views if one.ended is not None],
        path=f"{visit.base}/apps/{app.id}",
        error=None if refusal is None else visit.says(refusal),
        now=visit.context.clock.now(),
    )


def _app(visit: Visit) -> int:
    return int(visit.request.path_params["app"])


def _change(visit: Visit) -> str:
    return str(visit.request.path_params["change"])


def _back(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.base}/apps/{_app(visit)}", 303)
