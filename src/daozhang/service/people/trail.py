"""The audit trail as a person reads it and takes it away: of the merchants they cover."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from daozhang.service.audit import store
from daozhang.service.audit.actions import as_csv, as_jsonl, record, verify_chain
from daozhang.service.audit.model import AuditEntry
from daozhang.service.audit.rules import Verdict
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def list_trail(
    context: Context,
    actor: Person,
    *,
    rows_max: int = 50,
    before: int | None = None,
    subject: str | None = None,
    by: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[AuditEntry]:
    """The newest rows below number ``before``, newest first; ``by`` is an actor, as text or by name."""
    require(actor, Right.AUDIT_READ)
    with context.database.read() as tx:
        return store.list_entries(
            tx,
            rows_max=rows_max,
            before=before,
            subject=subject,
            actor=by,
            action=action,
            since=since,
            until=until,
            merchants=actor.merchants,
        )


def verify_trail(context: Context, actor: Person) -> Verdict:
    """Whether the whole trail is as it was written."""
    require(actor, Right.AUDIT_READ)
    return verify_chain(context.database)


def export_trail(
    context: Context,
    actor: Person,
    form: Literal["jsonl", "csv"],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[str]:
    """The rows as text, line by line, oldest first; that they were taken is a row too."""
    require(actor, Right.AUDIT_EXPORT)
    with context.database.begin() as tx:
        now = context.clock.now()
        record(tx, actor.actor, "audit.exported", "audit", now, format=form)
    entries = _entries(context, actor, since, until)
    return as_csv(entries) if form == "csv" else as_jsonl(entries)


def _entries(
    context: Context, actor: Person, since: datetime | None, until: datetime | None
) -> Iterator[AuditEntry]:
    after = 0
    while True:
        # A transaction a piece: whoever takes the lines slowly keeps none open.
        with context.database.read() as tx:
            piece = store.entries_after(
                tx, after, since=since, until=until, merchants=actor.merchants
            )
        if not piece:
            return
        yield from piece
        after = piece[-1].sequence
