"""Sessions: begun, opened at each request, listed, ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from daozhang.service.audit.actions import record
from daozhang.service.db import Tx
from daozhang.service.ids import new_id, random_token
from daozhang.service.people import rules, store
from daozhang.service.people.model import (
    Person,
    PersonStatus,
    Right,
    Session,
    SignedIn,
    SignInStep,
)
from daozhang.service.people.refusals import ConfirmationNeeded, PersonNotFound, SessionEnded
from daozhang.service.people.rights import require
from daozhang.service.people.secrets import sha256
from daozhang.service.web.context import Context

TOKEN_CHARACTERS_MAX: Final = 64


def begin_session(
    tx: Tx, person: Person, step: SignInStep, *, address: str, agent: str, now: datetime
) -> SignedIn:
    """A new session of ``person``, whoever has proven to be them; written into the trail."""
    token = random_token()
    store.forget_sessions(tx, now)
    session = store.insert_session(
        tx,
        {
            "public_id": new_id("ses", now),
            "person_id": person.id,
            "token_sha256": sha256(token),
            "step": step.value,
            "csrf": random_token(),
            "address": address[:64],
            "agent": "".join(letter for letter in agent if letter.isprintable())[:256],
            "created_at": now,
            "seen_at": now,
            "expires_at": rules.session_expiry(now, step),
            "confirmed_at": now,
        },
    )
    if step is SignInStep.SIGNED_IN:
        store.update_person(tx, person.id, signed_in_at=now)
        subject = f"person:{person.id}"
        record(tx, person.actor, "person.signed_in", subject, now, address=address)
    return SignedIn(token, session, person)


def open_session(
    context: Context, token: str, *, step: SignInStep = SignInStep.SIGNED_IN
) -> tuple[Person, Session]:
    """Whose request it is. Raises `SessionEnded`, also if the session has not come to ``step``."""
    now = context.clock.now()
    if not 0 < len(token) <= TOKEN_CHARACTERS_MAX:
        raise SessionEnded
    with context.database.read() as tx:
        session = store.find_session(tx, sha256(token))
        person = None if session is None else store.find_person(tx, session.person_id)
    if session is None or person is None or person.status is not PersonStatus.ACTIVE:
        raise SessionEnded
    if session.step is not step or not rules.session_is_live(session, now):
        raise SessionEnded
    if now - session.seen_at >= timedelta(seconds=rules.SEEN_SECONDS):
        with context.database.begin() as tx:
            store.update_session(tx, session.id, seen_at=now)
    return person, session


def require_confirmed(session: Session, now: datetime) -> None:
    """Raises `ConfirmationNeeded` if the person proved too long ago who they are."""
    if not rules.is_confirmed(session, now):
        raise ConfirmationNeeded


def list_own_sessions(context: Context, person: Person) -> list[Session]:
    """Where ``person`` is signed in, the session used last first."""
    now = context.clock.now()
    with context.database.read() as tx:
        listed = store.list_sessions(tx, person.id)
    return [one for one in listed if rules.session_is_live(one, now)]


def end_own_session(context: Context, person: Person, session_id: str) -> None:
    """Signs out, here or elsewhere. Of a session that is over already nothing is said."""
    now = context.clock.now()
    with context.database.begin() as tx:
        if store.delete_sessions(tx, person.id, only=session_id):
            subject = f"person:{person.id}"
            record(tx, person.actor, "session.ended", subject, now, session=session_id)


def list_sessions_of(context: Context, actor: Person, person_id: int) -> list[Session]:
    """Where somebody else is signed in."""
    require(actor, Right.PEOPLE_READ)
    now = context.clock.now()
    with context.database.read() as tx:
        listed = store.list_sessions(tx, person_id)
    return [one for one in listed if rules.session_is_live(one, now)]


def end_sessions_of(context: Context, actor: Person, person_id: int) -> int:
    """Signs somebody out everywhere; how many sessions there were."""
    require(actor, Right.PEOPLE_WRITE)
    now = context.clock.now()
    with context.database.begin() as tx:
        if store.find_person(tx, person_id) is None:
            raise PersonNotFound(str(person_id))
        ended = store.delete_sessions(tx, person_id)
        record(tx, actor.actor, "session.all_ended", f"person:{person_id}", now, sessions=ended)
    return ended
