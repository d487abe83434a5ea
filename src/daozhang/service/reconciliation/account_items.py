"""Shares and transfers, each by its number: what the account bill has of it, and what the ledger has.

Payments and refunds are in the trade bill; these are in the account bill alone. Of an order's shares the
bill and the ledger are added up over the day, so a share in two rounds is one item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.bills.model import Statement
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.model import Book, EntryKind
from daozhang.service.orders.store import orders
from daozhang.service.reconciliation.account_rules import (
    GROUP_OF_KIND,
    GROUP_OF_TYPE,
    HELD,
    Group,
)
from daozhang.service.reconciliation.matching import stream
from daozhang.service.reconciliation.model import MismatchClass
from daozhang.service.reconciliation.workbench import Bench, account_lines

ITEMS_MAX: Final = 1000
"""So many that differ are told of, of each group; their sums are whole."""

PREFIXES: Final[Mapping[Group, str]] = {Group.SHARES: "share", Group.TRANSFERS: "transfer"}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that differs. ``ours`` and ``theirs`` are in fen, ``None`` where there is nothing."""

    group: Group
    number: str
    ours: int | None
    theirs: int | None
    order_id: int | None = None
    merchant_id: int | None = None

    @property
    def key(self) -> str:
        """What names it among the mismatches of a day."""
        return f"{PREFIXES[self.group]}:{self.number}"

    @property
    def by(self) -> int:
        """How much more the bill has, in fen."""
        return (self.theirs or 0) - (self.ours or 0)

    @property
    def mismatch(self) -> MismatchClass:
        """In what it differs."""
        if self.ours is None:
            return MismatchClass.MISSING_HERE
        return MismatchClass.MISSING_THERE if self.theirs is None else MismatchClass.AMOUNT_DIFFERS


@dataclass(frozen=True, slots=True)
class Items:
    """What differs of a day. ``shared_numbers`` tells of how many numbers both sides know, by group."""

    off: Sequence[Item] = ()
    shared_numbers: Mapping[Group, int] = field(default_factory=dict[Group, int])

    def telling(self, groups: Mapping[Group, tuple[int, int]], but: Sequence[Group]) -> list[Item]:
        """Those that a person has to see, beside the sums of their ``groups``.

        Where both sides come to the same and not one number is on both, the bill names these things
        by other numbers than the books, which is no difference.
        """
        return [
            one
            for one in self.off
            if one.group not in but
            and (self.shared_numbers.get(one.group) or groups[one.group][0] != groups[one.group][1])
        ]


def read_items(
    bench: Bench,
    statement: Statement,
    book: Book,
    prefixes: Sequence[str],
    groups: Sequence[Group],
) -> Items:
    """Holds the lines of ``groups`` on the bench against what the ledger has posted on the day."""
    posted = [_POSTED[group](statement, book) for group in groups]
    both = sa.union_all(_lines(prefixes, groups), *posted).subquery("both")
    c = both.c
    ours, theirs = sa.func.sum(c.is_ours), sa.func.sum(1 - c.is_ours)
    items = (
        sa.select(
            c.group, c.number, ours.label("our_count"), theirs.label("their_count"),
            sa.func.sum(c.minor * c.is_ours).label("ours"),
            sa.func.sum(c.minor * (1 - c.is_ours)).label("theirs"),
            sa.func.max(c.order_id).label("order_id"), sa.func.max(c.merchant_id).label("merchant_id"),
        )
        .group_by(c.group, c.number)
        .subquery("items")
    )  # fmt: skip
    i = items.c
    known = sa.select(i.group, sa.func.count()).where(i.our_count > 0, i.their_count > 0)
    shared_numbers = {
        Group(group): int(count)
        for group, count in bench.connection.execute(known.group_by(i.group))
    }
    off: list[Item] = []
    told: Counter[Group] = Counter()
    differing = sa.select(items).where(i.ours != i.theirs).order_by(i.group, i.number)
    for row in stream(bench, differing):
        group = Group(row["group"])
        told[group] += 1
        if told[group] <= ITEMS_MAX:
            off.append(
                Item(
                    group,
                    row["number"],
                    int(row["ours"]) if row["our_count"] else None,
                    int(row["theirs"]) if row["their_count"] else None,
                    row["order_id"],
                    row["merchant_id"],
                )
            )
    return Items(off, shared_numbers)


def _lines(prefixes: Sequence[str], groups: Sequence[Group]) -> sa.Select[*tuple[Any, ...]]:
    line = account_lines.c
    types = {group: [name for name, of in GROUP_OF_TYPE.items() if of is group] for group in groups}
    group = sa.case(*((line.business.in_(names), of.value) for of, names in types.items()))
    begins = (sa.func.substr(line.out_trade_no, 1, len(one)) == one for one in prefixes)
    return sa.select(
        group.label("group"),
        line.out_trade_no.label("number"),
        (line.income - sa.func.abs(line.outgo)).label("minor"),
        sa.literal_column("0", sa.Integer).label("is_ours"),
        sa.cast(sa.null(), sa.BigInteger).label("order_id"),
        sa.cast(sa.null(), sa.BigInteger).label("merchant_id"),
    ).where(
        group.is_not(None),
        line.out_trade_no != "",  # what has no number is told by the balance
        sa.not_(sa.or_(sa.false(), *begins)),
    )


def _shares(statement: Statement, book: Book) -> sa.Select[*tuple[Any, ...]]:
    found = _posted(statement, book, Group.SHARES, orders.c.out_trade_no)
    return found.select_from(ledger.moves.join(orders, orders.c.id == ledger.moves.c.order_id))


def _transfers(statement: Statement, book: Book) -> sa.Select[*tuple[Any, ...]]:
    return _posted(statement, book, Group.TRANSFERS, ledger.moves.c.key)


_POSTED: Final = {Group.SHARES: _shares, Group.TRANSFERS: _transfers}


def _posted(
    statement: Statement, book: Book, group: Group, number: sa.ColumnElement[str]
) -> sa.Select[*tuple[Any, ...]]:
    m = ledger.moves.c
    held = [account.value for account in HELD]
    kinds: list[EntryKind] = [kind for kind, of in GROUP_OF_KIND.items() if of is group]
    sign = sa.case((m.debit.in_(held), 1), else_=0) - sa.case((m.credit.in_(held), 1), else_=0)
    return sa.select(
        sa.literal_column(f"'{group.value}'", sa.Text).label("group"),
        number.label("number"),
        (m.amount_minor * sign).label("minor"),
        sa.literal_column("1", sa.Integer).label("is_ours"),
        m.order_id,
        m.merchant_id,
    ).where(
        m.book_id == book.id,
        m.booked_on == statement.first,
        m.kind.in_([kind.value for kind in kinds]),
    )
