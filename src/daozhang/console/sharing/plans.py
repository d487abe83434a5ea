"""A plan in a form: who gets which part of a payment, and what becomes of it with a refund."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.console.forms import amount_sent, text_sent
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.sharing.receivers import HERE
from daozhang.console.sharing.views import RETURNS, shown
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.people.model import Right
from daozhang.service.sharing.by_people import Register, put_plan_as, read_register
from daozhang.service.sharing.model import Mode, Part, Plan, ReceiverStatus, ReturnOrder
from daozhang.service.sharing.refusals import PlanInvalid, PlanNotFound
from daozhang.service.sharing.rules import SHARES_MAX_SYNC, percent_text, to_points
from daozhang.service.web.problem import AmountInvalid

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
PERCENT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
ROWS: Final = 5
ROWS_MAX: Final = 50
KINDS: Final[Sequence[tuple[str, str]]] = (
    ("percent", word("Percent of the payment")),
    ("amount", word("Fixed amount")),
    ("rest", word("What the others leave")),
)


@dataclass(frozen=True, slots=True)
class PartField:
    """A line of the form."""

    place: int
    account: str
    kind: str
    value: str
    error: str | None


@dataclass(frozen=True, slots=True)
class PlanView:
    """The form of a plan."""

    is_new: bool
    action: str
    name: str
    accounts: Sequence[tuple[str, str]]
    kinds: Sequence[tuple[str, str]]
    parts: Sequence[PartField]
    more: bool
    pool: str
    finishes: bool
    returns: Sequence[tuple[str, str]]
    chosen: str
    errors: Mapping[str, str]
    refused: str | None


@page(Right.SHARING_WRITE, HERE)
def plan_page(visit: Visit) -> Response:
    """Makes a plan, or changes the one that the address names, for payments from now on."""
    named = visit.request.path_params.get("plan")
    found = read_register(visit.context, visit.who, visit.merchant.id)
    known = next((one for one in found.plans if one.name == named), None)
    if named is not None and known is None:
        raise PlanNotFound(named)
    if visit.request.method != "POST":
        return _form(visit, found, known, _fields_of(known), {}, None)
    if visit.form.get("more"):
        return _form(visit, found, known, visit.form, {}, None)
    errors: dict[str, str] = {}
    plan = _sent(visit, known, {one.name for one in found.plans}, errors)
    if errors:
        return _form(visit, found, known, visit.form, errors, None)
    try:
        put_plan_as(visit.context, visit.who, visit.merchant.id, plan)
    except PlanInvalid as refusal:
        return _form(visit, found, known, visit.form, {}, visit.says(refusal))
    return RedirectResponse(f"{visit.home}/sharing", 303)


def _sent(visit: Visit, known: Plan | None, taken: set[str], errors: dict[str, str]) -> Plan:
    name = known.name if known is not None else text_sent(visit, "name", 64)
    if NAME.fullmatch(name) is None:
        errors["name"] = visit.t(word("A name has letters, digits, _ and -."))
    elif known is None and name in taken:
        errors["name"] = visit.t(word("There is a plan of that name: change it on its own page."))
    parts = [
        _part(visit, place, errors)
        for place in range(ROWS_MAX)
        if visit.form.get(f"account_{place}")
    ]
    pool = visit.form.get("pool", "").strip()
    if pool and not _is_percent(pool):
        errors["pool"] = visit.t(PERCENT_WRONG)
    returns = visit.form.get("returns", "")
    return Plan(
        name=name,
        parts=tuple(parts),
        pool_basis_points=to_points(pool) if pool and "pool" not in errors else None,
        rounding=None if known is None else _rounding(known, parts),
        mode=Mode.SYNC if len(parts) <= SHARES_MAX_SYNC else Mode.ASYNC,
        finishes=visit.form.get("finish") == "yes",
        returns=ReturnOrder(returns) if returns in tuple(ReturnOrder) else ReturnOrder.SELLER_FIRST,
    )


PERCENT_WRONG: Final = word("Write a percentage such as 12.5, up to 100.")


def _part(visit: Visit, place: int, errors: dict[str, str]) -> Part:
    account, kind = visit.form[f"account_{place}"][:64], visit.form.get(f"kind_{place}", "percent")
    value = visit.form.get(f"value_{place}", "").strip()
    if kind == "rest":
        return Part(account)
    if kind == "amount":
        try:
            return Part(account, amount=amount_sent(visit, "CNY", f"value_{place}"))
        except AmountInvalid as refusal:
            errors[f"part_{place}"] = visit.says(refusal)
    elif _is_percent(value):
        return Part(account, basis_points=to_points(value))
    else:
        errors[f"part_{place}"] = visit.t(PERCENT_WRONG)
    return Part(account)


def _is_percent(text: str) -> bool:
    return PERCENT.fullmatch(text) is not None and 0 < to_points(text) <= to_points("100")


def _rounding(known: Plan, parts: Sequence[Part]) -> str | None:
    """Who bears the odd fen, as an API call has set it, while they still have a percentage."""
    shares = {part.account for part in parts if part.basis_points is not None}
    return known.rounding if known.rounding in shares else None


def _fields_of(plan: Plan | None) -> Mapping[str, str]:
    """A plan as its form has it."""
    if plan is None:
        return {}
    fields = {
        "pool": "" if plan.pool_basis_points is None else percent_text(plan.pool_basis_points),
        "finish": "yes" if plan.finishes else "",
        "returns": plan.returns.value,
    }
    for place, part in enumerate(plan.parts):
        fields[f"account_{place}"] = part.account
        if part.amount is not None:
            fields |= {f"kind_{place}": "amount", f"value_{place}": str(part.amount)}
        elif part.basis_points is not None:
            fields |= {
                f"kind_{place}": "percent",
                f"value_{place}": percent_text(part.basis_points),
            }
        else:
            fields[f"kind_{place}"] = "rest"
    return fields


def _form(
    visit: Visit,
    found: Register,
    known: Plan | None,
    fields: Mapping[str, str],
    errors: Mapping[str, str],
    refused: str | None,
) -> Response:
    t = visit.t
    count = max(ROWS, *(place + 1 for place in range(ROWS_MAX) if f"account_{place}" in fields), 0)
    if fields.get("more"):
        count = min(count + ROWS, ROWS_MAX)
    used = {part.account for part in known.parts} if known is not None else set[str]()
    view = PlanView(
        is_new=known is None,
        action=f"{visit.home}/sharing/plans/{'new' if known is None else known.name}",
        name=fields.get("name", "") if known is None else known.name,
        accounts=[
            (one.account, f"{shown(visit, one.account, one.type)} {one.memo or one.name or ''}")
            for one in found.receivers
            if one.status is ReceiverStatus.BOUND or one.account in used
        ],
        kinds=[(value, t(text)) for value, text in KINDS],
        parts=[
            PartField(
                place,
                fields.get(f"account_{place}", ""),
                fields.get(f"kind_{place}", "percent"),
                fields.get(f"value_{place}", ""),
                errors.get(f"part_{place}"),
            )
            for place in range(count)
        ],
        more=count < ROWS_MAX,
        pool=fields.get("pool", ""),
        finishes=fields.get("finish") == "yes",
        returns=[(value, t(text)) for value, text in RETURNS.items()],
        chosen=fields.get("returns", ""),
        errors=errors,
        refused=refused,
    )
    return respond(visit, "sharing/plan.html", 422 if errors or refused else 200, view=view)
