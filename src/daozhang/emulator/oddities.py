"""Oddities: what has been seen wrong with bills, each by name and on demand.

An oddity of the file changes how a whole bill looks; one of a line changes, hides, doubles or adds a
line. Whatever a bill shows otherwise than it was, is noted, so that a test knows what it has to find.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class OddityName(StrEnum):
    """The catalogue."""

    EXTRA_COLUMN = "extra_column"
    MISSING_COLUMN = "missing_column"
    COLUMN_ORDER = "column_order"
    HALF_WIDTH = "half_width"
    COLUMNS_29 = "columns_29"
    CRLF = "crlf"
    WRONG_TOTALS = "wrong_totals"
    NO_TOTALS = "no_totals"
    SPLIT_MEMBERS = "split_members"
    LATE_BILL = "late_bill"
    RARE_SURNAME = "rare_surname"
    MISSING_LINE = "missing_line"
    AMOUNT_OFF = "amount_off"
    FEE_OFF = "fee_off"
    TYPE_DIFFERS = "type_differs"
    UNKNOWN_TYPE = "unknown_type"
    DUPLICATE_LINE = "duplicate_line"
    FOREIGN_LINE = "foreign_line"
    DAY_CUT = "day_cut"


OF_LINES: Final = frozenset(
    {
        OddityName.MISSING_LINE,
        OddityName.AMOUNT_OFF,
        OddityName.FEE_OFF,
        OddityName.TYPE_DIFFERS,
        OddityName.UNKNOWN_TYPE,
        OddityName.DUPLICATE_LINE,
        OddityName.DAY_CUT,
    }
)
"""Those that strike single lines: of one order, or of as many as ``lines`` says."""


@dataclass(slots=True)
class Oddity:
    """One oddity that is set. Selectors that are None fit every bill, and every line."""

    name: OddityName
    seller_id: str | None = None
    bill_type: str | None = None
    day: date | None = None
    out_trade_no: str | None = None
    lines: int = 1
    """How many lines of a day it strikes where no order is named, or are added."""
    business: str | None = None
    """Which 业务类型 it strikes in an account bill, where one order has lines of several."""


@dataclass(frozen=True, slots=True)
class Struck:
    """What a bill shows otherwise than it was."""

    name: OddityName
    bill_type: str
    day: date
    seller_id: str
    trade_no: str
    out_trade_no: str
    out_request_no: str
    account_log_id: str = ""
    """In the account bill, which line it is: a payment and its fee have one number."""
    business: str = ""


class Oddities:
    """Those that are set, and what they have done. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: list[Oddity] = []
        self._struck: dict[Struck, None] = {}

    def set(self, oddity: Oddity) -> None:
        """Adds an oddity to those that are set."""
        with self._lock:
            self._set.append(oddity)

    def all(self) -> Sequence[Oddity]:
        """Those that are set, oldest first."""
        with self._lock:
            return tuple(self._set)

    def of(self, seller_id: str, bill_type: str, day: date) -> Sequence[Oddity]:
        """Those that strike a bill of that day."""
        return [
            one
            for one in self.all()
            if one.seller_id in (None, seller_id)
            and one.bill_type in (None, bill_type)
            and one.day in (None, day)
        ]

    def note(self, struck: Struck) -> None:
        """Writes down what a bill shows otherwise than it was; the same again is one."""
        with self._lock:
            self._struck[struck] = None

    def struck(self) -> Sequence[Struck]:
        """All that was shown otherwise, oldest first."""
        with self._lock:
            return tuple(self._struck)

    def clear(self) -> None:
        """Takes all back; bills that are fetched from now on are as it was."""
        with self._lock:
            self._set.clear()
            self._struck.clear()
