"""How a transfer moves: every (status, outcome), any order of what is learned, and what is done next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.money import Money
from daozhang.service.transfers.diagram import page
from daozhang.service.transfers.model import (
    Answer,
    Outcome,
    PayeeKind,
    Transfer,
    TransferLimits,
    TransferStatus,
)
from daozhang.service.transfers.rules import (
    ASKS_BEFORE_PERSON,
    PROOF_SECONDS,
    TRANSITIONS,
    WATCH_AFTER_DAYS,
    Action,
    Follow,
    LimitBroken,
    broken_limit,
    due_after,
    has_left,
    limit_ends_at,
    move_for,
    next_action,
    number_again,
    person_is_due,
    takes_second_person,
)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "transfer-states.md"

TRANSFER = Transfer(
    id=1,
    merchant_id=1,
    environment="emulator",
    app_id="2021",
    seller_id="2088",
    out_biz_no="W1",
    status=TransferStatus.REQUESTED,
    amount=Money(5000),
    payee_kind=PayeeKind.BANK_CARD,
    payee_shown="6222****0001",
    payee_sealed=b"",
    product_code="TRANS_BANKCARD_NO_PWD",
    title="佣金",
    counted_at=NOW,
    created_at=NOW,
    updated_at=NOW,
)
AWAITING, REQUESTED, UNKNOWN, DEALING, SUCCEEDED, FAILED, RETURNED = TransferStatus
TOLD = (Outcome.SUCCEEDED, Outcome.DEALING, Outcome.RETURNED, Outcome.REFUSED)
NOES = (Outcome.REJECTED, Outcome.NO_BALANCE, Outcome.LIMIT)

EXPECTED = {
    **{(AWAITING, outcome): None for outcome in Outcome},
    (REQUESTED, Outcome.SUCCEEDED): SUCCEEDED,
    (REQUESTED, Outcome.DEALING): DEALING,
    (REQUESTED, Outcome.RETURNED): RETURNED,
    (REQUESTED, Outcome.REFUSED): FAILED,
    (REQUESTED, Outcome.REJECTED): FAILED,
    (REQUESTED, Outcome.NO_BALANCE): None,
    (REQUESTED, Outcome.LIMIT): None,
    (REQUESTED, Outcome.UNKNOWN): UNKNOWN,
    (REQUESTED, Outcome.ABSENT): None,
    (UNKNOWN, Outcome.SUCCEEDED): SUCCEEDED,
    (UNKNOWN, Outcome.DEALING): DEALING,
    (UNKNOWN, Outcome.RETURNED): RETURNED,
    (UNKNOWN, Outcome.REFUSED): FAILED,
    (UNKNOWN, Outcome.REJECTED): None,
    (UNKNOWN, Outcome.NO_BALANCE): None,
    (UNKNOWN, Outcome.LIMIT): None,
    (UNKNOWN, Outcome.UNKNOWN): None,
    (UNKNOWN, Outcome.ABSENT): REQUESTED,
    **{(DEALING, outcome): None for outcome in Outcome},
    (DEALING, Outcome.SUCCEEDED): SUCCEEDED,
    (DEALING, Outcome.RETURNED): RETURNED,
    (DEALING, Outcome.REFUSED): FAILED,
    **{(SUCCEEDED, outcome): None for outcome in Outcome},
    (SUCCEEDED, Outcome.RETURNED): RETURNED,
    **{(FAILED, outcome): None for outcome in Outcome},
    (FAILED, Outcome.SUCCEEDED): SUCCEEDED,
    (FAILED, Outcome.RETURNED): RETURNED,
    **{(RETURNED, outcome): None for outcome in Outcome},
}
"""money.md §5, written out a second time by hand."""


@pytest.mark.parametrize("status", TransferStatus)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_in_every_status(status: TransferStatus, outcome: Outcome) -> None:
    assert TRANSITIONS[status][outcome].to == EXPECTED[status, outcome]


@pytest.mark.parametrize("status", TransferStatus)
@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_proves_that_nothing_lives_sends_again(
    status: TransferStatus, outcome: Outcome
) -> None:
    sends = TRANSITIONS[status][outcome].follow in (
        Follow.CALL,
        Follow.CALL_LATER,
        Follow.CALL_NEXT_DAY,
    )
    may = status is REQUESTED and outcome in (Outcome.NO_BALANCE, Outcome.LIMIT, Outcome.ABSENT)
    assert sends == (may or (status, outcome) == (UNKNOWN, Outcome.ABSENT))


def step(transfer: Transfer, outcome: Outcome) -> Transfer:
    move = move_for(transfer, Answer(outcome))
    return replace(transfer, status=move.to or transfer.status)


LIVES = (
    (Outcome.SUCCEEDED,),
    (Outcome.DEALING, Outcome.SUCCEEDED),
    (Outcome.DEALING, Outcome.REFUSED),
    (Outcome.DEALING, Outcome.SUCCEEDED, Outcome.RETURNED),
)
"""What becomes of a transfer at Alipay, in the order of its life there."""


@given(st.data())
def test_any_order_of_answers_ends_as_the_last_truth_says(data: st.DataObject) -> None:
    life = data.draw(st.sampled_from(LIVES))
    noise = st.sampled_from((*life, *NOES, Outcome.UNKNOWN))
    transfer = step(TRANSFER, Outcome.UNKNOWN)
    for outcome in data.draw(st.lists(noise, max_size=12)):
        transfer = step(transfer, outcome)
    # Sooner or later a question is answered after all that has happened.
    end = step(transfer, life[-1])
    assert end.status is TRANSITIONS[UNKNOWN][life[-1]].to


@given(st.lists(st.sampled_from(tuple(Outcome)), max_size=20))
def test_what_a_bank_sent_back_is_the_end_whatever_comes(outcomes: list[Outcome]) -> None:
    transfer = step(TRANSFER, Outcome.RETURNED)
    for outcome in outcomes:
        transfer = step(transfer, outcome)
    assert transfer.status is RETURNED
    assert next_action(transfer, NOW, outgoing_allowed=True) == (Action.NOTHING, None)


@given(st.lists(st.sampled_from((*NOES, Outcome.UNKNOWN)), max_size=20))
def test_no_number_of_noes_after_an_unknown_is_a_no(outcomes: list[Outcome]) -> None:
    transfer = step(TRANSFER, Outcome.UNKNOWN)
    for outcome in outcomes:
        transfer = step(transfer, outcome)
        assert transfer.status is UNKNOWN


def test_another_amount_moves_nothing() -> None:
    move = move_for(TRANSFER, Answer(Outcome.SUCCEEDED, amount=Money(5001)))
    assert (move.to, move.surprise) == (None, "transfer_amount_differs")
    assert has_left(TRANSFER, move, Answer(Outcome.SUCCEEDED)) == (False, False)


@pytest.mark.parametrize(
    ("status", "called", "allowed", "expected"),
    [
        (AWAITING, None, True, Action.NOTHING),
        (REQUESTED, None, True, Action.CALL),
        (REQUESTED, None, False, Action.HOLD),
        (UNKNOWN, 9, True, Action.WAIT),
        (UNKNOWN, 10, False, Action.ASK),
        (DEALING, 0, False, Action.ASK),
        (SUCCEEDED, 0, True, Action.ASK),
        (FAILED, 0, True, Action.ASK),
    ],
)
def test_what_is_done_next(
    status: TransferStatus, called: int | None, allowed: bool, expected: Action
) -> None:
    called_at = None if called is None else NOW - timedelta(seconds=called)
    transfer = replace(TRANSFER, status=status, called_at=called_at)
    action, until = next_action(transfer, NOW, outgoing_allowed=allowed)
    assert action is expected
    if action is Action.WAIT and called_at is not None:
        assert until == called_at + timedelta(seconds=PROOF_SECONDS)
    if status not in (AWAITING,):
        begun = replace(transfer, calling=True)
        assert next_action(begun, NOW, outgoing_allowed=allowed)[0] is Action.DOUBT


def test_a_limit_says_when_it_is_over() -> None:
    # 09:00 in Beijing on 2 March: five minutes after the next midnight there, or on 1 April.
    assert limit_ends_at("EXCEED_LIMIT_DM_AMOUNT", NOW) == datetime(2026, 3, 2, 16, 5, tzinfo=UTC)
    assert limit_ends_at("EXCEED_LIMIT_MM_AMOUNT", NOW) == datetime(2026, 3, 31, 16, 5, tzinfo=UTC)
    answer = Answer(Outcome.LIMIT, "EXCEED_LIMIT_DM_AMOUNT")
    move = move_for(TRANSFER, answer)
    assert due_after(move, TRANSFER, answer, NOW) == limit_ends_at(answer.code, NOW)


def test_a_card_is_watched_for_days_and_an_account_is_not() -> None:
    move, answer = TRANSITIONS[REQUESTED][Outcome.SUCCEEDED], Answer(Outcome.SUCCEEDED)
    assert due_after(move, TRANSFER, answer, NOW) == NOW + timedelta(days=1)
    watched, asked, at = replace(TRANSFER, paid_at=NOW), [0], NOW
    while (due := due_after(move, watched, answer, at + timedelta(hours=1))) is not None:
        at = due
        asked.append((at - NOW).days)
    assert tuple(asked) == (0, *WATCH_AFTER_DAYS)
    account = replace(TRANSFER, payee_kind=PayeeKind.USER_ID)
    assert due_after(move, account, answer, NOW) is None


def test_people_are_told_once_that_it_stays_unclear() -> None:
    unknown = replace(TRANSFER, status=UNKNOWN)
    due = [n for n in range(30) if person_is_due(replace(unknown, ask_count=n))]
    assert due == [ASKS_BEFORE_PERSON]
    assert not person_is_due(replace(TRANSFER, status=DEALING, ask_count=ASKS_BEFORE_PERSON))


@pytest.mark.parametrize(
    ("outcome", "kind", "expected"),
    [
        (Outcome.SUCCEEDED, PayeeKind.USER_ID, (True, False)),
        (Outcome.DEALING, PayeeKind.BANK_CARD, (True, False)),
        (Outcome.RETURNED, PayeeKind.BANK_CARD, (True, True)),
        (Outcome.REFUSED, PayeeKind.BANK_CARD, (True, True)),
        (Outcome.REFUSED, PayeeKind.USER_ID, (False, False)),
        (Outcome.REJECTED, PayeeKind.BANK_CARD, (False, False)),
        (Outcome.UNKNOWN, PayeeKind.BANK_CARD, (False, False)),
    ],
)
def test_when_money_has_left_and_come_back(
    outcome: Outcome, kind: PayeeKind, expected: tuple[bool, bool]
) -> None:
    transfer = replace(TRANSFER, payee_kind=kind)
    answer = Answer(outcome)
    assert has_left(transfer, move_for(transfer, answer), answer) == expected


def test_limits_count_together_and_two_people_above_them() -> None:
    limits = TransferLimits(Money(1000), Money(2500), Money(500), Money(900))
    assert broken_limit(limits, Money(1000), Money(1500)) is None
    assert broken_limit(limits, Money(1001), Money(0)) == (LimitBroken.SINGLE, Money(1000))
    assert broken_limit(limits, Money(1000), Money(1501)) == (LimitBroken.DAY, Money(2500))
    assert not takes_second_person(limits, Money(500), Money(400))
    assert takes_second_person(limits, Money(501), Money(0))
    assert takes_second_person(limits, Money(500), Money(401))
    free = TransferLimits(None, None, None, None)
    assert broken_limit(free, Money(10**12), Money(10**12)) is None
    assert not takes_second_person(free, Money(10**12), Money(10**12))


def test_the_page_shows_the_table() -> None:
    assert PAGE.read_text("utf-8") == page()


@given(st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), unique=True, max_size=4))
def test_what_is_sent_once_more_has_one_number_of_its_own(numbers: list[str]) -> None:
    again = {number: number_again(number) for number in numbers}
    assert all(1 <= len(one) <= 64 and one != number for number, one in again.items())
    assert len(set(again.values())) == len(numbers)
    assert number_again("T1") == "T1-r2"
    assert number_again("T1-r2") == "T1-r3"
    assert number_again("T1-r9") == "T1-r10"
    long = "T" * 64
    assert number_again(number_again(long)).endswith("-r3")
