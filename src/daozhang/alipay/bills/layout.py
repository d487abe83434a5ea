"""The layouts of bills: which columns there are, by what stands in their header (apis.md §4).

Columns are found by name: their order differs between exports, and new ones come.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from daozhang.alipay.bills.model import BillProblem


class BillKind(StrEnum):
    """What a file is. The values of the two details are Alipay's ``bill_type``."""

    TRADE = "trade"  # 业务明细
    ACCOUNT = "signcustomer"  # 账务明细
    TRADE_SUMMARY = "trade_summary"  # 业务明细(汇总)
    ACCOUNT_SUMMARY = "signcustomer_summary"  # 账务明细(汇总)

    @property
    def is_detail(self) -> bool:
        """Whether its lines are single movements."""
        return self in (BillKind.TRADE, BillKind.ACCOUNT)


FIRST_LINES: Final[Mapping[str, BillKind]] = {
    "#支付宝业务明细查询": BillKind.TRADE,
    "#支付宝账务明细查询": BillKind.ACCOUNT,
    "#支付宝业务汇总查询": BillKind.TRADE_SUMMARY,
    "#支付宝账务汇总查询": BillKind.ACCOUNT_SUMMARY,
}
"""A file is what its first line says; its name is not asked."""


class Cell(StrEnum):
    """What a cell of a column holds; of use where a text has commas in it."""

    TEXT = r".*?"
    CODE = r"[^,]*"
    TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    MONEY = r"[+-]?\d+(?:\.\d{1,2})?"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that has a name here. ``is_required``: without it the file cannot be used."""

    field: str
    header: str
    cell: Cell = Cell.CODE
    is_required: bool = True


TRADE_COLUMNS: Final = (
    Column("trade_no", "支付宝交易号"),
    Column("out_trade_no", "商户订单号"),
    Column("business", "业务类型"),
    Column("subject", "商品名称", Cell.TEXT),
    Column("created_at", "创建时间", Cell.TIME),
    Column("completed_at", "完成时间", Cell.TIME),
    Column("store_id", "门店编号", is_required=False),
    Column("store_name", "门店名称", Cell.TEXT, is_required=False),
    Column("operator_id", "操作员", is_required=False),
    Column("terminal_id", "终端号", is_required=False),
    Column("other_account", "对方账户", Cell.TEXT, is_required=False),
    Column("total", "订单金额", Cell.MONEY),
    Column("receipt", "商家实收", Cell.MONEY),
    Column("discount", "商家优惠", Cell.MONEY),
    Column("out_request_no", "退款批次号/请求号"),
    Column("fee", "服务费", Cell.MONEY),
    Column("share", "分润", Cell.MONEY, is_required=False),
    Column("memo", "备注", Cell.TEXT, is_required=False),
)

ACCOUNT_COLUMNS: Final = (
    Column("account_log_id", "账务流水号"),
    Column("trade_no", "业务流水号"),
    Column("out_trade_no", "商户订单号"),
    Column("subject", "商品名称", Cell.TEXT, is_required=False),
    Column("at", "发生时间", Cell.TIME),
    Column("other_account", "对方账号", Cell.TEXT, is_required=False),
    Column("income", "收入金额", Cell.MONEY),
    Column("outgo", "支出金额", Cell.MONEY),
    Column("balance", "账户余额", Cell.MONEY),
    Column("channel", "交易渠道", is_required=False),
    Column("business", "业务类型"),
    Column("memo", "备注", Cell.TEXT, is_required=False),
)

KNOWN_BESIDE: Final = frozenset(
    (
        "支付宝红包", "集分宝", "支付宝优惠", "券核销金额", "券名称", "商家红包消费金额", "卡消费金额",
        "实收净额", "商户识别号", "交易方式", "花呗分期手续费", "花呗分期数",
        "业务描述", "业务账单来源", "业务基础订单号", "业务订单号",
    )
)  # fmt: skip
"""Columns that are known, and of which nothing here depends."""

COLUMNS: Final[Mapping[BillKind, Sequence[Column]]] = {
    BillKind.TRADE: TRADE_COLUMNS,
    BillKind.ACCOUNT: ACCOUNT_COLUMNS,
    BillKind.TRADE_SUMMARY: (),
    BillKind.ACCOUNT_SUMMARY: (),
}

_OTHER_MONEY: Final = re.compile(r"[(（][+-]?元[)）]$")
_UNIT: Final = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")


def plain(header: str) -> str:
    """A header without its unit: both kinds of brackets are in use."""
    return _UNIT.sub("", header.strip())


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of one file stand. ``unknown`` are those that have no field here."""

    kind: BillKind
    headers: Sequence[str]
    places: Mapping[str, int]
    unknown: Mapping[str, int]
    pattern: re.Pattern[str]
    """A line whose texts have commas in them, cut by what its other cells must look like."""

    @property
    def new(self) -> Sequence[str]:
        """Columns that nobody here has seen before: kept, and reported."""
        if not self.kind.is_detail:
            return []
        return [header for header in self.unknown if plain(header) not in KNOWN_BESIDE]

    @classmethod
    def of(cls, kind: BillKind, headers: Sequence[str], member: str, line: int) -> Layout:
        """The layout under ``headers``. Raises `BillProblem` if a column that is needed is missing."""
        named = {plain(header): place for place, header in enumerate(headers)}
        columns = COLUMNS[kind]
        missing = [one.header for one in columns if one.is_required and one.header not in named]
        if missing:
            raise BillProblem(
                f"The columns {', '.join(missing)} are missing; the header has: {', '.join(headers)}."
                " Alipay may have renamed them: tell us, and keep the file.",
                f"缺少列：{'、'.join(missing)}；文件表头为：{'、'.join(headers)}。"
                "可能是支付宝改了列名：请保留文件并告知我们。",
                member=member,
                line=line,
            )
        places = {one.field: named[one.header] for one in columns if one.header in named}
        taken = set(places.values())
        unknown = {h: place for place, h in enumerate(headers) if place not in taken}
        cells = {places[one.field]: one.cell for one in columns if one.field in places}
        pattern = ",".join(
            f"({cells.get(place) or (Cell.MONEY if _OTHER_MONEY.search(header) else Cell.TEXT)})"
            for place, header in enumerate(headers)
        )
        return cls(kind, tuple(headers), places, unknown, re.compile(pattern, re.ASCII))
