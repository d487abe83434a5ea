"""A list of orders on its way to a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ExportFormat(StrEnum):
    """What kind of file."""

    XLSX = "xlsx"
    CSV = "csv"


class ExportStatus(StrEnum):
    """Where an export stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # it has come to nothing, and is not tried again
    EXPIRED = "expired"  # its file was deleted when its time was over


@dataclass(frozen=True, slots=True)
class Export:
    """One export. ``sought`` is what it holds, ``words`` how headings and states are called in it."""

    id: int
    public_id: str
    merchant_id: int
    format: ExportFormat
    status: ExportStatus
    sought: Mapping[str, Any]
    words: Mapping[str, str]
    rows_done: int
    percent: int
    bytes_count: int
    requested_by: str
    requested_name: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    expires_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it is still being written, or will be."""
        return self.status in (ExportStatus.WAITING, ExportStatus.RUNNING)
