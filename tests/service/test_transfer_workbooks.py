"""Sheets of transfers as workbooks: what a cell says exactly, or a refusal with its address."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.money import Money
from daozhang.service.sheets import workbooks
from daozhang.service.sheets.workbooks import address
from daozhang.service.transfers.sheets import COLUMNS, ROWS_MAX, Problem, read_sheet
from daozhang.service.transfers.templates import EXAMPLES, workbook_template
from making_workbooks import workbook

HEADER = ("商户单号", "收款方式", "收款账号", "金额", "标题")
ALIPAY = "支付宝用户号"


def row(number: str = "W-1", amount: Any = 10.0, payee: Any = "2088000000000001") -> list[Any]:
    return [number, ALIPAY, payee, amount, "三月佣金"]


def read(*rows: Sequence[Any]) -> Any:
    return read_sheet(workbook({"三月": [HEADER, *rows]}))


def only_problem(content: bytes) -> Problem:
    found = read_sheet(content)
    assert found.rows == ()
    (problem,) = found.problems
    assert problem.row == 1
    return problem


def repacked(content: bytes, change: Mapping[str, bytes]) -> bytes:
    """A workbook of which some parts are others."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in {*old.namelist(), *change}:
            new.writestr(name, change[name] if name in change else old.read(name))
    return held.getvalue()


def part(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


SHEET = "xl/worksheets/sheet1.xml"


@given(st.integers(10, 10**11))
def test_an_amount_is_what_the_cell_says_to_the_fen(minor: int) -> None:
    """Spreadsheets keep numbers as binary fractions: the one that was entered is found again."""
    entered = float(f"{minor // 100}.{minor % 100:02d}")
    text = workbooks._number(entered)  # pyright: ignore[reportPrivateUsage]
    assert isinstance(text, str)
    assert Money.parse(text).minor == minor
    # Excel writes seventeen digits.
    assert workbooks._number(float(f"{entered:.17g}")) == text  # pyright: ignore[reportPrivateUsage]


def test_numbers_and_texts_are_read_and_empty_rows_left_out() -> None:
    sheet = [
        [*HEADER, "收款人姓名"],
        row("W-1", 128.1),
        [],
        row("W-2", "1,234.50", "2088000000000001\t"),
        [None] * 6 + ["a note beside the table"],
        [20260001, "支付宝账号", 13800138000, 66, 202603, "张小明"],
    ]
    found = read_sheet(workbook({"三月": sheet}))
    assert [(one.row, str(one.new.amount)) for one in found.rows] == [
        (2, "128.10"),
        (4, "1234.50"),
        (6, "66.00"),
    ]
    last = found.rows[-1].new
    assert (last.out_biz_no, last.payee.identity) == ("20260001", "13800138000")
    assert (last.title, last.payee.name) == ("202603", "张小明")
    # The row of the note has nothing of a transfer, and each of its cells says so.
    assert {(one.row, one.cell) for one in found.problems} == {
        (5, f"三月!{letter}5") for letter in "ABCDE"
    }


@pytest.mark.parametrize(
    ("cells", "column", "cell", "said", "said_zh"),
    [
        (row(amount=10.005), "amount", "D2", "'10.005' is no amount", "'10.005' 不正确"),
        (row(amount="=1+1"), "amount", "D2", "it is a formula", "金额：是公式"),
        (row(amount="=1/0"), "amount", "D2", "it is a formula", "是公式"),
        (row(amount=True), "amount", "D2", "neither text nor a number", "既不是文本也不是数字"),
        (row(amount=date(2026, 3, 1)), "amount", "D2", "neither text nor", "既不是文本"),
        (row(amount=1e15), "amount", "D2", "keeps 15 digits", "只保留 15 位"),
        (row(amount=-5), "amount", "D2", "'-5' is no amount", "'-5' 不正确"),
        (row(amount=None), "amount", "D2", "amount is missing", "缺少金额"),
        (row(payee=2088000000000001), "payee", "C2", "keeps 15 digits", "请将该列设为文本"),
        (row(payee="2088"), "payee", "C2", "2088", "2088"),
        (row(number="=A1"), "out_biz_no", "A2", "it is a formula", "商户单号：是公式"),
        (
            ["W-1", ALIPAY, "2088000000000001", 10, date(2026, 3, 1)],
            "title",
            "E2",
            "a date",
            "日期",
        ),
    ],
)
def test_what_is_not_exact_is_refused_with_its_address(
    cells: list[Any], column: str, cell: str, said: str, said_zh: str
) -> None:
    found = read(cells)
    assert found.rows == []
    (problem,) = found.problems
    assert (problem.row, problem.column, problem.cell) == (2, column, f"三月!{cell}")
    assert problem.say.startswith(f"Sheet 三月, {cell}: ")
    assert problem.say_zh.startswith(f"工作表“三月” {cell}：")
    assert said in problem.say
    assert said_zh in problem.say_zh


def test_a_number_that_was_calculated_is_no_amount() -> None:
    content = workbook({"三月": [HEADER, row(amount=0.3)]})
    assert len(read_sheet(content).rows) == 1
    calculated = part(content, SHEET).replace(b"<v>0.3</v>", b"<v>0.30000000000000004</v>")
    (problem,) = read_sheet(repacked(content, {SHEET: calculated})).problems
    assert (problem.cell, "'0.30000000000000004' is no amount" in problem.say) == ("三月!D2", True)


def test_a_formula_beside_the_columns_that_are_read_is_left_alone() -> None:
    content = workbook({"三月": [[*HEADER, "合计"], [*row(), "=SUM(D2:D9)"]]})
    found = read_sheet(content)
    assert (len(found.rows), found.problems) == (1, [])


def test_the_sheet_with_the_transfers_is_found_and_two_are_refused() -> None:
    notes = [["for the files"], ["see March"]]
    content = workbook({"说明": notes, "三月": [HEADER, row()]})
    assert len(read_sheet(content).rows) == 1
    problem = only_problem(workbook({"三月": [HEADER, row()], "四月": [HEADER, row("W-2")]}))
    assert "三月, 四月" in problem.say
    assert "请只保留一个" in problem.say_zh
    problem = only_problem(workbook({"三月": [HEADER[:4], row()]}))
    assert (problem.say, problem.cell) == ("Sheet 三月, 1: Columns are missing: title.", "三月!1")
    assert "no rows" in only_problem(workbook({"三月": [HEADER]})).say
    assert "Columns are missing" in only_problem(workbook({"说明": notes})).say
    assert "no rows" in only_problem(workbook({"空": []})).say


def test_no_row_is_left_out_however_far_down_it_stands() -> None:
    rows = [row(f"W-{number}") for number in range(ROWS_MAX)]
    assert len(read(*rows).rows) == ROWS_MAX
    for gap in (0, 5000):
        problem = only_problem(workbook({"三月": [HEADER, *rows, *[[]] * gap, row("W-LAST")]}))
        assert f"more than {ROWS_MAX} rows" in problem.say
    far = read(*[[]] * (ROWS_MAX - 1), row("W-FAR"))
    assert [one.row for one in far.rows] == [ROWS_MAX + 1]


def test_a_file_that_unpacks_to_too_much_is_not_unpacked() -> None:
    content = workbook({"三月": [HEADER, row()]})
    bomb = repacked(content, {"xl/media/image1.png": b"\0" * (workbooks.UNPACKED_BYTES_MAX + 1)})
    assert len(bomb) < 100_000
    assert "too large" in only_problem(bomb).say
    many = repacked(content, {f"xl/media/{number}": b"" for number in range(workbooks.PARTS_MAX)})
    assert "too large" in only_problem(many).say
    sheets = {f"S{number}": [["x"]] for number in range(workbooks.SHEETS_MAX + 1)}
    assert "too large" in only_problem(workbook(sheets)).say


def test_entities_are_not_expanded_and_rows_without_end_are_not_counted() -> None:
    content = workbook({"三月": [HEADER, row()]})
    sheet = part(content, SHEET)
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    evil = sheet.replace(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', laughs)
    assert evil != sheet
    assert "cannot be read" in only_problem(repacked(content, {SHEET: evil})).say
    endless = sheet.replace(b'<row r="2"', b'<row r="99999999999"')
    assert endless != sheet
    assert "cannot be read" in only_problem(repacked(content, {SHEET: endless})).say


def test_old_and_broken_workbooks_are_told_apart() -> None:
    old = only_problem(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert "(.xls)" in old.say
    assert "加密" in old.say_zh
    assert "cannot be read" in only_problem(b"PK\x03\x04\0\0").say
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("photo.jpg", b"\xff\xd8")
    assert "cannot be read" in only_problem(held.getvalue()).say


GOOD = workbook({"三月": [HEADER, row(), row("W-2", 20)]})
NAMES = sorted(zipfile.ZipFile(io.BytesIO(GOOD)).namelist())


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")  # it says so, and goes on
@given(st.sampled_from(NAMES), st.data())
def test_a_damaged_part_is_a_problem_and_never_a_crash(name: str, data: st.DataObject) -> None:
    whole = part(GOOD, name)
    at = data.draw(st.integers(0, len(whole)))
    much = data.draw(st.integers(0, 40))
    damaged = whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + much :]
    found = read_sheet(repacked(GOOD, {name: damaged}))
    assert found.rows or found.problems


def test_the_template_is_a_sheet_without_problems() -> None:
    found = read_sheet(workbook_template())
    assert (len(found.rows), found.problems) == (len(EXAMPLES), [])
    assert list(found.places) == list(COLUMNS)
    assert [str(one.new.amount) for one in found.rows] == ["128.00", "66.60", "2000.00"]


@pytest.mark.parametrize(
    ("line", "place", "named"),
    [(0, 0, "A1"), (4, 25, "Z5"), (4, 26, "AA5"), (9, 701, "ZZ10"), (0, 702, "AAA1")],
)
def test_cells_are_called_as_spreadsheets_call_them(line: int, place: int, named: str) -> None:
    assert address(line, place) == named
