"""Orders are found by whatever a person holds, on both databases, and not a letter of it is guessed."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from daozhang.money import Money
from daozhang.service.search import store
from daozhang.service.search.actions import LOOKED_AT_MAX, find_orders
from daozhang.service.search.duties import FillSearch
from daozhang.service.search.model import Found, Sought
from daozhang.service.search.rules import (
    BLOCK_ROWS,
    bigrams,
    bits_from,
    contains,
    pack,
    rows_of,
    unpack,
    words_of,
)
from worlds import World, find_order, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("search")) as world:
        yield world


def look(
    world: World, text: str = "", before_id: int | None = None, rows: int = 50, **more: Any
) -> Found:
    with world.service.context.database.read() as tx:
        return find_orders(tx, 1, Sought(text, **more), before_id=before_id, rows_max=rows)


def numbers(world: World, text: str = "", **more: Any) -> list[str]:
    return [order.out_trade_no for order in look(world, text, **more).orders]


def fill(world: World) -> None:
    duty = FillSearch(world.service.context)
    while duty.run_due():
        pass


# ---- what is decided

TEXT = st.text(st.sampled_from("龙井茶明前 aBＡ1🍵é"), max_size=12)


@given(TEXT, st.data())
def test_whatever_stands_in_a_subject_has_only_bigrams_of_it(
    subject: str, data: st.DataObject
) -> None:
    for word in words_of(subject):
        start = data.draw(st.integers(0, len(word) - 1))
        end = data.draw(st.integers(start + 1, len(word)))
        part = word[start:end]
        assert contains(subject, part) or len(part) == 1
        if len(part) > 1 or part in words_of(subject):
            assert bigrams(part) <= bigrams(subject)


@given(TEXT, TEXT)
def test_what_the_row_confirms_the_index_has_found(subject: str, text: str) -> None:
    for word in words_of(text):
        if contains(subject, word):
            assert bigrams(word) <= bigrams(subject)


@given(st.sets(st.integers(0, 3 * BLOCK_ROWS)))
def test_bits_are_kept_as_they_are(rows: set[int]) -> None:
    found = bits_from(rows)
    kept = {block: unpack(pack(bits)) for block, bits in found.items()}
    assert kept == found
    again = [row for block in sorted(kept, reverse=True) for row in rows_of(block, kept[block])]
    assert again == sorted(rows, reverse=True)


# ---- what is found


@pytest.fixture(scope="module")
def shelf(world: World) -> dict[str, str]:
    """Orders of several kinds, by what they are."""
    made = {
        "tea": world.order("88.88", subject="明前龙井 250g"),
        "cup": world.order("12.00", subject="龙井茶杯", store_id="S-9", way="qr"),
        "oolong": world.order("1288.00", subject="Oolong Tea, 1 kg"),
        "井龙": world.order("5.00", subject="井龙 88.88"),
        "cart": world.order("7.00", subject="红茶", operator_id="op-1"),
    }
    world.pay(made["tea"])
    world.settle()
    assert world.refund(made["tea"], "8.00", "R-2026-77").status_code in (201, 202)
    world.advance(120)
    return made


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("龙井", ["cup", "tea"]),
        ("井龙", ["井龙"]),
        ("明前龙", ["tea"]),
        ("龙井 明前", ["tea"]),
        ("oolong", ["oolong"]),
        ("ＯＯＬＯＮＧ", ["oolong"]),
        ("OLON", ["oolong"]),
        ("88.88", ["井龙", "tea"]),
        ("¥1,288", ["oolong"]),
        ("1288.00", ["oolong"]),
        ("88.88 龙井", ["tea"]),
        ("r-2026-77", ["tea"]),
        ("绿茶", []),
        ("龙井茶杯套", []),
    ],
)
def test_words_amounts_and_numbers_lead_to_their_orders(
    world: World, shelf: dict[str, str], text: str, kinds: list[str]
) -> None:
    assert numbers(world, text) == [shelf[kind] for kind in kinds]


def test_alipays_number_and_who_paid_lead_to_the_order(world: World, shelf: dict[str, str]) -> None:
    order = world.read(shelf["tea"])
    payment = order["payment"]
    assert numbers(world, shelf["tea"]) == [shelf["tea"]]
    assert numbers(world, order["trade_no"]) == [shelf["tea"]]
    for name in ("buyer_id", "buyer_logon_id"):
        assert payment[name]
        assert shelf["tea"] in numbers(world, payment[name])
        assert numbers(world, payment[name][:-1]) == [], "personal fields are found as they are"


def test_what_is_new_is_found_at_once(world: World, shelf: dict[str, str]) -> None:
    number = world.order("3.33", subject="刚刚下单的白毫银针")
    assert numbers(world, "银针") == [number]
    assert numbers(world, "3.33") == [number]


def test_filters_narrow_what_is_found(world: World, shelf: dict[str, str]) -> None:
    assert numbers(world, "龙井", equal={"way": "qr"}) == [shelf["cup"]]
    assert numbers(world, equal={"store_id": "S-9"}) == [shelf["cup"]]
    assert numbers(world, equal={"operator_id": "op-1", "status": "created"}) == [shelf["cart"]]
    assert numbers(world, equal={"status": "paid"}) == [shelf["tea"]]
    between: dict[str, Any] = {
        "amount_from": Money.parse("80.00"),
        "amount_to": Money.parse("90.00"),
    }
    assert numbers(world, **between) == [shelf["tea"]]
    assert numbers(world, "龙井", created_from=world.clock.now() + timedelta(hours=1)) == []
    assert numbers(world, "龙井", created_before=world.clock.now() - timedelta(days=1)) == []


def test_a_payment_moves_an_order_to_its_filter_before_the_index_knows(world: World) -> None:
    number = world.order("6.60", subject="普洱")
    fill(world)
    world.pay(number)
    assert number in numbers(world, equal={"status": "paid"})
    assert number not in numbers(world, equal={"status": "waiting"})


def test_another_merchants_orders_are_nobody_elses(world: World, shelf: dict[str, str]) -> None:
    with world.service.context.database.read() as tx:
        found = find_orders(tx, 2, Sought("龙井"), before_id=None, rows_max=50)
    assert found.orders == []


def test_pages_follow_each_other_without_a_gap(world: World) -> None:
    made = [world.order("9.99", subject="凤凰单丛") for _ in range(7)]
    seen: list[str] = []
    before: int | None = None
    while True:
        found = look(world, "单丛", before, rows=3)
        seen += [order.out_trade_no for order in found.orders]
        before = found.looked_to
        if before is None:
            break
    assert seen == made[::-1]


# ---- how the index comes to be


def test_old_rows_are_gone_through_and_nothing_is_written_twice(
    world: World, shelf: dict[str, str]
) -> None:
    database = world.service.context.database
    with database.begin() as tx:
        for table in (store.terms, store.numbers, store.marks):
            tx.execute(sa.delete(table))
    assert numbers(world, "明前") == [shelf["tea"]], "what is not in the index yet is read"
    fill(world)

    def rows() -> list[Any]:
        with database.read() as tx:
            return [*tx.execute(sa.select(store.terms).order_by(store.terms.c.term)).all()]

    first = rows()
    assert first
    with database.begin() as tx:
        tx.execute(sa.delete(store.marks))
    fill(world)
    assert rows() == first


def test_an_order_that_was_committed_late_is_found_by_the_second_look(world: World) -> None:
    """On PostgreSQL a lower number can come to be seen after a higher one."""
    number = world.order("4.40", subject="迟到的太平猴魁")
    fill(world)
    database = world.service.context.database
    with database.begin() as tx:
        row = find_order(tx, number)
        # As if nobody had seen it when the mark passed it.
        tx.execute(sa.delete(store.terms).where(store.terms.c.term.in_(["太平", "猴魁", "平猴"])))
        assert store.read_mark(tx, "orders") >= row
    assert numbers(world, "猴魁") == []
    world.advance(61)
    assert numbers(world, "猴魁") == [number]


def test_a_search_for_what_is_rare_says_how_far_it_looked(world: World) -> None:
    assert LOOKED_AT_MAX >= 10_000
    found = look(world, amount_from=Money.parse("999999.00"))
    assert (found.orders, found.looked_to) == ([], None)
