"""A hold from what was handed out to its end, and each release: one durable step at a time.

What is about to be done is on disk before it is done. Steps can run twice: a question and a cancel change
nothing the second time, and the number of a release makes it one release however often it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from daozhang.alipay.errors import ConfigurationError
from daozhang.service.charges.model import Charge
from daozhang.service.db import Tx
from daozhang.service.holds import rules, store
from daozhang.service.holds.actions import ask_soon, give_up
from daozhang.service.holds.calls import HoldCalls, Outcome
from daozhang.service.holds.events import RELEASE_FAILED, RELEASED
from daozhang.service.holds.model import (
    Hold,
    HoldFactKind,
    HoldStatus,
    Release,
    ReleaseStatus,
)
from daozhang.service.holds.rules import Action, ReleaseAction, Told
from daozhang.service.holds.settling import (
    HOLDS_SIGNAL,
    announce,
    lock_hold,
    note_call,
    own_step,
    settle_hold,
    tell_person,
)
from daozhang.service.merchants.outgoing import stopped_by
from daozhang.service.orders.model import Order
from daozhang.service.web.context import Context

STEPS_AT_ONCE: Final = 3
"""A step that gives a hold up is followed by the one that cancels it."""

STOPPED_SECONDS: Final = 60
"""When a release is tried again that the merchant's switch for outgoing money keeps back."""


@dataclass(frozen=True, slots=True)
class HoldWork:
    """Works holds off."""

    calls: HoldCalls

    @property
    def context(self) -> Context:
        """The surroundings of the service."""
        return self.calls.context

    # ---- the freeze by a code

    def freeze(self, hold: Hold, auth_code: str, scene: str) -> None:
        """Sends the freeze of a code that has just been scanned, once, and takes what it told."""
        try:
            answer = self.calls.freeze(hold, auth_code, scene)
        except ConfigurationError:
            with self.context.database.begin() as tx:
                # Nothing has left this house.
                give_up(tx, self.context, lock_hold(tx, hold.id), "not_sent")
            raise
        with self.context.database.begin() as tx:
            locked = lock_hold(tx, hold.id)
            store.update_hold(tx, hold.id, last_code=answer.code, last_message=answer.message)
            if answer.fact is not None:
                locked = settle_hold(tx, self.context, locked, answer.fact)
            else:
                self._note(tx, locked, "freeze", answer.outcome.name.lower(), answer.code)
            if answer.outcome is Outcome.REFUSED and not locked.attention:
                # A definite no does not prove that nothing is there (money.md §5): cancel, confirm.
                give_up(tx, self.context, locked, "refused")
            elif locked.status in (HoldStatus.CREATED, HoldStatus.WAITING):
                due_at = rules.due_after_asking(locked, self.context.clock.now(), self._grace)
                self._save(tx, locked, due_at=due_at)

    # ---- the steps

    def run(self, hold_id: int) -> None:
        """Takes the next step of a hold: its oldest open release, else the hold itself."""
        for _ in range(STEPS_AT_ONCE):
            with self.context.database.begin() as tx:
                hold = lock_hold(tx, hold_id)
                release = _oldest_open(store.list_releases(tx, hold_id))
                if release is not None:
                    release, action = self._begin_release(tx, hold, release)
                else:
                    action = self._begin(tx, hold)
            if release is not None:
                if isinstance(action, ReleaseAction):
                    self._release(hold, release, action)
                return
            if action is Action.ASK:
                self._ask(hold)
            elif action is Action.CANCEL:
                self._cancel(hold)
            if action is not Action.GIVE_UP:
                return

    def _begin(self, tx: Tx, hold: Hold) -> Action:
        action = rules.next_action(hold, self.context.clock.now(), self._grace)
        if action is Action.ASK:
            self._save(tx, hold, ask_count=hold.ask_count + 1)
        elif action is Action.CANCEL:
            self._save(tx, hold, cancel_count=hold.cancel_count + 1)
        elif action is Action.GIVE_UP:
            give_up(tx, self.context, hold, "expiry")
        else:
            self._save(tx, hold, due_at=None)
        return action

    def _ask(self, hold: Hold) -> None:
        fact = self.calls.ask(hold)
        with self.context.database.begin() as tx:
            locked = lock_hold(tx, hold.id)
            if fact is not None:
                locked = settle_hold(tx, self.context, locked, fact)
            else:
                self._note(tx, locked, "query", "unknown")
            self._plan(tx, hold, locked)

    def _plan(self, tx: Tx, before: Hold, after: Hold) -> None:
        """When a hold is worked on next, unless somebody has asked for it meanwhile."""
        now = self.context.clock.now()
        nudged = after.due_at is not None and after.due_at <= now
        if nudged and after.due_at != before.due_at:
            return
        if after.status in (HoldStatus.FINISHED, HoldStatus.CLOSED):
            self._save(tx, after, due_at=None)
        elif _oldest_open(store.list_releases(tx, after.id)) is not None:
            self._save(tx, after, due_at=now)
        elif after.status is HoldStatus.CLOSING:
            given_up = before.status is not HoldStatus.CLOSING
            due_at = now if given_up else rules.due_after_cancelling(after, now)
            self._save(tx, after, due_at=due_at)
        else:
            self._save(tx, after, due_at=rules.due_after_asking(after, now, self._grace))

    def _cancel(self, hold: Hold) -> None:
        answer = self.calls.cancel(hold)
        fact = answer.fact if answer.fact is not None else self.calls.ask(hold)
        refused = answer.outcome is Outcome.REFUSED
        with self.context.database.begin() as tx:
            locked = lock_hold(tx, hold.id)
            now = self.context.clock.now()
            self._save(tx, locked, last_code=answer.code, last_message=answer.message)
            outcome = answer.code if answer.fact is not None else answer.outcome.name.lower()
            self._note(tx, locked, "cancel", str(outcome), None if answer.fact else answer.code)
            frozen = fact is not None and fact.kind is HoldFactKind.AUTHORIZED
            if refused and frozen and locked.status is HoldStatus.CLOSING:
                # Definitely not undone, and a fresh question says that it is frozen: it stands, and a
                # person decides what becomes of the money.
                locked = own_step(
                    tx, locked, HoldStatus.WAITING, "cancel_refused", now, closed_reason=None
                )
                detail = f"the cancel was refused with {answer.code}, and the money is frozen"
                tell_person(tx, self.context, locked, "hold_cancel_refused", detail, now)
                locked = replace(locked, attention=True)
            if fact is not None:
                locked = settle_hold(tx, self.context, locked, fact)
            if locked.cancel_count == rules.CANCELS_BEFORE_PERSON and (
                locked.status is HoldStatus.CLOSING
            ):
                detail = f"{locked.cancel_count} cancels proved nothing"
                tell_person(tx, self.context, locked, "cancel_stays_unclear", detail, now)
            self._plan(tx, hold, locked)

    # ---- releases

    def _begin_release(
        self, tx: Tx, hold: Hold, release: Release
    ) -> tuple[Release, ReleaseAction | None]:
        action = rules.next_release_action(release)
        now = self.context.clock.now()
        ref = release.out_request_no or ""
        if action is ReleaseAction.CALL and stopped_by(tx, hold.merchant_id) is not None:
            self._note(tx, hold, "unfreeze", "stopped", ref=ref)
            self._save(tx, hold, due_at=now + timedelta(seconds=STOPPED_SECONDS))
            return release, None
        if action is ReleaseAction.CALL:
            store.update_release(
                tx, release.id, calling=True, called_at=now, call_count=release.call_count + 1
            )
        else:
            if action is ReleaseAction.DOUBT:
                self._note(tx, hold, "unfreeze", "interrupted", ref=ref)
            status = ReleaseStatus.UNKNOWN.value
            count = release.ask_count + 1
            store.update_release(tx, release.id, calling=False, status=status, ask_count=count)
        (fresh,) = (r for r in store.list_releases(tx, hold.id) if r.id == release.id)
        return fresh, action

    def _release(self, hold: Hold, release: Release, action: ReleaseAction) -> None:
        code, message = release.last_code, release.last_message
        if action is ReleaseAction.CALL:
            told, code, message = self.calls.unfreeze(hold, release)
        else:
            told = self.calls.ask_release(hold, release)
        with self.context.database.begin() as tx:
            locked = lock_hold(tx, hold.id)
            (current,) = (r for r in store.list_releases(tx, hold.id) if r.id == release.id)
            if not current.is_open:
                return
            now = self.context.clock.now()
            called = action is ReleaseAction.CALL
            name, said = ("unfreeze", code) if called else ("unfreeze_query", None)
            self._note(tx, locked, name, told.value, said, ref=release.out_request_no or "")
            if called:
                current = replace(current, rejected=told is Told.REJECTED)
            after = replace(
                current,
                status=rules.release_after(current, told, now),
                calling=False,
                last_code=code,
                last_message=message,
            )
            ended = not after.is_open
            store.update_release(
                tx,
                release.id,
                status=after.status.value,
                calling=False,
                rejected=after.rejected,
                last_code=code,
                last_message=message,
                updated_at=now,
                **({"ended_at": now} if ended else {}),
            )
            if ended:
                succeeded = after.status is ReleaseStatus.SUCCEEDED
                event = RELEASED if succeeded else RELEASE_FAILED
                announce(tx, self.context, locked, event, now, release=after)
            # After the last one the hold is asked about: it may have come to its end.
            self._save(tx, locked, due_at=now if ended else rules.release_due(after, now))

    def learn(self, hold_id: int) -> bool:
        """Asks about a hold and its open releases, once, and takes the answers; whether all were answered.

        Nothing is sent: what is open is worked off later, as always.
        """
        with self.context.database.read() as tx:
            hold = store.find_hold_by_id(tx, hold_id)
            releases = [one for one in store.list_releases(tx, hold_id) if one.is_open]
        assert hold is not None, f"hold row {hold_id} is gone, and holds are never deleted"
        answers = [(one, self.calls.ask_release(hold, one)) for one in releases]
        fact = self.calls.ask(hold)
        with self.context.database.begin() as tx:
            locked = lock_hold(tx, hold_id)
            for release, told in answers:
                if told is Told.DONE:
                    self._release_done(tx, locked, release)
            if fact is not None:
                settle_hold(tx, self.context, locked, fact)
        return fact is not None and all(told is not Told.UNKNOWN for _, told in answers)

    def _release_done(self, tx: Tx, hold: Hold, release: Release) -> None:
        now = self.context.clock.now()
        done = replace(release, status=ReleaseStatus.SUCCEEDED)
        store.update_release(
            tx, release.id, status=done.status.value, calling=False, ended_at=now, updated_at=now
        )
        announce(tx, self.context, hold, RELEASED, now, release=done)

    # ---- who tells us

    def capture_ended(self, tx: Tx, charge: Charge, order: Order) -> None:
        """A payment out of a hold has ended: Alipay is asked what that left."""
        del order
        ask_soon(tx, self.context, lock_hold(tx, charge.owner_id))

    # ---- rows

    @property
    def _grace(self) -> int:
        return self.context.settings.expiry_grace_seconds

    def _note(
        self,
        tx: Tx,
        hold: Hold,
        call: str,
        outcome: str,
        code: str | None = None,
        *,
        ref: str = "",
    ) -> None:
        now = self.context.clock.now()
        note_call(tx, hold, call, outcome, now, code=code, source_ref=ref)

    def _save(self, tx: Tx, hold: Hold, **values: Any) -> None:
        store.update_hold(tx, hold.id, updated_at=self.context.clock.now(), **values)
        if "due_at" in values:
            tx.after_commit(lambda: self.context.signals.wake(HOLDS_SIGNAL))


def _oldest_open(releases: list[Release]) -> Release | None:
    return next((release for release in releases if release.is_open), None)
