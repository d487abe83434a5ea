"""The commands that keep: backup, restore, recover."""

from __future__ import annotations

import csv
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from daozhang.cli.speaking import note, read_text, say, service_context
from daozhang.service.agreements.calls import AgreementCalls
from daozhang.service.agreements.workflow import AgreementWork
from daozhang.service.copying import backup_database, restore_database
from daozhang.service.holds.calls import HoldCalls
from daozhang.service.holds.workflow import HoldWork
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.merchants.clients import Clients
from daozhang.service.recovery import ForgottenRefund, Progress, Recovered, Recovery
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.settings import Settings
from daozhang.service.transfers.calls import TransferCalls
from daozhang.service.transfers.workflow import TransferWork

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]


def backup(
    file: Annotated[Path, typer.Argument(help="The copy's name; not there yet. 备份文件")],
    as_json: AsJson = False,
) -> None:
    """Copies the database while the service runs, and proves the copy. 备份数据库."""
    with service_context(as_json=as_json, migrated=False) as context:
        made = backup_database(context.database, file)
        content = {
            "backup": str(made.path),
            "bytes": made.bytes_count,
            "revision": made.revision,
            "orders": made.rows.get("orders", 0),
            "notifications": made.rows.get("inbox_notifications", 0),
            "sealing_keys": keys_place(context.settings),
        }
        sentence = (
            "Backed up and proved. Keep the sealing keys apart from it, and keep them: without "
            "them the books remain, but secrets and raw notifications cannot be read.\n"
            "已备份并校验. 封存密钥不在其中, 请另行保管: 丢失后账目仍在, 但密钥与通知原文无法读取."
        )
        say(content, sentence, as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="What daozhang backup made. 备份文件")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Keep the present one aside. 保留并替换现有数据库")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Puts a backup in place of the database, while the service is stopped. 恢复数据库."""
    with service_context(as_json=as_json, migrated=False) as context:
        done = restore_database(
            context.database, context.sealer, file, replace=replace, now=context.clock.now()
        )
        content = {
            "database": str(done.path),
            "revision": done.revision,
            "migrated": done.is_current,
            "orders": done.rows.get("orders", 0),
            "notifications": done.rows.get("inbox_notifications", 0),
            "set_aside": None if done.set_aside is None else str(done.set_aside),
            "sealing_key_opens": not done.unopened,
            "unopened": list(done.unopened),
        }
        lines = ["Restored. 已恢复."]
        if done.unopened:
            place = keys_place(context.settings)
            lines.append(
                f"The sealing keys here ({place}) do not open what is in the backup: put the "
                "old ones back before you start the service.\n"
                f"当前封存密钥({place})无法打开备份内容, 启动服务前请放回原来的密钥."
            )
        if not done.is_current:
            lines.append("Next, run: daozhang migrate 下一步请运行: daozhang migrate")
        lines.append(
            "What was paid since the backup is at Alipay and not in it: before you take payments "
            "again, run: daozhang recover --since TIME-OF-THE-BACKUP\n"
            "备份之后的付款只在支付宝有记录: 恢复收款前请运行 daozhang recover --since 备份时间"
        )
        say(content, "\n".join(lines), as_json=as_json)


def recover(
    since: Annotated[
        str,
        typer.Option(help="A moment before the backup: 2026-03-02T09:00:00+08:00. 备份前的时刻"),
    ],
    refunds: Annotated[
        Path | None,
        typer.Option(help="CSV with out_trade_no,out_request_no of refunds. 备份后的退款清单"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Asks Alipay what happened since a backup, and books it. 恢复备份后向支付宝补查."""
    moment = _moment(since)
    forgotten = _forgotten(refunds)
    with service_context(as_json=as_json) as context:
        clients = Clients(context)
        note(context, "recover.begun", "database", f"since {moment.isoformat()}")
        recovery = Recovery(
            Inquirer(context, clients),
            Attempts(context, clients),
            HoldWork(HoldCalls(context, clients)),
            AgreementWork(AgreementCalls(context, clients)),
            TransferWork(TransferCalls(context, clients)),
        )
        try:
            with _progress(shown=not as_json and sys.stderr.isatty()) as progress:
                recovered = recovery.run(moment, forgotten, progress)
        finally:
            clients.close()
    _say_recovered(recovered, as_json=as_json)
    if not recovered.is_complete:
        raise typer.Exit(1)


def _say_recovered(recovered: Recovered, *, as_json: bool) -> None:
    surprises = [
        {"out_trade_no": one.out_trade_no, "reason": one.reason, "detail": one.detail}
        for one in recovered.surprises
    ]
    content: dict[str, Any] = {
        "orders_asked": recovered.orders_asked,
        "refunds_asked": recovered.refunds_asked,
        "consents_asked": recovered.consents_asked,
        "moved": [asdict(one) for one in recovered.moved],
        "changes": [asdict(change) for change in recovered.changes],
        "surprises": surprises,
        "unanswered": recovered.unanswered,
        "not_found": recovered.not_found,
    }
    if as_json:
        say(content, "", as_json=True)
        return
    lines = [
        f"{one.out_trade_no}: {one.status_before} -> {one.status_after}, "
        f"refunded {one.refunded_before} -> {one.refunded_after}"
        for one in recovered.changes
    ]
    lines += [f"{one.kind} {one.number}: {one.before} -> {one.after}" for one in recovered.moved]
    lines += [f"{one['out_trade_no']}: surprise 意外: {one['reason']}" for one in surprises]
    lines += [f"no answer 未得到应答: {what}" for what in recovered.unanswered]
    lines += [f"not at Alipay 支付宝无此记录: {what}" for what in recovered.not_found]
    lines.append(
        "Every question was answered, and the books agree with the answers. 全部查询完成."
        if recovered.is_complete
        else "Not all is clear: see above. Run it again for what was not answered; people have to "
        "look at the rest. 仍有未明项目: 未应答的请重新运行, 其余需人工核对."
    )
    counted = {**content, **{name: len(content[name]) for name in list(content)[3:]}}
    say(counted, "\n".join(lines), as_json=False)


@contextmanager
def _progress(*, shown: bool) -> Generator[Progress]:
    if not shown:
        yield lambda _done, _of: None
        return
    columns = (
        TextColumn("asking Alipay 正在查询支付宝"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            "write a moment with its time zone, such as 2026-03-02T09:00:00+08:00 "
            "请写带时区的时间, 如 2026-03-02T09:00:00+08:00",
            param_hint="--since",
        )
    return moment


def _forgotten(path: Path | None) -> list[ForgottenRefund]:
    text = read_text(path)
    if text is None:
        return []
    rows = list(csv.DictReader(text.splitlines()))
    try:
        found = [ForgottenRefund(row["out_trade_no"], row["out_request_no"]) for row in rows]
    except KeyError:
        found = []
    if not found or not all(one.out_trade_no and one.out_request_no for one in found):
        raise typer.BadParameter(
            f"{path} has no line, or not the columns out_trade_no,out_request_no in each "
            f"{path} 每行须有 out_trade_no,out_request_no 两列",
            param_hint="--refunds",
        )
    return found


def keys_place(settings: Settings) -> str:
    """Where the sealing keys of this deployment are; never what they are."""
    if settings.sealing_keys is not None:
        return "DAOZHANG_SEALING_KEYS"
    return str(settings.sealing_keys_file)
