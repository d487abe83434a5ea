"""Receipts as PDF, by either wire, and the page of an account."""

from __future__ import annotations

from typing import Any

from emulator.place import Place
from emulator.test_rest import call as call_v3

LOG = "alipay.data.bill.accountlog.query"
APPLY, RECEIPT = "alipay.data.bill.ereceipt.apply", "alipay.data.bill.ereceipt.query"
MARCH_2 = {"start_time": "2026-03-02 00:00:00", "end_time": "2026-03-03 00:00:00"}


def paid(place: Place, number: str, amount: str, **extra: Any) -> str:
    place.merchant.open_page(number, amount, **extra)
    return place.emulator.pay(number).trade_no


def test_a_receipt_is_asked_for_waited_for_and_fetched_in_time(monday: Place) -> None:
    paid(monday, "q-1", "100.00")
    switches = f"switches/{monday.merchant.app_id}"
    monday.merchant.control("POST", switches, receipt_seconds=10)
    row = monday.merchant.call(LOG, MARCH_2)["detail_list"][0]
    asked = {"type": "ACCOUNT_LOG_DETAIL", "key": row["account_log_id"]}
    file_id = monday.merchant.call(APPLY, asked)["file_id"]
    assert monday.merchant.call(APPLY, asked)["file_id"] == file_id
    path = f"/v3/{RECEIPT.replace('.', '/')}?file_id={file_id}"
    states: list[str] = []
    for _ in range(3):
        states.append(call_v3(monday, b"", path, verb="GET").json()["status"])
        monday.emulator.advance(5)
    assert states == ["INIT", "PROCESS", "SUCCESS"]
    address = monday.merchant.call(RECEIPT, {"file_id": file_id})["download_url"]
    check_pdf(monday.http.get(address).content, row["account_log_id"])
    monday.emulator.advance(30)
    assert not monday.http.get(address).content.startswith(b"%PDF")
    monday.emulator.advance(2 * 86400)
    assert monday.merchant.call(RECEIPT, {"file_id": file_id})["sub_code"] == "BIZ_ERROR"


def check_pdf(content: bytes, shown: str) -> None:
    """Every place of the table leads to its object, and the text is in it."""
    assert content.startswith(b"%PDF-1.4")
    assert content.endswith(b"%%EOF\n")
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    table = content[start:].split(b"trailer")[0].splitlines()[3:]
    for number, entry in enumerate(table, 1):
        assert content[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
    assert shown.encode("utf-16-be").hex().encode() in content


def test_receipts_of_days_months_flows_and_numbers(monday: Place) -> None:
    trade_no = paid(monday, "q-1", "100.00")
    monday.emulator.advance(40 * 86400)
    for kind, key, status in (
        ("FUND_DETAIL", trade_no, "SUCCESS"),
        ("ACCOUNT_LOG_SUM_DAILY", "2026-03-02", "SUCCESS"),
        ("ACCOUNT_LOG_SUM_MONTHLY", "2026-03", "SUCCESS"),
        ("ACCOUNT_FLOW_DETAIL", "20260301-20260331", "SUCCESS"),
        ("ACCOUNT_FLOW_DETAIL", "20260301", "FAIL"),
        ("ACCOUNT_LOG_SUM_DAILY", "2026-03-03", "FAIL"),
        ("ACCOUNT_LOG_DETAIL", "nothing", "FAIL"),
    ):
        file_id = monday.merchant.call(APPLY, {"type": kind, "key": key})["file_id"]
        assert monday.merchant.call(RECEIPT, {"file_id": file_id})["status"] == status, (kind, key)
    refused = monday.merchant.call(APPLY, {"type": "ALL", "key": "1"})
    assert refused["sub_code"] == "INVALID_PARAMETER"
    assert monday.merchant.call(RECEIPT, {"file_id": "x"})["sub_code"] == "INVALID_PARAMETER"


def test_the_page_shows_the_account_to_this_machine_only(monday: Place) -> None:
    assert "还没有资金变动" in monday.http.get("/account").text
    paid(monday, "q-1", "100.00")
    page = monday.http.get("/account?lang=en").text
    assert "1000099.40" in page
    assert page.count("q-1") == 2
    assert "APP_NOT_EXIST" in monday.http.get("/account?app=nobody").text
    assert "FORBIDDEN" in monday.http.get("/account", headers={"Host": "evil.example"}).text
