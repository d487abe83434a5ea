"""Reading one text of a bill: its head, its lines, its totals. Only what is shown is decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from daozhang.alipay.bills.cutting import (
    Piece,
    Stream,
    columns_of,
    pieces_of,
    rows_of,
    take,
    unreadable,
)
from daozhang.alipay.bills.layout import FIRST_LINES, BillKind, Layout
from daozhang.alipay.bills.model import (
    AccountLine,
    BillHead,
    BillProblem,
    Difference,
    Side,
    Total,
    TradeLine,
)
from daozhang.clock import from_beijing_text
from daozhang.money import Money, MoneyError

UTF8_MARK: Final = b"\xef\xbb\xbf"

PAYMENT: Final = "交易"
REFUND: Final = "退款"

_ACCOUNT: Final = re.compile(r"#账号：\[(\w+)\]")
_SPAN: Final = re.compile(
    r"#起始日期：\[(\d{4})年(\d\d)月(\d\d)日 (\d\d:\d\d:\d\d)\]\s*"
    r"终止日期：\[(\d{4})年(\d\d)月(\d\d)日 (\d\d:\d\d:\d\d)\]"
)
_FOOTER: Final = re.compile(r"#(交易合计|退款合计|支出合计|收入合计)：(\d+)笔，(.*)")
_SUM: Final = re.compile(r"共(-?\d+(?:\.\d{1,2})?)元")
_SIDES: Final[Mapping[str, Side]] = {
    "交易合计": Side.PAYMENTS,
    "退款合计": Side.REFUNDS,
    "收入合计": Side.INCOME,
    "支出合计": Side.OUTGO,
}
SIDES_OF: Final[Mapping[BillKind, Sequence[Side]]] = {
    BillKind.TRADE: (Side.PAYMENTS, Side.REFUNDS),
    BillKind.ACCOUNT: (Side.INCOME, Side.OUTGO),
}
HEAD_LINES_MAX: Final = 20


@dataclass(slots=True)
class Bill:
    """One text of a bill. Its head is read when it is asked for, its lines as often as wanted."""

    name: str
    _open: Callable[[], Stream]
    _start: _Start | None = None
    _stated: dict[Side, Total] | None = None

    @property
    def kind(self) -> BillKind:
        """What its first line says that it is."""
        return self._begin().layout.kind

    @property
    def head(self) -> BillHead:
        """Whose bill it is, and of which time."""
        return self._begin().head

    @property
    def layout(self) -> Layout:
        """Where its columns stand."""
        return self._begin().layout

    @property
    def encoding(self) -> str:
        """In what its text is written: GB18030, or UTF-8 where somebody saved it so."""
        return self._begin().encoding

    @property
    def stated(self) -> Mapping[Side, Total]:
        """The totals under its lines; known once the lines have been read to the end."""
        assert self._stated is not None, "its lines have not been read to the end"
        return self._stated

    def text(self, cell: bytes) -> str:
        """A cell as text."""
        return cell.decode(self._begin().encoding, "replace").strip()

    def columns(
        self, fields: Sequence[str]
    ) -> Iterator[tuple[Sequence[int], Sequence[Sequence[bytes]]]]:
        """Some thousand lines at a time: their numbers, and the columns of ``fields``, undecoded.

        A field that the file has no column for is empty. Raises `BillProblem` for a line that cannot
        be cut, and for a file that ends in the middle.
        """
        layout = self._begin().layout
        places = [layout.places.get(name) for name in fields]
        for piece in self._pieces():
            numbers, columns = columns_of(piece, layout, self.name, places)
            if numbers:  # or it was blank lines, and nothing else
                yield numbers, columns

    def lines(self) -> Iterator[TradeLine | AccountLine]:
        """Every line, typed. Raises `BillProblem` for one that does not mean what it must."""
        layout = self._begin().layout
        assert layout.kind.is_detail, f"{layout.kind} has no lines of this kind"
        fields = [*layout.places]
        unknown = layout.unknown
        read = _trade_line if layout.kind is BillKind.TRADE else _account_line
        for piece in self._pieces():
            for number, cells in rows_of(piece, layout, self.name):
                named = {name: self.text(cells[layout.places[name]]) for name in fields}
                more = {h: text for h, p in unknown.items() if (text := self.text(cells[p]))}
                try:
                    yield read(number, named, more)
                except (ValueError, MoneyError) as problem:
                    raise unreadable(self.name, number, str(problem)) from None

    def differences(self, counted: Mapping[Side, Total]) -> Sequence[Difference]:
        """Where ``counted`` is not what the file itself states; empty if it is."""
        sides = SIDES_OF[self.kind]
        return [
            Difference(side, self.stated.get(side), counted[side])
            for side in sides
            if self.stated.get(side) != counted[side]
        ]

    # ---- inside

    def _begin(self) -> _Start:
        if self._start is None:
            stream = self._open()
            try:
                self._start = _read_start(stream, self.name)
            finally:
                stream.close()
        return self._start

    def _pieces(self) -> Iterator[Piece]:
        """The lines between header and footer."""
        start = self._begin()
        stream = self._open()
        try:
            take(stream, start.bytes)
            foot = yield from pieces_of(stream, self.name, start.first_line)
            self._stated = _read_footer(foot, start.encoding)
        finally:
            stream.close()


@dataclass(frozen=True, slots=True)
class _Start:
    """What stands above the lines, and how many bytes it takes."""

    encoding: str
    head: BillHead
    layout: Layout
    bytes: int
    first_line: int


@dataclass(slots=True)
class Counting:
    """Counts the lines of a bill, side by side, to hold them against the totals that it states."""

    kind: BillKind
    _sums: dict[Side, list[int]] = field(default_factory=dict[Side, "list[int]"])

    def add(self, side: Side, count: int, minor: int, discount_minor: int = 0) -> None:
        """Adds so many lines of ``side`` with their sums in fen."""
        sums = self._sums.setdefault(side, [0, 0, 0])
        sums[0] += count
        sums[1] += minor
        sums[2] += discount_minor

    def add_line(self, line: TradeLine | AccountLine) -> None:
        """Adds one line."""
        if isinstance(line, TradeLine):
            side = Side.REFUNDS if line.is_refund else Side.PAYMENTS
            self.add(side, 1, line.receipt.minor, line.discount.minor)
        else:
            side = Side.OUTGO if line.amount.minor < 0 else Side.INCOME
            self.add(side, 1, abs(line.amount.minor))

    def totals(self) -> Mapping[Side, Total]:
        """What was counted."""
        has_discount = self.kind is BillKind.TRADE
        found: dict[Side, Total] = {}
        for side in SIDES_OF[self.kind]:
            count, minor, discount = self._sums.get(side, [0, 0, 0])
            found[side] = Total(count, Money(minor), Money(discount) if has_discount else None)
        return found


def _read_start(stream: Stream, member: str) -> _Start:
    """The lines down to the header. Raises `BillProblem` if they are not those of a bill."""
    held = b""
    while held.count(b"\n") < HEAD_LINES_MAX and (chunk := stream.read(4096)):
        held += chunk
    encoding = "utf-8" if _is_utf8(held) else "gb18030"
    raw = held.splitlines(keepends=True)[:HEAD_LINES_MAX]
    lines = [line.removeprefix(UTF8_MARK).decode(encoding, "replace").strip() for line in raw]
    first = lines[0].rstrip(",") if lines else ""
    kind = FIRST_LINES.get(first)
    if kind is None:
        raise BillProblem(
            f"It is no bill of Alipay's: its first line is {first[:60]!r}.",
            f"不是支付宝账单：首行为 {first[:60]!r}。",
            member=member,
            line=1,
        )
    at = next((n for n, line in enumerate(lines) if line and not line.startswith("#")), None)
    if at is None:
        raise BillProblem(
            "It has no header of columns.", "文件中没有表头。", member=member, line=len(lines)
        )
    headers = [cell.strip() for cell in lines[at].split(",")]
    while headers and not headers[-1]:
        headers.pop()  # saved by a program that pads every line
    layout = Layout.of(kind, headers, member, at + 1)
    size = sum(len(line) for line in raw[: at + 1])
    return _Start(encoding, _read_head(lines[:at], member), layout, size, at + 2)


def _is_utf8(held: bytes) -> bool:
    """Whether a text was saved as UTF-8: its first line says."""
    first = held.removeprefix(UTF8_MARK).partition(b"\n")[0].strip().rstrip(b",")
    return first in {line.encode() for line in FIRST_LINES}


def _read_head(lines: Iterable[str], member: str) -> BillHead:
    text = "\n".join(line.rstrip(",") for line in lines)
    account, span = _ACCOUNT.search(text), _SPAN.search(text)
    if account is None or span is None:
        raise BillProblem(
            "It does not say whose bill it is, or of which days.",
            "文件未注明账号或起止日期。",
            member=member,
        )
    parts = span.groups()

    def moment(year: str, month: str, day: str, time: str) -> datetime:
        return from_beijing_text(f"{year}-{month}-{day} {time}")

    return BillHead(account.group(1), moment(*parts[:4]), moment(*parts[4:]))


def _read_footer(lines: Iterable[bytes], encoding: str) -> dict[Side, Total]:
    found: dict[Side, Total] = {}
    for line in lines:
        footer = _FOOTER.match(line.decode(encoding, "replace").strip().rstrip(","))
        if footer is None:
            continue
        side = _SIDES[footer.group(1)]
        sums = [Money.parse(text) for text in _SUM.findall(footer.group(3))]
        if not sums:
            continue
        discount = sums[1] if side in SIDES_OF[BillKind.TRADE] and len(sums) > 1 else None
        # Account bills of some years write what went out below zero.
        amount = sums[0] if side in SIDES_OF[BillKind.TRADE] else Money(abs(sums[0].minor))
        found[side] = Total(int(footer.group(2)), amount, discount)
    return found


def _trade_line(number: int, cells: Mapping[str, str], more: Mapping[str, str]) -> TradeLine:
    business = cells["business"]
    if business not in (PAYMENT, REFUND):
        raise ValueError(f"{business!r} is neither {PAYMENT} nor {REFUND}")
    money: dict[str, Any] = {
        name: Money.parse(cells[name]) if cells.get(name) else Money(0)
        for name in ("total", "receipt", "discount", "fee", "share")
    }
    return TradeLine(
        number=number,
        trade_no=cells["trade_no"],
        out_trade_no=cells["out_trade_no"],
        is_refund=business == REFUND,
        subject=cells["subject"],
        created_at=from_beijing_text(cells["created_at"]),
        completed_at=from_beijing_text(cells["completed_at"]),
        other_account=cells.get("other_account", ""),
        out_request_no=cells["out_request_no"],
        store_id=cells.get("store_id", ""),
        operator_id=cells.get("operator_id", ""),
        terminal_id=cells.get("terminal_id", ""),
        memo=cells.get("memo", ""),
        more=more,
        **money,
    )


def _account_line(number: int, cells: Mapping[str, str], more: Mapping[str, str]) -> AccountLine:
    income = Money.parse(cells["income"].removeprefix("+")) if cells["income"] else Money(0)
    outgo = Money.parse(cells["outgo"]) if cells["outgo"] else Money(0)
    return AccountLine(
        number=number,
        account_log_id=cells["account_log_id"],
        trade_no=cells["trade_no"],
        out_trade_no=cells["out_trade_no"],
        subject=cells.get("subject", ""),
        at=from_beijing_text(cells["at"]),
        other_account=cells.get("other_account", ""),
        amount=Money(income.minor - abs(outgo.minor)),
        balance=Money.parse(cells["balance"]) if cells["balance"] else Money(0),
        channel=cells.get("channel", ""),
        business=cells["business"],
        memo=cells.get("memo", ""),
        more=more,
    )


def day_of(head: BillHead) -> date | None:
    """The one day of Beijing's that a bill is of; ``None`` for a month's."""
    if head.until - head.since != timedelta(days=1):
        return None
    return (head.since + timedelta(hours=8)).date()
