"""The bank in the hands of people: what somebody at a desk may give, and say of what was given."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from daozhang.service.banking.actions import Imported, import_statement, match
from daozhang.service.banking.model import Columns, Match
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def give_statement_as(
    context: Context, person: Person, merchant_id: int, content: bytes, columns: Columns
) -> Imported:
    """Keeps what a bank statement has of Alipay's payments. Raises `StatementUnreadable`."""
    require(person, Right.LEDGER_BOOK, merchant_id)
    return import_statement(context, person.actor, merchant_id, content, columns)


def match_as(
    context: Context,
    person: Person,
    merchant_id: int,
    days: Collection[date],
    line_ids: Collection[str],
) -> Match:
    """Says that the withdrawals of these days are these lines of the bank; somebody else has to agree.
    Raises what `daozhang.service.banking.actions.match` raises."""
    require(person, Right.LEDGER_BOOK, merchant_id)
    return match(context, person.actor, merchant_id, days, line_ids)
