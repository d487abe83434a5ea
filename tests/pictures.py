"""Pictures of a house: one where all is well, and one where everything is wrong at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from daozhang.money import Money
from daozhang.service.watch.model import (
    Age,
    AtRisk,
    Backlog,
    Cause,
    Consents,
    Deliveries,
    Inbox,
    JobCounts,
    Key,
    OpenSurprises,
    Picture,
)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

ALL_WELL = Picture(
    at=NOW,
    inbox=Inbox(recorded=1000, kept=10),
    orders_open=12,
    orders_unwatched=0,
    at_risk=(AtRisk(Cause.OVERDUE, Age.MINUTES, "production", Money.parse("8.00"), 1),),
    surprises=(),
    deliveries=Deliveries(made=900, pending=3, endpoints={"enabled": 2, "paused": 1}),
    keys=(Key("2021", "production", "app_cert", "f", "s", NOW + timedelta(days=31)),),
    jobs=JobCounts(waiting=3, failed=1),
    alerts_not_sent=0,
    tallies={},
    lately={
        "notify_answers": {"success": 990, "refused": 2},
        "payments_learned": {"notification": 88, "query": 2},
    },
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


ALL_WRONG = replace(
    ALL_WELL,
    inbox=Inbox(
        recorded=1000,
        backlog={"received": Backlog(7, ago(61)), "confirming": Backlog(1, ago(901))},
        copies_max=12,
        copied_often=2,
    ),
    orders_unwatched=1,
    at_risk=(
        AtRisk(Cause.REFUND_UNKNOWN, Age.HOURS, "production", Money.parse("300.00"), 2),
        AtRisk(Cause.REFUND_UNKNOWN, Age.DAYS, "production", Money.parse("0.01"), 1),
    ),
    surprises=(OpenSurprises("amount_differs", "production", Money.parse("88.88"), 1),),
    deliveries=Deliveries(made=9, parked=4, endpoints={"disabled": 1}, failing_since=ago(3600)),
    keys=(
        Key("2021", "production", "app_cert", "f", "s", NOW + timedelta(days=6)),
        Key("2022", "sandbox", "alipay_cert", "f", "s", NOW + timedelta(days=29)),
        Key("2023", "sandbox", "unreadable", ""),
    ),
    jobs=JobCounts(waiting=500, failed=10),
    consents=Consents(unwatched={"hold": 1, "charge": 0}, late={"till": ago(600)}),
    lately={
        "notify_answers": {"success": 1, "busy": 1, "error": 1, "refused": 20},
        "payments_learned": {"notification": 8, "query": 3},
    },
)
