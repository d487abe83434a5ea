"""The room of transfers: one is sent, a sheet is tried and sent, a receipt is taken, limits are set, and by whom."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import count

import httpx2
import pytest

from console.staff import Staff, hidden, plain, rows
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.audit.store import all_entries
from daozhang.service.merchants.outgoing import turn_outgoing
from daozhang.service.people.model import Role
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import TransferLimits
from daozhang.service.transfers.templates import csv_template, workbook_template
from making_workbooks import workbook
from people_here import deeds
from worlds import World, open_gateway, running

HEADER = "商户单号,收款方式,收款账号,收款人姓名,金额,标题,备注"
PAYEE = {"payee_kind": "logon_id", "identity": "13800138000", "name": "张小明"}
WISH = {**PAYEE, "amount": "12.34", "title": "三月佣金", "remark": "thanks"}
_numbers = count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("transfers")) as made:
        open_gateway(made)
        yield made


@pytest.fixture(scope="module")
def staff(world: World) -> Iterator[dict[Role, Staff]]:
    people = {role: Staff(world.service.context, role) for role in Role}
    yield people
    for one in people.values():
        one.close()


@pytest.fixture(autouse=True)
def limits(world: World) -> None:
    """What may be sent, as each test finds it: above 500 it takes two."""
    allow(world)


def allow(world: World, single: str = "5000", alone: str = "500") -> None:
    context = world.service.context
    with context.database.begin() as tx:
        made = TransferLimits(Money.parse(single), None, Money.parse(alone), None)
        set_limits(tx, context, SYSTEM, 1, made)


def looked_at(one: Staff, **fields: str) -> httpx2.Response:
    """The page that shows a wish once more."""
    number = hidden(one.get("/transfers/new").text, "number")
    return one.post("/transfers/new", {"number": number, **WISH, **fields})


def send(world: World, one: Staff, **fields: str) -> str:
    """Sends a transfer as a person does; its number."""
    number = hidden(looked_at(one, **fields).text, "number")
    where = one.do("/transfers/new", {"number": number, **WISH, **fields, "sure": "yes"})
    world.settle()
    assert where == f"/transfers/{number}"
    return number


def sheet(*amounts: str) -> bytes:
    lines = [
        f"S{next(_numbers):04},支付宝用户号,2088000000000001\t,,{amount},三月佣金,"
        for amount in amounts
    ]
    return "\n".join((HEADER, *lines)).encode("gb18030")


def tried(one: Staff, content: bytes) -> httpx2.Response:
    return one.send("/transfers/sheets/new", "三月.csv", content, {"title": "三月佣金"})


def asked_for(world: World, one: Staff, content: bytes) -> str:
    """Sends a sheet as it was tried; where it leads."""
    page = tried(one, content).text
    fields = {name: hidden(page, name) for name in ("number", "title", "sealed")}
    answer = one.send("/transfers/sheets/send", "", b"", fields)
    assert answer.status_code == 303, plain(answer.text)
    world.settle()
    return answer.headers["location"].removeprefix(one.home)


def test_a_transfer_is_looked_at_once_more_and_sent(world: World, staff: dict[Role, Staff]) -> None:
    finance = staff[Role.FINANCE]
    look = looked_at(finance)
    for told in ("Is this right?", "13800138000 张小明", "12.34", "cannot be called back"):
        assert told in plain(look.text)
    number = hidden(look.text, "number")
    assert finance.get(f"/transfers/{number}").status_code == 404  # nothing was written yet
    changed = finance.post("/transfers/new", {"number": number, **WISH, "back": "yes"})
    assert 'value="12.34"' in changed.text
    sent = {"number": number, **WISH, "sure": "yes"}
    where = finance.do("/transfers/new", sent)
    assert finance.do("/transfers/new", sent) == where  # a second click is the same transfer
    world.settle()
    page = finance.read(where)
    for told in ("Sent", "13800138000 张小明", "三月佣金", "Alipay says that it has arrived"):
        assert told in page
    seen = [subject for _, subject in looks(world)]
    assert f"transfer:{number}" in seen
    refreshed = finance.get(where)
    assert "13800138000" in refreshed.text
    assert number in rows(finance.get("/transfers").text)
    assert "13800138000" not in finance.get("/transfers").text
    assert "138****8000" in finance.get("/transfers").text
    assert rows(finance.get("/transfers?state=unknown").text) == []
    found = finance.get(f"/transfers?number={number}")
    assert found.headers["location"].endswith(where)
    assert "No transfer fits" in finance.read("/transfers?number=nobody")


CARD = {
    "payee_kind": "bank_card",
    "identity": "6222020000000000001",
    "name": "李芳",
    "card_holder": "person",
    "bank_branch": "杭州西湖支行",
}


def came_back(world: World, one: Staff) -> str:
    """A transfer to a card that the bank has sent back."""
    number = send(world, one, **CARD)
    world.emulator.play_transfer(number, "arrive")
    world.settle()
    world.emulator.play_transfer(number, "send_back")
    world.settle()
    return number


def looks(world: World) -> list[tuple[str, str]]:
    with world.service.context.database.read() as tx:
        found = list(all_entries(tx))
    return [(one.action, one.subject) for one in found if one.action == "personal.viewed"]


def test_above_the_limit_it_waits_for_another(world: World, staff: dict[Role, Staff]) -> None:
    finance, owner = staff[Role.FINANCE], staff[Role.OWNER]
    assert "takes a second person" in plain(looked_at(finance, amount="600").text)
    number = send(world, finance, amount="600")
    page = finance.get(f"/transfers/{number}").text
    assert "Waits for a second person" in plain(page)
    approval = page.partition("/approvals/")[2].partition('"')[0]
    owner.do(f"/approvals/{approval}/approve")
    world.settle()
    page = finance.read(f"/transfers/{number}")
    for told in ("Sent", owner.person.email, "approved it"):
        assert told in page
    assert number in rows(finance.get("/transfers?state=succeeded").text)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"amount": "twelve"}, "amount"),
        ({"amount": "0.05"}, "0.10 is the least"),
        ({"amount": "6000"}, "5000.00 at most"),
        ({"title": ""}, "Say what it is for"),
        ({"name": ""}, "name is missing"),
        ({"identity": "nobody"}, "a phone number or an email"),
        ({"payee_kind": "bank_card", "identity": "6222 0200 0000 0000 001"}, "whose card it is"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(
    world: World, staff: dict[Role, Staff], fields: dict[str, str], told: str
) -> None:
    answer = looked_at(staff[Role.FINANCE], **fields)
    assert answer.status_code in (403, 422)
    assert told in plain(answer.text)
    assert "Is this right?" not in answer.text
    kept = WISH["remark"]
    assert f'value="{kept}"' in answer.text


def test_nothing_goes_while_the_switch_is_off(world: World, staff: dict[Role, Staff]) -> None:
    context, finance = world.service.context, staff[Role.FINANCE]
    with context.database.begin() as tx:
        turn_outgoing(tx, context, 1, allowed=False, reason="a leak", actor=SYSTEM)
    answer = looked_at(finance)
    assert (answer.status_code, "a leak" in plain(answer.text)) == (409, True), plain(answer.text)
    with context.database.begin() as tx:
        turn_outgoing(tx, context, 1, allowed=True, reason="mended", actor=SYSTEM)
    assert looked_at(finance).status_code == 200


def test_a_sheet_is_tried_and_sent_as_it_was_tried(world: World, staff: dict[Role, Staff]) -> None:
    finance, owner = staff[Role.FINANCE], staff[Role.OWNER]
    wrong = tried(finance, sheet("0.01", "10.00", "many"))
    assert (wrong.status_code, "To be mended: 2" in plain(wrong.text)) == (422, True)
    assert "sealed" not in wrong.text
    chinese = Staff(world.service.context, Role.FINANCE, language="zh")
    assert "需要修正：1 处" in plain(tried(chinese, sheet("0.01")).text)
    chinese.close()
    assert "Choose the sheet first." in plain(tried_without(finance))
    page = tried(finance, sheet("20.00", "30.50"))
    for told in ("as it should be", "50.50", "三月.csv", "cannot be called back"):
        assert told in plain(page.text)
    where = asked_for(world, finance, sheet("20.00", "30.50"))
    shown = finance.read(where)
    for told in ("Under way", "50.50", "Sent", "三月佣金"):
        assert told in shown
    number = where.rpartition("/")[2]
    assert len(rows(finance.get(f"/transfers?sheet={number}").text)) == 2
    assert number in rows(finance.get("/transfers/sheets").text)

    large = asked_for(world, finance, sheet("300.00", "400.00"))
    page = finance.get(large).text
    assert "Waits for a second person" in plain(page)
    approval = page.partition("/approvals/")[2].partition('"')[0]
    number = large.rpartition("/")[2]
    assert f"{number} × 2" in owner.read("/approvals")
    shown = owner.get(f"/approvals/{approval}").text
    assert f"/transfers?sheet={number}" in shown  # each row is looked at before all are approved
    owner.do(f"/approvals/{approval}/approve")
    world.settle()
    assert "Under way" in finance.read(large)


def tried_without(one: Staff) -> str:
    return one.send("/transfers/sheets/new", "", b"", {"title": "三月佣金"}).text


def test_what_was_tried_is_whose_who_tried_it(world: World, staff: dict[Role, Staff]) -> None:
    page = tried(staff[Role.FINANCE], sheet("20.00")).text
    fields = {name: hidden(page, name) for name in ("number", "title", "sealed")}
    other = staff[Role.OWNER].send("/transfers/sheets/send", "", b"", fields)
    assert (other.status_code, "out of date" in plain(other.text)) == (403, True)
    broken = {**fields, "sealed": fields["sealed"][:-8] + "AAAAAAA="}
    assert staff[Role.FINANCE].send("/transfers/sheets/send", "", b"", broken).status_code == 403
    content = sheet("5.00")
    first = tried(staff[Role.FINANCE], content).text
    asked_for(world, staff[Role.FINANCE], content)
    late = {name: hidden(first, name) for name in ("number", "title", "sealed")}
    again = staff[Role.FINANCE].send("/transfers/sheets/send", "", b"", late)
    assert (again.status_code, "problems are in the sheet" in plain(again.text)) == (422, True)
    got = staff[Role.FINANCE].get("/transfers/sheets/template.csv?encoding=gbk")
    assert got.content == csv_template("gbk")
    got = staff[Role.FINANCE].get("/transfers/sheets/template.xlsx")
    assert got.content[:2] == workbook_template()[:2] == b"PK"
    assert "transfers.xlsx" in got.headers["content-disposition"]
    assert staff[Role.FINANCE].get("/transfers/sheets/template.exe").status_code == 404


def test_a_workbook_is_tried_and_sent(world: World, staff: dict[Role, Staff]) -> None:
    head = ["商户单号", "收款方式", "收款账号", "金额", "标题"]

    def march(*amounts: object) -> bytes:
        made = [
            [f"X-{next(_numbers)}", "支付宝用户号", "2088000000000001", one, "三月"]
            for one in amounts
        ]
        return workbook({"三月": [head, *made]})

    finance, chinese = (
        staff[Role.FINANCE],
        Staff(world.service.context, Role.FINANCE, language="zh"),
    )
    wrong = march(20, "=D2*2", 0.05)
    page = plain(tried(finance, wrong).text)
    assert "To be mended: 2" in page
    assert "3 amount Sheet 三月, D3: amount: it is a formula" in page
    assert "4 amount Sheet 三月, D4: '0.05' is no amount" in page
    assert "工作表“三月” D3：金额：是公式" in plain(tried(chinese, wrong).text)
    chinese.close()
    where = asked_for(world, finance, march(20, 30.5))
    for told in ("Under way", "50.50", "Sent"):
        assert told in finance.read(where)


def test_a_sheet_is_no_larger_than_one_can_be(world: World, staff: dict[Role, Staff]) -> None:
    answer = tried(staff[Role.FINANCE], b"x" * 700_000)
    assert (answer.status_code, "This is too large" in plain(answer.text)) == (413, True)
    wide = tried(staff[Role.FINANCE], b"x" * 100_000)
    assert (wide.status_code, "The sheet has no rows" in plain(wide.text)) == (422, True)
    assert staff[Role.FINANCE].post("/transfers/sheets/new", {"title": "x"}).status_code == 400


def test_a_receipt_is_made_and_taken(world: World, staff: dict[Role, Staff]) -> None:
    finance = staff[Role.FINANCE]
    number = send(world, finance)
    page = f"/transfers/{number}"
    assert "Have a receipt made" in finance.read(page)
    assert finance.get(f"{page}/receipt.pdf").status_code == 409
    finance.do(f"{page}/receipt")
    assert "Asked for" in finance.read(page)
    world.advance(10)
    assert "Download the receipt" in finance.read(page)
    taken = finance.get(f"{page}/receipt.pdf")
    assert (taken.status_code, taken.content[:4]) == (200, b"%PDF")
    assert "transfer.receipt_downloaded" in [what for _, what in deeds(world.service.context)]


def test_limits_are_set_by_who_has_read_what_they_mean(
    world: World, staff: dict[Role, Staff]
) -> None:
    owner = Staff(world.service.context, Role.OWNER)
    values = {"single_max": "100", "second_person_single": "0", "day_max": ""}
    unread = owner.post("/transfers/limits", values)
    assert (unread.status_code, "Say that you have read it." in plain(unread.text)) == (422, True)
    odd = owner.post("/transfers/limits", {**values, "day_max": "much", "own_money": "yes"})
    assert odd.status_code == 422
    assert owner.do("/transfers/limits", {**values, "own_money": "yes"}) == "/transfers"
    page = owner.get("/transfers/limits").text
    assert 'value="100.00"' in page
    assert "takes a second person" in plain(looked_at(staff[Role.FINANCE], amount="1").text)
    refused = looked_at(staff[Role.FINANCE], amount="101")
    assert (refused.status_code, "100.00 at most" in plain(refused.text)) == (403, True)
    owner.close()


MONEY = {Role.FINANCE, Role.OWNER}
ALLOWED = {
    "list": MONEY,
    "one": MONEY,
    "form": MONEY,
    "look": MONEY,
    "send": MONEY,
    "send again": MONEY,
    "query": MONEY,
    "ask receipt": MONEY,
    "take receipt": MONEY,
    "sheets": MONEY,
    "sheet": MONEY,
    "sheet form": MONEY,
    "try sheet": MONEY,
    "send sheet": MONEY,
    "template": MONEY,
    "see limits": {Role.OWNER},
    "set limits": {Role.OWNER},
}


def test_who_may_what(world: World, staff: dict[Role, Staff]) -> None:
    finance = staff[Role.FINANCE]
    number = send(world, finance)
    where, back = asked_for(world, finance, sheet("1.00")), came_back(world, finance)
    page = f"/transfers/{number}"
    for role in Role:
        one = Staff(world.service.context, role)
        new = {"number": f"who-{role}", **WISH}
        answers = {
            "list": one.get("/transfers"),
            "one": one.get(page),
            "form": one.get("/transfers/new"),
            "look": one.post("/transfers/new", new),
            "send": one.post("/transfers/new", {**new, "sure": "yes"}),
            "send again": one.get(f"/transfers/new?again={back}"),
            "query": one.post(f"{page}/query"),
            "ask receipt": one.post(f"{page}/receipt"),
            "take receipt": one.get(f"{page}/receipt.pdf"),
            "sheets": one.get("/transfers/sheets"),
            "sheet": one.get(where),
            "sheet form": one.get("/transfers/sheets/new"),
            "try sheet": tried(one, sheet("1.00")),
            "send sheet": one.send(
                "/transfers/sheets/send", "", b"", {"number": "n", "title": "x"}
            ),
            "template": one.get("/transfers/sheets/template.csv"),
            "see limits": one.get("/transfers/limits"),
            "set limits": one.post("/transfers/limits", {"single_max": "5000", "own_money": "yes"}),
        }
        assert answers.keys() == ALLOWED.keys()
        for deed, answer in answers.items():
            # A sheet that nobody has tried is out of date for whoever may send one.
            refused = answer.status_code == 403 and "out of date" not in answer.text
            assert refused == (role not in ALLOWED[deed]), (role, deed, answer.status_code)
        one.close()
