"""Bills of this Alipay: when there is one, what it says, how it looks to the byte, and every oddity."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from daozhang.alipay.bills import AccountLine, BillProblem, TradeLine, open_bill
from daozhang.alipay.bills.reading import Counting
from daozhang.clock import BEIJING
from daozhang.emulator.bill_sums import account_totals, flow_row
from daozhang.emulator.bill_text import (
    ACCOUNT_HEADERS,
    ACCOUNT_SUMMARY_HEADERS,
    TRADE_HEADERS,
    TRADE_HEADERS_29,
    Sheet,
    text_of,
    trade_footer,
)
from daozhang.emulator.oddities import Oddity, OddityName
from daozhang.emulator.settlement import settled_at
from daozhang.money import Money
from emulator.place import Place
from emulator.test_rest import call as call_v3
from emulator.test_trades import REFUND, sub_code

BILL = "alipay.data.dataservice.bill.downloadurl.query"
BALANCE = "alipay.data.bill.balance.query"
OF_DAY = "alipay.data.bill.balancehis.query"
LOG = "alipay.data.bill.accountlog.query"
NINE = timedelta(hours=24)
"""Tests begin at nine in the morning in Beijing: a day later the bill is there."""

SAMPLE = (
    Path(__file__).parents[1] / "alipay" / "data" / "samples" / "bill_trade_detail_20190916.gbk.csv"
)


@pytest.fixture(autouse=True)
def day(place: Place) -> date:
    """A day of its own for each test, at nine in the morning."""
    now = place.clock.now().astimezone(BEIJING)
    nine = datetime.combine(now.date() + timedelta(days=1), time(9), BEIJING)
    place.emulator.advance((nine - now).total_seconds())
    return nine.date()


def paid(place: Place, number: str, amount: str = "100.00", **terms: Any) -> str:
    place.merchant.open_page(number, amount, **terms)
    return place.emulator.pay(number).trade_no


def refund(place: Place, number: str, amount: str, out_request_no: str) -> None:
    terms = {"out_trade_no": number, "refund_amount": amount, "out_request_no": out_request_no}
    assert place.merchant.call(REFUND, terms)["code"] == "10000"


def fetch(place: Place, day: date | str, kind: str = "trade") -> bytes:
    node = place.merchant.call(BILL, {"bill_type": kind, "bill_date": str(day)})
    assert node["code"] == "10000", node
    return place.http.get(node["bill_download_url"]).content


def lines_of(content: bytes) -> list[TradeLine | AccountLine]:
    found: list[TradeLine | AccountLine] = []
    with open_bill(io.BytesIO(content), "bill.zip") as files:
        for bill in files.details:
            counting = Counting(bill.kind)
            for line in bill.lines():
                counting.add_line(line)
                found.append(line)
            assert bill.differences(counting.totals()) == []
    return found


def test_a_text_is_the_captured_one_to_the_byte() -> None:
    raw = SAMPLE.read_bytes()
    lines = raw.decode("gb18030").splitlines()
    rows = [
        dict(zip(TRADE_HEADERS, (cell.rstrip("\t") for cell in line.split(",")), strict=True))
        for line in lines[5:15]
    ]
    nothing = Money(0)
    sheet = Sheet(
        kind="trade",
        account="20880211096256330156",
        since=datetime(2019, 9, 16, tzinfo=BEIJING),
        until=datetime(2019, 9, 17, tzinfo=BEIJING),
        made_at=datetime(2019, 9, 17, 5, 46, 49, tzinfo=BEIJING),
        headers=TRADE_HEADERS,
        rows=rows,
        footer=trade_footer(6, Money(6), nothing, (4, Money(-4), nothing)),
    )
    assert text_of(sheet) == raw


@pytest.mark.parametrize(
    ("sample", "kind", "headers", "rows"),
    [
        ("bill_signcustomer_detail_layout_recent", "signcustomer", ACCOUNT_HEADERS, []),
        ("bill_signcustomer_summary_layout", "signcustomer", ACCOUNT_SUMMARY_HEADERS, [flow_row("合计", [])]),
    ],
)  # fmt: skip
def test_an_empty_account_bill_is_as_the_samples(
    sample: str, kind: str, headers: tuple[str, ...], rows: list[dict[str, str]]
) -> None:
    sheet = Sheet(
        kind=kind,
        account="2088XXXXXXXXXXXX0156",
        since=datetime(2026, 5, 8, tzinfo=BEIJING),
        until=datetime(2026, 5, 9, tzinfo=BEIJING),
        made_at=datetime(2026, 5, 9, 12, 51, 6, tzinfo=BEIJING),
        headers=headers,
        rows=rows,
        footer=[] if rows else account_totals([]),
        is_summary=bool(rows),
    )
    told = (SAMPLE.parent / f"{sample}.utf8.csv").read_text("utf-8")
    assert text_of(sheet).decode("gb18030") == told


def test_the_wide_bill_has_twenty_nine_columns() -> None:
    assert len(TRADE_HEADERS_29) == 29
    assert [TRADE_HEADERS_29[n] for n in (23, 24, 25)] == [
        "实收净额（元）",
        "商户识别号",
        "交易方式",
    ]


def test_a_day_has_its_bill_from_nine_in_the_next_morning(place: Place, day: date) -> None:
    paid(place, "B-1")
    asked = {"bill_type": "trade", "bill_date": str(day)}
    assert sub_code(place.merchant.call(BILL, asked)) == "BILL_NOT_EXIST"
    place.emulator.advance(NINE.total_seconds() - 60)
    assert sub_code(place.merchant.call(BILL, asked)) == "BILL_NOT_EXIST"
    place.emulator.advance(60)
    address = place.merchant.call(BILL, asked)["bill_download_url"]
    assert zipfile.is_zipfile(io.BytesIO(place.http.get(address).content))
    place.emulator.advance(30)
    late = place.http.get(address)
    assert (late.status_code, "失效" in late.content.decode("gbk")) == (200, True)
    for changed, code in (
        ({"bill_type": "zft_acc"}, "TYPE_NOT_SUPPORTED"),
        ({"bill_date": "2026-03-99"}, "INVAILID_ARGUMENTS"),
        ({"bill_date": "2019-01-01"}, "INVAILID_ARGUMENTS"),
        ({"bill_date": str(day - timedelta(days=1))}, "NO_BILL_DATA"),
        ({"bill_date": f"{day:%Y-%m}"}, "BILL_NOT_EXIST"),
    ):
        assert sub_code(place.merchant.call(BILL, asked | changed)) == code, changed
    switches = f"switches/{place.merchant.app_id}"
    place.merchant.control("POST", switches, registered_on=str(day))
    older = asked | {"bill_date": str(day - timedelta(days=1))}
    assert sub_code(place.merchant.call(BILL, older)) == "BILL_DATE_BEFORE_REGISTRATION"
    place.merchant.control("POST", switches, empty_bill_has_file=True, registered_on="")
    empty = place.merchant.call(BILL, asked | {"bill_date": str(day - timedelta(days=1))})
    assert empty["bill_file_code"] == "EMPTY_DATA_WITH_BILL_FILE"
    assert lines_of(place.http.get(empty["bill_download_url"]).content) == []


def test_what_was_paid_and_went_back_stands_in_both_bills(place: Place, day: date) -> None:
    trade_no = paid(place, "B-1", "100.00", store_id="S-1", body="礼盒")
    paid(place, "B-2", "0.05")
    place.emulator.advance(5)
    refund(place, "B-1", "30.00", "R-1")
    place.emulator.advance(NINE.total_seconds())
    first, second, back = lines_of(fetch(place, day))
    assert isinstance(first, TradeLine)
    assert isinstance(second, TradeLine)
    assert isinstance(back, TradeLine)
    assert (first.trade_no, first.out_trade_no, first.receipt) == (trade_no, "B-1", Money(10000))
    assert (first.fee, second.fee) == (Money(-60), Money(0))  # half a fen is nothing
    assert (back.is_refund, back.receipt, back.out_request_no) == (True, Money(-3000), "R-1")
    assert (back.fee, first.store_id, first.memo) == (Money(18), "S-1", "礼盒")
    account = [
        one for one in lines_of(fetch(place, day, "signcustomer")) if isinstance(one, AccountLine)
    ]
    assert [(one.business, one.amount) for one in account] == [
        ("交易付款", Money(10000)), ("收费", Money(-60)), ("交易付款", Money(5)),
        ("退费", Money(18)), ("交易退款", Money(-3000)),
    ]  # fmt: skip
    opening = Money.parse("1000000.00")
    assert account[-1].balance == opening + Money.total(one.amount for one in account)
    names = zipfile.ZipFile(io.BytesIO(fetch(place, day))).namelist()
    decoded = [name.encode("cp437").decode("gbk") for name in names]
    assert decoded[0].endswith(f"_{day:%Y%m%d}_业务明细.csv")
    assert decoded[1].endswith(f"_{day:%Y%m%d}_业务明细(汇总).csv")


def test_a_month_has_a_bill_on_its_third_day(place: Place, day: date) -> None:
    paid(place, "B-1")
    place.emulator.advance(86400)
    paid(place, "B-2")
    place.emulator.advance(86400 * 35)
    months = {f"{day:%Y-%m}", f"{day + timedelta(days=1):%Y-%m}"}
    numbers = [one.out_trade_no for m in sorted(months) for one in lines_of(fetch(place, m))]
    assert numbers == ["B-1", "B-2"]


def test_the_account_is_asked_about(place: Place, day: date) -> None:
    paid(place, "B-1")
    now = place.merchant.call(BALANCE, {})
    assert (now["available_amount"], now["total_amount"]) == ("1000099.40", "1000099.40")
    place.emulator.advance(NINE.total_seconds() - 1)
    assert sub_code(place.merchant.call(OF_DAY, {"biz_date": str(day)})) == "PROCESSING"
    place.emulator.advance(1)
    told = place.merchant.call(OF_DAY, {"biz_date": str(day)})
    assert (told["beginning_balance"], told["ending_balance"]) == ("1000000.00", "1000099.40")
    span = {"start_time": f"{day} 00:00:00", "end_time": f"{day + timedelta(days=1)} 00:00:00"}
    log = place.merchant.call(LOG, span | {"page_size": "1", "page_no": "2"})
    (fee,) = log["detail_list"]
    assert (log["total_size"], fee["type"], fee["direction"]) == ("2", "收费", "支出")
    assert fee["trans_amount"] == "0.60"
    numbers = fee["merchant_order_no"], fee["alipay_order_no"]
    assert fee["biz_nos"] == "M{{{0}}}|S{{{1}}}|O{{{1}}}".format(*numbers)
    stranger = {"bill_user_id": "2088000000000000"}
    assert sub_code(place.merchant.call(BALANCE, stranger)) == "USER_AGREEMENT_CHECK_FAIL"
    assert sub_code(place.merchant.call(LOG, span | stranger)) == "AGREEMENT_CHECK_FAIL"
    old = {"start_time": "2020-01-01 00:00:00", "end_time": "2020-01-02 00:00:00"}
    assert sub_code(place.merchant.call(LOG, old)) == "ILLEGAL_ARGUMENT"
    assert "detail_list" not in place.merchant.call(LOG, {"alipay_order_no": "B-1"})
    nothing = place.merchant.call(LOG, {"merchant_order_no": "nobody"})
    assert "detail_list" not in nothing
    assert len(place.merchant.call(LOG, {"merchant_order_no": "B-1"})["detail_list"]) == 2
    assert sub_code(place.merchant.call(LOG, {"start_time": str(day)})) == "INVALID_PARAMETER"


def test_money_that_is_taken_out_is_in_the_account_bill(place: Place, day: date) -> None:
    paid(place, "B-1")
    account = f"accounts/{place.merchant.app_id}"
    place.merchant.control("POST", account, action="withdraw", amount="500.00")
    place.merchant.control("POST", account, action="withdrawal_bounces", amount="500.00")
    place.emulator.advance(NINE.total_seconds())
    found = [(one.business, one.amount) for one in lines_of(fetch(place, day, "signcustomer"))
             if isinstance(one, AccountLine)]  # fmt: skip
    assert found[2:] == [("提现", Money(-50000)), ("提现退回", Money(50000))]
    shown = place.merchant.control("GET", f"{account}?day={day}")
    assert [one["business"] for one in shown["movements"]] == [
        "交易付款",
        "收费",
        "提现",
        "提现退回",
    ]


def test_a_refund_that_the_account_cannot_bear_is_declined(place: Place) -> None:
    switches = f"switches/{place.merchant.app_id}"
    place.merchant.control("POST", switches, opening_balance="0.00", fee_returned=False)
    paid(place, "B-1")
    terms = {"out_trade_no": "B-1", "refund_amount": "100.00", "out_request_no": "R-1"}
    assert sub_code(place.merchant.call(REFUND, terms)) == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    place.merchant.control(
        "POST", f"accounts/{place.merchant.app_id}", action="top_up", amount="0.60"
    )
    assert place.merchant.call(REFUND, terms)["fund_change"] == "Y"


def test_money_is_settled_on_working_days() -> None:
    friday = datetime(2026, 3, 6, 10, tzinfo=UTC)
    assert settled_at(friday, 1, ()).date() == date(2026, 3, 9)
    assert settled_at(friday, 1, ("2026-03-09",)).date() == date(2026, 3, 10)


def odd(place: Place, name: OddityName, **selectors: Any) -> None:
    place.merchant.control("POST", "bill_oddities", name=name.value, **selectors)


def busy_day(place: Place) -> None:
    for number in range(6):
        paid(place, f"B-{number}")
    place.emulator.advance(5)
    refund(place, "B-0", "1.00", "R-1")
    place.emulator.advance(NINE.total_seconds())


@pytest.mark.parametrize(
    "name",
    [
        OddityName.EXTRA_COLUMN, OddityName.COLUMN_ORDER, OddityName.HALF_WIDTH,
        OddityName.COLUMNS_29, OddityName.CRLF, OddityName.SPLIT_MEMBERS, OddityName.RARE_SURNAME,
    ],
)  # fmt: skip
def test_what_only_looks_odd_says_the_same(place: Place, day: date, name: OddityName) -> None:
    busy_day(place)
    plain = lines_of(fetch(place, day))
    odd(place, name)
    found = lines_of(fetch(place, day))
    assert [(o.out_trade_no, o.receipt, o.fee) for o in found if isinstance(o, TradeLine)] == [
        (o.out_trade_no, o.receipt, o.fee) for o in plain if isinstance(o, TradeLine)
    ]
    if name is OddityName.RARE_SURNAME:
        assert isinstance(found[0], TradeLine)
        assert found[0].other_account.startswith("𠮷*")


def test_totals_and_columns_that_cannot_be_used(place: Place, day: date) -> None:
    busy_day(place)
    for name in (OddityName.WRONG_TOTALS, OddityName.NO_TOTALS):
        place.merchant.control("DELETE", "bill_oddities")
        odd(place, name)
        with open_bill(io.BytesIO(fetch(place, day)), "b") as files:
            (bill,) = files.details
            counting = Counting(bill.kind)
            for line in bill.lines():
                counting.add_line(line)
            assert len(bill.differences(counting.totals())) == 2, name
    odd(place, OddityName.MISSING_COLUMN)
    with open_bill(io.BytesIO(fetch(place, day)), "b") as files, pytest.raises(BillProblem):
        list(files.details[0].lines())


def test_lines_are_struck_and_what_was_struck_is_told(place: Place, day: date) -> None:
    busy_day(place)
    plain = {
        o.out_trade_no: o
        for o in lines_of(fetch(place, day))
        if isinstance(o, TradeLine) and not o.is_refund
    }
    for name in (OddityName.MISSING_LINE, OddityName.AMOUNT_OFF, OddityName.DUPLICATE_LINE,
                 OddityName.FEE_OFF, OddityName.DAY_CUT):  # fmt: skip
        odd(place, name, bill_type="trade", day=str(day))
    odd(place, OddityName.FOREIGN_LINE, bill_type="trade", day=str(day), lines=2)
    struck = {
        one["name"]: one for one in (
            fetch(place, day), place.merchant.control("GET", "bill_oddities")["struck"]
        )[1]
    }  # fmt: skip
    found = [o for o in lines_of(fetch(place, day)) if isinstance(o, TradeLine)]
    keys = [(o.out_trade_no, o.out_request_no) for o in found]

    def key(name: OddityName) -> tuple[str, str]:
        return struck[name]["out_trade_no"], struck[name]["out_request_no"]

    assert len({key(name) for name in struck}) == 6, "each strikes another line"
    assert key(OddityName.MISSING_LINE) not in keys
    assert key(OddityName.DAY_CUT) not in keys
    assert keys.count(key(OddityName.DUPLICATE_LINE)) == 2
    assert [k for k, _ in keys if k.startswith("OTHER")] == [
        f"OTHER{day:%Y%m%d}000000",
        f"OTHER{day:%Y%m%d}000001",
    ]
    off = next(o for o in found if (o.out_trade_no, o.out_request_no) == key(OddityName.AMOUNT_OFF))
    if not off.is_refund:
        assert off.receipt == plain[off.out_trade_no].receipt + Money(1)
    place.emulator.advance(86400)
    next_day = [
        (o.out_trade_no, getattr(o, "out_request_no", ""))
        for o in lines_of(fetch(place, day + timedelta(days=1)))
    ]
    assert next_day == [key(OddityName.DAY_CUT)]


def test_a_bill_may_be_late(place: Place, day: date) -> None:
    busy_day(place)
    odd(place, OddityName.LATE_BILL, day=str(day))
    asked = {"bill_type": "trade", "bill_date": str(day)}
    assert sub_code(place.merchant.call(BILL, asked)) == "BILL_NOT_EXIST"
    place.emulator.advance(7200)
    assert place.merchant.call(BILL, asked)["code"] == "10000"


def test_a_day_of_twenty_thousand_is_made_at_once(place: Place, day: date) -> None:
    desk = place.emulator.desk
    paid(place, "B-1")
    (line,) = desk.books.lines(desk.identities.app("default").seller_id, day)
    days = desk.books._lines[line.trade.request.seller_id]  # pyright: ignore[reportPrivateUsage]
    days[day] = [line] * 20_000
    place.emulator.advance(NINE.total_seconds())
    assert len(lines_of(fetch(place, day))) == 20_000
    desk.account.oddities.set(Oddity(OddityName.MISSING_LINE))


def texts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            info.filename.encode("cp437").decode("gbk"): archive.read(info).decode("gb18030")
            for info in archive.infolist()
        }


def test_a_bill_is_the_same_whenever_it_is_fetched(place: Place, day: date) -> None:
    busy_day(place)
    first = fetch(place, day)
    place.emulator.advance(3600)
    assert fetch(place, day) == first
    made = f"#导出时间：[{day + timedelta(days=1):%Y年%m月%d日} 05:46:49]"
    assert all(made in text for text in texts(first).values())


def test_a_month_is_named_by_its_six_digits(place: Place, day: date) -> None:
    paid(place, "B-1")
    place.emulator.advance(86400 * 35)
    names = list(texts(fetch(place, f"{day:%Y-%m}")))
    seller = place.merchant.credentials["seller_id"]
    assert names[0] == f"{seller}0156_{day:%Y%m}_业务明细.csv"


def test_a_date_is_written_in_one_way_only(place: Place, day: date) -> None:
    for written in (f"{day:%Y%m%d}", f"{day:%G-W%V-%u}", f"{day:%Y%m}", "2026-13"):
        terms = {"bill_type": "trade", "bill_date": written}
        assert sub_code(place.merchant.call(BILL, terms)) == "INVAILID_ARGUMENTS", written


def test_a_line_break_in_a_text_breaks_no_line(place: Place, day: date) -> None:
    paid(place, "B-1", body="一行\n又一行")
    place.emulator.advance(NINE.total_seconds())
    (line,) = lines_of(fetch(place, day))
    assert isinstance(line, TradeLine)
    assert line.memo == "一行 又一行"


def test_what_was_taken_without_a_store_is_only_in_the_sum(place: Place, day: date) -> None:
    paid(place, "B-1", "1.00", store_id="S-1")
    paid(place, "B-2", "2.00")
    place.emulator.advance(NINE.total_seconds())
    summary = list(texts(fetch(place, day)).values())[-1].splitlines()
    assert summary[5:7] == [
        "S-1,S-1,1,0,1.00,1.00,0.00,0.00,0.00,-0.01,0.00,0.99",
        "合计,,2,0,3.00,3.00,0.00,0.00,0.00,-0.02,0.00,2.98",
    ]


def test_oddities_strike_the_account_bill_in_the_same_way(place: Place, day: date) -> None:
    busy_day(place)
    plain = {o.account_log_id: o for o in lines_of(fetch(place, day, "signcustomer")) if isinstance(o, AccountLine)}  # fmt: skip
    odd(place, OddityName.FEE_OFF, bill_type="signcustomer", lines=2)
    odd(place, OddityName.AMOUNT_OFF, bill_type="signcustomer", lines=5)
    odd(place, OddityName.FOREIGN_LINE, bill_type="signcustomer")
    found = [o for o in lines_of(fetch(place, day, "signcustomer")) if isinstance(o, AccountLine)]
    *ours, foreign = found
    off = [
        (plain[o.account_log_id].business, o.amount - plain[o.account_log_id].amount)
        for o in ours
        if o.amount != plain[o.account_log_id].amount
    ]
    struck = place.merchant.control("GET", "bill_oddities")["struck"]
    assert len(off) == len([one for one in struck if one["name"] != "foreign_line"]) == 7
    assert off.count(("收费", Money(-1))) >= 2
    assert all(abs(difference.minor) == 1 for _, difference in off)
    assert foreign.balance == ours[-1].balance + foreign.amount


def test_a_thousand_orders_may_be_odd_by_name_at_once(place: Place, day: date) -> None:
    desk = place.emulator.desk
    paid(place, "B-1")
    (line,) = desk.books.lines(desk.identities.app("default").seller_id, day)
    for number in range(2000):
        request = replace(line.trade.request, out_trade_no=f"T-{number}")
        desk.books.paid(replace(line.trade, trade_no=f"{number:028d}", request=request))
        if number % 2:
            name = OddityName.MISSING_LINE
            desk.account.oddities.set(Oddity(name, day=day, out_trade_no=f"T-{number}"))
    place.emulator.advance(NINE.total_seconds())
    begun = process_time()
    assert len(lines_of(fetch(place, day))) == 1001
    assert process_time() - begun < 3


def test_v3_asks_for_bills_and_balances_by_get(place: Place, day: date) -> None:
    paid(place, "B-1")
    place.emulator.advance(NINE.total_seconds())
    path = f"/v3/{BILL.replace('.', '/')}?bill_type=trade&bill_date="
    told = call_v3(place, b"", f"{path}{day}", verb="GET").json()
    assert len(lines_of(place.http.get(told["bill_download_url"]).content)) == 1
    refused = call_v3(place, b"", f"{path}{day + timedelta(days=1)}", verb="GET")
    assert (refused.status_code, refused.json()["code"]) == (400, "BILL_NOT_EXIST")
    assert call_v3(place, b"", f"/v3/{BALANCE.replace('.', '/')}", verb="GET").status_code == 200
