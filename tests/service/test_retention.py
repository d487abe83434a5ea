"""What is forgotten, when, and what stays: a few years in the life of the books."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from agreeing import read as read_agreement
from agreeing import signed
from daozhang.service.copying import unopened
from daozhang.service.inbox.store import notifications, refused_notifications
from daozhang.service.resealing import reseal_all
from daozhang.service.retention.duties import BATCH_ROWS_MAX, Forget
from daozhang.service.retention.rules import cutoff, forgotten_at
from daozhang.service.search.actions import find_orders
from daozhang.service.search.model import Sought
from holding import capture, frozen
from holding import read as read_hold
from worlds import START, World, running

DAY = 24 * 3600
BUYER = ("buyer_id", "buyer_open_id", "buyer_logon_id")


@pytest.fixture
def world(tmp_path: Path) -> Generator[World]:
    with running(tmp_path) as world:
        yield world


def raw_bytes(world: World) -> list[bytes]:
    with world.service.context.database.read() as tx:
        return list(tx.execute(sa.select(notifications.c.body_sealed)).scalars())


def told(world: World, number: str) -> list[dict[str, Any]]:
    entries = world.api.get(f"/v1/orders/{number}/story").json()["entries"]
    return [entry for entry in entries if entry["kind"] == "notification"]


def test_raw_bytes_go_after_their_days_and_the_books_stay(world: World) -> None:
    number = world.order()
    world.pay(number)
    world.settle()
    (notice,) = told(world, number)
    until = datetime.fromisoformat(notice["raw_kept_until"])
    assert timedelta(days=400) <= until - datetime.fromisoformat(notice["at"]) <= timedelta(401)
    before = world.read(number)
    world.advance((until - world.clock.now()).total_seconds() - 1)
    assert all(raw_bytes(world))
    assert not told(world, number)[0]["raw_deleted"]
    world.advance(1)
    # What came lately (that the trade is finished) is younger, and stays.
    kept = [entry for entry in told(world, number) if not entry["raw_deleted"]]
    assert all(datetime.fromisoformat(one["raw_kept_until"]) > until for one in kept)
    first = told(world, number)[0]
    assert (first["raw_deleted"], first["raw_kept_until"]) == (True, None)
    assert first["notify_id"] == notice["notify_id"]
    assert b"" in raw_bytes(world)
    after = world.read(number)
    assert after["payment"] == before["payment"]
    # What is empty hinders neither other keys nor a restore.
    context = world.service.context
    reseal_all(context.database, context.sealer)
    assert unopened(context.database, context.sealer) == []


def test_who_paid_goes_later_and_how_much_never(world: World) -> None:
    number = world.order("88.88")
    world.pay(number)
    world.settle()
    before = world.read(number)["payment"]
    assert [name for name in BUYER if before[name]], before
    world.advance(1099 * DAY)
    assert world.read(number)["payment"] == before
    world.advance(3 * DAY)
    after = world.read(number)
    assert [after["payment"][name] for name in BUYER] == [None, None, None]
    assert after["payment"] == before | dict.fromkeys(BUYER)
    assert (after["amount"], after["payment"]["receipt_amount"]) == ("88.88", "88.88")
    with world.service.context.database.read() as tx:
        rows = tx.execute(sa.text("SELECT payment FROM orders")).scalars().all()
    assert "buyer_" not in str(rows).replace("buyer_pay", "")


def test_what_is_learned_again_later_is_forgotten_again(world: World) -> None:
    number = world.order()
    world.pay(number)
    world.settle()
    world.advance(1102 * DAY)
    assert world.read(number)["payment"]["buyer_id"] is None
    # Somebody asks, and Alipay tells once more who paid.
    assert world.api.post(f"/v1/orders/{number}/query").status_code == 200
    learned = world.read(number)["payment"]
    world.advance(1102 * DAY)
    assert [world.read(number)["payment"][name] for name in BUYER] == [None, None, None]
    assert learned["receipt_amount"] == world.read(number)["payment"]["receipt_amount"]


def test_whose_hold_it_was_is_forgotten_once_it_has_ended(world: World) -> None:
    number = frozen(world)
    capture(world, number, "120.00", f"{number}-c1", complete=True)
    world.settle()
    known = read_hold(world, number)
    assert (known["status"], bool(known["payer_user_id"])) == ("finished", True)
    world.advance(1102 * DAY)
    after = read_hold(world, number)
    names = ("payer_user_id", "payer_open_id", "payer_logon_id")
    assert [after[name] for name in names] == [None, None, None]
    assert after | dict.fromkeys(names) == known | dict.fromkeys(names)
    with world.service.context.database.read() as tx:
        instruments = tx.execute(sa.text("SELECT instrument FROM charges")).scalars().all()
    assert instruments
    assert "buyer_" not in str(instruments)


def test_who_signed_is_forgotten_once_the_agreement_has_ended(world: World) -> None:
    number = signed(world, external_logon_id="li.wei")
    assert world.api.post(f"/v1/agreements/{number}/unsign").status_code in (200, 202)
    world.advance(60)
    names = ("buyer_id", "buyer_open_id", "buyer_logon_id")
    known = read_agreement(world, number)
    assert known["status"] == "ended"
    assert any(known[name] for name in names)
    world.advance(1098 * DAY)
    assert read_agreement(world, number) == known
    world.advance(4 * DAY)
    assert [read_agreement(world, number)[name] for name in names] == [None, None, None]
    with world.service.context.database.read() as tx:
        kept = sa.text("SELECT external_logon_id FROM agreements")
        assert tx.execute(kept).scalars().all() == [None]


def test_what_is_not_settled_stays_whole(world: World) -> None:
    number = world.order()
    world.postman.holding = True
    world.pay(number)
    world.postman.holding = False
    # The order is not there any more: what Alipay says of it waits, and a person is told.
    with world.service.context.database.begin() as tx:
        tx.execute(sa.text("UPDATE orders SET out_trade_no = 'ELSEWHERE'"))
    url = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    for body in world.postman.held:
        kind = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        assert world.browser.post(url, content=body, headers=kind).text == "success"
    world.advance(402 * DAY)
    with world.service.context.database.read() as tx:
        found = tx.execute(sa.select(notifications.c.status, notifications.c.body_sealed)).all()
    # It waits for its order, and a person has been told: the bytes are what he has.
    waiting = [row.body_sealed for row in found if row.status == "waiting"]
    assert waiting, found
    assert all(waiting)


def test_refused_samples_go_after_a_month_and_are_counted_for_ever(world: World) -> None:
    url = f"{world.service.context.settings.public_url}/alipay/notify/shop"
    body = b"app_id=2021000000000001&sign=AAAA&sign_type=RSA2"
    assert world.browser.post(url, content=body).status_code == 400
    with world.service.context.database.read() as tx:
        assert tx.execute(sa.select(refused_notifications.c.id)).scalars().all()
    world.advance(29 * DAY)
    with world.service.context.database.read() as tx:
        assert tx.execute(sa.select(refused_notifications.c.id)).scalars().all()
    world.advance(2 * DAY)
    with world.service.context.database.read() as tx:
        assert not tx.execute(sa.select(refused_notifications.c.id)).scalars().all()
        counted = sa.text("SELECT count FROM inbox_refusal_counts")
        assert tx.execute(counted).scalars().all() == [1]


def test_many_go_in_batches_and_none_twice(world: World) -> None:
    context = world.service.context
    now = context.clock.now()
    rows = [
        {
            "merchant_id": 1,
            "notify_id": f"N{n}",
            "content_hash": "h",
            "kind": "k",
            "status": "kept",
            "body_sealed": b"sealed",
            "copies": 1,
            "attempts": 0,
            "received_at": now + timedelta(seconds=n),
        }
        for n in range(BATCH_ROWS_MAX + 1)
    ]
    with context.database.begin() as tx:
        tx.execute(sa.insert(notifications), rows)
    duty = Forget(context)
    assert duty.run_due() == 0
    world.clock.advance(401 * DAY)
    found: list[int] = []
    while count := duty.run_due():
        found.append(count)
    # The duty's own thread may have taken a part; together they leave nothing.
    assert sum(found) <= BATCH_ROWS_MAX + 1
    assert all(count <= BATCH_ROWS_MAX for count in found)
    world.settle()
    assert set(raw_bytes(world)) == {b""}


@given(
    learned=st.timedeltas(timedelta(0), timedelta(days=366)).map(START.__add__),
    later=st.timedeltas(timedelta(0), timedelta(days=60)),
    days=st.integers(1, 50),
)
def test_due_and_cutoff_agree(learned: datetime, later: timedelta, days: int) -> None:
    now = learned + later
    due = forgotten_at(learned, days)
    assert (learned <= cutoff(now, days)) == (due <= now)
    assert timedelta(days=days) <= due - learned < timedelta(days=days + 1)


def test_an_order_is_not_found_by_who_paid_once_that_is_forgotten(world: World) -> None:
    number = world.order("88.88")
    world.pay(number)
    world.advance(120)
    order = world.read(number)
    buyer = order["payment"]["buyer_id"]

    def found(text: str) -> list[str]:
        with world.service.context.database.read() as tx:
            looked = find_orders(tx, 1, Sought(text), before_id=None, rows_max=5)
        return [one.out_trade_no for one in looked.orders]

    assert found(buyer) == [number]
    world.advance(1200 * DAY)
    assert world.read(number)["payment"]["buyer_id"] is None
    assert found(buyer) == []
    assert found(order["trade_no"]) == [number]
