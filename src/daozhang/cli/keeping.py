"""The commands that keep: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daozhang.cli.copying import backup_database, restore_database
from daozhang.cli.speaking import say, service_context
from daozhang.service.settings import Settings

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
            "notifications": made.rows.get("notifications", 0),
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
            "notifications": done.rows.get("notifications", 0),
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
            "again, have every order asked about that was open.\n"
            "备份之后的付款只在支付宝有记录: 恢复收款前请查询所有未完结订单."
        )
        say(content, "\n".join(lines), as_json=as_json)


def keys_place(settings: Settings) -> str:
    """Where the sealing keys of this deployment are; never what they are."""
    if settings.sealing_keys is not None:
        return "DAOZHANG_SEALING_KEYS"
    return str(settings.sealing_keys_file)
