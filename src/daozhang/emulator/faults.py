"""Faults: what goes wrong with Alipay in practice, each by name and on demand.

Every fault of the catalogue has happened to somebody; docs/reference/emulator.md says what each
imitates. A fault that is set stays until its ``times`` are used up or it is cleared. With several
that fit, all of different names apply and of one name the oldest.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FaultName(StrEnum):
    """The catalogue."""

    NOTIFY_TWICE = "notify_twice"
    NOTIFY_NEVER = "notify_never"
    NOTIFY_BEFORE_RETURN = "notify_before_return"
    NOTIFY_OUT_OF_ORDER = "notify_out_of_order"
    NOTIFY_BAD_SIGNATURE = "notify_bad_signature"
    NOTIFY_ANSWER_LOST = "notify_answer_lost"
    AMOUNT_OFF_BY_ONE = "amount_off_by_one"
    REFUND_NOTICE_WITHOUT_IDS = "refund_notice_without_ids"
    EXTERNAL_REFUND = "external_refund"
    QUERY_CLOSED_WITHOUT_AMOUNTS = "query_closed_without_amounts"
    PAY_AFTER_NOT_EXIST = "pay_after_not_exist"
    PAY_DURING_CANCEL = "pay_during_cancel"
    CANCEL_NOT_ALLOWED = "cancel_not_allowed"
    GATEWAY_TIMEOUT_AFTER_SUCCESS = "gateway_timeout_after_success"
    GATEWAY_20000 = "gateway_20000"
    GATEWAY_BAD_SIGNATURE = "gateway_bad_signature"
    GATEWAY_UNSIGNED = "gateway_unsigned"
    GATEWAY_GBK_ERROR = "gateway_gbk_error"
    BUYER_BALANCE_NOT_ENOUGH = "buyer_balance_not_enough"
    SELLER_BALANCE_NOT_ENOUGH = "seller_balance_not_enough"
    SLOW = "slow"


DEFAULT_SECONDS: Final[dict[FaultName, float]] = {
    FaultName.NOTIFY_OUT_OF_ORDER: 240.0,
    FaultName.GATEWAY_TIMEOUT_AFTER_SUCCESS: 20.0,
    FaultName.SLOW: 3.0,
}
"""How long a fault lasts where it is not told; the others take no time."""


@dataclass(slots=True)
class Fault:
    """One fault that is set. Selectors that are None fit everything."""

    name: FaultName
    out_trade_no: str | None = None
    app_id: str | None = None
    method: str | None = None
    times: int | None = None
    """How often it still strikes; None for always."""
    probability: float = 1.0
    seconds: float | None = None
    struck: int = 0

    @property
    def duration_seconds(self) -> float:
        """How long it lasts."""
        return DEFAULT_SECONDS.get(self.name, 0.0) if self.seconds is None else self.seconds

    def fits(self, out_trade_no: str, app_id: str, method: str) -> bool:
        """Whether its selectors take in what is happening."""
        return (
            self.times != 0
            and self.out_trade_no in (None, out_trade_no)
            and self.app_id in (None, app_id)
            and self.method in (None, method)
        )


class Faults:
    """The faults that are set. Safe for threads; chance is reproducible by its seed."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._random = random.Random(seed)  # noqa: S311 - chance that can be repeated

    def set(self, fault: Fault) -> None:
        """Adds ``fault``."""
        with self._lock:
            self._faults.append(fault)

    def clear(self, seed: int | None = None) -> None:
        """Removes every fault; with ``seed``, chance begins anew."""
        with self._lock:
            self._faults.clear()
            if seed is not None:
                self._random = random.Random(seed)  # noqa: S311 - as above

    def all(self) -> list[Fault]:
        """Those that are set and can still strike."""
        with self._lock:
            return [fault for fault in self._faults if fault.times != 0]

    def strike(
        self, name: FaultName, *, out_trade_no: str = "", app_id: str = "", method: str = ""
    ) -> Fault | None:
        """The fault ``name`` if it strikes here and now; that uses up one of its times."""
        with self._lock:
            for fault in self._faults:
                if fault.name is not name or not fault.fits(out_trade_no, app_id, method):
                    continue
                if fault.probability < 1.0 and self._random.random() >= fault.probability:
                    continue
                fault.struck += 1
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
