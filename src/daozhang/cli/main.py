"""`daozhang`, the command: finds the part that was asked for and imports nothing else.

The library alone (`pip install daozhang`) brings neither typer nor a web framework. So this module
needs the standard library only, answers `--version` by itself, and turns "this part is not
installed" into one sentence that says what to install.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import typer


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `daozhang`: where it lives, and which extra it needs."""

    module: str
    attribute: str
    """Names a `typer.Typer` (a group of commands) or a function (a command)."""
    extra: str
    help: str


EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "service": ("typer", "rich", "fastapi", "sqlalchemy", "dbos"),
    "emulator": ("typer", "rich", "starlette", "jinja2", "uvicorn"),
}
"""What shows whether an extra is installed: its chief packages, looked for but not imported."""

COMMANDS: Final[dict[str, Command]] = {
    "demo": Command(
        "daozhang.cli.demo",
        "demo",
        "service,emulator",
        "See a payment arrive: emulator, service and a small shop on this machine.",
    ),
    "serve": Command("daozhang.cli.serving", "serve", "service", "Run the service."),
    "worker": Command(
        "daozhang.cli.serving",
        "worker",
        "service",
        "Work off jobs and what is due, without the web.",
    ),
    "migrate": Command(
        "daozhang.cli.serving", "migrate", "service", "Bring the database to this version."
    ),
    "app": Command(
        "daozhang.cli.service", "app_commands", "service", "Alipay apps: add, list, check."
    ),
    "transfers": Command(
        "daozhang.cli.transfers",
        "transfer_commands",
        "service",
        "Transfers: what may be sent, send, show, and sheets of them.",
    ),
    "merchant": Command(
        "daozhang.cli.service",
        "merchant_commands",
        "service",
        "Merchants, for whom money is collected: add, list, check.",
    ),
    "apikey": Command(
        "daozhang.cli.service",
        "apikey_commands",
        "service",
        "Keys for the HTTP API: create, list, revoke.",
    ),
    "console": Command(
        "daozhang.cli.console",
        "console_commands",
        "service",
        "Who works with the console: create-owner, recover-owner.",
    ),
    "audit": Command(
        "daozhang.cli.console", "audit_commands", "service", "Who did what: verify, export."
    ),
    "keys": Command(
        "daozhang.cli.service", "keys_commands", "service", "The keys that seal secrets: reseal."
    ),
    "backup": Command(
        "daozhang.cli.keeping", "backup", "service", "Copy the database while the service runs."
    ),
    "restore": Command(
        "daozhang.cli.keeping", "restore", "service", "Put a backup in place of the database."
    ),
    "recover": Command(
        "daozhang.cli.keeping", "recover", "service", "Ask Alipay what happened since a backup."
    ),
    "bills": Command(
        "daozhang.cli.bills",
        "bills_commands",
        "service",
        "Alipay's bills against the books: fetch, import, show.",
    ),
    "books": Command(
        "daozhang.cli.books",
        "books_commands",
        "service",
        "Closed books as vouchers for 用友 and 金蝶, and reports: export, template, report.",
    ),
    "ledger": Command(
        "daozhang.cli.ledger",
        "ledger_commands",
        "service",
        "The books: payouts, set.",
    ),
    "jobs": Command(
        "daozhang.cli.jobs",
        "jobs_commands",
        "service",
        "Durable jobs: list, show, retry, cancel.",
    ),
    "doctor": Command(
        "daozhang.cli.doctor", "doctor", "service", "What is not well here, and what to do."
    ),
    "alerts": Command(
        "daozhang.cli.alerting",
        "alerts_commands",
        "service",
        "What is wrong now, and whether alerts arrive: list, test.",
    ),
    "emulator": Command(
        "daozhang.cli.emulator",
        "emulator_commands",
        "emulator",
        "An Alipay on your desk: serve, credentials.",
    ),
}
"""Every command, in the order of `daozhang --help`, which imports none of them."""


class PartMissing(Exception):
    """A command was asked for whose packages are not installed; the text says what to do."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `daozhang` with `arguments` (default: the process's own) and exits the process.

    Status 0 is success, 1 a command that could not do its work, 2 a command line that says nothing
    known.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--version"]:
        print(f"daozhang {importlib.metadata.version('daozhang')}")  # noqa: T201
        return
    if not sys.stdout.isatty():
        # typer colours its help in some CI systems even where the output is a file.
        os.environ.setdefault("_TYPER_FORCE_DISABLE_TERMINAL", "1")
    try:
        application = build(given[0] if given else None)
    except PartMissing as missing:
        sys.exit(f"daozhang: {missing}")
    application(args=given, prog_name="daozhang")


def build(chosen: str | None) -> typer.Typer:
    """The whole command line with the command `chosen` imported, and the others named only.

    Raises `PartMissing` if `chosen`, or the command line itself, is not installed.
    """
    command = COMMANDS.get(chosen or "")
    if command is not None:
        _require(f"daozhang {chosen}", command.extra, _packages_of(command.extra))
    else:
        _require("daozhang", ",".join(EXTRAS), ["typer"])
    import typer

    application = typer.Typer(
        name="daozhang",
        help="到账: take Alipay payments and never lose one.",
        epilog="`daozhang --version` says which version this is.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    application.callback()(_root)
    for name, entry in COMMANDS.items():
        if entry is command:
            part: Any = getattr(importlib.import_module(entry.module), entry.attribute)
        else:
            part = _named_only
        if isinstance(part, typer.Typer):
            application.add_typer(part, name=name, help=entry.help)
        else:
            application.command(name, help=entry.help)(part)
    return application


def _require(asked: str, extra: str, packages: Sequence[str]) -> None:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise PartMissing(
            f"`{asked}` needs {' and '.join(missing)}, which the library alone does without:"
            f" pip install 'daozhang[{extra}]'"
        )


def _packages_of(extra: str) -> list[str]:
    named = [package for name in extra.split(",") for package in EXTRAS[name]]
    return list(dict.fromkeys(named))


def _root() -> None:
    """Makes a group of the application, even one of a single command."""


def _named_only() -> None:
    raise AssertionError("typer runs the command that is named first, and that one is mounted")
