"""The pages of webhooks, and what a person does with an endpoint and its deliveries."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import text_sent, time_sent
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.webhooks.views import (
    EndpointRow,
    delivery_view,
    endpoint_view,
    form_view,
    status_of,
    types_sent,
)
from daozhang.service.outbox.store import find_event
from daozhang.service.people.model import Right
from daozhang.service.webhooks import actions, store
from daozhang.service.webhooks.keeping import Keeper, keeper_as
from daozhang.service.webhooks.model import DeliveryStatus, Endpoint, Format
from daozhang.service.webhooks.refusals import EndpointAddressNotAllowed, SinceMissing

ROOM = "webhooks"
HERE = f"{ROOM}/webhooks"

LATEST_MAX: Final = 100
"""By how many of its latest events the health of an endpoint is told."""

URL_CHARACTERS_MAX: Final = 2000
DESCRIPTION_CHARACTERS_MAX: Final = 256
OVERLAPS: Final = {"0": 0, "day": 24 * 3600, "week": 7 * 24 * 3600}


@page(Right.WEBHOOKS_READ, HERE)
def list_page(visit: Visit) -> Response:
    """The endpoints of a merchant, each with its health."""
    with visit.context.database.read() as tx:
        rows = [
            EndpointRow(
                f"{visit.home}/webhooks/{one.public_id}",
                one,
                store.health_of(tx, one.id, LATEST_MAX),
            )
            for one in store.list_endpoints(tx, visit.merchant.id)
        ]
    may_add = visit.may(Right.WEBHOOKS_WRITE)
    return respond(visit, "webhooks/list.html", rows=rows, may_add=may_add)


@page(Right.WEBHOOKS_READ, HERE)
def endpoint_page(visit: Visit) -> Response:
    """One endpoint: health, what was sent, and what can be done."""
    status = status_of(visit.query)
    context = visit.context
    with context.database.read() as tx:
        endpoint = actions.read_endpoint(tx, visit.merchant.id, _id(visit))
        health = store.health_of(tx, endpoint.id, LATEST_MAX)
        found = store.list_deliveries(
            tx,
            endpoint.id,
            status=status,
            before_id=before_id(visit.query),
            rows_max=ROWS + 1,
        )
        keys = actions.keys_of(tx, context.sealer, endpoint, context.clock.now())
        secrets = store.list_secrets(tx, [endpoint.id], context.clock.now())
    view = endpoint_view(visit, endpoint, health, status, found, keys, secrets)
    return respond(visit, "webhooks/endpoint.html", view=view)


@page(Right.WEBHOOKS_WRITE, HERE)
def new_page(visit: Visit) -> Response:
    """Adds an endpoint; its secret is shown this once."""
    error = None
    if visit.request.method == "POST":
        chosen = visit.form.get("format", "")
        try:
            endpoint, secret = _keeper(visit).add(
                text_sent(visit, "url", URL_CHARACTERS_MAX),
                types=types_sent(visit.form),
                format=Format(chosen) if chosen in tuple(Format) else Format.JSON,
                description=text_sent(visit, "description", DESCRIPTION_CHARACTERS_MAX) or None,
            )
        except EndpointAddressNotAllowed as refusal:
            error = visit.says(refusal)
        else:
            return _show_secret(visit, endpoint, secret)
    view = form_view(visit, None, error)
    return respond(visit, "webhooks/form.html", 422 if error else 200, view=view)


@page(Right.WEBHOOKS_WRITE, HERE)
def edit_page(visit: Visit) -> Response:
    """Changes address, types or description."""
    error = None
    with visit.context.database.read() as tx:
        endpoint = actions.read_endpoint(tx, visit.merchant.id, _id(visit))
    if visit.request.method == "POST":
        try:
            _keeper(visit).change(
                endpoint.public_id,
                url=text_sent(visit, "url", URL_CHARACTERS_MAX),
                types=types_sent(visit.form),
                description=text_sent(visit, "description", DESCRIPTION_CHARACTERS_MAX) or None,
            )
        except EndpointAddressNotAllowed as refusal:
            error = visit.says(refusal)
        else:
            return _back(visit)
    view = form_view(visit, endpoint, error)
    return respond(visit, "webhooks/form.html", 422 if error else 200, view=view)


@page(Right.WEBHOOKS_READ, HERE)
def pause(visit: Visit) -> Response:
    """Sends nothing there until it is resumed."""
    _keeper(visit).pause(_id(visit))
    return _back(visit)


@page(Right.WEBHOOKS_READ, HERE)
def resume(visit: Visit) -> Response:
    """Switches it on, and sends what waits."""
    _keeper(visit).resume(_id(visit))
    return _back(visit)


@page(Right.WEBHOOKS_READ, HERE)
def remove(visit: Visit) -> Response:
    """Sends nothing there any more."""
    _keeper(visit).remove(_id(visit))
    return RedirectResponse(f"{visit.home}/webhooks", 303)


@page(Right.WEBHOOKS_READ, HERE)
def rotate(visit: Visit) -> Response:
    """A new secret, shown this once; the old one signs beside it for as long as was chosen."""
    overlap = OVERLAPS.get(visit.form.get("overlap", ""), actions.OVERLAP_SECONDS)
    return _show_secret(visit, *_keeper(visit).rotate_secret(_id(visit), overlap))


@page(Right.WEBHOOKS_READ, HERE)
def send_test(visit: Visit) -> Response:
    """Sends a test event there, and leads to its delivery."""
    event_id = _keeper(visit).send_test(_id(visit), visit.merchant.environment)
    with visit.context.database.read() as tx:
        endpoint = actions.read_endpoint(tx, visit.merchant.id, _id(visit))
        (delivery,) = store.list_deliveries(tx, endpoint.id, event_id=event_id)
    return _to_delivery(visit, delivery.public_id)


@page(Right.WEBHOOKS_READ, HERE)
def resend_since(visit: Visit) -> Response:
    """Sends again what was made since a time."""
    keeper, since = _keeper(visit), time_sent(visit, "since")
    if since is None:
        raise SinceMissing
    only = DeliveryStatus.PARKED if visit.form.get("only") == "parked" else None
    keeper.resend_since(_id(visit), since, only)
    return _back(visit)


@page(Right.WEBHOOKS_READ, HERE)
def delivery_page(visit: Visit) -> Response:
    """One event on its way: every attempt, what was sent and what was answered."""
    with visit.context.database.read() as tx:
        delivery = actions.read_delivery(tx, visit.merchant.id, _delivery_id(visit))
        endpoint = store.find_endpoint_of(tx, delivery)
        attempts = store.list_attempts(tx, delivery.id)
        event = find_event(tx, visit.merchant.id, delivery.event_id)
    view = delivery_view(visit, endpoint, delivery, attempts, event)
    return respond(visit, "webhooks/delivery.html", view=view)


@page(Right.WEBHOOKS_READ, HERE)
def resend(visit: Visit) -> Response:
    """Sends one again."""
    _keeper(visit).resend_delivery(_delivery_id(visit))
    return _to_delivery(visit, _delivery_id(visit))


def _keeper(visit: Visit) -> Keeper:
    return keeper_as(visit.context, visit.who, visit.merchant.id)


def _show_secret(visit: Visit, endpoint: Endpoint, secret: str) -> Response:
    return respond(visit, "webhooks/secret.html", endpoint=endpoint, secret=secret)


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["endpoint"])


def _delivery_id(visit: Visit) -> str:
    return str(visit.request.path_params["delivery"])


def _back(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.home}/webhooks/{_id(visit)}", 303)


def _to_delivery(visit: Visit, delivery_id: str) -> Response:
    return RedirectResponse(f"{visit.home}/webhooks/{_id(visit)}/deliveries/{delivery_id}", 303)
