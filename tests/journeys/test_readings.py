"""Bills that are read at the same time: what differs stays open, however their readings cross."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from daozhang.clock import business_day
from daozhang.emulator.oddities import OddityName
from daozhang.service.bills import store as bills
from daozhang.service.bills.model import FileStatus, StatementKind, StatementStatus
from daozhang.service.reconciliation.actions import Reconciler
from daozhang.service.reconciliation.model import MismatchClass
from reconciling import bring_changed, found, morning_after, odd, pay, statement, to_hour
from worlds import running

ROUNDS = 12
AT_ONCE = 6


def test_a_bill_that_is_read_by_several_at_once_keeps_what_differs(tmp_path: Path) -> None:
    with running(tmp_path, chosen={"fetch_bills": True}) as world:
        to_hour(world, 12)
        day = business_day(world.clock.now())
        number = pay(world)
        odd(world, OddityName.AMOUNT_OFF, number, day=day)
        odd(world, OddityName.FOREIGN_LINE, day=day)
        morning_after(world)
        before = found(world, day)
        assert len(before) == 2, before
        assert (MismatchClass.AMOUNT_DIFFERS, f"payment:{number}") in before
        reconciler = Reconciler(world.service.context)
        which = [statement(world, day, kind.value).id for kind in StatementKind]
        with ThreadPoolExecutor(AT_ONCE) as readers:
            # The last round is what stays, so each is looked at.
            for _ in range(ROUNDS):
                list(readers.map(reconciler.run, which * (AT_ONCE // len(which))))
                assert found(world, day) == before


def test_a_file_that_is_chosen_while_another_is_read_waits_for_its_own_reading(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "world", chosen={"fetch_bills": True}) as world:
        to_hour(world, 12)
        day = business_day(world.clock.now())
        pay(world)
        morning_after(world)
        read = statement(world, day)
        bring_changed(world, day, tmp_path, bytes)
        database = world.service.context.database
        with ThreadPoolExecutor(1) as reader:
            with database.begin() as tx:
                if tx.dialect == "postgresql":  # SQLite has one writer anyway
                    tx.execute(sa.text("LOCK TABLE reconciliation_runs IN EXCLUSIVE MODE"))
                running_ = reader.submit(Reconciler(world.service.context).run, read.id)
                with pytest.raises(TimeoutError):  # it comes to writing what it has found
                    running_.result(timeout=2)
                second, first = bills.list_files(tx, read.id)
                bills.update_file(tx, second.id, status=FileStatus.REPLACED.value)
                kept = StatementStatus.KEPT.value
                bills.update_statement(tx, read.id, file_id=first.id, status=kept)
            running_.result(timeout=30)
        assert statement(world, day).status is StatementStatus.KEPT
        with database.read() as tx:
            assert bills.list_files(tx, read.id)[0].status is FileStatus.REPLACED
        Reconciler(world.service.context).run(read.id)
        assert statement(world, day).status is StatementStatus.READY
