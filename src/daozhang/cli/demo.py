"""`daozhang demo`: see a payment arrive."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from daozhang.demo.once import play
from daozhang.demo.world import DemoFailed, Ports, Processes, World, fresh_directory, start_world


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Play one payment through without a person, and end.")
    ] = False,
    port_base: Annotated[
        int,
        typer.Option(
            min=1024,
            max=65533,
            help="The service's port; shop and emulator take the next two.",
        ),
    ] = 8800,
    data: Annotated[
        Path, typer.Option(help="Each run keeps its files in a directory of its own in here.")
    ] = Path(".daozhang/demo"),
) -> None:
    """Starts emulator, service and a shop with every way to pay on this machine, on SQLite."""
    # SIGTERM ends the demo as Ctrl-C does: in order, with nothing left running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        ports = Ports.from_base(port_base)
        directory = fresh_directory(data)
        with Processes(directory) as processes:
            typer.echo(f"Starting 正在启动 … ({directory})")
            world = start_world(processes, ports, directory)
            if once:
                play(world, typer.echo)
                return
            _show(world)
            threading.Event().wait()
    except DemoFailed as failed:
        typer.echo(f"daozhang demo: {failed}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("\nEnded 已结束.")
        if once:
            raise typer.Exit(130) from None


def _show(world: World) -> None:
    typer.echo(f"""
  Shop 商店        {world.shop}
                   Every way to pay, to be tried: web, embedded, phone, app, mini program,
                   till, deposit, membership. Pages turn to paid by themselves.
                   亲手试每一种付款方式, 付款后页面会自动变为到账.
  Wallet 买家手机  {world.emulator}/wallet
                   The buyer's phone: payment codes, and what it is asked to confirm.
                   买家的手机: 出示付款码, 确认付款.
  Console 控制台   {world.console}
                   Watch the money arrive. The address signs you in once, within the hour.
                   看着钱到账. 此地址一小时内可用一次, 打开即登录.
  Service 到账     {world.service}/docs
                   The API that the shop uses, to read and to try.
                   商店所用的接口, 可查看和试用.
  Emulator 模拟器  {world.emulator}
                   An Alipay on your desk: its trades and notifications. No real money.
                   桌面上的支付宝: 查看交易和通知, 不涉及真实资金.

  Ctrl-C ends everything. 按 Ctrl-C 全部结束.
""")
