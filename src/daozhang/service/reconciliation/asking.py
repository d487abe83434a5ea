"""What people ask of the matching: a day once more, and rules that set lines of other systems aside."""

from __future__ import annotations

from datetime import date

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.bills import store as bills
from daozhang.service.bills.fetching import Bills
from daozhang.service.bills.importing import BillAccount
from daozhang.service.bills.model import StatementKind, StatementStatus
from daozhang.service.db import Tx
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.model import ForeignRule, Run
from daozhang.service.reconciliation.refusals import NothingToMatch, RuleNotFound
from daozhang.service.web.context import Context


def run_again(
    context: Context, actor: Actor, fetcher: Bills, account: BillAccount, day: date
) -> None:
    """Has the bills of a day read and matched again, by a job. Raises `NothingToMatch`."""
    period = day.isoformat()
    with context.database.begin() as tx:
        readable = [
            one
            for one in bills.list_statements(
                tx, account.environment, account.seller_id, period, period
            )
            if one.file_id is not None or one.status is StatementStatus.NONE
        ]
        if not readable:
            raise NothingToMatch(period)
        subject = f"reconciliation:{period}"
        now = context.clock.now()
        record(tx, actor, "reconciliation.run_asked", subject, now, seller_id=account.seller_id)
    for one in readable:
        fetcher.read_soon(one.id)


def last_run_of(context: Context, account: BillAccount, day: date) -> Run | None:
    """The latest matching of a day's payments and refunds."""
    with context.database.read() as tx:
        statement = bills.find_statement(
            tx, account.environment, account.seller_id, StatementKind.TRADE.value, day.isoformat()
        )
        return None if statement is None else store.last_run(tx, statement.id)


def add_rule(
    context: Context, actor: Actor, account: BillAccount, prefix: str, note: str | None
) -> ForeignRule:
    """Sets lines whose number begins so aside, from the next run on; the same rule twice is one."""
    now = context.clock.now()
    with context.database.begin() as tx:
        is_new = store.insert_rule(
            tx,
            {
                "environment": account.environment,
                "seller_id": account.seller_id,
                "prefix": prefix,
                "note": note,
                "made_by": str(actor),
                "made_at": now,
            },
        )
        if is_new:
            _record(context, tx, actor, "reconciliation.rule_added", account, prefix)
        rules = store.list_rules(tx, account.environment, account.seller_id)
    return next(one for one in rules if one.prefix == prefix)


def remove_rule(context: Context, actor: Actor, account: BillAccount, rule_id: int) -> None:
    """Takes a rule of the account away; the next run shows its lines again. Raises `RuleNotFound`."""
    with context.database.begin() as tx:
        rules = store.list_rules(tx, account.environment, account.seller_id)
        rule = next((one for one in rules if one.id == rule_id), None)
        if rule is None:
            raise RuleNotFound(rule_id)
        store.delete_rule(tx, rule_id)
        _record(context, tx, actor, "reconciliation.rule_removed", account, rule.prefix)


def _record(
    context: Context, tx: Tx, actor: Actor, action: str, account: BillAccount, prefix: str
) -> None:
    now = context.clock.now()
    record(tx, actor, action, f"reconciliation:{account.seller_id}", now, prefix=prefix)
