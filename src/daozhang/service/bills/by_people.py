"""Bills in the hands of people: what somebody at a desk may do with the files of an account."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from daozhang.service.bills import rules, store
from daozhang.service.bills.importing import account_of, ask_now, import_file
from daozhang.service.bills.keeping import choose_file
from daozhang.service.bills.model import Statement, StatementFile, StatementKind
from daozhang.service.bills.refusals import StatementNotFound
from daozhang.service.jobs import Jobs
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def read_bill(
    context: Context, person: Person, merchant_id: int, kind: StatementKind, period: str
) -> tuple[Statement, list[StatementFile]]:
    """The bill of a merchant's account, with all its files, newest first. Raises `StatementNotFound`."""
    require(person, Right.LEDGER_READ, merchant_id)
    with context.database.read() as tx:
        account = account_of(tx, merchant_id)
        found = store.find_statement(tx, account.environment, account.seller_id, kind.value, period)
        if found is None:
            raise StatementNotFound(period)
        return found, store.list_files(tx, found.id)


def list_bills_of_month(
    context: Context, person: Person, merchant_id: int, first: date
) -> list[Statement]:
    """The bills of the whole month that begins ``first``, not those of its days."""
    require(person, Right.LEDGER_READ, merchant_id)
    period = f"{first:%Y-%m}"
    with context.database.read() as tx:
        account = account_of(tx, merchant_id)
        return store.list_statements(tx, account.environment, account.seller_id, period, period)


def read_bill_file(
    context: Context, person: Person, merchant_id: int, file_id: str
) -> StatementFile:
    """A file of the merchant's account. Raises `StatementNotFound`."""
    require(person, Right.LEDGER_READ, merchant_id)
    with context.database.read() as tx:
        account = account_of(tx, merchant_id)
        file = store.find_file_of_account(tx, account.environment, account.seller_id, file_id)
    if file is None:
        raise StatementNotFound(file_id)
    return file


def give_file_as(
    context: Context, jobs: Jobs, person: Person, merchant_id: int, path: Path, name: str
) -> Statement:
    """Keeps a file that a person gives, and has it read. Raises what `import_file` raises."""
    require(person, Right.LEDGER_BOOK, merchant_id)
    with context.database.read() as tx:
        account = account_of(tx, merchant_id)
    statement, _ = import_file(context, jobs, person.actor, [account], path, name)
    return statement


def choose_file_as(
    context: Context,
    jobs: Jobs,
    person: Person,
    merchant_id: int,
    kind: StatementKind,
    period: str,
    file_id: str,
) -> Statement:
    """Lets another of a bill's files stand, and has it read. Raises `StatementNotFound`."""
    require(person, Right.LEDGER_BOOK, merchant_id)
    statement, _ = read_bill(context, person, merchant_id, kind, period)
    return choose_file(context, jobs, person.actor, statement.id, file_id)


def fetch_bill_as(
    context: Context,
    jobs: Jobs,
    person: Person,
    merchant_id: int,
    kind: StatementKind,
    period: str,
) -> Statement:
    """Asks Alipay for a bill now, in the background. Raises `StatementNotFound` and what `ask_now` does."""
    require(person, Right.LEDGER_BOOK, merchant_id)
    if not rules.is_period(period):
        raise StatementNotFound(period)
    with context.database.read() as tx:
        account = account_of(tx, merchant_id)
    return ask_now(context, person.actor, account, kind, period, jobs)
