"""The rules of holds, releases and charges: every cell, every order of facts, and what remains."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.money import Money
from daozhang.service.charges import rules as charge_rules
from daozhang.service.charges.model import Answer, Charge, ChargeKind, Outcome, Phase
from daozhang.service.holds import diagram, rules
from daozhang.service.holds.messages import SENTENCES, sentences_for
from daozhang.service.holds.model import (
    Hold,
    HoldFact,
    HoldFactKind,
    HoldStatus,
    HoldWay,
    Release,
    ReleaseOrigin,
    ReleaseStatus,
)
from daozhang.service.holds.rules import Action, Told
from daozhang.service.orders.model import ClosingReason, FactKind, Order, OrderStatus, Way
from daozhang.service.refunds import diagram as refund_diagram

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
GRACE = 60
TOTAL = Money.parse("500.00")
DOCS = Path(__file__).parents[2] / "docs/reference"


def hold(status: HoldStatus, **more: object) -> Hold:
    values: dict[str, object] = {
        "id": 1, "merchant_id": 1, "environment": "emulator", "app_id": "2021", "seller_id": "2088",
        "out_order_no": "H1", "out_request_no": "H1", "way": HoldWay.QR, "product_code": "PRE_AUTH",
        "amount": TOTAL, "title": "Deposit", "status": status, "captured": Money.zero(),
        "released": Money.zero(), "expires_at": NOW + timedelta(hours=1), "created_at": NOW,
        "updated_at": NOW,
    }  # fmt: skip
    return Hold(**values | more)  # type: ignore[arg-type]


def fact(kind: HoldFactKind, *, captured: str = "0", rest: str | None = None) -> HoldFact:
    taken = Money.parse(captured)
    left = TOTAL - taken if rest is None else Money.parse(rest)
    frozen = kind in (rules.S, rules.F)
    return HoldFact(
        kind=kind, out_order_no="H1", source="query", source_ref="r", learned_at=NOW,
        auth_no=None if kind is rules.A else "A1",
        frozen=TOTAL if frozen else None,
        captured=taken if frozen else None,
        rest=left if frozen else None,
    )  # fmt: skip


def decide(one: Hold, told: HoldFact) -> rules.Decision:
    return rules.decide(one, told, grace_seconds=GRACE)


EXPECTED = {
    # state: what A, I, S, F and C make of it; None: it stays
    "created": (None, "waiting", "authorized", "finished", "closed"),
    "waiting": (None, None, "authorized", "finished", "closed"),
    "closing": (None, None, None, "finished", "closed"),
    "authorized": (None, None, None, "finished", "closed"),
    "finished": (None, None, None, None, None),
    "closed": (None, None, "authorized", "finished", None),
}


@pytest.mark.parametrize(
    ("status", "kind"), list(itertools.product(HoldStatus, HoldFactKind)), ids=str
)
def test_every_state_decides_about_every_fact(status: HoldStatus, kind: HoldFactKind) -> None:
    rest = "0" if kind is rules.F else None
    captured = "500.00" if kind is rules.F else "0"
    decision = decide(hold(status), fact(kind, captured=captured, rest=rest))

    expected = EXPECTED[status.value][list(HoldFactKind).index(kind)]
    assert decision.status.value == (expected or status.value)
    assert bool(decision.events) == (expected not in (None, "waiting"))
    announces_money = {rules.AUTHORIZED, rules.AUTHORIZED_LATE} & set(decision.events)
    enters = decision.status in (HoldStatus.AUTHORIZED, HoldStatus.FINISHED)
    is_new = status in (
        HoldStatus.CREATED,
        HoldStatus.WAITING,
        HoldStatus.CLOSING,
        HoldStatus.CLOSED,
    )
    assert bool(announces_money) == (enters and is_new)
    given_up = status in (HoldStatus.CLOSING, HoldStatus.CLOSED)
    assert decision.late == (given_up and bool(announces_money))


@given(st.lists(st.sampled_from([k for k in HoldFactKind if k is not rules.A]), max_size=12))
def test_no_order_of_facts_authorizes_twice_or_revives_what_is_finished(
    kinds: list[HoldFactKind],
) -> None:
    one, events = hold(HoldStatus.CREATED), list[str]()
    for kind in kinds:
        finished = one.status is HoldStatus.FINISHED
        decision = decide(one, fact(kind, rest="0" if kind is rules.F else None, captured="500.00" if kind is rules.F else "0"))  # fmt: skip
        assert not (finished and (decision.events or decision.status is not one.status))
        events += decision.events
        one = replace(
            one, status=decision.status, captured=decision.captured, released=decision.released
        )
    assert events.count(rules.AUTHORIZED) <= 1
    assert events.count(rules.FINISHED) <= 1


@given(st.permutations([("0", "500.00"), ("100.00", "400.00"), ("100.00", "250.00")]))
def test_sums_are_cumulative_and_come_in_any_order(told: list[tuple[str, str]]) -> None:
    one = hold(HoldStatus.AUTHORIZED, authorized_at=NOW)
    for captured, rest in told:
        decision = decide(one, fact(rules.S, captured=captured, rest=rest))
        one = replace(one, captured=decision.captured, released=decision.released)
    assert (one.captured, one.released) == (Money.parse("100.00"), Money.parse("150.00"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"auth_no": "A2"}, "auth_no_differs"),
        ({"frozen": Money.parse("499.99")}, "hold_amount_differs"),
        ({"rest": Money.parse("500.01")}, "hold_amount_differs"),
    ],
)
def test_what_cannot_be_about_the_hold_moves_nothing(
    changes: dict[str, object], reason: str
) -> None:
    one = hold(HoldStatus.WAITING, auth_no="A1")
    decision = decide(one, replace(fact(rules.S), **changes))  # type: ignore[arg-type]
    assert (decision.status, decision.surprise, decision.events) == (one.status, reason, ())


def test_a_code_that_can_still_be_scanned_is_not_closed_by_absence() -> None:
    one = hold(HoldStatus.CLOSING, called_at=NOW, absent_count=5)
    later = replace(fact(rules.A), learned_at=NOW + timedelta(minutes=30))
    assert decide(one, later).status is HoldStatus.CLOSING
    scanned = replace(one, way=HoldWay.BARCODE)
    assert decide(scanned, later).status is HoldStatus.CLOSED
    over = replace(fact(rules.A), learned_at=one.expires_at + timedelta(seconds=GRACE))
    assert decide(one, over).status is HoldStatus.CLOSED
    assert decide(replace(one, attention=True), over).status is HoldStatus.CLOSING


@pytest.mark.parametrize("status", list(HoldStatus))
def test_what_a_person_looks_at_is_never_cancelled_by_itself(status: HoldStatus) -> None:
    later = NOW + timedelta(days=2)
    action = rules.next_action(hold(status, attention=True), later, GRACE)
    assert action is (Action.NOTHING if status is HoldStatus.FINISHED else Action.ASK)


# ---- releases


def release(status: ReleaseStatus, **more: object) -> Release:
    values: dict[str, object] = {
        "id": 1, "hold_id": 1, "out_request_no": "R1", "origin": ReleaseOrigin.OURS,
        "status": status, "amount": Money.parse("10.00"), "created_at": NOW, "updated_at": NOW,
        "called_at": NOW, "call_count": 1,
    }  # fmt: skip
    return Release(**values | more)  # type: ignore[arg-type]


R, U, OK, NO = (
    ReleaseStatus.REQUESTED, ReleaseStatus.UNKNOWN, ReleaseStatus.SUCCEEDED, ReleaseStatus.FAILED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "more", "told", "seconds", "expected"),
    [
        (R, {}, Told.DONE, 0, OK),
        (R, {}, Told.REJECTED, 0, NO),
        (R, {}, Told.UNKNOWN, 0, U),
        (U, {}, Told.DONE, 0, OK),
        (U, {}, Told.UNKNOWN, 60, U),
        (U, {}, Told.REJECTED, 60, U),
        (U, {}, Told.ABSENT, 9, U),
        (U, {}, Told.ABSENT, 10, R),  # it never arrived: the same is sent again
        (R, {"call_count": 2}, Told.REJECTED, 0, U),  # the first may have moved it
        (U, {"rejected": True}, Told.ABSENT, 9, U),
        (U, {"rejected": True}, Told.ABSENT, 10, NO),
    ],
)
def test_a_no_after_an_unknown_outcome_proves_nothing(
    status: ReleaseStatus,
    more: dict[str, object],
    told: Told,
    seconds: int,
    expected: ReleaseStatus,
) -> None:
    now = NOW + timedelta(seconds=seconds)
    assert rules.release_after(release(status, **more), told, now) is expected


amounts = st.integers(1, 50000).map(Money)


@given(st.lists(st.tuples(amounts, st.sampled_from([True, None])), max_size=8), st.lists(st.tuples(amounts, st.sampled_from([R, U, OK, NO])), max_size=8), amounts, amounts)  # fmt: skip
def test_what_remains_is_never_more_than_what_is_frozen_and_promised_to_nobody(
    captures: list[tuple[Money, bool | None]],
    releases: list[tuple[Money, ReleaseStatus]],
    told_captured: Money,
    told_released: Money,
) -> None:
    one = hold(
        HoldStatus.AUTHORIZED, authorized_at=NOW, captured=told_captured, released=told_released
    )
    rows = [release(status, amount=amount) for amount, status in releases]
    found = rules.balance_of(one, rows, captures)
    promised = Money.total(amount for amount, _ in captures) + Money.total(
        row.amount for row in rows if row.status is not NO
    )
    assert found.remaining <= max(TOTAL - promised, Money.zero())
    assert found.remaining >= Money.zero()
    assert found.captured >= told_captured
    assert found.released >= told_released


# ---- charges


def order(status: OrderStatus, **more: object) -> Order:
    values: dict[str, object] = {
        "id": 1, "merchant_id": 1, "environment": "emulator", "app_id": "2021",
        "seller_id": "2088", "out_trade_no": "T1", "way": Way.HOLD, "amount": Money.parse("8.88"),
        "subject": "Room", "status": status, "refunded": Money.zero(), "reserved": Money.zero(),
        "expires_at": NOW + timedelta(minutes=15), "created_at": NOW, "updated_at": NOW,
        "closing_reason": ClosingReason.REFUSED if status is OrderStatus.CLOSING else None,
    }  # fmt: skip
    return Order(**values | more)  # type: ignore[arg-type]


def charge(phase: Phase, **more: object) -> Charge:
    values: dict[str, object] = {
        "id": 1, "order_id": 1, "merchant_id": 1, "kind": ChargeKind.HOLD, "owner_id": 1,
        "instrument": {}, "phase": phase, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Charge(**values | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("phase", "status"), list(itertools.product(Phase, OrderStatus)), ids=str)
def test_a_charge_calls_only_for_an_order_that_may_be_paid(
    phase: Phase, status: OrderStatus
) -> None:
    action = charge_rules.next_action(charge(phase), order(status), NOW)
    calls = action is charge_rules.Action.CALL
    assert calls == (phase is Phase.DUE and status in (OrderStatus.CREATED, OrderStatus.WAITING))
    if phase is Phase.ENDED:
        assert action is charge_rules.Action.NOTHING
    elif status in charge_rules.ENDINGS:
        assert action is charge_rules.Action.END
    watched = charge_rules.next_action(charge(phase), order(status, attention=True), NOW)
    assert watched not in (charge_rules.Action.CALL, charge_rules.Action.CLOSE)
    over = charge_rules.next_action(charge(phase), order(status), NOW + timedelta(hours=1))
    assert over is not charge_rules.Action.CALL


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_no_to_the_second_call_of_a_charge_is_asked_about(outcome: Outcome) -> None:
    first = charge_rules.after_call(charge(Phase.CALLING, call_count=1), Answer(outcome))
    assert first is charge_rules.AFTER_CALL[outcome]
    second = charge_rules.after_call(charge(Phase.CALLING, call_count=2), Answer(outcome))
    assert second.to is Phase.ASKING


@pytest.mark.parametrize(
    ("kind", "outcome", "seconds", "expected"),
    [
        (FactKind.ABSENT, Outcome.UNKNOWN, 9, "go on"),
        (FactKind.ABSENT, Outcome.UNKNOWN, 10, "call again"),
        (FactKind.ABSENT, Outcome.UNKNOWN, 3600, "go on"),  # its time is over: it closes
        (FactKind.ABSENT, Outcome.REFUSED, 9, "go on"),
        (FactKind.ABSENT, Outcome.REFUSED, 10, "give up"),
        (FactKind.WAITING, Outcome.UNKNOWN, 60, "go on"),
        (None, Outcome.UNKNOWN, 60, "go on"),
    ],
)
def test_only_a_late_question_decides_about_a_charge(
    kind: FactKind | None, outcome: Outcome, seconds: int, expected: str
) -> None:
    asked = charge(Phase.ASKING, called_at=NOW, last_outcome=outcome)
    now = NOW + timedelta(seconds=seconds)
    found = charge_rules.follow_of(asked, order(OrderStatus.CREATED), kind, now)
    assert found.value == expected
    held = charge_rules.follow_of(asked, order(OrderStatus.CREATED, attention=True), kind, now)
    assert held.value == "go on"


# ---- words and pages


def test_every_code_has_words_in_both_languages_and_others_are_shown_as_they_are() -> None:
    for english, chinese in SENTENCES.values():
        assert english.endswith(".")
        assert chinese.endswith("。")
    assert sentences_for(None, "x") is None
    assert sentences_for("SOMETHING_NEW", "新") == (
        "Alipay says: SOMETHING_NEW 新.",
        "支付宝返回：SOMETHING_NEW 新。",
    )


def test_the_pages_of_states_are_those_of_the_tables() -> None:
    for module, name in ((diagram, "hold-states"), (refund_diagram, "refund-states")):
        assert module.page() == (DOCS / f"{name}.md").read_text("utf-8"), (
            f"run: python -m {module.__name__} > docs/reference/{name}.md"
        )
