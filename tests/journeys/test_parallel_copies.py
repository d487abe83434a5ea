"""Alipay sends the same thing many times, and sometimes all at once: it happens once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from signed_world import SignedWorld, paid, signed, signed_world

COPIES = 64


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[SignedWorld]:
    with signed_world(tmp_path_factory.mktemp("copies")) as running:
        yield running


def post_at_once(world: SignedWorld, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """What each of ``bodies`` was answered, all posted at the same time."""
    with ThreadPoolExecutor(len(bodies)) as threads:
        answers = list(threads.map(world.notify, bodies))
    return [(answer.status_code, answer.content) for answer in answers]


def test_64_copies_at_once_have_one_effect_and_are_all_acknowledged(world: SignedWorld) -> None:
    world.create("copies")

    answers = post_at_once(world, [signed(paid("copies"))] * COPIES)

    assert answers == [(200, b"success")] * COPIES
    world.pass_time()
    assert world.order("copies")["status"] == "paid"
    assert [name for name, number in world.events() if number == "copies"] == ["order.paid"]
    recorded = world.story("copies", "notification")
    assert [(row["copies"], row["status"]) for row in recorded] == [(COPIES, "applied")]
    assert [step["events"] for step in world.story("copies", "step")] == [["order.paid"]]


def test_64_attempts_each_with_its_own_time_and_sign_are_copies_too(world: SignedWorld) -> None:
    world.create("attempts")
    attempts = [
        signed(paid("attempts", notify_time=f"2026-03-02 09:00:{second % 60:02}"))
        for second in range(COPIES)
    ]

    assert post_at_once(world, attempts) == [(200, b"success")] * COPIES

    world.pass_time()
    assert [row["copies"] for row in world.story("attempts", "notification")] == [COPIES]
    assert [name for name, number in world.events() if number == "attempts"] == ["order.paid"]


def test_64_notifications_that_say_the_same_pay_once(world: SignedWorld) -> None:
    world.create("numbers")
    bodies = [signed(paid("numbers", notify_id=f"id-{number}")) for number in range(COPIES)]

    assert post_at_once(world, bodies) == [(200, b"success")] * COPIES

    world.pass_time()
    order = world.order("numbers")
    assert (order["status"], order["attention"]) == ("paid", False)
    assert [name for name, number in world.events() if number == "numbers"] == ["order.paid"]
    recorded = world.story("numbers", "notification")
    assert [row["copies"] for row in recorded] == [1] * COPIES
    assert {row["status"] for row in recorded} == {"applied"}
