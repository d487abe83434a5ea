"""How bills look: their texts down to dashes, tabs and brackets, and the zip around them (apis.md §4)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from daozhang.clock import BEIJING, to_beijing_text
from daozhang.money import Money

TRADE_HEADERS: Final[tuple[str, ...]] = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称",
    "操作员", "终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）",
    "支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）",
    "卡消费金额（元）", "退款批次号/请求号", "服务费（元）", "分润（元）", "备注",
)  # fmt: skip

TRADE_HEADERS_29: Final[tuple[str, ...]] = (
    *TRADE_HEADERS[:23], "实收净额（元）", "商户识别号", "交易方式", "备注", "花呗分期手续费（元）", "花呗分期数",
)  # fmt: skip
"""As some contracts have it (apis.md §4.3, which counts from nought); where 备注 stands is unverified."""

ACCOUNT_HEADERS: Final[tuple[str, ...]] = (
    "账务流水号", "业务流水号", "商户订单号", "商品名称", "发生时间", "对方账号", "收入金额（+元）",
    "支出金额（-元）", "账户余额（元）", "交易渠道", "业务类型", "备注", "业务描述", "业务账单来源",
    "业务基础订单号", "业务订单号",
)  # fmt: skip

TRADE_SUMMARY_HEADERS: Final[tuple[str, ...]] = (
    "门店编号", "门店名称", "交易订单总笔数", "退款订单总笔数", "订单金额（元）", "商家实收（元）",
    "支付宝优惠（元）", "商家优惠（元）", "卡消费金额（元）", "服务费（元）", "分润（元）", "实收净额（元）",
)  # fmt: skip

ACCOUNT_SUMMARY_HEADERS: Final[tuple[str, ...]] = (
    "类型", "收入笔数", "收入金额（+元）", "支出笔数", "支出金额（-元）", "总金额（元）",
)  # fmt: skip

_PADDED: Final = frozenset(
    {
        "支付宝交易号", "商户订单号", "业务类型", "门店编号", "门店名称", "操作员", "终端号", "对方账户",
        "商家红包消费金额（元）", "退款批次号/请求号", "账务流水号", "业务流水号", "对方账号",
    }
)  # fmt: skip
"""Cells that end with a tab, so that no spreadsheet takes them for numbers."""

_PADDED_OF_ACCOUNT: Final = _PADDED - {"业务类型"} | {"商品名称"}

NAMES: Final[Mapping[str, str]] = {"trade": "业务", "signcustomer": "账务"}

Row = dict[str, str]
"""The cells of a line, by the header of their column."""


@dataclass(slots=True)
class Sheet:
    """One text of a bill, before it is written. What a test wants odd, is made odd in here."""

    kind: str
    account: str
    since: datetime
    until: datetime
    made_at: datetime
    headers: Sequence[str]
    rows: list[Row]
    footer: list[str]
    is_summary: bool = False
    newline: str = "\n"
    encoding: str = "gb18030"
    half_width: bool = False
    order: Sequence[str] = field(default_factory=tuple[str, ...])


def text_of(sheet: Sheet) -> bytes:
    """The text of one member."""
    name = f"{NAMES[sheet.kind]}{'汇总' if sheet.is_summary else '明细'}"
    columns = list(sheet.order or sheet.headers)
    headers = [_half(one) if sheet.half_width else one for one in columns]
    lines = [
        f"#支付宝{name}查询",
        f"#账号：[{sheet.account}]",
        f"#起始日期：[{_day(sheet.since)}]   终止日期：[{_day(sheet.until)}]",
        f"#{'-' * 41}{name}列表{'-' * 40}",
        ",".join(headers),
        *(_line(sheet, row, columns) for row in sheet.rows),
        f"#{'-' * 41}{name}列表结束{'-' * 36}",
        *sheet.footer,
        f"#导出时间：[{_day(sheet.made_at)}]",
        "",
    ]
    return sheet.newline.join(lines).encode(sheet.encoding, "replace")


def _line(sheet: Sheet, row: Row, columns: Sequence[str]) -> str:
    if sheet.is_summary:
        return ",".join(row.get(name, "") for name in columns)
    padded = _PADDED if sheet.kind == "trade" else _PADDED_OF_ACCOUNT
    return ",".join(row.get(name, "") + ("\t" if name in padded else "") for name in columns)


def _day(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y年%m月%d日 %H:%M:%S")


def _half(header: str) -> str:
    return header.replace("（", "(").replace("）", ")")


def zip_of(members: Iterable[tuple[str, bytes]], made_at: datetime) -> bytes:
    """A zip whose names are GBK and say nothing of it, as Alipay's."""
    held = io.BytesIO()
    moment = made_at.astimezone(BEIJING)
    stamp = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(_InGbk(name, stamp), content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


class _InGbk(zipfile.ZipInfo):
    """A member whose name is written in GBK, without the mark that says UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile calls it so
        return self.filename.encode("gbk"), self.flag_bits


def trade_footer(
    count: int, receipt: Money, discount: Money, back: tuple[int, Money, Money]
) -> list[str]:
    """The totals of a trade bill."""
    refunds, returned, discounts = back
    return [
        f"#交易合计：{count}笔，商家实收共{receipt}元，商家优惠共{discount}元",
        f"#退款合计：{refunds}笔，商家实收退款共{returned}元，商家优惠退款共{discounts}元",
    ]


def account_footer(outgo: tuple[int, Money], income: tuple[int, Money]) -> list[str]:
    """The totals of an account bill."""
    return [
        f"#支出合计：{outgo[0]}笔，共{outgo[1]}元",
        f"#收入合计：{income[0]}笔，共{income[1]}元",
    ]


def moment_text(moment: datetime) -> str:
    """A moment in a cell."""
    return to_beijing_text(moment)


def one_line(text: str) -> str:
    """A text as a cell holds it: what the buyer wrote in lines would end the line of the bill."""
    return " ".join(text.splitlines())
