"""What of a buyer's personal fields is shown to whom.

Every page asks here. Whoever shows something unmasked writes so into the audit trail
(`daozhang.service.people.actions.note_personal_view`).
"""

from __future__ import annotations

from typing import Final

from daozhang.service.people.model import Person, Right

DOTS: Final = "****"


def sees_personal(person: Person) -> bool:
    """Whether ``person`` may see personal fields as they are."""
    return person.may(Right.PERSONAL_READ)


def buyer_id(person: Person, value: str | None) -> str | None:
    """A buyer's Alipay number or open_id: the first and last four characters."""
    return value if value is None or sees_personal(person) else masked_number(value)


def phone(person: Person, value: str | None) -> str | None:
    """A phone number: 138****8000."""
    return value if value is None or sees_personal(person) else masked_phone(value)


def name(person: Person, value: str | None) -> str | None:
    """A person's name: only its last character, as Alipay shows it."""
    return value if value is None or sees_personal(person) else masked_name(value)


def logon_id(person: Person, value: str | None) -> str | None:
    """What a buyer signs in to Alipay with, a phone number or an email."""
    return value if value is None or sees_personal(person) else masked_logon(value)


def buyer(person: Person, logon: str | None, number: str | None) -> list[str]:
    """All that is known of who a buyer is, as ``person`` may see it."""
    known = (logon_id(person, logon), buyer_id(person, number))
    return [one for one in known if one is not None]


def masked_number(value: str) -> str:
    """``2088722003889088`` as ``2088****9088``; of a short one, nothing."""
    return f"{value[:4]}{DOTS}{value[-4:]}" if len(value) >= 12 else DOTS


def masked_phone(value: str) -> str:
    """``13800138000`` as ``138****8000``; of a short one, nothing."""
    return f"{value[:-8]}{DOTS}{value[-4:]}" if len(value) >= 11 else DOTS


def masked_name(value: str) -> str:
    """``张小明`` as ``**明``; a name of one character not at all."""
    return "*" * (len(value) - 1) + value[-1] if len(value) > 1 else "*"


def masked_logon(value: str) -> str:
    """``zhang.san@example.com`` as ``zha****@example.com``; a phone as a phone.

    What Alipay masked already (``138****8000``) stays as it is.
    """
    if "*" in value:
        return value
    local, at, domain = value.partition("@")
    if not at:
        return masked_phone(value)
    return f"{local[:3] if len(local) > 3 else ''}{DOTS}@{domain}"
