"""The verbs about people: invite, let in, change, disable, recover; and looks at personal fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.ids import random_token
from daozhang.service.people import rules, store
from daozhang.service.people.factors import forget_totp
from daozhang.service.people.model import (
    Invitation,
    Language,
    NewPerson,
    Person,
    PersonStatus,
    Right,
    Role,
    SignedIn,
    SignInStep,
)
from daozhang.service.people.refusals import (
    InvitationInvalid,
    LastOwner,
    MerchantNotYours,
    PersonExists,
    PersonInvalid,
    PersonNotFound,
)
from daozhang.service.people.rights import require
from daozhang.service.people.secrets import sha256
from daozhang.service.people.sessions import TOKEN_CHARACTERS_MAX, begin_session
from daozhang.service.people.signing_in import hashed_if_good
from daozhang.service.web.context import Context

INVITATION_PATH: Final = "/console/invitation/"


def invitation_address(context: Context, token: str) -> str:
    """The one-time address to hand over."""
    return f"{context.settings.public_url}{INVITATION_PATH}{token}"


def list_people(context: Context, actor: Person) -> list[Person]:
    """Everybody who works with the console, or did; oldest first."""
    require(actor, Right.PEOPLE_READ)
    with context.database.read() as tx:
        return store.list_people(tx)


def people_with(tx: Tx, right: Right, merchant_id: int) -> list[Person]:
    """Who may do ``right`` for that merchant: the people to turn to."""
    return [one for one in store.list_people(tx) if one.may(right) and one.covers(merchant_id)]


def read_person(context: Context, actor: Person, person_id: int) -> Person:
    """One of them. Raises `PersonNotFound`."""
    require(actor, Right.PEOPLE_READ)
    with context.database.read() as tx:
        return _found(tx, person_id)


def invite(context: Context, actor: Person, new: NewPerson) -> tuple[Person, str]:
    """Somebody new, and the token of their one-time address, seen only now."""
    require(actor, Right.PEOPLE_WRITE)
    _require_reach(actor, new.merchants)
    with context.database.begin() as tx:
        return _add(tx, context, actor.actor, new, rules.INVITATION_SECONDS)


def invite_again(
    context: Context, actor: Person, person_id: int, *, forget_factors: bool = False
) -> tuple[Person, str]:
    """A new one-time address, for whoever forgot their password or let the first one expire.

    With ``forget_factors`` the authenticator app, codes and passkeys go too: for a lost phone.
    """
    require(actor, Right.PEOPLE_WRITE)
    now = context.clock.now()
    with context.database.begin() as tx:
        person = _found(tx, person_id, lock=True)
        _require_reach(actor, person.merchants)
        if person.status is PersonStatus.DISABLED:
            raise PersonInvalid(
                "This person is disabled: enable them first.", "该人员已停用，请先启用。"
            )
        if forget_factors:
            _forget_factors(tx, person.id, now)
        record(
            tx,
            actor.actor,
            "person.invited_again",
            f"person:{person.id}",
            now,
            factors_forgotten=forget_factors,
        )
        return person, _invitation(tx, actor.actor, person, rules.INVITATION_SECONDS, now)


def read_invitation(context: Context, token: str) -> tuple[Person, Invitation]:
    """Whom a one-time address is for. Raises `InvitationInvalid`."""
    with context.database.read() as tx:
        return _valid(tx, token, context.clock.now())


def accept_invitation(
    context: Context,
    token: str,
    password: str,
    *,
    language: Language,
    address: str,
    agent: str,
) -> SignedIn:
    """Sets the password and signs in; a second factor that is set up is still asked for.

    Raises `InvitationInvalid` and `PasswordRefused`.
    """
    person, invitation = read_invitation(context, token)
    kept = hashed_if_good(password, person)
    now = context.clock.now()
    with context.database.begin() as tx:
        store.find_person(tx, person.id, lock=True)
        person, invitation = _valid(tx, token, now)
        if not store.use_invitation(tx, invitation.id, now):
            raise InvitationInvalid
        store.update_person(
            tx,
            person.id,
            password_hash=kept,
            status=PersonStatus.ACTIVE.value,
            language=language.value,
            updated_at=now,
        )
        store.delete_sessions(tx, person.id)
        there = _found(tx, person.id)
        subject = f"person:{person.id}"
        record(tx, there.actor, "person.invitation_accepted", subject, now, address=address)
        owes = there.has_totp or there.passkeys > 0
        step = SignInStep.SECOND_FACTOR if owes else SignInStep.SIGNED_IN
        return begin_session(tx, there, step, address=address, agent=agent, now=now)


def change_person(
    context: Context,
    actor: Person,
    person_id: int,
    *,
    name: str,
    roles: frozenset[Role],
    merchants: frozenset[int] | None,
) -> Person:
    """Changes what somebody may do. Their sessions end: they sign in to their new rights.

    Raises `LastOwner`, `PersonInvalid`, `PersonNotFound`, `MerchantNotYours`.
    """
    require(actor, Right.PEOPLE_WRITE)
    _require_reach(actor, merchants)
    now = context.clock.now()
    with context.database.begin() as tx:
        owners = store.lock_owners(tx)
        before = _found(tx, person_id)
        _require_reach(actor, before.merchants)
        _check_words(before.email, name.strip(), roles)
        _require_owner_left(owners, before, replace(before, roles=roles, merchants=merchants))
        store.update_person(
            tx,
            person_id,
            name=name.strip(),
            roles=sorted(roles),
            all_merchants=merchants is None,
            updated_at=now,
        )
        store.replace_merchants(tx, person_id, merchants or ())
        after = _found(tx, person_id)
        if after.roles != before.roles or after.merchants != before.merchants:
            store.delete_sessions(tx, person_id)
        record(
            tx,
            actor.actor,
            "person.changed",
            f"person:{person_id}",
            now,
            roles=sorted(roles),
            roles_before=sorted(before.roles),
            merchants=_listed(after),
            merchants_before=_listed(before),
            name=after.name,
        )
        return after


def disable_person(context: Context, actor: Person, person_id: int) -> Person:
    """Lets somebody in no more, from this moment; what they did stays theirs. Raises `LastOwner`."""
    return _turn(context, actor, person_id, PersonStatus.DISABLED)


def enable_person(context: Context, actor: Person, person_id: int) -> Person:
    """Lets somebody in again, with the password they had."""
    return _turn(context, actor, person_id, PersonStatus.ACTIVE)


def change_own_language(context: Context, person: Person, language: Language) -> None:
    """In which language one reads the console."""
    with context.database.begin() as tx:
        store.update_person(tx, person.id, language=language.value)


def create_owner(
    tx: Tx, context: Context, actor: Actor, *, email: str, name: str, password: str | None
) -> tuple[Person, str | None]:
    """An owner of all merchants, made at the machine itself; without ``password`` the token of a
    one-time address comes with them."""
    now = context.clock.now()
    new = NewPerson(email, name, frozenset({Role.OWNER}))
    person, token = _add(tx, context, actor, new, rules.OWNER_INVITATION_SECONDS)
    if password is None:
        return person, token
    kept = hashed_if_good(password, person)
    store.end_invitations(tx, person.id, now)
    store.update_person(
        tx, person.id, password_hash=kept, status=PersonStatus.ACTIVE.value, updated_at=now
    )
    return _found(tx, person.id), None


def recover_owner(tx: Tx, context: Context, actor: Actor, *, email: str) -> tuple[Person, str]:
    """A one-time address for an owner who is locked out: password, factors and sessions end.

    Raises `PersonNotFound`, also for whoever is no owner: those are helped by owners.
    """
    now = context.clock.now()
    named = rules.normal_email(email)
    person = store.find_person_by_email(tx, named)
    if person is None or Role.OWNER not in person.roles:
        raise PersonNotFound(email)
    _forget_factors(tx, person.id, now)
    store.update_person(tx, person.id, password_hash=None, status=PersonStatus.INVITED.value)
    store.delete_sessions(tx, person.id)
    for key in (rules.account_key(named), rules.factor_key(person.id)):
        store.lock_attempts(tx, key)
        store.set_attempts(tx, key, rules.NO_ATTEMPTS)
    record(tx, actor, "person.owner_recovered", f"person:{person.id}", now)
    token = _invitation(tx, actor, person, rules.OWNER_INVITATION_SECONDS, now)
    return _found(tx, person.id), token


def note_personal_view(
    context: Context, actor: Person, subject: str, *, merchant_id: int, address: str | None = None
) -> None:
    """Writes into the trail that ``actor`` looks at unmasked personal fields of ``subject``.

    Asked for before they are shown. Raises `RightMissing`.
    """
    require(actor, Right.PERSONAL_READ, merchant_id)
    with context.database.begin() as tx:
        record(
            tx,
            actor.actor,
            "personal.viewed",
            subject,
            context.clock.now(),
            merchant_id=merchant_id,
            address=address,
        )


def _turn(context: Context, actor: Person, person_id: int, status: PersonStatus) -> Person:
    require(actor, Right.PEOPLE_WRITE)
    now = context.clock.now()
    with context.database.begin() as tx:
        owners = store.lock_owners(tx)
        before = _found(tx, person_id)
        _require_reach(actor, before.merchants)
        if status is PersonStatus.ACTIVE and not before.has_password:
            status = PersonStatus.INVITED
        if before.status is status:
            return before
        _require_owner_left(owners, before, replace(before, status=status))
        store.update_person(tx, person_id, status=status.value, updated_at=now)
        store.delete_sessions(tx, person_id)
        store.end_invitations(tx, person_id, now)
        deed = "person.disabled" if status is PersonStatus.DISABLED else "person.enabled"
        record(tx, actor.actor, deed, f"person:{person_id}", now)
        return _found(tx, person_id)


def _add(
    tx: Tx, context: Context, actor: Actor, new: NewPerson, seconds: int
) -> tuple[Person, str]:
    now = context.clock.now()
    email, name = rules.normal_email(new.email), new.name.strip()
    _check_words(email, name, new.roles)
    values = {
        "email": email,
        "name": name,
        "roles": sorted(new.roles),
        "all_merchants": new.merchants is None,
        "language": new.language.value,
        "status": PersonStatus.INVITED.value,
        "created_at": now,
        "updated_at": now,
    }
    person_id = store.insert_person(tx, values, new.merchants or ())
    if person_id is None:
        raise PersonExists(email)
    person = _found(tx, person_id)
    record(
        tx,
        actor,
        "person.invited",
        f"person:{person_id}",
        now,
        email=email,
        roles=sorted(new.roles),
        merchants=_listed(person),
    )
    return person, _invitation(tx, actor, person, seconds, now)


def _invitation(tx: Tx, actor: Actor, person: Person, seconds: int, now: datetime) -> str:
    """The token of the one address that works for ``person`` from now on."""
    token = random_token()
    store.end_invitations(tx, person.id, now)
    store.insert_invitation(
        tx,
        {
            "person_id": person.id,
            "token_sha256": sha256(token),
            "created_by": str(actor),
            "created_at": now,
            "expires_at": now + timedelta(seconds=seconds),
        },
    )
    return token


def _valid(tx: Tx, token: str, now: datetime) -> tuple[Person, Invitation]:
    fits = 0 < len(token) <= TOKEN_CHARACTERS_MAX
    invitation = store.find_invitation(tx, sha256(token)) if fits else None
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
        raise InvitationInvalid
    person = _found(tx, invitation.person_id)
    if person.status is PersonStatus.DISABLED:
        raise InvitationInvalid
    return person, invitation


def _found(tx: Tx, person_id: int, *, lock: bool = False) -> Person:
    person = store.find_person(tx, person_id, lock=lock)
    if person is None:
        raise PersonNotFound(str(person_id))
    return person


def _forget_factors(tx: Tx, person_id: int, now: datetime) -> None:
    forget_totp(tx, person_id, now)
    store.delete_passkeys(tx, person_id)


def _require_reach(actor: Person, merchants: frozenset[int] | None) -> None:
    """Nobody gives or takes what reaches further than they do themselves."""
    if actor.merchants is not None and (merchants is None or not merchants <= actor.merchants):
        raise MerchantNotYours


def _require_owner_left(owners: int, before: Person, after: Person) -> None:
    if not rules.leaves_an_owner(owners, was_owner=_owns(before), stays_owner=_owns(after)):
        raise LastOwner


def _owns(person: Person) -> bool:
    active = person.status is PersonStatus.ACTIVE
    return active and Role.OWNER in person.roles and person.merchants is None


def _check_words(email: str, name: str, roles: frozenset[Role]) -> None:
    if not rules.email_is_plausible(email):
        raise PersonInvalid(
            f"{email[:64]!r} is not an email address.", f"{email[:64]!r} 不是有效的邮箱。"
        )
    if not 0 < len(name) <= rules.NAME_CHARACTERS_MAX or not name.isprintable():
        raise PersonInvalid("A name has 1 to 64 characters.", "姓名需 1 到 64 个字符。")
    if not roles:
        raise PersonInvalid("A person needs a role.", "至少需要一个角色。")


def _listed(person: Person) -> list[str]:
    return ["*"] if person.merchants is None else [str(one) for one in sorted(person.merchants)]
