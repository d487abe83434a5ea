"""A batch from a sheet: tried, every problem told, approved once, each row sent once."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx2
import pytest

from daozhang.money import Money
from daozhang.service.approvals.actions import decline
from daozhang.service.audit.model import SYSTEM
from daozhang.service.people.model import Role
from daozhang.service.transfers.approving import approve_transfers
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import TransferLimits
from daozhang.service.transfers.sheets import read_sheet
from daozhang.service.transfers.templates import csv_template
from making_workbooks import workbook
from people_here import add_person
from worlds import World

HEADER = "商户单号,收款方式,收款账号,收款人姓名,金额,标题,备注,银行卡类型,开户行"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAYEE = "2088000000000001"
_numbers = count(1)


@pytest.fixture
def world(shared_world: World) -> World:
    """A merchant that sends up to 50 at once, and whose sheets above 60 take two people."""
    context = shared_world.service.context
    with context.database.begin() as tx:
        limits = TransferLimits(Money(5000), None, Money(6000), None)
        set_limits(tx, context, SYSTEM, 1, limits)
    return shared_world


def sheet(*rows: str) -> bytes:
    return "\n".join((HEADER, *rows)).encode("gb18030")


def row(number: str, amount: str = "10.00", payee: str = "2088000000000001") -> str:
    return f"{number},支付宝用户号,{payee}\t,,{amount},三月佣金,,,"


def send(world: World, content: bytes, number: str) -> httpx2.Response:
    params = {"number": number, "title": "三月佣金"}
    headers = {"Content-Type": "text/csv"}
    return world.api.post("/v1/transfer_batches", content=content, params=params, headers=headers)


def dry_run(world: World, content: bytes) -> dict[str, Any]:
    headers = {"Content-Type": "text/csv"}
    answer = world.api.post("/v1/transfer_batches/trial", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def read(world: World, number: str) -> dict[str, Any]:
    return world.api.get(f"/v1/transfer_batches/{number}").json()


def progress(world: World, number: str) -> dict[str, int]:
    return {one["status"]: one["transfers"] for one in read(world, number)["progress"]}


def names(how_many: int) -> list[str]:
    return [f"B-{next(_numbers)}" for _ in range(how_many)]


def test_a_dry_run_tells_every_problem_and_writes_nothing(world: World) -> None:
    good, again, large, nobody, rounded, card = names(6)
    content = sheet(
        row(good),
        row(again),
        row(again),
        row(large, "50.01"),
        row(nobody, payee="2088"),
        row(rounded, payee="6.22202E+18"),
        f"{card},银行卡,6222020000000000000,,1.00,货款,,企业,",
        f",,,,{'x'},,,,",
    )
    told = dry_run(world, content)
    assert (told["rows"], told["amount"], told["takes_second_person"]) == (3, "70.01", True)
    rows = [(one["row"], one["column"]) for one in told["problems"]]
    assert rows[:6] == [
        (4, "out_biz_no"),
        (5, "amount"),
        (6, "payee"),
        (7, "payee"),
        (8, "payee"),
        (9, "out_biz_no"),
    ]
    assert all(one["say"] and one["say_zh"] for one in told["problems"])
    refused = send(world, content, "bad")
    assert (refused.status_code, refused.json()["code"]) == (422, "transfer_sheet_invalid")
    assert refused.json()["problems"] == told["problems"]
    assert world.api.get("/v1/transfer_batches/bad").json()["code"] == "transfer_batch_not_found"
    assert world.emulator.transfers == []


def test_a_small_sheet_goes_at_once_and_the_same_sheet_is_the_same_batch(world: World) -> None:
    first, second = names(2)
    content = sheet(row(first), row(second, payee="2088000000000404"))
    sent = send(world, content, first)
    assert (sent.status_code, sent.json()["status"]) == (201, "running")
    world.settle()
    assert progress(world, first) == {"succeeded": 1, "failed": 1}
    assert send(world, content, first).status_code == 200
    world.settle()
    assert len([one for one in world.emulator.transfers if one.number == first]) == 1
    other = send(world, sheet(row(names(1)[0])), first)
    assert other.json()["code"] == "transfer_batch_conflict"
    told = dry_run(world, content)
    assert [one["row"] for one in told["problems"]] == [2, 3]
    listed = world.api.get("/v1/transfers", params={"batch": first}).json()["data"]
    assert [one["batch_row"] for one in listed] == [3, 2]


def test_one_approval_sends_all_and_what_is_unknown_stays_in_sight(world: World) -> None:
    one, two = names(2)
    content = sheet(row(one, "40.00"), row(two, "40.00"))
    sent = send(world, content, one)
    assert (sent.status_code, sent.json()["status"]) == (202, "awaiting_approval")
    world.settle()
    assert progress(world, one) == {"awaiting_approval": 2}
    world.emulator.set_fault("gateway_unsigned", out_trade_no=two, times=1)
    approver = add_person(world.service.context, f"batch{next(_numbers)}", Role.FINANCE)
    approve_transfers(world.service.context, approver, sent.json()["approval_id"])
    world.settle()
    assert progress(world, one) == {"succeeded": 1, "unknown": 1}
    assert read(world, one)["approved_by"] == f"person:{approver.id}"
    world.advance(20)
    assert progress(world, one) == {"succeeded": 2}
    assert len([x for x in world.emulator.transfers if x.number in (one, two)]) == 2


def test_a_declined_sheet_sends_nothing(world: World) -> None:
    one, two = names(2)
    sent = send(world, sheet(row(one, "40.00"), row(two, "40.00")), one)
    approver = add_person(world.service.context, f"batch{next(_numbers)}", Role.FINANCE)
    decline(world.service.context, approver, sent.json()["approval_id"], None)
    world.settle()
    assert (read(world, one)["status"], progress(world, one)) == ("declined", {"failed": 2})
    assert [x for x in world.emulator.transfers if x.number in (one, two)] == []


def test_a_workbook_is_tried_mended_and_each_row_sent_once(world: World) -> None:
    """Amounts are numbers of the spreadsheet's; what is wrong is told by sheet and cell, in both languages."""
    head = HEADER.split(",")[:6]

    def march(*rows: tuple[str, object]) -> bytes:
        made = [
            [number, "支付宝用户号", PAYEE, None, amount, "三月佣金"] for number, amount in rows
        ]
        return workbook({"三月": [head, *made], "说明": [["for the files"]]})

    one, two, three = names(3)
    wrong = march((one, 10.1), (two, "=E2"), (one, 10.005), (three, 50.01))
    told = dry_run(world, wrong)
    assert (told["rows"], told["amount"]) == (2, "60.11")
    assert [(at["row"], at["column"], at["cell"]) for at in told["problems"]] == [
        (3, "amount", "三月!E3"),
        (4, "amount", "三月!E4"),
        (4, "out_biz_no", "三月!A4"),
        (5, "amount", "三月!E5"),
    ]
    for problem in told["problems"]:
        cell = problem["cell"].partition("!")[2]
        assert problem["say"].startswith(f"Sheet 三月, {cell}: ")
        assert problem["say_zh"].startswith(f"工作表“三月” {cell}：")
    refused = send(world, wrong, f"{one}-wrong")
    assert refused.json()["problems"] == told["problems"]
    assert not [sent for sent in world.emulator.transfers if sent.number in (one, two, three)]

    good = march((one, 10.1), (two, 20.2), (three, "29.70"))
    xlsx = {"Content-Type": XLSX}
    path = "/v1/transfer_batches"
    tried = world.api.post(f"{path}/trial", content=good, headers=xlsx).json()
    assert (tried["rows"], tried["amount"], tried["problems"]) == (3, "60.00", [])
    params = {"number": f"{one}-good", "title": "三月佣金"}
    sent = world.api.post(path, content=good, params=params, headers=xlsx)
    assert (sent.status_code, sent.json()["amount"]) == (201, "60.00")
    world.settle()
    assert progress(world, f"{one}-good") == {"succeeded": 3}
    assert send(world, good, f"{one}-good").status_code == 200  # the same sheet, the same batch
    world.settle()
    amounts = {x.number: str(x.request.amount) for x in world.emulator.transfers}
    assert [amounts[number] for number in (one, two, three)] == ["10.10", "20.20", "29.70"]
    assert [one["cell"] for one in dry_run(world, good)["problems"]] == [
        "三月!A2",
        "三月!A3",
        "三月!A4",
    ]


def test_the_workbook_that_is_handed_out_is_a_sheet_without_problems(world: World) -> None:
    got = world.browser.get(f"{world.api.base_url}/v1/transfer_batches/template.xlsx")
    assert got.headers["content-type"] == XLSX
    read_again = read_sheet(got.content)
    assert (len(read_again.rows), read_again.problems) == (3, [])


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_the_template_is_a_sheet_without_problems(world: World, encoding: str) -> None:
    got = world.browser.get(
        f"{world.api.base_url}/v1/transfer_batches/template.csv", params={"encoding": encoding}
    )
    assert got.content == csv_template(encoding)
    read_again = read_sheet(got.content)
    assert (len(read_again.rows), read_again.problems) == (3, [])


def test_what_is_no_sheet_is_told_apart() -> None:
    open_quote = sheet(row("Q-1"))[:-1] + b'"' + b"x" * 200_000
    for content in (b"PK\x03\x04\x00\x00", b"", HEADER.encode(), b"a,b\n1,2", open_quote):
        (problem,) = read_sheet(content).problems
        assert (problem.row, bool(problem.say_zh)) == (1, True)
    many = sheet(*(row(f"M-{n}") for n in range(1001)))
    assert "1000" in read_sheet(many).problems[0].say
    (old_mac,) = read_sheet(sheet(row("O-1")).replace(b"\r\n", b"\n").replace(b"\n", b"\r")).rows
    assert old_mac.new.out_biz_no == "O-1"
    english = (
        'out_biz_no,payee_kind,payee,amount,title\nE-1,user_id,2088000000000001,"1,234.50",pay\n'
    )
    (found,) = read_sheet(english.encode()).rows
    assert found.new.amount == Money.parse("1234.50")
