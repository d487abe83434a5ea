"""Vouchers: whatever was posted, each balances and all together are the trial balance; templates that cannot be
used say why, in both languages."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.money import Money
from daozhang.service.journal.model import Encoding, Grouping, Sum, Template, Value
from daozhang.service.journal.reading import NAMES, read_template, template_of, text_of
from daozhang.service.journal.refusals import TemplateInvalid, TemplateNotFound
from daozhang.service.journal.rules import debits_of, guarded, vouchers_of, write_file
from daozhang.service.ledger.model import Account, EntryKind

START = date(2026, 2, 20)

sums = st.lists(
    st.builds(
        lambda days, kind, accounts, minor: Sum(
            START + timedelta(days=days), kind, accounts[0], accounts[1], Money(minor)
        ),
        st.integers(0, 40),
        st.sampled_from(EntryKind),
        st.permutations(list(Account)),
        st.integers(1, 10**11),
    ),
    max_size=40,
)
templates = st.builds(
    lambda name, group_by: template_of(name).model_copy(update={"group_by": group_by}),
    st.sampled_from(NAMES),
    st.sampled_from(Grouping),
)


def lines_of(template: Template, content: bytes) -> list[dict[Value, str]]:
    """The lines of a file, by what their columns hold."""
    rows = list(csv.reader(io.StringIO(content.decode(template.encoding.value))))
    body = rows[len(template.first_lines) + template.has_heading :]
    held = [column.value for column in template.columns]
    assert all(len(row) == len(held) for row in body)
    return [
        {value: cell for value, cell in zip(held, row, strict=True) if value is not None}
        for row in body
    ]


@given(sums, templates)
def test_every_voucher_balances_and_all_of_them_are_the_trial_balance(
    posted: list[Sum], template: Template
) -> None:
    vouchers = vouchers_of(template, posted)
    for voucher in vouchers:
        sides = Counter[bool]()
        for line in voucher.lines:
            assert line.amount.minor > 0
            sides[line.is_debit] += line.amount.minor
        assert sides[True] == sides[False] > 0
    assert [one.number for one in vouchers] == list(range(1, len(vouchers) + 1))

    trial: Counter[tuple[str, bool]] = Counter()
    for one in posted:
        trial[template.accounts[one.debit].code, True] += one.amount.minor
        trial[template.accounts[one.credit].code, False] += one.amount.minor
    written: Counter[tuple[str, bool]] = Counter()
    of_voucher: Counter[str] = Counter()
    for line in lines_of(template, write_file(template, vouchers)):
        debit, credit = line[Value.DEBIT], line[Value.CREDIT]
        amounts = [amount for amount in (debit, credit) if amount not in ("", "0.00")]
        assert len(amounts) == 1
        assert re.fullmatch(r"[0-9]+\.[0-9]{2}", amounts[0])
        is_debit = amounts[0] == debit
        minor = int(Decimal(amounts[0]) * 100)
        written[line[Value.ACCOUNT_CODE], is_debit] += minor
        of_voucher[line[Value.NUMBER]] += minor if is_debit else -minor
    assert written == trial
    assert not any(of_voucher.values())
    assert debits_of(vouchers).minor == sum(one.amount.minor for one in posted)


@given(sums, st.sampled_from(Grouping))
def test_postings_are_put_together_as_the_template_says(
    posted: list[Sum], group_by: Grouping
) -> None:
    template = template_of("yonyou").model_copy(update={"group_by": group_by})
    days = {one.day.replace(day=1) if group_by.is_monthly else one.day for one in posted}
    groups = {
        (one.day.replace(day=1) if group_by.is_monthly else one.day, one.kind) for one in posted
    }
    wanted = len(groups) if group_by.has_kind else len(days)
    assert len(vouchers_of(template, posted)) == wanted


def one_payment(template: Template) -> str:
    paid = Sum(START, EntryKind.PAYMENT, Account.AVAILABLE, Account.SALES, Money(8888))
    content = write_file(template, vouchers_of(template, [paid]))
    return content.decode(template.encoding.value)


def test_a_file_for_yonyou_is_as_its_tool_reads_it() -> None:
    assert one_payment(template_of("yonyou")) == (
        "填制凭证,V800\r\n"
        "2026-02-20,记,1,0,支付宝收款 2026-02-20,101201,88.88,0.00,,,,\r\n"
        "2026-02-20,记,1,0,支付宝收款 2026-02-20,6001,0.00,88.88,,,,\r\n"
    )


def test_a_file_for_kingdee_has_its_columns() -> None:
    heading, debit, credit, end = one_payment(template_of("kingdee")).split("\r\n")
    assert heading.startswith("凭证日期,会计年度,会计期间,凭证字,凭证号,科目代码,科目名称,币别代码")
    assert len(heading.split(",")) == 37
    assert debit.startswith(
        "2026-02-20,2026,2,记,1,1012.01,其他货币资金-支付宝,RMB,人民币,88.88,88.88,0.00,"
    )
    assert credit.split(",")[5:12] == [
        "6001", "主营业务收入", "RMB", "人民币", "88.88", "0.00", "88.88",
    ]  # fmt: skip
    assert end == ""


@pytest.mark.parametrize("name", NAMES)
def test_each_template_says_what_of_its_layout_nobody_has_verified(name: str) -> None:
    comment = [line for line in text_of(name).splitlines() if line.startswith("#")]
    assert any("未核实" in line for line in comment)
    assert template_of(name).encoding in Encoding


def test_there_is_no_other_template() -> None:
    with pytest.raises(TemplateNotFound, match="yonyou"):
        template_of("../yonyou")


def changed(old: str, new: str) -> str:
    text = text_of("yonyou")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "say", "say_zh"),
    [
        ("title = ", "not TOML", "不是有效的 TOML"),
        ("x" * 40_000, "longer than", "超过"),
        (changed('encoding = "gb18030"', 'encoding = "big5"'), "'big5' is not one of gb18030", "可选"),
        (changed('title = "用友 U8 总账工具"', "title = 8"), "title has to be text", "title：须为带引号的文本"),
        (changed('word = "记"', 'wrod = "记"'), "wrod is not known", "wrod：不认识此项"),
        (changed('nothing = "0.00"', 'nothing = "-"'), "nothing is not allowed so", "nothing：取值"),
        (changed('value = "number"', 'value = "nummer"'), "columns.2.value: 'nummer'", "无效"),
        (changed('value = "number"', 'text = ""'), "No column holds number", "没有 number 列"),
        (changed('value = "credit"', 'text = ""'), "No column holds credit", "没有 credit 列"),
        (changed(', text = "" }', " }"), "columns.8 has either", "columns.8 须且只能"),
        (changed('bank = {', 'bnak = {'), "'bnak' is not one of", "无效"),
        (changed('bank = { code = "1002", name = "银行存款" }\n', ""), "accounts lacks bank", "缺少：bank"),
        (changed('bank = { code = "1002", ', "bank = { "), "accounts.bank.code is missing", "accounts.bank.code：缺少"),
        (changed('fee = "手续费"\n', ""), "kinds lacks fee", "kinds 缺少：fee"),
        (changed('word = "记"', 'word = "=记"'), "word begins like a formula", "公式符号"),
        (changed('code = "6001"', 'code = "@SUM(A1)"'), "accounts.sales.code begins like", "公式符号"),
        (changed('["填制凭证", "V800"]', '["+1"]'), "first_lines.0 begins like", "公式符号"),
        (changed('word = "记"', 'word = "a\\u0007"'), "word has a control character", "控制字符"),
        (changed('date_format = "%Y-%m-%d"', 'date_format = "%c"'), "date_format has", "date_format 须"),
        (changed("支付宝{kind} {day}", "{kind.__class__}"), "summary may name", "summary 中"),
        (changed("支付宝{kind} {day}", "{day:>999999999}"), "summary may name", "summary 中"),
        (changed("支付宝{kind} {day}", "{kind"), "summary may name", "summary 中"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used_says_why(text: str, say: str, say_zh: str) -> None:
    with pytest.raises(TemplateInvalid) as refused:
        read_template(text)
    assert say in refused.value.detail
    assert say_zh in refused.value.detail_zh


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = changed('word = "记"', 'word = "=记"').replace('code = "1002"', 'code = "-1"')
    with pytest.raises(TemplateInvalid) as refused:
        read_template(text)
    faults = refused.value.fields["faults"]
    assert isinstance(faults, list)
    assert [one["where"] for one in faults] == ["word", "accounts.bank.code"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_codes_keep_to_the_letter() -> None:
    assert guarded("101201010101010101") == "101201010101010101"
    assert guarded(Decimal("88.80")) == "88.80"
