"""How a settlement moves, and what Alipay's words about one prove. Pure; sources: money.md §5, apis.md §5.7.

`TRANSITIONS` has an entry for every (status, outcome); a test tries each. How long is waited, and what an attempt
does, is as for shares (`sharing.rules`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from daozhang.money import Money, MoneyError
from daozhang.service.settlements.model import Answer, Outcome, Settlement, SettlementStatus
from daozhang.service.sharing.rules import Follow

ALREADY_CODE: Final = "ACQ.ALREADY_CONFIRM_SETTLE"
"""What Alipay says where the settlement of the payment is confirmed, by this request or by another."""

SETTLED_TYPES: Final = ("settle", "on_settle")
"""What a confirmed settlement is called among what a query lists: paid out, and about to be."""

TRADE_CLOSED: Final = "TRADE_CLOSED"


@dataclass(frozen=True, slots=True)
class Move:
    """A cell of the table. ``to`` is ``None`` where the status stays."""

    to: SettlementStatus | None = None
    follow: Follow = Follow.NOTHING
    surprise: str | None = None


_CONFIRMED: Final = Move(SettlementStatus.CONFIRMED)
_ASK: Final = Move(follow=Follow.ASK)
_KEEP: Final = Move()

TRANSITIONS: Final[Mapping[SettlementStatus, Mapping[Outcome, Move]]] = {
    SettlementStatus.REQUESTED: {
        Outcome.PROVEN: _CONFIRMED,
        Outcome.REJECTED: Move(SettlementStatus.FAILED),
        Outcome.UNKNOWN: Move(SettlementStatus.UNKNOWN, Follow.ASK),
        Outcome.ABSENT: Move(follow=Follow.CALL),
    },
    SettlementStatus.UNKNOWN: {
        Outcome.PROVEN: _CONFIRMED,
        Outcome.REJECTED: _ASK,
        Outcome.UNKNOWN: _ASK,
        Outcome.ABSENT: Move(SettlementStatus.REQUESTED, Follow.CALL),
    },
    SettlementStatus.CONFIRMED: dict.fromkeys(Outcome, _KEEP),
    SettlementStatus.FAILED: {
        **dict.fromkeys(Outcome, _KEEP),
        Outcome.PROVEN: Move(SettlementStatus.CONFIRMED, surprise="failed_settlement_confirmed"),
    },
}


def refused(settlement: Settlement, code: str, message: str) -> Answer:
    """What a no of Alipay's to a call means, given how the settlement stood before it.

    "Confirmed already" to a request that had been sent before may be about that very request.
    """
    maybe_own = code == ALREADY_CODE and settlement.call_count > 0
    return Answer(Outcome.UNKNOWN if maybe_own else Outcome.REJECTED, code, message)


def confirmed(settlement: Settlement, amount: Money | None) -> Answer:
    """What a yes of Alipay's means: another amount than was asked for proves nothing."""
    if amount is not None and amount != settlement.amount:
        return _differs(settlement, amount)
    return Answer(Outcome.PROVEN)


def told(
    settlement: Settlement, trade_status: str | None, info: Mapping[str, Any] | None
) -> Answer:
    """What a query of the trade proves, by its ``trade_settle_info``.

    A settlement is listed under the number of whoever asked for it. Of a payment of which nothing waits any
    more, this one does not either; one of which something waits has not been confirmed. Once all of a
    payment is refunded nothing waits either way: then the request itself, sent again, tells.
    """
    own = [
        _amount(one.get("amount"))
        for one in _details(info)
        if str(one.get("operation_serial_no") or "") == settlement.out_request_no
        and one.get("operation_type") in SETTLED_TYPES
    ]
    if own:
        found = own[0]
        return Answer(Outcome.UNKNOWN, "untold") if found is None else confirmed(settlement, found)
    waiting = _amount((info or {}).get("trade_unsettled_amount"))
    if waiting is None:
        return Answer(Outcome.UNKNOWN, "untold", "The query says nothing of settlements.")
    if waiting or trade_status == TRADE_CLOSED:
        return Answer(Outcome.ABSENT, "absent", "The payment's settlement is not confirmed.")
    return Answer(Outcome.PROVEN)


def _differs(settlement: Settlement, amount: Money) -> Answer:
    said = f"Alipay confirmed {amount}, and {settlement.amount} was asked for."
    return Answer(Outcome.UNKNOWN, "differs", said)


def _details(info: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    listed = (info or {}).get("trade_settle_detail_list")
    if not isinstance(listed, list):
        return ()
    found = cast("list[Any]", listed)
    return [cast("Mapping[str, Any]", one) for one in found if isinstance(one, Mapping)]


def _amount(text: object) -> Money | None:
    try:
        return Money.parse(text) if isinstance(text, str) else None
    except (MoneyError, ValueError):
        return None
