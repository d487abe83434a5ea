"""What was told of a settlement becomes what the books say of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from daozhang.service.db import Tx
from daozhang.service.orders.announcing import announce, tell_person
from daozhang.service.orders.model import Order
from daozhang.service.settlements import rules, store
from daozhang.service.settlements.events import CONFIRMED, FAILED, settlement_snapshot
from daozhang.service.settlements.model import Answer, Settlement, SettlementStatus
from daozhang.service.settlements.requesting import SETTLEMENTS_SIGNAL
from daozhang.service.sharing.planning import share_by_plan
from daozhang.service.sharing.rules import due_after, person_is_due
from daozhang.service.web.context import Context


def take_answer(
    tx: Tx, context: Context, order: Order, settlement: Settlement, answer: Answer, now: datetime
) -> None:
    """Moves a settlement of a locked order by what was told. The same again changes nothing. What is confirmed is
    shared by the order's plan.

    Nothing is posted to the ledger: a confirmed settlement is a promise, and what has arrived the account bill tells.
    """
    move = rules.TRANSITIONS[settlement.status][answer.outcome]
    if move == rules.Move():
        return
    saved = _save(tx, context, settlement, answer, move, now)
    if saved.status is not settlement.status and not saved.is_open:
        confirmed = saved.status is SettlementStatus.CONFIRMED
        snapshot = settlement_snapshot(saved)
        name = CONFIRMED if confirmed else FAILED
        announce(tx, context, order, name, now, settlement=snapshot)
        if confirmed:
            share_by_plan(tx, context, order, now)
    surprise = move.surprise
    if surprise is None and person_is_due(settlement) and saved.is_open:
        surprise = "settlement_stays_unclear"
    if surprise is not None:
        said = f"{answer.code or answer.outcome.value}: {answer.message or ''}"
        detail = f"settlement {settlement.out_request_no}: {said}"
        tell_person(tx, context, order, surprise, detail, settlement.amount, now)


def _save(
    tx: Tx,
    context: Context,
    settlement: Settlement,
    answer: Answer,
    move: rules.Move,
    now: datetime,
) -> Settlement:
    status = move.to or settlement.status
    values: dict[str, Any] = {
        "status": status.value,
        "calling": False,
        "due_at": due_after(move.follow, settlement, now),
        "updated_at": now,
    }
    if answer.code is not None:
        values |= {"last_code": answer.code, "last_message": answer.message}
    if status in (SettlementStatus.CONFIRMED, SettlementStatus.FAILED):
        values["ended_at"] = now
    store.update_settlement(tx, settlement.id, **values)
    if values["due_at"] is not None:
        tx.after_commit(lambda: context.signals.wake(SETTLEMENTS_SIGNAL))
    return store.read_settlement(tx, settlement.id)
