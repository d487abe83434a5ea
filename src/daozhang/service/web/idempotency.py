"""``Idempotency-Key``: the first answer of what was done, again, for 24 hours.

A key belongs to one API key, merchant and route, and to one body. Its row is committed before the
work begins, so of two requests at the same time one works and the other is told to wait. A
process that dies at work leaves its row behind; after a lease another request may take it over,
which is safe because the work itself is idempotent by the caller's own numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from daozhang.service.auth.model import Caller
from daozhang.service.db import Moment, RowId, Tx, insert_ignoring, metadata
from daozhang.service.duty import Duty
from daozhang.service.refusals import Refusal
from daozhang.service.web.bodies import body_sha256_of
from daozhang.service.web.context import Context, context_of
from daozhang.service.web.problem import problem

HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"
KEPT_SECONDS: Final = 24 * 3600
LEASE_SECONDS: Final = 120
"""After this, a request that has not ended is taken for dead and its key may be used again."""

KEY_CHARACTERS_MAX: Final = 200
_SWEEP_ROWS_MAX: Final = 500

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("id", RowId, primary_key=True, autoincrement=True),
    sa.Column("api_key_id", RowId, sa.ForeignKey("api_keys.id"), nullable=False),
    sa.Column("merchant_id", RowId, sa.ForeignKey("merchants.id"), nullable=False),
    sa.Column("route", sa.String(300), nullable=False),
    sa.Column("key", sa.String(KEY_CHARACTERS_MAX), nullable=False),
    sa.Column("body_sha256", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("media_type", sa.String(64)),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("leased_until", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.UniqueConstraint("api_key_id", "merchant_id", "route", "key"),
    sa.Index("ix_idempotency_keys_expires_at", "expires_at"),
)

_EARLIEST_EXPIRY: Final = sa.select(sa.func.min(idempotency_keys.c.expires_at))


def number_by_key(request: Request) -> str | None:
    """A number made from the idempotency key: the same key is the same request, for ever. ``None`` if
    the request has no key."""
    key = request.headers.get(HEADER)
    return f"ik{hashlib.sha256(key.encode()).hexdigest()[:40]}" if key else None


class IdempotencyKeyInvalid(Refusal):
    """The header is empty, too long, or not plain ASCII."""

    code: ClassVar[str] = "idempotency_key_invalid"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "Not an idempotency key"

    def __init__(self) -> None:
        super().__init__(
            f"{HEADER} takes 1 to {KEY_CHARACTERS_MAX} printable ASCII characters; a UUID is good.",
            f"{HEADER} 需为 1 到 {KEY_CHARACTERS_MAX} 个可见 ASCII 字符, 建议使用 UUID.",
        )


class IdempotencyKeyReused(Refusal):
    """The key came before with another body."""

    code: ClassVar[str] = "idempotency_key_reused"
    title: ClassVar[str] = "The key was used with another body"

    def __init__(self) -> None:
        super().__init__(
            f"This {HEADER} came before with another body; use a new key for a new request.",
            f"此 {HEADER} 已用于内容不同的请求, 新请求请换用新的键.",
        )


class IdempotencyKeyInFlight(Refusal):
    """The request that has this key has not ended yet."""

    code: ClassVar[str] = "idempotency_key_in_flight"
    title: ClassVar[str] = "The first request is still at work"

    def __init__(self) -> None:
        super().__init__(
            f"The request that has this {HEADER} is still at work; send it again in a moment.",
            f"使用此 {HEADER} 的请求仍在处理中, 请稍后以相同内容重试.",
        )


def answer_once(
    request: Request, caller: Caller, work: Callable[[], tuple[int, BaseModel]]
) -> Response:
    """What ``work`` answers (status, body), or what it answered the first time.

    Without the header, ``work`` is simply done. ``work`` opens its own transactions. A refusal
    means that nothing was done, for a reason that may pass (a limit, an order's status): it is not
    kept, nor is a crash, and the key is free again.
    """
    key = request.headers.get(HEADER)
    if key is None:
        status, body = work()
        return _response(status, _render(body), "application/json")
    if not 0 < len(key) <= KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid
    context = context_of(request)
    claimed = _claim(context, caller, request, key)
    if isinstance(claimed, Response):
        return claimed
    return _work_and_keep(context, request, claimed, work)


def sweep_expired(tx: Tx, now: datetime) -> int:
    """Forgets answers that are older than a day, a bounded number; returns how many."""
    expired = (
        sa.select(idempotency_keys.c.id)
        .where(idempotency_keys.c.expires_at <= now)
        .limit(_SWEEP_ROWS_MAX)
    )
    return tx.execute(
        sa.delete(idempotency_keys).where(idempotency_keys.c.id.in_(expired))
    ).rowcount


class ForgetAnswers(Duty):
    """The duty that sweeps answers whose day is over."""

    name = "idempotency"

    def __init__(self, context: Context) -> None:
        self._context = context

    def run_due(self) -> int:
        """Forgets a batch."""
        with self._context.database.begin() as tx:
            return sweep_expired(tx, self._context.clock.now())

    def next_due(self) -> datetime | None:
        """When the oldest answer's day is over."""
        with self._context.database.read() as tx:
            return tx.execute(_EARLIEST_EXPIRY).scalar_one()


def _claim(
    context: Context, caller: Caller, request: Request, key: str
) -> tuple[int, datetime] | Response:
    """Takes the key (its row's number, the lease's end), or finds the answer kept under it."""
    now = context.clock.now()
    row: dict[str, Any] = {
        "api_key_id": caller.api_key_id,
        "merchant_id": caller.merchant_id,
        "route": f"{request.method} {request.url.path}"[:300],
        "key": key,
        "body_sha256": body_sha256_of(request),
        "leased_until": now + timedelta(seconds=LEASE_SECONDS),
        "created_at": now,
        "expires_at": now + timedelta(seconds=KEPT_SECONDS),
    }
    with context.database.begin() as tx:
        inserted = insert_ignoring(tx, idempotency_keys, [row], idempotency_keys.c.id)
        if inserted:
            return int(inserted[0]), row["leased_until"]
        return _take_over(tx, row, now)


def _take_over(tx: Tx, row: dict[str, Any], now: datetime) -> tuple[int, datetime] | Response:
    table = idempotency_keys
    same = [table.c[name] == row[name] for name in ("api_key_id", "merchant_id", "route", "key")]
    found = tx.execute(sa.select(table).where(*same).with_for_update()).one_or_none()
    if found is None:  # swept, or given up by a crash, between our two statements
        raise IdempotencyKeyInFlight
    expired = found.expires_at <= now
    if not expired:
        if found.body_sha256 != row["body_sha256"]:
            raise IdempotencyKeyReused
        if found.status is not None:
            headers = {REPLAYED_HEADER: "true"}
            return _response(found.status, found.answer, found.media_type, headers)
        if found.leased_until > now:
            raise IdempotencyKeyInFlight
    fresh = row | {"status": None, "answer": None, "media_type": None}
    tx.execute(sa.update(table).where(table.c.id == found.id).values(fresh))
    return found.id, row["leased_until"]


def _work_and_keep(
    context: Context,
    request: Request,
    claim: tuple[int, datetime],
    work: Callable[[], tuple[int, BaseModel]],
) -> Response:
    row_id, leased_until = claim
    # Somebody who took over after our lease has the row now: what we know no longer counts.
    mine = sa.and_(idempotency_keys.c.id == row_id, idempotency_keys.c.leased_until == leased_until)
    try:
        status, body = work()
        response = _response(status, _render(body), "application/json")
    except Refusal as refusal:
        _release(context, mine)
        return problem(request, refusal)
    except BaseException:
        _release(context, mine)
        raise
    kept = {
        "status": response.status_code,
        "media_type": response.media_type,
        "answer": bytes(response.body),
    }
    with context.database.begin() as tx:
        tx.execute(sa.update(idempotency_keys).where(mine).values(kept))
    return response


def _release(context: Context, mine: sa.ColumnElement[bool]) -> None:
    with context.database.begin() as tx:
        tx.execute(sa.delete(idempotency_keys).where(mine))


def _render(body: BaseModel) -> bytes:
    return body.model_dump_json().encode()


def _response(
    status: int, body: bytes, media_type: str, headers: dict[str, str] | None = None
) -> Response:
    return Response(body, status, headers, media_type)
