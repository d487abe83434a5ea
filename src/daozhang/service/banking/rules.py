"""Decisions about withdrawals and lines of a bank: which may be which. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from daozhang.service.banking.model import BankLine, Suggestion, Withdrawal

WINDOW_DAYS: Final = 7
"""How long money takes to the bank at most: two working days, with a weekend and a day of delay between. Over
long holidays a person matches by hand."""


def suggest(withdrawals: Sequence[Withdrawal], lines: Sequence[BankLine]) -> list[Suggestion]:
    """Which withdrawals are probably which lines, oldest first; each day and each line once at most.

    A day is looked for by itself, then with what came back of it within the window. It is one line of
    that amount, else all free lines of one day that come to it, else (if nothing is left of it) none.
    """
    free = {
        line.id: line for line in sorted(lines, key=lambda one: (one.day, one.id)) if line.is_free
    }
    open_days = {
        one.day: one.open_minor
        for one in sorted(withdrawals, key=lambda one: one.day)
        if one.open_minor
    }
    found: list[Suggestion] = []
    for day in list(open_days):
        minor = open_days.get(day, 0)
        if minor <= 0:
            continue
        back = _came_back(open_days, day)
        for days, amount in (([day], minor), ([day, *back], minor + sum(back.values()))):
            chosen = _lines_of(list(free.values()), day, amount)
            if chosen is None:
                continue
            found.append(Suggestion(days, chosen, amount))
            for line in chosen:
                del free[line.id]
            for one in days:
                del open_days[one]
            break
    return found


def _came_back(open_days: dict[date, int], day: date) -> dict[date, int]:
    until = day + timedelta(days=WINDOW_DAYS)
    return {
        other: minor for other, minor in open_days.items() if day < other <= until and minor < 0
    }


def _lines_of(free: Sequence[BankLine], day: date, amount: int) -> list[BankLine] | None:
    """The lines that are that amount; ``None`` if there are none."""
    if amount == 0:
        return []
    near = [one for one in free if day <= one.day <= day + timedelta(days=WINDOW_DAYS)]
    for line in near:
        if line.minor == amount:
            return [line]
    by_day: defaultdict[date, list[BankLine]] = defaultdict(list)
    for line in near:
        by_day[line.day].append(line)
    for of_day in by_day.values():
        if sum(line.minor for line in of_day) == amount:
            return of_day
    return None
