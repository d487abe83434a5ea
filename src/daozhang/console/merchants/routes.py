"""The pages of merchants: how each stands, and what is set for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import RedirectResponse, Response

from daozhang.console.confirming import grave
from daozhang.console.merchants.views import (
    DUPLICATE,
    LATE,
    AppCard,
    MerchantRow,
    amount_text,
    key_rows,
    notify_url,
)
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.money import Money, MoneyError
from daozhang.service.doctor.actions import check_notify_as
from daozhang.service.doctor.model import Finding
from daozhang.service.inbox.store import latest_received
from daozhang.service.keys.drafts import list_drafts
from daozhang.service.keys.reading import list_waiting_changes
from daozhang.service.merchants import store
from daozhang.service.merchants.configuring import set_policies_as, turn_outgoing_as
from daozhang.service.merchants.model import DuplicatePolicy, LatePolicy, Merchant
from daozhang.service.merchants.refusals import MerchantInvalid, OutgoingReasonMissing
from daozhang.service.merchants.second_person import set_second_person_as
from daozhang.service.people.model import Right
from daozhang.service.people.refusals import MerchantNotYours
from daozhang.service.refusals import Refusal
from daozhang.service.watch.keys import KeyRing

ROOM = "merchants/merchants"
SWITCHES_SHOWN = 10


@page(Right.MERCHANTS_READ, ROOM)
def list_page(visit: Visit) -> Response:
    """Apps and merchants, and how each stands."""
    adds = visit.may(Right.MERCHANTS_WRITE) and visit.who.merchants is None
    drafts = list_drafts(visit.context, visit.who) if adds else []
    return respond(visit, "merchants/list.html", cards=_cards(visit), drafts=drafts, adds=adds)


def _cards(visit: Visit) -> Sequence[AppCard]:
    ring = KeyRing(visit.context)
    changes = list_waiting_changes(visit.context, visit.who)
    with visit.context.database.read() as tx:
        apps = store.list_apps(tx)
        notified = latest_received(tx)
        switches = {one.id: store.list_switches(tx, one.id, 1) for one in visit.merchants}
    cards: list[AppCard] = []
    for app in apps:
        rows = [
            MerchantRow(
                merchant=one,
                address=f"{visit.base}/merchants/{one.slug}",
                notify_url=notify_url(visit, one),
                notified_at=notified.get(one.id),
                stopped=next((turn for turn in switches[one.id] if not turn.allowed), None),
            )
            for one in visit.merchants
            if one.app_row == app.id
        ]
        if rows or visit.who.merchants is None:
            cards.append(
                AppCard(
                    app=app,
                    name=app.name or app.app_id,
                    address=f"{visit.base}/apps/{app.id}",
                    keys=key_rows(visit, ring.keys_of([app])),
                    merchants=rows,
                    waiting=[one for one in changes if one.change.app_row == app.id],
                )
            )
    return cards


@page(Right.MERCHANTS_READ, ROOM)
def merchant_page(visit: Visit) -> Response:
    """One merchant: its facts, and what is set for it."""
    return _show(visit, {})


def _show(
    visit: Visit, errors: Mapping[str, str], status: int = 200, found: Sequence[Finding] = ()
) -> Response:
    merchant = _merchant(visit)
    with visit.context.database.read() as tx:
        merchant = store.find_merchant_by_id(tx, merchant.id)
        turns = store.list_switches(tx, merchant.id, SWITCHES_SHOWN)
        notified_at = latest_received(tx).get(merchant.id)
    return respond(
        visit,
        "merchants/merchant.html",
        status,
        merchant=merchant,
        turns=turns,
        notified_at=notified_at,
        notify_url=notify_url(visit, merchant),
        late=[(value, visit.t(text)) for value, text in LATE.items()],
        duplicate=[(value, visit.t(text)) for value, text in DUPLICATE.items()],
        late_text=visit.t(LATE[merchant.late_policy]),
        duplicate_text=visit.t(DUPLICATE[merchant.duplicate_policy]),
        per_order=visit.form.get("per_order", amount_text(merchant.second_person_order_minor)),
        per_day=visit.form.get("per_day", amount_text(merchant.second_person_day_minor)),
        errors=errors,
        found=found,
    )


@page(Right.MERCHANTS_READ, ROOM)
@grave
def set_policies(visit: Visit) -> Response:
    """What becomes of payments that come late or twice."""
    late, duplicate = visit.form.get("late", ""), visit.form.get("duplicate", "")
    merchant = _merchant(visit)
    now = merchant.late_policy, merchant.duplicate_policy
    set_policies_as(
        visit.context,
        visit.who,
        merchant.id,
        late=LatePolicy(late) if late in tuple(LatePolicy) else now[0],
        duplicate=DuplicatePolicy(duplicate) if duplicate in tuple(DuplicatePolicy) else now[1],
    )
    return _back(visit)


@page(Right.MERCHANTS_READ, ROOM)
@grave
def set_amounts(visit: Visit) -> Response:
    """Above which amounts a refund takes two people."""
    amounts: dict[str, Money | None] = {}
    errors: dict[str, str] = {}
    for name in ("per_order", "per_day"):
        try:
            text = visit.form.get(name, "").strip()
            amounts[name] = Money.parse(text) if text else None
        except MoneyError:
            errors[name] = visit.t("An amount looks like 88.88; leave it empty for never.")
    if errors:
        return _show(visit, errors, 422)
    try:
        set_second_person_as(
            visit.context,
            visit.who,
            _merchant(visit).id,
            per_order=amounts["per_order"],
            per_day=amounts["per_day"],
        )
    except MerchantInvalid as refusal:
        return _refused(visit, "per_order", refusal)
    return _back(visit)


@page(Right.MERCHANTS_READ, ROOM)
@grave
def turn(visit: Visit) -> Response:
    """Stops or allows outgoing money."""
    try:
        turn_outgoing_as(
            visit.context,
            visit.who,
            _merchant(visit).id,
            allowed=visit.form.get("to") == "allowed",
            reason=visit.form.get("reason", ""),
        )
    except OutgoingReasonMissing as refusal:
        return _refused(visit, "reason", refusal)
    return _back(visit)


@page(Right.MERCHANTS_READ, ROOM)
def check_notify(visit: Visit) -> Response:
    """Posts a probe to the notify address, as Alipay would post a notification."""
    found = check_notify_as(visit.context, visit.who, _merchant(visit))
    return _show(visit, {}, found=found)


def _merchant(visit: Visit) -> Merchant:
    for merchant in visit.merchants:
        if merchant.slug == visit.request.path_params["slug"]:
            return merchant
    raise MerchantNotYours


def _refused(visit: Visit, name: str, refusal: Refusal) -> Response:
    return _show(visit, {name: visit.says(refusal)}, refusal.status)


def _back(visit: Visit) -> Response:
    return RedirectResponse(f"{visit.base}/merchants/{_merchant(visit).slug}", 303)
