"""Lists of orders as files, from the form to the cells."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Generator
from datetime import datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.desks import Desk, desk
from console.test_orders import HOME, said
from daozhang.service.exports.rules import csv_cell
from daozhang.service.people.model import RIGHTS, Right, Role
from people_here import deeds
from worlds import World, running

NUMBER = "2026030222001476990501234567"
FORMULA = "+cmd|' !A1 茶"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("exports")) as world:
        world.order("88.88", out_trade_no=NUMBER, subject=FORMULA)
        world.pay(NUMBER)
        world.settle()
        world.order("1288.00", subject="武夷岩茶", way="qr", store_id="-1")
        yield world


@pytest.fixture(scope="module")
def owner(world: World) -> Generator[Desk]:
    with desk(world, "owner") as owner:
        yield owner


def ask(world: World, desk: Desk, **fields: str) -> bytes:
    """Asks for a file, lets it be written, and takes it."""
    answer = desk.post(f"{HOME}/exports", fields)
    assert answer.status_code == 303, answer.text
    world.settle()
    page = desk.client.get(answer.headers["location"])
    assert "Ready" in page.text
    link = re.search(r'href="(/console/m/shop/exports/exp_[^"]+)"', page.text)
    assert link is not None
    taken = desk.client.get(link[1])
    assert taken.status_code == 200
    assert "attachment" in taken.headers["content-disposition"]
    return taken.content


def test_a_list_in_csv_opens_as_it_is(world: World, owner: Desk) -> None:
    content = ask(world, owner, format="csv")
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [line["Amount"] for line in lines] == ["1288.00", "88.88"]
    paid = lines[1]
    assert paid["Order number"] == f"{NUMBER}\t"
    assert paid["Subject"] == f"'{FORMULA}"
    assert paid["State"] == "Paid"
    assert paid["Created (Beijing time)"] == "2026-03-02 09:00:00"
    assert lines[0]["Store"] == "'-1"
    buyer = world.read(NUMBER)["payment"]["buyer_id"]
    assert buyer.encode() not in content


def test_a_list_as_a_spreadsheet_has_numbers_and_no_formula(world: World, owner: Desk) -> None:
    content = ask(world, owner, format="xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        strings = "".join(
            book.read(name).decode() for name in book.namelist() if "haredStrings" in name
        )
    assert "<f>" not in sheet
    assert NUMBER in sheet + strings
    assert FORMULA.replace("'", "&apos;") in sheet + strings or FORMULA in sheet + strings
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    cells = ET.fromstring(sheet).iter(f"{space}c")
    numbers = [cell.findtext(f"{space}v") for cell in cells if cell.get("t") is None]
    assert {"88.88", "1288.00"} <= {*numbers}


def test_filters_and_language_go_along(world: World) -> None:
    with desk(world, "chinese", language="zh") as someone:
        answer = someone.post(f"{HOME}/exports", {"format": "csv", "q": "武夷"})
        world.settle()
        page = someone.client.get(answer.headers["location"]).text
        link = re.search(r'href="(/console/m/shop/exports/exp_[^"]+)"', page)
        assert link is not None
        lines = list(
            csv.DictReader(io.StringIO(someone.client.get(link[1]).content.decode("utf-8-sig")))
        )
    assert [(line["金额"], line["支付方式"]) for line in lines] == [("1288.00", "扫码")]


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_export_sees_asks_and_takes(world: World, role: Role) -> None:
    allowed = Right.ORDERS_EXPORT in RIGHTS[role]
    with desk(world, f"of-{role.value}", role) as someone:
        asked = someone.post(f"{HOME}/exports", {"format": "csv"})
        listed = someone.get(f"{HOME}/exports")
        taken = someone.get(f"{HOME}/exports/exp_0")
        offered = 'data-open="export"' in someone.get(f"{HOME}/orders").text
    assert (asked.status_code, listed.status_code) == ((303, 200) if allowed else (403, 403))
    assert taken.status_code == (404 if allowed else 403)
    assert offered is allowed


@given(st.text(max_size=40))
def test_no_text_is_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert text in cell


def test_times_and_amounts_are_plain() -> None:
    assert csv_cell(datetime.fromisoformat("2026-03-01T16:30:00+00:00")) == "2026-03-02 00:30:00"
    assert csv_cell(Decimal("-1.00")) == "-1.00"
    assert csv_cell(None) == ""


def test_columns_are_chosen_and_remembered(world: World, owner: Desk) -> None:
    assert "Way of paying</th>" in owner.get(f"{HOME}/orders").text
    chosen = owner.post("/m/shop/columns", {"trade_no": "yes", "buyer": "yes", "q": "茶"})
    assert "q=" in chosen.headers["location"]
    page = owner.get(f"{HOME}/orders").text
    assert "Alipay trade number</th>" in page
    assert "Way of paying</th>" not in page
    assert world.read(NUMBER)["trade_no"] in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=岩茶&way=qr", 1),
        ("least=80&most=100", 1),
        ("store_id=-1", 1),
        ("attention=yes", 0),
        ("late=yes", 0),
        ("status=paid", 1),
        ("least=abc", 2),
    ],
)
def test_the_list_is_narrowed(world: World, owner: Desk, query: str, found: int) -> None:
    page = owner.get(f"{HOME}/orders?{query}").text
    assert len(re.findall(r"<tr data-row=", page)) == found


def test_a_number_leads_to_its_order(world: World, owner: Desk) -> None:
    trade = world.read(NUMBER)["trade_no"]
    for held in (NUMBER, trade):
        assert owner.get(f"{HOME}/orders?q={held}").url.path.endswith(f"/orders/{NUMBER}")


def test_what_was_taken_is_in_the_trail_and_goes_after_its_days(world: World, owner: Desk) -> None:
    ask(world, owner, format="csv")
    who = str(owner.person.actor)
    assert deeds(world.service.context)[-2:] == [(who, "orders.exported"), (who, "export.taken")]
    page = owner.get(f"{HOME}/exports").text
    link = re.search(r'href="/console(/m/shop/exports/exp_[^"]+)"', page)
    assert link is not None
    world.advance(7 * 24 * 3600 + 1)
    with desk(world, "later") as later:
        assert later.get(link[1]).status_code == 404
        assert "Deleted" in said(later.get(f"{HOME}/exports"))
