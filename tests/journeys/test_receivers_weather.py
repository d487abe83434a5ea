"""Receivers in bad weather: whatever they do, every event arrives once they are back, in order.

The short form runs with all tests; ``make chaos`` runs the long one, on both databases. Time is
the manual clock's, pushed in steps; only a receiver that hangs takes time of ours.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from daozhang.clock import ManualClock
from daozhang.service.outbox.store import events
from daozhang.service.webhooks.drain import POST_SECONDS_MAX
from databases import on_postgresql
from figures import note_figures
from receivers import Answer, Got, Receiver, receiver
from signed_world import SignedWorld, paid, signed_world

MINUTE_SECONDS = 60
OUTAGE_SECONDS = 3600
LADDER_SECONDS = 30 * 3600
"""Longer than what is left of the ladder after an hour of failures."""

HANGS = 3
BOUT_STEPS = 12
"""A receiver hangs on so many POSTs, and again after so many steps: each bout takes 15 s of ours."""


@dataclass
class Moods:
    """How each receiver behaves during the outage; afterwards all of them are well."""

    elsewhere: str
    hangs: int = 0
    is_over: bool = False
    _chance: random.Random = field(default_factory=lambda: random.Random(11))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def well(self, _got: Got) -> Answer:
        return Answer()

    def fails_at_random(self, _got: Got) -> Answer:
        with self._lock:
            dice = self._chance.random()
        if self.is_over or dice < 0.4:
            return Answer()
        if dice < 0.5:
            return Answer(hangs_up=True)
        if dice < 0.6:
            return Answer(429, headers={"Retry-After": "120"})
        return Answer((404, 500, 502, 503)[int(dice * 100) % 4])

    def answers_500(self, _got: Got) -> Answer:
        return Answer() if self.is_over else Answer(500)

    def redirects(self, _got: Got) -> Answer:
        return Answer() if self.is_over else Answer(307, headers={"Location": self.elsewhere})

    def hangs_first(self, _got: Got) -> Answer:
        with self._lock:
            self.hangs -= 1
            is_hanging = self.hangs >= 0
        return Answer(delay_seconds=POST_SECONDS_MAX + 1) if is_hanging else Answer()


class Storm:
    """A service with receivers in every mood, and orders that come while they are in it."""

    def __init__(self, world: SignedWorld, stack: ExitStack) -> None:
        self.world = world
        self._stack = stack
        self.elsewhere = stack.enter_context(receiver("/elsewhere"))
        self.moods = Moods(self.elsewhere.url)
        self.hooks: dict[str, list[Receiver]] = {}
        moods: dict[str, Callable[[Got], Answer]] = {
            "well": self.moods.well,
            "fails at random": self.moods.fails_at_random,
            "500 for an hour": self.moods.answers_500,
            "redirects": self.moods.redirects,
            "hangs": self.moods.hangs_first,
        }
        for name, mood in moods.items():
            self._listen(name, stack.enter_context(receiver()), mood)
        with receiver() as there:
            self._listen("vanishes", there, self.moods.well)
        self._address_of_vanished = int(there.url.rpartition(":")[2].partition("/")[0])
        self.numbers: list[str] = []

    def _listen(self, name: str, hook: Receiver, mood: Callable[[Got], Answer]) -> None:
        hook.answer = mood
        self.hooks[name] = [hook]
        added = self.world.api.post("/v1/webhook_endpoints", json={"url": hook.url})
        assert added.status_code == 201, added.text

    def live(self, orders: int, *, steps: int) -> None:
        """An hour, in which orders come and go on while receivers are in their moods."""
        per_step = -(-orders // steps)
        for step in range(steps):
            if step % BOUT_STEPS == 0:
                self.moods.hangs = HANGS
            for _ in range(min(per_step, orders - len(self.numbers))):
                self._begin(f"K-{len(self.numbers)}")
            for number in self.numbers[max(0, (step - 2) * per_step) : (step - 1) * per_step]:
                self._finish(number)
            self.pass_time(OUTAGE_SECONDS / steps, step_seconds=OUTAGE_SECONDS / steps)
        for number in self.numbers[(steps - 2) * per_step :]:
            self._finish(number)
        self.pass_time(MINUTE_SECONDS, step_seconds=MINUTE_SECONDS)

    def clear(self) -> None:
        """They are all back."""
        self.moods.is_over = True
        back = self._stack.enter_context(receiver(port=self._address_of_vanished))
        self.hooks["vanishes"].append(back)

    def pass_time(self, seconds: float, *, step_seconds: float) -> None:
        """Pushes the clock in steps: each delivery has a due moment of its own, by chance."""
        clock = self.world.context.clock
        assert isinstance(clock, ManualClock)
        self.world.pass_time()  # what is under way must not find its lease ended by a leap
        for _ in range(round(seconds / step_seconds)):
            clock.set(clock.now() + timedelta(seconds=step_seconds))
            self.world.pass_time()

    def _begin(self, number: str) -> None:
        """An order that is paid; every fifth was closed before, and is paid all the same."""
        self.world.create(number)
        self.numbers.append(number)
        if len(self.numbers) % 5 == 0:
            closed = {"trade_status": "TRADE_CLOSED", "gmt_payment": None}
            amounts = dict.fromkeys(("receipt_amount", "buyer_pay_amount"))
            self.world.tell(paid(number, notify_id=f"c{number}", **closed, **amounts))
            self.world.pass_time()
        self.world.tell(paid(number))

    def _finish(self, number: str) -> None:
        self.world.tell(paid(number, notify_id=f"f{number}", trade_status="TRADE_FINISHED"))


def test_whatever_receivers_do_every_event_arrives_in_order(tmp_path: Path) -> None:
    _storm(tmp_path, orders=20, steps=4, rest_seconds=3600)


@pytest.mark.chaos
@pytest.mark.timeout(7200)
def test_whatever_receivers_do_thousands_of_events_arrive_in_order(tmp_path: Path) -> None:
    _storm(tmp_path, orders=2000, steps=60, rest_seconds=300)


def _storm(directory: Path, *, orders: int, steps: int, rest_seconds: float) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        world = stack.enter_context(signed_world(directory, webhooks_allow_private=True))
        storm = Storm(world, stack)
        storm.live(orders, steps=steps)
        missing = {name: _missing(world, hooks) for name, hooks in storm.hooks.items()}
        # While they are away they get nothing, and it takes nothing from the one that is well.
        assert missing["well"] == 0
        assert min(missing["500 for an hour"], missing["redirects"], missing["vanishes"]) > 0
        storm.clear()
        storm.pass_time(LADDER_SECONDS, step_seconds=rest_seconds)
        assert storm.elsewhere.got == [], "a redirect was followed"
        for name, hooks in storm.hooks.items():
            row = _check(world, name, hooks) | {"missing before": missing[name]}
            assert name != "well" or row["more than once"] == 0
            note_figures("receivers", row)
            print(row)
    print(f"{orders} orders in {time.monotonic() - began:.0f} s")


def _events(world: SignedWorld) -> set[str]:
    """The id of every event there is."""
    with world.context.database.read() as tx:
        return set(tx.execute(sa.select(events.c.id)).scalars())


def _taken(hooks: list[Receiver]) -> list[dict[str, Any]]:
    return [json.loads(got.body) for hook in hooks for got in hook.taken()]


def _missing(world: SignedWorld, hooks: list[Receiver]) -> int:
    return len(_events(world) - {event["id"] for event in _taken(hooks)})


def _check(world: SignedWorld, name: str, hooks: list[Receiver]) -> dict[str, Any]:
    """All have arrived, those of one order one after the other; how many, and how often."""
    expected = _events(world)
    taken = _taken(hooks)
    times = Counter(event["id"] for event in taken)
    assert set(times) == expected, name
    sequences: defaultdict[str, list[int]] = defaultdict(list)
    for event in _firsts(taken):
        sequences[_number_in(event)].append(event["sequence"])
    for number, heard in sequences.items():
        assert heard == sorted(heard), (name, number, heard)
    # An attempt at a later event before the earlier one has arrived would be out of order as well.
    for number, tried in _tried(hooks).items():
        assert tried == sorted(tried), (name, number, tried)
    attempts = sum(len(hook.got) for hook in hooks)
    return {
        "database": "postgresql" if on_postgresql() else "sqlite",
        "receiver": name,
        "events": len(expected),
        "arrived": len(times),
        "POSTs that reached it": attempts,
        "more than once": sum(count > 1 for count in times.values()),
        "out of order": 0,
    }


def _tried(hooks: list[Receiver]) -> dict[str, list[int]]:
    tried: defaultdict[str, list[int]] = defaultdict(list)
    for hook in hooks:
        for event in _firsts([json.loads(got.body) for got in hook.got]):
            tried[_number_in(event)].append(event["sequence"])
    return tried


def _firsts(heard: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each event where it was first heard: a copy that hung is noted when it has become old."""
    firsts: dict[str, dict[str, Any]] = {}
    for event in heard:
        firsts.setdefault(event["id"], event)
    return list(firsts.values())


def _number_in(event: dict[str, Any]) -> str:
    told = event["data"].get("order") or event["data"]["surprise"]
    return str(told["out_trade_no"])
