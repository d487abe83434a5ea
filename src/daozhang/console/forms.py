"""Forms: what a form says, read so that no page has to wonder what may be in it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from daozhang.console.forgery import FormOutdated
from daozhang.console.visits import Visit
from daozhang.money import Money
from daozhang.service.ids import new_id
from daozhang.service.web.problem import AmountInvalid, amount_of

NUMBER: Final = "number"
"""The field with the number under which something is done, made with the form: sent twice, it is one."""

_OWN_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")


def new_number(visit: Visit, prefix: str) -> str:
    """A number for what a form is about to ask for."""
    return new_id(prefix, visit.context.clock.now())


def number_sent(visit: Visit) -> str:
    """The number that the form was made with; raises `FormOutdated` if it has none."""
    number = visit.form.get(NUMBER, "")
    if _OWN_NUMBER.fullmatch(number) is None:
        raise FormOutdated
    return number


def amount_sent(visit: Visit, currency: str, name: str = "amount") -> Money:
    """The amount that somebody typed, commas between thousands left out; raises `AmountInvalid`."""
    text = visit.form.get(name, "").strip().replace(",", "")
    return amount_of(text if _AMOUNT.fullmatch(text) else "", currency)


def limit_sent(visit: Visit, name: str, errors: dict[str, str]) -> Money | None:
    """A limit that somebody typed: nothing for none, zero for always; what it is not stands in ``errors``."""
    text = visit.form.get(name, "").strip()
    if not text:
        return None
    if set(text) <= set("0."):
        return Money.zero("CNY")
    try:
        return amount_sent(visit, "CNY", name)
    except AmountInvalid as refusal:
        errors[name] = visit.says(refusal)
        return None


def text_sent(visit: Visit, name: str, characters_max: int) -> str:
    """What somebody typed, in one line and without what cannot be printed."""
    text = "".join(letter for letter in visit.form.get(name, "") if letter.isprintable())
    return text.strip()[:characters_max]


def day_sent(visit: Visit, name: str) -> date | None:
    """A day that was picked; ``None`` if it is none."""
    try:
        return date.fromisoformat(visit.form.get(name, ""))
    except ValueError:
        return None


def time_sent(visit: Visit, name: str) -> datetime | None:
    """A time that was picked, in the reader's zone; ``None`` if it is none."""
    try:
        picked = datetime.fromisoformat(visit.form.get(name, ""))
    except ValueError:
        return None
    return picked if picked.tzinfo is not None else picked.replace(tzinfo=visit.formats.zone)
