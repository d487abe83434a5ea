"""Bills as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from daozhang.service.bills.model import (
    FileOrigin,
    FileStatus,
    Statement,
    StatementFile,
    StatementKind,
    StatementStatus,
)


class Said(BaseModel):
    """A sentence, in both languages."""

    say: str
    say_zh: str


class FileOut(BaseModel):
    """A file of a bill, kept as it came."""

    object: str = "bill_file"
    id: str
    name: str
    sha256: str
    size: int
    origin: FileOrigin
    status: FileStatus
    stands: bool = Field(description="Whether it is the one that is matched.")
    added_by: str
    added_at: datetime
    line_count: int | None = Field(description="Null until it is read.")
    totals: dict[str, Any] | None = Field(description="What its lines add up to.")
    differences: list[Said] = Field(description="Where its own totals say otherwise.")
    new_columns: list[str]
    problem: Said | None = Field(description="Why it cannot be read.")

    @classmethod
    def of(cls, file: StatementFile, statement: Statement) -> Self:
        """``file``, rendered."""
        return cls(
            id=file.public_id,
            name=file.name,
            sha256=file.sha256,
            size=file.size,
            origin=file.origin,
            status=file.status,
            stands=file.id == statement.file_id,
            added_by=file.added_name,
            added_at=file.added_at,
            line_count=file.line_count,
            totals=None if file.totals is None else dict(file.totals),
            differences=[Said(**one) for one in file.differences],
            new_columns=list(file.new_columns),
            problem=None if file.problem is None else Said(**file.problem),
        )


class BillOut(BaseModel):
    """The bill of an Alipay account for a day or a month."""

    object: str = "bill"
    environment: str
    seller_id: str
    kind: StatementKind
    period: str = Field(description="A day (`2026-03-01`) or a month (`2026-03`) in Beijing.")
    status: StatementStatus
    due_at: datetime | None = Field(description="When it is asked for next.")
    last_code: str | None = Field(description="What Alipay, or the way there, said last.")
    last_message: str | None
    files: list[FileOut] = Field(description="Newest first.")

    @classmethod
    def of(cls, statement: Statement, files: Sequence[StatementFile]) -> Self:
        """``statement``, rendered."""
        return cls(
            environment=statement.environment,
            seller_id=statement.seller_id,
            kind=statement.kind,
            period=statement.period,
            status=statement.status,
            due_at=statement.due_at,
            last_code=statement.last_code,
            last_message=statement.last_message,
            files=[FileOut.of(one, statement) for one in files],
        )


class BillList(BaseModel):
    """The bills of some days."""

    object: str = "list"
    environment: str
    data: list[BillOut]


class ChoiceIn(BaseModel):
    """Which of a bill's files is to stand."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(max_length=64, description="The id of one of its files.")
