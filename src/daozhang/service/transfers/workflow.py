"""One step of a transfer: decide what to do, do it outside any transaction, settle what is learned.

A step is a durable job and can run twice. What it is about to do is on disk before it does it: a call
that was begun and never recorded is an unknown outcome, whatever became of the process.
"""

from __future__ import annotations

from dataclasses import dataclass

from daozhang.service.db import Tx
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.transfers import rules, store
from daozhang.service.transfers.calls import TransferCalls
from daozhang.service.transfers.model import Answer, Outcome, Transfer, TransferStatus
from daozhang.service.transfers.rules import Action
from daozhang.service.transfers.settling import lock_transfer, take_answer
from daozhang.service.web.context import Context


@dataclass(frozen=True, slots=True)
class TransferWork:
    """Works transfers off, one step at a time."""

    calls: TransferCalls

    @property
    def context(self) -> Context:
        """The surroundings of the service."""
        return self.calls.context

    def run(self, transfer_id: int) -> None:
        """Takes the next step of a transfer: send, ask, or note when to come back."""
        with self.context.database.begin() as tx:
            transfer, action = self._begin(tx, lock_transfer(tx, transfer_id))
        if action is Action.CALL:
            answer = self.calls.send(transfer)
        elif action is Action.ASK:
            answer = self.calls.ask(transfer)
        else:
            return
        self._take(transfer_id, answer)

    def learn(self, transfer_id: int) -> bool:
        """Asks about a transfer, once, and takes the answer; whether there was one. Nothing is sent."""
        with self.context.database.read() as tx:
            transfer = store.find_transfer_by_id(tx, transfer_id)
        assert transfer is not None, f"transfer row {transfer_id} is gone"
        answer = self.calls.ask(transfer)
        absent = answer.outcome is Outcome.ABSENT and not transfer.is_open
        if not absent:
            self._take(transfer_id, answer)
        return answer.outcome is not Outcome.UNKNOWN

    def _take(self, transfer_id: int, answer: Answer) -> None:
        with self.context.database.begin() as tx:
            locked = lock_transfer(tx, transfer_id)
            take_answer(tx, self.context, locked, answer, self.context.clock.now())

    def _begin(self, tx: Tx, transfer: Transfer) -> tuple[Transfer, Action]:
        """Decides under the lock, and writes down what is about to be done."""
        now = self.context.clock.now()
        allowed = stopped_by(tx, transfer.merchant_id) is None
        action, until = rules.next_action(transfer, now, outgoing_allowed=allowed)
        if action is Action.HOLD:
            store.update_transfer(tx, transfer.id, due_at=None, held_at=now)
        elif action is Action.WAIT:
            store.update_transfer(tx, transfer.id, due_at=until)
        elif action is Action.NOTHING:
            store.update_transfer(tx, transfer.id, due_at=None)
        elif action is Action.DOUBT:
            doubt = Answer(Outcome.UNKNOWN, "interrupted", "The process ended during the call.")
            take_answer(tx, self.context, transfer, doubt, now)
        elif action is Action.CALL:
            store.update_transfer(
                tx, transfer.id, calling=True, called_at=now, call_count=transfer.call_count + 1
            )
        elif transfer.status is TransferStatus.SUCCEEDED:
            store.update_transfer(tx, transfer.id, watch_count=transfer.watch_count + 1)
        else:
            store.update_transfer(tx, transfer.id, ask_count=transfer.ask_count + 1)
        return transfer, action
