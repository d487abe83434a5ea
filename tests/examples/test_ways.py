"""The programs of examples/ways: each is run as a person runs it, and somebody pays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from peers.desk import Desk, emulator_on_the_desk

WAYS = Path(__file__).parents[2] / "examples/ways"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    """An emulator in a process of its own."""
    with emulator_on_the_desk(tmp_path_factory.mktemp("ways")) as running:
        yield running


class Program:
    """A program that runs, and the lines that it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def says(self, what: str) -> str:
        """The value of the next line, which must be ``what``."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        said, _, value = line.strip().partition(": ")
        assert said == what, line or self._process.communicate()[1]
        return value

    def types(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def ends(self) -> tuple[int, str]:
        """Its exit status and what it complained of."""
        _, complaint = self._process.communicate(timeout=60)
        return self._process.returncode, complaint


@contextmanager
def running(name: str, desk: Desk, tmp_path: Path) -> Generator[Program]:
    account = tmp_path / "account.json"
    account.write_text(json.dumps(desk.credentials), "utf-8")
    process = subprocess.Popen(
        [sys.executable, WAYS / f"{name}.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ALIPAY_ACCOUNT": str(account)},
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["web_page", "phone_browser"])
def test_a_page(name: str, desk: Desk, tmp_path: Path) -> None:
    with running(name, desk, tmp_path) as program:
        number, address = program.says("order"), program.says("open")
        with httpx2.Client(follow_redirects=True, trust_env=False, verify=False) as browser:
            assert browser.get(address).status_code == 200
        desk.pay(number)
        assert program.says("paid").startswith("88.88 ")
        assert program.ends() == (0, "")


def test_an_app(desk: Desk, tmp_path: Path) -> None:
    with running("own_app", desk, tmp_path) as program:
        program.says("order")
        desk.control("pay", {"order_string": program.says("order_string")}).raise_for_status()
        assert program.says("paid").startswith("88.88 ")
        assert program.ends() == (0, "")


def test_a_code_on_the_screen(desk: Desk, tmp_path: Path) -> None:
    with running("shown_code", desk, tmp_path) as program:
        number, code = program.says("order"), program.says("scan")
        with httpx2.Client(follow_redirects=True, trust_env=False, verify=False) as phone:
            assert phone.get(code).status_code == 200
        desk.pay(number)
        assert program.says("paid").startswith("8.88 ")
        assert program.ends() == (0, "")


def test_the_buyers_code(desk: Desk, tmp_path: Path) -> None:
    with running("scanned_code", desk, tmp_path) as program:
        program.says("order")
        program.types(desk.payment_code())
        assert program.says("paid").startswith("8.88 ")
        assert program.ends() == (0, "")
    with running("scanned_code", desk, tmp_path) as program:
        number = program.says("order")
        program.types(desk.payment_code(behaviour="asks"))
        program.says("waits")
        desk.control("confirm", {"out_trade_no": number}).raise_for_status()
        program.says("paid")
    with running("scanned_code", desk, tmp_path) as program:
        program.says("order")
        program.types(desk.payment_code(behaviour="declines"))
        assert program.says("declined") == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    with running("scanned_code", desk, tmp_path) as program:
        program.says("order")
        program.types("6901234567892")
        status, complaint = program.ends()
        assert status == 1
        assert "no payment code" in complaint


def test_a_shared_payment(desk: Desk, tmp_path: Path) -> None:
    with running("shared_payment", desk, tmp_path) as program:
        number, address = program.says("order"), program.says("open")
        with httpx2.Client(follow_redirects=True, trust_env=False, verify=False) as browser:
            assert browser.get(address).status_code == 200
        desk.pay(number)
        assert program.says("paid").startswith("88.88 ")
        assert program.says("shared").isdigit()
        assert program.ends() == (0, "")


def test_a_mini_program(desk: Desk, tmp_path: Path) -> None:
    with running("mini_program", desk, tmp_path) as program:
        program.says("order")
        desk.control("trade_pay", {"trade_no": program.says("tradeNO")}).raise_for_status()
        assert program.says("paid").startswith("8.88 ")
        assert program.ends() == (0, "")


def test_a_deposit(desk: Desk, tmp_path: Path) -> None:
    with running("deposit", desk, tmp_path) as program:
        number, code = program.says("hold"), program.says("scan")
        with httpx2.Client(follow_redirects=True, trust_env=False, verify=False) as phone:
            assert phone.get(code).status_code == 200
            assert phone.post(f"{code}/agree").status_code == 200
        assert program.says("frozen").startswith("500.00 ")
        assert program.says("paid").startswith("120.00 ")
        assert program.ends() == (0, "")
    (hold,) = [
        one
        for one in httpx2.get(
            f"{desk.address}/_control/holds", trust_env=False, verify=False
        ).json()["holds"]
        if one["out_order_no"] == number
    ]
    assert (hold["status"], hold["released_amount"]) == ("FINISH", "380.00")


def test_a_membership(desk: Desk, tmp_path: Path) -> None:
    with running("membership", desk, tmp_path) as program:
        number, address = program.says("agreement"), program.says("open")
        with httpx2.Client(follow_redirects=True, trust_env=False, verify=False) as browser:
            assert browser.get(address).status_code == 200
        desk.control(f"agreements/{number}", {"action": "sign"}).raise_for_status()
        program.says("signed")
        assert program.says("paid").startswith("30.00 ")
        assert program.ends() == (0, "")
