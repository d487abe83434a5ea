"""Bills that are read at the same time: what differs stays open, however their readings cross."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from daozhang.clock import business_day
from daozhang.emulator.oddities import OddityName
from daozhang.service.bills.model import StatementKind
from daozhang.service.reconciliation.actions import Reconciler
from daozhang.service.reconciliation.model import MismatchClass
from reconciling import found, morning_after, odd, pay, statement, to_hour
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
