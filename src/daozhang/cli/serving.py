"""The commands that run the service: migrate, serve, worker."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated, Literal

import typer

from daozhang.app import create_service_from_environment, leave_alone_what_stays
from daozhang.cli.speaking import one_sentence_errors, say, service_context
from daozhang.service.jobs import Jobs
from daozhang.service.migrations import upgrade
from daozhang.service.refusals import Refusal
from daozhang.service.sole import require_sole

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]

STOPPING_SECONDS_MAX = 14
"""How long a process may take to finish what it does when it is told to stop."""


class OneProcessOnly(Refusal):
    """More than one process was asked for where only one can be."""

    code = "one_process_only"
    title = "One process only"

    def __init__(self, workers: int) -> None:
        super().__init__(
            f"{workers} processes need PostgreSQL (DAOZHANG_DATABASE_URL) and the server granian: "
            "SQLite belongs to one process.",
            f"{workers} 个进程需要 PostgreSQL (DAOZHANG_DATABASE_URL) 与 granian: "
            "SQLite 只能由一个进程使用.",
        )


def migrate(as_json: AsJson = False) -> None:
    """Creates the tables, or brings them to this version. 创建或升级数据库表."""
    with service_context(as_json=as_json, migrated=False) as context:
        upgrade(context.database)
        Jobs(context.database).prepare()
        say({"migrated": True}, "The database is ready. 数据库已就绪.", as_json=as_json)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. 监听地址")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. 监听端口")] = None,
    server: Annotated[
        Literal["granian", "uvicorn"], typer.Option(help="Which HTTP server. 服务器")
    ] = "granian",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; more than one on PostgreSQL. 进程数")
    ] = 1,
) -> None:
    """Runs the service until it is told to stop. 启动服务."""
    with service_context(as_json=False) as context:
        settings = context.settings
        if workers > 1 and (context.database.dialect == "sqlite" or server == "uvicorn"):
            raise OneProcessOnly(workers)
        require_sole(context.database)
    address = host or settings.host
    number = settings.port if port is None else port
    shown = f"{settings.public_url} (http://{address}:{number})"
    typer.echo(f"daozhang serves {shown}; Ctrl-C stops it. 服务已启动, 按 Ctrl-C 停止.", err=True)
    target = "daozhang.app:create_app_from_environment"
    # No access log: addresses carry tokens, and what matters is in the books.
    if server == "uvicorn":
        import uvicorn

        uvicorn.run(
            target,
            factory=True,
            host=address,
            port=number,
            access_log=False,
            log_config=None,
            # Who asks is whoever connects; what a header says of it is not believed.
            proxy_headers=False,
            timeout_graceful_shutdown=STOPPING_SECONDS_MAX,
        )
    else:
        from granian.constants import Interfaces
        from granian.server import Server

        Server(
            target,
            factory=True,
            address=address,
            port=number,
            interface=Interfaces.ASGI,
            workers=workers,
            # One that dies is replaced; its peers have taken over its jobs by then.
            respawn_failed_workers=True,
            workers_kill_timeout=STOPPING_SECONDS_MAX,
            log_access=False,
        ).serve()


def worker() -> None:
    """Works off jobs and what is due, without the web, until it is told to stop. 后台工作进程."""
    with service_context(as_json=False) as context:
        require_sole(context.database)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())
    with one_sentence_errors(as_json=False):
        service = create_service_from_environment()
        service.start()
    leave_alone_what_stays()
    typer.echo("daozhang works; Ctrl-C stops it. 后台工作进程已启动, 按 Ctrl-C 停止.", err=True)
    told.wait()
    # It leaves in time, whatever hangs: what is cut off is taken over or runs again.
    late = threading.Timer(STOPPING_SECONDS_MAX, os._exit, (1,))
    late.daemon = True
    late.start()
    service.stop()
