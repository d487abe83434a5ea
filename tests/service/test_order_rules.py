"""The table of money.md §3: every cell, written down here a second time by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from daozhang.money import Money
from daozhang.service.orders import diagram, rules
from daozhang.service.orders.model import (
    ClosingReason,
    FactKind,
    Order,
    OrderStatus,
    RefundFact,
    Source,
    TradeFact,
    Way,
)
from daozhang.service.orders.rules import Follow, Situation

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
TOTAL = Money.parse("88.88")
PART = Money.parse("8.88")
GRACE = 120

KEEP = None
PAID_LATE_SURPRISE = "paid_after_confirmed_close"

# (status after, events, follow, surprise); a status of None stays.
EXPECTED = {
    "created": {
        "A": (KEEP, "", "nothing", None),
        "W": ("waiting", "", "nothing", None),
        "P": ("paid", "order.paid", "nothing", None),
        "PP": ("paid", "order.paid refund.succeeded", "nothing", None),
        "F": ("finished", "order.paid order.finished", "nothing", None),
        "R": ("refunded", "order.refunded", "nothing", None),
        "CU": ("closed", "order.closed", "nothing", None),
        "C?": (KEEP, "", "ask", None),
    },
    "waiting": {
        "A": (KEEP, "", "ask", None),
        "W": (KEEP, "", "nothing", None),
        "P": ("paid", "order.paid", "nothing", None),
        "PP": ("paid", "order.paid refund.succeeded", "nothing", None),
        "F": ("finished", "order.paid order.finished", "nothing", None),
        "R": ("refunded", "order.refunded", "nothing", None),
        "CU": ("closed", "order.closed", "nothing", None),
        "C?": (KEEP, "", "ask", None),
    },
    "closing (close, expiry)": {
        "A": (KEEP, "", "nothing", None),
        "W": (KEEP, "", "close", None),
        "P": ("paid", "order.paid_late", "nothing", None),
        "PP": ("paid", "order.paid_late refund.succeeded", "nothing", None),
        "F": ("finished", "order.paid_late order.finished", "nothing", None),
        "R": ("refunded", "order.refunded", "nothing", None),
        "CU": ("closed", "order.closed", "nothing", None),
        "C?": (KEEP, "", "ask", None),
    },
    "closing (cancel)": {
        "A": (KEEP, "", "ask to a limit, then a person", None),
        "W": (KEEP, "", "cancel", None),
        "P": (KEEP, "", "nothing", None),
        "PP": (KEEP, "", "ask", None),
        "F": ("finished", "order.paid order.finished", "nothing", None),
        "R": ("refunded", "order.refunded", "nothing", None),
        "CU": ("closed", "order.closed", "nothing", None),
        "C?": (KEEP, "", "ask", None),
    },
    "paid": {
        "A": (KEEP, "", "nothing", "paid_trade_absent"),
        "W": (KEEP, "", "nothing", None),
        "P": (KEEP, "", "nothing", None),
        "PP": (KEEP, "refund.succeeded", "nothing", None),
        "F": ("finished", "order.finished", "nothing", None),
        "R": ("refunded", "refund.succeeded order.refunded", "nothing", None),
        "CU": (KEEP, "", "ask", "paid_trade_closed_unpaid"),
        "C?": (KEEP, "", "ask", None),
    },
    "finished": {
        "A": (KEEP, "", "nothing", "finished_trade_absent"),
        "W": (KEEP, "", "nothing", None),
        "P": (KEEP, "", "nothing", None),
        "PP": (KEEP, "refund.succeeded", "nothing", None),
        "F": (KEEP, "", "nothing", None),
        "R": ("refunded", "order.refunded", "nothing", "finished_trade_refunded"),
        "CU": (KEEP, "", "nothing", "finished_trade_closed_unpaid"),
        "C?": (KEEP, "", "ask", None),
    },
    "closed": {
        "A": (KEEP, "", "nothing", None),
        "W": (KEEP, "", "close", None),
        "P": ("paid", "order.paid_late", "nothing", PAID_LATE_SURPRISE),
        "PP": ("paid", "order.paid_late refund.succeeded", "nothing", PAID_LATE_SURPRISE),
        "F": ("finished", "order.paid_late order.finished", "nothing", PAID_LATE_SURPRISE),
        "R": ("refunded", "order.refunded", "nothing", None),
        "CU": (KEEP, "", "nothing", None),
        "C?": (KEEP, "", "ask", None),
    },
    "refunded": {
        "A": (KEEP, "", "nothing", "refunded_trade_absent"),
        "W": (KEEP, "", "nothing", None),
        "P": (KEEP, "", "nothing", None),
        "PP": (KEEP, "", "nothing", None),
        "F": (KEEP, "", "nothing", "refunded_trade_finished"),
        "R": (KEEP, "", "nothing", None),
        "CU": (KEEP, "", "nothing", None),
        "C?": (KEEP, "", "nothing", None),
    },
}
CELLS = [(situation, kind) for situation in EXPECTED for kind in EXPECTED[situation]]


def order_in(situation: str, **changes: object) -> Order:
    status, _, _ = situation.partition(" ")
    closing = {
        "closing (close, expiry)": ClosingReason.EXPIRY,
        "closing (cancel)": ClosingReason.CANCEL,
    }
    order = Order(
        id=1, merchant_id=1, environment="emulator", app_id="2021", seller_id="2088",
        out_trade_no="T1", way=Way.PAGE, amount=TOTAL, subject="茶", status=OrderStatus(status),
        refunded=TOTAL if status == "refunded" else Money.zero(), reserved=Money.zero(),
        expires_at=NOW + timedelta(minutes=30), created_at=NOW, updated_at=NOW,
        closing_reason=closing.get(situation), close_confirmed=status == "closed",
    )  # fmt: skip
    return replace(order, **changes)


def fact_of(kind: str, **changes: object) -> TradeFact:
    refunded = {"PP": PART, "R": TOTAL}.get(kind)
    fact = TradeFact(
        kind=FactKind(kind), out_trade_no="T1", source=Source.QUERY, source_ref="q1",
        learned_at=NOW, trade_no=None if kind == "A" else "2026", refunded=refunded,
        total=None if kind == "A" else TOTAL,
    )  # fmt: skip
    return replace(fact, **changes)


def test_the_table_has_every_situation_and_every_fact() -> None:
    assert {s.value for s in rules.TABLE} == {s.value for s in Situation} == set(EXPECTED)
    for situation, row in rules.TABLE.items():
        assert set(row) == set(FactKind), situation
        assert set(EXPECTED[situation.value]) == {kind.value for kind in FactKind}


@pytest.mark.parametrize(("situation", "kind"), CELLS)
def test_each_cell_moves_the_order_as_money_md_says(situation: str, kind: str) -> None:
    status, events, follow, surprise = EXPECTED[situation][kind]
    order = order_in(situation)

    decision = rules.decide(order, fact_of(kind), grace_seconds=GRACE)

    assert (status or order.status) == decision.status
    assert tuple(events.split()) == decision.events
    assert Follow(follow) is decision.follow
    assert surprise == decision.surprise
    assert decision.late is ("order.paid_late" in events)


@pytest.mark.parametrize(("situation", "kind"), CELLS)
def test_a_second_time_the_same_fact_announces_no_payment(situation: str, kind: str) -> None:
    order = order_in(situation)
    first = rules.decide(order, fact_of(kind), grace_seconds=GRACE)
    after = replace(order, status=first.status, refunded=first.refunded)

    second = rules.decide(after, fact_of(kind), grace_seconds=GRACE)

    assert second.status == first.status
    assert second.refunded == first.refunded
    assert not {"order.paid", "order.paid_late", "order.closed"} & set(second.events)


@pytest.mark.parametrize("situation", ["created", "waiting", "closing (close, expiry)"])
def test_absence_closes_only_when_said_twice_after_expiry_and_grace(situation: str) -> None:
    past = NOW + timedelta(minutes=32)
    early, late = fact_of("A"), fact_of("A", learned_at=past)
    said_once = order_in(situation, absent_count=1)

    assert rules.decide(said_once, early, grace_seconds=GRACE).status == said_once.status
    first = rules.decide(order_in(situation), late, grace_seconds=GRACE)
    assert first.status == said_once.status
    second = rules.decide(said_once, late, grace_seconds=GRACE)
    assert second.status is OrderStatus.CLOSED
    assert second.events == ("order.closed",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"total": Money.parse("88.87")}, "amount_differs"),
        ({"total": Money.parse("88.88", "HKD")}, "amount_differs"),
        ({"seller_id": "2088999"}, "seller_id_differs"),
        ({"app_id": "2021999"}, "app_id_differs"),
        ({"trade_no": "other"}, "trade_no_differs"),
        ({"refunded": Money.parse("88.89")}, "refund_exceeds_total"),
    ],
)
@pytest.mark.parametrize("situation", list(EXPECTED))
def test_a_fact_that_does_not_agree_moves_nothing(
    situation: str, changes: dict[str, object], reason: str
) -> None:
    order = order_in(situation, trade_no="2026")

    decision = rules.decide(order, fact_of("P", **changes), grace_seconds=GRACE)

    assert decision.surprise == reason
    assert decision.status == order.status
    assert decision.events == ()
    assert decision.refunded == order.refunded


def test_the_refunded_amount_is_the_maximum_never_a_sum() -> None:
    order = order_in("paid", refunded=PART)
    smaller = fact_of("PP", refunded=Money.parse("1.00"))

    assert rules.decide(order, smaller, grace_seconds=GRACE).refunded == PART
    larger = fact_of("PP", refunded=Money.parse("9.00"))
    assert rules.decide(order, larger, grace_seconds=GRACE).refunded == Money.parse("9.00")


def test_a_closed_trade_with_all_refunds_proven_is_a_refunded_one() -> None:
    unclear = order_in("paid", refunded=TOTAL)

    decision = rules.decide(unclear, fact_of("C?"), grace_seconds=GRACE)

    assert decision.status is OrderStatus.REFUNDED


def test_refunds_that_reach_the_total_refund_the_order() -> None:
    fact = RefundFact(
        out_trade_no="T1", out_request_no="R2", amount=TOTAL - PART, proven=TOTAL,
        source=Source.REFUND, source_ref="r", learned_at=NOW,
    )  # fmt: skip

    decision = rules.decide(order_in("paid", refunded=PART), fact, grace_seconds=GRACE)

    assert decision.status is OrderStatus.REFUNDED
    assert decision.events == ("refund.succeeded", "order.refunded")


def test_a_refunded_amount_on_finished_announces_its_refund() -> None:
    fact = fact_of("F", refunded=PART)

    decision = rules.decide(order_in("paid"), fact, grace_seconds=GRACE)

    assert decision.events == ("order.finished", "refund.succeeded")
    assert decision.refunded == PART


def test_a_trade_that_stays_unclear_goes_to_a_person() -> None:
    order = order_in("paid", unclear_count=rules.UNCLEAR_ANSWERS_MAX - 1)

    assert (
        rules.decide(order, fact_of("C?"), grace_seconds=GRACE).surprise == "outcome_stays_unclear"
    )


def test_silent_orders_are_asked_about_ever_more_rarely_and_at_their_end() -> None:
    order = order_in("created")
    first = rules.next_query_at(order, NOW, grace_seconds=GRACE)
    later = rules.next_query_at(replace(order, query_count=4), NOW, grace_seconds=GRACE)
    last = rules.next_query_at(replace(order, query_count=99), NOW, grace_seconds=GRACE)

    assert first - NOW < later - NOW
    assert last == order.expires_at + timedelta(seconds=GRACE)


def test_the_documented_table_is_the_table_that_runs() -> None:
    kept = (Path(__file__).parents[2] / "docs/reference/order-states.md").read_text("utf-8")

    assert diagram.page() == kept, (
        "run: python -m daozhang.service.orders.diagram > docs/reference/order-states.md"
    )
