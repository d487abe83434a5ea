"""What stands in a bill: its head, its lines, its totals, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from daozhang.money import Money


class BillProblem(ValueError):
    """A file that cannot be read as a bill: what was wrong, where, and what to do.

    ``say`` and ``say_zh`` are for people; ``member`` and ``line`` (counted from 1) say where.
    """

    def __init__(self, say: str, say_zh: str, *, member: str = "", line: int | None = None) -> None:
        where = "".join((f" [{member}" if member else "", f", line {line}" if line else ""))
        super().__init__(say + (f"{where}]" if member else where))
        self.say = say
        self.say_zh = say_zh
        self.member = member
        self.line = line


class Side(StrEnum):
    """What the footer of a bill adds up."""

    PAYMENTS = "payments"  # 交易合计
    REFUNDS = "refunds"  # 退款合计
    INCOME = "income"  # 收入合计
    OUTGO = "outgo"  # 支出合计


@dataclass(frozen=True, slots=True)
class Total:
    """How many lines of a side there are, and their sum.

    ``amount`` is what the merchant received (商家实收) or what moved on the account, below zero for
    refunds; ``discount`` what the merchant gave (商家优惠), on the sides of a trade bill.
    """

    count: int
    amount: Money
    discount: Money | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A total that the bill itself states and its lines do not have."""

    side: Side
    stated: Total | None
    counted: Total

    @property
    def say(self) -> str:
        """The difference in English."""
        if self.stated is None:
            return f"{self.side}: the file states no total"
        return f"{self.side}: the file states {_text(self.stated)}, its lines are {_text(self.counted)}"

    @property
    def say_zh(self) -> str:
        """The difference in Chinese."""
        name = _CHINESE[self.side]
        if self.stated is None:
            return f"{name}：文件中没有合计"
        return f"{name}：文件合计为 {_text(self.stated)}，明细相加为 {_text(self.counted)}"


_CHINESE: Mapping[Side, str] = {
    Side.PAYMENTS: "交易合计",
    Side.REFUNDS: "退款合计",
    Side.INCOME: "收入合计",
    Side.OUTGO: "支出合计",
}


def _text(total: Total) -> str:
    discount = "" if total.discount is None else f" / {total.discount}"
    return f"{total.count} × {total.amount}{discount}"


@dataclass(frozen=True, slots=True)
class BillHead:
    """What stands above the lines: whose bill it is, and of which time (``until`` is not in it)."""

    account: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class TradeLine:
    """A line of 业务明细: a payment, or a refund with amounts below zero (apis.md §4.3).

    ``fee`` is what Alipay keeps (below zero) or gives back; ``share`` is 分润. ``more`` holds the
    columns that have no name here, by their own header.
    """

    number: int
    trade_no: str
    out_trade_no: str
    is_refund: bool
    subject: str
    created_at: datetime
    completed_at: datetime
    other_account: str
    total: Money
    receipt: Money
    discount: Money
    fee: Money
    share: Money
    out_request_no: str
    store_id: str
    operator_id: str
    terminal_id: str
    memo: str
    more: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A line of 账务明细: one movement of the account's balance (apis.md §4.5).

    ``amount`` is above zero for what came in, below for what went out. ``balance`` is what the file
    says was there afterwards; it may be out of step.
    """

    number: int
    account_log_id: str
    trade_no: str
    out_trade_no: str
    subject: str
    at: datetime
    other_account: str
    amount: Money
    balance: Money
    channel: str
    business: str
    memo: str
    more: Mapping[str, str] = field(default_factory=dict[str, str])
