"""Receipts of an account: asked for once, made in Alipay's own time, fetched by a job, kept for good."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest
import sqlalchemy as sa

from daozhang.emulator.switches import Switches
from daozhang.service.audit.store import audit_entries
from daozhang.service.receipts.store import account_receipts
from reconciling import pay, seller, to_hour
from worlds import World, running


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop that was paid yesterday, at ten in the morning."""
    with running(tmp_path_factory.mktemp("world")) as made:
        pay(made, "12.00")
        to_hour(made, 10, days=1)
        yield made


def ask(world: World, kind: str, key: str) -> Any:
    return world.api.post("/v1/receipts", json={"kind": kind, "key": key})


def read(world: World, kind: str, key: str) -> dict[str, Any]:
    return world.api.get(f"/v1/receipts/{kind}/{key}").json()


def test_receipts_are_made_once_and_kept(world: World) -> None:
    first, *_ = world.emulator.desk.account.movements_of(seller(world), "W000001")
    wanted = [("day", "2026-03-02"), ("days", "20260302-20260302"), ("movement", first.log_id)]
    for kind, key in wanted:
        assert read(world, kind, key)["code"] == "receipt_not_ready"
        asked = ask(world, kind, key)
        assert (asked.status_code, asked.json()["status"]) == (202, "requested")
    world.advance(10)
    files: list[bytes] = []
    for kind, key in wanted:
        made = read(world, kind, key)
        assert (made["status"], made["last_message"]) == ("ready", None)
        assert made["seller_id"] == seller(world)
        got = world.api.get(f"/v1/receipts/{kind}/{key}/file").content
        assert got.startswith(b"%PDF")
        assert (hashlib.sha256(got).hexdigest(), len(got)) == (made["sha256"], made["bytes"])
        files.append(got)
    with world.service.context.database.read() as tx:
        kept = tx.execute(sa.select(account_receipts.c.pdf_sealed)).scalars().all()
        trail = tx.execute(
            sa.select(audit_entries.c.action).where(audit_entries.c.subject.startswith("receipt:"))
        ).scalars()
        assert Counter(trail) == {"receipt.requested": 3, "receipt.downloaded": 3}
    assert len(kept) == 3
    assert not any(b"%PDF" in blob for blob in kept)
    world.advance(3 * 86400)  # Alipay has forgotten them by now
    for (kind, key), file in zip(wanted, files, strict=True):
        assert ask(world, kind, key).json()["status"] == "ready"
        assert world.api.get(f"/v1/receipts/{kind}/{key}/file").content == file


def test_a_receipt_is_waited_for_and_asked_for_anew_when_alipay_has_forgotten(
    world: World,
) -> None:
    app = world.emulator.credentials("shop")["app_id"]
    world.emulator.desk.set_switches(app, Switches(receipt_seconds=86400))
    ask(world, "day", "2026-03-02")
    world.advance(3600)
    assert read(world, "day", "2026-03-02")["status"] == "making"
    assert world.api.get("/v1/receipts/day/2026-03-02/file").json()["code"] == "receipt_not_ready"
    world.stop_service()
    world.clock.set(world.clock.now().replace(day=8))  # its number has lived two days
    world.emulator.desk.set_switches(app, Switches(receipt_seconds=60))
    world.start_service()
    world.advance(3600)
    assert read(world, "day", "2026-03-02")["status"] == "ready"


def test_a_receipt_of_nothing_fails_and_can_be_asked_for_again(world: World) -> None:
    ask(world, "day", "2026-02-01")
    world.advance(3600)
    failed = read(world, "day", "2026-02-01")
    assert failed["status"] == "failed"
    assert "无对应的账务数据" in failed["last_message"]
    assert ask(world, "day", "2026-02-01").json()["status"] == "requested"


def test_what_there_can_be_no_receipt_of_is_refused(world: World) -> None:
    for kind, key, code in (
        ("day", "2026-03-03", "receipt_not_over"),
        ("month", "2026-03", "receipt_not_over"),
        ("days", "20260302-20260303", "receipt_not_over"),
        ("day", "20260302", "receipt_key_invalid"),
        ("day", "2026-02-30", "receipt_key_invalid"),
        ("month", "2026-3", "receipt_key_invalid"),
        ("days", "20260302-20260301", "receipt_key_invalid"),
        ("movement", "../../etc", "receipt_key_invalid"),
    ):
        assert ask(world, kind, key).json()["code"] == code, (kind, key)
