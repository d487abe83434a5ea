"""Books and what is posted to them, as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from daozhang.money import Money
from daozhang.service.bulk import insert_rows, read_rows
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata, one_of
from daozhang.service.ledger.model import (
    Account,
    Balance,
    Book,
    EntryKind,
    Lock,
    Move,
    Payout,
    Posted,
)
from daozhang.service.ledger.rules import FEE_PPM
from daozhang.service.progress import BEGINNING, Rows, positions

books: Final = sa.Table(
    "ledger_books",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("environment", sa.String(16), nullable=False),
    sa.Column("seller_id", sa.String(32), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("payout", sa.String(16), nullable=False),
    sa.Column("fee_ppm", sa.Integer, nullable=False),
    sa.Column("locked_through", sa.Date),
    sa.Column("payout_days", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.UniqueConstraint("environment", "seller_id", "currency"),
    one_of("payout", Payout),
)

OF_AN_ORDER: Final = sa.text("order_id IS NOT NULL AND kind <> 'payment'")
"""A payment's key is its order, by which it is found: the path of a notification writes no index more."""

# No foreign keys: docs/decisions/0011.
moves: Final = sa.Table(
    "ledger_moves",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("book_id", RowId, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("key", sa.String(128), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("debit", sa.String(24), nullable=False),
    sa.Column("credit", sa.String(24), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("booked_on", sa.Date, nullable=False),
    sa.Column("order_id", RowId),
    sa.Column("merchant_id", RowId),
    sa.Column("memo", sa.Text),
    sa.UniqueConstraint("book_id", "kind", "key", "number"),
    sa.Index("ix_ledger_moves_booked_on", "book_id", "booked_on", "id"),
    sa.Index(
        "ix_ledger_moves_order", "order_id", postgresql_where=OF_AN_ORDER, sqlite_where=OF_AN_ORDER
    ),
    # What the words may be, no CHECK says: on SQLite three lists would cost as much as the row itself.
    sa.CheckConstraint("amount_minor > 0", name="amount"),
)

sums: Final = sa.Table(
    "ledger_sums",
    metadata,
    sa.Column("book_id", RowId, primary_key=True, autoincrement=False),
    sa.Column("account", sa.String(24), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("debit_minor", sa.BigInteger, nullable=False),
    sa.Column("credit_minor", sa.BigInteger, nullable=False),
)
"""What is certain of each account and day, put there by a duty: nobody who posts waits for a balance."""

locks: Final = sa.Table(
    "ledger_locks",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("book_id", RowId, sa.ForeignKey("ledger_books.id"), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("locked_by", sa.String(96), nullable=False),
    sa.Column("locked_name", sa.String(254), nullable=False),
    sa.Column("locked_at", Moment, nullable=False),
    sa.Column("note", sa.String(256)),
    sa.UniqueConstraint("book_id", "day"),
)

MOVES: Final = Rows("ledger_moves", moves.c.id)

_SUMMED_UPTO: Final = sa.func.coalesce(
    sa.select(positions.c.position).where(positions.c.name == MOVES.name).scalar_subquery(), 0
)
"""Up to which move the sums go."""

backfill: Final = sa.Table(
    "ledger_backfill",
    metadata,
    sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", RowId, nullable=False),
    sa.Column("upto", RowId),
    sa.Column("reached_at", Moment),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
)
"""How far the steps of orders have been gone through for what was booked without the ledger: once, and a
day later once more what came last (`daozhang.service.backfill`)."""


def find_book(tx: Tx, environment: str, seller_id: str, currency: str) -> Book | None:
    """The book of that account and currency, if anything was ever posted to it."""
    given = {"environment": environment, "seller_id": seller_id, "currency": currency}
    rows = read_rows(tx, _by_account(hold=False), given)
    return book_of(rows[0]) if rows else None


def hold_book(tx: Tx, environment: str, seller_id: str, currency: str) -> Book:
    """The book of that account and currency, made if need be; nobody locks a day of it before ``tx``
    ends. Others may hold it beside us."""
    given = {"environment": environment, "seller_id": seller_id, "currency": currency}
    rows = read_rows(tx, _by_account(hold=True), given)
    if not rows:
        make_book(tx, environment, seller_id, currency)
        rows = read_rows(tx, _by_account(hold=True), given)
    return book_of(rows[0])


def make_book(tx: Tx, environment: str, seller_id: str, currency: str) -> None:
    """Makes the book of that account and currency, unless it is there."""
    new = {
        "environment": environment,
        "seller_id": seller_id,
        "currency": currency,
        "payout": Payout.AT_ONCE.value,
        "fee_ppm": FEE_PPM,
    }
    insert_rows(tx, books, [new], on_conflict="ON CONFLICT DO NOTHING")


@cache
def _by_account(*, hold: bool) -> sa.Select[Any]:
    wanted = sa.select(books).where(
        books.c.environment == sa.bindparam("environment"),
        books.c.seller_id == sa.bindparam("seller_id"),
        books.c.currency == sa.bindparam("currency"),
    )
    return wanted.with_for_update(read=True) if hold else wanted


def lock_book(tx: Tx, book_id: int) -> Book:
    """The book of that row, held alone until ``tx`` ends: after all who hold it now."""
    wanted = sa.select(books).where(books.c.id == book_id).with_for_update()
    return book_of(tx.execute(wanted).mappings().one())


def update_book(tx: Tx, book_id: int, **values: Any) -> None:
    """Writes columns of a book."""
    tx.execute(sa.update(books).where(books.c.id == book_id).values(**values))


def insert_moves(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes moves that are in no book yet."""
    insert_rows(tx, moves, rows)


def insert_first(tx: Tx, row: Mapping[str, Any]) -> bool:
    """Writes the first move of an entry; whether there was none of that book, kind and key."""
    return bool(insert_ignoring(tx, moves, [row], moves.c.id))


def list_entry(tx: Tx, book: Book, kind: EntryKind, key: str) -> list[Posted]:
    """The moves of an entry in their order; none if it was never posted."""
    c = moves.c
    wanted = sa.select(moves).where(c.book_id == book.id, c.kind == kind.value, c.key == key)
    rows = tx.execute(wanted.order_by(c.number)).mappings()
    return [posted_of(row, book.currency) for row in rows]


def list_of_order(tx: Tx, book: Book, order_id: int) -> list[Posted]:
    """All that was posted about an order, in the order in which it was."""
    c = moves.c
    paid = sa.select(moves).where(
        c.book_id == book.id, c.kind == EntryKind.PAYMENT.value, c.key == str(order_id)
    )
    others = sa.select(moves).where(
        c.order_id == order_id, c.kind != EntryKind.PAYMENT.value, c.book_id == book.id
    )
    every = sa.union_all(paid, others).subquery()
    rows = tx.execute(sa.select(every).order_by(every.c.id)).mappings()
    return [posted_of(row, book.currency) for row in rows]


def known_keys(tx: Tx, kind: EntryKind, keys: Collection[str]) -> set[str]:
    """Those of ``keys`` that have an entry of that kind, in any book."""
    c = moves.c
    every_book = sa.select(books.c.id)
    wanted = sa.select(c.key).where(
        c.book_id.in_(every_book), c.kind == kind.value, c.key.in_(keys), c.number == 0
    )
    return set(tx.execute(wanted).scalars())


def list_keys(
    tx: Tx, book: Book, kinds: Collection[EntryKind], beginning: str = ""
) -> list[tuple[EntryKind, str]]:
    """The entries of those kinds whose keys begin so."""
    c = moves.c
    wanted = sa.select(c.kind, c.key).where(
        c.book_id == book.id,
        c.kind.in_([kind.value for kind in kinds]),
        c.key.startswith(beginning, autoescape=True),
        c.number == 0,
    )
    return [(EntryKind(row.kind), row.key) for row in tx.execute(wanted.order_by(c.kind, c.key))]


def sum_kinds(
    tx: Tx, book_id: int, day: date, accounts: Collection[Account]
) -> dict[EntryKind, int]:
    """What the entries of each kind have done on ``day`` to those accounts together."""
    c = moves.c
    chosen = [account.value for account in accounts]
    found: dict[EntryKind, int] = {}
    for column, sign in ((c.debit, 1), (c.credit, -1)):
        wanted = (
            sa.select(c.kind, sa.func.sum(c.amount_minor).label("minor"))
            .where(c.book_id == book_id, c.booked_on == day, column.in_(chosen))
            .group_by(c.kind)
        )
        for row in tx.execute(wanted):
            kind = EntryKind(row.kind)
            found[kind] = found.get(kind, 0) + sign * int(row.minor)
    return found


def reversed_keys(tx: Tx, book_id: int, keys: Collection[str]) -> set[str]:
    """Those of ``keys`` under which an entry of that book has been taken back."""
    c = moves.c
    wanted = sa.select(c.key).where(
        c.book_id == book_id, c.kind == EntryKind.REVERSAL.value, c.key.in_(keys), c.number == 0
    )
    return set(tx.execute(wanted).scalars())


def sum_accounts(tx: Tx, book_id: int, first: date, last: date) -> dict[Account, Balance]:
    """Each account that was ever posted to: what it held before ``first``, and what came and went from
    then to ``last``. What is not in the sums yet is added: one statement, so that nothing passes from
    the one into the other meanwhile."""
    every = every_side(book_id, max(first, last))
    is_before = every.c.day < first
    is_within = (every.c.day >= first) & (every.c.day <= last)

    def total(minor: sa.ColumnElement[int], when: sa.ColumnElement[bool]) -> Any:
        return sa.func.coalesce(sa.func.sum(sa.case((when, minor), else_=0)), 0)

    wanted: Any = sa.select(
        every.c.account,
        total(every.c.debit_minor - every.c.credit_minor, is_before).label("opening"),
        total(every.c.debit_minor, is_within).label("debits"),
        total(every.c.credit_minor, is_within).label("credits"),
    )
    return {
        Account(row["account"]): Balance(
            Account(row["account"]), int(row["opening"]), int(row["debits"]), int(row["credits"])
        )
        for row in tx.execute(wanted.group_by(every.c.account)).mappings()
    }


def sum_days(
    tx: Tx, book_id: int, account: Account, first: date, last: date
) -> list[tuple[date, int, int]]:
    """What came to an account and what went from it on each day up to ``last`` that has any, in the
    order of days; all days before ``first`` are one, the day before it."""
    every = every_side(book_id, last)
    before = sa.literal(first - timedelta(days=1), sa.Date)
    sided = sa.select(
        sa.case((every.c.day < first, before), else_=every.c.day).label("day"),
        every.c.debit_minor,
        every.c.credit_minor,
    ).where(every.c.account == account.value, every.c.day <= last)
    one = sided.subquery()
    wanted: Any = sa.select(
        one.c.day,
        sa.func.sum(one.c.debit_minor).label("debits"),
        sa.func.sum(one.c.credit_minor).label("credits"),
    )
    rows = tx.execute(wanted.group_by(one.c.day).order_by(one.c.day)).mappings()
    return [(row["day"], int(row["debits"]), int(row["credits"])) for row in rows]


def legs_of_day(tx: Tx, book_id: int, day: date, at: datetime) -> dict[Account, int]:
    """What was done to each account on ``day`` by what had happened ``at``."""
    c = moves.c
    every = sa.union_all(*_sides(c.book_id == book_id, c.booked_on == day, c.at <= at)).subquery()
    minor = sa.func.sum(every.c.debit_minor - every.c.credit_minor).label("minor")
    wanted: Any = sa.select(every.c.account, minor).group_by(every.c.account)
    return {Account(row["account"]): int(row["minor"]) for row in tx.execute(wanted).mappings()}


def add_to_sums(tx: Tx, after: int, upto: int) -> None:
    """Adds the moves with ``after < id <= upto`` to the sums; the caller holds their position."""
    every = sa.union_all(
        *_sides(moves.c.id > after, moves.c.id <= upto, keys=("book_id",))
    ).subquery()
    keys = (every.c.book_id, every.c.account, every.c.day)
    # In one order, so that two that add wait for one another, not each for the other.
    summed = (
        sa.select(*keys, sa.func.sum(every.c.debit_minor), sa.func.sum(every.c.credit_minor))
        .where(sa.true())  # SQLite reads ON CONFLICT as a condition of a join without it
        .group_by(*keys)
        .order_by(*keys)
    )
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    statement = insert(sums).from_select([column.name for column in sums.c], summed)
    added = ("debit_minor", "credit_minor")
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[column.name for column in sums.primary_key],
            set_={name: sums.c[name] + statement.excluded[name] for name in added},
        )
    )


def every_side(book_id: int, last: date) -> sa.Subquery:
    """The sides of all moves of a book up to a day: those that are summed, and those that are not yet."""
    return sa.union_all(
        sa.select(sums.c.account, sums.c.day, sums.c.debit_minor, sums.c.credit_minor).where(
            sums.c.book_id == book_id, sums.c.day <= last
        ),
        *_sides(moves.c.book_id == book_id, moves.c.id > _SUMMED_UPTO),
    ).subquery()


def _sides(*conditions: sa.ColumnElement[bool], keys: tuple[str, ...] = ()) -> tuple[Any, Any]:
    """The two sides of each move as rows of their own: what it does to the one account and the other."""
    c, nothing = moves.c, sa.literal(0, sa.BigInteger)

    def side(account: sa.Column[str], debit: Any, credit: Any) -> Any:
        return sa.select(
            *[c[key] for key in keys],
            account.label("account"),
            c.booked_on.label("day"),
            debit.label("debit_minor"),
            credit.label("credit_minor"),
        ).where(*conditions)

    return side(c.debit, c.amount_minor, nothing), side(c.credit, nothing, c.amount_minor)


def list_of_account(
    tx: Tx, book: Book, account: Account, day: date, after_id: int, rows_max: int
) -> list[Posted]:
    """The moves of an account that were posted to ``day``, by their ids."""
    c = moves.c
    touches = sa.or_(c.debit == account.value, c.credit == account.value)
    wanted = sa.select(moves).where(
        c.book_id == book.id, c.booked_on == day, c.id > after_id, touches
    )
    rows = tx.execute(wanted.order_by(c.id).limit(rows_max)).mappings()
    return [posted_of(row, book.currency) for row in rows]


def backfilling_until(tx: Tx) -> datetime | None:
    """How far what was booked before the ledger was there has been posted; ``None`` once all is."""
    wanted = sa.select(backfill).where(backfill.c.round == 1, backfill.c.ended_at.is_(None))
    row = tx.execute(wanted).mappings().first()
    return None if row is None else (row["reached_at"] or BEGINNING)


def insert_lock(tx: Tx, values: Mapping[str, Any]) -> None:
    """Writes down who has closed a day."""
    tx.execute(sa.insert(locks).values(**values))


def find_lock(tx: Tx, book_id: int, day: date) -> Lock | None:
    """Who has closed that day."""
    wanted = sa.select(locks).where(locks.c.book_id == book_id, locks.c.day == day)
    row = tx.execute(wanted).mappings().first()
    return None if row is None else _lock_of(row)


def list_locks(tx: Tx, book_id: int, rows_max: int) -> list[Lock]:
    """Who has closed the last days, the latest first."""
    wanted = sa.select(locks).where(locks.c.book_id == book_id)
    rows = tx.execute(wanted.order_by(locks.c.day.desc()).limit(rows_max)).mappings()
    return [_lock_of(row) for row in rows]


def book_of(row: Mapping[Any, Any]) -> Book:
    """A row of ``ledger_books`` as a `Book`."""
    return Book(
        id=row["id"],
        environment=row["environment"],
        seller_id=row["seller_id"],
        currency=row["currency"],
        payout=Payout(row["payout"]),
        fee_ppm=row["fee_ppm"],
        locked_through=row["locked_through"],
        payout_days=row["payout_days"],
    )


def posted_of(row: Mapping[Any, Any], currency: str) -> Posted:
    """A row of ``ledger_moves`` as it is read."""
    return Posted(
        id=row["id"],
        kind=EntryKind(row["kind"]),
        key=row["key"],
        number=row["number"],
        move=Move(
            Account(row["debit"]), Account(row["credit"]), Money(row["amount_minor"], currency)
        ),
        at=row["at"],
        booked_on=row["booked_on"],
        order_id=row["order_id"],
        merchant_id=row["merchant_id"],
        memo=row["memo"],
    )


def _lock_of(row: Mapping[Any, Any]) -> Lock:
    return Lock(
        day=row["day"],
        locked_by=row["locked_by"],
        locked_name=row["locked_name"],
        locked_at=row["locked_at"],
        note=row["note"],
    )
