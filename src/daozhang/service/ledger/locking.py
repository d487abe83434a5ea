"""Closing days: from then on nothing is posted to them, and what comes late goes to the next open one."""

from __future__ import annotations

from datetime import date, datetime

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.ledger import rules, store
from daozhang.service.ledger.model import Book, Lock
from daozhang.service.ledger.reading import book_of
from daozhang.service.ledger.refusals import DayLocked, DayNotLocked, DayNotOver
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def lock_day(
    tx: Tx, book: Book, day: date, actor: Actor, now: datetime, note: str | None = None
) -> Lock:
    """Closes ``day`` and all before it: from now on nothing is posted to them.

    Waits for whoever is posting to the book, and whoever posts after it sees the lock: see
    `daozhang.service.ledger.rules.LOCK_DELAY_SECONDS` for those who do not wait. Raises `DayNotOver`,
    and `DayLocked` if it is closed already. The rights of ``actor`` are for the caller to check.
    """
    if not rules.is_lockable(day, now):
        raise DayNotOver(day)
    held = store.lock_book(tx, book.id)
    require_open(held, day)
    store.update_book(tx, book.id, locked_through=day)
    lock = Lock(day, str(actor), actor.name, now, note)
    store.insert_lock(
        tx,
        {
            "book_id": book.id,
            "day": day,
            "locked_by": lock.locked_by,
            "locked_name": lock.locked_name,
            "locked_at": now,
            "note": note,
        },
    )
    record(
        tx,
        actor,
        "ledger.day_locked",
        f"ledger:{book.seller_id}:{book.currency}",
        now,
        day=day.isoformat(),
        note=note,
    )
    return lock


def lock_day_as(
    context: Context, actor: Person, merchant_id: int, day: date, note: str | None = None
) -> Lock:
    """Closes ``day`` of the books of a merchant's account, as `lock_day` does."""
    require(actor, Right.LEDGER_LOCK, merchant_id)
    with context.database.begin() as tx:
        book = book_of(tx, merchant_id)
        store.make_book(tx, book.environment, book.seller_id, book.currency)
        book = book_of(tx, merchant_id)
        return lock_day(tx, book, day, actor.actor, context.clock.now(), note)


def require_open(book: Book, day: date) -> None:
    """Raises `DayLocked` if nothing can be posted to ``day`` any more."""
    if book.locked_through is not None and day <= book.locked_through:
        raise DayLocked(day, book.locked_through)


def require_locked(book: Book, day: date) -> None:
    """Raises `DayNotLocked` if something may still be posted to ``day``."""
    if book.locked_through is None or day > book.locked_through:
        raise DayNotLocked(day)
