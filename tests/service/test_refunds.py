"""Refunds against a gateway that the test plays: whatever the weather, the books equal its ledger."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daozhang.money import Money
from effort import examples
from refund_world import DOUBTFUL, NO_BALANCE, TOTAL, Shop, Weather, open_shop

DAY_SECONDS = 24 * 3600


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    """One shop for all tests of this file: each test and example has an order of its own."""
    with open_shop(tmp_path_factory.mktemp("refunds")) as shop:
        yield shop


@pytest.fixture(autouse=True)
def _clear_sky(shop: Shop) -> None:
    shop.gateway.weather.clear()
    shop.gateway.questions_lost = 0
    shop.gateway.broken_rules.clear()


@dataclass(frozen=True)
class Doing:
    """One thing that happens: a refund is asked for, time passes, or a notice comes."""

    kind: str
    size: int


doings = st.one_of(
    st.builds(Doing, st.just("refund"), st.integers(1, TOTAL.minor)),
    st.builds(Doing, st.just("wait"), st.sampled_from([0, 1, 4, 9, 11, 70, 400])),
    st.builds(Doing, st.just("notice"), st.integers(0, 5)),
)


# The queue's own threads use the global random numbers for their jitter while hypothesis draws.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@settings(
    deadline=None,
    max_examples=examples(24),
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    doings=st.lists(doings, min_size=1, max_size=10),
    weather=st.lists(st.sampled_from(Weather), max_size=12),
    questions_lost=st.integers(0, 4),
)
def test_whatever_the_weather_every_refund_ends_as_the_ledger_says(
    shop: Shop, doings: Sequence[Doing], weather: list[Weather], questions_lost: int
) -> None:
    number = shop.paid_order()
    shop.gateway.broken_rules.clear()
    shop.gateway.weather[:] = weather
    shop.gateway.questions_lost = questions_lost
    for index, doing in enumerate(doings):
        if doing.kind == "refund":
            answer = shop.refund(number, Money(doing.size), f"R{index}")
            assert answer.status_code in (201, 409), answer.text
        elif doing.kind == "wait":
            shop.pass_time(doing.size)
        else:
            _notice(shop, number, doing.size)
    shop.pass_time(3 * DAY_SECONDS)

    ledger = shop.gateway.refunded(number)
    refunds = shop.refunds(number)
    assert {r["status"] for r in refunds} <= {"succeeded", "failed"}
    succeeded = {r["out_request_no"]: r["amount"] for r in refunds if r["status"] == "succeeded"}
    assert succeeded == {name: str(amount) for name, amount in ledger.items()}
    gone = Money.total(ledger.values())
    order = shop.order(number)
    assert gone <= TOTAL
    assert order["refunded_amount"] == str(gone)
    assert order["reserved_amount"] == "0.00"
    assert order["status"] == ("refunded" if gone == TOTAL else "paid")
    events = shop.events(number)
    assert events.count("refund.succeeded") == len(succeeded)
    assert events.count("refund.failed") == len(refunds) - len(succeeded)
    assert events.count("order.refunded") == (1 if gone == TOTAL else 0)
    assert shop.gateway.broken_rules == []


def _notice(shop: Shop, number: str, which: int) -> None:
    """One of the notices that Alipay has sent so far, whichever: late, early, or once more."""
    total, notices = Money.zero(), []
    for name, amount in shop.gateway.refunded(number).items():
        total += amount
        notices.append((name, total))
    if notices:
        shop.tell_refund(number, *notices[which % len(notices)])


@pytest.mark.parametrize("weather", sorted(DOUBTFUL))
def test_a_no_after_an_unknown_outcome_proves_nothing(shop: Shop, weather: Weather) -> None:
    number = shop.paid_order()
    shop.gateway.weather[:] = [weather]
    shop.refund(number, Money.parse("4.00"), "R1")
    shop.pass_time(0)

    refund = shop.the_refund(number)
    assert refund["status"] == "unknown"
    assert shop.order(number)["reserved_amount"] == "4.00"
    shop.gateway.weather[:] = [Weather.REFUSED]
    shop.pass_time(DAY_SECONDS)

    moved = bool(shop.gateway.refunded(number))
    assert moved is (weather not in (Weather.LOST, Weather.BUSY))
    # Only once a query has said that the first call never arrived is a no believed.
    assert shop.the_refund(number)["status"] == ("succeeded" if moved else "failed")
    assert shop.order(number)["reserved_amount"] == "0.00"


def test_a_definite_no_fails_at_once_and_frees_what_was_reserved(shop: Shop) -> None:
    number = shop.paid_order()
    shop.gateway.weather[:] = [Weather.REFUSED]
    shop.refund(number, TOTAL, "R1")
    shop.pass_time(0)

    refund = shop.the_refund(number)
    assert (refund["status"], refund["last_code"]) == ("failed", "ACQ.TRADE_NOT_ALLOW_REFUND")
    assert refund["ended_at"] is not None
    assert refund["next_attempt_at"] is None
    assert shop.order(number)["refundable_amount"] == str(TOTAL)
    assert shop.events(number) == ["order.paid", "refund.failed"]


def test_a_seller_without_money_waits_and_a_person_is_told_once(shop: Shop) -> None:
    number = shop.paid_order()
    shop.gateway.weather[:] = [Weather.POOR, Weather.POOR]
    shop.refund(number, TOTAL, "R1")
    shop.pass_time(0)

    assert shop.the_refund(number)["status"] == "requested"
    assert shop.the_refund(number)["last_code"] == f"ACQ.{NO_BALANCE}"
    assert shop.surprises(number) == ["refund_waits_for_balance"]
    shop.pass_time(DAY_SECONDS)
    assert shop.the_refund(number)["status"] == "succeeded"
    assert shop.events(number).count("order.surprise") == 1


def test_a_refund_that_stays_unclear_is_told_and_asked_about_on(shop: Shop) -> None:
    number = shop.paid_order()
    shop.gateway.weather[:] = [Weather.LATE_ANSWER]
    shop.gateway.questions_lost = 10
    shop.refund(number, TOTAL, "R1")
    shop.pass_time(2 * DAY_SECONDS)

    assert shop.surprises(number) == ["refund_stays_unclear"]
    assert shop.the_refund(number)["status"] == "succeeded"


def test_a_notice_proves_a_refund_whose_answer_was_lost_and_the_query_adds_nothing(
    shop: Shop,
) -> None:
    number = shop.paid_order()
    shop.gateway.weather[:] = [Weather.LATE_ANSWER]
    shop.refund(number, Money.parse("4.00"), "R1")
    shop.pass_time(1)
    shop.tell_refund(number, "R1", Money.parse("4.00"))
    shop.pass_time(DAY_SECONDS)

    assert shop.the_refund(number)["status"] == "succeeded"
    order = shop.order(number)
    assert (order["refunded_amount"], order["reserved_amount"]) == ("4.00", "0.00")
    assert shop.events(number) == ["order.paid", "refund.succeeded"]


def test_a_failed_refund_that_a_notice_proves_has_succeeded_and_a_person_is_told(
    shop: Shop,
) -> None:
    number = shop.paid_order()
    shop.gateway.weather[:] = [Weather.REFUSED]
    shop.refund(number, Money.parse("4.00"), "R1")
    shop.pass_time(0)
    assert shop.the_refund(number)["status"] == "failed"

    shop.tell_refund(number, "R1", Money.parse("4.00"))
    shop.pass_time(DAY_SECONDS)

    assert shop.the_refund(number)["status"] == "succeeded"
    order = shop.order(number)
    assert (order["refunded_amount"], order["reserved_amount"]) == ("4.00", "0.00")
    assert shop.surprises(number) == ["failed_refund_succeeded"]
    assert order["attention"]
    assert shop.events(number) == [
        "order.paid",
        "refund.failed",
        "refund.succeeded",
        "order.surprise",
    ]


def test_one_number_is_one_refund_for_ever(shop: Shop) -> None:
    number = shop.paid_order()
    four = Money.parse("4.00")
    assert shop.refund(number, four, "R1").status_code == 201
    again = shop.refund(number, four, "R1")
    other = shop.refund(number, Money.parse("4.01"), "R1")
    shop.pass_time(60)

    assert again.status_code == 200
    assert (other.status_code, other.json()["code"]) == (409, "refund_conflict")
    assert shop.gateway.refunded(number) == {"R1": four}
    assert len([call for call in shop.gateway.calls if call[1] == number]) == 1


def test_an_idempotency_key_is_number_enough_and_nothing_is_not(shop: Shop) -> None:
    number = shop.paid_order()
    path, body = f"/v1/orders/{number}/refunds", {"amount": "4.00"}
    key = {"Idempotency-Key": f"key-{number}"}
    first = shop.api.post(path, json=body, headers=key)
    second = shop.api.post(path, json=body, headers=key)
    none = shop.api.post(path, json=body)
    shop.pass_time(60)

    assert (first.status_code, second.json()) == (201, first.json())
    assert (none.status_code, none.json()["code"]) == (422, "refund_number_missing")
    assert list(shop.gateway.refunded(number).values()) == [Money.parse("4.00")]


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.001", 1.0, "1e2", ""])
def test_an_amount_that_is_none_is_refused(shop: Shop, amount: object) -> None:
    number = shop.paid_order()
    body = {"amount": amount, "out_request_no": "R1"}
    answer = shop.api.post(f"/v1/orders/{number}/refunds", json=body)
    assert answer.status_code == 422, answer.text
    assert shop.refunds(number) == []


def test_many_asked_for_at_once_never_reserve_more_than_was_paid(shop: Shop) -> None:
    number = shop.paid_order()
    answers: list[int] = []

    def ask(index: int) -> None:
        answers.append(shop.refund(number, Money.parse("3.00"), f"R{index}").status_code)

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shop.pass_time(3600)

    assert sorted(answers) == [201] * 3 + [409] * 9
    assert shop.order(number)["refunded_amount"] == "9.00"
    times = [moment for moment, trade, _ in shop.gateway.calls if trade == number]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert len(times) == 3
    assert min(gaps) >= 3
