"""Whatever order, repetition and loss: the books end as the emulator's ledger does.

The emulator's notifications are held back on their way and handed to the service in an order, with
repetitions and gaps, that hypothesis chooses.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daozhang.money import Money
from effort import examples
from worlds import World, running

DAY_SECONDS = 24 * 3600
TOTAL = Money.parse("10.00")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """One world for all examples: each example is an order of its own."""
    directory: Path = tmp_path_factory.mktemp("convergence")
    with running(directory) as alive:
        yield alive


@dataclass
class Life:
    """What becomes of an order: how far it gets, and what goes back by whom."""

    pays: bool
    opens: bool = True
    refunds: list[tuple[str, int]] = field(default_factory=list)  # (by whom, fen)
    finishes: bool = False


amounts = st.integers(min_value=1, max_value=1000)
lives = st.builds(
    Life,
    pays=st.booleans(),
    opens=st.booleans(),
    refunds=st.lists(st.tuples(st.sampled_from(["us", "centre"]), amounts), max_size=3),
)


def books_of(world: World, number: str) -> tuple[str, str]:
    order = world.read(number)
    return order["status"], order["refunded_amount"]


def ledger_of(world: World, number: str) -> tuple[str, str]:
    """What the emulator's ledger says, in the words of our table."""
    found = [trade for trade in world.emulator.trades if trade.out_trade_no == number]
    if not found:
        return "closed", "0.00"
    trade = found[0]
    refunded = str(trade.refunded)
    if trade.status.value == "TRADE_CLOSED":
        return ("refunded" if trade.paid_at is not None else "closed"), refunded
    return {"TRADE_SUCCESS": "paid", "TRADE_FINISHED": "finished"}[trade.status.value], refunded


def live(world: World, life: Life) -> tuple[str, list[bytes]]:
    """Lets the order live its life; its number, and what Alipay would have told."""
    world.emulator.clear_faults()
    world.postman.holding = True
    world.postman.held.clear()
    number = world.order(str(TOTAL))
    if not life.opens:
        return number, []
    world.open_page(number)
    if life.pays:
        world.emulator.pay(number)
        world.advance(60)  # a query books it
        assert world.read(number)["status"] == "paid"
        for index, (by, minor) in enumerate(life.refunds):
            refund(world, number, by, minor, f"R{index}")
    bodies = [body for body in world.postman.held if number.encode() in body]
    assert bodies or not life.pays
    return number, bodies


def refund(world: World, number: str, by: str, minor: int, name: str) -> None:
    """Sends money back, as far as there is some; what is too much is refused by both."""
    amount = Money(minor)
    left = world.emulator.trade(number).remaining
    if by == "us":
        answer = world.refund(number, str(amount), name)
        assert answer.status_code in (201, 409)
        world.advance(30)
    elif amount <= left:
        world.emulator.refund(number, amount, f"C-{name}")


def tell(world: World, body: bytes) -> None:
    answer = world.browser.post(
        f"{world.service.context.settings.public_url}/alipay/notify/shop", content=body
    )
    assert answer.content == b"success"


COMMON = settings(
    deadline=None,
    max_examples=examples(16),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


# The queue's own threads use the global random numbers for their jitter while hypothesis draws.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@COMMON
@given(life=lives, data=st.data())
def test_any_order_repetition_and_loss_ends_in_the_ledgers_state(
    world: World, life: Life, data: st.DataObject
) -> None:
    number, bodies = live(world, life)
    # A refund that somebody else started is known from its notice alone: one copy must come.
    owed = [body for body in bodies if b"out_biz_no=C-" in body]
    chosen = data.draw(st.lists(st.sampled_from(bodies), max_size=8)) if bodies else []
    for body in data.draw(st.permutations([*chosen, *owed])):
        tell(world, body)
        if data.draw(st.booleans()):
            world.settle()
    world.advance(2 * DAY_SECONDS)

    assert books_of(world, number) == ledger_of(world, number)
    events = world.events(number)
    assert events.count("order.paid") + events.count("order.paid_late") == (
        1 if world.read(number)["payment"] else 0
    )
    succeeded = [r for r in world.refunds(number) if r["status"] == "succeeded"]
    assert events.count("refund.succeeded") == len(succeeded)
    given_back = Money.total(Money.parse(r["amount"]) for r in succeeded)
    assert str(given_back) == world.read(number)["refunded_amount"]
    assert given_back <= TOTAL
    assert world.read(number)["reserved_amount"] == "0.00"


@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@COMMON
@given(
    life=lives,
    faults=st.lists(
        st.sampled_from(
            [
                "gateway_timeout_after_success",
                "gateway_20000",
                "gateway_bad_signature",
                "gateway_unsigned",
                "notify_twice",
                "notify_out_of_order",
            ]
        ),
        max_size=3,
        unique=True,
    ),
)
def test_in_bad_weather_nothing_is_paid_or_refunded_twice(
    world: World, life: Life, faults: list[str]
) -> None:
    world.emulator.clear_faults()
    world.postman.holding = False
    number = world.order(str(TOTAL))
    if life.opens:
        world.open_page(number)
        for fault in faults:
            world.emulator.set_fault(fault, out_trade_no=number, times=2, seconds=0.1)
        if life.pays:
            world.emulator.pay(number)
            world.advance(300)
            for index, (by, minor) in enumerate(life.refunds):
                refund(world, number, by, minor, f"R{index}")
    world.advance(3 * DAY_SECONDS)

    assert books_of(world, number) == ledger_of(world, number)
    assert world.events(number).count("order.paid") <= 1
    succeeded = [r for r in world.refunds(number) if r["status"] == "succeeded"]
    assert Money.total(Money.parse(r["amount"]) for r in succeeded) <= TOTAL
    assert all(r["status"] in ("succeeded", "failed") for r in world.refunds(number))


def test_with_every_notification_dropped_every_paid_order_still_arrives(world: World) -> None:
    world.emulator.clear_faults()
    world.postman.holding = True
    numbers = [world.order("1.00") for _ in range(40)]
    for number in numbers:
        world.open_page(number)
    for number in numbers[::2]:
        world.emulator.pay(number)

    world.advance(3600)

    assert [world.read(n)["status"] for n in numbers[::2]] == ["paid"] * 20
    assert [world.read(n)["status"] for n in numbers[1::2]] == ["closed"] * 20
    for number in numbers:
        assert books_of(world, number) == ledger_of(world, number)


@pytest.mark.parametrize("seconds", [0, 600], ids=["named in time", "booked without a name"])
def test_an_external_refund_is_found_though_our_own_covered_its_total(
    world: World, seconds: int
) -> None:
    """Found by the property above: the notice's total was no higher than what was proven already."""
    life = Life(pays=True, refunds=[("centre", 1), ("us", 1)])
    number, bodies = live(world, life)

    world.advance(seconds)
    tell(world, next(body for body in bodies if b"out_biz_no=C-" in body))
    world.advance(DAY_SECONDS)

    assert books_of(world, number) == ledger_of(world, number) == ("paid", "0.02")
    assert sorted(r["origin"] for r in world.refunds(number)) == ["external", "ours"]
    assert all(r["out_request_no"] for r in world.refunds(number))
    assert world.events(number).count("refund.succeeded") == 2
