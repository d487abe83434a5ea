"""A sheet of transfers: CSV in UTF-8 or GBK, or a workbook (XLSX); every row's problem is told.

Columns are found by their names, Chinese or English, in any order. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from daozhang.money import Money, MoneyError
from daozhang.service.refusals import Refusal
from daozhang.service.sheets.grids import Fault, Grid, read_csv
from daozhang.service.sheets.workbooks import Table, address, is_workbook, read_workbook
from daozhang.service.transfers.model import NewTransfer, Payee, PayeeKind
from daozhang.service.transfers.payees import require_payee

ROWS_MAX: Final = 1000
"""As many transfers as one batch holds."""

PROBLEMS_MAX: Final = 200
"""As many problems as are told at once."""

AMOUNT_MIN: Final = Money(10)

COLUMNS: Final[Mapping[str, str]] = {
    "out_biz_no": "商户单号",
    "payee_kind": "收款方式",
    "payee": "收款账号",
    "name": "收款人姓名",
    "amount": "金额",
    "title": "标题",
    "remark": "备注",
    "card_holder": "银行卡类型",
    "bank_name": "开户行",
    "bank_branch": "开户支行",
}
"""The name of each column, in English and in Chinese."""

_NAMES: Final = {**{name: name for name in COLUMNS}, **{zh: name for name, zh in COLUMNS.items()}}

_TABLE: Final = Table(lambda row: not _NAMES.keys().isdisjoint(row), ROWS_MAX)

REQUIRED: Final = ("out_biz_no", "payee_kind", "payee", "amount", "title")

_KINDS: Final = {
    **{kind.value: kind for kind in PayeeKind},
    "支付宝用户号": PayeeKind.USER_ID,
    "open_id": PayeeKind.OPEN_ID,
    "支付宝账号": PayeeKind.LOGON_ID,
    "银行卡": PayeeKind.BANK_CARD,
}
_HOLDERS: Final = {"个人": "person", "企业": "company", "person": "person", "company": "company"}
_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ROUNDED: Final = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_LENGTHS: Final = {"title": 128, "remark": 200, "name": 64, "bank_name": 64, "bank_branch": 128}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one row, or (row 1) with the sheet. Rows count as a spreadsheet does.

    ``cell`` is where it stands in a workbook (``三月!E5``), ``None`` in CSV.
    """

    row: int
    column: str | None
    say: str
    say_zh: str
    cell: str | None = None


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row that is as it should be."""

    row: int
    new: NewTransfer


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet asks for, and all that is wrong with it. ``name`` is what its workbook calls it, and
    ``places`` has where each column is."""

    rows: Sequence[SheetRow]
    problems: Sequence[Problem]
    name: str | None = None
    places: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def amount(self) -> Money:
        """What its good rows come to."""
        return Money.total((row.new.amount for row in self.rows), "CNY")

    def placed(self, problem: Problem) -> Problem:
        """``problem`` with the cell that it is about, if this is a sheet of a workbook."""
        if self.name is None or problem.cell is not None:
            return problem
        at = self.places.get(problem.column or "")
        where = str(problem.row) if at is None else address(problem.row - 1, at)
        return replace(
            problem,
            cell=f"{self.name}!{where}",
            say=f"Sheet {self.name}, {where}: {problem.say}",
            say_zh=f"工作表“{self.name}” {where}：{problem.say_zh}",
        )


def read_sheet(content: bytes) -> Sheet:
    """What ``content`` asks for. Problems are told, not raised."""
    grid = read_workbook(content, _TABLE) if is_workbook(content) else read_csv(content)
    if isinstance(grid, Fault):
        return _only(None, grid.say, grid.say_zh)
    if len(grid.lines) < 2:
        return _only(grid.name, "The sheet has no rows.", "表格中没有数据行。")
    places, missing = _places(grid.lines[0])
    if missing:
        english = ", ".join(missing)
        chinese = "、".join(COLUMNS[name] for name in missing)
        say = f"Columns are missing: {english}."
        return _only(grid.name, say, f"缺少列：{chinese}。")
    if len(grid.lines) - 1 > ROWS_MAX:
        return _only(
            grid.name,
            f"The sheet has more than {ROWS_MAX} rows: make several.",
            f"表格超过 {ROWS_MAX} 行：请拆分。",
        )
    return _read_rows(grid, places)


def _read_rows(grid: Grid, places: Mapping[str, int]) -> Sheet:
    rows: list[SheetRow] = []
    problems: list[Problem] = []
    first_of: dict[str, int] = {}
    for row, line in enumerate(grid.lines[1:], 2):
        found = _faults_of(row, grid, places)
        if not found and not any(line):
            continue
        cells = {name: line[at] if at < len(line) else "" for name, at in places.items()}
        found = found or _problems_of(row, cells)
        number = cells["out_biz_no"]
        if number and number in first_of:
            found.append(
                Problem(
                    row,
                    "out_biz_no",
                    f"The number {number} is in row {first_of[number]} already.",
                    f"商户单号 {number} 与第 {first_of[number]} 行重复。",
                )
            )
        first_of.setdefault(number, row)
        if found:
            problems += found
        else:
            rows.append(SheetRow(row, _new(cells)))
    sheet = Sheet(rows, problems[:PROBLEMS_MAX], grid.name, places)
    return replace(sheet, problems=[sheet.placed(problem) for problem in sheet.problems])


def _faults_of(row: int, grid: Grid, places: Mapping[str, int]) -> list[Problem]:
    """Cells of the row that are no text and no number, in columns that are read."""
    faults = [(name, grid.faults.get((row - 1, at))) for name, at in places.items()]
    return [
        Problem(row, name, f"{name}: {fault.say}", f"{COLUMNS[name]}：{fault.say_zh}")
        for name, fault in faults
        if fault is not None
    ]


def _problems_of(row: int, cells: Mapping[str, str]) -> list[Problem]:
    found = [
        Problem(row, name, f"{name} is missing.", f"缺少{COLUMNS[name]}。")
        for name in REQUIRED
        if not cells[name]
    ]
    found += [
        Problem(
            row,
            name,
            f"{name} has more than {most} characters.",
            f"{COLUMNS[name]}超过 {most} 个字符。",
        )
        for name, most in _LENGTHS.items()
        if len(cells.get(name, "")) > most
    ]
    if found:
        return found
    number, payee = cells["out_biz_no"], cells["payee"]
    if _ROUNDED.fullmatch(payee) or _ROUNDED.fullmatch(number):
        return [
            Problem(
                row,
                "payee",
                "The spreadsheet has rounded a long number: format the column as text, enter it again.",
                "长数字已被表格软件改成科学计数法：请将该列设为文本后重新填写。",
            )
        ]
    if _NUMBER.fullmatch(number) is None:
        say = "A number has letters, digits, _ and -, 64 at most."
        found.append(
            Problem(row, "out_biz_no", say, "商户单号只能含字母、数字、_ 和 -，最多 64 位。")
        )
    amount = _amount_of(cells["amount"])
    if amount is None or amount < AMOUNT_MIN:
        say = f"{cells['amount']!r} is no amount that Alipay sends: write 0.10 or more, as 128.00."
        say_zh = f"金额 {cells['amount']!r} 不正确：请填写不低于 0.10 的金额，如 128.00。"
        found.append(Problem(row, "amount", say, say_zh))
    return [*found, *_problems_of_payee(row, cells)]


def _problems_of_payee(row: int, cells: Mapping[str, str]) -> list[Problem]:
    if cells["payee_kind"] not in _KINDS:
        known = "、".join(kind for kind in _KINDS if not kind.isascii())
        say = f"{cells['payee_kind']!r} is no way to name a payee: {', '.join(PayeeKind)}."
        return [Problem(row, "payee_kind", say, f"收款方式应为 {known} 或 open_id。")]
    holder = cells.get("card_holder", "")
    if holder and holder not in _HOLDERS:
        say = f"{holder!r} is no holder of a card: person or company."
        return [Problem(row, "card_holder", say, "银行卡类型应为个人或企业。")]
    try:
        require_payee(_payee_of(cells))
    except Refusal as refusal:
        return [Problem(row, "payee", refusal.detail, refusal.detail_zh)]
    return []


def _payee_of(cells: Mapping[str, str]) -> Payee:
    kind = _KINDS[cells["payee_kind"]]
    holder = _HOLDERS.get(cells.get("card_holder", ""))
    is_card = kind is PayeeKind.BANK_CARD
    return Payee(
        kind=kind,
        identity=cells["payee"].replace(" ", "") if is_card else cells["payee"],
        name=cells.get("name") or None,
        card_holder=(holder or "person") if is_card else None,
        bank_name=(cells.get("bank_name") or None) if is_card else None,
        bank_branch=(cells.get("bank_branch") or None) if is_card else None,
    )


def _new(cells: Mapping[str, str]) -> NewTransfer:
    amount = _amount_of(cells["amount"])
    assert amount is not None
    return NewTransfer(
        out_biz_no=cells["out_biz_no"],
        amount=amount,
        payee=_payee_of(cells),
        title=cells["title"],
        remark=cells.get("remark") or None,
    )


def _amount_of(text: str) -> Money | None:
    """``1,234.50`` too: spreadsheets write it so."""
    whole, point, rest = text.partition(".")
    if "," in whole and re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+", whole) is None:
        return None
    try:
        return Money.parse(f"{whole.replace(',', '')}{point}{rest}")
    except MoneyError:
        return None


def _places(header: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Where each column is, and which of those that must be there are not."""
    places = {_NAMES[text]: at for at, text in enumerate(header) if text in _NAMES}
    return places, [name for name in REQUIRED if name not in places]


def _only(name: str | None, say: str, say_zh: str) -> Sheet:
    sheet = Sheet((), (), name)
    return replace(sheet, problems=(sheet.placed(Problem(1, None, say, say_zh)),))


def as_fields(problem: Problem) -> dict[str, Any]:
    """``problem`` for an answer."""
    return {
        "row": problem.row,
        "column": problem.column,
        "cell": problem.cell,
        "say": problem.say,
        "say_zh": problem.say_zh,
    }
