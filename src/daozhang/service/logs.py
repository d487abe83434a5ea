"""Logs: one line of JSON for machines, or coloured text for a person at a terminal.

Ours (structlog) and those of the libraries (logging) come out alike. A field whose name says
that it holds a secret is never written, whatever somebody passes.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal, TextIO, cast

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

HIDDEN: Final = "[hidden]"

_SECRET_NAME = re.compile(
    r"private|secret|password|token|authorization|cookie|encrypt_key|api_key$|sealing|passwd", re.I
)
_QUIET: Final = ("httpx2", "httpcore2", "httpx", "httpcore", "dbos", "alembic", "uvicorn.access")
"""Libraries that tell every call at INFO: addresses with tokens in them are not for logs."""


def configure_logs(
    log_format: Literal["auto", "json", "console"] = "auto",
    level: str = "info",
    stream: TextIO | None = None,
) -> None:
    """Sets up the process's logs, to ``stream`` (default: stderr). ``auto`` looks for a tty."""
    output = sys.stderr if stream is None else stream
    as_json = log_format == "json" or (log_format == "auto" and not output.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(_formatter(before, as_json=as_json, colors=output.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replaces the value of every field whose name says that it is a secret, at any depth."""
    return cast("EventDict", _hidden(event))


def _hidden(value: object) -> object:
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return {
            name: HIDDEN if _SECRET_NAME.search(str(name)) else _hidden(inner)
            for name, inner in fields.items()
        }
    if isinstance(value, list):
        return [_hidden(inner) for inner in cast("list[Any]", value)]
    return value


def _formatter(before: list[Processor], *, as_json: bool, colors: bool) -> logging.Formatter:
    # Local variables of a traceback may be keys; the frames' lines are enough to find a bug.
    last: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=colors, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
