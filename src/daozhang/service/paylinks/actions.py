"""The verbs of a pay link: make it, close it, look at it; and, for whoever holds it, pay by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.db import Tx
from daozhang.service.ids import dated_number, new_id
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.orders.actions import create_order
from daozhang.service.orders.model import NewOrder, Order, Way
from daozhang.service.orders.subjects import require_subject
from daozhang.service.paylinks import rules, store
from daozhang.service.paylinks.model import Brought, NewPayLink, PayLink, Standing
from daozhang.service.paylinks.refusals import (
    AmountNotTaken,
    PayLinkConflict,
    PayLinkNotFound,
    TooManyOpen,
    bounds_invalid,
    expiry_invalid,
    form_invalid,
)
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.shifts.model import operator_id
from daozhang.service.shifts.store import find_open_shift
from daozhang.service.web.context import Context

NUMBER: Final = "L"
"""What numbers of orders begin with that a link makes."""

CURRENCY: Final = "CNY"

ORDERS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class LinkInHand:
    """A link with what it brought in, and where it stands by that."""

    link: PayLink
    brought: Brought
    standing: Standing

    @property
    def id(self) -> int:
        """The link's row, by which lists are ordered."""
        return self.link.id


def link_address(context: Context, link: PayLink) -> str:
    """Where anybody can pay at it."""
    return f"{context.settings.public_url}/pay/link/{link.token}"


def make_link(context: Context, actor: Person, merchant_id: int, new: NewPayLink) -> PayLink:
    """The link that this form makes; the same form again gives the same one.

    Raises `PayLinkInvalid`, `SubjectInvalid`, and `PayLinkConflict` if it has made another.
    """
    require(actor, Right.PAYLINKS_WRITE, merchant_id)
    now = context.clock.now()
    _require_sound(new, now)
    subject = require_subject(new.subject)
    note = (new.note or "").strip()[: rules.NOTE_CHARACTERS_MAX] or None
    public_id = new_id("lnk", now)
    with context.database.begin() as tx:
        shift = find_open_shift(tx, merchant_id, actor.id)
        values: dict[str, Any] = {
            "public_id": public_id,
            # 80 random bits behind the time: nobody guesses it, and its picture stays small.
            "token": new_id("p", now).rpartition("_")[2],
            "form_key": new.form_key,
            "merchant_id": merchant_id,
            "currency": CURRENCY,
            "amount_minor": None if new.amount is None else new.amount.minor,
            "least_minor": None if new.least is None else new.least.minor,
            "most_minor": None if new.most is None else new.most.minor,
            "once": new.once,
            "subject": subject,
            "note": note,
            "created_by": actor.id,
            "created_name": actor.name,
            "created_at": now,
            "store_id": None if shift is None else shift.store_id,
            "terminal_id": None if shift is None else shift.terminal_id,
            "expires_at": new.expires_at,
        }
        is_new = store.insert_link(tx, values)
        link = store.find_link_of_form(tx, merchant_id, new.form_key)
        assert link is not None
        if is_new:
            _record(tx, actor, "paylink.made", link, now)
        elif (link.amount, link.least, link.most, link.subject) != (
            new.amount,
            new.least,
            new.most,
            subject,
        ):
            raise PayLinkConflict(link.public_id)
    return link


def _require_sound(new: NewPayLink, now: datetime) -> None:
    if not rules.is_form_key(new.form_key):
        raise form_invalid()
    bounded = new.least is not None and new.most is not None
    if (new.amount is None) != bounded:
        raise bounds_invalid()
    if new.least is not None and new.most is not None and new.least > new.most:
        raise bounds_invalid()
    if new.expires_at is not None:
        left = new.expires_at - now
        if not timedelta(seconds=rules.LEFT_SECONDS_MIN) <= left <= timedelta(days=rules.DAYS_MAX):
            raise expiry_invalid()


def close_link(context: Context, actor: Person, merchant_id: int, public_id: str) -> None:
    """Nobody begins to pay by it any more; who has begun can end. Raises `PayLinkNotFound`."""
    require(actor, Right.PAYLINKS_WRITE, merchant_id)
    now = context.clock.now()
    with context.database.begin() as tx:
        link = _found(tx, merchant_id, public_id)
        if store.close_link(tx, link.id, now):
            _record(tx, actor, "paylink.closed", link, now)


def list_links(
    context: Context, actor: Person, merchant_id: int, *, before_id: int | None, rows_max: int
) -> list[LinkInHand]:
    """The merchant's links, newest first, with what each brought in."""
    require(actor, Right.PAYLINKS_WRITE, merchant_id)
    now = context.clock.now()
    with context.database.read() as tx:
        links = store.list_links(tx, merchant_id, before_id=before_id, rows_max=rows_max)
        brought = store.brought_by(tx, links)
    return [_in_hand(link, brought[link.id], now) for link in links]


def read_link(
    context: Context, actor: Person, merchant_id: int, public_id: str
) -> tuple[LinkInHand, Sequence[Order]]:
    """One of them, and its latest orders. Raises `PayLinkNotFound`."""
    require(actor, Right.PAYLINKS_WRITE, merchant_id)
    with context.database.read() as tx:
        link = _found(tx, merchant_id, public_id)
        brought = store.brought_by(tx, [link])[link.id]
        made = store.orders_of_link(tx, link.id, ORDERS_SHOWN)
    return _in_hand(link, brought, context.clock.now()), made


# ---- for whoever holds the address


def look_at(context: Context, token: str) -> tuple[LinkInHand, Merchant] | None:
    """The link behind an address, and whose it is; ``None`` if it is none. Changes nothing."""
    with context.database.read() as tx:
        link = store.find_link_by_token(tx, token)
        if link is None:
            return None
        merchant = find_merchant_by_id(tx, link.merchant_id)
        brought = store.brought_by(tx, [link])[link.id]
    return _in_hand(link, brought, context.clock.now()), merchant


def begin_to_pay(
    context: Context, token: str, *, form_key: str, amount: Money, way: Way
) -> Order | Standing:
    """The order that somebody pays who has pressed the button; why there is none otherwise.

    The same sending again gives the same order. At a link for one payment whoever comes next pays
    the order that is there. Raises `AmountNotTaken`, `TooManyOpen` and `PayLinkInvalid`.
    """
    if not rules.is_form_key(form_key):
        raise form_invalid()
    now = context.clock.now()
    with context.database.begin() as tx:
        # Locked, so that two who press at once do not each get an order of a link for one.
        link = store.find_link_by_token(tx, token, lock=True)
        if link is None:
            raise PayLinkNotFound(token)
        known = store.order_of_form(tx, link.id, form_key)
        if known is not None:
            return known
        brought = store.brought_by(tx, [link])[link.id]
        stands = rules.standing(link, now, is_paid=brought.is_paid)
        if stands is not Standing.OPEN:
            return stands
        if not rules.takes(link, amount):
            raise AmountNotTaken
        if link.once:
            latest = store.orders_of_link(tx, link.id, 1)
            if latest and rules.can_go_on(latest[0], way, amount, now):
                return latest[0]
        if store.count_open(tx, link.id) >= rules.OPEN_ORDERS_MAX:
            raise TooManyOpen
        return _make_order(tx, context, link, form_key, amount, way)


def _make_order(
    tx: Tx, context: Context, link: PayLink, form_key: str, amount: Money, way: Way
) -> Order:
    now = context.clock.now()
    new = NewOrder(
        out_trade_no=dated_number(NUMBER, now),
        amount=amount,
        subject=link.subject,
        expires_at=rules.expiry(link, now, context.settings.order_expiry_seconds),
        way=way,
        # Of a link for one payment a second one is announced, and the merchant's policy acts.
        cart_ref=link.public_id if link.once else None,
        operator_id=operator_id(link.created_by),
        store_id=link.store_id,
        terminal_id=link.terminal_id,
        return_url=link_address(context, link),
        metadata={"paylink": link.public_id},
    )
    order, is_new = create_order(tx, find_merchant_by_id(tx, link.merchant_id), new, now)
    assert is_new, "a random number was taken"
    store.add_order(tx, link.id, order.id, form_key)
    return order


def _in_hand(link: PayLink, brought: Brought, now: datetime) -> LinkInHand:
    return LinkInHand(link, brought, rules.standing(link, now, is_paid=brought.is_paid))


def _found(tx: Tx, merchant_id: int, public_id: str) -> PayLink:
    link = store.find_link(tx, merchant_id, public_id)
    if link is None:
        raise PayLinkNotFound(public_id)
    return link


def _record(tx: Tx, actor: Person, action: str, link: PayLink, now: datetime) -> None:
    record(
        tx,
        actor.actor,
        action,
        f"paylink:{link.public_id}",
        now,
        merchant_id=link.merchant_id,
        amount=None if link.amount is None else str(link.amount),
        least=None if link.least is None else str(link.least),
        most=None if link.most is None else str(link.most),
        once=link.once,
    )
