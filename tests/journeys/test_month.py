"""A month of three merchants in all weather: every day reconciles, and the ledger is Alipay's accounts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from databases import on_postgresql
from figures import note_figures
from month import Month
from month_books import check_month
from shops import three_shops

REQUIRED = {
    "notify_twice",
    "notify_answer_lost",
    "notify_out_of_order",
    "notify_bad_signature",
    "notify_never",
    "gateway_20000",
    "gateway_timeout_after_success",
}
"""Faults that must have struck, or it was no storm."""


@pytest.mark.timeout(900)
def test_a_day_in_a_storm_reconciles(tmp_path: Path) -> None:
    _month(tmp_path, days=1, orders=24, seed=4)


@pytest.mark.chaos
@pytest.mark.timeout(14_400)
def test_a_month_in_a_storm_reconciles(tmp_path: Path) -> None:
    _month(tmp_path, days=30, orders=667, seed=3)


def _month(directory: Path, *, days: int, orders: int, seed: int) -> None:
    began = time.monotonic()
    with three_shops(directory) as (world, shops):
        month = Month(world, shops, seed=seed)
        try:
            month.live(days, orders=orders)
            found = check_month(month)
        finally:
            month.close()
        assert min(found["refunds"], found["shares"], found["transfers"]) > 0
        assert not REQUIRED - set(month.struck()), month.struck()
        row = {
            "database": "postgresql" if on_postgresql() else "sqlite",
            "days": days,
            "orders": len(month.lives),
            **found,
            "faults that struck": sum(month.struck().values()),
            "seconds": round(time.monotonic() - began),
        }
    note_figures("month", row)
    print(f"\n{row}\nstruck: {dict(month.struck())}\nanswered: {dict(month.refusals)}")
