"""People in tests: signed up straight away, without invitations."""

from __future__ import annotations

from dataclasses import replace

from daozhang.service.audit.model import SYSTEM
from daozhang.service.audit.store import all_entries
from daozhang.service.people.actions import change_person, create_owner
from daozhang.service.people.model import Person, Role
from daozhang.service.web.context import Context

PASSWORD = "correct horse battery"


def add_person(
    context: Context, name: str, *roles: Role, merchants: frozenset[int] | None = None
) -> Person:
    """An active person with those roles (an owner without any)."""
    with context.database.begin() as tx:
        email = f"{name}@example.com"
        made, _ = create_owner(tx, context, SYSTEM, email=email, name=name, password=PASSWORD)
    if roles in ((), (Role.OWNER,)) and merchants is None:
        return made
    boss = replace(made, id=0)
    with context.database.begin() as tx:
        create_owner(
            tx, context, SYSTEM, email=f"boss-of-{name}@example.com", name="boss", password=PASSWORD
        )
    return change_person(
        context, boss, made.id, name=name, roles=frozenset(roles), merchants=merchants
    )


def deeds(context: Context) -> list[tuple[str, str]]:
    """Who did what, oldest first."""
    with context.database.read() as tx:
        return [(str(row.actor), row.action) for row in all_entries(tx)]
