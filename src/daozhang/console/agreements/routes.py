"""The pages of agreements, and what a person does with one: charge, move its day, end it."""

from __future__ import annotations

from typing import Final, cast

from starlette.responses import RedirectResponse, Response

from daozhang.console.agreements.views import Try, agreement_view, list_view, status_of
from daozhang.console.forms import amount_sent, day_sent, number_sent, text_sent
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.timeline import coming, told
from daozhang.console.visits import Visit
from daozhang.service.agreements import store
from daozhang.service.agreements.actions import read_agreement
from daozhang.service.agreements.deciding import charge_as, end_as, move_plan_as
from daozhang.service.agreements.model import Agreement
from daozhang.service.agreements.refusals import PlanDayInvalid
from daozhang.service.agreements.workflow import AgreementWork
from daozhang.service.db import Tx
from daozhang.service.orders.store import find_order_by_id
from daozhang.service.people import masking
from daozhang.service.people.actions import note_personal_view
from daozhang.service.people.model import Right
from daozhang.service.story.actions import tell_agreement

ROOM = "agreements"
HERE = f"{ROOM}/agreements"

SUBJECT_CHARACTERS_MAX: Final = 256


@page(Right.AGREEMENTS_READ, HERE)
def list_page(visit: Visit) -> Response:
    """The agreements of a merchant, newest first."""
    status = status_of(visit.query)
    with visit.context.database.read() as tx:
        found = store.list_agreements(
            tx,
            visit.merchant.id,
            before_id=before_id(visit.query),
            rows_max=ROWS + 1,
            status=status,
        )
    return respond(visit, "agreements/list.html", view=list_view(visit, status, found))


@page(Right.AGREEMENTS_READ, HERE)
def agreement_page(visit: Visit) -> Response:
    """One agreement: when it is charged, every try, what happened, and what can be done."""
    keep_days, now = visit.context.settings.retention_notifications_days, visit.context.clock.now()
    with visit.context.database.read() as tx:
        agreement = read_agreement(tx, visit.merchant.id, _number(visit))
        tries = _tries(tx, agreement)
        story = tell_agreement(tx, agreement, keep_days, now)
    is_known = any((agreement.buyer_id, agreement.buyer_open_id, agreement.buyer_logon_id))
    if is_known and masking.sees_personal(visit.who) and not visit.is_htmx:
        subject = f"agreement:{agreement.external_agreement_no}"
        note_personal_view(visit.context, visit.who, subject, merchant_id=agreement.merchant_id)
    return respond(
        visit,
        "agreements/agreement.html",
        view=agreement_view(visit, agreement, tries),
        story=told(visit.language, story.entries),
        next=coming(visit.language, story.upcoming),
    )


@page(Right.AGREEMENTS_READ, HERE)
def charge(visit: Visit) -> Response:
    """Charges the present period now."""
    charge_as(
        visit.context,
        visit.who,
        visit.merchant,
        _number(visit),
        out_trade_no=number_sent(visit),
        amount=amount_sent(visit, "CNY"),
        subject=text_sent(visit, "subject", SUBJECT_CHARACTERS_MAX) or visit.t("Charge"),
    )
    return _back(visit)


@page(Right.AGREEMENTS_READ, HERE)
def move(visit: Visit) -> Response:
    """Moves the next charge to a later day."""
    work = cast("AgreementWork", visit.request.app.state.agreements)
    day = day_sent(visit, "day")
    if day is None:
        raise PlanDayInvalid
    move_plan_as(work, visit.who, visit.merchant.id, _number(visit), day)
    return _back(visit)


@page(Right.AGREEMENTS_READ, HERE)
def end(visit: Visit) -> Response:
    """Ends it."""
    end_as(visit.context, visit.who, visit.merchant.id, _number(visit))
    return _back(visit)


def _tries(tx: Tx, agreement: Agreement) -> list[Try]:
    tries: list[Try] = []
    for deduction in store.list_deductions(tx, agreement.id):
        order = find_order_by_id(tx, deduction.order_id)
        assert order is not None, "the order of a try is never deleted"
        tries.append(Try(deduction, order))
    return tries[::-1]


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["agreement"])


def _back(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.home}/agreements/{_number(visit)}", 303)
