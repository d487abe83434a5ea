"""What the pages of pay links show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from daozhang.console.paging import Pages, cut
from daozhang.console.visits import Visit
from daozhang.service.orders.model import Order
from daozhang.service.paylinks.actions import LinkInHand, link_address
from daozhang.service.paylinks.model import Standing
from daozhang.service.paylinks.rules import NOTE_CHARACTERS_MAX
from daozhang.service.refusals import Refusal


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A line of the list."""

    address: str
    in_hand: LinkInHand


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of links."""

    path: str
    here: str
    rows: Sequence[LinkRow]
    pages: Pages


def list_view(visit: Visit, found: Sequence[LinkInHand]) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    path = f"{visit.home}/links"
    shown, pages = cut(found, path, {"before": visit.query.get("before", "")})
    rows = [LinkRow(f"{path}/{each.link.public_id}", each) for each in shown]
    return ListView(path, visit.address, rows, pages)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a new link, as they were typed."""

    key: str
    chosen: bool = False
    amount: str = ""
    least: str = ""
    most: str = ""
    once: bool = True
    subject: str = ""
    note: str = ""
    last_day: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Self:
        """The fields that were sent."""

        def typed(name: str) -> str:
            return form.get(name, "").strip()

        return cls(
            key=typed("form_key"),
            chosen=typed("kind") == "chosen",
            amount=typed("amount"),
            least=typed("least"),
            most=typed("most"),
            once=typed("times") != "many",
            subject=typed("subject"),
            note=typed("note"),
            last_day=typed("last_day"),
        )


@dataclass(frozen=True, slots=True)
class NewView:
    """The form of a new link."""

    path: str
    form: Form
    amount_error: str | None
    subject_error: str | None
    error: str | None
    note_max: int


def new_view(visit: Visit, form: Form, refusal: Refusal | None = None) -> NewView:
    """The form, with what was wrong beside the field that it is about."""
    says = None if refusal is None else visit.says(refusal)
    code = "" if refusal is None else refusal.code
    return NewView(
        path=f"{visit.home}/links",
        form=form,
        amount_error=says if code == "amount_invalid" else None,
        subject_error=says if code == "subject_invalid" else None,
        error=says if code.startswith("paylink_") else None,
        note_max=NOTE_CHARACTERS_MAX,
    )


@dataclass(frozen=True, slots=True)
class LinkView:
    """One link."""

    path: str
    here: str
    in_hand: LinkInHand
    address: str
    picture: str
    print_picture: str
    is_open: bool
    orders: Sequence[Order]


def link_view(visit: Visit, in_hand: LinkInHand, made: Sequence[Order]) -> LinkView:
    """One link with its code and its payments."""
    link = in_hand.link
    public = f"/pay/link/{link.token}"
    return LinkView(
        path=f"{visit.home}/links/{link.public_id}",
        here=visit.address,
        in_hand=in_hand,
        address=link_address(visit.context, link),
        picture=f"{public}/qr.svg",
        print_picture=f"{public}/qr.png?module=20",
        is_open=in_hand.standing is Standing.OPEN,
        orders=made,
    )
