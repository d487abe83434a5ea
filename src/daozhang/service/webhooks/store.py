"""Endpoints, secrets, deliveries and attempts as rows. Plain functions in a caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from daozhang.service.bulk import insert_rows
from daozhang.service.db import Json, Moment, RowId, Tx, metadata, one_of
from daozhang.service.outbox.store import events
from daozhang.service.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Format,
    Health,
    Parked,
    Secret,
)

endpoints: Final = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(40), nullable=False, unique=True),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("types", Json, nullable=False),
    sa.Column("format", sa.String(8), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("signing_key_sealed", sa.LargeBinary, nullable=False),
    sa.Column("after_number", RowId, nullable=False),
    sa.Column("failing_since", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("deleted_at", Moment),
    sa.Index("ix_webhook_endpoints_merchant_id", "merchant_id"),
    one_of("format", Format),
    one_of("status", EndpointStatus),
)

secrets: Final = sa.Table(
    "webhook_secrets",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("endpoint_id", RowId, sa.ForeignKey("webhook_endpoints.id"), nullable=False),
    sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment),
    sa.Index("ix_webhook_secrets_endpoint_id", "endpoint_id"),
)

COUNTED_MAX: Final = 1000

_PENDING: Final = sa.text("status = 'pending'")

PARKED: Final = sa.text("status = 'parked'")

# No foreign key to the events: docs/decisions/0011.
deliveries: Final = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("public_id", sa.String(40), nullable=False, unique=True),
    sa.Column("endpoint_id", RowId, sa.ForeignKey("webhook_endpoints.id"), nullable=False),
    sa.Column("event_number", RowId, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Column("event_type", sa.String(64), nullable=False),
    sa.Column("order_id", RowId),
    sa.Column("sequence", sa.Integer),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("parked", sa.String(16)),
    sa.Column("attempt_count", sa.Integer, nullable=False),
    sa.Column("due_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.UniqueConstraint("endpoint_id", "event_number"),
    sa.Index(
        "ix_webhook_deliveries_due",
        "endpoint_id",
        "due_at",
        postgresql_where=_PENDING,
        sqlite_where=_PENDING,
    ),
    sa.Index(
        "ix_webhook_deliveries_pending_order",
        "order_id",
        "sequence",
        postgresql_where=_PENDING,
        sqlite_where=_PENDING,
    ),
    sa.Index(
        "ix_webhook_deliveries_parked",
        "endpoint_id",
        postgresql_where=PARKED,
        sqlite_where=PARKED,
    ),
    one_of("status", DeliveryStatus),
)

attempts: Final = sa.Table(
    "webhook_attempts",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("delivery_id", RowId, sa.ForeignKey("webhook_deliveries.id"), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("status_code", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("response", sa.Text),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Index("ix_webhook_attempts_delivery_id", "delivery_id"),
)

fan_out: Final = sa.Table(
    "webhook_fan_out",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("event_number", RowId, nullable=False),
)


# ---- endpoints


def insert_endpoint(tx: Tx, values: Mapping[str, Any]) -> Endpoint:
    """The new endpoint."""
    row = tx.execute(sa.insert(endpoints).values(**values).returning(endpoints))
    return endpoint_of(row.mappings().one())


def update_endpoint(tx: Tx, endpoint_id: int, **values: Any) -> None:
    """Writes columns of one endpoint."""
    tx.execute(sa.update(endpoints).where(endpoints.c.id == endpoint_id).values(**values))


def find_endpoint(tx: Tx, merchant_id: int, public_id: str) -> Endpoint | None:
    """The merchant's endpoint of that id."""
    found = tx.execute(
        sa.select(endpoints).where(
            endpoints.c.merchant_id == merchant_id,
            endpoints.c.public_id == public_id,
            endpoints.c.deleted_at.is_(None),
        )
    )
    row = found.mappings().first()
    return None if row is None else endpoint_of(row)


def lock_endpoint(tx: Tx, endpoint_id: int) -> Endpoint:
    """The endpoint with that row id, locked until the transaction ends."""
    wanted = sa.select(endpoints).where(endpoints.c.id == endpoint_id).with_for_update()
    return endpoint_of(tx.execute(wanted).mappings().one())


def list_well(tx: Tx, endpoint_ids: Sequence[int]) -> set[int]:
    """Which of these endpoints are switched on and have not failed since their last success."""
    wanted = sa.select(endpoints.c.id).where(
        endpoints.c.id.in_(endpoint_ids),
        endpoints.c.failing_since.is_(None),
        endpoints.c.status == EndpointStatus.ENABLED.value,
    )
    return set(tx.execute(wanted).scalars())


def list_endpoints(tx: Tx, merchant_id: int | None = None) -> list[Endpoint]:
    """All endpoints, or a merchant's, oldest first."""
    wanted = sa.select(endpoints).where(endpoints.c.deleted_at.is_(None)).order_by(endpoints.c.id)
    if merchant_id is not None:
        wanted = wanted.where(endpoints.c.merchant_id == merchant_id)
    return [endpoint_of(row) for row in tx.execute(wanted).mappings()]


_ANY_ENDPOINT: Final = sa.select(endpoints.c.id).limit(1)


def has_endpoints(tx: Tx) -> bool:
    """Whether any merchant has one, in whatever state."""
    return tx.execute(_ANY_ENDPOINT).first() is not None


def insert_secret(tx: Tx, endpoint_id: int, secret_sealed: bytes, now: datetime) -> None:
    """Adds a secret to an endpoint."""
    tx.execute(
        sa.insert(secrets).values(
            endpoint_id=endpoint_id, secret_sealed=secret_sealed, created_at=now
        )
    )


def expire_secrets(tx: Tx, endpoint_id: int, at: datetime) -> None:
    """Lets the endpoint's secrets so far end at ``at``, unless they end sooner."""
    tx.execute(
        sa.update(secrets)
        .where(
            secrets.c.endpoint_id == endpoint_id,
            secrets.c.expires_at.is_(None) | (secrets.c.expires_at > at),
        )
        .values(expires_at=at)
    )


def list_secrets(tx: Tx, endpoint_ids: Sequence[int], now: datetime) -> list[Secret]:
    """The secrets of endpoints that are valid at ``now``, the newest first."""
    rows = tx.execute(
        sa.select(secrets)
        .where(
            secrets.c.endpoint_id.in_(endpoint_ids),
            secrets.c.expires_at.is_(None) | (secrets.c.expires_at > now),
        )
        .order_by(secrets.c.id.desc())
    ).mappings()
    return [Secret(**row) for row in rows]


# ---- fan-out


def lock_fan_out(tx: Tx) -> int | None:
    """Up to which event deliveries have been made; ``None`` while another process makes some."""
    wanted = sa.select(fan_out.c.event_number).where(fan_out.c.id == 1)
    return tx.execute(wanted.with_for_update(skip_locked=True)).scalar()


def await_fan_out(tx: Tx) -> None:
    """Waits until no process makes deliveries, and keeps them waiting until this one ends."""
    tx.execute(sa.select(fan_out.c.id).where(fan_out.c.id == 1).with_for_update())


_ANY_TO_FAN_OUT: Final = (
    sa.select(events.c.number)
    .where(
        events.c.number
        > sa.select(fan_out.c.event_number).where(fan_out.c.id == 1).scalar_subquery()
    )
    .limit(1)
)


def has_fan_out_to_do(tx: Tx) -> bool:
    """Whether there are events for which no deliveries have been made yet."""
    return tx.execute(_ANY_TO_FAN_OUT).first() is not None


def set_fan_out(tx: Tx, event_number: int) -> None:
    """Notes up to which event deliveries have been made."""
    tx.execute(sa.update(fan_out).where(fan_out.c.id == 1).values(event_number=event_number))


def insert_deliveries(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds deliveries; one that is there already stays as it is."""
    conflict = "ON CONFLICT (endpoint_id, event_number) DO NOTHING"
    insert_rows(tx, deliveries, rows, on_conflict=conflict)


# ---- deliveries

IS_PENDING: Final = deliveries.c.status == sa.literal(
    DeliveryStatus.PENDING.value, literal_execute=True
)


def update_delivery(tx: Tx, delivery_id: int, **values: Any) -> None:
    """Writes columns of one delivery."""
    tx.execute(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


def note_delivered(tx: Tx, delivery_ids: Sequence[int], now: datetime) -> None:
    """Ends deliveries that have arrived."""
    tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.id.in_(delivery_ids))
        .values(status=DeliveryStatus.DELIVERED.value, parked=None, due_at=None, ended_at=now)
    )


def insert_attempts(tx: Tx, made: Sequence[tuple[int, Attempt]]) -> None:
    """Keeps what came of attempts, by delivery."""
    insert_rows(
        tx,
        attempts,
        [
            {
                "delivery_id": delivery_id,
                "at": attempt.at,
                "status_code": attempt.status_code,
                "error": attempt.error,
                "response": attempt.response,
                "duration_ms": attempt.duration_ms,
            }
            for delivery_id, attempt in made
        ],
    )


def park_pending(tx: Tx, endpoint_id: int, now: datetime) -> None:
    """Parks what is on its way to an endpoint that is switched off."""
    tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, IS_PENDING)
        .values(
            status=DeliveryStatus.PARKED.value,
            parked=Parked.ENDPOINT.value,
            due_at=None,
            ended_at=now,
        )
    )


def send_again(tx: Tx, endpoint_id: int, now: datetime, condition: sa.ColumnElement[bool]) -> int:
    """Puts ended deliveries of an endpoint that meet ``condition`` on their way again, from the
    first rung of the ladder; how many."""
    changed = tx.execute(
        sa.update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, ~IS_PENDING, condition)
        .values(
            status=DeliveryStatus.PENDING.value,
            parked=None,
            due_at=now,
            ended_at=None,
            attempt_count=0,
        )
    )
    return changed.rowcount


def list_deliveries(
    tx: Tx,
    endpoint_id: int,
    *,
    status: str | None = None,
    event_id: str | None = None,
    before_id: int | None = None,
    rows_max: int = 50,
) -> list[Delivery]:
    """An endpoint's deliveries, newest first."""
    wanted = sa.select(deliveries).where(deliveries.c.endpoint_id == endpoint_id)
    if status is not None:
        wanted = wanted.where(deliveries.c.status == status)
    if event_id is not None:
        wanted = wanted.where(deliveries.c.event_id == event_id)
    if before_id is not None:
        wanted = wanted.where(deliveries.c.id < before_id)
    rows = tx.execute(wanted.order_by(deliveries.c.id.desc()).limit(rows_max)).mappings()
    return [delivery_of(row) for row in rows]


def list_deliveries_of(
    tx: Tx, merchant_id: int, event_numbers: Sequence[int]
) -> list[tuple[Delivery, str]]:
    """The deliveries of these events of the merchant's, oldest first, each with its address."""
    rows = tx.execute(
        sa.select(deliveries, endpoints.c.url)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(
            endpoints.c.merchant_id == merchant_id,
            deliveries.c.event_number.in_(event_numbers),
        )
        .order_by(deliveries.c.id)
    ).mappings()
    return [(delivery_of(row), row["url"]) for row in rows]


def find_delivery(tx: Tx, merchant_id: int, public_id: str) -> Delivery | None:
    """The merchant's delivery of that id."""
    found = tx.execute(
        sa.select(deliveries)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(endpoints.c.merchant_id == merchant_id, deliveries.c.public_id == public_id)
    )
    row = found.mappings().first()
    return None if row is None else delivery_of(row)


def find_endpoint_of(tx: Tx, delivery: Delivery) -> Endpoint:
    """Where a delivery goes, or went: it may have been removed since."""
    wanted = sa.select(endpoints).where(endpoints.c.id == delivery.endpoint_id)
    return endpoint_of(tx.execute(wanted).mappings().one())


def list_attempts(tx: Tx, delivery_id: int) -> list[Attempt]:
    """What came of a delivery's attempts, oldest first."""
    rows = tx.execute(
        sa.select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id)
    ).mappings()
    return [_attempt_of(row) for row in rows]


def _attempt_of(row: Mapping[Any, Any]) -> Attempt:
    names = ("at", "status_code", "error", "response", "duration_ms")
    return Attempt(**{name: row[name] for name in names})


def list_attempts_of(tx: Tx, delivery_ids: Sequence[int]) -> dict[int, list[Attempt]]:
    """What came of the attempts of these deliveries, oldest first, by delivery."""
    rows = tx.execute(
        sa.select(attempts).where(attempts.c.delivery_id.in_(delivery_ids)).order_by(attempts.c.id)
    ).mappings()
    found: dict[int, list[Attempt]] = {}
    for row in rows:
        found.setdefault(row["delivery_id"], []).append(_attempt_of(row))
    return found


def health_of(tx: Tx, endpoint_id: int, latest_max: int) -> Health:
    """How an endpoint has been doing, by its ``latest_max`` latest events and all that waits."""
    of_endpoint = deliveries.c.endpoint_id == endpoint_id
    latest = (
        sa.select(deliveries.c.id, deliveries.c.status)
        .where(of_endpoint)
        .order_by(deliveries.c.event_number.desc())
        .limit(latest_max)
        .subquery("latest")
    )
    delivered = sa.case((latest.c.status == DeliveryStatus.DELIVERED.value, 1), else_=0)
    counted = tx.execute(
        sa.select(
            sa.func.count().label("all"),
            sa.func.coalesce(sa.func.sum(delivered), 0).label("delivered"),
        ).select_from(latest)
    ).one()
    pending = sa.select(
        sa.func.count().label("all"), sa.func.min(deliveries.c.created_at).label("oldest")
    )
    waiting = tx.execute(pending.where(_PENDING, of_endpoint)).one()
    parked = sa.select(sa.func.count()).select_from(deliveries).where(PARKED, of_endpoint)
    made = sa.select(attempts).where(attempts.c.delivery_id.in_(sa.select(latest.c.id)))
    last = tx.execute(made.order_by(attempts.c.id.desc()).limit(1)).mappings().first()
    return Health(
        latest=int(counted.all),
        delivered=int(counted.delivered),
        waiting=int(waiting.all),
        parked=int(tx.execute(parked).scalar_one()),
        oldest_waiting_at=waiting.oldest,
        last_attempt=None if last is None else _attempt_of(last),
    )


def state_of_sending(tx: Tx, merchant_id: int) -> tuple[int, int, int, datetime | None]:
    """A merchant's newest delivery, and how many are on their way, with their attempts and the last
    time one is due: it differs once something changed. Of many only `COUNTED_MAX` are looked at."""
    own = sa.select(endpoints.c.id).where(endpoints.c.merchant_id == merchant_id)
    newest = sa.select(sa.func.coalesce(sa.func.max(deliveries.c.event_number), 0))
    pending = (
        sa.select(deliveries.c.attempt_count, deliveries.c.due_at)
        .where(_PENDING, deliveries.c.endpoint_id.in_(own))
        .limit(COUNTED_MAX)
        .subquery("pending")
    )
    counted = tx.execute(
        sa.select(
            sa.func.count().label("all"),
            sa.func.coalesce(sa.func.sum(pending.c.attempt_count), 0).label("attempts"),
            sa.func.max(pending.c.due_at).label("last_due"),
        ).select_from(pending)
    ).one()
    latest = max(
        (
            tx.execute(newest.where(deliveries.c.endpoint_id == one)).scalar_one()
            for one in tx.execute(own).scalars().all()
        ),
        default=0,
    )
    return int(latest), int(counted.all), int(counted.attempts), counted.last_due


def last_event_number(tx: Tx) -> int:
    """The number of the latest event there is."""
    return cast("int", tx.execute(sa.select(sa.func.max(events.c.number))).scalar() or 0)


def endpoint_of(row: Mapping[Any, Any]) -> Endpoint:
    """The endpoint that a row holds."""
    fields: dict[str, Any] = {name: row[name] for name in Endpoint.__dataclass_fields__}
    fields["types"] = tuple(row["types"])
    fields["format"] = Format(row["format"])
    fields["status"] = EndpointStatus(row["status"])
    return Endpoint(**fields)


def delivery_of(row: Mapping[Any, Any]) -> Delivery:
    """The delivery that a row holds."""
    fields: dict[str, Any] = {name: row[name] for name in Delivery.__dataclass_fields__}
    fields["status"] = DeliveryStatus(row["status"])
    fields["parked"] = None if row["parked"] is None else Parked(row["parked"])
    return Delivery(**fields)
