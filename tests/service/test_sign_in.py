"""Signing in: passwords, codes, passkeys, sessions, and what guessing costs, on both databases."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path

import pytest
from pyotp.totp import TOTP

import deployment
from daozhang.service.audit.model import SYSTEM
from daozhang.service.audit.store import all_entries
from daozhang.service.people import factors, signing_in
from daozhang.service.people.actions import create_owner, disable_person
from daozhang.service.people.model import Person, Session, SignedIn, SignInStep
from daozhang.service.people.refusals import (
    CodeRefused,
    ConfirmationNeeded,
    PasskeyRefused,
    PasswordRefused,
    PersonInvalid,
    SessionEnded,
    SignInLocked,
    SignInRefused,
)
from daozhang.service.people.sessions import (
    end_own_session,
    end_sessions_of,
    list_own_sessions,
    open_session,
)
from daozhang.service.web.context import Context
from passkeys import SoftPasskey

EMAIL, PASSWORD = "wang@example.com", "correct horse battery"
HERE = {"address": "203.0.113.7", "agent": "Chromium"}


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path)
    with context.database.begin() as tx:
        create_owner(tx, context, SYSTEM, email=EMAIL, name="王五", password=PASSWORD)
    yield context
    context.database.dispose()


def sign_in(context: Context, email: str = EMAIL, password: str = PASSWORD) -> SignedIn:
    return signing_in.sign_in(context, email=email, password=password, **HERE)


def second(context: Context, token: str, code: str) -> SignedIn:
    return signing_in.give_second_factor(context, token, code, **HERE)


def add_totp(context: Context) -> tuple[TOTP, list[str]]:
    signed = sign_in(context)
    secret, address = factors.begin_totp(context, signed.person, signed.session)
    assert address.startswith("otpauth://totp/daozhang:wang%40example.com?secret=")
    app = TOTP(secret)
    code = app.at(context.clock.now())
    return app, factors.finish_totp(context, signed.person, signed.session, code)


def deeds(context: Context) -> list[str]:
    with context.database.read() as tx:
        return [row.action for row in all_entries(tx)]


def test_a_right_password_opens_a_session(context: Context) -> None:
    signed = sign_in(context, email=" Wang@Example.com")
    person, session = open_session(context, signed.token)
    assert (person.email, session.step) == (EMAIL, SignInStep.SIGNED_IN)
    assert person.signed_in_at == context.clock.now()
    assert session.csrf != signed.token
    assert (session.address, session.agent) == ("203.0.113.7", "Chromium")
    assert deeds(context) == ["person.invited", "person.signed_in"]


def test_neither_passwords_nor_tokens_nor_secrets_are_in_the_database(
    tmp_path: Path, context: Context
) -> None:
    app, codes = add_totp(context)
    signed = sign_in(context)
    written = deployment.everything_written(tmp_path)
    for secret in (PASSWORD, signed.token, app.secret, *codes, codes[0].replace("-", "")):
        assert secret.encode() not in written
    assert hashlib.sha256(signed.token.encode()).hexdigest().encode() in written


def test_a_wrong_password_and_nobody_are_answered_alike_and_locked_alike(context: Context) -> None:
    for email in (EMAIL, "nobody@example.com"):
        answers: list[str] = []
        for _ in range(6):
            try:
                sign_in(context, email, "wrong horse battery")
            except (SignInRefused, SignInLocked) as refusal:
                answers.append(refusal.code)
        assert answers == ["sign_in_refused"] * 5 + ["sign_in_locked"]


def test_a_locked_name_is_not_opened_even_by_the_right_password_and_opens_again(
    context: Context,
) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in(context, password="wrong horse battery")
    with pytest.raises(SignInLocked) as locked:
        sign_in(context)
    assert locked.value.fields == {"retry_after_seconds": 30}
    assert deeds(context)[-1] == "person.sign_in_locked"
    deployment.clock_of(context).advance(30)
    sign_in(context)
    with pytest.raises(SignInRefused):  # the failures before are forgotten
        sign_in(context, password="wrong horse battery")
    sign_in(context)


def test_an_address_that_tries_many_names_is_locked(context: Context) -> None:
    for number in range(20):
        with pytest.raises(SignInRefused):
            sign_in(context, f"p{number}@example.com", "wrong horse battery")
    with pytest.raises(SignInLocked):
        sign_in(context)
    elsewhere = {"address": "198.51.100.1", "agent": ""}
    signing_in.sign_in(context, email=EMAIL, password=PASSWORD, **elsewhere)


def test_guesses_side_by_side_are_counted_before_they_are_looked_at(context: Context) -> None:
    refused: list[str] = []

    def guess() -> None:
        try:
            sign_in(context, password="wrong horse battery")
        except (SignInRefused, SignInLocked) as refusal:
            refused.append(refusal.code)

    guessing = [threading.Thread(target=guess) for _ in range(12)]
    for one in guessing:
        one.start()
    for one in guessing:
        one.join()
    assert sorted(refused) == ["sign_in_locked"] * 7 + ["sign_in_refused"] * 5


def test_who_is_disabled_is_out_at_once(context: Context) -> None:
    with context.database.begin() as tx:
        other, _ = create_owner(
            tx, context, SYSTEM, email="li@example.com", name="李四", password=PASSWORD
        )
    wang, li = sign_in(context), sign_in(context, "li@example.com")
    disable_person(context, wang.person, other.id)
    with pytest.raises(SessionEnded):
        open_session(context, li.token)
    with pytest.raises(SignInRefused):
        sign_in(context, "li@example.com")


def test_a_session_ends_when_idle_at_its_end_and_when_ended(context: Context) -> None:
    clock = deployment.clock_of(context)
    signed = sign_in(context)
    for _ in range(6):
        clock.advance(115 * 60)
        open_session(context, signed.token)
    clock.advance(30 * 60)
    with pytest.raises(SessionEnded):  # twelve hours
        open_session(context, signed.token)
    idle, kept, ended = sign_in(context), sign_in(context), sign_in(context)
    listed = {one.id for one in list_own_sessions(context, idle.person)}
    assert listed == {idle.session.id, kept.session.id, ended.session.id}
    end_own_session(context, kept.person, ended.session.id)
    with pytest.raises(SessionEnded):
        open_session(context, ended.token)
    clock.advance(3600)
    open_session(context, kept.token)
    clock.advance(3600)
    open_session(context, kept.token)
    with pytest.raises(SessionEnded):
        open_session(context, idle.token)
    assert end_sessions_of(context, kept.person, kept.person.id) == 2
    for token in (kept.token, "", "x" * 5000, kept.session.id):
        with pytest.raises(SessionEnded):
            open_session(context, token)


def test_with_an_app_the_password_is_half_of_it(context: Context) -> None:
    app, _ = add_totp(context)
    deployment.clock_of(context).advance(30)
    half = sign_in(context)
    assert half.session.step is SignInStep.SECOND_FACTOR
    with pytest.raises(SessionEnded):
        open_session(context, half.token)
    person, _ = open_session(context, half.token, step=SignInStep.SECOND_FACTOR)
    assert person.has_totp
    whole = second(context, half.token, app.at(context.clock.now()))
    assert whole.token != half.token
    open_session(context, whole.token)
    with pytest.raises(SessionEnded):  # the half is used up
        open_session(context, half.token, step=SignInStep.SECOND_FACTOR)


def test_a_code_counts_once_and_only_about_now(context: Context) -> None:
    app, _ = add_totp(context)
    clock = deployment.clock_of(context)
    first_code = app.at(clock.now())
    with pytest.raises(CodeRefused):  # it confirmed the app
        second(context, sign_in(context).token, first_code)
    clock.advance(60)
    code = app.at(clock.now())
    second(context, sign_in(context).token, f"{code[:3]} {code[3:]}")
    with pytest.raises(CodeRefused):
        second(context, sign_in(context).token, code)
    with pytest.raises(CodeRefused):  # of the step before, which would have counted
        second(context, sign_in(context).token, app.at(clock.now() - timedelta(seconds=30)))
    with pytest.raises(CodeRefused):
        second(context, sign_in(context).token, app.at(clock.now() + timedelta(seconds=90)))


def test_codes_are_not_guessed_either(context: Context) -> None:
    app, _ = add_totp(context)
    deployment.clock_of(context).advance(60)
    half = sign_in(context)
    right = app.at(context.clock.now())
    wrong = f"{(int(right) + 1) % 1000000:06}"
    for _ in range(5):
        with pytest.raises(CodeRefused):
            second(context, half.token, wrong)
    with pytest.raises(SignInLocked):
        second(context, half.token, right)


def test_a_recovery_code_counts_once_however_it_is_typed(context: Context) -> None:
    _, codes = add_totp(context)
    assert len(set(codes)) == 10
    signed = second(context, sign_in(context).token, codes[3].upper().replace("-", " "))
    assert open_session(context, signed.token)[0].recovery_codes_left == 9
    assert "person.recovery_code_used" in deeds(context)
    with pytest.raises(CodeRefused):
        second(context, sign_in(context).token, codes[3])
    renewed = factors.renew_recovery_codes(context, signed.person, signed.session)
    with pytest.raises(CodeRefused):
        second(context, sign_in(context).token, codes[4])
    second(context, sign_in(context).token, renewed[4])


def test_two_who_send_one_recovery_code_at_once_are_one(context: Context) -> None:
    _, codes = add_totp(context)
    half = [sign_in(context), sign_in(context)]
    results: list[str] = []

    def give(token: str) -> None:
        try:
            second(context, token, codes[0])
        except CodeRefused:
            results.append("refused")
        else:
            results.append("in")

    giving = [threading.Thread(target=give, args=(one.token,)) for one in half]
    for one in giving:
        one.start()
    for one in giving:
        one.join()
    assert sorted(results) == ["in", "refused"]


def test_an_app_is_taken_away_before_another_comes(context: Context) -> None:
    _, codes = add_totp(context)
    signed = second(context, sign_in(context).token, codes[0])
    with pytest.raises(PersonInvalid):
        factors.begin_totp(context, signed.person, signed.session)
    factors.remove_totp(context, signed.person, signed.session)
    assert sign_in(context).session.step is SignInStep.SIGNED_IN


def host_and_origin() -> SoftPasskey:
    return SoftPasskey("http://127.0.0.1:8800", "127.0.0.1")


def add_passkey(context: Context, key: SoftPasskey) -> SignedIn:
    signed = sign_in(context)
    options = factors.begin_passkey(context, signed.person, signed.session)
    made = factors.finish_passkey(
        context, signed.person, signed.session, key.create(options), "办公室电脑"
    )
    assert made.name == "办公室电脑"
    return signed


def by_passkey(context: Context, key: SoftPasskey) -> SignedIn:
    options = factors.begin_passkey_sign_in(context)
    return factors.sign_in_with_passkey(context, key.get(options), **HERE)


def test_a_passkey_signs_in_alone_and_even_where_the_name_is_locked(context: Context) -> None:
    key = host_and_origin()
    add_passkey(context, key)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in(context, password="wrong horse battery")
    signed = by_passkey(context, key)
    person, session = open_session(context, signed.token)
    assert (person.passkeys, session.step) == (1, SignInStep.SIGNED_IN)
    assert factors.list_passkeys(context, person)[0].last_used_at == context.clock.now()


def test_beside_a_passkey_the_password_alone_is_not_enough(context: Context) -> None:
    add_passkey(context, host_and_origin())
    assert sign_in(context).session.step is SignInStep.SECOND_FACTOR


def test_a_passkey_of_another_site_or_that_asked_nobody_is_not_taken(context: Context) -> None:
    signed = sign_in(context)
    for key in (
        SoftPasskey("https://evil.example", "127.0.0.1"),
        SoftPasskey("http://127.0.0.1:8800", "evil.example"),
        SoftPasskey("http://127.0.0.1:8800", "127.0.0.1", verifies=False),
    ):
        options = factors.begin_passkey(context, signed.person, signed.session)
        with pytest.raises(PasskeyRefused):
            factors.finish_passkey(context, signed.person, signed.session, key.create(options), "x")


def test_what_a_passkey_signed_counts_once_in_time_and_for_what_was_asked(context: Context) -> None:
    key = host_and_origin()
    add_passkey(context, key)
    answer = key.get(factors.begin_passkey_sign_in(context))
    factors.sign_in_with_passkey(context, answer, **HERE)
    with pytest.raises(PasskeyRefused):
        factors.sign_in_with_passkey(context, answer, **HERE)
    late = factors.begin_passkey_sign_in(context)
    deployment.clock_of(context).advance(300)
    with pytest.raises(PasskeyRefused):
        factors.sign_in_with_passkey(context, key.get(late), **HERE)
    with pytest.raises(PasskeyRefused):  # a challenge of our own making
        factors.sign_in_with_passkey(context, key.get('{"challenge": "AAAA"}'), **HERE)
    with pytest.raises(PasskeyRefused):
        factors.sign_in_with_passkey(context, {"id": "x"}, **HERE)
    unknown = host_and_origin().get(factors.begin_passkey_sign_in(context))
    with pytest.raises(PasskeyRefused):
        factors.sign_in_with_passkey(context, unknown, **HERE)


def test_a_passkey_that_was_copied_is_seen_by_its_counter(context: Context) -> None:
    key = host_and_origin()
    add_passkey(context, key)
    by_passkey(context, key)
    key.count = 0
    with pytest.raises(PasskeyRefused):
        by_passkey(context, key)


def test_a_passkey_that_was_taken_away_opens_nothing(context: Context) -> None:
    key = host_and_origin()
    signed = add_passkey(context, key)
    (made,) = factors.list_passkeys(context, signed.person)
    factors.remove_passkey(context, signed.person, signed.session, made.id)
    with pytest.raises(PasskeyRefused):
        by_passkey(context, key)


GRAVE: dict[str, Callable[[Context, Person, Session], object]] = {
    "begin_totp": factors.begin_totp,
    "finish_totp": lambda c, p, s: factors.finish_totp(c, p, s, "123456"),
    "remove_totp": factors.remove_totp,
    "renew_recovery_codes": factors.renew_recovery_codes,
    "begin_passkey": factors.begin_passkey,
    "finish_passkey": lambda c, p, s: factors.finish_passkey(c, p, s, {}, "x"),
    "remove_passkey": lambda c, p, s: factors.remove_passkey(c, p, s, 1),
}


@pytest.mark.parametrize("deed", GRAVE)
def test_what_is_grave_asks_anew_who_one_is(context: Context, deed: str) -> None:
    signed = sign_in(context)
    deployment.clock_of(context).advance(11 * 60)
    person, session = open_session(context, signed.token)
    with pytest.raises(ConfirmationNeeded):
        GRAVE[deed](context, person, session)


def test_one_confirms_by_password_or_passkey(context: Context) -> None:
    key = host_and_origin()
    add_passkey(context, key)
    signed = by_passkey(context, key)
    clock = deployment.clock_of(context)
    clock.advance(11 * 60)
    person, session = open_session(context, signed.token)
    with pytest.raises(SignInRefused):
        signing_in.confirm_with_password(context, person, session, "wrong horse battery")
    signing_in.confirm_with_password(context, person, session, PASSWORD)
    assert open_session(context, signed.token)[1].confirmed_at == clock.now()
    clock.advance(11 * 60)
    options = factors.begin_passkey_sign_in(context)
    factors.confirm_with_passkey(context, person, session, key.get(options))
    assert open_session(context, signed.token)[1].confirmed_at == clock.now()


def test_a_new_password_ends_the_sessions_elsewhere(context: Context) -> None:
    other, signed = sign_in(context), sign_in(context)
    with pytest.raises(PasswordRefused):
        signing_in.change_password(
            context, signed.person, signed.session, old=PASSWORD, new="short", agent=""
        )
    fresh = signing_in.change_password(
        context, signed.person, signed.session, old=PASSWORD, new="night bus to 杭州", agent=""
    )
    for token in (other.token, signed.token):
        with pytest.raises(SessionEnded):
            open_session(context, token)
    open_session(context, fresh.token)
    with pytest.raises(SignInRefused):
        sign_in(context)
    sign_in(context, password="night bus to 杭州")
