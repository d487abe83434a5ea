"""What one group of arrivals becomes: rows, and where that is plain, settled orders as well.

Everything here happens in one transaction. Most notifications say that a waiting order is paid;
the orders of those are settled by the very statement group that records them, so one commit
carries the notification, the order, its step and its event. Nothing depends on that: an arrival
whose order is locked elsewhere, or that is not plain, is recorded as received and applied later,
and if settling raises, the group is recorded without it (docs/decisions/0009).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from daozhang.service.db import Tx
from daozhang.service.inbox import store
from daozhang.service.inbox.model import Arrival, InboxStatus, RecordedNotification
from daozhang.service.inbox.rules import fact_to_json
from daozhang.service.orders.model import TradeFact
from daozhang.service.orders.plain import PlainSettlement, book_plain, settle_plainly
from daozhang.service.orders.rules import PLAIN_KINDS
from daozhang.service.orders.store import lock_free_orders
from daozhang.service.web.context import Context

INBOX_SIGNAL: Final = "inbox"
"""Wakes whoever applies notifications, in this process."""

CONFIRM_SIGNAL: Final = "inbox_confirmations"
"""Wakes whoever asks Alipay about notifications that lack an identity."""

Key = tuple[int, str, str]


@dataclass(slots=True)
class _Distinct:
    """Arrivals with the same content: one row, and how many of them there were."""

    arrival: Arrival
    copies: int


def record_arrivals(
    tx: Tx, context: Context, arrivals: Sequence[Arrival], *, settles: bool
) -> None:
    """Writes arrivals, sealed; with ``settles``, plain ones with all that they change.

    Whoever applies the others is woken once they are on the disk.
    """
    distinct: dict[Key, _Distinct] = {}
    for arrival in sorted(arrivals, key=lambda arrival: arrival.key):
        known = distinct.setdefault(arrival.key, _Distinct(arrival, 0))
        known.copies += 1
    settled = _settle(tx, context, distinct) if settles else {}
    rows = [_row_of(context, each, settled.get(key)) for key, each in distinct.items()]
    store.insert_or_count(tx, rows)
    if settled:
        book_plain(tx, list(settled.values()), context.signals)
    _wake(tx, context, [each.arrival for key, each in distinct.items() if key not in settled])


def _settle(tx: Tx, context: Context, distinct: dict[Key, _Distinct]) -> dict[Key, PlainSettlement]:
    """The settlements of the plain ones; at most one for each order."""
    by_merchant: defaultdict[int, dict[str, Arrival]] = defaultdict(dict)
    for each in distinct.values():
        if (number := _plain_number(each.arrival)) is not None:
            by_merchant[each.arrival.merchant.id].setdefault(number, each.arrival)
    settled: dict[Key, PlainSettlement] = {}
    for arrivals in by_merchant.values():
        merchant = next(iter(arrivals.values())).merchant
        for number, in_hand in lock_free_orders(tx, merchant, list(arrivals)).items():
            arrival = arrivals[number]
            assert isinstance(arrival.fact, TradeFact)
            settlement = settle_plainly(
                in_hand, arrival.fact, grace_seconds=context.settings.expiry_grace_seconds
            )
            if settlement is not None:
                settled[arrival.key] = settlement
    return _without_copies(tx, settled)


def _without_copies(tx: Tx, settled: dict[Key, PlainSettlement]) -> dict[Key, PlainSettlement]:
    """``settled`` without what moves nothing because it has been recorded before.

    What moves its order needs no look: a copy of what was booked moves nothing. What moves nothing
    is news, or a copy: the payment that a till heard of as the answer to its charge is news here.
    """
    still = [key for key, settlement in settled.items() if not settlement.moves]
    known = store.recorded_keys(tx, still) if still else frozenset[Key]()
    return {key: settlement for key, settlement in settled.items() if key not in known}


def _plain_number(arrival: Arrival) -> str | None:
    """The order that a notification moves, if it can be plain at all."""
    fact = arrival.fact
    if fact is None or arrival.needs_confirmation or fact.kind not in PLAIN_KINDS:
        return None
    return arrival.out_trade_no


def _wake(tx: Tx, context: Context, unsettled: Sequence[Arrival]) -> None:
    if unsettled:
        tx.after_commit(lambda: context.signals.wake(INBOX_SIGNAL))
    if any(arrival.needs_confirmation for arrival in unsettled):
        tx.after_commit(lambda: context.signals.wake(CONFIRM_SIGNAL))


def sealed_to(merchant_id: int, notify_id: str, content_hash: str) -> str:
    """What a raw notification is sealed to: its own row, and no other."""
    return f"notification:{merchant_id}:{notify_id}:{content_hash}"


def open_body(
    context: Context, row: RecordedNotification, content_hash: str, sealed: bytes
) -> bytes:
    """The raw notification of a row, word for word."""
    return context.sealer.open(sealed, sealed_to(row.merchant_id, row.notify_id, content_hash))


def _row_of(
    context: Context, distinct: _Distinct, settled: PlainSettlement | None
) -> dict[str, Any]:
    arrival = distinct.arrival
    status, outcome = _status_of(arrival, settled)
    ended = status is InboxStatus.APPLIED
    return {
        "merchant_id": arrival.merchant.id,
        "notify_id": arrival.notify_id,
        "content_hash": arrival.content_hash,
        "out_trade_no": arrival.out_trade_no,
        "kind": arrival.kind,
        "status": status.value,
        # Once it is settled, what it says is in the order's step.
        "fact": None if arrival.fact is None or settled else fact_to_json(arrival.fact),
        "body_sealed": context.sealer.seal(arrival.body, sealed_to(*arrival.key)),
        "copies": distinct.copies,
        "attempts": 0,
        "due_at": None if ended else arrival.received_at,
        "received_at": arrival.received_at,
        "applied_at": arrival.received_at if status is InboxStatus.APPLIED else None,
        "outcome": outcome,
    }


def _status_of(arrival: Arrival, settled: PlainSettlement | None) -> tuple[InboxStatus, str | None]:
    if settled is not None:
        return InboxStatus.APPLIED, settled.outcome
    if arrival.needs_confirmation:
        return InboxStatus.CONFIRMING, None
    return InboxStatus.RECEIVED, None
