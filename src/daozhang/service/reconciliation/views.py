"""Runs, what differs, and rules, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from daozhang.money import Money
from daozhang.service.bills.model import StatementKind
from daozhang.service.reconciliation.model import ForeignRule, Mismatch, MismatchClass, Run
from daozhang.service.reconciliation.telling import tell


class CountOut(BaseModel):
    """How many, and over how much money."""

    mismatch: MismatchClass
    count: int
    amount: str


class RunOut(BaseModel):
    """One matching of a day."""

    object: str = "reconciliation_run"
    at: datetime
    line_count: int
    matched_count: int
    matched_amount: str
    day_cut_count: int = Field(description="Lines of the day before, which midnight cut.")
    counts: list[CountOut] = Field(description="What differed then, by class.")

    @classmethod
    def of(cls, run: Run) -> Self:
        """``run``, rendered."""
        return cls(
            at=run.at,
            line_count=run.line_count,
            matched_count=run.matched_count,
            matched_amount=str(Money(run.matched_minor)),
            day_cut_count=run.figures["day_cut"],
            counts=[
                CountOut(
                    mismatch=MismatchClass(name),
                    count=one["count"],
                    amount=str(Money(one["minor"])),
                )
                for name, one in run.counts.items()
            ],
        )


class DayOut(BaseModel):
    """A day: its latest run, and what is open of it now."""

    object: str = "reconciliation_day"
    environment: str
    seller_id: str
    day: date
    run: RunOut | None = Field(description="Null until a bill of the day has been matched.")
    open: list[CountOut] = Field(description="What differs still, by class.")

    @staticmethod
    def counts_of(found: Mapping[MismatchClass, tuple[int, int]]) -> list[CountOut]:
        """Counts and sums by class, rendered."""
        return [
            CountOut(mismatch=mismatch, count=count, amount=str(Money(minor)))
            for mismatch, (count, minor) in found.items()
        ]


class MismatchOut(BaseModel):
    """Something in which a bill and the books differ."""

    object: str = "mismatch"
    id: str
    kind: StatementKind
    day: date
    mismatch: MismatchClass
    say: str
    say_zh: str
    trade_no: str | None
    out_trade_no: str | None
    out_request_no: str | None
    ours: str | None = Field(description="What the books say; below zero for refunds.")
    theirs: str | None = Field(description="What the bill says; below zero for refunds and fees.")
    evidence: dict[str, Any] = Field(description="Both sides as they were seen; amounts as text.")
    resolution: str | None = Field(description="How it ended: agrees, day_cut, set_aside, ...")
    first_seen_at: datetime
    resolved_at: datetime | None = Field(description="Null while it is open.")

    @classmethod
    def of(cls, one: Mismatch) -> Self:
        """``one``, rendered."""
        say, say_zh = tell(one)
        return cls(
            id=one.public_id,
            kind=one.kind,
            day=one.day,
            mismatch=one.mismatch,
            say=say,
            say_zh=say_zh,
            trade_no=one.trade_no,
            out_trade_no=one.out_trade_no,
            out_request_no=one.out_request_no,
            ours=_text(one.ours_minor),
            theirs=_text(one.theirs_minor),
            evidence=_as_text(one.evidence),
            resolution=one.resolution,
            first_seen_at=one.first_seen_at,
            resolved_at=one.resolved_at,
        )


class MismatchPage(BaseModel):
    """A page of what differs, newest first."""

    object: str = "list"
    environment: str
    data: list[MismatchOut]
    next_cursor: str | None


class RuleIn(BaseModel):
    """How orders of another system on the same account begin."""

    model_config = ConfigDict(extra="forbid")

    prefix: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    note: str | None = Field(None, max_length=500, description="Whose they are.")


class RuleOut(BaseModel):
    """A rule that sets lines aside."""

    object: str = "foreign_rule"
    id: int
    prefix: str
    note: str | None
    made_by: str
    made_at: datetime

    @classmethod
    def of(cls, rule: ForeignRule) -> Self:
        """``rule``, rendered."""
        return cls(
            id=rule.id,
            prefix=rule.prefix,
            note=rule.note,
            made_by=rule.made_by,
            made_at=rule.made_at,
        )


class RuleList(BaseModel):
    """The rules of an account, oldest first."""

    object: str = "list"
    environment: str
    data: list[RuleOut]


def _text(minor: int | None) -> str | None:
    return None if minor is None else str(Money(minor))


def _as_text(evidence: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in evidence.items():
        if isinstance(value, Mapping):
            shown[name] = _as_text(value)  # pyright: ignore[reportUnknownArgumentType]
        elif name.endswith("_minor"):
            shown[name.removesuffix("_minor")] = _text(value)
        else:
            shown[name] = value
    return shown
