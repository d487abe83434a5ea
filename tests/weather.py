"""Weather: everything that goes wrong between Alipay and us, all at once, over many orders.

Orders live their lives while notifications are doubled, lost, late, overtaken and wrongly signed,
and while the gateway is slow, breaks off, answers nonsense or carries out what it does not answer.
Then the sky clears, days pass, and our books must be the emulator's ledger to the fen.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from daozhang.emulator.faults import Fault
from daozhang.emulator.ledger import Declined, RefundOrigin
from daozhang.money import Money
from worlds import World

TOTAL: Final = Money.parse("88.88")
DAY_SECONDS: Final = 24 * 3600
WAVE_SECONDS: Final = 60
EXPIRY_SECONDS: Final = 3600
HANDS: Final = 6
"""Buyers and tills that act at the same moment."""

GATEWAY_TIMEOUT_SECONDS: Final = 1.0
"""As short as a test can wait: what takes longer is given up on, as after ten seconds in earnest."""

REFUND: Final = "alipay.trade.refund"

STORM: Final[Sequence[dict[str, Any]]] = (
    {"name": "notify_twice", "probability": 0.25},
    {"name": "notify_answer_lost", "probability": 0.15},
    {"name": "notify_out_of_order", "probability": 0.2, "seconds": 240},
    {"name": "notify_before_return", "probability": 0.05},
    {"name": "notify_bad_signature", "probability": 0.15},
    {"name": "refund_notice_without_ids", "probability": 0.2},
    {"name": "slow", "probability": 0.02, "seconds": 0.3},
    {"name": "slow", "method": REFUND, "probability": 0.005, "seconds": 1.5},
    {"name": "gateway_20000", "probability": 0.05},
    {"name": "gateway_gbk_error", "probability": 0.03},
    {"name": "gateway_bad_signature", "probability": 0.05},
    {"name": "gateway_unsigned", "probability": 0.03},
    {"name": "gateway_timeout_after_success", "probability": 0.05, "seconds": 0.05},
    {
        "name": "gateway_timeout_after_success",
        "method": REFUND,
        "probability": 0.15,
        "seconds": 0.05,
    },
    {
        "name": "gateway_timeout_after_success",
        "method": REFUND,
        "probability": 0.01,
        "seconds": 1.5,
    },
    {"name": "query_closed_without_amounts", "probability": 0.2},
    {"name": "pay_after_not_exist", "probability": 0.05},
    {"name": "seller_balance_not_enough", "probability": 0.05},
)
"""What strikes, and how often. Loss is apart: see `Weather._told_of`."""

LOSS: Final = {"name": "notify_never", "probability": 0.15}


@dataclass
class Life:
    """What becomes of one order, and what was asked for in its name."""

    number: str
    opens: bool
    pays: bool
    closes: bool
    refunds: list[tuple[str, Money]]  # by us, by request number
    centre: Money | None  # by the merchant centre
    asked: dict[str, Money] = field(default_factory=dict[str, Money])


def life_of(number: str, chance: random.Random) -> Life:
    """A life by chance: most pay, a third of those get money back."""
    opens = chance.random() < 0.93
    pays = opens and chance.random() < 0.9
    refunds: list[tuple[str, Money]] = []
    if pays and chance.random() < 0.25:
        whole = chance.random() < 0.3
        for index in range(1 if whole else chance.randint(1, 3)):
            amount = TOTAL if whole else Money(chance.randint(1, TOTAL.minor // 2))
            refunds.append((f"{number}-R{index}", amount))
    left = pays and chance.random() < 0.06
    return Life(
        number,
        opens=opens,
        pays=pays,
        closes=chance.random() < 0.03,
        refunds=refunds,
        centre=Money(chance.randint(1, TOTAL.minor)) if left else None,
    )


class Weather:
    """A world in a storm."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world = world
        self.lives: list[Life] = []
        self.refusals: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._faults: list[Fault] = []
        self._counting = threading.Lock()
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="hand")

    # ---- the storm

    def rise(self) -> None:
        """Everything goes wrong from now on."""
        for fault in (*STORM, LOSS):
            self._set(fault)

    def clear(self) -> None:
        """The sky clears; what is under way meets the last of it."""
        self.world.emulator.clear_faults()

    def struck(self) -> Counter[str]:
        """How often each fault has struck."""
        counts: Counter[str] = Counter()
        for fault in self._faults:
            counts[fault.name.value] += fault.struck
        return counts

    def _set(self, fault: dict[str, Any]) -> None:
        self._faults.append(self.world.emulator.set_fault(**fault))

    @contextmanager
    def _told_of(self) -> Generator[None]:
        """While nothing is lost for good: a refund in the merchant centre has only its notice.

        Whoever misses that learns of it from the bill (it may be late, twice, or wrongly signed).
        """
        self.clear()
        for fault in STORM:
            self._set(fault)
        yield
        self._set(LOSS)

    # ---- the orders

    def live(self, orders: int, *, wave: int) -> None:
        """Lets ``orders`` live, a wave each minute; then those that nobody pays expire."""
        self.rise()
        waiting: list[Life] = []
        while len(self.lives) < orders:
            born = [
                life_of(f"S{len(self.lives) + index:06d}", self._chance)
                for index in range(min(wave, orders - len(self.lives)))
            ]
            self.lives += born
            list(self._hands.map(self._begin, born))
            waiting = self._give_back([*waiting, *(life for life in born if life.refunds)])
            self.world.advance(WAVE_SECONDS)
        while waiting:
            self.world.advance(WAVE_SECONDS)
            waiting = self._give_back(waiting)
        self.world.advance(EXPIRY_SECONDS)

    def pass_away(self) -> None:
        """The sky clears, and days pass: everything that is to be learned is."""
        self.clear()
        self.world.advance(3 * DAY_SECONDS)

    def close(self) -> None:
        """Ends the threads."""
        self._hands.shutdown()

    def _begin(self, life: Life) -> None:
        world = self.world
        made = world.api.post(
            "/v1/orders",
            json={"out_trade_no": life.number, "amount": str(TOTAL), "subject": "明前龙井"},
        )
        assert made.status_code == 201, made.text
        if life.opens:
            page = world.browser.get(made.json()["pay_url"])
            assert page.status_code == 200, page.text
        if life.closes:
            answer = world.api.post(f"/v1/orders/{life.number}/close", json={})
            assert answer.status_code in (200, 202, 409, 502, 503), answer.text
        if life.pays:
            try:
                world.emulator.desk.pay(world.emulator.trade(life.number))
            except Declined:
                # It was closed before, or ``pay_after_not_exist`` has played the buyer already.
                if world.emulator.trade(life.number).paid_at is None:
                    assert life.closes
                    life.refunds.clear()

    def _give_back(self, lives: Sequence[Life]) -> list[Life]:
        """Asks for the refunds of all; those whose payment is not known yet, to be asked again."""
        self.world.settle()
        left = [life for life in self._hands.map(self._refund_all, lives) if life is not None]
        with self._told_of():
            for life in lives:
                self._refund_in_centre(life)
        return left

    def _refund_all(self, life: Life) -> Life | None:
        for request_no, amount in list(life.refunds):
            # A till that is not sure asks again, with the same number.
            for _ in range(2 if amount.minor % 4 == 0 else 1):
                answer = self.world.refund(life.number, str(amount), request_no)
                self._count(answer.status_code, answer.json().get("code", ""))
                if answer.status_code == 409 and self._is_early(life):
                    return life
                assert answer.status_code in (200, 201, 409), answer.text
                if answer.status_code != 409:
                    life.asked[request_no] = amount
            life.refunds.remove((request_no, amount))
        return None

    def _is_early(self, life: Life) -> bool:
        return self.world.read(life.number)["status"] in ("created", "waiting", "closing", "closed")

    def _count(self, status: int, code: str) -> None:
        with self._counting:
            self.refusals[f"{status} {code}".strip()] += 1

    def _refund_in_centre(self, life: Life) -> None:
        if life.centre is None:
            return
        trade = self.world.emulator.trade(life.number)
        if trade.paid_at is not None and life.centre <= trade.remaining:
            self.world.emulator.desk.refund(
                trade, life.centre, f"{life.number}-C", "", RefundOrigin.CENTRE
            )
        life.centre = None
