"""The one door by which a fact about an agreement enters, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from daozhang.money import Money
from daozhang.service.agreements import rules, store
from daozhang.service.agreements.events import DeductionSnapshot, agreement_snapshot, subject_of
from daozhang.service.agreements.model import Agreement, AgreementFact, AgreementStatus
from daozhang.service.agreements.telling import cause_of_call
from daozhang.service.db import Tx
from daozhang.service.orders.actions import raise_surprise
from daozhang.service.orders.rules import SURPRISE
from daozhang.service.outbox.actions import append_event
from daozhang.service.web.context import Context

AGREEMENTS_SIGNAL: Final = "agreements"
"""Wakes the sweep over agreements that are due, in this process."""

_ENDED: Final = (AgreementStatus.ENDED, AgreementStatus.EXPIRED)
_LEARNED: Final = (
    "agreement_no", "signed_at", "valid_at", "invalid_at", "buyer_id", "buyer_open_id",
    "buyer_logon_id",
)  # fmt: skip


def lock_agreement(tx: Tx, agreement_id: int) -> Agreement:
    """The agreement with that row id, locked until the transaction ends: one writer at a time."""
    agreement = store.find_by_id(tx, agreement_id, lock=True)
    assert agreement is not None, (
        f"agreement row {agreement_id} is gone, and they are never deleted"
    )
    return agreement


def settle_agreement(
    tx: Tx, context: Context, agreement: Agreement, fact: AgreementFact
) -> Agreement:
    """Takes one fact into a locked agreement: decides by the table, writes it and its step, announces.

    Applying the same fact again changes nothing. One that does not fit leaves the agreement where it
    stands, with ``attention`` and a surprise.
    """
    decision = rules.decide(agreement, fact, grace_seconds=context.settings.expiry_grace_seconds)
    changed: dict[str, Any] = {"status": decision.status, "updated_at": fact.learned_at}
    if decision.surprise is None:
        changed |= {
            name: getattr(fact, name) for name in _LEARNED if getattr(fact, name) is not None
        }
        if fact.kind is not rules.A:
            changed["next_deduct_on"] = fact.next_deduct_on or agreement.next_deduct_on
            if changed["next_deduct_on"] != agreement.next_deduct_on:
                changed["next_try_at"] = None  # it was for another period
        grace = context.settings.expiry_grace_seconds
        counts = rules.is_past_grace(agreement, fact.learned_at, grace)
        absent = fact.kind is rules.A and counts
        changed["absent_count"] = agreement.absent_count + 1 if absent else 0
    if decision.status in _ENDED:
        changed |= {"ended_at": agreement.ended_at or fact.learned_at, "next_try_at": None}
    after = replace(agreement, **changed)
    store.update_agreement(tx, agreement.id, **{**changed, "status": after.status.value})
    _step(tx, agreement, after, fact.source, fact.source_ref, fact.learned_at, decision)
    if decision.surprise is not None:
        detail = f"{fact.source} {fact.source_ref}: {fact.kind.value}"
        tell_person(tx, context, after, decision.surprise, detail, fact.learned_at)
        after = replace(after, attention=True)
    for name in decision.events:
        announce(tx, context, after, name, fact.learned_at)
    return after


def own_step(
    tx: Tx, agreement: Agreement, status: AgreementStatus, cause: str, now: datetime, **more: Any
) -> Agreement:
    """Moves a locked agreement by what we do, not by a fact; with a step that says so."""
    store.update_agreement(tx, agreement.id, status=status.value, updated_at=now, **more)
    moved = lock_agreement(tx, agreement.id)
    _step(tx, agreement, moved, cause, "", now, rules.Decision(status))
    return moved


def note_call(
    tx: Tx, agreement: Agreement, call: str, outcome: str, now: datetime, code: str | None = None
) -> None:
    """Keeps, for the story, what a call has told that was no fact; the same again is kept once."""
    cause = cause_of_call(call, outcome)
    last = store.last_step(tx, agreement.id) or {}
    if (last.get("cause"), last.get("note")) != (cause, code):
        said = rules.Decision(agreement.status, surprise=code)
        _step(tx, agreement, agreement, cause, "", now, said)


def _step(
    tx: Tx,
    before: Agreement,
    after: Agreement,
    cause: str,
    source_ref: str,
    now: datetime,
    decision: rules.Decision,
) -> None:
    store.insert_step(
        tx,
        {
            "agreement_id": before.id,
            "at": now,
            "cause": cause,
            "source_ref": source_ref,
            "status_before": before.status.value,
            "status_after": after.status.value,
            "events": list(decision.events),
            "note": decision.surprise,
        },
    )


def announce(
    tx: Tx,
    context: Context,
    agreement: Agreement,
    name: str,
    now: datetime,
    *,
    deduction: DeductionSnapshot | None = None,
) -> None:
    """Appends an event about a locked agreement."""
    data: dict[str, Any] = {"agreement": agreement_snapshot(agreement)}
    if deduction is not None:
        data["deduction"] = {
            name: getattr(deduction, name) for name in DeductionSnapshot.__struct_fields__
        }
    append_event(
        tx,
        merchant_id=agreement.merchant_id,
        environment=agreement.environment,
        order_id=None,
        type=name,
        data=data,
        now=now,
        signals=context.signals,
        subject=subject_of(agreement),
    )


def tell_person(
    tx: Tx, context: Context, agreement: Agreement, reason: str, detail: str, now: datetime
) -> None:
    """Writes a surprise about an agreement for a person, and announces it once."""
    store.update_agreement(tx, agreement.id, attention=True)
    number = agreement.external_agreement_no
    if not raise_surprise(
        tx,
        merchant_id=agreement.merchant_id,
        order=None,
        out_trade_no=number,
        reason=reason,
        detail=f"agreement {number}: {detail}",
        amount=Money.zero(),
        now=now,
    ):
        return
    append_event(
        tx,
        merchant_id=agreement.merchant_id,
        environment=agreement.environment,
        order_id=None,
        type=SURPRISE,
        data={"order": None, "surprise": {"out_trade_no": number, "reason": reason}},
        now=now,
        signals=context.signals,
        subject=subject_of(agreement),
    )
