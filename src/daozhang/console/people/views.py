"""What the pages of people show, and the words for roles, rights and scopes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import RIGHTS, Person, Right, Role

ROLES: Final[Mapping[Role, tuple[str, str]]] = {
    Role.VIEWER: (word("Viewer"), word("Looks at takings and orders")),
    Role.CASHIER: (word("Cashier"), word("Stands at a till: takes payments, asks for refunds")),
    Role.FINANCE: (
        word("Finance"),
        word("Refunds, approves what another asked for, clears what did not fit"),
    ),
    Role.DEVELOPER: (
        word("Developer"),
        word("Connects systems: webhooks, notifications, jobs; moves no money"),
    ),
    Role.OWNER: (word("Owner"), word("Everything, people and keys too")),
}
"""A role's name, and for whom it is."""

RIGHT_WORDS: Final[Mapping[str, Mapping[Right, str]]] = {
    word("Orders and money"): {
        Right.OVERVIEW_READ: word("See the overview"),
        Right.ORDERS_READ: word("See orders"),
        Right.ORDERS_EXPORT: word("Take orders away as a file"),
        Right.ORDERS_CREATE: word("Create orders"),
        Right.ORDERS_CLOSE: word("Close orders"),
        Right.ORDERS_QUERY: word("Have Alipay asked about an order"),
        Right.REFUNDS_READ: word("See refunds"),
        Right.REFUNDS_REQUEST: word("Ask for refunds"),
        Right.REFUNDS_APPROVE: word("Approve refunds of others"),
        Right.TRANSFERS_READ: word("See transfers"),
        Right.TRANSFERS_REQUEST: word("Ask for transfers"),
        Right.TRANSFERS_APPROVE: word("Approve transfers of others"),
        Right.SHARING_READ: word("See receivers and plans of sharing"),
        Right.SHARING_REQUEST: word("Share orders, finish sharing them, and confirm settlements"),
        Right.SHARING_WRITE: word("Say who may receive shares, and by which plans"),
        Right.SURPRISES_READ: word("See what did not fit"),
        Right.SURPRISES_WORK: word("Clear what did not fit"),
        Right.PERSONAL_READ: word("See buyers unmasked; each look is written down"),
        Right.OUTGOING_SWITCH: word("Stop and allow outgoing money"),
    },
    word("Books"): {
        Right.LEDGER_READ: word("See the books"),
        Right.LEDGER_BOOK: word("Ask for entries by hand and reversals"),
        Right.LEDGER_APPROVE: word("Approve entries of others"),
        Right.LEDGER_LOCK: word("Close days of the books"),
    },
    word("Till, holds, agreements"): {
        Right.TILL_USE: word("Take payments at the till"),
        Right.TILL_SHIFTS: word("Hand shifts over"),
        Right.PAYLINKS_WRITE: word("Make pay links"),
        Right.HOLDS_READ: word("See holds"),
        Right.HOLDS_CAPTURE: word("Capture holds"),
        Right.HOLDS_RELEASE: word("Release holds"),
        Right.AGREEMENTS_READ: word("See agreements"),
        Right.AGREEMENTS_CHARGE: word("Charge by agreement"),
        Right.AGREEMENTS_END: word("End agreements"),
    },
    word("Connections"): {
        Right.NOTIFICATIONS_READ: word("See notifications"),
        Right.NOTIFICATIONS_APPLY: word("Apply notifications again"),
        Right.EVENTS_READ: word("See events"),
        Right.EVENTS_RESEND: word("Send events again"),
        Right.WEBHOOKS_READ: word("See webhooks"),
        Right.WEBHOOKS_WRITE: word("Set up webhooks"),
        Right.APIKEYS_READ: word("See API keys"),
        Right.APIKEYS_WRITE: word("Make and revoke API keys"),
        Right.JOBS_READ: word("See jobs and health"),
        Right.JOBS_WORK: word("Retry and cancel jobs"),
    },
    word("The house"): {
        Right.MERCHANTS_READ: word("See merchants and keys"),
        Right.MERCHANTS_WRITE: word("Add merchants and change their settings"),
        Right.KEYS_ROTATE: word("Change keys"),
        Right.KEYS_APPROVE: word("Approve Alipay's new keys"),
        Right.PEOPLE_READ: word("See people"),
        Right.PEOPLE_WRITE: word("Invite people and change their rights"),
        Right.AUDIT_READ: word("Read the audit trail"),
        Right.AUDIT_EXPORT: word("Take the audit trail away as a file"),
    },
}
"""Every right in words, by subject; a test compares it with the rights there are."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A line of the list."""

    address: str
    person: Person
    roles: Sequence[str]
    merchants: str
    factors: Sequence[str]


@dataclass(frozen=True, slots=True)
class PersonForm:
    """What was typed about a person, or is so now. ``merchants`` is ``None`` for all."""

    email: str = ""
    name: str = ""
    roles: Collection[Role] = ()
    merchants: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class RightRow:
    """A line of the table of rights: who holds it, by role."""

    name: str
    right: Right
    held: Sequence[bool]


def person_row(visit: Visit, person: Person) -> PersonRow:
    """``person`` as a line."""
    return PersonRow(
        address=f"{visit.base}/people/{person.id}",
        person=person,
        roles=role_names(visit, person.roles),
        merchants=merchant_names(visit, person.merchants),
        factors=factors_of(visit, person),
    )


def role_names(visit: Visit, roles: Collection[Role]) -> list[str]:
    """The names of ``roles``, the least first."""
    return [visit.t(ROLES[role][0]) for role in Role if role in roles]


def merchant_names(visit: Visit, merchants: Collection[int] | None) -> str:
    """For whom somebody works; merchants that the reader does not cover are only counted."""
    if merchants is None:
        return visit.t("All merchants")
    known = [one.name for one in visit.merchants if one.id in merchants]
    more = len(merchants) - len(known)
    return ", ".join(known + ([visit.t("and {count} more", count=more)] if more else [])) or "—"


def factors_of(visit: Visit, person: Person) -> list[str]:
    """With what somebody signs in beside the password."""
    found = [visit.t("Authenticator app")] if person.has_totp else []
    return found + ([visit.t("Passkey")] if person.passkeys else [])


def role_choices(visit: Visit) -> list[tuple[Role, str, str]]:
    """Each role, its name, and for whom it is."""
    return [(role, visit.t(name), visit.t(says)) for role, (name, says) in ROLES.items()]


def right_tables(visit: Visit) -> list[tuple[str, list[RightRow]]]:
    """Every right and who holds it, by subject."""
    return [
        (
            visit.t(subject),
            [
                RightRow(visit.t(name), right, [right in RIGHTS[role] for role in Role])
                for right, name in rights.items()
            ],
        )
        for subject, rights in RIGHT_WORDS.items()
    ]


def form_of(visit: Visit) -> PersonForm:
    """What was typed. A tick that is not there is not ticked."""
    form = visit.form
    return PersonForm(
        email=form.get("email", "")[:254],
        name=form.get("name", "")[:128],
        roles=frozenset(role for role in Role if f"role_{role}" in form),
        merchants=None if form.get("reach") == "all" else ticked_merchants(visit),
    )


def ticked_merchants(visit: Visit) -> frozenset[int]:
    """The merchants that were ticked, of those that the visitor covers."""
    return frozenset(one.id for one in visit.merchants if f"merchant_{one.slug}" in visit.form)


def name_of(merchant: Merchant) -> str:
    """What people call a merchant, with what tells it from others of that name."""
    return merchant.name if merchant.name == merchant.slug else f"{merchant.name} ({merchant.slug})"
