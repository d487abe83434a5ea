"""Asking a second person, and deciding. What was asked for is done by whoever knows how.

Whoever approves something calls `approve` and does the thing, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.approvals import rules, store
from daozhang.service.approvals.model import (
    APPROVED_BY,
    Approval,
    ApprovalKind,
    ApprovalStatus,
)
from daozhang.service.approvals.refusals import (
    ApprovalNotFound,
    ApprovalOver,
    ApprovalPending,
    ApproverIsRequester,
)
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import SYSTEM, Actor
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.people.model import Person, Right
from daozhang.service.people.refusals import RightMissing
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context

COUNTED_MAX: Final = 100
"""Who has more to decide than this need not know how much more."""


def ask(
    tx: Tx,
    actor: Actor,
    kind: ApprovalKind,
    *,
    merchant_id: int,
    subject: str,
    content: Mapping[str, Any],
    amount: Money | None,
    reason: str | None,
    now: datetime,
) -> Approval:
    """What now waits for a second person about ``subject``; the same again gives the same.

    Raises `ApprovalPending` if something else about it waits.
    """
    public_id = new_id("apv", now)
    _expire(tx, merchant_id, kind, subject, now)
    is_new = store.insert_approval(
        tx,
        {
            "public_id": public_id,
            "kind": kind.value,
            "status": ApprovalStatus.PENDING.value,
            "merchant_id": merchant_id,
            "subject": subject,
            "amount_minor": None if amount is None else amount.minor,
            "currency": None if amount is None else amount.currency,
            "reason": reason,
            "content": dict(content),
            "requested_by": str(actor),
            "requested_name": actor.name,
            "created_at": now,
            "expires_at": now + timedelta(seconds=rules.PENDING_SECONDS),
        },
    )
    waiting = store.find_pending(tx, merchant_id, kind, subject)
    assert waiting is not None
    if is_new:
        _record(tx, actor, "approval.asked", waiting, now, reason)
    elif dict(waiting.content) != dict(content) or waiting.requested_by != str(actor):
        raise ApprovalPending(waiting)
    return waiting


def approve(
    tx: Tx, actor: Person, public_id: str, kind: ApprovalKind, note: str | None, now: datetime
) -> Approval:
    """Writes down that ``actor`` approves; the caller does what was asked for, in this transaction.

    Raises `ApprovalNotFound`, `ApprovalOver`, `ApproverIsRequester` and `RightMissing`.
    """
    approval = _decidable(tx, actor, public_id, now)
    if approval.kind is not kind:
        raise ApprovalNotFound(public_id)
    return _end(tx, actor.actor, approval, ApprovalStatus.APPROVED, note, now)


def decline(context: Context, actor: Person, public_id: str, note: str | None) -> Approval:
    """Writes down that it shall not be. Raises what `approve` raises."""
    now = context.clock.now()
    with context.database.begin() as tx:
        approval = _decidable(tx, actor, public_id, now)
        return _end(tx, actor.actor, approval, ApprovalStatus.DECLINED, note, now)


def withdraw(context: Context, actor: Person, public_id: str) -> Approval:
    """Takes back what one asked for oneself. Raises `ApprovalNotFound` and `ApprovalOver`."""
    now = context.clock.now()
    with context.database.begin() as tx:
        approval = store.lock_approval(tx, public_id)
        if approval is None or approval.requested_by != str(actor.actor):
            raise ApprovalNotFound(public_id)
        if not rules.is_open(approval, now):
            raise ApprovalOver(approval)
        return _end(tx, actor.actor, approval, ApprovalStatus.WITHDRAWN, None, now)


def read_approval(context: Context, actor: Person, public_id: str) -> Approval:
    """One of a merchant that ``actor`` covers, if they asked for it or may approve its kind."""
    with context.database.read() as tx:
        approval = store.find_approval(tx, public_id)
    if approval is None or not _may_see(actor, approval):
        raise ApprovalNotFound(public_id)
    return approval


def list_approvals(
    context: Context,
    actor: Person,
    *,
    status: ApprovalStatus | None = ApprovalStatus.PENDING,
    rows_max: int = 50,
    before: str | None = None,
    merchant_id: int | None = None,
) -> list[Approval]:
    """What waits for a second person, or did, newest first; ``before`` is the last page's last id.

    Of all merchants that ``actor`` covers, or of one of them.
    """
    if not may_decide_some(actor):
        raise RightMissing(Right.REFUNDS_APPROVE)
    covered = actor.merchants if merchant_id is None else frozenset({merchant_id})
    with context.database.read() as tx:
        listed = store.list_approvals(
            tx, merchants=covered, status=status, rows_max=rows_max, before=before
        )
    return [one for one in listed if _may_see(actor, one)]


def list_own_approvals(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    status: ApprovalStatus | None = ApprovalStatus.PENDING,
    rows_max: int = 50,
    before: str | None = None,
) -> list[Approval]:
    """What ``actor`` asked a second person about, newest first."""
    with context.database.read() as tx:
        listed = store.list_approvals(
            tx,
            merchants=(merchant_id,),
            status=status,
            rows_max=rows_max,
            before=before,
            requested_by=str(actor.actor),
        )
    return [one for one in listed if _may_see(actor, one)]


def count_waiting(context: Context, actor: Person, merchant_id: int) -> int:
    """How much waits that ``actor`` may decide; no more than `COUNTED_MAX` are counted."""
    now = context.clock.now()
    with context.database.read() as tx:
        pending = store.list_approvals(
            tx,
            merchants=(merchant_id,),
            status=ApprovalStatus.PENDING,
            rows_max=COUNTED_MAX,
        )
    return sum(may_decide(actor, one, now) for one in pending)


def may_decide_some(actor: Person) -> bool:
    """Whether ``actor`` may be the second person for anything."""
    return any(actor.may(right) for right in APPROVED_BY.values())


def may_decide(actor: Person, approval: Approval, now: datetime) -> bool:
    """Whether ``actor`` may be the second person of ``approval`` at ``now``. `approve` asks again."""
    return (
        actor.covers(approval.merchant_id)
        and actor.may(APPROVED_BY[approval.kind])
        and not rules.asked_for_it(approval, str(actor.actor))
        and rules.is_open(approval, now)
    )


def expire_due(context: Context, rows_max: int = 100) -> int:
    """Ends what nobody has decided in time; how many."""
    now = context.clock.now()
    with context.database.begin() as tx:
        over = store.lock_expired(tx, now, rows_max)
        for approval in over:
            _end(tx, SYSTEM, approval, ApprovalStatus.EXPIRED, None, now)
    return len(over)


def _decidable(tx: Tx, actor: Person, public_id: str, now: datetime) -> Approval:
    approval = store.lock_approval(tx, public_id)
    if approval is None or not actor.covers(approval.merchant_id):
        raise ApprovalNotFound(public_id)
    require(actor, APPROVED_BY[approval.kind])
    if rules.asked_for_it(approval, str(actor.actor)):
        raise ApproverIsRequester
    if not rules.is_open(approval, now):
        raise ApprovalOver(approval)
    return approval


def _end(
    tx: Tx,
    actor: Actor,
    approval: Approval,
    status: ApprovalStatus,
    note: str | None,
    now: datetime,
) -> Approval:
    said = None if note is None else note.strip()[: rules.NOTE_CHARACTERS_MAX] or None
    store.decide(tx, approval.id, status, by=str(actor), name=actor.name, note=said, now=now)
    _record(tx, actor, f"approval.{status.value}", approval, now, said)
    ended = store.find_approval(tx, approval.id)
    assert ended is not None
    return ended


def _record(
    tx: Tx, actor: Actor, action: str, approval: Approval, now: datetime, note: str | None
) -> None:
    record(
        tx,
        actor,
        action,
        f"approval:{approval.id}",
        now,
        merchant_id=approval.merchant_id,
        kind=approval.kind.value,
        about=approval.subject,
        amount=None if approval.amount is None else str(approval.amount),
        requested_by=approval.requested_by,
        note=note,
    )


def _expire(tx: Tx, merchant_id: int, kind: ApprovalKind, subject: str, now: datetime) -> None:
    """Makes room for what is asked again after nobody decided."""
    waiting = store.find_pending(tx, merchant_id, kind, subject)
    if waiting is not None and not rules.is_open(waiting, now):
        _end(tx, SYSTEM, waiting, ApprovalStatus.EXPIRED, None, now)


def _may_see(actor: Person, approval: Approval) -> bool:
    asked = approval.requested_by == str(actor.actor)
    return actor.covers(approval.merchant_id) and (asked or actor.may(APPROVED_BY[approval.kind]))
