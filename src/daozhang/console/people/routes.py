"""The pages of people: who they are, what they may do, and the table of it."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from daozhang.console.confirming import grave
from daozhang.console.pages import page
from daozhang.console.people.views import (
    PersonForm,
    form_of,
    merchant_names,
    person_row,
    right_tables,
    role_choices,
)
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.people import actions
from daozhang.service.people.model import Language, NewPerson, Person, Right, Role
from daozhang.service.people.refusals import LastOwner, PersonExists, PersonInvalid
from daozhang.service.people.sessions import end_sessions_of, list_sessions_of
from daozhang.service.refusals import Refusal

ROOM = "people/people"


@page(Right.PEOPLE_READ, ROOM)
def list_page(visit: Visit) -> Response:
    """Everybody who works with the console, or did."""
    listed = actions.list_people(visit.context, visit.who)
    return respond(visit, "people/list.html", rows=[person_row(visit, one) for one in listed])


@page(None, ROOM)
def rights_page(visit: Visit) -> Response:
    """Who may do what, for everybody: one who is refused something can see what it takes."""
    return respond(
        visit, "people/rights.html", roles=role_choices(visit), tables=right_tables(visit)
    )


@page(Right.PEOPLE_WRITE, ROOM)
@grave
def invite_page(visit: Visit) -> Response:
    """Somebody new; their one-time address is shown once, to be handed over."""
    if visit.request.method == "GET":
        return _invite_form(visit, PersonForm(roles=frozenset({Role.VIEWER})), None)
    form = form_of(visit)
    new = NewPerson(
        form.email,
        form.name,
        frozenset(form.roles),
        None if form.merchants is None else frozenset(form.merchants),
        Language.ENGLISH if visit.form.get("language") == "en" else Language.CHINESE,
    )
    try:
        person, token = actions.invite(visit.context, visit.who, new)
    except (PersonInvalid, PersonExists) as refusal:
        return _invite_form(visit, form, refusal)
    return _hand_over(visit, person, token)


def _invite_form(visit: Visit, form: PersonForm, refusal: Refusal | None) -> Response:
    return respond(
        visit,
        "people/invite.html",
        200 if refusal is None else refusal.status,
        form=form,
        roles=role_choices(visit),
        error=None if refusal is None else visit.says(refusal),
    )


def _hand_over(visit: Visit, person: Person, token: str) -> Response:
    address = actions.invitation_address(visit.context, token)
    return respond(visit, "people/hand_over.html", person=person, address=address)


@page(Right.PEOPLE_READ, ROOM)
def person_page(visit: Visit) -> Response:
    """One of them; sent, it changes what they may do."""
    if visit.request.method == "POST":
        return _change(visit)
    return _show(visit)


@grave
def _change(visit: Visit) -> Response:
    form = form_of(visit)
    try:
        actions.change_person(
            visit.context,
            visit.who,
            _number(visit),
            name=form.name,
            roles=frozenset(form.roles),
            merchants=None if form.merchants is None else frozenset(form.merchants),
        )
    except (PersonInvalid, LastOwner) as refusal:
        return _show(visit, form, refusal)
    return _back(visit)


def _show(visit: Visit, form: PersonForm | None = None, refusal: Refusal | None = None) -> Response:
    person = actions.read_person(visit.context, visit.who, _number(visit))
    now = PersonForm(person.email, person.name, person.roles, person.merchants)
    return respond(
        visit,
        "people/person.html",
        200 if refusal is None else refusal.status,
        row=person_row(visit, person),
        person=person,
        form=form or now,
        roles=role_choices(visit),
        reach=merchant_names(visit, person.merchants),
        sessions=list_sessions_of(visit.context, visit.who, person.id),
        error=None if refusal is None else visit.says(refusal),
    )


@page(Right.PEOPLE_READ, ROOM)
@grave
def disable(visit: Visit) -> Response:
    """Lets somebody in no more; the last owner stays."""
    try:
        actions.disable_person(visit.context, visit.who, _number(visit))
    except LastOwner as refusal:
        return _show(visit, refusal=refusal)
    return _back(visit)


@page(Right.PEOPLE_READ, ROOM)
@grave
def enable(visit: Visit) -> Response:
    """Lets somebody in again."""
    actions.enable_person(visit.context, visit.who, _number(visit))
    return _back(visit)


@page(Right.PEOPLE_READ, ROOM)
@grave
def invite_anew(visit: Visit) -> Response:
    """A new one-time address, with all factors forgotten if the phone is lost."""
    try:
        person, token = actions.invite_again(
            visit.context,
            visit.who,
            _number(visit),
            forget_factors="forget_factors" in visit.form,
        )
    except PersonInvalid as refusal:
        return _show(visit, refusal=refusal)
    return _hand_over(visit, person, token)


@page(Right.PEOPLE_READ, ROOM)
@grave
def sign_out(visit: Visit) -> Response:
    """Ends all sessions of somebody."""
    end_sessions_of(visit.context, visit.who, _number(visit))
    return _back(visit)


def _number(visit: Visit) -> int:
    return int(visit.request.path_params["person"])


def _back(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.base}/people/{_number(visit)}", 303)
