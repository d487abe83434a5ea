"""`daozhang emulator`: runs an Alipay on this machine, and says how to reach it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from daozhang.clock import ManualClock, SystemClock
from daozhang.emulator.app import create_emulator
from daozhang.emulator.identity import (
    DEFAULT_APP,
    DEFAULT_HOST,
    DEFAULT_PORT,
    Identities,
    IdentityProblem,
    base_url_of,
)

emulator_commands = typer.Typer(
    name="emulator", help="An Alipay on your desk: serve, credentials.", no_args_is_help=True
)

DEFAULT_DATA = Path(".daozhang/emulator")
_SECRETS = ("app_private_key_pkcs1", "app_private_key_pkcs8", "encrypt_key")
_SHOWN_CHARACTERS = 6
_LONG = 60

DataOption = Annotated[
    Path, typer.Option("--data", help="Where keys and apps are kept; made if it is new.")
]


@emulator_commands.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = DEFAULT_PORT,
    data: DataOption = DEFAULT_DATA,
    clock: Annotated[
        str, typer.Option(help="system, or manual: time moves by POST /_control/clock only.")
    ] = "system",
    control_token: Annotated[
        str | None,
        typer.Option(
            envvar="DAOZHANG_EMULATOR_CONTROL_TOKEN",
            help="Lets other machines use /_control/ with Authorization: Bearer TOKEN.",
        ),
    ] = None,
) -> None:
    """Runs the emulator: gateway, cashier, notifications and control plane on one port."""
    if clock not in ("system", "manual"):
        raise typer.BadParameter("write system or manual.", param_hint="--clock")
    present = ManualClock() if clock == "manual" else SystemClock()
    try:
        emulator = create_emulator(
            data, clock=present, host=host, port=port, control_token=control_token
        )
        emulator.credentials()
    except (IdentityProblem, OSError) as problem:
        raise _failure(problem) from problem
    base_url = base_url_of(host, port)
    Console(stderr=True, highlight=False).print(
        f"支付宝仿真 Alipay emulator: {base_url}/\n"
        f"  V2 {base_url}/gateway.do   V3 {base_url}/v3/\n"
        f"  keys: daozhang emulator credentials --data {data}"
    )
    uvicorn.run(
        emulator.asgi, host=host, port=port, log_level="warning", ws="none", server_header=False
    )


@emulator_commands.command()
def credentials(
    data: DataOption = DEFAULT_DATA,
    app: Annotated[str, typer.Option(help="Name of the app; made if it is new.")] = DEFAULT_APP,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything, for a program to read.")
    ] = False,
) -> None:
    """Prints addresses, app id, keys and certificates of an app of this emulator."""
    try:
        found = Identities(data, SystemClock()).credentials(app)
    except (IdentityProblem, OSError) as problem:
        raise _failure(problem) from problem
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    table = Table(title=f"支付宝仿真 Alipay emulator · {app}", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in found.items():
        table.add_row(name, _shortened(name, value))
    Console(highlight=False).print(table)
    typer.echo(
        "密钥已缩短，完整内容请加 --json。Secrets are shortened; --json prints them in full."
    )


def _shortened(name: str, value: str) -> str:
    if name in _SECRETS:
        return f"{value[:_SHOWN_CHARACTERS]}… ({len(value)})"
    is_key = name.endswith("_key") and len(value) > _LONG
    return f"{value[:_LONG]}… ({len(value)})" if is_key else value


def _failure(problem: Exception) -> typer.Exit:
    typer.echo(f"daozhang emulator: {problem}", err=True)
    return typer.Exit(1)
