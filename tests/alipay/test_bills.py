"""Bills: the layouts that Alipay was seen to give, every oddity of theirs, and their own totals."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daozhang.alipay.bills import (
    AccountLine,
    Bill,
    BillFiles,
    BillKind,
    BillProblem,
    Side,
    Total,
    TradeLine,
    open_bill,
)
from daozhang.alipay.bills.cutting import CHUNK_BYTES
from daozhang.alipay.bills.reading import Counting, day_of
from daozhang.money import Money

SAMPLES = Path(__file__).parent / "data" / "samples"

HEADERS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,"
    "券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
HEAD = (
    "#支付宝业务明细查询\n#账号：[20880211096256330156]\n"
    "#起始日期：[2026年06月05日 00:00:00]   终止日期：[2026年06月06日 00:00:00]\n"
    f"#{'-' * 41}业务明细列表{'-' * 40}\n"
)


def row(number: int, *, subject: str = "明前龙井", receipt: str = "9.90", memo: str = "") -> str:
    refund = receipt.startswith("-")
    return (
        f"20260605220014199314{number:08d}\t,A{number}\t,{'退款' if refund else '交易'}\t,{subject},"
        f"2026-06-05 16:01:34,2026-06-05 16:01:38,S1\t,人民路,一号店\t,\t,T1\t,*小满(138****0000)\t,"
        f"{receipt},{receipt},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{'R1' if refund else ''}\t,-0.06,0.00,{memo}"
    ).replace("人民路,一号店", "人民路一号店")


def footer(payments: str, refunds: str = "0笔，商家实收退款共0.00元，商家优惠退款共0.00元") -> str:
    return (
        f"#{'-' * 41}业务明细列表结束{'-' * 36}\n#交易合计：{payments}\n#退款合计：{refunds}\n"
        "#导出时间：[2026年06月06日 05:46:49]\n"
    )


def text(rows: Sequence[str], end: str, headers: str = HEADERS) -> bytes:
    return (HEAD + headers + "\n" + "".join(f"{one}\n" for one in rows) + end).encode("gb18030")


def zipped(*members: tuple[str, bytes]) -> io.BytesIO:
    """A zip as Alipay makes it: names in GBK, and no flag that says so."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name.encode("gbk").decode("cp437"), content)
    # Python marks such names as UTF-8; Alipay's are bytes of GBK without the mark.
    raw = held.getvalue()
    for name, _ in members:
        wide, plain = name.encode("gbk").decode("cp437").encode(), name.encode("gbk")
        if wide != plain:
            raw = raw.replace(wide, plain + b"_" * (len(wide) - len(plain)))
    raw = raw.replace(b"PK\x03\x04\x14\x00\x00\x08", b"PK\x03\x04\x14\x00\x00\x00")
    raw = raw.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x08", b"PK\x01\x02\x14\x03\x14\x00\x00\x00")
    return io.BytesIO(raw)


def only(files: BillFiles) -> Bill:
    (bill,) = files.details
    return bill


def counted(bill: Bill) -> Counting:
    counting = Counting(bill.kind)
    for line in bill.lines():
        counting.add_line(line)
    return counting


@pytest.mark.parametrize(
    ("name", "kind", "stated"),
    [
        (
            "bill_trade_detail_20190916.gbk.csv",
            BillKind.TRADE,
            {
                Side.PAYMENTS: Total(6, Money(6), Money(0)),
                Side.REFUNDS: Total(4, Money(-4), Money(0)),
            },
        ),
        (
            "bill_trade_detail_20190916.utf8.csv",
            BillKind.TRADE,
            {
                Side.PAYMENTS: Total(6, Money(6), Money(0)),
                Side.REFUNDS: Total(4, Money(-4), Money(0)),
            },
        ),
        (
            "bill_signcustomer_detail_2012_redacted.utf8.csv",
            BillKind.ACCOUNT,
            {Side.INCOME: Total(2, Money(266700)), Side.OUTGO: Total(0, Money(0))},
        ),
        (
            "bill_signcustomer_detail_layout_recent.utf8.csv",
            BillKind.ACCOUNT,
            {Side.INCOME: Total(0, Money(0)), Side.OUTGO: Total(0, Money(0))},
        ),
    ],
)
def test_captured_bills_are_read_with_their_totals(
    name: str, kind: BillKind, stated: dict[Side, Total]
) -> None:
    with open_bill(SAMPLES / name) as files:
        bill = only(files)
        assert bill.kind is kind
        assert bill.layout.new == []
        assert bill.differences(counted(bill).totals()) == []
        assert bill.stated == stated


def test_a_line_means_what_it_says() -> None:
    with open_bill(SAMPLES / "bill_trade_detail_20190916.gbk.csv") as files:
        bill = only(files)
        paid, refunded, *_ = bill.lines()
        assert day_of(bill.head) == date(2019, 9, 16)
        assert bill.head.account == "20880211096256330156"
    assert isinstance(paid, TradeLine)
    assert isinstance(refunded, TradeLine)
    assert paid.number == 6
    assert paid.trade_no == "2019091622001458860515315453"
    assert paid.out_trade_no == "service_1568601259302"
    assert paid.subject == "下单测试"
    assert paid.completed_at == datetime(2019, 9, 16, 2, 55, 23, tzinfo=UTC)
    assert (paid.is_refund, paid.receipt, paid.out_request_no) == (False, Money(1), "")
    assert (refunded.is_refund, refunded.receipt) == (True, Money(-1))
    assert refunded.out_request_no == "re_test_1568602607356"
    assert paid.other_account == "*津水(602***@qq.com)"
    with open_bill(SAMPLES / "bill_signcustomer_detail_2012_redacted.utf8.csv") as files:
        first, _ = only(files).lines()
    assert isinstance(first, AccountLine)
    assert (first.account_log_id, first.amount) == ("54632446537371", Money(227400))
    assert (first.business, first.balance) == ("在线支付", Money(1453303))


def test_summaries_are_known_for_what_they_are() -> None:
    with open_bill(SAMPLES / "bill_trade_summary_layout_constructed.utf8.csv") as files:
        assert [bill.kind for bill in files.bills] == [BillKind.TRADE_SUMMARY]
        assert files.details == []
    with open_bill(SAMPLES / "bill_signcustomer_summary_layout.utf8.csv") as files:
        assert [bill.kind for bill in files.bills] == [BillKind.ACCOUNT_SUMMARY]


def test_the_zip_of_alipay_with_names_in_gbk(tmp_path: Path) -> None:
    content = text([row(1)], footer("1笔，商家实收共9.90元，商家优惠共0.00元"))
    summary = (SAMPLES / "bill_trade_summary_layout_constructed.utf8.csv").read_bytes()
    file = zipped(
        ("20880211096256330156_20260605_业务明细.csv", content),
        ("20880211096256330156_20260605_业务明细(汇总).csv", summary),
        ("说明.txt", "附注".encode("gbk")),
    )
    with open_bill(file, "bill.zip") as files:
        assert [bill.kind for bill in files.bills] == [BillKind.TRADE_SUMMARY, BillKind.TRADE]
        assert only(files).name.startswith("20880211096256330156_20260605_业务明细.csv")
        assert len(files.others) == 1
        assert files.others[0].startswith("说明.txt")
    path = tmp_path / "bill.zip"
    path.write_bytes(file.getvalue())
    with open_bill(path) as files:
        assert [line.number for line in only(files).lines()] == [6]


def test_lines_may_end_as_they_like_and_texts_may_have_commas_in_them() -> None:
    rows = [
        row(1, subject="茶,壶 2 件", memo="送礼,请包装"),
        row(2, subject='"a ""quoted"" one, too"'),
        row(3, receipt="-9.90"),
    ]
    end = footer(
        "2笔，商家实收共19.80元，商家优惠共0.00元",
        "1笔，商家实收退款共-9.90元，商家优惠退款共0.00元",
    )
    for raw in (text(rows, end), text(rows, end).replace(b"\n", b"\r\n")):
        with open_bill(io.BytesIO(raw), "bill.csv") as files:
            bill = only(files)
            lines = [line for line in bill.lines() if isinstance(line, TradeLine)]
            assert [line.subject for line in lines] == [
                "茶,壶 2 件", 'a "quoted" one, too', "明前龙井",
            ]  # fmt: skip
            assert lines[0].memo == "送礼,请包装"
            assert [line.receipt for line in lines] == [Money(990), Money(990), Money(-990)]
            assert bill.differences(counted(bill).totals()) == []


def test_columns_are_found_by_name_and_new_ones_are_kept() -> None:
    other = HEADERS.replace("（", "(").replace("）", ")").split(",")
    order = [*range(10, 25), *range(10)]
    headers = ",".join([other[i] for i in order] + ["新优惠（元）"])
    cells = row(1).split(",")
    line = ",".join([cells[i] for i in order] + ["0.10"])
    raw = text([line], footer("1笔，商家实收共9.90元，商家优惠共0.00元"), headers)
    with open_bill(io.BytesIO(raw), "bill.csv") as files:
        bill = only(files)
        (found,) = bill.lines()
        assert isinstance(found, TradeLine)
        assert (found.out_trade_no, found.total, found.fee) == ("A1", Money(990), Money(-6))
        assert bill.layout.new == ["新优惠（元）"]
        assert found.more["新优惠（元）"] == "0.10"


def test_a_missing_column_is_said_with_its_name() -> None:
    raw = text([], footer("0笔，商家实收共0.00元"), HEADERS.replace("商家实收（元）,", ""))
    with (
        open_bill(io.BytesIO(raw), "bill.csv") as files,
        pytest.raises(BillProblem, match=r"商家实收 are missing.*bill\.csv, line 5") as caught,
    ):
        _ = only(files).layout
    assert "缺少列：商家实收" in caught.value.say_zh


def test_what_is_no_bill_is_refused() -> None:
    page = "<html>此链接已失效</html>".encode("gbk")
    with (
        open_bill(io.BytesIO(page), "page") as files,
        pytest.raises(BillProblem, match="no bill of Alipay's"),
    ):
        _ = files.bills[0].kind
    broken = zipped(("a.csv", b"#x")).getvalue()
    with pytest.raises(BillProblem, match=r"holds: a\.csv"), open_bill(io.BytesIO(broken)):
        pass
    packed = bytearray(
        zipped(("a.csv", "#支付宝业务明细查询\n".encode("gb18030") + b"x" * 5000)).getvalue()
    )
    begins = packed.index(b"a.csv") + len("a.csv")
    packed[begins : begins + 8] = b"\xff" * 8  # no zip packs bytes so
    with (
        pytest.raises(BillProblem, match="The zip cannot be read"),
        open_bill(io.BytesIO(packed)),
    ):
        pass
    with (
        pytest.raises(BillProblem, match="members"),
        open_bill(zipped(*((f"{n}.csv", b"") for n in range(201)))),
    ):
        pass


@pytest.mark.parametrize(
    "line",
    ["2026060522001419931400000001\t,A1\t,交易", row(1).replace("9.90,9.90", "9.90,9,90x")],
)
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    raw = text([row(2), line], footer("2笔，商家实收共19.80元，商家优惠共0.00元"))
    with (
        open_bill(io.BytesIO(raw), "bill.csv") as files,
        pytest.raises(BillProblem) as caught,
    ):
        list(only(files).lines())
    assert (caught.value.line, caught.value.member) == (7, "bill.csv")


def test_totals_that_differ_or_are_missing_are_told() -> None:
    wrong = text([row(1)], footer("1笔，商家实收共9.91元，商家优惠共0.00元"))
    with open_bill(io.BytesIO(wrong), "bill.csv") as files:
        bill = only(files)
        (difference,) = bill.differences(counted(bill).totals())
    assert difference.say == (
        "payments: the file states 1 × 9.91 / 0.00, its lines are 1 × 9.90 / 0.00"
    )
    cut_off = text([row(1)], "")
    with open_bill(io.BytesIO(cut_off), "bill.csv") as files:
        bill = only(files)
        found = bill.differences(counted(bill).totals())
    assert [one.say for one in found] == [
        "payments: the file states no total", "refunds: the file states no total",
    ]  # fmt: skip


@settings(max_examples=60)
@given(
    subjects=st.lists(
        st.text(st.characters(codec="gb18030", exclude_characters='\t\r\n"'), max_size=40).map(
            lambda text: text.strip() or "x"
        ),
        min_size=1,
        max_size=8,
    ),
    padding=st.integers(0, 3),
)
def test_whatever_a_subject_holds_its_numbers_are_read(subjects: list[str], padding: int) -> None:
    rows = [row(number, subject=subject) for number, subject in enumerate(subjects)]
    # Some of the lines lie across the border between two chunks.
    memo = "备" * ((CHUNK_BYTES // 2 - 500) if padding == 3 else padding)
    rows.insert(0, row(999, memo="m")[:-1] + memo[:20000])
    total = f"{(len(rows) * 990) // 100}.{(len(rows) * 990) % 100:02d}"
    raw = text(rows, footer(f"{len(rows)}笔，商家实收共{total}元，商家优惠共0.00元"))
    with open_bill(io.BytesIO(raw), "bill.csv") as files:
        bill = only(files)
        fields = ("out_trade_no", "receipt", "share", "business")
        cut = [cells for _, columns in bill.columns(fields) for cells in zip(*columns, strict=True)]
        assert [number for number, *_ in cut] == [
            b"A999", *(f"A{n}".encode() for n in range(len(subjects))),
        ]  # fmt: skip
        assert {amount for _, amount, *_ in cut} == {b"9.90"}
        assert bill.differences(counted(bill).totals()) == []


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_blank_lines_are_no_lines_however_many_stand_together(newline: bytes) -> None:
    blank = [""] * (2 * CHUNK_BYTES)
    raw = text(
        [row(1), *blank, row(2), *blank], footer("2笔，商家实收共19.80元，商家优惠共0.00元")
    ).replace(b"\n", newline)
    for source in (io.BytesIO(raw), zipped(("a.csv", raw))):
        with open_bill(source, "bill") as files:
            bill = only(files)
            batches = [numbers for numbers, _ in bill.columns(("out_trade_no",))]
            assert [[*numbers] for numbers in batches] == [[6], [7 + len(blank)]]
            assert bill.differences(counted(bill).totals()) == []


@settings(max_examples=25)
@given(
    shapes=st.lists(
        st.sampled_from(["plain", "#1 tea", "tea, green", '"tea, black"', "blank"]),
        min_size=1,
        max_size=6,
    ),
    newline=st.sampled_from(["\n", "\r\n"]),
    copies=st.sampled_from([1, 1500]),
)
def test_columns_are_what_lines_are(shapes: list[str], newline: str, copies: int) -> None:
    """Whichever way a text was cut: in one go, or line by line; across chunks, with blank lines."""
    shapes = shapes * copies + ["plain"]
    rows = [
        "" if shape == "blank" else row(number, subject=shape)
        for number, shape in enumerate(shapes)
    ]
    raw = text(rows, footer("1笔，商家实收共9.90元，商家优惠共0.00元"))
    raw = raw.replace(b"\n", newline.encode())
    with open_bill(io.BytesIO(raw), "bill.csv") as files:
        bill = only(files)
        fields = ("out_trade_no", "subject", "memo")
        cut = [
            (number, *map(bill.text, cells))
            for numbers, columns in bill.columns(fields)
            for number, cells in zip(numbers, zip(*columns, strict=True), strict=True)
        ]
        assert cut == [
            (line.number, line.out_trade_no, line.subject, line.memo) for line in bill.lines()
        ]
    first = (HEAD + HEADERS).count("\n") + 2
    assert [(number, name) for number, name, *_ in cut] == [
        (first + place, f"A{place}") for place, shape in enumerate(shapes) if shape != "blank"
    ]


def test_what_would_unpack_to_too_much_is_refused_unread() -> None:
    """Three texts of almost four gigabytes each, as their zip says."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.csv", b"#")
    content = bytearray(packed.getvalue())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 24 : at + 28] = (0xF000_0000).to_bytes(4, "little")
    with (
        pytest.raises(BillProblem, match="12079595520 bytes; 8589934592 are the limit"),
        open_bill(io.BytesIO(content), "bomb.zip"),
    ):
        pass
