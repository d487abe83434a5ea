"""What was looked at, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at (``check``), of what (``about``), and what was found.

    Of a warning or a failure, ``detail`` also says what to do; ``detail_zh`` says the same.
    """

    check: str
    about: str
    result: Result
    detail: str
    detail_zh: str


def ok(check: str, about: str, detail: str, detail_zh: str) -> Finding:
    """All is well."""
    return Finding(check, about, Result.OK, detail, detail_zh)


def warn(check: str, about: str, detail: str, detail_zh: str) -> Finding:
    """It works, and may not for long, or not safely."""
    return Finding(check, about, Result.WARN, detail, detail_zh)


def fail(check: str, about: str, detail: str, detail_zh: str) -> Finding:
    """It does not work, or money could be lost."""
    return Finding(check, about, Result.FAIL, detail, detail_zh)
