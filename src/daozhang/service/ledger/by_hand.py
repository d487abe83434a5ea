"""Entries by hand, and entries that take others back: one person asks, another one approves.

What is approved is posted in the transaction of the approval. Both are in the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from daozhang.money import Money
from daozhang.service.approvals import store as approvals_store
from daozhang.service.approvals.actions import approve, ask
from daozhang.service.approvals.model import Approval, ApprovalKind
from daozhang.service.approvals.refusals import ApprovalNotFound
from daozhang.service.approvals.rules import MADE_BY
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.ledger import rules, store
from daozhang.service.ledger.actions import post_entry, reverse_entry
from daozhang.service.ledger.model import (
    MANUAL_KEY_CHARACTERS_MAX,
    Account,
    Book,
    Entry,
    EntryKind,
)
from daozhang.service.ledger.reading import book_of, read_entry
from daozhang.service.ledger.refusals import EntryEmpty, EntryPosted
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def ask_entry(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    key: str,
    legs: Mapping[Account, int],
    at: datetime,
    memo: str,
) -> Approval:
    """What now waits for a second person: an entry that does to each account what ``legs`` say, in
    minor units, debits above zero. The same again gives the same.

    Raises `EntryEmpty`, `EntryUnbalanced`, and `EntryPosted` if that key is in the book already.
    """
    require(actor, Right.LEDGER_BOOK, merchant_id)
    now = context.clock.now()
    with context.database.begin() as tx:
        return request_entry(
            tx, actor.actor, merchant_id, key=key, legs=legs, at=at, memo=memo, now=now
        )


def request_entry(
    tx: Tx,
    actor: Actor,
    merchant_id: int,
    *,
    key: str,
    legs: Mapping[Account, int],
    at: datetime,
    memo: str,
    now: datetime,
    key_made_by: str | None = None,
) -> Approval:
    """As `ask_entry`, in the caller's transaction, by whom the caller has let in: a person, or an API
    key, whose maker (``key_made_by``) does not approve it either."""
    assert 0 < len(key) <= MANUAL_KEY_CHARACTERS_MAX, "keys are made where an entry is asked for"
    book = book_of(tx, merchant_id)
    moves = rules.moves_of(legs, book.currency)
    if not moves:
        raise EntryEmpty
    if store.list_entry(tx, book, EntryKind.MANUAL, key):
        raise EntryPosted(EntryKind.MANUAL, key)
    content = {
        "kind": EntryKind.MANUAL.value,
        "key": key,
        "at": at.isoformat(),
        "legs": {account.value: minor for account, minor in sorted(legs.items())},
    }
    return ask(
        tx,
        actor,
        ApprovalKind.LEDGER,
        merchant_id=merchant_id,
        subject=_subject_of(book, EntryKind.MANUAL, key),
        content=content | ({MADE_BY: key_made_by} if key_made_by else {}),
        amount=Money.total((move.amount for move in moves), book.currency),
        reason=memo,
        now=now,
    )


def ask_reversal(
    context: Context, actor: Person, merchant_id: int, *, kind: EntryKind, key: str, memo: str
) -> Approval:
    """What now waits for a second person: that an entry is taken back. Raises `EntryNotFound` and
    `EntryPosted`."""
    require(actor, Right.LEDGER_BOOK, merchant_id)
    now = context.clock.now()
    with context.database.begin() as tx:
        book = book_of(tx, merchant_id)
        posted = read_entry(tx, book, kind, key)
        reversal = rules.reversal_key(kind, key)
        if store.list_entry(tx, book, EntryKind.REVERSAL, reversal):
            raise EntryPosted(EntryKind.REVERSAL, reversal)
        return ask(
            tx,
            actor.actor,
            ApprovalKind.LEDGER,
            merchant_id=merchant_id,
            subject=_subject_of(book, EntryKind.REVERSAL, reversal),
            content={"kind": EntryKind.REVERSAL.value, "of_kind": kind.value, "of_key": key},
            amount=Money.total((one.move.amount for one in posted), book.currency),
            reason=memo,
            now=now,
        )


def approve_entry(
    context: Context, actor: Person, approval_id: str, note: str | None = None
) -> tuple[Approval, Entry]:
    """Approves what `ask_entry` or `ask_reversal` asked for, and posts it.

    Raises what `daozhang.service.approvals.actions.approve` raises, and what they raise: the book may
    have changed since.
    """
    now = context.clock.now()
    with context.database.begin() as tx:
        waiting = approvals_store.find_approval(tx, approval_id)
        if waiting is None or waiting.kind is not ApprovalKind.LEDGER:
            raise ApprovalNotFound(approval_id)
        book = book_of(tx, waiting.merchant_id)
        approved = approve(tx, actor, approval_id, ApprovalKind.LEDGER, note, now)
        entry = _post(tx, book, approved, now)
        record(
            tx,
            actor.actor,
            "ledger.entry_posted",
            f"ledger:{book.seller_id}:{book.currency}",
            now,
            merchant_id=approved.merchant_id,
            kind=entry.kind.value,
            key=entry.key,
            amount=str(approved.amount),
            requested_by=approved.requested_by,
            memo=entry.memo,
        )
    return approved, entry


def _post(tx: Tx, book: Book, approved: Approval, now: datetime) -> Entry:
    content: Mapping[str, Any] = approved.content
    if content["kind"] == EntryKind.REVERSAL:
        kind = EntryKind(content["of_kind"])
        return reverse_entry(tx, book, kind, content["of_key"], now, approved.reason)
    legs = {Account(account): int(minor) for account, minor in content["legs"].items()}
    entry = Entry(
        environment=book.environment,
        seller_id=book.seller_id,
        kind=EntryKind.MANUAL,
        key=content["key"],
        at=datetime.fromisoformat(content["at"]),
        moves=rules.moves_of(legs, book.currency),
        merchant_id=approved.merchant_id,
        memo=approved.reason,
    )
    if not post_entry(tx, entry):
        raise EntryPosted(entry.kind, entry.key)
    return entry


def _subject_of(book: Book, kind: EntryKind, key: str) -> str:
    return f"{book.currency}:{kind.value}:{key}"
