"""Decisions about people: sign-in, passwords, sessions. Pure: values in, a decision out."""

from __future__ import annotations

import hashlib
import ipaddress
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from daozhang.service.people.model import Role, Session, SignInStep

PASSWORD_CHARACTERS_MIN: Final = 12
PASSWORD_CHARACTERS_MAX: Final = 128
"""More would only keep argon2 busy."""

EMAIL_CHARACTERS_MAX: Final = 254
NAME_CHARACTERS_MAX: Final = 64

SESSION_IDLE_SECONDS: Final = 2 * 3600
SESSION_SECONDS_MAX: Final = 12 * 3600
"""A day at the desk. After that everybody signs in again."""

SECOND_FACTOR_SECONDS: Final = 300
"""How long a right password waits for its second factor."""

SEEN_SECONDS: Final = 60
"""The last use of a session is written at most this often."""

CONFIRMED_SECONDS: Final = 600
"""How long a proof of who one is suffices for what is grave."""

INVITATION_SECONDS: Final = 3 * 24 * 3600
OWNER_INVITATION_SECONDS: Final = 3600
"""An address that makes an owner is used at once or not at all."""

TOTP_STEP_SECONDS: Final = 30
TOTP_STEPS_ASIDE: Final = 1
"""How many steps a person's clock may be off, each way."""

RECOVERY_CODES: Final = 10

ACCOUNT_FAILURES_FREE: Final = 5
"""So many wrong guesses cost nothing but the guess; then the account is locked for a while."""

ADDRESS_FAILURES_FREE: Final = 20
"""An address is shared by an office, so it has more; it is what one who tries many names has."""

LOCK_SECONDS: Final = 30
LOCK_SECONDS_MAX: Final = 3600
FAILURES_FORGOTTEN_SECONDS: Final = 24 * 3600

_COMMON: Final = frozenset(
    {
        "password1234",
        "passwordpassword",
        "123456789012",
        "1234567890123",
        "qwertyuiop12",
        "qwertyuiopasdf",
        "woaini1314520",
        "woaini5201314",
        "administrator",
        "adminadminadmin",
        "alipayalipay",
        "letmeinletmein",
    }
)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known of failed sign-ins of one account or from one address."""

    failures: int
    last_failed_at: datetime | None
    locked_until: datetime | None


NO_ATTEMPTS: Final = Attempts(0, None, None)


def normal_email(text: str) -> str:
    """The form in which an email is kept and compared."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def account_key(email: str) -> str:
    """Under what the failures of a name are counted, whether there is such a person or not."""
    return f"account:{hashlib.sha256(email.encode()).hexdigest()}"


def address_key(address: str) -> str:
    """Under what the failures from an address are counted: of IPv6, a whole network of one owner."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address[:64]}"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"address:{parsed.ipv4_mapped}"
        network = ipaddress.ip_network((parsed, 64), strict=False)
        return f"address:{network}"
    return f"address:{parsed}"


def factor_key(person_id: int) -> str:
    """Under what wrong codes of a person are counted, whose password was right."""
    return f"factor:{person_id}"


def email_is_plausible(email: str) -> bool:
    """Whether it can be a name to sign in with: it looks like an address; no mail is sent."""
    local, at, domain = email.partition("@")
    plain = email.isprintable() and not any(letter.isspace() for letter in email)
    return bool(local and at and domain) and plain and len(email) <= EMAIL_CHARACTERS_MAX


def password_fault(password: str, email: str, name: str) -> tuple[str, str] | None:
    """What is wrong with a new password, in English and Chinese; ``None`` if it will do.

    Length is what counts (NIST SP 800-63B); there are no rules about kinds of characters.
    """
    if len(password) < PASSWORD_CHARACTERS_MIN:
        return (
            f"A password needs at least {PASSWORD_CHARACTERS_MIN} characters; a few words do well.",
            f"密码至少 {PASSWORD_CHARACTERS_MIN} 个字符，用几个词组成即可。",
        )
    if len(password) > PASSWORD_CHARACTERS_MAX:
        return (
            f"A password has at most {PASSWORD_CHARACTERS_MAX} characters.",
            f"密码最多 {PASSWORD_CHARACTERS_MAX} 个字符。",
        )
    plain = password.casefold()
    if plain in _COMMON or len(set(plain)) < 5:
        return (
            "This password is among the first that somebody would try; choose another.",
            "该密码太常见，最先被人猜到，请换一个。",
        )
    own = [part for part in (email.partition("@")[0].casefold(), name.casefold()) if len(part) > 3]
    if any(part in plain and len(plain) - len(part) < 8 for part in own):
        return (
            "This password is little more than your name; choose another.",
            "该密码几乎就是您的姓名或邮箱，请换一个。",
        )
    return None


def after_failure(before: Attempts, now: datetime, free: int) -> Attempts:
    """What is known after one more failure at ``now``, of which ``free`` cost nothing.

    Each one beyond doubles the wait. Failures of yesterday are forgotten.
    """
    forgotten = timedelta(seconds=FAILURES_FORGOTTEN_SECONDS)
    if before.last_failed_at is not None and now - before.last_failed_at > forgotten:
        before = NO_ATTEMPTS
    failures = before.failures + 1
    if failures < free:
        return Attempts(failures, now, None)
    seconds = min(LOCK_SECONDS * 2 ** min(failures - free, 16), LOCK_SECONDS_MAX)
    return Attempts(failures, now, now + timedelta(seconds=seconds))


def forgiven(attempts: Attempts) -> Attempts:
    """What is known once the latest failure has turned out to be none."""
    return Attempts(max(attempts.failures - 1, 0), attempts.last_failed_at, None)


def is_locked(attempts: Attempts, now: datetime) -> bool:
    """Whether nobody is let in now, whatever they know."""
    return attempts.locked_until is not None and now < attempts.locked_until


def session_expiry(created_at: datetime, step: SignInStep) -> datetime:
    """When a session ends however much it is used."""
    owed = step is SignInStep.SECOND_FACTOR
    return created_at + timedelta(seconds=SECOND_FACTOR_SECONDS if owed else SESSION_SECONDS_MAX)


def session_is_live(session: Session, now: datetime) -> bool:
    """Whether the session is neither at its end nor idle for too long."""
    idle_until = session.seen_at + timedelta(seconds=SESSION_IDLE_SECONDS)
    return now < session.expires_at and now < idle_until


def is_confirmed(session: Session, now: datetime) -> bool:
    """Whether the person has proven who they are so lately that what is grave may be done."""
    return now - session.confirmed_at <= timedelta(seconds=CONFIRMED_SECONDS)


def totp_steps(now: datetime) -> range:
    """The time steps whose codes count at ``now``."""
    step = int(now.timestamp()) // TOTP_STEP_SECONDS
    return range(step - TOTP_STEPS_ASIDE, step + TOTP_STEPS_ASIDE + 1)


def leaves_an_owner(owners: int, *, was_owner: bool, stays_owner: bool) -> bool:
    """Whether somebody can still do everything after a change to one of ``owners`` people."""
    return owners - int(was_owner) + int(stays_owner) >= 1


def needs_second_factor(roles: frozenset[Role]) -> bool:
    """Whether a code or a passkey must be set up at once: for all who move money or hold keys."""
    return bool(roles & {Role.OWNER, Role.FINANCE, Role.DEVELOPER})
