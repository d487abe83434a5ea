"""How the commands of the service speak: tables for people, JSON for programs, one-line errors."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from daozhang.alipay.errors import ConfigurationError
from daozhang.app import create_context
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor, ActorKind
from daozhang.service.logs import configure_logs
from daozhang.service.migrations import require_fit
from daozhang.service.refusals import Refusal
from daozhang.service.seal import SealBroken, SealingKeysInvalid
from daozhang.service.settings import SettingsInvalid, load_settings
from daozhang.service.web.context import Context


@contextmanager
def one_sentence_errors(*, as_json: bool) -> Generator[None]:
    """Turns what an operator can mend into one sentence on stderr and exit code 1."""
    try:
        yield
    except Refusal as refusal:
        _fail(refusal.code, refusal.detail, refusal.detail_zh, as_json=as_json)
    except SettingsInvalid as error:
        _fail("settings_invalid", str(error), "", as_json=as_json)
    except SealingKeysInvalid as error:
        _fail("sealing_keys_invalid", str(error), "", as_json=as_json)
    except SealBroken as error:
        _fail("seal_broken", str(error), "", as_json=as_json)
    except ConfigurationError as error:
        _fail("key_or_certificate", str(error), "", as_json=as_json)


@contextmanager
def service_context(*, as_json: bool, migrated: bool = True) -> Generator[Context]:
    """The context of this command, its database closed at the end; errors in one sentence.

    With ``migrated``, refuses to work on tables that do not fit this version.
    """
    with one_sentence_errors(as_json=as_json):
        settings = load_settings()
        configure_logs(settings.log_format, "warning")
        context = create_context(settings)
        try:
            if migrated:
                require_fit(context.database)
            yield context
        finally:
            context.database.dispose()


def cli_actor() -> Actor:
    """The user of this machine, as the audit trail names them."""
    user = getpass.getuser()
    return Actor(ActorKind.CLI, user[:64], user)


def note(context: Context, action: str, subject: str, about: str | None = None) -> None:
    """Writes into the audit trail what this command has done, where the deed has no row of its own."""
    with context.database.begin() as tx:
        record(tx, cli_actor(), action, subject, context.clock.now(), about=about)


def say(content: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """One thing: as a JSON object, or as a sentence with the fields below it."""
    if as_json:
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    console = Console()
    console.print(sentence, markup=False, highlight=False)
    table = Table(show_header=False, box=None, padding=(0, 2))
    for name, value in content.items():
        table.add_row(name, _text(value))
    console.print(table)


def say_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], empty: str, *, as_json: bool
) -> None:
    """Several things: as a JSON array, or as a table of ``columns`` (field: heading)."""
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False))
        return
    if not rows:
        typer.echo(empty)
        return
    table = Table(*columns.values())
    for row in rows:
        table.add_row(*(_text(row[field]) for field in columns))
    Console().print(table)


def asked(value: str | None, flag: str, question: str, *, as_json: bool) -> str:
    """``value``, or what a person at the terminal answers; a program is told which flag to give."""
    if value is not None:
        return value
    if as_json or not sys.stdin.isatty():
        raise typer.BadParameter(f"give {flag} 请提供 {flag}", param_hint=flag)
    return str(typer.prompt(question))


def read_text(path: Path | None) -> str | None:
    """The text of a file of keys or certificates, None without a path."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(
            f"{path} cannot be read as text: {error.__class__.__name__}"
        ) from None


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)


def _fail(code: str, detail: str, detail_zh: str, *, as_json: bool) -> None:
    if as_json:
        error = {"code": code, "detail": detail, "detail_zh": detail_zh}
        typer.echo(json.dumps({"error": error}, ensure_ascii=False), err=True)
    else:
        typer.echo(detail, err=True)
        if detail_zh:
            typer.echo(detail_zh, err=True)
    raise typer.Exit(1)
