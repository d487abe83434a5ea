"""A restored backup is behind the world; after `daozhang recover` it is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agreeing import create as create_agreement
from agreeing import open_page, signed
from daozhang.cli.main import build
from daozhang.money import Money
from databases import on_postgresql
from holding import capture, frozen, release
from holding import create as create_hold
from holding import read as read_hold
from worlds import World

pytestmark = pytest.mark.skipif(on_postgresql(), reason="what is restored is a file of SQLite")
runner = CliRunner()
LATER = timedelta(minutes=10)


class Operator:
    """Takes a backup of a world's service, and brings it back."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.file = directory / "backup.sqlite3"
        self.settings = {"DAOZHANG_DATA_DIR": str(directory / "service"), "COLUMNS": "200"}
        # The command line has the system's clock, so the world has it too.
        world.clock.set(datetime.now(UTC))
        self.since = ""

    def run(self, *arguments: str) -> Result:
        result = runner.invoke(build(arguments[0]), arguments, env=self.settings)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def back_up(self) -> None:
        self.since = (datetime.now(UTC) - LATER).isoformat()
        assert self.run("backup", str(self.file), "--json").exit_code == 0

    def restore(self) -> None:
        self.world.stop_service()
        assert self.run("restore", str(self.file), "--replace", "--json").exit_code == 0

    def recover(self, *more: str, exit_code: int = 0) -> dict[str, Any]:
        result = self.run("recover", "--since", self.since, *more, "--json")
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)


@pytest.fixture
def operator(world: World, tmp_path: Path) -> Operator:
    return Operator(world, tmp_path)


def at_alipay(world: World, number: str) -> tuple[str, Money]:
    """What the emulator's ledger says of a trade."""
    trade = world.emulator.trade(number)
    return trade.status.value, trade.refunded


def test_what_happened_since_the_backup_is_booked(
    world: World, operator: Operator, tmp_path: Path
) -> None:
    for number in ("PAID", "PAYING", "REFUNDED", "PARTLY", "OPEN", "GONE", "UNOPENED"):
        world.order("88.88", out_trade_no=number)
    for number in ("PAID", "REFUNDED", "PARTLY"):
        world.pay(number)
    world.open_page("OPEN")
    world.settle()
    operator.back_up()
    world.pay("PAYING")
    assert world.refund("REFUNDED", "88.88", "REFUNDED").status_code == 201
    assert world.refund("PARTLY", "8.88", "r-1").status_code == 201
    world.pay("GONE")
    world.settle()
    assert world.refund("GONE", "88.88", "GONE").status_code == 201
    world.settle()
    assert world.read("REFUNDED")["status"] == "refunded"
    operator.restore()
    books = tmp_path / "refunds.csv"
    books.write_text("out_trade_no,out_request_no\nPARTLY,r-1\n")
    told = operator.recover("--refunds", str(books))
    assert told["orders_asked"] == 7
    changed = {one["out_trade_no"]: one for one in told["changes"]}
    assert changed.keys() == {"PAYING", "REFUNDED", "PARTLY", "OPEN", "GONE"}
    assert changed["PARTLY"]["refunded_after"] == "8.88"
    assert operator.recover()["changes"] == [], "a second time there is nothing to learn"
    world.start_service()
    world.settle()
    for number in ("PAID", "PAYING", "REFUNDED", "PARTLY", "OPEN", "GONE"):
        order, (status, refunded) = world.read(number), at_alipay(world, number)
        assert order["refunded_amount"] == str(refunded), number
        expected = {"TRADE_SUCCESS": "paid", "TRADE_CLOSED": "refunded"}.get(status, "waiting")
        assert order["status"] == expected, number
    assert world.read("UNOPENED")["status"] == "created"
    assert [one["amount"] for one in world.refunds("PARTLY")] == ["8.88"]
    assert [one["origin"] for one in world.refunds("REFUNDED")] == ["external"]
    assert world.events("PAYING").count("order.paid") == 1


def test_a_refund_that_may_have_been_sent_is_asked_about_first(
    world: World, operator: Operator
) -> None:
    world.order("10.00", out_trade_no="T1")
    world.pay("T1")
    world.settle()
    world.emulator.set_fault("gateway_20000", method="alipay.trade.refund", times=1)
    assert world.refund("T1", "4.00", "r-1").status_code == 201
    operator.back_up()
    world.advance(60)
    assert world.refunds("T1")[0]["status"] == "succeeded"
    operator.restore()
    told = operator.recover()
    assert [one["refunded_after"] for one in told["changes"]] == ["4.00"]
    world.start_service()
    world.advance(3600)
    [refund] = world.refunds("T1")
    assert (refund["status"], refund["origin"]) == ("succeeded", "ours")
    assert at_alipay(world, "T1")[1] == Money.parse("4.00")
    assert world.read("T1")["reserved_amount"] == "0.00"


def test_what_stays_unclear_is_said(world: World, operator: Operator) -> None:
    world.order("10.00", out_trade_no="T1")
    world.pay("T1")
    world.settle()
    operator.back_up()
    world.refund("T1", "10.00", "shop-1")
    world.settle()
    operator.restore()
    told = operator.recover(exit_code=1)
    assert told["unanswered"] == ["order T1: paid, then closed; by which refund is not known"]
    assert "people have to look" in operator.run("recover", "--since", operator.since).stdout
    world.emulator.set_fault("gateway_20000", method="alipay.trade.query")
    assert operator.recover(exit_code=1)["unanswered"] == ["order T1"]


@pytest.mark.parametrize("since", ["2026-03-02T09:00:00", "yesterday"])
def test_a_moment_without_a_zone_is_refused(operator: Operator, since: str) -> None:
    refused = operator.run("recover", "--since", since)
    assert refused.exit_code == 2
    assert "+08:00" in refused.stderr


@pytest.mark.parametrize("text", ["", "order,refund\n1,2\n", "out_trade_no,out_request_no\n1,\n"])
def test_a_list_that_cannot_be_read_is_refused(
    operator: Operator, tmp_path: Path, text: str
) -> None:
    books = tmp_path / "books.csv"
    books.write_text(text)
    refused = operator.run("recover", "--since", "2026-03-02T09:00Z", "--refunds", str(books))
    assert refused.exit_code == 2
    assert "out_trade_no,out_request_no" in refused.stderr


def test_what_became_of_holds_and_agreements_is_learned(world: World, operator: Operator) -> None:
    taken, waits = frozen(world), create_hold(world, "qr")
    assert world.api.post(f"/v1/holds/{waits}/qr_code").status_code == 200
    ended, made = signed(world), create_agreement(world)
    open_page(world, made)
    operator.back_up()
    capture(world, taken, "120.00", f"{taken}-c1")
    release(world, taken, "80.00", f"{taken}-r1")
    world.emulator.play_hold(waits)
    world.emulator.agree(made["external_agreement_no"])
    assert world.api.post(f"/v1/agreements/{ended}/unsign").status_code in (200, 202)
    world.settle()
    world.advance(30)
    assert read_hold(world, taken)["balance"]["remaining_amount"] == "300.00"
    operator.restore()
    told = operator.recover()
    moved = {one["number"]: (one["kind"], one["before"], one["after"]) for one in told["moved"]}
    before = "authorized, taken 0.00, let go 0.00"
    assert moved == {
        taken: ("hold", before, "authorized, taken 120.00, let go 80.00"),
        waits: ("hold", "created, taken 0.00, let go 0.00", before),
        ended: ("agreement", "active", "ended"),
        made["external_agreement_no"]: ("agreement", "created", "active"),
    }
    assert told["consents_asked"] == 4
    assert operator.recover()["moved"] == [], "a second time there is nothing to learn"
    world.start_service()
    world.settle()
    assert read_hold(world, taken)["balance"]["remaining_amount"] == "300.00"
    world.emulator.set_fault("gateway_20000", method="alipay.fund.auth.operation.detail.query")
    world.stop_service()
    assert f"hold {taken}" in operator.recover(exit_code=1)["unanswered"]
