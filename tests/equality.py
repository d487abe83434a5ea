"""Our books against the emulator's ledger, to the fen, over any number of orders at once."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from daozhang.emulator.ledger import RefundOrigin, Trade, TradeStatus
from daozhang.money import Money
from daozhang.service.db import Database
from daozhang.service.orders.store import orders
from daozhang.service.outbox.store import events
from daozhang.service.refunds.store import refunds
from receivers import Receiver

PAID_EVENTS = ("order.paid", "order.paid_late")


@dataclass(frozen=True)
class Booked:
    """One order as our books have it."""

    status: str
    refunded: Money
    reserved: Money
    refunds: Sequence[tuple[str, Money, str]]  # number, amount, status
    events: Sequence[tuple[int, str, str | None]]  # sequence, type, number of the refund

    def told(self, *types: str) -> int:
        """How many events of these types there are."""
        return sum(kind in types for _, kind, _ in self.events)


def read_books(database: Database) -> dict[str, Booked]:
    """Every order by its number."""
    with database.read() as tx:
        found = tx.execute(sa.select(orders)).mappings().all()
        money_back: defaultdict[int, list[tuple[str, Money, str]]] = defaultdict(list)
        for row in tx.execute(sa.select(refunds)).mappings():
            entry = (row["out_request_no"] or "", Money(row["amount_minor"]), row["status"])
            money_back[row["order_id"]].append(entry)
        announced: defaultdict[int, list[tuple[int, str, str | None]]] = defaultdict(list)
        for row in tx.execute(sa.select(events).order_by(events.c.number)).mappings():
            refund = row["data"].get("refund") or {}
            entry = (row["sequence"], row["type"], refund.get("out_request_no"))
            announced[row["order_id"]].append(entry)
    return {
        row["out_trade_no"]: Booked(
            row["status"],
            Money(row["refunded_minor"]),
            Money(row["reserved_minor"]),
            money_back[row["id"]],
            announced[row["id"]],
        )
        for row in found
    }


def differences(number: str, booked: Booked, trade: Trade | None) -> list[str]:
    """What our books say of an order that the ledger does not, in words; none if they agree."""
    moved = [] if trade is None else [(r.out_request_no, r.amount) for r in trade.refunds]
    total = Money.total(amount for _, amount in moved)
    proven = sorted(
        (name, amount) for name, amount, status in booked.refunds if status == SUCCEEDED
    )
    numbers = [sequence for sequence, _, _ in booked.events]
    told = Counter(name for _, kind, name in booked.events if kind == "refund.succeeded")
    # What only the running total showed for a minute is told without its name, which comes later.
    nameless = told.pop(None, 0)
    others = [name for name, _ in moved if name not in told]
    was_paid = trade is not None and trade.paid_at is not None
    is_whole = was_paid and trade is not None and not trade.remaining
    by_centre = (
        [] if trade is None else [r for r in trade.refunds if r.origin is RefundOrigin.CENTRE]
    )
    # A full refund of somebody else's may be heard of before the payment: the table's cell R.
    by_others = trade is not None and all(r.origin is not RefundOrigin.API for r in trade.refunds)
    paid_told = booked.told(*PAID_EVENTS)
    expected: Mapping[str, tuple[Any, Any]] = {
        "status": (booked.status, status_of(trade)),
        "refunded": (booked.refunded, total),
        "reserved": (booked.reserved, Money.zero()),
        "refunds": (proven, sorted(moved)),
        "sequences": (numbers, list(range(1, len(numbers) + 1))),
        "payments told": (paid_told, 0 if is_whole and by_others and not paid_told else was_paid),
        "refunds told": (told.total() + nameless, len(moved)),
        "refunds told twice": ([name for name, times in told.items() if times > 1], []),
        "refunds told without a name": (nameless, min(len(others), len(by_centre))),
        "full refunds told": (booked.told("order.refunded"), int(is_whole)),
        "ends of refunds": ({s for _, _, s in booked.refunds} - {SUCCEEDED, "failed"}, set[str]()),
    }
    return [
        f"{number} {what}: {ours} {theirs}"
        for what, (ours, theirs) in expected.items()
        if ours != theirs
    ]


def unheard(database: Database, hook: Receiver) -> list[str]:
    """Events that have not arrived at a receiver of all, or came after later ones of their order.

    The first time counts: what is delivered at least once may come again at any time.
    """
    with database.read() as tx:
        told = set(tx.execute(sa.select(events.c.id)).scalars())
    heard: dict[str, tuple[str, int]] = {}
    for got in list(hook.got):
        event = json.loads(got.body)
        order = event["data"].get("order") or {}
        heard.setdefault(event["id"], (order.get("out_trade_no", ""), event["sequence"] or 0))
    by_order: defaultdict[str, list[int]] = defaultdict(list)
    for number, sequence in heard.values():
        if sequence:  # one without an order comes whenever it comes
            by_order[number].append(sequence)
    missing = [f"event {name} has not arrived" for name in sorted(told - set(heard))]
    strange = [f"event {name} is in no book" for name in sorted(set(heard) - told)]
    overtaken = [
        f"{number} heard in the order {sequences}"
        for number, sequences in by_order.items()
        if sequences != sorted(sequences)
    ]
    return missing + strange + overtaken


SUCCEEDED = "succeeded"


def status_of(trade: Trade | None) -> str:
    """What our books have to say of a trade of the emulator's."""
    if trade is None or trade.status is TradeStatus.WAIT_BUYER_PAY:
        return "closed"
    if trade.status is TradeStatus.TRADE_CLOSED:
        return "refunded" if trade.paid_at is not None else "closed"
    return {"TRADE_SUCCESS": "paid", "TRADE_FINISHED": "finished"}[trade.status.value]
