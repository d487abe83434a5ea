"""How a settlement moves, and what Alipay's words prove of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daozhang.money import Money
from daozhang.service.settlements import diagram
from daozhang.service.settlements.model import Outcome, Settlement, SettlementStatus
from daozhang.service.settlements.rules import (
    ALREADY_CODE,
    TRANSITIONS,
    confirmed,
    refused,
    told,
)
from daozhang.service.sharing.rules import Follow

DOCS = Path(__file__).parents[2] / "docs" / "reference"
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SETTLEMENT = Settlement(
    id=1,
    order_id=1,
    merchant_id=1,
    out_request_no="S1",
    status=SettlementStatus.UNKNOWN,
    amount=Money(100_00),
    freezes=False,
    created_at=NOW,
    updated_at=NOW,
    call_count=1,
)


def test_every_cell_of_the_table_is_written() -> None:
    assert set(TRANSITIONS) == set(SettlementStatus)
    for row in TRANSITIONS.values():
        assert set(row) == set(Outcome)


def test_the_page_is_made_from_the_table() -> None:
    assert diagram.page() == (DOCS / "settlement-states.md").read_text("utf-8"), (
        "run: python -m daozhang.service.settlements.diagram > docs/reference/settlement-states.md"
    )


def test_only_a_proof_confirms_and_only_a_first_no_fails() -> None:
    ends = {
        (status, outcome): move.to
        for status, row in TRANSITIONS.items()
        for outcome, move in row.items()
        if move.to in (SettlementStatus.CONFIRMED, SettlementStatus.FAILED)
    }
    assert ends == {
        (SettlementStatus.REQUESTED, Outcome.PROVEN): SettlementStatus.CONFIRMED,
        (SettlementStatus.UNKNOWN, Outcome.PROVEN): SettlementStatus.CONFIRMED,
        (SettlementStatus.FAILED, Outcome.PROVEN): SettlementStatus.CONFIRMED,
        (SettlementStatus.REQUESTED, Outcome.REJECTED): SettlementStatus.FAILED,
    }
    assert TRANSITIONS[SettlementStatus.FAILED][Outcome.PROVEN].surprise
    assert TRANSITIONS[SettlementStatus.UNKNOWN][Outcome.REJECTED].follow is Follow.ASK


def detail(number: str = "S1", amount: object = "100.00", kind: str = "settle") -> dict[str, Any]:
    return {"operation_type": kind, "operation_serial_no": number, "amount": amount}


@pytest.mark.parametrize(
    ("status", "info", "outcome"),
    [
        ("TRADE_SUCCESS", {"trade_unsettled_amount": "100.00"}, Outcome.ABSENT),
        ("TRADE_SUCCESS", {"trade_unsettled_amount": "0.00"}, Outcome.PROVEN),
        ("TRADE_FINISHED", {"trade_unsettled_amount": "0.00"}, Outcome.PROVEN),
        ("TRADE_CLOSED", {"trade_unsettled_amount": "0.00"}, Outcome.ABSENT),
        ("TRADE_CLOSED", {"trade_settle_detail_list": [detail()]}, Outcome.PROVEN),
        ("TRADE_SUCCESS", {"trade_settle_detail_list": [detail(kind="on_settle")]}, Outcome.PROVEN),
        # A share under the same number is no settlement; nor is another's settlement ours.
        ("TRADE_SUCCESS", {"trade_settle_detail_list": [detail(kind="transfer")]}, Outcome.UNKNOWN),
        ("TRADE_SUCCESS", {"trade_settle_detail_list": [detail("S2")]}, Outcome.UNKNOWN),
        # What is listed wins over what waits: another part may wait.
        (
            "TRADE_SUCCESS",
            {"trade_unsettled_amount": "5.00", "trade_settle_detail_list": [detail()]},
            Outcome.PROVEN,
        ),
        ("TRADE_SUCCESS", {"trade_settle_detail_list": [detail(amount="99.99")]}, Outcome.UNKNOWN),
        ("TRADE_SUCCESS", {"trade_settle_detail_list": [detail(amount=100.0)]}, Outcome.UNKNOWN),
        ("TRADE_SUCCESS", {"trade_unsettled_amount": "a lot"}, Outcome.UNKNOWN),
        ("TRADE_SUCCESS", {"trade_settle_detail_list": "none"}, Outcome.UNKNOWN),
        ("TRADE_SUCCESS", {}, Outcome.UNKNOWN),
        ("TRADE_SUCCESS", None, Outcome.UNKNOWN),
        (None, None, Outcome.UNKNOWN),
    ],
)
def test_what_a_query_proves(
    status: str | None, info: dict[str, Any] | None, outcome: Outcome
) -> None:
    assert told(SETTLEMENT, status, info).outcome is outcome


def test_another_amount_than_was_asked_for_proves_nothing() -> None:
    assert confirmed(SETTLEMENT, Money(100_00)).outcome is Outcome.PROVEN
    assert confirmed(SETTLEMENT, None).outcome is Outcome.PROVEN
    other = confirmed(SETTLEMENT, Money(99_99))
    assert (other.outcome, other.code) == (Outcome.UNKNOWN, "differs")
    assert "99.99" in str(other.message)


def test_confirmed_already_says_by_whom_only_to_the_first_call() -> None:
    fresh = replace(SETTLEMENT, status=SettlementStatus.REQUESTED, call_count=0)
    assert refused(fresh, ALREADY_CODE, "").outcome is Outcome.REJECTED
    sent_before = replace(fresh, call_count=1)
    assert refused(sent_before, ALREADY_CODE, "").outcome is Outcome.UNKNOWN
    assert refused(sent_before, "ACQ.RISK_SETTLE_SUSPEND", "").outcome is Outcome.REJECTED
