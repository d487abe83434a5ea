"""Signing in: a password and what comes after it. Guesses are counted before they are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import SYSTEM
from daozhang.service.db import Tx
from daozhang.service.people import rules, store
from daozhang.service.people.model import Person, PersonStatus, Session, SignedIn, SignInStep
from daozhang.service.people.refusals import (
    CodeRefused,
    PasswordRefused,
    SessionEnded,
    SignInLocked,
    SignInRefused,
)
from daozhang.service.people.secrets import (
    hash_password,
    is_totp,
    password_fits,
    recovery_code_sha256,
    totp_step,
)
from daozhang.service.people.sessions import begin_session, open_session
from daozhang.service.web.context import Context


def sealed_totp(person_id: int) -> str:
    """What the secret of somebody's authenticator app is sealed to."""
    return f"person:{person_id}:totp"


def sign_in(context: Context, *, email: str, password: str, address: str, agent: str) -> SignedIn:
    """The session of whoever knows the password; with a second factor set up, it still lacks that.

    Raises `SignInRefused`, the same for a wrong password and for nobody, and `SignInLocked`.
    """
    named = rules.normal_email(email)[: rules.EMAIL_CHARACTERS_MAX]
    counted = {
        rules.account_key(named): rules.ACCOUNT_FAILURES_FREE,
        rules.address_key(address): rules.ADDRESS_FAILURES_FREE,
    }
    _count(context, counted)
    with context.database.read() as tx:
        person = store.find_person_by_email(tx, named)
        kept = None if person is None else store.secrets_of(tx, person.id)
    fits = password_fits(None if kept is None else kept.password_hash, password)
    if not fits or person is None or person.status is not PersonStatus.ACTIVE:
        _note_lock(context, person, rules.account_key(named), address)
        raise SignInRefused
    assert kept is not None
    now = context.clock.now()
    owes = person.has_totp or person.passkeys > 0
    step = SignInStep.SECOND_FACTOR if owes else SignInStep.SIGNED_IN
    with context.database.begin() as tx:
        now_there = store.find_person(tx, person.id, lock=True)
        # Whoever changed it, or was disabled, while it was looked at is not let in by the old one.
        kept_now = store.secrets_of(tx, person.id)
        changed = kept_now is None or kept_now.password_hash != kept.password_hash
        if changed or now_there is None or now_there.status is not PersonStatus.ACTIVE:
            raise SignInRefused
        _forgive(tx, rules.account_key(named), rules.address_key(address))
        return begin_session(tx, now_there, step, address=address, agent=agent, now=now)


def give_second_factor(
    context: Context, token: str, code: str, *, address: str, agent: str
) -> SignedIn:
    """The full session for the half one ``token`` and a code of the app, or a recovery code.

    Raises `CodeRefused`, `SignInLocked` and `SessionEnded`.
    """
    person, session = open_session(context, token, step=SignInStep.SECOND_FACTOR)
    key = rules.factor_key(person.id)
    _count(context, {key: rules.ACCOUNT_FAILURES_FREE})
    now = context.clock.now()
    with context.database.begin() as tx:
        accepted = _take_code(tx, context, person, code, now)
        # One half session becomes one whole session, whoever else sends the same code.
        if accepted and store.delete_sessions(tx, person.id, only=session.id):
            _forgive(tx, key)
            return begin_session(
                tx, person, SignInStep.SIGNED_IN, address=address, agent=agent, now=now
            )
    if accepted:
        raise SessionEnded
    raise CodeRefused


def _take_code(tx: Tx, context: Context, person: Person, code: str, now: datetime) -> bool:
    typed = code.replace(" ", "")
    if is_totp(typed):
        step = current_totp_step(tx, context, person.id, typed, now)
        return step is not None and store.use_totp_step(tx, person.id, step)
    spent = recovery_code_sha256(person.id, typed)
    if not store.use_recovery_code(tx, person.id, spent, now):
        return False
    record(tx, person.actor, "person.recovery_code_used", f"person:{person.id}", now)
    return True


def current_totp_step(
    tx: Tx, context: Context, person_id: int, code: str, now: datetime, *, confirmed: bool = True
) -> int | None:
    """The time step of which ``code`` is somebody's code now, if they have an authenticator app."""
    kept = store.secrets_of(tx, person_id)
    if kept is None or kept.totp_sealed is None or (kept.totp_confirmed_at is None) is confirmed:
        return None
    secret = context.sealer.open(kept.totp_sealed, sealed_totp(person_id)).decode()
    return totp_step(secret, code, now)


def confirm_with_password(
    context: Context, person: Person, session: Session, password: str
) -> None:
    """Proves anew who one is, for what is grave. Raises `SignInRefused` and `SignInLocked`."""
    key = rules.factor_key(person.id)
    _count(context, {key: rules.ACCOUNT_FAILURES_FREE})
    with context.database.read() as tx:
        kept = store.secrets_of(tx, person.id)
    if not password_fits(None if kept is None else kept.password_hash, password):
        raise SignInRefused
    with context.database.begin() as tx:
        _forgive(tx, key)
        store.update_session(tx, session.id, confirmed_at=context.clock.now())


def change_password(
    context: Context, person: Person, session: Session, *, old: str, new: str, agent: str
) -> SignedIn:
    """Sets one's own password; a new session, and all others end."""
    confirm_with_password(context, person, session, old)
    kept = hashed_if_good(new, person)
    now = context.clock.now()
    with context.database.begin() as tx:
        store.update_person(tx, person.id, password_hash=kept, updated_at=now)
        store.delete_sessions(tx, person.id)
        record(tx, person.actor, "person.password_changed", f"person:{person.id}", now)
        return begin_session(
            tx, person, SignInStep.SIGNED_IN, address=session.address, agent=agent, now=now
        )


def hashed_if_good(password: str, person: Person) -> str:
    """How a new password of ``person`` is kept; raises `PasswordRefused`."""
    fault = rules.password_fault(password, person.email, person.name)
    if fault is not None:
        raise PasswordRefused(*fault)
    return hash_password(password)


def _count(context: Context, keys: Mapping[str, int]) -> None:
    """Counts a failure under each key, to be forgiven if it was none. Raises `SignInLocked`."""
    now = context.clock.now()
    with context.database.begin() as tx:
        store.forget_attempts(tx, now - timedelta(seconds=rules.FAILURES_FORGOTTEN_SECONDS))
        for key, free in keys.items():
            before = store.lock_attempts(tx, key)
            if rules.is_locked(before, now):
                assert before.locked_until is not None
                raise SignInLocked(int((before.locked_until - now).total_seconds()) or 1)
            store.set_attempts(tx, key, rules.after_failure(before, now, free))


def _forgive(tx: Tx, key: str, address_key: str | None = None) -> None:
    """Forgets the failures of a name; of an address, only this one: others sit behind it too."""
    store.lock_attempts(tx, key)
    store.set_attempts(tx, key, rules.NO_ATTEMPTS)
    if address_key is not None:
        store.set_attempts(tx, address_key, rules.forgiven(store.lock_attempts(tx, address_key)))


def _note_lock(context: Context, person: Person | None, key: str, address: str) -> None:
    """Writes into the trail that somebody's name is locked: they will ask why."""
    if person is None:
        return
    now = context.clock.now()
    with context.database.begin() as tx:
        attempts = store.read_attempts(tx, key)
        if rules.is_locked(attempts, now):
            subject, count = f"person:{person.id}", attempts.failures
            record(
                tx, SYSTEM, "person.sign_in_locked", subject, now, address=address, failures=count
            )
