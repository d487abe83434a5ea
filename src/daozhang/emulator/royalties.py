"""Royalties: who may receive, and what of which trade was passed on and came back (分账).

As the ledger: no HTTP, no signatures, no clock of its own; frozen records, replaced as a whole.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from daozhang.clock import BEIJING
from daozhang.emulator.ledger import Declined
from daozhang.money import Money

NOTHING: Final = Money(0)

RELATIONS_MAX: Final = 20_000
"""How many receivers one seller may have (apis.md §5)."""

NO_BALANCE: Final = "ACQ.TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH"


class State(StrEnum):
    """Alipay's own words for one royalty."""

    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who may be given money of a seller's trades."""

    type: str
    account: str
    name: str = ""
    memo: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What names the relation."""
        return self.type, self.account


@dataclass(frozen=True, slots=True)
class Conduct:
    """How somebody's account behaves; the control plane sets it."""

    exists: bool = True
    certified: bool = True
    name: str = ""
    """Whose it is; a name that differs is refused. Empty: any name will do."""
    gives_back: Literal["yes", "unauthorised", "insolvent"] = "yes"
    """Whether it pays shares back: not, if 分账回退 was not allowed or there is too little money."""
    refuses: str = ""
    """The sub code with which every royalty to it fails."""


@dataclass(frozen=True, slots=True)
class Royalty:
    """One share, or one that came back."""

    detail_id: str
    trans_out: str
    trans_in: str
    trans_in_type: str
    amount: Money
    state: State
    at: datetime
    operation_type: str = "transfer"
    error_code: str = ""
    out_request_no: str = ""
    """Of one that came back: the refund with which."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a merchant wants passed on, and what makes it the same request again."""

    app_id: str
    seller_id: str
    trade_no: str
    out_request_no: str
    shares: tuple[tuple[str, str, Money], ...]
    """To whom (type and account), and how much."""
    asynchronous: bool
    finishes: bool
    finish_amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """One call of ``order.settle``, as it is now."""

    settle_no: str
    request: Request
    at: datetime
    royalties: tuple[Royalty, ...]
    due_at: datetime | None = None
    """When one that was only accepted is carried out."""


@dataclass(slots=True)
class Royalties:
    """All of them. Not safe for threads by itself; its owner holds a lock."""

    _relations: dict[str, dict[tuple[str, str], Receiver]] = field(
        default_factory=dict[str, dict[tuple[str, str], Receiver]]
    )
    _settlements: dict[tuple[str, str], Settlement] = field(
        default_factory=dict[tuple[str, str], Settlement]
    )
    _of_trade: dict[str, list[tuple[str, str]]] = field(
        default_factory=dict[str, list[tuple[str, str]]]
    )
    _returns: dict[str, list[Royalty]] = field(default_factory=dict[str, list[Royalty]])

    # ---- who may receive

    def bind(self, seller_id: str, receivers: Iterable[Receiver]) -> None:
        """Binds all of them; one that is bound already may be bound again."""
        relations = self._relations.setdefault(seller_id, {})
        changed = relations | {receiver.key: receiver for receiver in receivers}
        if len(changed) > RELATIONS_MAX:
            raise Declined("RELATION_QUANTITY_LIMIT")
        self._relations[seller_id] = changed

    def unbind(self, seller_id: str, receivers: Iterable[Receiver]) -> None:
        """Ends the relations; one that is not there is no longer there."""
        relations = self._relations.get(seller_id, {})
        for receiver in receivers:
            relations.pop(receiver.key, None)

    def receivers(self, seller_id: str) -> list[Receiver]:
        """Who is bound to the seller, in the order in which they were."""
        return list(self._relations.get(seller_id, {}).values())

    def is_bound(self, seller_id: str, type_: str, account: str) -> bool:
        """Whether the seller may give money to that account."""
        return (type_, account) in self._relations.get(seller_id, {})

    # ---- passing on

    def find(
        self, seller_id: str, out_request_no: str = "", settle_no: str = ""
    ) -> Settlement | None:
        """The seller's settlement of either number."""
        if settle_no:
            own = (s for s in self._settlements.values() if s.request.seller_id == seller_id)
            return next((s for s in own if s.settle_no == settle_no), None)
        return self._settlements.get((seller_id, out_request_no))

    def of_trade(self, trade_no: str) -> list[Settlement]:
        """The settlements of a trade, oldest first."""
        return [self._settlements[key] for key in self._of_trade.get(trade_no, ())]

    def all(self) -> list[Settlement]:
        """Every settlement, oldest first."""
        return list(self._settlements.values())

    def keep(self, settlement: Settlement) -> Settlement:
        """Writes a settlement down as it is now."""
        key = settlement.request.seller_id, settlement.request.out_request_no
        if key not in self._settlements:
            self._of_trade.setdefault(settlement.request.trade_no, []).append(key)
        self._settlements[key] = settlement
        return settlement

    def accepted(self, now: datetime) -> list[Settlement]:
        """Settlements that were accepted and are due to be carried out."""
        waiting = [s for s in self._settlements.values() if s.due_at is not None]
        return [s for s in waiting if s.due_at is not None and s.due_at <= now]

    def next_due(self) -> datetime | None:
        """When the next accepted settlement is carried out."""
        waiting = [s.due_at for s in self._settlements.values() if s.due_at is not None]
        return min(waiting, default=None)

    # ---- what is where

    def held_by(self, trade_no: str) -> dict[str, Money]:
        """What each receiver has of a trade and has not given back."""
        held: dict[str, Money] = {}
        for settlement in self.of_trade(trade_no):
            for one in settlement.royalties:
                if one.state is not State.FAIL:
                    held[one.trans_in] = held.get(one.trans_in, NOTHING) + one.amount
        for one in self._returns.get(trade_no, ()):
            held[one.trans_out] -= one.amount
        return held

    def shared(self, trade_no: str) -> Money:
        """What was passed on of a trade, or is about to be, and has not come back."""
        return Money.total(self.held_by(trade_no).values())

    def is_finished(self, trade_no: str) -> bool:
        """Whether nothing of the trade can be passed on any more."""
        return any(
            s.request.finishes and s.request.finish_amount is None for s in self.of_trade(trade_no)
        )

    # ---- coming back

    def returns(self, trade_no: str, out_request_no: str | None = None) -> Sequence[Royalty]:
        """What came back of a trade, with one refund or all."""
        returned = self._returns.get(trade_no, [])
        return [r for r in returned if out_request_no in (None, r.out_request_no)]

    def take_back(
        self,
        trade_no: str,
        seller_id: str,
        out_request_no: str,
        amounts: Iterable[tuple[str, Money]],
        now: datetime,
    ) -> None:
        """Notes that receivers gave back."""
        self._returns.setdefault(trade_no, []).extend(
            Royalty(
                new_number(now),
                account,
                seller_id,
                "userId",
                amount,
                State.SUCCESS,
                now,
                "transfer_refund",
                out_request_no=out_request_no,
            )
            for account, amount in amounts
        )

    def clear(self) -> None:
        """Forgets everything."""
        for kept in (
            self._relations,
            self._settlements,
            self._of_trade,
            self._returns,
        ):
            kept.clear()


def pro_rata(amount: Money, held: dict[str, Money], of: Money) -> list[tuple[str, Money]]:
    """What each receiver gives back of a refund of ``amount`` from ``of``: as much of what it holds."""
    shares = [
        (account, Money(has.minor * amount.minor // of.minor)) for account, has in held.items()
    ]
    return [(account, share) for account, share in shares if share]


def ended(royalty: Royalty, error_code: str, now: datetime) -> Royalty:
    """The royalty once it was carried out; with an ``error_code`` it failed."""
    state = State.FAIL if error_code else State.SUCCESS
    return replace(royalty, state=state, error_code=error_code, at=now)


def new_number(now: datetime) -> str:
    """32 digits that begin with Beijing's date."""
    return f"{now.astimezone(BEIJING):%Y%m%d}00" + f"{secrets.randbelow(10**22):022d}"
