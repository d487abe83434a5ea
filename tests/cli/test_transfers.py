"""``daozhang transfers``: limits before anything, one transfer, and a sheet that is tried first."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.test_service import Operator
from daozhang.service.transfers.templates import csv_template, workbook_template

SEND = ("--amount", "12.00", "--title", "佣金")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """A shop that may not send anything yet."""
    operator = Operator(tmp_path / "data")
    operator.answer("migrate")
    operator.add_app()
    operator.add_merchant()
    return operator


def test_nothing_is_sent_before_limits_are_set_and_one_number_is_one_transfer(
    operator: Operator,
) -> None:
    asked = ("transfers", "send", "my-shop", "--number", "T1", *SEND)
    payee = ("--logon-id", "13800138000", "--name", "张小明")
    assert operator.refusal(*asked, *payee)["code"] == "transfers_not_set_up"
    shown = operator.run("transfers", "limits", "my-shop", "--single-max", "100.00")
    assert "二清" in shown.output
    limits = operator.answer("transfers", "limits", "my-shop")
    assert (limits["single_max"], limits["day_max"], limits["set"]) == ("100.00", None, True)
    sent = operator.answer(*asked, *payee)
    assert (sent["status"], sent["payee"]) == ("requested", "138****8000 **明")
    assert operator.answer(*asked, *payee) == sent
    assert operator.refusal(*asked, "--user-id", "2088000000000001")["code"] == "transfer_conflict"
    assert operator.run(*asked).exit_code == 2
    read = operator.answer("transfers", "show", "my-shop", "T1")
    assert read["amount"] == "12.00"
    assert "登记" in operator.run("transfers", "show", "my-shop", "T1").output
    assert operator.refusal("transfers", "show", "my-shop", "T2")["code"] == "transfer_not_found"


@pytest.mark.parametrize(
    ("name", "content"), [("march.csv", csv_template("gbk")), ("march.xlsx", workbook_template())]
)
def test_a_sheet_is_tried_and_then_waits_for_a_second_person(
    operator: Operator, tmp_path: Path, name: str, content: bytes
) -> None:
    operator.answer("transfers", "limits", "my-shop", "--second-person-above", "100.00")
    file = tmp_path / name
    file.write_bytes(content)
    asked = ("transfers", "batch", "my-shop", str(file))
    tried = operator.answer(*asked, "--dry-run")
    assert (tried["rows"], tried["amount"]) == (3, "2194.60")
    assert (tried["problems"], tried["takes_second_person"]) == ([], True)
    assert "未发现问题" in operator.run(*asked, "--dry-run").output
    sent = operator.answer(*asked, "--number", "2026-03", "--title", "佣金")
    assert (sent["status"], sent["progress"]) == ("awaiting_approval", {"awaiting_approval": 3})
    again = operator.run(*asked, "--dry-run").output
    assert again.count("已存在") == 3
