"""What is known of an order, a refund, a hold, an agreement or a transfer, told in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daozhang.service.agreements import events as agreement_events
from daozhang.service.agreements import store as agreements_store
from daozhang.service.agreements import telling as agreements_telling
from daozhang.service.agreements.model import Agreement
from daozhang.service.agreements.rules import window_opens_at
from daozhang.service.approvals.model import ApprovalKind
from daozhang.service.approvals.store import find_approval, list_about
from daozhang.service.charges import telling as charges_telling
from daozhang.service.charges.model import Charge, ChargeKind
from daozhang.service.charges.store import charge_of_order, list_charges
from daozhang.service.db import Tx
from daozhang.service.holds import events as hold_events
from daozhang.service.holds import store as holds_store
from daozhang.service.holds import telling as holds_telling
from daozhang.service.holds.model import Hold
from daozhang.service.ledger.model import Posted
from daozhang.service.ledger.reading import book_of
from daozhang.service.ledger.store import list_of_order
from daozhang.service.orders import telling as orders_telling
from daozhang.service.orders.model import Order, Step, Way
from daozhang.service.orders.store import find_order_by_id, list_steps
from daozhang.service.orders.surprises import list_surprises
from daozhang.service.orders.views import StepOut
from daozhang.service.outbox.store import list_events_about, list_events_of_order
from daozhang.service.refunds import telling as refunds_telling
from daozhang.service.refunds.model import Refund
from daozhang.service.refunds.store import list_refunds
from daozhang.service.refunds.telling import subject_of
from daozhang.service.settlements import telling as settlements_telling
from daozhang.service.settlements.store import list_settlements
from daozhang.service.sharing import telling as sharing_telling
from daozhang.service.sharing.store import list_rounds, list_shares
from daozhang.service.story.entries import (
    Entry,
    in_order,
    tell_events,
    tell_notifications,
    tell_surprises,
)
from daozhang.service.till import telling as till_telling
from daozhang.service.till.store import list_payments
from daozhang.service.transfers import events as transfer_events
from daozhang.service.transfers import telling as transfers_telling
from daozhang.service.transfers.model import Transfer


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that happened, oldest first: each entry has a ``kind``, an ``at``, and says what it is
    in ``say`` and ``say_zh``. And what happens next, when (``at``) or once a person decides (None); of an
    order, what was posted to the books about it."""

    entries: Sequence[Entry]
    upcoming: Sequence[dict[str, Any]]
    ledger: Sequence[Posted] = ()


def tell_order(tx: Tx, order: Order, keep_days: int) -> Story:
    """The story of an order; raw notifications are kept for ``keep_days``."""
    charge = charge_of_order(tx, order.id)
    payments = list_payments(tx, order.id) if order.way is Way.BARCODE else []
    charges = [] if charge is None else [(charge, order)]
    refunds = list_refunds(tx, order.id)
    rounds, shares = list_rounds(tx, order.id), list_shares(tx, order.id)
    settlements = list_settlements(tx, order.id)
    entries = in_order(
        [_created(order)],
        tell_notifications(tx, order.merchant_id, order.out_trade_no, keep_days),
        till_telling.tell(payments),
        *(charges_telling.tell(one, order.out_trade_no) for one, _ in charges),
        [
            StepOut.of(step).model_dump(mode="json") | _said(orders_telling.sentence_of(step), step)
            for step in list_steps(tx, order.id)
        ],
        *(_of_refund(refund) for refund in refunds),
        *(sharing_telling.tell(r, [s for s in shares if s.round_id == r.id]) for r in rounds),
        *(settlements_telling.tell(one) for one in settlements),
        tell_surprises(list_surprises(tx, order.merchant_id, order.id, ended=True)),
        tell_events(tx, order.merchant_id, list_events_of_order(tx, order.id)),
    )
    upcoming = [
        *orders_telling.tell_next(order),
        *till_telling.tell_next(payments),
        *_upcoming(charges),
        *(one for refund in refunds for one in refunds_telling.tell_next(refund)),
        *(one for round_ in rounds for one in sharing_telling.tell_next(round_)),
        *(one for each in settlements for one in settlements_telling.tell_next(each)),
    ]
    book = book_of(tx, order.merchant_id, order.amount.currency)
    return Story(entries, upcoming, list_of_order(tx, book, order.id))


def tell_refund(tx: Tx, order: Order, refund: Refund) -> Story:
    """The story of a refund: who wanted it, what was sent, how it ended, and who was told."""
    about = subject_of(order.out_trade_no, refund.out_request_no)
    asked = list_about(tx, order.merchant_id, ApprovalKind.REFUND, about)
    events = [
        event
        for event in list_events_of_order(tx, order.id)
        if event.data.get("refund", {}).get("out_request_no") == refund.out_request_no
    ]
    entries = in_order(
        refunds_telling.tell(refund, asked),
        tell_events(tx, order.merchant_id, events),
    )
    return Story(entries, list(refunds_telling.tell_next(refund)))


def tell_hold(tx: Tx, hold: Hold, keep_days: int) -> Story:
    """The story of a hold, with what was taken out of it and let go."""
    number = hold.out_order_no
    charges = _charges_of(tx, ChargeKind.HOLD, hold.id)
    releases = holds_store.list_releases(tx, hold.id)
    events = list_events_about(tx, hold.merchant_id, hold_events.subject_of(hold))
    entries = in_order(
        holds_telling.tell(hold, holds_store.list_steps(tx, hold.id), releases),
        tell_notifications(tx, hold.merchant_id, number, keep_days, holds_telling.NOTICES),
        _captures(charges),
        tell_surprises(list_surprises(tx, hold.merchant_id, number=number, ended=True)),
        tell_events(tx, hold.merchant_id, events),
    )
    return Story(entries, [*holds_telling.tell_next(hold, releases), *_upcoming(charges)])


def tell_agreement(tx: Tx, agreement: Agreement, keep_days: int, now: datetime) -> Story:
    """The story of an agreement, with each try to charge by it."""
    merchant_id, number = agreement.merchant_id, agreement.external_agreement_no
    charges = _charges_of(tx, ChargeKind.AGREEMENT, agreement.id)
    order_of = {order.id: order for _, order in charges}
    tries = [
        (one, order_of[one.order_id]) for one in agreements_store.list_deductions(tx, agreement.id)
    ]
    events = list_events_about(tx, merchant_id, agreement_events.subject_of(agreement))
    steps = agreements_store.list_steps(tx, agreement.id)
    entries = in_order(
        agreements_telling.tell(agreement, steps, tries),
        tell_notifications(tx, merchant_id, number, keep_days, agreements_telling.NOTICES),
        *(charges_telling.tell(charge, order.out_trade_no) for charge, order in charges),
        tell_surprises(list_surprises(tx, merchant_id, number=number, ended=True)),
        tell_events(tx, merchant_id, events),
    )
    opens_at = window_opens_at(agreement, now)
    return Story(entries, [*agreements_telling.tell_next(agreement, opens_at), *_upcoming(charges)])


def tell_transfer(tx: Tx, transfer: Transfer, keep_days: int) -> Story:
    """The story of a transfer, with who approved it."""
    merchant_id, number = transfer.merchant_id, transfer.out_biz_no
    approval = None if transfer.approval_id is None else find_approval(tx, transfer.approval_id)
    events = list_events_about(tx, merchant_id, transfer_events.subject_of(transfer))
    entries = in_order(
        transfers_telling.tell(transfer, [] if approval is None else [approval]),
        tell_notifications(tx, merchant_id, number, keep_days, transfers_telling.NOTICES),
        tell_surprises(list_surprises(tx, merchant_id, number=number, ended=True)),
        tell_events(tx, merchant_id, events),
    )
    return Story(entries, list(transfers_telling.tell_next(transfer)))


def _created(order: Order) -> Entry:
    said = (
        f"The order over {order.amount} {order.amount.currency} was created ({order.subject}).",
        f"创建订单 {order.amount} {order.amount.currency}（{order.subject}）。",
    )
    names = (order.subject, order.amount.currency)
    return orders_telling.entry("created", order.created_at, said, names)


def _of_refund(refund: Refund) -> list[Entry]:
    """What happened to a refund, as entries in the story of its order."""
    known = {
        "out_request_no": refund.out_request_no,
        "origin": refund.origin.value,
        "amount": str(refund.amount),
        "currency": refund.amount.currency,
        "reason": refund.reason,
    }
    names = [refund.amount.currency, refund.last_code, refund.last_message]
    return [
        {
            **one,
            **known,
            "kind": "refund",
            "word": one["kind"],
            "status": one.get("status"),
            "names": [name for name in names if name],
        }
        for one in refunds_telling.tell(refund, [])
    ]


def _said(sentence: orders_telling.Sentence, step: Step) -> dict[str, Any]:
    names = [] if step.note is None else [step.note]
    return {"names": names, "say": sentence[0], "say_zh": sentence[1]}


def _charges_of(tx: Tx, kind: ChargeKind, owner_id: int) -> list[tuple[Charge, Order]]:
    found: list[tuple[Charge, Order]] = []
    for charge in list_charges(tx, kind, owner_id):
        order = find_order_by_id(tx, charge.order_id)
        assert order is not None, "a charge's order is never deleted"
        found.append((charge, order))
    return found


def _captures(charges: Iterable[tuple[Charge, Order]]) -> list[Entry]:
    entries: list[Entry] = []
    for charge, order in charges:
        said = (
            f"{order.amount} is to be taken out of the hold, as order {order.out_trade_no}.",
            f"发起从预授权中扣款 {order.amount}，订单号 {order.out_trade_no}。",
        )
        amount, number = str(order.amount), order.out_trade_no
        begun = orders_telling.entry(
            "capture", order.created_at, said, out_trade_no=number, amount=amount
        )
        entries += [begun, *charges_telling.tell(charge, number)]
    return entries


def _upcoming(charges: Iterable[tuple[Charge, Order]]) -> Iterable[dict[str, Any]]:
    for charge, _ in charges:
        yield from charges_telling.tell_next(charge)
