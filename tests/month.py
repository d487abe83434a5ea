"""A month of business: three merchants, two Alipay accounts, days that go by, and all weather over them.

Each day orders are paid by page, code and till, refunded, shared, and money is sent out; around midnight,
too. Each morning the service fetches the bills of the day before and matches them by itself.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import httpx2

from daozhang.clock import BEIJING, business_day
from daozhang.emulator.faults import Fault
from daozhang.emulator.ledger import Declined, RefundOrigin
from daozhang.emulator.transfers import TransferStatus
from daozhang.emulator.transfers_control import Action
from daozhang.money import Money
from sharing import AGENCY, COURIER
from shops import Shop
from weather import LOSS, STORM
from worlds import World

HANDS: Final = 6
CARD = {"kind": "bank_card", "name": "李芳", "card_holder": "person"}

MORE_STORM: Final[Sequence[dict[str, Any]]] = (
    {
        "name": "gateway_timeout_after_success",
        "method": "alipay.trade.order.settle",
        "probability": 0.2,
        "seconds": 0.05,
    },
    {
        "name": "gateway_timeout_after_success",
        "method": "alipay.fund.trans.uni.transfer",
        "probability": 0.2,
        "seconds": 0.05,
    },
)
"""Beside the storm over orders: what strikes shares and transfers."""

WAVES: Final = (time(10, 30), time(15, 0), time(20, 30), time(23, 59, 40))
"""When a day's orders are made; the last ones are paid and refunded around midnight."""

MIDNIGHT: Final = WAVES[-1]

GRAIN_SECONDS: Final = 300
"""So seldom the clock stops between waves, however many orders have something due: each stop looks at all."""


@dataclass
class Life:
    """What becomes of one order, and what was asked for in its name."""

    shop: Shop
    number: str
    way: str
    amount: Money
    pays: bool
    refunds: list[tuple[str, Money]]
    centre: Money | None  # by the merchant centre
    plan: str | None = None
    shares: list[tuple[str, Money]] = field(default_factory=list[tuple[str, Money]])
    asked: dict[str, Money] = field(default_factory=dict[str, Money])

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be asked for."""
        return bool(self.refunds or self.shares)


@dataclass(frozen=True)
class Sent:
    """A transfer that was asked for, and what a bank will do about it."""

    shop: Shop
    number: str
    amount: Money
    bank: Action | None


class Month:
    """Days of business in all weather; what was asked for is noted on the way."""

    def __init__(self, world: World, shops: Sequence[Shop], *, seed: int) -> None:
        self.world = world
        self.shops = shops
        self.lives: list[Life] = []
        self.sent: list[Sent] = []
        self.refusals: Counter[str] = Counter()
        self.days: list[date] = []
        self._chance = random.Random(seed)
        self._faults: list[Fault] = []
        self._counting = threading.Lock()
        self._busy: list[Life] = []
        self._at_banks: list[Sent] = []
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="hand")

    def close(self) -> None:
        """Ends the threads."""
        self._hands.shutdown()

    # ---- the weather

    def rise(self) -> None:
        """Everything goes wrong from now on."""
        for fault in (*STORM, *MORE_STORM, LOSS):
            self._faults.append(self.world.emulator.set_fault(**fault))

    def clear(self) -> None:
        """The sky clears."""
        self.world.emulator.clear_faults()

    def struck(self) -> Counter[str]:
        """How often each fault has struck."""
        counts: Counter[str] = Counter()
        for fault in self._faults:
            counts[fault.name.value] += fault.struck
        return counts

    # ---- days

    def live(self, days: int, *, orders: int) -> None:
        """Lets days go by, with so many orders each; then the sky clears and what is under way ends."""
        self.rise()
        for _ in range(days):
            self.days.append(business_day(self.world.clock.now()))
            self._day(orders)
        self.clear()
        self.pass_days(3)

    def pass_days(self, days: int) -> None:
        """Days on which nobody buys; what is under way ends."""
        for _ in range(days):
            self._to(time(12), days=1)
            self._go_on()
            self.days.append(business_day(self.world.clock.now()) - timedelta(days=1))
        assert not self._busy, [life.number for life in self._busy][:5]

    def _day(self, orders: int) -> None:
        for index, at in enumerate(WAVES):
            self._to(at)
            born = orders * (index + 1) // len(WAVES) - orders * index // len(WAVES)
            self._wave(born, is_late=at == MIDNIGHT)
        self._to(time(10))  # it is past midnight

    def _to(self, at: time, *, days: int = 0) -> None:
        """Pushes the clock to that time in Beijing, so many days on."""
        now = self.world.clock.now().astimezone(BEIJING)
        then = datetime.combine(now.date() + timedelta(days=days), at, BEIJING)
        self.world.advance((then - now).total_seconds(), grain_seconds=GRAIN_SECONDS)

    def _wave(self, count: int, *, is_late: bool) -> None:
        born = [self._drawn(len(self.lives) + n) for n in range(count)]
        self.lives += born
        list(self._hands.map(self._begin, born))
        if is_late:
            self.world.advance(10)
            for life in born[::2]:
                self._pay(life)
            self.world.advance(9)  # one second to midnight
            for life in born[1::2]:
                self._pay(life)
        else:
            list(self._hands.map(self._pay, born))
        self._busy += [life for life in born if life.is_busy or life.centre is not None]
        for shop in self.shops:
            self._send(shop)
        self._move_own_money()
        self._go_on()
        self.world.advance(60 if not is_late else 2)

    def _go_on(self) -> None:
        """Asks for everything that waits to be asked for, and lets banks act."""
        self.world.settle()
        for life in self._busy:
            self._refund_in_centre(life)
        list(self._hands.map(self._ask_for_all, self._busy))
        self._busy = [life for life in self._busy if life.is_busy]
        self._let_banks_act()

    # ---- orders

    def _drawn(self, index: int) -> Life:
        chance = self._chance
        shop = self.shops[index % len(self.shops)]
        number = f"{shop.slug}-{index:06d}"
        minor = chance.choice((1, 83, 84, 100, 999, 8888, 12345, chance.randint(2, 50_000)))
        amount = Money(minor)
        pays = chance.random() < 0.88
        refunds: list[tuple[str, Money]] = []
        if pays and chance.random() < 0.25:
            whole = chance.random() < 0.4
            for part in range(1 if whole else chance.randint(1, 3)):
                back = amount if whole else Money(chance.randint(1, max(minor // 2, 1)))
                refunds.append((f"{number}-R{part}", back))
        centre = Money(chance.randint(1, minor)) if pays and chance.random() < 0.03 else None
        life = Life(
            shop,
            number,
            way=chance.choice(("page", "page", "qr", "barcode")),
            amount=amount,
            pays=pays,
            refunds=refunds,
            centre=centre,
        )
        # A refund past us takes nothing back from receivers, so what was shared is not refunded so.
        if pays and minor >= 100 and centre is None and chance.random() < 0.25:
            if chance.random() < 0.5:
                life.plan = "both"
            else:
                most = minor * 15 // 100
                life.shares = [
                    (account, Money(chance.randint(1, most)))
                    for account in chance.sample((AGENCY, COURIER), chance.randint(1, 2))
                ]
        return life

    def _begin(self, life: Life) -> None:
        body: dict[str, Any] = {
            "out_trade_no": life.number,
            "amount": str(life.amount),
            "subject": "明前龙井",
            "way": life.way,
        }
        if life.plan is not None:
            body["share_plan"] = life.plan
        made = life.shop.api.post("/v1/orders", json=body)
        assert made.status_code == 201, made.text
        if life.way == "page":
            page = self.world.browser.get(made.json()["pay_url"])
            assert page.status_code == 200, page.text
        elif life.way == "qr":
            self._scan(life)

    def _scan(self, life: Life) -> None:
        """The buyer scans our code; where Alipay gives none, the shop asks for it again."""
        made = life.shop.api.post(f"/v1/orders/{life.number}/qr_code")
        while made.status_code in (502, 503):
            made = life.shop.api.post(f"/v1/orders/{life.number}/qr_code")
        assert made.status_code == 200, made.text
        page = self.world.browser.get(made.json()["qr_code"])
        assert page.status_code == 200, page.text

    def _pay(self, life: Life) -> None:
        if not life.pays:
            return
        if life.way == "barcode":
            code = self.world.emulator.payment_code()
            answer = life.shop.api.post(
                f"/v1/orders/{life.number}/barcode_payment", json={"auth_code": code}
            )
            assert answer.status_code in (200, 202), answer.text
            return
        desk = self.world.emulator.desk
        try:
            desk.pay(self.world.emulator.trade(life.number))
        except Declined:
            # ``pay_after_not_exist`` has played the buyer already.
            assert self.world.emulator.trade(life.number).paid_at is not None

    # ---- what goes back, and on

    def _ask_for_all(self, life: Life) -> None:
        order = life.shop.api.get(f"/v1/orders/{life.number}").json()
        status = order["status"]
        if order["attention"] and self._is_given_back(life):
            # Nobody saw it paid before it was given back whole past us. Alipay says no more than that it is closed:
            # the bill's number tells, and a person asks by it.
            status = "closed"
        if status in ("created", "waiting", "closing"):
            return
        if status == "closed":
            life.refunds.clear()
            life.shares.clear()
            return
        if life.shares:
            body = {
                "out_request_no": f"{life.number}-S",
                "shares": [{"account": a, "amount": str(m)} for a, m in life.shares],
                "mode": "async" if life.amount.minor % 2 else "sync",
            }
            answer = life.shop.api.post(f"/v1/orders/{life.number}/shares", json=body)
            self._count("share", answer)
            assert answer.status_code in (201, 409), answer.text
            life.shares.clear()
        for request_no, amount in life.refunds:
            body = {"amount": str(amount), "out_request_no": request_no}
            answer = life.shop.api.post(f"/v1/orders/{life.number}/refunds", json=body)
            self._count("refund", answer)
            assert answer.status_code in (201, 409), answer.text
            if answer.status_code == 201:
                life.asked[request_no] = amount
        life.refunds.clear()

    def _is_given_back(self, life: Life) -> bool:
        """Whether nothing is left of its payment, by Alipay's books."""
        found = self.world.emulator.desk.find_by_number(life.number, life.shop.app_id)
        return bool(found) and found[0].paid_at is not None and not found[0].remaining

    def _count(self, what: str, answer: httpx2.Response) -> None:
        with self._counting:
            code = answer.json().get("code", "")
            self.refusals[f"{what} {answer.status_code} {code}".strip()] += 1

    def _refund_in_centre(self, life: Life) -> None:
        """Somebody gives money back past us. Its notice may be lost: then only the bill tells."""
        if life.centre is None:
            return
        found = self.world.emulator.desk.find_by_number(life.number, life.shop.app_id)
        if found and found[0].paid_at is not None and life.centre <= found[0].remaining:
            desk = self.world.emulator.desk
            desk.refund(found[0], life.centre, f"{life.number}-C", "", RefundOrigin.CENTRE)
        life.centre = None

    # ---- money that leaves by itself

    def _send(self, shop: Shop) -> None:
        for _ in range(self._chance.choice((0, 1, 1, 2))):
            number = f"{shop.slug}-T{len(self.sent):05d}"
            amount = Money(self._chance.randint(10, 30_000))
            banks: tuple[Action | None, ...] = (None, None, "arrive", "fail", "send_back")
            bank = self._chance.choice(banks)
            payee: dict[str, Any] = {"kind": "user_id", "identity": COURIER}
            if bank is not None:
                payee = CARD | {"identity": f"62220200000000{len(self.sent):05d}"}
            body = {
                "out_biz_no": number,
                "amount": str(amount),
                "payee": payee,
                "title": "三月佣金",
            }
            answer = shop.api.post("/v1/transfers", json=body)
            assert answer.status_code == 201, answer.text
            self.sent.append(Sent(shop, number, amount, bank))
            if bank in ("fail", "send_back"):
                self._at_banks.append(self.sent[-1])

    def _let_banks_act(self) -> None:
        """Banks do not take a transfer to a card, or send it back when they had taken it."""
        wanted: dict[str, TransferStatus] = {
            "fail": TransferStatus.DEALING,
            "send_back": TransferStatus.SUCCESS,
        }
        there = {one.number: one for one in self.world.emulator.transfers}
        for sent in list(self._at_banks):
            assert sent.bank is not None
            transfer = there.get(sent.number)
            if transfer is None or transfer.status not in wanted.values():
                continue
            if transfer.status is wanted[sent.bank]:
                self.world.emulator.play_transfer(sent.number, sent.bank)
                self._at_banks.remove(sent)
            elif sent.bank == "fail":  # the bank was faster
                self._at_banks.remove(sent)

    def _move_own_money(self) -> None:
        desk = self.world.emulator.desk.account
        for seller in dict.fromkeys(shop.seller_id for shop in self.shops):
            drawn = self._chance.random()
            if drawn < 0.3:
                desk.withdraw(seller, Money(self._chance.randint(1, 100_000)))
            elif drawn < 0.4:
                desk.withdrawal_bounces(seller, Money(self._chance.randint(1, 1000)))
            elif drawn < 0.5:
                desk.top_up(seller, Money(self._chance.randint(1, 100_000)))
