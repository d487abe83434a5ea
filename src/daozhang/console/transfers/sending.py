"""Sending one transfer: what it is, looked at once more, then asked for. It cannot be called back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import NUMBER, amount_sent, new_number, number_sent, text_sent
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.transfers.routes import HERE
from daozhang.console.transfers.views import PAYEE_KINDS
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal
from daozhang.service.transfers.approving import transfer_as
from daozhang.service.transfers.by_people import (
    limits_for,
    sent_again_as,
    try_transfer_as,
    wish_again_as,
)
from daozhang.service.transfers.limits import CLEARING
from daozhang.service.transfers.model import NewTransfer, Payee, PayeeKind
from daozhang.service.transfers.payees import plainly
from daozhang.service.transfers.refusals import PayeeInvalid, TransferAmountInvalid
from daozhang.service.web.problem import AmountInvalid

FIELDS: Final[Mapping[str, int]] = {
    "payee_kind": 16,
    "identity": 128,
    "name": 64,
    "card_holder": 8,
    "bank_name": 64,
    "bank_branch": 128,
    "bank_code": 32,
    "amount": 16,
    "title": 128,
    "remark": 200,
}
"""The fields of the form, and how many characters each may have."""

HOLDERS: Final[Sequence[tuple[str, str]]] = (
    ("", word("No card")),
    ("person", word("A person's")),
    ("company", word("A company's")),
)
PLACES: Final = {PayeeInvalid.code: "identity", TransferAmountInvalid.code: "amount"}
"""The field at which a refusal is said, by its code; any other stands above the form."""

TITLE_MISSING: Final = word("Say what it is for: the payee reads it.")


@dataclass(frozen=True, slots=True)
class FormView:
    """The form, as it was sent."""

    number: str
    fields: Mapping[str, str]
    kinds: Sequence[tuple[str, str]]
    holders: Sequence[tuple[str, str]]
    errors: Mapping[str, str]
    refused: str | None
    clearing: str
    set_up: bool
    instead_of: str | None


@dataclass(frozen=True, slots=True)
class LookView:
    """The transfer, to be looked at once more."""

    number: str
    fields: Mapping[str, str]
    amount: Money
    kind: str
    payee: str
    takes_second_person: bool


@page(Right.TRANSFERS_REQUEST, HERE)
def new_page(visit: Visit) -> Response:
    """The form; sent once it shows what would happen, sent from there it is asked for."""
    if visit.request.method != "POST":
        again = visit.query.get("again", "")[:64]
        return _again(visit, again) if again else _form(visit, new_number(visit, "tr"), {}, None)
    number, errors = number_sent(visit), dict[str, str]()
    new = _sent(visit, number, errors)
    if new is None or visit.form.get("back"):
        return _form(visit, number, errors, None, 422 if errors else 200)
    try:
        if visit.form.get("sure") == "yes":
            transfer_as(visit.context, visit.who, visit.merchant, new)
            return RedirectResponse(f"{visit.home}/transfers/{number}", 303)
        waits = try_transfer_as(visit.context, visit.who, visit.merchant, new)
    except Refusal as refusal:
        says, place = visit.says(refusal), PLACES.get(refusal.code)
        at_field, at_top = ({}, says) if place is None else ({place: says}, None)
        return _form(visit, number, at_field, at_top, refusal.status)
    view = LookView(
        number=number,
        fields=_fields(visit),
        amount=new.amount,
        kind=visit.t(PAYEE_KINDS[new.payee.kind]),
        payee=plainly(new.payee),
        takes_second_person=waits,
    )
    return respond(visit, "transfers/look.html", view=view, number_field=NUMBER)


def _again(visit: Visit, number: str) -> Response:
    """The form with what failed or came back in it, to be sent once more: under one number, however often it is asked
    for; if it was sent already, it leads there."""
    sent = sent_again_as(visit.context, visit.who, visit.merchant.id, number)
    if sent is not None:
        return RedirectResponse(f"{visit.home}/transfers/{sent}", 303)
    wish = wish_again_as(visit.context, visit.who, visit.merchant.id, number)
    payee = wish.payee
    filled = {
        "payee_kind": payee.kind.value,
        "identity": payee.identity,
        "name": payee.name,
        "card_holder": payee.card_holder,
        "bank_name": payee.bank_name,
        "bank_branch": payee.bank_branch,
        "bank_code": payee.bank_code,
        "amount": str(wish.amount),
        "title": wish.title,
        "remark": wish.remark,
    }
    shown = replace(visit, form={name: text or "" for name, text in filled.items()})
    return _form(shown, wish.out_biz_no, {}, None, instead_of=number)


def _fields(visit: Visit) -> dict[str, str]:
    return {name: text_sent(visit, name, most) for name, most in FIELDS.items()}


def _sent(visit: Visit, number: str, errors: dict[str, str]) -> NewTransfer | None:
    """What the form asks for; ``None`` where it says why not in ``errors``."""
    fields = _fields(visit)
    if not fields["title"]:
        errors["title"] = visit.t(TITLE_MISSING)
    try:
        amount = amount_sent(visit, "CNY")
    except AmountInvalid as refusal:
        errors["amount"] = visit.says(refusal)
        return None
    if errors:
        return None
    kind = fields["payee_kind"]
    kind = PayeeKind(kind) if kind in tuple(PayeeKind) else PayeeKind.LOGON_ID
    is_card = kind is PayeeKind.BANK_CARD
    payee = Payee(
        kind=kind,
        identity=fields["identity"].replace(" ", ""),
        name=fields["name"] or None,
        card_holder=(fields["card_holder"] or None) if is_card else None,
        bank_name=(fields["bank_name"] or None) if is_card else None,
        bank_branch=(fields["bank_branch"] or None) if is_card else None,
        bank_code=(fields["bank_code"] or None) if is_card else None,
    )
    return NewTransfer(number, amount, payee, fields["title"], fields["remark"] or None)


def _form(
    visit: Visit,
    number: str,
    errors: Mapping[str, str],
    refused: str | None,
    status: int = 200,
    *,
    instead_of: str | None = None,
) -> Response:
    t = visit.t
    limits = limits_for(visit.context, visit.who, visit.merchant.id)
    view = FormView(
        number=number,
        fields=_fields(visit),
        kinds=[(kind.value, t(text)) for kind, text in PAYEE_KINDS.items()],
        holders=[(value, t(text)) for value, text in HOLDERS],
        errors=errors,
        refused=refused,
        clearing=CLEARING[visit.language.value == "zh"],
        set_up=limits is not None,
        instead_of=instead_of,
    )
    return respond(visit, "transfers/new.html", status, view=view, number_field=NUMBER)
