"""The commands about bills: fetch them now, give one by hand, and see what differs from the books."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from daozhang.cli.speaking import cli_actor, say, say_rows, service_context
from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.bills import store
from daozhang.service.bills.fetching import Bills
from daozhang.service.bills.importing import BillAccount, account_of, ask_now, import_file
from daozhang.service.bills.model import Statement, StatementKind, StatementStatus
from daozhang.service.bills.refusals import BillHere
from daozhang.service.db import Tx
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.actions import get_merchant
from daozhang.service.merchants.clients import Clients
from daozhang.service.reconciliation import store as differences
from daozhang.service.reconciliation.actions import Reconciler
from daozhang.service.reconciliation.telling import CLASSES, tell
from daozhang.service.web.context import Context

bills_commands = typer.Typer(help="Alipay's bills against the books. 账单与对账")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]
OfMerchant = Annotated[
    str | None, typer.Option("--merchant", help="One merchant's account only. 只看某商户的账号")
]
Day = Annotated[str | None, typer.Argument(help="Such as 2026-03-01, Beijing's. 日期")]

ROWS_MAX: Final = 1000
KINDS: Final = {StatementKind.TRADE: "trade 业务账单", StatementKind.ACCOUNT: "account 账务账单"}
STATES: Final = {
    StatementStatus.WAITING: "waiting 等待下载",
    StatementStatus.KEPT: "kept, not read 已保存未读取",
    StatementStatus.READY: "ready 已对账",
    StatementStatus.HELD: "held, look at it 需人工核对",
    StatementStatus.NONE: "nothing happened 当日无账",
    StatementStatus.ABSENT: "absent 支付宝无账单",
}


@bills_commands.command("fetch")
def bills_fetch(day: Day = None, merchant: OfMerchant = None, as_json: AsJson = False) -> None:
    """Asks Alipay for the bills of a day (else yesterday's), and matches them. 下载账单并对账."""
    with service_context(as_json=as_json) as context:
        asked = _day(day) or business_day(context.clock.now()) - timedelta(days=1)
        reconciler = Reconciler(context)
        clients = Clients(context)
        bills = Bills(context, clients, Jobs(context.database), read_at_once=reconciler.run)
        found: list[dict[str, Any]] = []
        try:
            for account in _accounts(context, merchant):
                for kind in StatementKind:
                    with _bar(f"{KINDS[kind]} {asked}", as_json=as_json):
                        _fetch(context, bills, account, kind, asked)
                    statement = _statement(context, account, kind, asked.isoformat())
                    if statement is not None:
                        found.append(_bill_row(context, statement))
        finally:
            clients.close()
        columns = {
            "seller_id": "account 账号",
            "kind": "bill 账单",
            "state": "state 状态",
            "lines": "lines 笔数",
            "differs": "differs 差异",
            "why": "why 原因",
        }
        say_rows(found, columns, "No merchants yet. 还没有商户.", as_json=as_json)


@bills_commands.command("import")
def bills_import(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="As Alipay gave it. 账单文件")
    ],
    merchant: OfMerchant = None,
    as_json: AsJson = False,
) -> None:
    """Keeps a file, says whose bill it is and of which day, and matches it. 导入账单并对账."""
    with service_context(as_json=as_json) as context:
        with _bar(f"{file.name}", as_json=as_json):
            accounts = _accounts(context, merchant)
            kept, _ = import_file(context, None, cli_actor(), accounts, file, file.name)
            Reconciler(context).run(kept.id)
        account = BillAccount(kept.environment, kept.seller_id)
        statement = _statement(context, account, kept.kind, kept.period)
        assert statement is not None
        row = _bill_row(context, statement)
        sentence = (
            f"The {kept.kind} bill of {kept.seller_id} for {kept.period}: {row['state']}.\n"
            f"账号 {kept.seller_id} {kept.period} 的{KINDS[kept.kind].split()[1]}."
        )
        say(row, sentence, as_json=as_json)
        if statement.status is StatementStatus.HELD:
            raise typer.Exit(1)


@bills_commands.command("show")
def bills_show(
    day: Day = None,
    merchant: OfMerchant = None,
    days: Annotated[int, typer.Option(min=1, max=100, help="How many days. 天数")] = 14,
    last: Annotated[str | None, typer.Option(help="The last of them; else today. 截至日期")] = None,
    as_json: AsJson = False,
) -> None:
    """The last days with what differs; of one DAY each difference in words. 对账结果与差异."""
    with service_context(as_json=as_json) as context:
        accounts = _accounts(context, merchant)
        asked = _day(day)
        if asked is None:
            until = _day(last) or business_day(context.clock.now())
            since = until - timedelta(days=days - 1)
            rows = [row for one in accounts for row in _days(context, one, since, until)]
            columns = {
                "day": "day 日期",
                "seller_id": "account 账号",
                "trade": KINDS[StatementKind.TRADE],
                "signcustomer": KINDS[StatementKind.ACCOUNT],
                "lines": "lines 笔数",
                "matched": "agree 一致",
                "differs": "differ 差异",
                "by_class": "in what 类别",
            }
            say_rows(
                rows,
                columns,
                "No bills of these days: daozhang bills fetch 这些日期没有账单.",
                as_json=as_json,
            )
            return
        rows = [row for one in accounts for row in _differences(context, one, asked)]
        columns = {"class": "class 类别", "say": "what", "say_zh": "情况"}
        say_rows(rows, columns, _nothing(context, accounts, asked), as_json=as_json)


def _fetch(
    context: Context, bills: Bills, account: BillAccount, kind: StatementKind, day: date
) -> None:
    try:
        statement = ask_now(context, cli_actor(), account, kind, day.isoformat())
    except BillHere:
        here = _statement(context, account, kind, day.isoformat())
        if here is not None and here.status is StatementStatus.KEPT:
            bills.read_soon(here.id)  # whoever kept it has not come to reading it
    else:
        bills.run(statement.id)


def _accounts(context: Context, slug: str | None) -> list[BillAccount]:
    with context.database.read() as tx:
        if slug is not None:
            return [account_of(tx, get_merchant(tx, slug).id)]
        return [BillAccount(*one) for one in store.list_sellers(tx)]


def _statement(
    context: Context, account: BillAccount, kind: StatementKind, period: str
) -> Statement | None:
    with context.database.read() as tx:
        return store.find_statement(tx, account.environment, account.seller_id, kind, period)


def _bill_row(context: Context, statement: Statement) -> dict[str, Any]:
    """What is known of one bill."""
    with context.database.read() as tx:
        file = None if statement.file_id is None else store.find_file(tx, statement.file_id)
        run = differences.last_run(tx, statement.id)
    said = [] if file is None else [*file.differences, *([file.problem] if file.problem else [])]
    return {
        "environment": statement.environment,
        "seller_id": statement.seller_id,
        "kind": statement.kind.value,
        "period": statement.period,
        "status": statement.status.value,
        "state": STATES[statement.status],
        "file": None if file is None else file.name,
        "sha256": None if file is None else file.sha256,
        "lines": None if file is None else file.line_count,
        "matched": None if run is None else run.matched_count,
        "differs": None if run is None else sum(one["count"] for one in run.counts.values()),
        "why": "; ".join(f"{one['say']} {one['say_zh']}" for one in said) or statement.last_message,
    }


def _days(context: Context, account: BillAccount, first: date, last: date) -> list[dict[str, Any]]:
    """The account's days, newest first, each with its bills and what is open of it."""
    with context.database.read() as tx:
        found = store.list_statements(
            tx, account.environment, account.seller_id, first.isoformat(), last.isoformat()
        )
        counts = differences.open_counts(tx, account.environment, account.seller_id, first, last)
        days: dict[str, dict[str, Any]] = {}
        for one in found:
            if one.is_month:
                continue
            row = days.setdefault(one.period, _empty_row(account, one.period))
            row[one.kind.value] = STATES[one.status]
            if one.kind is StatementKind.TRADE:
                row |= _run_fields(tx, one)
    for period, row in days.items():
        of_day = counts.get(date.fromisoformat(period), {})
        row["differs"] = sum(count for count, _ in of_day.values())
        row["by_class"] = [
            f"{CLASSES[mismatch]} {count} ({Money(minor)})"
            for mismatch, (count, minor) in of_day.items()
        ]
    return list(days.values())


def _empty_row(account: BillAccount, period: str) -> dict[str, Any]:
    return {
        "day": period,
        "environment": account.environment,
        "seller_id": account.seller_id,
        "trade": None,
        "signcustomer": None,
        "lines": None,
        "matched": None,
    }


def _run_fields(tx: Tx, statement: Statement) -> dict[str, Any]:
    run = differences.last_run(tx, statement.id)
    return {} if run is None else {"lines": run.line_count, "matched": run.matched_count}


def _differences(context: Context, account: BillAccount, day: date) -> list[dict[str, Any]]:
    with context.database.read() as tx:
        found = differences.list_mismatches(
            tx, account.environment, account.seller_id, day=day, is_open=True, rows_max=ROWS_MAX
        )
    rows: list[dict[str, Any]] = []
    for one in reversed(found):
        en, zh = tell(one)
        rows.append(
            {
                "id": one.public_id,
                "class": CLASSES[one.mismatch],
                "mismatch": one.mismatch.value,
                "out_trade_no": one.out_trade_no,
                "say": en,
                "say_zh": zh,
            }
        )
    return rows


def _nothing(context: Context, accounts: list[BillAccount], day: date) -> str:
    """Why there is nothing to show of a day: all agrees, or no bill of it was matched."""
    for account in accounts:
        trade = _statement(context, account, StatementKind.TRADE, day.isoformat())
        if trade is None or trade.status not in (StatementStatus.READY, StatementStatus.NONE):
            state = "no bill 无账单" if trade is None else STATES[trade.status]
            return f"{day} of {account.seller_id} is not matched: {state}. 尚未对账."
    return f"Everything of {day} agrees. 全部一致."


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "write a day such as 2026-03-01 请写日期, 如 2026-03-01", param_hint="DAY"
        ) from None


@contextmanager
def _bar(about: str, *, as_json: bool) -> Generator[None]:
    """Shows a person that a file is being kept and read."""
    if as_json or not sys.stderr.isatty():
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(f"keeping, reading, matching 保存并对账 {about}", total=None)
        yield
