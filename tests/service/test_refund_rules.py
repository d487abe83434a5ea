"""How a refund moves: every (status, outcome), and what is done about it next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.money import Money
from daozhang.service.refunds.model import Outcome, Refund, RefundOrigin, RefundStatus
from daozhang.service.refunds.rules import (
    ASK_DELAYS_SECONDS,
    ASKS_BEFORE_PERSON,
    BALANCE_DELAYS_SECONDS,
    PROOF_SECONDS,
    SPACING_SECONDS,
    TRANSITIONS,
    Action,
    Follow,
    due_after,
    missing,
    move_for,
    next_action,
    notice_proves,
    person_is_due,
)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

REFUND = Refund(
    id=1,
    order_id=1,
    merchant_id=1,
    out_request_no="R1",
    origin=RefundOrigin.OURS,
    status=RefundStatus.REQUESTED,
    amount=Money.parse("8.88"),
    created_at=NOW,
    updated_at=NOW,
)
REQUESTED, UNKNOWN, SUCCEEDED, FAILED = RefundStatus

EXPECTED = {
    (REQUESTED, Outcome.PROVEN): (SUCCEEDED, Follow.NOTHING, "refund.succeeded"),
    (REQUESTED, Outcome.REJECTED): (FAILED, Follow.NOTHING, "refund.failed"),
    (REQUESTED, Outcome.NO_BALANCE): (None, Follow.CALL_LATER, None),
    (REQUESTED, Outcome.NO_RETURN): (FAILED, Follow.NOTHING, "refund.failed"),
    (REQUESTED, Outcome.UNPROVEN): (UNKNOWN, Follow.ASK, None),
    (REQUESTED, Outcome.UNKNOWN): (UNKNOWN, Follow.ASK, None),
    (REQUESTED, Outcome.ABSENT): (None, Follow.CALL, None),
    (UNKNOWN, Outcome.PROVEN): (SUCCEEDED, Follow.NOTHING, "refund.succeeded"),
    (UNKNOWN, Outcome.REJECTED): (None, Follow.ASK, None),
    (UNKNOWN, Outcome.NO_BALANCE): (None, Follow.ASK, None),
    (UNKNOWN, Outcome.NO_RETURN): (None, Follow.ASK, None),
    (UNKNOWN, Outcome.UNPROVEN): (None, Follow.ASK, None),
    (UNKNOWN, Outcome.UNKNOWN): (None, Follow.ASK, None),
    (UNKNOWN, Outcome.ABSENT): (REQUESTED, Follow.CALL, None),
    **{(SUCCEEDED, outcome): (None, Follow.NOTHING, None) for outcome in Outcome},
    **{(FAILED, outcome): (None, Follow.NOTHING, None) for outcome in Outcome},
    (FAILED, Outcome.PROVEN): (SUCCEEDED, Follow.NOTHING, "refund.succeeded"),
}
"""money.md §5, written out a second time by hand."""


@pytest.mark.parametrize("status", RefundStatus)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_in_every_status(status: RefundStatus, outcome: Outcome) -> None:
    move = TRANSITIONS[status][outcome]
    assert (move.to, move.follow, move.event) == EXPECTED[status, outcome]


def test_what_surprises_a_person_is_said() -> None:
    said = {
        (status, outcome): move.surprise
        for status, row in TRANSITIONS.items()
        for outcome, move in row.items()
        if move.surprise is not None
    }
    assert said == {
        (REQUESTED, Outcome.NO_BALANCE): "refund_waits_for_balance",
        (REQUESTED, Outcome.NO_RETURN): "receiver_cannot_return",
        (FAILED, Outcome.PROVEN): "failed_refund_succeeded",
    }


@given(st.lists(st.sampled_from(Outcome), max_size=30))
def test_nothing_fails_in_doubt_and_nothing_is_sent_in_doubt(outcomes: list[Outcome]) -> None:
    """Whatever is heard, in any order: only "no such refund" ends a doubt without a proof."""
    refund, in_doubt = REFUND, False
    for outcome in outcomes:
        if not refund.is_open:
            return
        move = move_for(refund, outcome)
        in_doubt = in_doubt or outcome in (Outcome.UNKNOWN, Outcome.UNPROVEN)
        in_doubt = in_doubt and outcome not in (Outcome.ABSENT, Outcome.PROVEN)
        if in_doubt:
            assert move.to is not FAILED
            assert move.follow is Follow.ASK
        refund = replace(refund, status=move.to or refund.status)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("status", [REQUESTED, UNKNOWN])
def test_what_we_never_sent_is_never_sent(status: RefundStatus, outcome: Outcome) -> None:
    external = replace(REFUND, origin=RefundOrigin.EXTERNAL, status=status)
    assert move_for(external, outcome).follow not in (Follow.CALL, Follow.CALL_LATER)
    assert next_action(external, NOW, None) == (Action.ASK, None)


def test_a_new_refund_is_sent_at_once() -> None:
    assert next_action(REFUND, NOW, None) == (Action.CALL, None)


def test_between_two_refunds_of_one_trade_lie_three_seconds() -> None:
    free_at = NOW + timedelta(seconds=SPACING_SECONDS)
    almost = free_at - timedelta(microseconds=1)
    assert next_action(REFUND, almost, NOW) == (Action.WAIT, free_at)
    assert next_action(REFUND, free_at, NOW) == (Action.CALL, None)


def test_a_doubtful_call_is_asked_about_no_sooner_than_absence_would_prove_anything() -> None:
    doubtful = replace(REFUND, status=UNKNOWN, called_at=NOW)
    ripe_at = NOW + timedelta(seconds=PROOF_SECONDS)
    almost = ripe_at - timedelta(microseconds=1)
    assert next_action(doubtful, almost, NOW) == (Action.WAIT, ripe_at)
    assert next_action(doubtful, ripe_at, NOW) == (Action.ASK, None)


def test_a_call_that_nobody_recorded_is_a_doubt_and_not_a_second_call() -> None:
    interrupted = replace(REFUND, calling=True, called_at=NOW, call_count=1)
    much_later = NOW + timedelta(days=1)
    assert next_action(interrupted, much_later, NOW) == (Action.DOUBT, None)


def test_what_has_no_name_is_reckoned_and_what_has_ended_is_left() -> None:
    nameless = replace(REFUND, origin=RefundOrigin.EXTERNAL, status=UNKNOWN, out_request_no=None)
    assert next_action(nameless, NOW, None) == (Action.RECKON, None)
    for status in (SUCCEEDED, FAILED):
        assert next_action(replace(REFUND, status=status), NOW, None) == (Action.NOTHING, None)


def test_questions_become_rarer_and_never_end() -> None:
    move = TRANSITIONS[UNKNOWN][Outcome.UNKNOWN]
    delays = []
    for count in range(len(ASK_DELAYS_SECONDS) + 2):
        due_at = due_after(move, replace(REFUND, status=UNKNOWN, ask_count=count), NOW)
        assert due_at is not None
        delays.append((due_at - NOW).total_seconds())
    assert delays == sorted(delays)
    assert delays[0] >= PROOF_SECONDS
    assert delays[-3:] == [ASK_DELAYS_SECONDS[-1]] * 3


def test_a_refund_that_waits_for_balance_comes_back_ever_more_rarely() -> None:
    move = TRANSITIONS[REQUESTED][Outcome.NO_BALANCE]
    dues = [due_after(move, replace(REFUND, call_count=count), NOW) for count in range(1, 7)]
    seconds = [*BALANCE_DELAYS_SECONDS, BALANCE_DELAYS_SECONDS[-1], BALANCE_DELAYS_SECONDS[-1]]
    assert dues == [NOW + timedelta(seconds=delay) for delay in seconds]


def test_what_never_arrived_is_sent_again_at_once_and_what_has_ended_is_never_due() -> None:
    assert due_after(TRANSITIONS[UNKNOWN][Outcome.ABSENT], REFUND, NOW) == NOW
    assert due_after(TRANSITIONS[UNKNOWN][Outcome.PROVEN], REFUND, NOW) is None


def test_people_are_told_once_that_it_stays_unclear() -> None:
    told = [count for count in range(50) if person_is_due(replace(REFUND, ask_count=count))]
    assert told == [ASKS_BEFORE_PERSON]


@pytest.mark.parametrize(("total", "proves"), [("8.87", False), ("8.88", True), ("20.00", True)])
def test_a_notice_proves_what_its_running_total_can_hold(total: str, proves: bool) -> None:
    assert notice_proves(REFUND, Money.parse(total)) is proves


def test_what_is_missing_is_never_less_than_nothing() -> None:
    ten, four = Money.parse("10.00"), Money.parse("4.00")
    assert missing(ten, four) == Money.parse("6.00")
    assert missing(four, ten) == Money.zero()


def test_a_reservation_is_held_by_what_we_started_and_has_not_ended() -> None:
    for origin in RefundOrigin:
        for status in RefundStatus:
            refund = replace(REFUND, origin=origin, status=status)
            open_and_ours = origin is RefundOrigin.OURS and status in (REQUESTED, UNKNOWN)
            assert refund.holds_reservation is open_and_ours
