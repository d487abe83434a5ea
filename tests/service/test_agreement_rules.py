"""The rules of agreements: every cell, every order of facts, when is charged and when again."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.clock import BEIJING
from daozhang.service.agreements import diagram, rules
from daozhang.service.agreements.model import (
    Agreement,
    AgreementFact,
    AgreementFactKind,
    AgreementStatus,
    Deduction,
    DeductionStatus,
    Plan,
)

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
GRACE = 60
DAY = date(2026, 3, 12)
DOCS = Path(__file__).parents[2] / "docs/reference"


def agreement(status: AgreementStatus, **more: object) -> Agreement:
    values: dict[str, object] = {
        "id": 1, "merchant_id": 1, "environment": "emulator", "app_id": "2021", "seller_id": "2088",
        "external_agreement_no": "E1", "personal_product_code": "CYCLE_PAY_AUTH_P",
        "product_code": "CYCLE_PAY_AUTH", "sign_scene": "X", "channel": "QRCODE", "status": status,
        "expires_at": NOW + timedelta(hours=1), "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Agreement(**values | more)  # type: ignore[arg-type]


def fact(kind: AgreementFactKind, at: datetime = NOW, number: str | None = "A1") -> AgreementFact:
    return AgreementFact(
        kind=kind, source="query", source_ref="r", learned_at=at,
        agreement_no=None if kind in (rules.A, rules.U) else number,
    )  # fmt: skip


EXPECTED = {
    # state: what A, T, N, S and U make of it; None: it stays
    "created": (None, "temp", "active", "stopped", "ended"),
    "temp": ("ended", None, "active", "stopped", "ended"),
    "active": ("ended", None, None, "stopped", "ended"),
    "stopped": ("ended", None, "active", None, "ended"),
    "ending": ("ended", None, None, None, "ended"),
    "ended": (None, None, None, None, None),
    "expired": (None, "temp", "active", "stopped", "ended"),
}


@pytest.mark.parametrize(
    ("status", "kind"), list(itertools.product(AgreementStatus, AgreementFactKind)), ids=str
)
def test_every_state_decides_about_every_fact(
    status: AgreementStatus, kind: AgreementFactKind
) -> None:
    decision = rules.decide(agreement(status), fact(kind), grace_seconds=GRACE)
    expected = EXPECTED[status.value][list(AgreementFactKind).index(kind)]
    assert decision.status.value == (expected or status.value)
    assert bool(decision.events) == (expected not in (None, "temp"))
    if status is AgreementStatus.ENDED and kind in (rules.T, rules.N, rules.S):
        assert decision.surprise == "ended_agreement_lives"
    elif status is AgreementStatus.ENDING and kind in (rules.T, rules.N, rules.S):
        assert decision.follow is rules.Follow.UNSIGN
    else:
        assert (decision.surprise, decision.follow) == (None, rules.Follow.NOTHING)


@given(st.lists(st.sampled_from(list(AgreementFactKind)), max_size=14))
def test_no_order_of_facts_revives_what_has_ended_or_signs_twice(
    kinds: list[AgreementFactKind],
) -> None:
    one, events = agreement(AgreementStatus.CREATED), list[str]()
    for kind in kinds:
        ended = one.status is AgreementStatus.ENDED
        decision = rules.decide(one, fact(kind), grace_seconds=GRACE)
        assert not (ended and (decision.events or decision.status is not one.status))
        events += decision.events
        one = replace(one, status=decision.status)
    assert events.count("agreement.signed") <= 1
    assert events.count("agreement.ended") <= 1


def test_another_agreements_fact_moves_nothing() -> None:
    one = agreement(AgreementStatus.ACTIVE, agreement_no="A2")
    decision = rules.decide(one, fact(rules.S), grace_seconds=GRACE)
    assert (decision.status, decision.surprise) == (one.status, "agreement_no_differs")


def test_a_page_expires_only_when_it_has_died_and_twice_nobody_knows_it() -> None:
    late = NOW + timedelta(hours=1, seconds=GRACE)
    once = agreement(AgreementStatus.CREATED, absent_count=1)
    for one, at, expected in (
        (once, late - timedelta(seconds=1), "created"),
        (replace(once, absent_count=0), late, "created"),
        (once, late, "expired"),
    ):
        decision = rules.decide(one, fact(rules.A, at), grace_seconds=GRACE)
        assert (decision.status.value, decision.events) == (expected, ())


# ---- charging


PLAN = Plan(amount_minor=3000, subject="Membership", lead_days=2)


def active(**more: object) -> Agreement:
    return agreement(AgreementStatus.ACTIVE, next_deduct_on=DAY, plan=PLAN, **more)


def beijing(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=BEIJING)


@pytest.mark.parametrize(("lead_days", "day"), [(0, 12), (2, 10), (5, 7), (9, 7)])
def test_the_first_try_is_made_in_the_morning_and_never_before_the_window(
    lead_days: int, day: int
) -> None:
    plan = Plan(amount_minor=1, subject="x", lead_days=lead_days)
    one = replace(active(), plan=plan)
    assert rules.first_try_at(one) == beijing(day, 8)
    assert rules.first_try_at(replace(one, plan=None)) is None
    assert rules.first_try_at(replace(one, next_deduct_on=None)) is None


@pytest.mark.parametrize(
    ("now", "code", "expected"),
    [
        (beijing(10, 8), "ACQ.BUYER_BALANCE_NOT_ENOUGH", beijing(10, 12)),
        (beijing(10, 17, 59), "ACQ.BUYER_BALANCE_NOT_ENOUGH", beijing(10, 21, 59)),
        (beijing(10, 19), "ACQ.BUYER_BALANCE_NOT_ENOUGH", beijing(11, 8)),  # not at night
        (beijing(11, 2), "ACQ.BUYER_BALANCE_NOT_ENOUGH", beijing(11, 8)),
        (beijing(12, 17), "ACQ.PAYMENT_FAIL", beijing(12, 21)),
        (beijing(12, 19), "ACQ.PAYMENT_FAIL", None),  # the planned day is over then
        (beijing(10, 8), "ACQ.AGREEMENT_NOT_EXIST", None),
        (beijing(10, 8), "ACQ.CYCLE_PAY_DATE_NOT_MATCH", None),
        (beijing(10, 8), None, None),
    ],
)
def test_a_failed_try_is_followed_by_day_until_the_planned_day_is_over(
    now: datetime, code: str | None, expected: datetime | None
) -> None:
    assert rules.next_try_after(active(), code, now) == expected
    assert rules.next_try_after(replace(active(), plan=None), code, now) is None


def tried(status: DeductionStatus, planned_on: date | None = DAY) -> Deduction:
    return Deduction(
        id=1, agreement_id=1, order_id=1, number=1, status=status, created_at=NOW,
        planned_on=planned_on,
    )  # fmt: skip


def test_a_period_is_charged_once_and_not_while_a_try_may_live() -> None:
    one = active()
    assert rules.period_is_free(one, [])
    assert rules.period_is_free(one, [tried(DeductionStatus.FAILED)])
    for taken in (DeductionStatus.OPEN, DeductionStatus.PAID):
        assert not rules.period_is_free(one, [tried(DeductionStatus.FAILED), tried(taken)])
        assert rules.period_is_free(one, [tried(taken, date(2026, 2, 12))])
    free = replace(one, next_deduct_on=None)
    assert rules.period_is_free(free, [tried(DeductionStatus.PAID, None)])
    assert not rules.period_is_free(free, [tried(DeductionStatus.OPEN, None)])


@pytest.mark.parametrize(("day", "expected"), [(6, False), (7, True), (12, True), (13, False)])
def test_the_window_ends_with_the_planned_day(day: int, expected: bool) -> None:
    assert rules.is_due(active(), beijing(day, 0)) is expected
    assert rules.is_due(active(), beijing(day, 23, 59)) is expected


def test_the_page_of_states_is_that_of_the_table() -> None:
    assert diagram.page() == (DOCS / "agreement-states.md").read_text("utf-8"), (
        "run: python -m daozhang.service.agreements.diagram > docs/reference/agreement-states.md"
    )


def test_a_try_is_numbered_by_its_period_whatever_the_books_remember_of_others() -> None:
    due = agreement(AgreementStatus.ACTIVE, next_deduct_on=DAY)
    assert rules.number_of_next(due, []) == "E1-20260312-1"
    tries = [
        Deduction(
            id=one, agreement_id=1, order_id=one, number=one, planned_on=day,
            status=DeductionStatus.FAILED, created_at=NOW, ended_at=NOW,
        )
        for one, day in enumerate((DAY - timedelta(days=7), DAY, DAY), 1)
    ]  # fmt: skip
    assert rules.number_of_next(due, tries) == "E1-20260312-3"
