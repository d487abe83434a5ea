"""Bills: what this Alipay says happened on a day or in a month, made from its books when they are asked for.

The trade bill (``trade``) tells payments and refunds, the account bill (``signcustomer``) every movement
that changed the balance. Oddities that are set strike here, and nowhere else.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from daozhang.clock import BEIJING
from daozhang.emulator.accounts import Business, Movement
from daozhang.emulator.bill_sums import account_totals, flow_row, summary_row, trade_totals
from daozhang.emulator.bill_text import (
    ACCOUNT_HEADERS,
    ACCOUNT_SUMMARY_HEADERS,
    NAMES,
    TRADE_HEADERS,
    TRADE_HEADERS_29,
    TRADE_SUMMARY_HEADERS,
    Row,
    Sheet,
    moment_text,
    one_line,
    text_of,
    zip_of,
)
from daozhang.emulator.bookkeeping import Bookkeeping, Line, LineKind, masked_name
from daozhang.emulator.oddities import OF_LINES, Oddities, Oddity, OddityName, Struck
from daozhang.money import Money

NOTHING: Final = Money(0)
ACCOUNT_SUFFIX: Final = "0156"
"""What follows the user id in the number of an account."""

UNKNOWN_TYPE: Final = "消费金入账"
"""A 业务类型 that nobody knows: Alipay adds some every year."""

DESCRIPTIONS: Final = {
    Business.PAYMENT: "0010001|交易收款-交易收款",
    Business.REFUND: "0010002|交易退款-交易退款",
    Business.FEE: "0030001|收费-支付宝交易服务费",
    Business.FEE_RETURN: "0030002|退费-支付宝交易服务费退回",
    Business.TRANSFER: "0020001|转账-转账到支付宝账户",
    Business.WITHDRAWAL: "0040001|提现-余额提现",
    Business.SHARE: "0050001|分账-分账支出",
}


_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?", re.ASCII)

MADE_AT: Final = timedelta(hours=5, minutes=46, seconds=49)
"""The hour of the next morning at which a file says that it was made, as a captured one does."""


@dataclass(frozen=True, slots=True)
class Span:
    """A day, or the days of a month."""

    first: date
    days: int
    name: str

    @property
    def all(self) -> list[date]:
        """Its days."""
        return [self.first + timedelta(days=n) for n in range(self.days)]

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first + timedelta(days=self.days - 1)


def span_of(text: str) -> Span:
    """The day or month that ``bill_date`` names. Raises `ValueError`."""
    if not _DATE.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is no day like 2026-03-02, and no month like 2026-03")
    if len(text) == len("2026-03"):
        first = date.fromisoformat(f"{text}-01")
        after = (first + timedelta(days=31)).replace(day=1)
        return Span(first, (after - first).days, f"{first:%Y%m}")
    day = date.fromisoformat(text)
    return Span(day, 1, f"{day:%Y%m%d}")


def day_start(day: date) -> datetime:
    """When a day of Beijing's begins."""
    return datetime.combine(day, time(), BEIJING)


class Bills:
    """Makes bills from the books."""

    def __init__(self, books: Bookkeeping, oddities: Oddities) -> None:
        self._books = books
        self._oddities = oddities

    def is_empty(self, seller_id: str, bill_type: str, span: Span) -> bool:
        """Whether nothing happened in that time, oddities included."""
        if bill_type == "trade":
            return not any(self._trade_rows(seller_id, day) for day in span.all)
        return not any(self._account_rows(seller_id, day) for day in span.all)

    def zip(self, seller_id: str, bill_type: str, span: Span) -> bytes:
        """The file of a bill: the same bytes whenever it is fetched."""
        now = day_start(span.last + timedelta(days=1)) + MADE_AT
        oddities = self._oddities.of(seller_id, bill_type, span.first)
        detail, summary = (
            self._trade_sheets(seller_id, span, now)
            if bill_type == "trade"
            else self._account_sheets(seller_id, span, now)
        )
        names = {one.name for one in oddities}
        _look(detail, names)
        account = f"{seller_id}{ACCOUNT_SUFFIX}"
        name = f"{account}_{span.name}_{NAMES[bill_type]}明细"
        members = [
            (f"{name}{number}.csv", text_of(sheet))
            for number, sheet in _members(detail, split=OddityName.SPLIT_MEMBERS in names)
        ]
        return zip_of([*members, (f"{name}(汇总).csv", text_of(summary))], now)

    # ---- the trade bill

    def _trade_sheets(self, seller_id: str, span: Span, now: datetime) -> tuple[Sheet, Sheet]:
        rows = [row for day in span.all for row in self._trade_rows(seller_id, day)]
        sheet = _sheet("trade", seller_id, span, now, TRADE_HEADERS, rows)
        sheet.footer = trade_totals(rows)
        return sheet, _trade_summary(seller_id, span, now, rows)

    def _trade_rows(self, seller_id: str, day: date) -> list[Row]:
        lines = list(self._books.lines(seller_id, day))
        struck = self._strike(seller_id, "trade", day, [_of_line(line) for line in lines])
        cut = self._cut(seller_id, "trade", day - timedelta(days=1))
        earlier = [
            _trade_row(line)
            for line in self._books.lines(seller_id, day - timedelta(days=1))
            if _of_line(line) in cut
        ]
        rows = earlier
        for line in lines:
            rows += _struck_rows(_trade_row(line), struck.get(_of_line(line)))
        rows += self._foreign(seller_id, "trade", day)
        if self._is_set(seller_id, "trade", day, OddityName.RARE_SURNAME) and rows:
            rows[0]["对方账户"] = "𠮷*(139***@example.com)"
        return rows

    # ---- the account bill

    def _account_sheets(self, seller_id: str, span: Span, now: datetime) -> tuple[Sheet, Sheet]:
        rows = [row for day in span.all for row in self._account_rows(seller_id, day)]
        sheet = _sheet("signcustomer", seller_id, span, now, ACCOUNT_HEADERS, rows)
        sheet.footer = account_totals(rows)
        return sheet, _account_summary(seller_id, span, now, rows)

    def _account_rows(self, seller_id: str, day: date) -> list[Row]:
        listed = [one for one in self._books.accounts.on_day(seller_id, day) if one.is_listed]
        struck = self._strike(seller_id, "signcustomer", day, [_of_movement(one) for one in listed])
        cut = self._cut(seller_id, "signcustomer", day - timedelta(days=1))
        rows = [
            _account_row(one)
            for one in self._books.accounts.on_day(seller_id, day - timedelta(days=1))
            if one.is_listed and _of_movement(one) in cut
        ]
        for one in listed:
            rows += _struck_rows(_account_row(one), struck.get(_of_movement(one)))
        balance = Money.parse(rows[-1]["账户余额（元）"]) if rows else None
        for row in self._foreign(seller_id, "signcustomer", day):
            before = balance or self._books.accounts.balance_at(seller_id, day)
            balance = before + Money.parse(row["收入金额（+元）"])
            rows.append(row | {"账户余额（元）": str(balance)})
        return rows

    # ---- oddities

    def _is_set(self, seller_id: str, bill_type: str, day: date, name: OddityName) -> bool:
        return any(one.name is name for one in self._oddities.of(seller_id, bill_type, day))

    def _strike(
        self, seller_id: str, bill_type: str, day: date, keys: Sequence[_Key]
    ) -> dict[_Key, OddityName]:
        """Which of the day's lines are struck, each by one oddity; the same whenever it is asked."""
        found: dict[_Key, OddityName] = {}
        of_order: defaultdict[str, list[_Key]] = defaultdict(list)
        for key in keys:
            of_order[key.out_trade_no].append(key)
        for number, oddity in enumerate(self._oddities.of(seller_id, bill_type, day)):
            if oddity.name not in OF_LINES:
                continue
            named = oddity.out_trade_no
            free = [
                key
                for key in (keys if named is None else of_order[named])
                if key not in found and _may_strike(oddity, key)
            ]
            if oddity.out_trade_no is None:
                seed = f"{number} {oddity.name} {seller_id} {bill_type} {day}"
                chance = random.Random(seed)  # noqa: S311 - which lines are odd is no secret
                free = chance.sample(free, min(oddity.lines, len(free)))
            for key in free:
                found[key] = oddity.name
                self._oddities.note(Struck(oddity.name, bill_type, day, seller_id, *key))
        return found

    def _cut(self, seller_id: str, bill_type: str, day: date) -> set[_Key]:
        if not self._is_set(seller_id, bill_type, day, OddityName.DAY_CUT):
            return set()
        if bill_type == "trade":
            keys = [_of_line(line) for line in self._books.lines(seller_id, day)]
        else:
            moved = self._books.accounts.on_day(seller_id, day)
            keys = [_of_movement(one) for one in moved if one.is_listed]
        struck = self._strike(seller_id, bill_type, day, keys)
        return {key for key, name in struck.items() if name is OddityName.DAY_CUT}

    def _foreign(self, seller_id: str, bill_type: str, day: date) -> Iterable[Row]:
        """Lines of another system that uses the same account."""
        for oddity in self._oddities.of(seller_id, bill_type, day):
            if oddity.name is not OddityName.FOREIGN_LINE:
                continue
            for number in range(oddity.lines):
                out_trade_no = oddity.out_trade_no or f"OTHER{day:%Y%m%d}{number:06d}"
                trade_no = f"{day:%Y%m%d}22001{number:015d}"
                self._oddities.note(
                    Struck(oddity.name, bill_type, day, seller_id, trade_no, out_trade_no, "")
                )
                yield _foreign_row(bill_type, day, trade_no, out_trade_no)


class _Key(NamedTuple):
    """What names a line; the last two only in the account bill."""

    trade_no: str
    out_trade_no: str
    out_request_no: str
    log_id: str = ""
    business: str = ""


def _of_line(line: Line) -> _Key:
    return _Key(line.trade.trade_no, line.trade.out_trade_no, line.out_request_no)


def _of_movement(one: Movement) -> _Key:
    return _Key(one.trade_no, one.out_trade_no, one.out_request_no, one.log_id, one.business)


def _may_strike(oddity: Oddity, key: _Key) -> bool:
    """A fee can be off where it was charged, which in the account bill is a line of its own; what of it
    comes back depends on the contract."""
    if oddity.business not in (None, key.business):
        return False
    if oddity.name is not OddityName.FEE_OFF:
        return True
    return not key.out_request_no and key.business in ("", Business.FEE)


def _trade_row(line: Line) -> Row:
    trade, refund = line.trade, line.kind is LineKind.REFUND
    request = trade.request
    amount = -line.amount if refund else line.amount
    fee = line.fee if refund else -line.fee
    nothing = str(NOTHING)
    return {
        "支付宝交易号": trade.trade_no,
        "商户订单号": trade.out_trade_no,
        "业务类型": line.kind.value,
        "商品名称": one_line(request.subject),
        "创建时间": moment_text(trade.created_at),
        "完成时间": moment_text(line.at),
        "门店编号": request.store_id,
        "操作员": request.operator_id,
        "终端号": request.terminal_id,
        "对方账户": masked_name(trade.buyer_id),
        "订单金额（元）": str(amount),
        "商家实收（元）": str(amount),
        **dict.fromkeys(
            (
                "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）",
                "商家红包消费金额（元）", "卡消费金额（元）", "分润（元）", "花呗分期手续费（元）",
            ),
            nothing,
        ),
        "退款批次号/请求号": line.out_request_no,
        "服务费（元）": str(fee),
        "实收净额（元）": str(amount + fee),
        "商户识别号": request.seller_id,
        "交易方式": "支付宝",
        "备注": one_line(line.note),
    }  # fmt: skip


def _account_row(one: Movement) -> Row:
    into = one.amount.minor > 0
    return {
        "账务流水号": one.log_id,
        "业务流水号": one.trade_no,
        "商户订单号": one.out_trade_no,
        "商品名称": one_line(one.subject),
        "发生时间": moment_text(one.at),
        "对方账号": one.other_account,
        "收入金额（+元）": str(one.amount if into else NOTHING),
        "支出金额（-元）": str(NOTHING if into else one.amount),
        "账户余额（元）": str(one.balance),
        "交易渠道": "支付宝",
        "业务类型": one.business.value,
        "备注": one_line(one.memo),
        "业务描述": DESCRIPTIONS.get(one.business, ""),
        "业务账单来源": "商家中心",
        "业务基础订单号": one.out_trade_no,
        "业务订单号": one.out_trade_no,
    }


def _foreign_row(bill_type: str, day: date, trade_no: str, out_trade_no: str) -> Row:
    at = moment_text(day_start(day) + timedelta(hours=12))
    if bill_type == "signcustomer":
        return {
            "账务流水号": f"{day:%Y%m%d}90{trade_no[-11:]}", "业务流水号": trade_no,
            "商户订单号": out_trade_no, "商品名称": "其他系统", "发生时间": at, "收入金额（+元）": "8.88",
            "支出金额（-元）": "0.00", "账户余额（元）": "0.00", "交易渠道": "支付宝",
            "业务类型": Business.PAYMENT.value,
        }  # fmt: skip
    row = dict.fromkeys((one for one in TRADE_HEADERS if one.endswith("（元）")), "0.00")
    return row | {
        "支付宝交易号": trade_no, "商户订单号": out_trade_no, "业务类型": LineKind.PAYMENT.value,
        "商品名称": "其他系统", "创建时间": at, "完成时间": at, "对方账户": masked_name("2088000000000000"),
        "订单金额（元）": "8.88", "商家实收（元）": "8.88", "服务费（元）": "-0.05",
    }  # fmt: skip


def _struck_rows(row: Row, name: OddityName | None) -> list[Row]:
    """What a bill shows in place of a line."""
    if name in (OddityName.MISSING_LINE, OddityName.DAY_CUT):
        return []
    if name is OddityName.DUPLICATE_LINE:
        return [row, dict(row)]
    is_account = "账务流水号" in row
    if name in (OddityName.AMOUNT_OFF, OddityName.FEE_OFF) and is_account:
        out = row["支出金额（-元）"] != "0.00"
        _add(row, "支出金额（-元）" if out else "收入金额（+元）", -1 if out else 1)
    elif name is OddityName.AMOUNT_OFF:
        _add(row, "订单金额（元）", 1)
        _add(row, "商家实收（元）", 1)
    elif name is OddityName.FEE_OFF:
        _add(row, "服务费（元）", -1)
    elif name is OddityName.UNKNOWN_TYPE and is_account:
        row["业务类型"] = UNKNOWN_TYPE
    elif name is OddityName.TYPE_DIFFERS:
        # A payment that is shown as if it had gone back, or the other way round.
        if is_account:
            row["业务类型"] = Business.TRANSFER.value
        else:
            refund = row["业务类型"] == LineKind.REFUND.value
            row["业务类型"] = (LineKind.PAYMENT if refund else LineKind.REFUND).value
            row["退款批次号/请求号"] = "" if refund else "ODD-1"
            for header in ("订单金额（元）", "商家实收（元）"):
                row[header] = str(-Money.parse(row[header]))
    return [row]


def _add(row: Row, header: str, fen: int) -> None:
    row[header] = str(Money.parse(row[header]) + Money(fen))


def _sheet(
    kind: str,
    seller_id: str,
    span: Span,
    now: datetime,
    headers: Sequence[str],
    rows: list[Row],
    *,
    is_summary: bool = False,
) -> Sheet:
    return Sheet(
        kind=kind,
        account=f"{seller_id}{ACCOUNT_SUFFIX}",
        since=day_start(span.first),
        until=day_start(span.last + timedelta(days=1)),
        made_at=now,
        headers=headers,
        rows=rows,
        footer=[],
        is_summary=is_summary,
    )


def _trade_summary(seller_id: str, span: Span, now: datetime, rows: Sequence[Row]) -> Sheet:
    stores: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        stores[row.get("门店编号", "")].append(row)
    named = sorted((store, of_store) for store, of_store in stores.items() if store)
    summed = [summary_row(store, of_store) for store, of_store in named]
    total = summary_row("合计", rows) | {"门店名称": ""}
    return _sheet(
        "trade", seller_id, span, now, TRADE_SUMMARY_HEADERS, [*summed, total], is_summary=True
    )


def _account_summary(seller_id: str, span: Span, now: datetime, rows: Sequence[Row]) -> Sheet:
    kinds: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row["业务类型"]].append(row)
    summed = [flow_row(kind, of_kind) for kind, of_kind in sorted(kinds.items())]
    return _sheet(
        "signcustomer", seller_id, span, now, ACCOUNT_SUMMARY_HEADERS,
        [*summed, flow_row("合计", rows)], is_summary=True,
    )  # fmt: skip


def _look(sheet: Sheet, names: set[OddityName]) -> None:
    """Lets the oddities of a file change how it looks."""
    headers = list(sheet.headers)
    if OddityName.COLUMNS_29 in names and sheet.kind == "trade":
        headers = list(TRADE_HEADERS_29)
    if OddityName.MISSING_COLUMN in names:
        headers.remove("商家实收（元）" if sheet.kind == "trade" else "账务流水号")
    if OddityName.EXTRA_COLUMN in names:
        headers.append("新优惠（元）")
        for row in sheet.rows:
            row["新优惠（元）"] = str(NOTHING)
    if OddityName.COLUMN_ORDER in names:
        headers = headers[::-1]
    sheet.order = headers
    sheet.half_width = OddityName.HALF_WIDTH in names
    sheet.newline = "\r\n" if OddityName.CRLF in names else "\n"
    if OddityName.NO_TOTALS in names:
        sheet.footer = []
    elif OddityName.WRONG_TOTALS in names:
        sheet.footer = [line.replace("笔，", "1笔，", 1) for line in sheet.footer]


def _members(sheet: Sheet, *, split: bool) -> list[tuple[str, Sheet]]:
    """The texts of a detail: one, or where a large day is split, several, each with its totals."""
    if not split or len(sheet.rows) < 2:
        return [("", sheet)]
    half = len(sheet.rows) // 2
    totals = trade_totals if sheet.kind == "trade" else account_totals
    parts: list[tuple[str, Sheet]] = []
    for number, rows in enumerate((sheet.rows[:half], sheet.rows[half:]), 1):
        part = _sheet(
            sheet.kind,
            sheet.account[: -len(ACCOUNT_SUFFIX)],
            Span(sheet.since.date(), 1, ""),
            sheet.made_at,
            sheet.headers,
            rows,
        )
        part.since, part.until, part.order = sheet.since, sheet.until, sheet.order
        part.half_width, part.newline = sheet.half_width, sheet.newline
        part.footer = totals(rows) if sheet.footer else []
        parts.append((f"_{number}", part))
    return parts
