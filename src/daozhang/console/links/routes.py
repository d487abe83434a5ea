"""The pages of pay links: parse what is asked, act, render."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, cast

from starlette.responses import RedirectResponse, Response

from daozhang.console.formats import day_end
from daozhang.console.links.views import Form, link_view, list_view, new_view
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.money import Money
from daozhang.service.ids import random_token
from daozhang.service.orders.subjects import SubjectInvalid
from daozhang.service.paylinks import actions
from daozhang.service.paylinks.model import NewPayLink
from daozhang.service.paylinks.refusals import PayLinkConflict, PayLinkInvalid, expiry_invalid
from daozhang.service.people.model import Right
from daozhang.service.web.problem import AmountInvalid, amount_of

ROOM: Final = "links/links"
CURRENCY: Final = "CNY"


@page(Right.PAYLINKS_WRITE, ROOM)
def list_page(visit: Visit) -> Response:
    """The links of a merchant, newest first, with what each brought in."""
    links = actions.list_links(
        visit.context,
        visit.who,
        visit.merchant.id,
        before_id=before_id(visit.query),
        rows_max=ROWS + 1,
    )
    return respond(visit, "links/list.html", view=list_view(visit, links))


@page(Right.PAYLINKS_WRITE, ROOM)
def new_page(visit: Visit) -> Response:
    """What a new link is to be."""
    return respond(visit, "links/new.html", view=new_view(visit, Form(key=random_token())))


@page(Right.PAYLINKS_WRITE, ROOM)
def make_page(visit: Visit) -> Response:
    """Makes the link, and leads to its code."""
    form = Form.of(visit.form)
    try:
        link = actions.make_link(visit.context, visit.who, visit.merchant.id, _wanted(form))
    except (AmountInvalid, SubjectInvalid, PayLinkInvalid, PayLinkConflict) as refusal:
        view = new_view(visit, form, refusal)
        return respond(visit, "links/new.html", 422, view=view)
    return RedirectResponse(f"{visit.home}/links/{link.public_id}", 303)


def _wanted(form: Form) -> NewPayLink:
    chosen = form.chosen
    return NewPayLink(
        form_key=form.key,
        amount=None if chosen else _amount(form.amount),
        least=_amount(form.least) if chosen else None,
        most=_amount(form.most) if chosen else None,
        once=form.once,
        subject=form.subject,
        note=form.note,
        expires_at=_last_day(form.last_day),
    )


def _amount(text: str) -> Money:
    return amount_of(text, CURRENCY)


def _last_day(text: str) -> datetime | None:
    """When the day in Beijing is over that somebody chose; ``None`` for no end."""
    if not text:
        return None
    try:
        return day_end(date.fromisoformat(text))
    except (ValueError, OverflowError):
        raise expiry_invalid() from None


@page(Right.PAYLINKS_WRITE, ROOM)
def link_page(visit: Visit) -> Response:
    """One link: its address and code, and the payments made by it."""
    in_hand, made = actions.read_link(visit.context, visit.who, visit.merchant.id, _id(visit))
    return respond(visit, "links/link.html", view=link_view(visit, in_hand, made))


@page(Right.PAYLINKS_WRITE, ROOM)
def close_page(visit: Visit) -> Response:
    """Nobody begins to pay by it any more."""
    actions.close_link(visit.context, visit.who, visit.merchant.id, _id(visit))
    return RedirectResponse(f"{visit.home}/links/{_id(visit)}", 303)


def _id(visit: Visit) -> str:
    return cast("str", visit.request.path_params["link"])
