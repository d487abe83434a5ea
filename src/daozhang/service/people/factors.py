"""Second factors of one's own: an authenticator app, recovery codes, passkeys.

Setting one up or taking one away asks anew who one is, and ends the sessions elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    bytes_to_base64url,
    generate_challenge,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from daozhang.service.audit.actions import record
from daozhang.service.db import Tx
from daozhang.service.people import rules, store
from daozhang.service.people.model import (
    Passkey,
    Person,
    PersonStatus,
    Session,
    SignedIn,
    SignInStep,
)
from daozhang.service.people.refusals import CodeRefused, PasskeyRefused, PersonInvalid
from daozhang.service.people.secrets import (
    new_recovery_codes,
    new_totp_secret,
    recovery_code_sha256,
    sha256,
    totp_address,
)
from daozhang.service.people.sessions import begin_session, require_confirmed
from daozhang.service.people.signing_in import current_totp_step, sealed_totp
from daozhang.service.web.context import Context

CHALLENGE_SECONDS: Final = 300
PASSKEYS_MAX: Final = 10


def begin_totp(context: Context, person: Person, session: Session) -> tuple[str, str]:
    """A secret for an authenticator app, and the address its QR holds; it counts once confirmed."""
    now = context.clock.now()
    require_confirmed(session, now)
    secret = new_totp_secret()
    sealed = context.sealer.seal(secret.encode(), sealed_totp(person.id))
    with context.database.begin() as tx:
        there = store.find_person(tx, person.id, lock=True)
        assert there is not None
        if there.has_totp:
            raise PersonInvalid(
                "You have an authenticator app already: take that one away first.",
                "您已绑定验证器，请先解除绑定。",
            )
        store.update_person(tx, person.id, totp_sealed=sealed, totp_step=None, updated_at=now)
    return secret, totp_address(secret, person.email)


def finish_totp(context: Context, person: Person, session: Session, code: str) -> list[str]:
    """Takes the app into use with its first code; the recovery codes, shown this once.

    Raises `CodeRefused`.
    """
    now = context.clock.now()
    require_confirmed(session, now)
    with context.database.begin() as tx:
        typed = code.replace(" ", "")
        step = current_totp_step(tx, context, person.id, typed, now, confirmed=False)
        if step is None or not store.use_totp_step(tx, person.id, step):
            raise CodeRefused
        store.update_person(tx, person.id, totp_confirmed_at=now, updated_at=now)
        _changed(tx, person, session, "person.totp_added", now)
        return _renew_codes(tx, person)


def remove_totp(context: Context, person: Person, session: Session) -> None:
    """Takes the app and the recovery codes away."""
    now = context.clock.now()
    require_confirmed(session, now)
    with context.database.begin() as tx:
        forget_totp(tx, person.id, now)
        _changed(tx, person, session, "person.totp_removed", now)


def renew_recovery_codes(context: Context, person: Person, session: Session) -> list[str]:
    """New recovery codes, shown this once; the old ones end."""
    now = context.clock.now()
    require_confirmed(session, now)
    with context.database.begin() as tx:
        record(tx, person.actor, "person.recovery_codes_renewed", f"person:{person.id}", now)
        return _renew_codes(tx, person)


def forget_totp(tx: Tx, person_id: int, now: datetime) -> None:
    """Takes somebody's app and recovery codes away. For actions that have asked for the right."""
    store.update_person(
        tx, person_id, totp_sealed=None, totp_confirmed_at=None, totp_step=None, updated_at=now
    )
    store.replace_recovery_codes(tx, person_id, [])


def begin_passkey(context: Context, person: Person, session: Session) -> str:
    """What the browser is to make a passkey with, as JSON for ``navigator.credentials.create``."""
    require_confirmed(session, context.clock.now())
    with context.database.read() as tx:
        known = store.credential_ids(tx, person.id)
    options = generate_registration_options(
        rp_id=_host(context),
        rp_name="daozhang 到账",
        user_id=f"daozhang:person:{person.id}".encode(),
        user_name=person.email,
        user_display_name=person.name,
        challenge=_new_challenge(context, person.id),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return options_to_json(options)


def finish_passkey(
    context: Context, person: Person, session: Session, answer: Mapping[str, Any], name: str
) -> Passkey:
    """Takes a passkey into use. ``answer`` is what the browser made. Raises `PasskeyRefused`."""
    now = context.clock.now()
    require_confirmed(session, now)
    try:
        credential = parse_registration_credential_json(dict(answer))
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(context),
            expected_origin=_origin(context),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyRefused from None
    with context.database.begin() as tx:
        there = store.find_person(tx, person.id, lock=True)
        full = there is None or there.passkeys >= PASSKEYS_MAX
        if full or not store.take_challenge(tx, _hash(challenge), person.id, now):
            raise PasskeyRefused
        values = {
            "person_id": person.id,
            "credential_id": made.credential_id,
            "public_key": made.credential_public_key,
            "sign_count": made.sign_count,
            "name": name.strip()[: rules.NAME_CHARACTERS_MAX] or "passkey",
            "created_at": now,
        }
        passkey = store.insert_passkey(tx, values)
        if passkey is None:
            raise PasskeyRefused
        _changed(tx, person, session, "person.passkey_added", now, name=passkey.name)
    return passkey


def list_passkeys(context: Context, person: Person) -> list[Passkey]:
    """One's own passkeys, oldest first."""
    with context.database.read() as tx:
        return store.list_passkeys(tx, person.id)


def remove_passkey(context: Context, person: Person, session: Session, passkey_id: int) -> None:
    """Takes one of one's own passkeys away."""
    now = context.clock.now()
    require_confirmed(session, now)
    with context.database.begin() as tx:
        if store.delete_passkeys(tx, person.id, passkey_id):
            _changed(tx, person, session, "person.passkey_removed", now)


def begin_passkey_sign_in(context: Context) -> str:
    """What the browser is to have signed, as JSON for ``navigator.credentials.get``.

    It names nobody: which passkeys there are is no stranger's business.
    """
    options = generate_authentication_options(
        rp_id=_host(context),
        challenge=_new_challenge(context, None),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def sign_in_with_passkey(
    context: Context, answer: Mapping[str, Any], *, address: str, agent: str
) -> SignedIn:
    """The session of whoever holds the passkey, which has asked for finger, face or PIN.

    Possession and person at once: no other factor is owed. Raises `PasskeyRefused`.
    """
    now = context.clock.now()
    with context.database.begin() as tx:
        person = _proven(tx, context, answer, now)
        return begin_session(
            tx, person, SignInStep.SIGNED_IN, address=address, agent=agent, now=now
        )


def confirm_with_passkey(
    context: Context, person: Person, session: Session, answer: Mapping[str, Any]
) -> None:
    """Proves anew who one is, for what is grave. Raises `PasskeyRefused`."""
    now = context.clock.now()
    with context.database.begin() as tx:
        if _proven(tx, context, answer, now).id != person.id:
            raise PasskeyRefused
        store.update_session(tx, session.id, confirmed_at=now)


def _proven(tx: Tx, context: Context, answer: Mapping[str, Any], now: datetime) -> Person:
    try:
        credential = parse_authentication_credential_json(dict(answer))
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        key = store.find_credential(tx, credential.raw_id)
        if key is None or not store.take_challenge(tx, _hash(challenge), None, now):
            raise PasskeyRefused
        proof = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(context),
            expected_origin=_origin(context),
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyRefused from None
    store.note_passkey_use(tx, key.id, proof.new_sign_count, now)
    person = store.find_person(tx, key.person_id)
    if person is None or person.status is not PersonStatus.ACTIVE:
        raise PasskeyRefused
    return person


def _new_challenge(context: Context, person_id: int | None) -> bytes:
    now, challenge = context.clock.now(), generate_challenge()
    ends = now + timedelta(seconds=CHALLENGE_SECONDS)
    with context.database.begin() as tx:
        store.insert_challenge(tx, _hash(challenge), person_id, ends, now)
    return challenge


def _renew_codes(tx: Tx, person: Person) -> list[str]:
    codes = new_recovery_codes()
    kept = [recovery_code_sha256(person.id, code) for code in codes]
    store.replace_recovery_codes(tx, person.id, kept)
    return codes


def _changed(
    tx: Tx, person: Person, session: Session, action: str, now: datetime, name: str | None = None
) -> None:
    store.delete_sessions(tx, person.id, but=session.id)
    record(tx, person.actor, action, f"person:{person.id}", now, name=name)


def _hash(challenge: bytes) -> str:
    return sha256(bytes_to_base64url(challenge))


def _host(context: Context) -> str:
    return urlsplit(context.settings.public_url).hostname or "localhost"


def _origin(context: Context) -> str:
    parts = urlsplit(context.settings.public_url)
    return f"{parts.scheme}://{parts.netloc}"
