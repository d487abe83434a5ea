"""The account at the desk: what its owner looks at, fetches, takes out and puts in."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from threading import RLock
from typing import Final

from daozhang.emulator.accounts import Business, Movement, Pot
from daozhang.emulator.bills import Bills, Span
from daozhang.emulator.bookkeeping import Bookkeeping
from daozhang.emulator.oddities import Oddities
from daozhang.money import Money

NOT_ENOUGH: Final = "BALANCE_IS_NOT_ENOUGH"


class AccountDesk:
    """Everything about accounts that somebody asks for. Safe for threads: it holds the desk's lock."""

    def __init__(self, lock: RLock, books: Bookkeeping, now: Callable[[], datetime]) -> None:
        self._lock = lock
        self._books = books
        self._now = now
        self.oddities = Oddities()
        self._bills = Bills(books, self.oddities)

    def balance(self, user_id: str, pot: Pot = Pot.AVAILABLE) -> Money:
        """What is in a pot now."""
        with self._lock:
            self._books.accounts.let_time_pass(self._now())
            return self._books.accounts.balance(user_id, pot)

    def balance_at(self, user_id: str, day: date) -> Money:
        """The balance when the day began."""
        with self._lock:
            self._books.accounts.let_time_pass(self._now())
            return self._books.accounts.balance_at(user_id, day)

    def movements(self, user_id: str, since: datetime, until: datetime) -> list[Movement]:
        """Every movement of that time, oldest first."""
        with self._lock:
            self._books.accounts.let_time_pass(self._now())
            return self._books.accounts.movements(user_id, since, until)

    def movements_of(self, user_id: str, number: str) -> list[Movement]:
        """Every movement that names a number."""
        with self._lock:
            self._books.accounts.let_time_pass(self._now())
            return list(self._books.accounts.of_number(user_id, number))

    def bill_is_empty(self, seller_id: str, bill_type: str, span: Span) -> bool:
        """Whether nothing happened in that time."""
        with self._lock:
            self._books.accounts.let_time_pass(self._now())
            return self._bills.is_empty(seller_id, bill_type, span)

    def bill(self, seller_id: str, bill_type: str, span: Span) -> bytes:
        """The file of a bill."""
        with self._lock:
            self._books.accounts.let_time_pass(self._now())
            return self._bills.zip(seller_id, bill_type, span)

    def withdraw(self, user_id: str, amount: Money) -> Movement:
        """Sends money to the owner's bank. Raises `NotEnough`."""
        return self._moved(user_id, -amount, Business.WITHDRAWAL, NOT_ENOUGH)

    def withdrawal_bounces(self, user_id: str, amount: Money) -> Movement:
        """The bank has sent a withdrawal back."""
        return self._moved(user_id, amount, Business.WITHDRAWAL_RETURN)

    def top_up(self, user_id: str, amount: Money) -> Movement:
        """The owner puts money in."""
        return self._moved(user_id, amount, Business.TOP_UP)

    def _moved(
        self, user_id: str, amount: Money, business: Business, declines_with: str = ""
    ) -> Movement:
        with self._lock:
            now = self._now()
            number = f"{now:%Y%m%d}{secrets.randbelow(10**16):016d}"
            return self._books.accounts.move(
                user_id,
                amount,
                business=business,
                at=now,
                trade_no=number,
                other_account="招商银行(0001)" if business is not Business.TOP_UP else "",
                declines_with=declines_with,
            )

    def clear(self) -> None:
        """Forgets oddities; the desk forgets the accounts."""
        self.oddities.clear()
