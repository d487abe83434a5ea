"""Who has been told of what: alerts as rows, one for each thing and channel. Never commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from daozhang.service.db import Tx, earliest_of, insert_ignoring
from daozhang.service.watch.model import Alert, Message, Severity
from daozhang.service.watch.rules import next_try_at
from daozhang.service.watch.store import alerts, rounds


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert at one channel."""

    key: str
    channel: str
    message: Message
    sent_at: datetime | None
    due_at: datetime | None
    failures: int


def claim_round(tx: Tx, name: str, now: datetime, due_at: datetime) -> bool:
    """Whether this process is the one that looks now; if so, nobody does again before ``due_at``."""
    insert_ignoring(tx, rounds, [{"name": name, "due_at": now}], rounds.c.name)
    claimed = tx.execute(
        sa.update(rounds).where(rounds.c.name == name, rounds.c.due_at <= now).values(due_at=due_at)
    )
    return claimed.rowcount == 1


_ROUND_DUE: Final = sa.select(rounds.c.due_at).where(rounds.c.name == sa.bindparam("name"))


def round_due(tx: Tx, name: str) -> datetime | None:
    """When somebody is to look next; ``None`` if nobody ever has."""
    return tx.execute(_ROUND_DUE, {"name": name}).scalar()


def note_alerts(
    tx: Tx, found: Iterable[Alert], channels: Collection[str], now: datetime, repeat: timedelta
) -> list[Alert]:
    """Writes which alerts there are now, and when who is to be told; those that are new.

    One that is over before anybody was told of it is forgotten; one that begins again before its
    end was told has never ended.
    """
    current = {alert.key: alert for alert in found}
    wanted = sa.select(alerts).with_for_update()
    known = {(row["key"], row["channel"]): row for row in tx.execute(wanted).mappings()}
    new: dict[str, Alert] = {}
    for key, alert in sorted(current.items()):
        for channel in sorted(channels):
            if _note(tx, known.get((key, channel)), alert, channel, now, repeat):
                new[key] = alert
    for (key, channel), row in known.items():
        if key not in current and row["resolved_at"] is None:
            _end(tx, key, channel, now, was_told=row["sent_at"] is not None)
    return list(new.values())


def _note(
    tx: Tx,
    row: Mapping[Any, Any] | None,
    alert: Alert,
    channel: str,
    now: datetime,
    repeat: timedelta,
) -> bool:
    begins = {"message": asdict(alert), "raised_at": now, "due_at": now, "failures": 0}
    if row is None:
        tx.execute(sa.insert(alerts).values(key=alert.key, channel=channel, **begins))
        return True
    if row["resolved_at"] is not None and row["due_at"] is None:
        _write(tx, alert.key, channel, **begins, sent_at=None, resolved_at=None)
        return True
    changed: dict[str, Any] = {"message": asdict(alert), "resolved_at": None}
    is_worse = alert.severity is Severity.PAGE and row["message"]["severity"] != Severity.PAGE.value
    if is_worse:
        changed["due_at"] = now
    elif row["resolved_at"] is not None:
        changed["due_at"] = row["sent_at"] + repeat
    _write(tx, alert.key, channel, **changed)
    return False


def _end(tx: Tx, key: str, channel: str, now: datetime, *, was_told: bool) -> None:
    if was_told:
        _write(tx, key, channel, resolved_at=now, due_at=now, failures=0)
    else:
        tx.execute(sa.delete(alerts).where(alerts.c.key == key, alerts.c.channel == channel))


def _write(tx: Tx, key: str, channel: str, **values: Any) -> None:
    tx.execute(
        sa.update(alerts).where(alerts.c.key == key, alerts.c.channel == channel).values(**values)
    )


def claim_due(
    tx: Tx, channel: str, now: datetime, lease_until: datetime, rows_max: int
) -> list[Raised]:
    """Claims what is to be sent to a channel, the oldest first, until ``lease_until``."""
    due = (
        sa.select(alerts.c.key)
        .where(alerts.c.channel == channel, alerts.c.due_at <= now)
        .order_by(alerts.c.raised_at, alerts.c.key)
        .limit(rows_max)
    )
    if tx.dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)
    keys = list(tx.execute(due).scalars())
    claimed = tx.execute(
        sa.update(alerts)
        .where(alerts.c.channel == channel, alerts.c.key.in_(keys))
        .values(due_at=lease_until)
        .returning(alerts)
    ).mappings()
    return sorted((_raised(row) for row in claimed), key=lambda one: one.message.raised_at)


def note_sent(tx: Tx, one: Raised, now: datetime, repeat: timedelta) -> None:
    """Notes that a person was told. What has changed meanwhile is still to be told."""
    own = (alerts.c.key == one.key, alerts.c.channel == one.channel)
    wanted = sa.select(alerts.c.resolved_at).where(*own).with_for_update()
    has_ended = tx.execute(wanted).scalar() is not None
    values: dict[str, Any] = {"sent_at": now, "failures": 0}
    if one.message.resolved_at is None and not has_ended:
        values["due_at"] = now + repeat
    elif one.message.resolved_at is not None:
        # It may have begun again while its end was told.
        values["due_at"] = None if has_ended else now
    _write(tx, one.key, one.channel, **values)


def note_not_sent(tx: Tx, one: Raised, now: datetime) -> None:
    """Notes that it did not arrive, and when it is tried again."""
    failures = one.failures + 1
    _write(tx, one.key, one.channel, failures=failures, due_at=next_try_at(now, failures))


_EARLIEST_DUE: Final = earliest_of(
    alerts.c.due_at, alerts.c.channel.in_(sa.bindparam("channels", expanding=True))
)


def earliest_due(tx: Tx, channels: Collection[str]) -> datetime | None:
    """When the next alert is to be sent."""
    return tx.execute(_EARLIEST_DUE, {"channels": list(channels)}).scalar()


def count_not_sent(tx: Tx, channels: Collection[str]) -> int:
    """Alerts that could not be sent the last time."""
    failing = (alerts.c.failures > 0, alerts.c.channel.in_(channels))
    return int(tx.execute(sa.select(sa.func.count()).where(*failing)).scalar_one())


def _raised(row: Mapping[Any, Any]) -> Raised:
    kept = dict(row["message"])
    alert = Alert(**{**kept, "severity": Severity(kept["severity"])})
    return Raised(
        key=row["key"],
        channel=row["channel"],
        message=Message(alert, row["raised_at"], row["resolved_at"]),
        sent_at=row["sent_at"],
        due_at=row["due_at"],
        failures=row["failures"],
    )
