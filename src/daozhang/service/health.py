"""Health: whether this process lives, and whether it can do its work. For whoever runs it.

No key is asked for and nothing is told that a stranger could use: names of checks, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from daozhang.alipay.errors import ConfigurationError
from daozhang.service.merchants.credentials import credentials_of
from daozhang.service.merchants.store import list_apps
from daozhang.service.migrations import FIT, Standing, standing
from daozhang.service.outbox.streams import SHUTDOWN
from daozhang.service.seal import SealBroken
from daozhang.service.web.context import Context, context_of

router = APIRouter(include_in_schema=False)

log = structlog.get_logger(__name__)

_UNREACHABLE: Final = (
    "cannot be reached: is it running, and is DAOZHANG_DATABASE_URL right? 数据库不可用"
)
_NOT_CURRENT: Final = "not of this version: run daozhang migrate 请运行 daozhang migrate"
_TOO_NEW: Final = "of a later version: start that version 数据库由更新版本升级, 请启动该版本"
_STOPPING: Final = "told to stop: it finishes what it has and takes nothing new 正在停止"
_KEYS: Final = "an app's keys cannot be opened or read: see the log 密钥无法读取, 详见日志"


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """This process answers. Restart it if it does not."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(request: Request) -> JSONResponse:
    """200 if it can do its work, 503 with what is wrong if not. Send it no traffic meanwhile."""
    context = context_of(request)
    problems = {name: problem for name, check in CHECKS if (problem := check(context)) is not None}
    status = "ready" if not problems else "not ready"
    return JSONResponse(
        {"status": status, "problems": problems}, status_code=503 if problems else 200
    )


def _database(context: Context) -> str | None:
    try:
        now = standing(context.database)
    except SQLAlchemyError as error:
        log.warning("not_ready", check="database", error=str(error))
        return _UNREACHABLE
    if now in FIT:
        return None
    return _TOO_NEW if now is Standing.TOO_NEW else _NOT_CURRENT


def _keys(context: Context) -> str | None:
    try:
        with context.database.read() as tx:
            apps = [
                app for app in list_apps(tx) if app.environment in context.settings.environments
            ]
        for app in apps:
            credentials_of(app, None, context.sealer)
    except SQLAlchemyError:
        return None  # said by the check before
    except (SealBroken, ConfigurationError) as error:
        log.warning("not_ready", check="keys", error=str(error))
        return _KEYS
    return None


def _draining(context: Context) -> str | None:
    return _STOPPING if context.signals.is_latched(SHUTDOWN) else None


CHECKS: Final[tuple[tuple[str, Callable[[Context], str | None]], ...]] = (
    ("draining", _draining),
    ("database", _database),
    ("keys", _keys),
)
"""What must be well before traffic is sent here, by name."""
