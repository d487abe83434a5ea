"""Who may do what, and when somebody is let in: decisions, tested with values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daozhang.service.people import masking, rules
from daozhang.service.people.model import (
    RIGHTS,
    Language,
    Person,
    PersonStatus,
    Right,
    Role,
    Session,
    SignInStep,
)

NOW = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)


def person(*roles: Role, status: PersonStatus = PersonStatus.ACTIVE) -> Person:
    return Person(7, "a@b.cn", "张三", frozenset(roles), None, Language.CHINESE, status, NOW)


def test_roles_hold_no_more_than_their_work_needs() -> None:
    moves_money = {
        Right.REFUNDS_REQUEST,
        Right.REFUNDS_APPROVE,
        Right.HOLDS_CAPTURE,
        Right.AGREEMENTS_CHARGE,
    }
    grave = {Right.PEOPLE_WRITE, Right.KEYS_ROTATE, Right.KEYS_APPROVE, Right.APIKEYS_WRITE}
    grave |= {Right.MERCHANTS_WRITE, Right.OUTGOING_SWITCH, Right.AUDIT_EXPORT}
    assert all(right.value.endswith(":read") for right in RIGHTS[Role.VIEWER])
    assert not RIGHTS[Role.DEVELOPER] & moves_money
    assert RIGHTS[Role.CASHIER] & moves_money == {Right.REFUNDS_REQUEST}
    for role in set(Role) - {Role.OWNER}:
        assert not RIGHTS[role] & grave, role
    assert RIGHTS[Role.OWNER] == set(Right)
    seeing = {role for role in Role if Right.PERSONAL_READ in RIGHTS[role]}
    assert seeing == {Role.FINANCE, Role.OWNER}


def test_several_roles_add_up_and_a_disabled_person_may_nothing() -> None:
    both = person(Role.VIEWER, Role.CASHIER)
    assert both.rights == RIGHTS[Role.VIEWER] | RIGHTS[Role.CASHIER]
    for status in (PersonStatus.DISABLED, PersonStatus.INVITED):
        assert person(Role.OWNER, status=status).rights == frozenset()


def test_guesses_are_free_for_a_while_then_each_costs_twice_as_much() -> None:
    attempts = rules.NO_ATTEMPTS
    waits: list[float] = []
    for _ in range(14):
        attempts = rules.after_failure(attempts, NOW, rules.ACCOUNT_FAILURES_FREE)
        locked = attempts.locked_until
        waits.append(0.0 if locked is None else (locked - NOW).total_seconds())
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert rules.is_locked(attempts, NOW + timedelta(seconds=3599))
    assert not rules.is_locked(attempts, NOW + timedelta(seconds=3600))


def test_failures_of_yesterday_are_forgotten() -> None:
    many = rules.Attempts(9, NOW, NOW + timedelta(hours=1))
    next_day = rules.after_failure(many, NOW + timedelta(hours=25), rules.ACCOUNT_FAILURES_FREE)
    assert next_day == rules.Attempts(1, NOW + timedelta(hours=25), None)


@pytest.mark.parametrize(
    ("password", "will_do"),
    [
        ("short", False),
        ("elevenchars", False),
        ("correct horse battery", True),
        ("雨前龙井一斤三百八十八元整", True),
        ("aaaaaaaaaaaaaaaa", False),
        ("Password1234", False),
        ("lihua.chen2026", False),
        ("lihua.chen rides the night bus", True),
        ("x1y2z3" * 40, False),
    ],
)
def test_a_password_is_long_and_not_the_first_guess(password: str, will_do: bool) -> None:
    fault = rules.password_fault(password, "lihua.chen@example.com", "陈丽华")
    assert (fault is None) is will_do
    if fault is not None:
        assert fault[0].endswith(".")
        assert fault[1].endswith("。")


def session(step: SignInStep = SignInStep.SIGNED_IN) -> Session:
    ends = rules.session_expiry(NOW, step)
    return Session("ses_1", 7, step, "c", "10.0.0.1", "Chromium", NOW, NOW, ends, NOW)


def test_a_session_ends_when_idle_and_ends_for_good() -> None:
    idle = timedelta(seconds=rules.SESSION_IDLE_SECONDS)
    assert rules.session_is_live(session(), NOW + idle - timedelta(seconds=1))
    assert not rules.session_is_live(session(), NOW + idle)
    assert session().expires_at == NOW + timedelta(hours=12)
    half = session(SignInStep.SECOND_FACTOR)
    assert not rules.session_is_live(half, NOW + timedelta(seconds=300))
    assert rules.is_confirmed(session(), NOW + timedelta(minutes=10))
    assert not rules.is_confirmed(session(), NOW + timedelta(minutes=11))


@pytest.mark.parametrize(
    ("email", "plausible"),
    [("a@b.cn", True), ("a b@c.cn", False), ("@b.cn", False), ("a@", False), ("a" * 260, False)],
)
def test_an_email_is_a_name_to_sign_in_with(email: str, plausible: bool) -> None:
    assert rules.email_is_plausible(email) is plausible


def test_one_email_is_one_person_however_it_is_typed() -> None:
    assert rules.normal_email("  Chen@Example.COM ") == "chen@example.com"
    assert rules.normal_email("Ｃhen@example.com") == "chen@example.com"


def test_the_last_owner_stays() -> None:
    assert not rules.leaves_an_owner(1, was_owner=True, stays_owner=False)
    assert rules.leaves_an_owner(2, was_owner=True, stays_owner=False)
    assert rules.leaves_an_owner(1, was_owner=False, stays_owner=False)


def test_a_buyer_is_masked_for_whoever_need_not_know() -> None:
    cashier, finance = person(Role.CASHIER), person(Role.FINANCE)
    assert masking.buyer_id(cashier, "2088722003889088") == "2088****9088"
    assert masking.phone(cashier, "13800138000") == "138****8000"
    assert masking.phone(cashier, "+8613800138000") == "+86138****8000"
    assert masking.name(cashier, "张小明") == "**明"
    assert masking.logon_id(cashier, "zhang.san@example.com") == "zha****@example.com"
    assert masking.logon_id(cashier, "bob@example.com") == "****@example.com"
    assert masking.logon_id(cashier, "138****8000") == "138****8000"
    assert masking.buyer_id(cashier, "20887") == "****"
    assert masking.name(cashier, None) is None
    assert masking.buyer_id(finance, "2088722003889088") == "2088722003889088"
