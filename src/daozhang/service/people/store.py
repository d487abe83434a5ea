"""People and what they sign in with, as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from daozhang.service.db import Json, Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.people.model import (
    Invitation,
    Language,
    Passkey,
    Person,
    PersonStatus,
    Role,
    Session,
    SignInStep,
)
from daozhang.service.people.rules import NO_ATTEMPTS, Attempts

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("roles", Json, nullable=False),
    sa.Column("all_merchants", sa.Boolean, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.String(255)),
    sa.Column("totp_sealed", sa.LargeBinary),
    sa.Column("totp_confirmed_at", Moment),
    # The step of the last code that let somebody in: none counts twice, nor one before it.
    sa.Column("totp_step", sa.BigInteger),
    sa.Column("signed_in_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    one_of("status", PersonStatus),
    one_of("language", Language),
)

person_merchants = sa.Table(
    "person_merchants",
    metadata,
    sa.Column("person_id", RowId, sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), primary_key=True),
)

# Of what is shown to one person once, the SHA-256 is kept: it hashes at least 80 random bits.
person_invitations = sa.Table(
    "person_invitations",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("person_id", RowId, sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("created_by", sa.String(96), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
)

person_recovery_codes = sa.Table(
    "person_recovery_codes",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("person_id", RowId, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("code_sha256", sa.String(64), nullable=False),
    sa.Column("used_at", Moment),
    sa.UniqueConstraint("person_id", "code_sha256"),
)

person_passkeys = sa.Table(
    "person_passkeys",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("person_id", RowId, sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_used_at", Moment),
)

person_challenges = sa.Table(
    "person_challenges",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("challenge_sha256", sa.String(64), nullable=False, unique=True),
    # Whose passkey is to be added; NULL: somebody is about to sign in.
    sa.Column("person_id", RowId, sa.ForeignKey("people.id")),
    sa.Column("expires_at", Moment, nullable=False, index=True),
)

person_sessions = sa.Table(
    "person_sessions",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(32), nullable=False, unique=True),
    sa.Column("person_id", RowId, sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("agent", sa.String(256), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("confirmed_at", Moment, nullable=False),
    one_of("step", SignInStep),
)

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    # Names people who are not there just as those who are: neither is told from the other.
    sa.Column("key", sa.String(80), nullable=False, unique=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_failed_at", Moment),
    sa.Column("locked_until", Moment),
    sa.Index("ix_sign_in_attempts_last_failed_at", "last_failed_at"),
)


def insert_person(tx: Tx, values: dict[str, Any], merchants: Iterable[int]) -> int | None:
    """Writes a person; returns their row's number, ``None`` if the email is taken."""
    made = insert_ignoring(tx, people, [values], people.c.id)
    if not made:
        return None
    _insert_merchants(tx, made[0], merchants)
    return int(made[0])


def update_person(tx: Tx, person_id: int, **values: Any) -> None:
    """Changes columns of a person."""
    tx.execute(sa.update(people).where(people.c.id == person_id).values(**values))


def replace_merchants(tx: Tx, person_id: int, merchants: Iterable[int]) -> None:
    """Sets for which merchants they work."""
    tx.execute(sa.delete(person_merchants).where(person_merchants.c.person_id == person_id))
    _insert_merchants(tx, person_id, merchants)


def _insert_merchants(tx: Tx, person_id: int, merchants: Iterable[int]) -> None:
    rows = [{"person_id": person_id, "merchant_id": one} for one in sorted(set(merchants))]
    if rows:
        tx.execute(sa.insert(person_merchants), rows)


def find_person(tx: Tx, person_id: int, *, lock: bool = False) -> Person | None:
    """The person of that number; with ``lock`` nobody else changes them before ``tx`` ends."""
    if lock:
        row = sa.select(people.c.id).where(people.c.id == person_id)
        tx.execute(row.with_for_update()).first()
    found = _read(tx, people.c.id == person_id)
    return found[0] if found else None


def find_person_by_email(tx: Tx, email: str) -> Person | None:
    """The person who signs in as ``email``."""
    found = _read(tx, people.c.email == email)
    return found[0] if found else None


def list_people(tx: Tx) -> list[Person]:
    """Everybody, those who may not sign in any more too; oldest first."""
    return _read(tx, sa.true())


def lock_owners(tx: Tx) -> int:
    """How many active owners of all merchants there are; nobody is made or unmade one before
    ``tx`` ends."""
    tx.execute(sa.select(people.c.id).order_by(people.c.id).with_for_update()).all()
    active = _read(tx, people.c.status == PersonStatus.ACTIVE.value)
    return sum(Role.OWNER in one.roles and one.merchants is None for one in active)


def secrets_of(tx: Tx, person_id: int) -> sa.Row[Any] | None:
    """``password_hash``, ``totp_sealed``, ``totp_confirmed_at`` and ``totp_step``."""
    c = people.c
    columns = sa.select(c.password_hash, c.totp_sealed, c.totp_confirmed_at, c.totp_step)
    return tx.execute(columns.where(c.id == person_id)).first()


def use_totp_step(tx: Tx, person_id: int, step: int) -> bool:
    """Uses up the codes of ``step`` and before; whether that one was unused."""
    used = people.c.totp_step
    changed = tx.execute(
        sa.update(people)
        .where(people.c.id == person_id, sa.or_(used.is_(None), used < step))
        .values(totp_step=step)
    )
    return changed.rowcount == 1


def insert_invitation(tx: Tx, values: dict[str, Any]) -> Invitation:
    """Writes an invitation."""
    inserted = tx.execute(
        sa.insert(person_invitations).values(values).returning(person_invitations)
    )
    return _invitation_of(inserted.one())


def end_invitations(tx: Tx, person_id: int, now: datetime) -> None:
    """Ends what is open of a person's invitations."""
    c = person_invitations.c
    tx.execute(
        sa.update(person_invitations)
        .where(c.person_id == person_id, c.used_at.is_(None))
        .values(used_at=now)
    )


def find_invitation(tx: Tx, token_sha256: str) -> Invitation | None:
    """The invitation of that address."""
    c = person_invitations.c
    row = tx.execute(sa.select(person_invitations).where(c.token_sha256 == token_sha256)).first()
    return None if row is None else _invitation_of(row)


def use_invitation(tx: Tx, invitation_id: int, now: datetime) -> bool:
    """Uses it up; whether it was unused."""
    c = person_invitations.c
    changed = tx.execute(
        sa.update(person_invitations)
        .where(c.id == invitation_id, c.used_at.is_(None))
        .values(used_at=now)
    )
    return changed.rowcount == 1


def replace_recovery_codes(tx: Tx, person_id: int, hashes: Iterable[str]) -> None:
    """Sets a person's recovery codes; those from before end."""
    c = person_recovery_codes.c
    tx.execute(sa.delete(person_recovery_codes).where(c.person_id == person_id))
    rows = [{"person_id": person_id, "code_sha256": one} for one in hashes]
    if rows:
        tx.execute(sa.insert(person_recovery_codes), rows)


def use_recovery_code(tx: Tx, person_id: int, code_sha256: str, now: datetime) -> bool:
    """Uses a code up; whether it was one of theirs and unused."""
    c = person_recovery_codes.c
    changed = tx.execute(
        sa.update(person_recovery_codes)
        .where(c.person_id == person_id, c.code_sha256 == code_sha256, c.used_at.is_(None))
        .values(used_at=now)
    )
    return changed.rowcount == 1


def insert_passkey(tx: Tx, values: dict[str, Any]) -> Passkey | None:
    """Writes a passkey; ``None`` if it is somebody's already."""
    made = insert_ignoring(tx, person_passkeys, [values], person_passkeys.c.id)
    if not made:
        return None
    row = tx.execute(sa.select(person_passkeys).where(person_passkeys.c.id == made[0])).one()
    return _passkey_of(row)


def list_passkeys(tx: Tx, person_id: int) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    c = person_passkeys.c
    rows = tx.execute(sa.select(person_passkeys).where(c.person_id == person_id).order_by(c.id))
    return [_passkey_of(row) for row in rows.all()]


def credential_ids(tx: Tx, person_id: int) -> list[bytes]:
    """What the passkeys of a person call themselves."""
    c = person_passkeys.c
    return list(tx.execute(sa.select(c.credential_id).where(c.person_id == person_id)).scalars())


def find_credential(tx: Tx, credential_id: bytes) -> sa.Row[Any] | None:
    """The row of a passkey, its public key included; locked until ``tx`` ends."""
    wanted = sa.select(person_passkeys).where(person_passkeys.c.credential_id == credential_id)
    return tx.execute(wanted.with_for_update()).first()


def note_passkey_use(tx: Tx, passkey_id: int, sign_count: int, now: datetime) -> None:
    """Notes that a passkey was used."""
    tx.execute(
        sa.update(person_passkeys)
        .where(person_passkeys.c.id == passkey_id)
        .values(sign_count=sign_count, last_used_at=now)
    )


def delete_passkeys(tx: Tx, person_id: int, passkey_id: int | None = None) -> int:
    """Takes a passkey of a person away, or all; how many."""
    c = person_passkeys.c
    gone = sa.delete(person_passkeys).where(c.person_id == person_id)
    if passkey_id is not None:
        gone = gone.where(c.id == passkey_id)
    return tx.execute(gone).rowcount


def insert_challenge(
    tx: Tx, challenge_sha256: str, person_id: int | None, expires_at: datetime, now: datetime
) -> None:
    """Writes down what a passkey is to sign; forgets those whose time is over."""
    tx.execute(sa.delete(person_challenges).where(person_challenges.c.expires_at <= now))
    tx.execute(
        sa.insert(person_challenges).values(
            challenge_sha256=challenge_sha256, person_id=person_id, expires_at=expires_at
        )
    )


def take_challenge(tx: Tx, challenge_sha256: str, person_id: int | None, now: datetime) -> bool:
    """Uses a challenge up; whether it was there, for that person, and in time."""
    c = person_challenges.c
    gone = sa.delete(person_challenges).where(
        c.challenge_sha256 == challenge_sha256,
        c.person_id.is_(None) if person_id is None else c.person_id == person_id,
        c.expires_at > now,
    )
    return tx.execute(gone).rowcount == 1


def insert_session(tx: Tx, values: dict[str, Any]) -> Session:
    """Writes a session."""
    inserted = tx.execute(sa.insert(person_sessions).values(values).returning(person_sessions))
    return _session_of(inserted.one())


def find_session(tx: Tx, token_sha256: str) -> Session | None:
    """The session of that token."""
    wanted = sa.select(person_sessions).where(person_sessions.c.token_sha256 == token_sha256)
    row = tx.execute(wanted).first()
    return None if row is None else _session_of(row)


def list_sessions(tx: Tx, person_id: int) -> list[Session]:
    """A person's sessions, the one used last first."""
    c = person_sessions.c
    wanted = sa.select(person_sessions).where(c.person_id == person_id)
    return [_session_of(row) for row in tx.execute(wanted.order_by(c.seen_at.desc(), c.id)).all()]


def update_session(tx: Tx, public_id: str, **values: Any) -> None:
    """Changes columns of a session."""
    tx.execute(
        sa.update(person_sessions).where(person_sessions.c.public_id == public_id).values(**values)
    )


def delete_sessions(
    tx: Tx, person_id: int, *, only: str | None = None, but: str | None = None
) -> int:
    """Ends sessions of a person: all, ``only`` one, or all ``but`` one; how many."""
    c = person_sessions.c
    gone = sa.delete(person_sessions).where(c.person_id == person_id)
    if only is not None:
        gone = gone.where(c.public_id == only)
    if but is not None:
        gone = gone.where(c.public_id != but)
    return tx.execute(gone).rowcount


def forget_sessions(tx: Tx, now: datetime) -> None:
    """Deletes sessions that have come to their end."""
    tx.execute(sa.delete(person_sessions).where(person_sessions.c.expires_at <= now))


def lock_attempts(tx: Tx, key: str) -> Attempts:
    """The failures counted under ``key``; nobody else counts there before ``tx`` ends."""
    c = sign_in_attempts.c
    insert_ignoring(tx, sign_in_attempts, [{"key": key, "failures": 0}], c.id)
    row = tx.execute(sa.select(sign_in_attempts).where(c.key == key).with_for_update()).one()
    return Attempts(row.failures, row.last_failed_at, row.locked_until)


def read_attempts(tx: Tx, key: str) -> Attempts:
    """The failures counted under ``key``."""
    row = tx.execute(sa.select(sign_in_attempts).where(sign_in_attempts.c.key == key)).first()
    return (
        NO_ATTEMPTS if row is None else Attempts(row.failures, row.last_failed_at, row.locked_until)
    )


def set_attempts(tx: Tx, key: str, attempts: Attempts) -> None:
    """Writes what is counted under ``key``."""
    tx.execute(
        sa.update(sign_in_attempts)
        .where(sign_in_attempts.c.key == key)
        .values(
            failures=attempts.failures,
            last_failed_at=attempts.last_failed_at,
            locked_until=attempts.locked_until,
        )
    )


def forget_attempts(tx: Tx, before: datetime) -> None:
    """Deletes what was counted for the last time before then."""
    tx.execute(sa.delete(sign_in_attempts).where(sign_in_attempts.c.last_failed_at < before))


def _read(tx: Tx, condition: sa.ColumnElement[bool]) -> list[Person]:
    codes, keys, covered = person_recovery_codes, person_passkeys, person_merchants
    left = (
        sa.select(sa.func.count())
        .where(codes.c.person_id == people.c.id, codes.c.used_at.is_(None))
        .scalar_subquery()
    )
    held = sa.select(sa.func.count()).where(keys.c.person_id == people.c.id).scalar_subquery()
    wanted = sa.select(people, left.label("codes_left"), held.label("passkeys"))
    rows = tx.execute(wanted.where(condition).order_by(people.c.id)).all()
    merchants: dict[int, list[int]] = {row.id: [] for row in rows if not row.all_merchants}
    if merchants:
        theirs = sa.select(covered).where(covered.c.person_id.in_(merchants))
        for row in tx.execute(theirs).all():
            merchants[row.person_id].append(row.merchant_id)
    return [_person_of(row, merchants.get(row.id)) for row in rows]


def _person_of(row: sa.Row[Any], merchants: list[int] | None) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles),
        merchants=None if merchants is None else frozenset(merchants),
        language=Language(row.language),
        status=PersonStatus(row.status),
        created_at=row.created_at,
        has_password=row.password_hash is not None,
        has_totp=row.totp_confirmed_at is not None,
        passkeys=row.passkeys,
        recovery_codes_left=row.codes_left,
        signed_in_at=row.signed_in_at,
    )


def _invitation_of(row: sa.Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        person_id=row.person_id,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )


def _passkey_of(row: sa.Row[Any]) -> Passkey:
    return Passkey(
        id=row.id,
        person_id=row.person_id,
        name=row.name,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


def _session_of(row: sa.Row[Any]) -> Session:
    return Session(
        id=row.public_id,
        person_id=row.person_id,
        step=SignInStep(row.step),
        csrf=row.csrf,
        address=row.address,
        agent=row.agent,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        confirmed_at=row.confirmed_at,
    )
