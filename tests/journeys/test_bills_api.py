"""Bills and matching over HTTP: fetched now, given by hand, downloaded as they came, matched again."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Generator
from datetime import date, timedelta

import pytest

from daozhang.clock import business_day
from daozhang.emulator.oddities import Oddity, OddityName
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop that fetches no bill by itself, the day after it was paid."""
    with running(tmp_path_factory.mktemp("world")) as made:
        number = made.order("88.88")
        made.pay(number)
        made.settle()
        oddity = Oddity(OddityName.FOREIGN_LINE, bill_type="trade", day=yesterday(made, 0))
        made.emulator.desk.account.oddities.set(oddity)
        made.advance(26 * 3600)
        yield made


def yesterday(world: World, days: int = 1) -> date:
    return business_day(world.clock.now()) - timedelta(days=days)


def with_one_more_file(content: bytes) -> bytes:
    """The same bill, packed by somebody else."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content), metadata_encoding="gbk") as old,
        zipfile.ZipFile(packed, "w") as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
        # Larger than any other call may be.
        new.writestr("readme.txt", b"x" * 200_000)
    return packed.getvalue()


def test_a_bill_is_fetched_given_chosen_and_matched_again(world: World) -> None:
    day = yesterday(world).isoformat()
    api = world.api
    assert api.get(f"/v1/bills/trade/{day}").json()["code"] == "bill_not_found"
    assert api.post(f"/v1/reconciliation/days/{day}/runs").json()["code"] == "nothing_to_match"
    asked = api.post(f"/v1/bills/trade/{day}/fetch")
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
    world.settle()
    bill = api.get(f"/v1/bills/trade/{day}").json()
    assert bill["status"] == "ready", bill
    (file,) = bill["files"]
    assert (file["stands"], file["origin"], file["line_count"]) == (True, "fetched", 2)
    assert api.post(f"/v1/bills/trade/{day}/fetch").json()["code"] == "bill_here"

    content = api.get(f"/v1/bills/files/{file['id']}/content").content
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    again = api.post("/v1/bills/files", content=content)
    assert [one["id"] for one in again.json()["files"]] == [file["id"]]
    other = with_one_more_file(content)
    stands = api.post("/v1/bills/files", params={"name": "mine.zip"}, content=other)
    assert stands.json()["code"] == "bill_stands"
    mine, _ = api.get("/v1/bills", params={"first": day, "last": day}).json()["data"][0]["files"]
    assert (mine["name"], mine["stands"]) == ("mine.zip", False)
    nobodys = api.post(f"/v1/bills/trade/{day}/choose", json={"file": "bill_nobodys"})
    assert (nobodys.status_code, nobodys.json()["code"]) == (404, "bill_not_found")
    chosen = api.post(f"/v1/bills/trade/{day}/choose", json={"file": mine["id"]}).json()
    assert [one["stands"] for one in chosen["files"]] == [True, False]
    world.settle()
    assert api.get(f"/v1/bills/trade/{day}").json()["status"] == "ready"


def test_what_differs_is_told_and_set_aside_by_a_rule(world: World) -> None:
    day = yesterday(world).isoformat()
    api = world.api
    shown = api.get(f"/v1/reconciliation/days/{day}").json()
    assert (shown["run"]["line_count"], shown["run"]["matched_amount"]) == (2, "88.88")
    (count,) = shown["open"]
    assert (count["mismatch"], count["count"]) == ("missing_here", 1)
    page = api.get("/v1/reconciliation/mismatches", params={"day": day, "open": True}).json()
    (one,) = page["data"]
    assert one["say_zh"].endswith("本系统没有记录")
    assert one["evidence"]["bill"]["total"] == one["theirs"] == count["amount"]
    assert api.get(f"/v1/reconciliation/mismatches/{one['id']}").json() == one

    rule = api.post("/v1/reconciliation/rules", json={"prefix": "OTHER", "note": "old shop"})
    assert rule.status_code == 201
    same = api.post("/v1/reconciliation/rules", json={"prefix": "OTHER"}).json()
    assert same == rule.json()
    assert api.post(f"/v1/reconciliation/days/{day}/runs").status_code == 202
    world.settle()
    assert api.get(f"/v1/reconciliation/days/{day}").json()["open"] == []
    params = {"day": day, "mismatch": "foreign", "limit": 1}
    (aside,) = api.get("/v1/reconciliation/mismatches", params=params).json()["data"]
    assert (aside["out_trade_no"], aside["resolution"]) == (one["out_trade_no"], "set_aside")

    path = f"/v1/reconciliation/rules/{rule.json()['id']}"
    assert api.delete(path).status_code == 204
    assert api.delete(path).json()["code"] == "foreign_rule_not_found"
    assert api.get("/v1/reconciliation/rules").json()["data"] == []


def test_what_is_no_bill_of_this_account_is_refused(world: World) -> None:
    api = world.api
    assert api.post("/v1/bills/files", content=b"not a bill").json()["code"] == "bill_unreadable"
    today = yesterday(world, 0).isoformat()
    assert api.post(f"/v1/bills/trade/{today}/fetch").json()["code"] == "bill_not_over"
    assert api.post("/v1/bills/trade/2026-02-30/fetch").json()["code"] == "bill_not_found"
    assert api.get("/v1/bills", params={"first": "2020-01-01"}).json()["code"] == "span_too_long"
    headers = {"Authorization": "Bearer nobody"}
    assert api.post("/v1/bills/files", content=b"x", headers=headers).status_code == 401
