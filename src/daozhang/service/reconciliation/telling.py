"""What differs, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from daozhang.money import Money
from daozhang.service.reconciliation.account_rules import Group
from daozhang.service.reconciliation.model import Mismatch, MismatchClass

_Both = tuple[str, str]


def tell(one: Mismatch) -> _Both:
    """A mismatch as a sentence, in English and in Chinese."""
    what, what_zh = name_of(one)
    en, zh = _SENTENCES[one.mismatch](_text(one.ours_minor), _text(one.theirs_minor))
    return f"{what}: {en}", f"{what_zh}：{zh}"


def name_of(one: Mismatch) -> _Both:
    """What it is that differs, in English and in Chinese."""
    kind, _, number = one.key.partition(":")
    what, what_zh = _KINDS[kind]
    if kind in ("payment", "refund"):
        number = one.out_trade_no or number
    if one.out_request_no:
        number = f"{number} / {one.out_request_no}"
    if kind == "group":
        number, number_zh = _GROUPS[Group(number)]
        return f"{what} {number}", f"{what_zh}{number_zh}"
    return f"{what} {number}".rstrip(), f"{what_zh} {number}".rstrip()


_KINDS: Final[Mapping[str, _Both]] = {
    "payment": ("payment", "收款"),
    "refund": ("refund", "退款"),
    "share": ("shares of", "分账，订单"),
    "transfer": ("transfer", "转账"),
    "balance": ("balance of the account", "账户余额"),
    "group": ("all lines of", "合计："),
    "type": ("lines of the type", "账务类型"),
}

_GROUPS: Final[Mapping[Group, _Both]] = {
    Group.TRADES: ("payments and refunds", "收款与退款"),
    Group.SHARES: ("shares", "分账"),
    Group.TRANSFERS: ("transfers", "转账"),
}


def _text(minor: int | None) -> str:
    return "?" if minor is None else str(Money(minor))


_SENTENCES: Final[Mapping[MismatchClass, Callable[[str, str], _Both]]] = {
    MismatchClass.MISSING_HERE: lambda _, theirs: (
        f"the bill has {theirs}, the books have nothing",
        f"账单有 {theirs}，本系统没有记录",
    ),
    MismatchClass.MISSING_THERE: lambda ours, _: (
        f"the books have {ours}, the bill has nothing",
        f"本系统有 {ours}，账单没有记录",
    ),
    MismatchClass.AMOUNT_DIFFERS: lambda ours, theirs: (
        f"the books have {ours}, the bill has {theirs}",
        f"本系统为 {ours}，账单为 {theirs}",
    ),
    MismatchClass.FEE_DIFFERS: lambda _, theirs: (
        f"the fee in the bill is {theirs}, which is not what the rate says",
        f"账单手续费为 {theirs}，与费率不符",
    ),
    MismatchClass.STATE_DIFFERS: lambda _, theirs: (
        f"the bill has {theirs}, the books say that it did not happen so",
        f"账单有 {theirs}，与本系统的状态不符",
    ),
    MismatchClass.DAY_CUT: lambda _, theirs: (
        f"{theirs} stands in the bill of another day",
        f"{theirs} 记在另一日的账单中",
    ),
    MismatchClass.DUPLICATE: lambda ours, theirs: (
        f"the bill has it more than once, {theirs} together; the books have {ours}",
        f"账单中重复出现，共 {theirs}，本系统为 {ours}",
    ),
    MismatchClass.FOREIGN: lambda _, theirs: (
        f"{theirs} of another system, set aside by a rule",
        f"其他系统的 {theirs}，已按规则排除",
    ),
}

CLASSES: Final[Mapping[MismatchClass, str]] = {
    MismatchClass.MISSING_HERE: "missing here 本系统缺失",
    MismatchClass.MISSING_THERE: "missing there 账单缺失",
    MismatchClass.AMOUNT_DIFFERS: "amount 金额不符",
    MismatchClass.FEE_DIFFERS: "fee 手续费不符",
    MismatchClass.STATE_DIFFERS: "state 状态不符",
    MismatchClass.DAY_CUT: "day cut 跨日",
    MismatchClass.DUPLICATE: "twice 重复",
    MismatchClass.FOREIGN: "foreign 其他系统",
}
"""Each class in a word, for tables."""
