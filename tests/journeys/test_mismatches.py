"""Mismatches of every class, laid into days on purpose: all are found, classified right, and none is invented."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from daozhang.service.bills import store as bills
from daozhang.service.bills.model import StatementKind, StatementStatus
from daozhang.service.reconciliation.model import MismatchClass
from databases import on_postgresql
from figures import note_figures
from mismatched_accounts import KINDS, SOME_KINDS, Kind, seed_account
from mismatches import Seeding, all_found
from reconciling import to_hour
from shops import three_shops


def test_what_is_laid_into_days_is_found_and_nothing_else(tmp_path: Path) -> None:
    _mismatches(tmp_path, SOME_KINDS, a_day=12, seed=11)


@pytest.mark.chaos
@pytest.mark.timeout(7200)
def test_of_1000_mismatches_all_are_found_and_nothing_else(tmp_path: Path) -> None:
    _mismatches(tmp_path, KINDS, a_day=1000 // len(KINDS) + 1, seed=12)


def _mismatches(directory: Path, kinds: Sequence[Kind], *, a_day: int, seed: int) -> None:
    began = time.monotonic()
    with three_shops(directory) as (world, shops):
        seeding = Seeding(world, shops, random.Random(seed))
        seeding.set_rules()
        for kind in kinds:
            seeding.live_day(a_day, partial(seed_account, kind))
        to_hour(world, 10, days=1)  # what midnight has cut of the last day stands in this bill
        world.settle()
        assert _statuses(seeding, StatementKind.TRADE) == {StatementStatus.READY}
        # One account is paid out later: there is nothing in its first bill.
        assert _statuses(seeding, StatementKind.ACCOUNT) == {
            StatementStatus.READY,
            StatementStatus.NONE,
        }
        found = all_found(seeding)
    expected = set(seeding.expected)
    assert len(expected) == len(seeding.expected) >= len(kinds) * a_day
    assert set(found) - expected == set(), "invented"
    assert expected - set(found) == set(), "not found"
    assert len(found) == len(expected)
    cut = {one for one in found if one.resolution == MismatchClass.DAY_CUT.value}
    classes = {one.mismatch for one in found} | ({MismatchClass.DAY_CUT} if cut else set())
    assert classes == set(MismatchClass)
    row = {
        "database": "postgresql" if on_postgresql() else "sqlite",
        "seeded": len(expected),
        **seeding.seeded,
        "not found": 0,
        "classified otherwise": 0,
        "invented": 0,
        "seconds": round(time.monotonic() - began),
    }
    note_figures("mismatches", row)
    print(f"\n{row}")


def _statuses(seeding: Seeding, kind: StatementKind) -> set[StatementStatus]:
    """How the bills of the days stand: none is held."""
    found: set[StatementStatus] = set()
    with seeding.world.service.context.database.read() as tx:
        for shop in seeding.shops:
            for day in seeding.days:
                where = ("emulator", shop.seller_id, kind.value, day.isoformat())
                statement = bills.find_statement(tx, *where)
                assert statement is not None
                found.add(statement.status)
    return found
