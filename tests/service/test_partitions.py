"""The scale guide's partitions: its very SQL, on a database with rows, and payments across the cut."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from daozhang.service.db import Database
from signed_world import SignedWorld, paid, signed_world

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/scale.md"

pytestmark = pytest.mark.skipif(
    "config.getoption('--database') != 'postgresql'", reason="SQLite has no partitions"
)


def blocks() -> list[str]:
    return re.findall(r"```sql\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


def run(database: Database, script: str) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql(script)


def numbers(database: Database, table: str) -> list[int]:
    with database.engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT number FROM {table} ORDER BY number"))
        return list(found.scalars())


def pay(world: SignedWorld, number: str) -> None:
    world.create(number)
    world.tell(paid(number))
    world.pass_time()


def test_events_are_cut_by_month_and_payments_go_on(tmp_path: Path) -> None:
    to_partitions, next_month = blocks()
    with signed_world(tmp_path) as world:
        database = world.context.database
        pay(world, "A-1")
        first_cut = numbers(database, "events")[-1] + 3
        run(database, to_partitions.replace("1000000", str(first_cut)))
        for number in range(2, 7):
            pay(world, f"A-{number}")
        second_cut = numbers(database, "events")[-1] + 2
        cuts = {"1000000": str(first_cut), "2000000": str(second_cut)}
        run(database, re.sub("|".join(cuts), lambda found: cuts[found[0]], next_month))
        for number in range(7, 12):
            pay(world, f"A-{number}")
        # The same notification again, long after its month: known.
        world.tell(paid("A-1"))
        world.pass_time()

        events = world.events()
        assert events == [("order.paid", f"A-{number}") for number in range(1, 12)]
        whole = numbers(database, "events")
        parts = [numbers(database, f"events_{name}") for name in ("until_march", "april", "may")]
        assert all(parts)
        assert [one for part in parts for one in part] == whole
        assert parts[0][-1] < first_cut <= parts[1][0]
        assert parts[1][-1] < second_cut <= parts[2][0]
