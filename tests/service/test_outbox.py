"""Events: written with the change or not at all, and streamed without gap, double or stranger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.service.auth.model import Scope
from daozhang.service.outbox.actions import append_event
from daozhang.service.outbox.model import Event
from daozhang.service.outbox.rules import HoldBack
from daozhang.service.outbox.store import list_events_of_order
from streams import NOW, Books, bearer, streaming


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    books = Books(tmp_path)
    yield books
    books.context.database.dispose()


def test_an_event_is_rolled_back_with_its_change(books: Books) -> None:
    order = books.add_order(books.add_merchant("shop"), "a-1")
    woken: list[bool] = []
    books.context.signals.listen("events", lambda: woken.append(True))

    class Broken(Exception):
        pass

    def write_and_break() -> None:
        with books.context.database.begin() as tx:
            append_event(
                tx,
                merchant_id=order.merchant_id,
                environment="emulator",
                order_id=order.id,
                type="order.paid",
                data={},
                now=NOW,
                signals=books.context.signals,
            )
            raise Broken

    with pytest.raises(Broken):
        write_and_break()
    with books.context.database.read() as tx:
        assert list_events_of_order(tx, order.id) == []
    assert woken == []


def test_sequences_count_each_order_from_one_without_a_gap(books: Books) -> None:
    merchant = books.add_merchant("shop")
    first, second = books.add_order(merchant, "a-1"), books.add_order(merchant, "a-2")
    written = [books.append(order, "order.paid") for order in (first, second, first, first)]
    assert [event.sequence for event in written] == [1, 1, 2, 3]
    assert len({event.id for event in written}) == 4


def test_an_event_carries_everything_that_a_reader_needs(books: Books) -> None:
    merchant = books.add_merchant("shop")
    order = books.add_order(merchant, "a-1")
    with (
        books.served() as base,
        streaming(f"{base}/v1/events", headers=bearer(books.api_key(merchant))) as stream,
    ):
        assert stream.frame() == {"id": "start", "retry": "2000"}
        written = books.append(order, "order.paid", amount="88.88", 备注="茶")
        frame = stream.frame()
    assert frame["id"] == written.id
    assert frame["event"] == "order.paid"
    assert written.envelope() == {
        "id": written.id,
        "object": "event",
        "type": "order.paid",
        "api_version": "2026-11-01",
        "environment": "emulator",
        "created_at": NOW.isoformat(),
        "sequence": 1,
        "data": {"amount": "88.88", "备注": "茶"},
    }
    assert httpx2.Response(200, text=frame["data"]).json() == written.envelope()


def test_a_stream_goes_on_after_the_last_event_that_was_seen(books: Books) -> None:
    merchant = books.add_merchant("shop")
    order = books.add_order(merchant, "a-1")
    written = [books.append(order, "order.paid", n=n) for n in range(250)]
    key = books.api_key(merchant)
    with books.served() as base:
        url = f"{base}/v1/events"
        header = bearer(key, **{"Last-Event-ID": written[99].id})
        with streaming(url, headers=header) as stream:
            assert [stream.event()["data"]["n"] for _ in range(150)] == list(range(100, 250))
        with streaming(f"{url}?last_event_id=start", headers=bearer(key)) as stream:
            assert [stream.event()["data"]["n"] for _ in range(250)] == list(range(250))
        with streaming(url, headers=bearer(key)) as stream:
            assert stream.frame()["id"] == written[-1].id
            books.append(order, "order.paid", n=250)
            assert stream.event()["data"]["n"] == 250


def test_events_of_others_are_never_seen_nor_gone_on_from(books: Books) -> None:
    ours, theirs = books.add_merchant("ours"), books.add_merchant("theirs")
    our_order, their_order = books.add_order(ours, "a-1"), books.add_order(theirs, "b-1")
    foreign = books.append(their_order, "order.paid", whose="theirs")
    books.append(our_order, "order.paid", whose="ours")
    headers = bearer(books.api_key(ours))
    with books.served() as base:
        answer = httpx2.get(
            f"{base}/v1/events",
            headers={**headers, "Last-Event-ID": foreign.id},
            trust_env=False,
            verify=False,
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "event_unknown")
        with streaming(f"{base}/v1/events?last_event_id=start", headers=headers) as stream:
            assert stream.event()["data"] == {"whose": "ours"}
            books.append(their_order, "order.closed", whose="theirs")
            books.append(our_order, "order.finished", whose="ours")
            assert stream.event()["type"] == "order.finished"


def test_only_the_types_that_were_asked_for(books: Books) -> None:
    merchant = books.add_merchant("shop")
    order = books.add_order(merchant, "a-1")
    for type_ in ("order.paid", "refund.succeeded", "order.refunded"):
        books.append(order, type_)
    url = "/v1/events?last_event_id=start&types=order.refunded,order.paid"
    with (
        books.served() as base,
        streaming(base + url, headers=bearer(books.api_key(merchant))) as stream,
    ):
        assert [stream.event()["type"] for _ in range(2)] == ["order.paid", "order.refunded"]


def test_events_need_a_key_with_their_scope(books: Books) -> None:
    merchant = books.add_merchant("shop")
    key = books.api_key(merchant, Scope.ORDERS_READ)
    with books.served() as base:
        without = httpx2.get(f"{base}/v1/events", trust_env=False, verify=False)
        other = httpx2.get(f"{base}/v1/events", headers=bearer(key), trust_env=False, verify=False)
    assert (without.status_code, other.status_code) == (401, 403)


def test_what_another_process_books_arrives_without_a_nudge(books: Books) -> None:
    merchant = books.add_merchant("shop")
    order = books.add_order(merchant, "a-1")
    with (
        books.served() as base,
        streaming(f"{base}/v1/events", headers=bearer(books.api_key(merchant))) as stream,
    ):
        stream.frame()
        books.append(order, "order.paid", wake=False)
        assert stream.event()["type"] == "order.paid"


def test_a_server_that_stops_ends_its_streams(books: Books) -> None:
    merchant = books.add_merchant("shop")
    headers = bearer(books.api_key(merchant))
    with books.served() as base, streaming(f"{base}/v1/events", headers=headers) as stream:
        stream.frame()
        books.context.signals.wake("shutdown")
        with pytest.raises(EOFError):
            stream.frame()


def _event(number: int) -> Event:
    return Event(number, f"evt_{number}", 1, "emulator", 1, number, "t", "v", {}, NOW)


def test_an_event_waits_for_older_numbers_that_are_not_committed_yet() -> None:
    hold_back = HoldBack()
    # Number 8 is seen while transaction 50, which took number 7, still runs.
    assert hold_back.release([_event(8)], running_from=50, started_before=52) == []
    assert hold_back.release([_event(8)], running_from=50, started_before=60) == []
    both = [_event(7), _event(8)]
    assert hold_back.release(both, running_from=52, started_before=60) == both


@given(st.data())
def test_whatever_the_order_of_commits_a_stream_misses_nothing(data: st.DataObject) -> None:
    """Transactions get their id, then a number, then end, in any interleaving with a reader."""
    hold_back, cursor, sent = HoldBack(), 0, []
    next_id, next_number = 10, 1
    running: dict[int, int | None] = {}
    committed: list[int] = []

    def read() -> None:
        nonlocal cursor
        events = [_event(n) for n in sorted(committed) if n > cursor]
        oldest = min(running, default=next_id)
        for event in hold_back.release(events, running_from=oldest, started_before=next_id):
            sent.append(event.number)
            cursor = event.number

    for _ in range(data.draw(st.integers(1, 40))):
        numbered = [t for t, n in running.items() if n is not None]
        unnumbered = [t for t, n in running.items() if n is None]
        moves = ["begin", "read"] + ["number"] * bool(unnumbered) + ["commit"] * bool(numbered)
        move = data.draw(st.sampled_from(moves))
        if move == "begin":
            running[next_id], next_id = None, next_id + 1
        elif move == "number":
            running[data.draw(st.sampled_from(unnumbered))] = next_number
            next_number += 1
        elif move == "commit":
            number = running.pop(data.draw(st.sampled_from(numbered)))
            assert number is not None
            committed.append(number)
        else:
            read()
    committed += [n for n in running.values() if n is not None]
    running.clear()
    read()
    read()
    assert sent == sorted(committed)
