"""The accounts: whose money is where, and every movement of it.

One account for each user, with three pots. No HTTP, no clock of its own: every verb is told the moment;
what becomes due by then (money that is settled, money whose freeze ends) happens first, at its own
moment, so that an account's movements are always in the order of their times.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.clock import business_day
from daozhang.emulator.ledger import Declined
from daozhang.money import Money


class Pot(StrEnum):
    """Where money of an account is. Available and frozen make the balance; the unsettled is not yet there."""

    AVAILABLE = "available"
    FROZEN = "frozen"
    UNSETTLED = "unsettled"


class Business(StrEnum):
    """Why it moved: 业务类型 of the account bill."""

    PAYMENT = "交易付款"
    REFUND = "交易退款"
    FEE = "收费"
    FEE_RETURN = "退费"
    TRANSFER = "转账"
    TRANSFER_RETURN = "转账退回"
    WITHDRAWAL = "提现"
    WITHDRAWAL_RETURN = "提现退回"
    TOP_UP = "充值"
    SHARE = "分账"
    SHARE_RETURN = "分账退回"
    UNFREEZE = "解冻"
    SETTLEMENT = "结算"


_BETWEEN_POTS: Final = frozenset({Business.UNFREEZE, Business.SETTLEMENT})


class NotEnough(Declined):
    """A movement that the account cannot bear; the sub code is what the caller wants it declined with."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement: what a line of the account bill says of it."""

    log_id: str
    user_id: str
    at: datetime
    amount: Money
    """Above zero: into the pot."""
    balance: Money
    """The account's balance after it, available and frozen together."""
    pot: Pot
    business: Business
    trade_no: str = ""
    out_trade_no: str = ""
    out_request_no: str = ""
    subject: str = ""
    other_account: str = ""
    memo: str = ""
    store_id: str = ""

    @property
    def is_listed(self) -> bool:
        """Whether bills and queries show it: it changed the balance."""
        return self.pot is not Pot.UNSETTLED and self.business not in _BETWEEN_POTS


@dataclass(frozen=True, slots=True)
class Thaw:
    """Frozen money of a trade that has become available because its time was over."""

    user_id: str
    trade_no: str
    at: datetime
    amount: Money


@dataclass(slots=True)
class _Account:
    opening: Money
    minor: dict[Pot, int]
    days: dict[date, list[Movement]] = field(default_factory=dict[date, list[Movement]])
    numbers: dict[str, list[Movement]] = field(default_factory=dict[str, list[Movement]])
    parked: dict[tuple[Pot, str], int] = field(default_factory=dict[tuple[Pot, str], int])
    pending: dict[str, list[Movement]] = field(default_factory=dict[str, list[Movement]])
    freezing: dict[str, timedelta] = field(default_factory=dict[str, timedelta])


class Accounts:
    """All of them. Not safe for threads by itself; its owner holds a lock."""

    def __init__(self, opening: Callable[[str], Money]) -> None:
        """``opening``: what a user's account holds before its first movement."""
        self._opening = opening
        self._accounts: dict[str, _Account] = {}
        self._of_log_id: dict[str, Movement] = {}
        self._due: list[tuple[datetime, int, str, str, Pot]] = []
        self._freezes: dict[tuple[str, str], datetime] = {}
        self._thawed: list[Thaw] = []
        self._is_passing = False
        # Never the same twice, whatever is forgotten in between.
        self._serial = secrets.randbelow(10**10)

    # ---- what there is

    def balance(self, user_id: str, pot: Pot = Pot.AVAILABLE) -> Money:
        """What is in the pot."""
        return Money(self._account(user_id).minor[pot])

    def parked(self, user_id: str, trade_no: str, pot: Pot = Pot.FROZEN) -> Money:
        """What of the pot is a trade's."""
        return Money(self._account(user_id).parked.get((pot, trade_no), 0))

    def pot_of(self, user_id: str, trade_no: str) -> Pot:
        """Where the money of a trade is now."""
        account = self._account(user_id)
        if trade_no in account.pending:
            return Pot.UNSETTLED
        return Pot.FROZEN if account.parked.get((Pot.FROZEN, trade_no)) else Pot.AVAILABLE

    def opening(self, user_id: str) -> Money:
        """What was there before the first movement."""
        return self._account(user_id).opening

    def balance_at(self, user_id: str, day: date) -> Money:
        """The balance when the day began."""
        account = self._account(user_id)
        for earlier in reversed(account.days):
            if earlier < day:
                return account.days[earlier][-1].balance
        return account.opening

    def on_day(self, user_id: str, day: date) -> Sequence[Movement]:
        """Every movement of the day of business, oldest first."""
        return self._account(user_id).days.get(day, ())

    def movements(self, user_id: str, since: datetime, until: datetime) -> list[Movement]:
        """Every movement from ``since`` until before ``until``, oldest first."""
        first, last = business_day(since), business_day(until)
        days = self._account(user_id).days
        return [
            movement
            for day in days
            if first <= day <= last
            for movement in days[day]
            if since <= movement.at < until
        ]

    def of_number(self, user_id: str, number: str) -> Sequence[Movement]:
        """Every movement that names ``number``, Alipay's or the merchant's, oldest first."""
        return self._account(user_id).numbers.get(number, ())

    def of_log_id(self, user_id: str, log_id: str) -> Movement | None:
        """The movement of that number."""
        found = self._of_log_id.get(log_id)
        return found if found is not None and found.user_id == user_id else None

    def users(self) -> list[str]:
        """Everyone whose money has moved."""
        return [user for user, account in self._accounts.items() if account.days]

    def clear(self) -> None:
        """Forgets every account."""
        self._accounts.clear()
        self._of_log_id.clear()
        self._due.clear()
        self._freezes.clear()
        self._thawed.clear()

    # ---- moving

    def move(
        self,
        user_id: str,
        amount: Money,
        *,
        business: Business,
        at: datetime,
        pot: Pot = Pot.AVAILABLE,
        trade_no: str = "",
        out_trade_no: str = "",
        out_request_no: str = "",
        subject: str = "",
        other_account: str = "",
        memo: str = "",
        store_id: str = "",
        declines_with: str = "",
    ) -> Movement:
        """Puts ``amount`` into a pot, or takes it where it is below zero.

        Raises `NotEnough` with the sub code ``declines_with``, where one is given, rather than let the
        pot, or what of it is the trade's, fall below zero.
        """
        self.let_time_pass(at)
        if declines_with:
            self.require(user_id, -amount, pot, trade_no, declines_with)
        log_id, balance = self._add(user_id, amount, pot, trade_no, at)
        movement = Movement(
            log_id=log_id,
            user_id=user_id,
            at=at,
            amount=amount,
            balance=balance,
            pot=pot,
            business=business,
            trade_no=trade_no,
            out_trade_no=out_trade_no,
            out_request_no=out_request_no,
            subject=subject,
            other_account=other_account,
            memo=memo,
            store_id=store_id,
        )
        self._keep(movement)
        if pot is Pot.UNSETTLED and business is not Business.SETTLEMENT:
            self._account(user_id).pending.setdefault(trade_no, []).append(movement)
        return movement

    def require(
        self, user_id: str, amount: Money, pot: Pot, trade_no: str, declines_with: str
    ) -> None:
        """Raises `NotEnough` unless ``amount`` can be taken from the pot."""
        in_pot = self.balance(user_id, pot)
        if pot is not Pot.AVAILABLE:
            in_pot = min(in_pot, self.parked(user_id, trade_no, pot))
        if amount > in_pot:
            raise NotEnough(declines_with, f"{in_pot} is there")

    def keep_until(self, user_id: str, trade_no: str, pot: Pot, until: datetime) -> None:
        """What of the pot is the trade's becomes available at ``until``."""
        self._serial += 1
        heapq.heappush(self._due, (until, self._serial, user_id, trade_no, pot))
        if pot is Pot.FROZEN:
            self._freezes[user_id, trade_no] = until

    def next_thaw(self) -> datetime | None:
        """When frozen money becomes available by itself next."""
        return min(self._freezes.values(), default=None)

    def take_thawed(self) -> list[Thaw]:
        """What has become available by itself since this was asked last."""
        thawed, self._thawed = self._thawed, []
        return thawed

    def freeze_once_settled(self, user_id: str, trade_no: str, life: timedelta) -> None:
        """What is unsettled of the trade becomes frozen for ``life``, not available, once it is settled."""
        self._account(user_id).freezing[trade_no] = life

    def release(
        self, user_id: str, trade_no: str, at: datetime, amount: Money | None = None
    ) -> Money:
        """Makes frozen money of a trade available: ``amount`` of it, or all; what that was.

        No bill lists it, because the balance stays.
        """
        self.let_time_pass(at)
        return self._release(user_id, trade_no, at, amount)

    def let_time_pass(self, now: datetime) -> None:
        """Settles, and releases, what is due by ``now``."""
        if self._is_passing:
            return  # each of them moves money, which lets time pass: the loop below has its turn
        self._is_passing = True
        try:
            while self._due and self._due[0][0] <= now:
                self._act(*heapq.heappop(self._due))
        finally:
            self._is_passing = False

    def _act(self, at: datetime, _serial: int, user_id: str, trade_no: str, pot: Pot) -> None:
        if pot is Pot.UNSETTLED:
            self._settle(user_id, trade_no, at)
            return
        self._freezes.pop((user_id, trade_no), None)
        released = self._release(user_id, trade_no, at, None)
        if released:
            self._thawed.append(Thaw(user_id, trade_no, at, released))

    def _release(self, user_id: str, trade_no: str, at: datetime, amount: Money | None) -> Money:
        frozen = self.parked(user_id, trade_no)
        released = frozen if amount is None else min(amount, frozen)
        if released > Money(0):
            for pot, moved in ((Pot.FROZEN, -released), (Pot.AVAILABLE, released)):
                self.move(
                    user_id, moved, business=Business.UNFREEZE, at=at, pot=pot, trade_no=trade_no
                )
        return released

    def _settle(self, user_id: str, trade_no: str, at: datetime) -> None:
        """What was pending is listed now, each movement as it was made."""
        pending = self._account(user_id).pending.pop(trade_no, [])
        total = Money.total(movement.amount for movement in pending)
        self.move(
            user_id, -total, business=Business.SETTLEMENT, at=at, pot=Pot.UNSETTLED, trade_no=trade_no
        )  # fmt: skip
        life = self._account(user_id).freezing.pop(trade_no, None)
        pot = Pot.AVAILABLE
        if life is not None:
            pot = Pot.FROZEN
            self.keep_until(user_id, trade_no, pot, at + life)
        for movement in pending:
            log_id, balance = self._add(user_id, movement.amount, pot, trade_no, at)
            settled = replace(movement, log_id=log_id, at=at, balance=balance, pot=pot)
            self._keep(settled)

    def _add(
        self, user_id: str, amount: Money, pot: Pot, trade_no: str, at: datetime
    ) -> tuple[str, Money]:
        """Adds to the pot: the number of the movement, and the balance after it."""
        account = self._account(user_id)
        account.minor[pot] += amount.minor
        if pot is not Pot.AVAILABLE:
            key = (pot, trade_no)
            account.parked[key] = account.parked.get(key, 0) + amount.minor
        self._serial += 1
        log_id = f"{business_day(at):%Y%m%d}10{self._serial:011d}"
        return log_id, Money(account.minor[Pot.AVAILABLE] + account.minor[Pot.FROZEN])

    def _keep(self, movement: Movement) -> None:
        account = self._account(movement.user_id)
        account.days.setdefault(business_day(movement.at), []).append(movement)
        for number in {movement.trade_no, movement.out_trade_no} - {""}:
            account.numbers.setdefault(number, []).append(movement)
        self._of_log_id[movement.log_id] = movement

    def _account(self, user_id: str) -> _Account:
        account = self._accounts.get(user_id)
        if account is None:
            opening = self._opening(user_id)
            minor = {Pot.AVAILABLE: opening.minor, Pot.FROZEN: 0, Pot.UNSETTLED: 0}
            account = self._accounts[user_id] = _Account(opening, minor)
        return account
