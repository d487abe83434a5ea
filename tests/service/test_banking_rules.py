"""Bank statements read, and withdrawals matched: nothing twice, and the same on both sides."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.service.banking.model import BankLine, Withdrawal
from daozhang.service.banking.refusals import StatementUnreadable
from daozhang.service.banking.rules import WINDOW_DAYS, suggest
from daozhang.service.banking.statements import columns_of, read_statement
from making_workbooks import workbook

FIRST = date(2026, 3, 2)
KNOWN = columns_of(None, None, None, None)
ALIPAY = "支付宝(中国)网络技术有限公司"


def sheet(rows: list[list[str]], encoding: str = "utf-8-sig") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_what_alipay_sent_is_read_from_below_the_banks_own_words(encoding: str) -> None:
    content = sheet(
        [
            ["某某银行 账户明细"],
            ["账号", "6222****0001", "币种", "人民币"],
            ["交易日期", "贷方发生额", "借方发生额", "对方户名", "摘要"],
            ["2026-03-03", "1,500.00", "", ALIPAY, "提现 001"],
            ["20260303", "", "88.00", "房东", "房租"],
            ["2026/3/4 10:22:33", "￥", "", ALIPAY, ""],
            ["2026年03月04日", "200.00", "-", ALIPAY, "提现 002"],
            ["2026-03-04", "999.00", "", "一位客户", "货款"],
            ["合计", "2,699.00", "88.00"],
        ],
        encoding,
    )
    content = content.replace("￥".encode(encoding.removesuffix("-sig")), b"-")
    found = read_statement(content, KNOWN)
    assert [(line.day, line.minor, line.reference) for line in found.lines] == [
        (date(2026, 3, 3), 150_000, "提现 001"),
        (date(2026, 3, 4), 20_000, "提现 002"),
    ]
    assert found.skipped_count == 3


def test_columns_can_be_named_and_the_same_twice_is_two() -> None:
    rows = [["Tag", "Betrag", "Text"], *[["2026-03-03", "5.00", "x"]] * 2]
    with pytest.raises(StatementUnreadable) as refused:
        read_statement(sheet(rows), KNOWN)
    assert "未找到日期列" in refused.value.detail_zh
    columns = columns_of("tag", "BETRAG", None, "Text")
    twice = read_statement(sheet(rows), columns).lines
    assert len({line.fingerprint for line in twice}) == 2
    thrice = read_statement(sheet([*rows, rows[1]]), columns).lines
    assert [one.fingerprint for one in thrice[:2]] == [one.fingerprint for one in twice]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["2026-02-30", "5.00"], "no day"),
        (["03.03.2026", "5.00"], "no day"),
        (["2026-03-03", "5.001"], "no amount"),
        (["2026-03-03", "1,50.00"], "no amount"),
        (["2026-03-03", "1e3"], "no amount"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(row: list[str], said: str) -> None:
    with pytest.raises(StatementUnreadable, match=said) as refused:
        read_statement(sheet([["date", "amount"], ["2026-03-02", "1.00"], row]), KNOWN)
    assert refused.value.fields["line"] == 3


def test_lines_end_as_any_spreadsheet_ends_them_and_a_quote_that_stays_open_is_said() -> None:
    rows = [["交易日期", "贷方发生额", "对方户名"], ["2026-03-03", "5.00", ALIPAY]]
    content = sheet(rows)
    for ends in (b"\n", b"\r"):
        (line,) = read_statement(content.replace(b"\r\n", ends), KNOWN).lines
        assert line.minor == 500
    with pytest.raises(StatementUnreadable) as refused:
        read_statement(content + b'2026-03-03,"' + b"5" * 200_000, KNOWN)
    assert "引号" in refused.value.detail_zh


WORDS = [["某某银行 账户明细"], ["账号", "6222****0001"]]
NAMES = ["交易日期", "贷方发生额", "对方户名", "流水号"]


def test_a_workbook_says_the_same_as_its_csv() -> None:
    written = [
        ["2026-03-03", "1,500.00", ALIPAY, "0001"],
        ["20260304", "200", ALIPAY, "0002"],
        ["2026-03-05 10:22:33", "0.5", ALIPAY, "0003"],
        ["2026-03-05", "999.00", "一位客户", "0004"],
        ["合计", "2,699.50"],
    ]
    typed = [
        [date(2026, 3, 3), 1500, ALIPAY, "0001"],
        [20260304, 200.0, ALIPAY, "0002"],
        [datetime(2026, 3, 5, 10, 22, 33), 0.5, ALIPAY, "0003"],  # noqa: DTZ001 a sheet knows no zones
        ["2026-03-05", "999.00", "一位客户", "0004"],
        ["合计", "=SUM(B4:B7)"],
    ]
    from_csv = read_statement(sheet([*WORDS, NAMES, *written]), KNOWN)
    # The sheet with the table need not be the first, nor the table its first line.
    sheets = {"封面": [["某某银行"]], "明细": [*WORDS, [], NAMES, *typed]}
    from_workbook = read_statement(workbook(sheets), KNOWN)
    assert from_workbook == from_csv
    assert [line.minor for line in from_csv.lines] == [150_000, 20_000, 50]
    assert from_csv.skipped_count == 1


@pytest.mark.parametrize(
    ("row", "cell", "said"),
    [
        (["=TODAY()", 5, ALIPAY, "1"], "A4", "formula"),
        (["2026-03-03", "=2+3", ALIPAY, "1"], "B4", "formula"),
        (["2026-03-03", True, ALIPAY, "1"], "B4", "neither text nor a number"),
        (["2026-03-03", 5, ALIPAY, 1e16], "D4", "15 digits"),
    ],
)
def test_a_cell_of_a_workbook_that_cannot_be_read_is_named(
    row: list[Any], cell: str, said: str
) -> None:
    with pytest.raises(StatementUnreadable, match=said) as refused:
        read_statement(workbook({"明细": [*WORDS, NAMES, row]}), KNOWN)
    assert refused.value.fields == {"line": 4, "cell": f"明细!{cell}"}
    assert f"明细!{cell}" in refused.value.detail
    assert f"明细!{cell}" in refused.value.detail_zh


def test_a_workbook_that_is_none_or_has_the_table_twice_is_refused_whole() -> None:
    twice = {"一": [NAMES], "二": [NAMES]}
    for content, said in (
        (b"PK\x03\x04\0\0\xff\xff", "save it again as XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old workbook"),
        (workbook(twice), "Several sheets"),
        (b"\0\0", "no XLSX, and no CSV"),
    ):
        with pytest.raises(StatementUnreadable, match=said) as refused:
            read_statement(content, KNOWN)
        assert refused.value.fields["line"] is None
        assert not refused.value.detail.count("..")
    with pytest.raises(StatementUnreadable, match="no line names a column"):
        read_statement(workbook({"明细": [["日期"], ["2026-03-03"]]}), KNOWN)


def line(number: int, day: int, minor: int, *, is_free: bool = True) -> BankLine:
    return BankLine(number, f"bl_{number}", FIRST + timedelta(days=day), minor, ALIPAY, "", is_free)


def withdrawal(day: int, minor: int, matched: int = 0) -> Withdrawal:
    return Withdrawal(FIRST + timedelta(days=day), minor, matched)


@pytest.mark.parametrize(
    ("withdrawals", "lines", "expected"),
    [
        # one for one, the older line first
        ([(0, 500)], [(1, 2, 500), (2, 1, 500)], [([0], [2])]),
        # several of a day come to it
        ([(0, 500)], [(1, 1, 200), (2, 1, 300), (3, 2, 400)], [([0], [1, 2])]),
        # a part came back later, and the rest arrived
        ([(0, 500), (1, -200)], [(1, 1, 300)], [([0, 1], [1])]),
        # all of it came back
        ([(0, 500), (1, -500)], [], [([0, 1], [])]),
        # before it left, and long after it, is something else
        ([(1, 500)], [(1, 0, 500), (2, 2 + WINDOW_DAYS, 500)], []),
        # the same amount on two days: each has its own
        ([(0, 500), (1, 500)], [(1, 1, 500), (2, 1, 500)], [([0], [1]), ([1], [2])]),
        ([(0, 500)], [(1, 1, 499)], []),
    ],
)
def test_what_belongs_together(
    withdrawals: list[tuple[int, int]],
    lines: list[tuple[int, int, int]],
    expected: list[tuple[list[int], list[int]]],
) -> None:
    found = suggest([withdrawal(*one) for one in withdrawals], [line(*one) for one in lines])
    assert [
        ([(day - FIRST).days for day in one.days], [each.id for each in one.lines]) for one in found
    ] == expected


small = st.integers(1, 6)


@given(
    st.lists(
        st.builds(withdrawal, st.integers(0, 9), st.integers(-6, 9), st.integers(0, 3)),
        unique_by=lambda one: one.day,
    ),
    st.lists(st.tuples(st.integers(0, 12), small, st.booleans()), max_size=8),
)
def test_no_day_and_no_line_is_suggested_twice_and_both_sides_are_the_same(
    withdrawals: list[Withdrawal], given_lines: list[tuple[int, int, bool]]
) -> None:
    lines = [
        line(number, day, minor, is_free=free)
        for number, (day, minor, free) in enumerate(given_lines)
    ]
    found = suggest(withdrawals, lines)
    open_of = {one.day: one.open_minor for one in withdrawals}
    days = [day for one in found for day in one.days]
    used = [each for one in found for each in one.lines]
    assert len(days) == len(set(days))
    assert len(used) == len({one.id for one in used})
    assert all(one.is_free for one in used)
    assert all(open_of[day] for day in days)
    for one in found:
        assert sum(open_of[day] for day in one.days) == one.minor
        assert sum(each.minor for each in one.lines) == one.minor
        until = one.days[0] + timedelta(days=WINDOW_DAYS)
        assert all(one.days[0] <= each.day <= until for each in one.lines)
