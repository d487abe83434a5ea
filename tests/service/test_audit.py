"""The trail of who did what: one chain, whole or seen to be broken, on both databases."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

import deployment
from daozhang.service.audit.actions import as_csv, as_jsonl, record, verify_chain
from daozhang.service.audit.model import SYSTEM, Actor, ActorKind
from daozhang.service.audit.rules import GENESIS, Anchor, Break, Verdict
from daozhang.service.audit.store import all_entries, list_entries
from daozhang.service.web.context import Context
from databases import run

WANG = Actor(ActorKind.PERSON, "1", "wang@example.com")


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path)
    yield context
    context.database.dispose()


def write(context: Context, count: int = 1, actor: Actor = WANG) -> None:
    for number in range(count):
        with context.database.begin() as tx:
            now = context.clock.now()
            record(tx, actor, "order.closed", f"order:t-{number}", now, reason="=买家不要了")


def test_rows_follow_each_other_and_the_trail_is_whole(context: Context) -> None:
    assert verify_chain(context.database) == Verdict(0, GENESIS)
    write(context, 3)
    with context.database.read() as tx:
        rows = list(all_entries(tx))
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert [row.previous_hash for row in rows] == [GENESIS, rows[0].hash, rows[1].hash]
    assert rows[0].actor == WANG
    assert rows[0].at == context.clock.now()
    assert rows[0].detail == {"reason": "=买家不要了"}
    assert verify_chain(context.database) == Verdict(3, rows[2].hash)


def test_what_is_rolled_back_was_never_done(context: Context) -> None:
    def break_off() -> None:
        with context.database.begin() as tx:
            record(tx, SYSTEM, "order.closed", "order:t-1", context.clock.now())
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()
    write(context)
    assert verify_chain(context.database).rows == 1


@pytest.mark.parametrize(
    ("deed", "broken", "at"),
    [
        ("UPDATE audit_entries SET detail = '{}' WHERE id = 2", Break.CHANGED, 2),
        ("UPDATE audit_entries SET actor_name = 'li@example.com' WHERE id = 2", Break.CHANGED, 2),
        ("UPDATE audit_entries SET merchant_id = 9 WHERE id = 2", Break.CHANGED, 2),
        ("DELETE FROM audit_entries WHERE id = 2", Break.UNLINKED, 3),
        ("DELETE FROM audit_entries WHERE id = 1", Break.UNLINKED, 2),
        ("UPDATE audit_entries SET id = 7 WHERE id = 3", Break.UNLINKED, 4),
    ],
)
def test_whoever_meddles_with_it_is_seen(
    context: Context, deed: str, broken: Break, at: int
) -> None:
    write(context, 4)
    run(context.database, deed)
    verdict = verify_chain(context.database)
    assert (verdict.broken, verdict.at) == (broken, at)


def test_what_was_noted_down_elsewhere_shows_a_trail_that_was_cut_or_written_anew(
    context: Context,
) -> None:
    write(context, 4)
    noted = verify_chain(context.database)
    anchor = Anchor(noted.rows, noted.head)
    write(context)
    assert verify_chain(context.database, anchor).broken is None
    run(context.database, "DELETE FROM audit_entries WHERE id > 3")
    assert verify_chain(context.database).broken is None
    assert verify_chain(context.database, anchor).broken is Break.CUT
    write(context, actor=SYSTEM)
    assert verify_chain(context.database, anchor).broken is Break.REWRITTEN


def test_many_at_once_write_one_chain(context: Context) -> None:
    writers = [threading.Thread(target=write, args=(context, 20)) for _ in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    verdict = verify_chain(context.database)
    assert (verdict.rows, verdict.broken) == (100, None)


def test_the_trail_is_read_from_the_newest_on_and_searched(context: Context) -> None:
    write(context, 3)
    write(context, 1, actor=SYSTEM)
    with context.database.read() as tx:
        newest = list_entries(tx, rows_max=2)
        assert [row.sequence for row in newest] == [4, 3]
        assert [row.sequence for row in list_entries(tx, rows_max=9, before=3)] == [2, 1]
        of_system = list_entries(tx, rows_max=9, actor="system:daozhang")
        assert [row.sequence for row in of_system] == [4]
        assert [row.sequence for row in list_entries(tx, rows_max=9, subject="order:t-1")] == [2]
        assert len(list_entries(tx, rows_max=9, action="order.")) == 4
        assert list_entries(tx, rows_max=9, action="person.") == []


def test_an_export_is_word_for_word_and_no_cell_is_a_formula(context: Context) -> None:
    write(context, 2, replace(WANG, name="=HYPERLINK(1)"))
    with context.database.read() as tx:
        lines = [json.loads(line) for line in as_jsonl(all_entries(tx))]
        table = list(csv.DictReader(io.StringIO("".join(as_csv(all_entries(tx))))))
    assert [line["sequence"] for line in lines] == [1, 2]
    assert lines[1]["detail"] == {"reason": "=买家不要了"}
    assert lines[1]["previous_hash"] == lines[0]["hash"]
    assert lines[0]["actor"] == "person:1"
    assert table[0]["actor_name"] == "'=HYPERLINK(1)"
    assert table[1]["sequence"] == "2"
