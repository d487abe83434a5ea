"""The switch of a merchant that stops all outgoing money.

Who moves money asks here, in the transaction that commits the intent to send it. A turn of the
switch waits for such transactions and they for it: after "stopped" has been answered no call that
moves money begins any more. One that had begun before is finished, and what it told is settled.
"""

from __future__ import annotations

from typing import Final

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants import store
from daozhang.service.merchants.model import CHANGED_SIGNAL, OutgoingSwitch
from daozhang.service.merchants.refusals import OutgoingReasonMissing, OutgoingStopped
from daozhang.service.web.context import Context

REASON_CHARACTERS_MAX: Final = 256


def stopped_by(tx: Tx, merchant_id: int) -> OutgoingSwitch | None:
    """What stops the merchant's outgoing money, ``None`` if nothing; so until ``tx`` ends."""
    store.lock_switch(tx, merchant_id, to_turn=False)
    newest = store.list_switches(tx, merchant_id, 1)
    return newest[0] if newest and not newest[0].allowed else None


def require_outgoing(tx: Tx, merchant_id: int) -> None:
    """Raises `OutgoingStopped` if no money may go out for the merchant."""
    stopped = stopped_by(tx, merchant_id)
    if stopped is not None:
        raise OutgoingStopped(stopped)


def turn_outgoing(
    tx: Tx, context: Context, merchant_id: int, *, allowed: bool, reason: str, actor: Actor
) -> OutgoingSwitch:
    """Stops or allows the merchant's outgoing money; how the switch stands then.

    To what it is already, nothing changes and the first reason stays. What waits for it resumes by
    itself. Raises `OutgoingReasonMissing`.
    """
    said = reason.strip()
    if not said or len(said) > REASON_CHARACTERS_MAX:
        raise OutgoingReasonMissing
    store.lock_switch(tx, merchant_id, to_turn=True)
    newest = store.list_switches(tx, merchant_id, 1)
    if newest and newest[0].allowed == allowed:
        return newest[0]
    turned = OutgoingSwitch(allowed, said, str(actor)[:64], context.clock.now())
    store.insert_switch(
        tx,
        {
            "merchant_id": merchant_id,
            "allowed": turned.allowed,
            "reason": turned.reason,
            "changed_by": turned.changed_by,
            "changed_at": turned.changed_at,
        },
    )
    record(
        tx,
        actor,
        "outgoing.allowed" if allowed else "outgoing.stopped",
        f"merchant:{merchant_id}",
        turned.changed_at,
        merchant_id=merchant_id,
        reason=said,
    )
    tx.after_commit(lambda: context.signals.wake(CHANGED_SIGNAL))
    return turned
