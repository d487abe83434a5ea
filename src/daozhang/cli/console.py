"""The commands about people and the trail: console create-owner, recover-owner; audit verify, export."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

from daozhang.cli.speaking import asked, cli_actor, say, service_context
from daozhang.service.audit.actions import as_csv, as_jsonl, record, verify_chain
from daozhang.service.audit.rules import Anchor
from daozhang.service.audit.store import all_entries
from daozhang.service.jobs import Jobs
from daozhang.service.migrations import upgrade
from daozhang.service.people import actions
from daozhang.service.people.model import Person
from daozhang.service.web.context import Context

console_commands = typer.Typer(help="Who works with the console: owners. 控制台")
audit_commands = typer.Typer(help="Who did what: the trail. 审计记录")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]
Email = Annotated[str | None, typer.Option(help="What they sign in as; no mail is sent. 邮箱")]


@console_commands.command("create-owner")
def create_owner(
    email: Email = None,
    name: Annotated[str | None, typer.Option(help="What people call them. 姓名")] = None,
    password: Annotated[
        bool,
        typer.Option("--password/--address", help="Ask for one here, or print a one-time address."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Makes an owner, who may do everything; also the tables, if there are none. 创建所有者."""
    signs_in_as = asked(email, "--email", "Email 邮箱", as_json=as_json)
    called = asked(name, "--name", "Name 姓名", as_json=as_json)
    chosen = _ask_password(as_json=as_json) if password else None
    with service_context(as_json=as_json, migrated=False) as context:
        upgrade(context.database)
        Jobs(context.database).prepare()
        with context.database.begin() as tx:
            person, token = actions.create_owner(
                tx, context, cli_actor(), email=signs_in_as, name=called, password=chosen
            )
        if token is None:
            sentence = "Made. They can sign in now. 已创建, 现在可以登录."
            say(_fields(person, context, None), sentence, as_json=as_json)
        else:
            _say_address(person, context, token, as_json=as_json)


@console_commands.command("recover-owner")
def recover_owner(email: Email = None, as_json: AsJson = False) -> None:
    """For an owner who is locked out: ends password, second factors and sessions. 恢复所有者."""
    signs_in_as = asked(email, "--email", "Email 邮箱", as_json=as_json)
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            person, token = actions.recover_owner(tx, context, cli_actor(), email=signs_in_as)
        _say_address(person, context, token, as_json=as_json)


@audit_commands.command("verify")
def audit_verify(
    anchor: Annotated[
        str | None,
        typer.Option(help="NUMBER:HASH, noted down from an earlier run. 先前记下的 编号:哈希"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follows the trail from its first row to its last. 校验审计记录."""
    noted = None if anchor is None else _anchor(anchor)
    with service_context(as_json=as_json) as context:
        verdict = verify_chain(context.database, noted)
    content: dict[str, Any] = {
        "whole": verdict.broken is None,
        "rows": verdict.rows,
        "anchor": f"{verdict.rows}:{verdict.head}",
        "broken": None if verdict.broken is None else verdict.broken.value,
        "at": verdict.at,
    }
    sentence = (
        "The trail is whole. Note the anchor down where nobody who can change the database can "
        "change it. 审计记录完整, 请将 anchor 另行保存."
        if verdict.broken is None
        else f"The trail is broken at row {verdict.at}: {verdict.broken.value}. "
        f"Rows up to {verdict.rows} are as they were written. 审计记录在第 {verdict.at} 行被改动."
    )
    say(content, sentence, as_json=as_json)
    if verdict.broken is not None:
        raise typer.Exit(1)


@audit_commands.command("export")
def audit_export(
    form: Annotated[
        Literal["jsonl", "csv"], typer.Option("--format", help="One row a line, or a table. 格式")
    ] = "jsonl",
) -> None:
    """Writes the whole trail to stdout, and into the trail that it did. 导出审计记录."""
    with service_context(as_json=False) as context:
        with context.database.begin() as tx:
            record(tx, cli_actor(), "audit.exported", "audit", context.clock.now(), format=form)
        with context.database.read() as tx:
            entries = all_entries(tx)
            for line in as_csv(entries) if form == "csv" else as_jsonl(entries):
                sys.stdout.write(line)


def _ask_password(*, as_json: bool) -> str:
    if as_json or not sys.stdin.isatty():
        raise typer.BadParameter(
            "a password is asked for at a terminal only; without, a one-time address is printed "
            "密码只能在终端输入, 否则请使用一次性链接",
            param_hint="--password",
        )
    return str(typer.prompt("Password 密码", hide_input=True, confirmation_prompt=True))


def _say_address(person: Person, context: Context, token: str, *, as_json: bool) -> None:
    sentence = (
        "Open this address within an hour and choose a password; it works once. "
        "请在一小时内打开该链接设置密码, 仅可使用一次."
    )
    say(_fields(person, context, token), sentence, as_json=as_json)


def _fields(person: Person, context: Context, token: str | None) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "address": None if token is None else actions.invitation_address(context, token),
        "console": f"{context.settings.public_url}/console",
    }


def _anchor(text: str) -> Anchor:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise typer.BadParameter(
            "an anchor is NUMBER:HASH, as `audit verify` printed it 请填写先前输出的 anchor",
            param_hint="--anchor",
        )
    return Anchor(int(number), digest)
