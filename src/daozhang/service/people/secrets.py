"""Passwords, codes and tokens: how each is made, kept and checked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from datetime import datetime
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from pyotp import random_base32
from pyotp.hotp import HOTP
from pyotp.totp import TOTP

from daozhang.service.people.rules import PASSWORD_CHARACTERS_MAX, RECOVERY_CODES, totp_steps

_hasher: Final = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)
"""Argon2id as OWASP has it: 46 MiB a password, and one core; the others are for payments."""

_AT_ONCE: Final = threading.BoundedSemaphore(4)
"""Passwords that are looked at side by side; more would take the memory that payments need."""

_NOBODY: Final = (
    "$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
    "9ycLMpfEr1zbfFQsXoDr5Itr33zMqYMcGClAjnBsyTE"
)
"""What is checked for a name that is not there, so that it takes as long. No password fits."""

_CODE_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def hash_password(password: str) -> str:
    """How a password is kept."""
    with _AT_ONCE:
        return _hasher.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Whether it is that password; takes as long if there is none."""
    if len(password) > PASSWORD_CHARACTERS_MAX:
        password = ""  # nobody has it, and it keeps nobody busy
    with _AT_ONCE:
        try:
            fits = _hasher.verify(password_hash or _NOBODY, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
    return fits and password_hash is not None


def sha256(secret: str) -> str:
    """How a token of many random bits is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_totp_secret() -> str:
    """A secret for an authenticator app: 160 random bits in base 32."""
    return random_base32()


def totp_address(secret: str, email: str) -> str:
    """The ``otpauth://`` address that an authenticator app reads from a QR."""
    return TOTP(secret).provisioning_uri(name=email, issuer_name="daozhang")


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step of which ``code`` is the code, ``None`` if it is of none that counts now."""
    found = None
    for step in totp_steps(now):
        if hmac.compare_digest(HOTP(secret).at(step).encode(), code.encode()):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Codes for the day when the phone is gone: 80 random bits each."""
    return ["-".join(_letters(4) for _ in range(4)) for _ in range(RECOVERY_CODES)]


def recovery_code_sha256(person_id: int, typed: str) -> str:
    """How a recovery code is kept, however it is typed."""
    plain = "".join(letter for letter in typed.casefold() if letter in _CODE_LETTERS)
    return sha256(f"{person_id}:{plain}")


def is_totp(code: str) -> bool:
    """Whether it looks like a code of an app, and not like a recovery code."""
    return len(code) == 6 and code.isascii() and code.isdecimal()


def _letters(count: int) -> str:
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(count))
