"""Mismatches that are laid into days on purpose, and what has to be found of each.

Half of it is the emulator's bills that show something else than was, half of it things that happened at
Alipay and were not told. What is found has to be this, and nothing else.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from daozhang.clock import business_day
from daozhang.emulator.oddities import Oddity, OddityName
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.bills.importing import BillAccount
from daozhang.service.bills.model import StatementKind
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.asking import add_rule
from daozhang.service.reconciliation.model import Mismatch, MismatchClass
from daozhang.service.reconciliation.rules import fee_of, key_of
from reconciling import to_hour
from shops import FEE_PPM, Shop
from worlds import World

TRADE, ACCOUNT = StatementKind.TRADE, StatementKind.ACCOUNT
FOREIGN_FEN: Final = 888
"""What a line of another system is over, in the emulator's bills."""

OTHERS: Final = "OTHER"
"""How the numbers of another system begin, for which there is a rule."""


@dataclass(frozen=True)
class Expected:
    """What has to be found: which, by how much on either side, and how it has ended by itself. Of a balance
    only the difference counts: ``ours`` is by how much the books are above the bill."""

    seller_id: str
    day: date
    kind: StatementKind
    mismatch: MismatchClass
    key: str
    ours: int | None
    theirs: int | None
    resolution: str | None = None


def as_found(one: Mismatch) -> Expected:
    """A mismatch as it is compared."""
    ours, theirs = one.ours_minor, one.theirs_minor
    if one.key == store.BALANCE:
        ours, theirs = (ours or 0) - (theirs or 0), None
    return Expected(
        one.seller_id, one.day, one.kind, one.mismatch, one.key, ours, theirs, one.resolution
    )


@dataclass
class Paid:
    """An order of the day, as both sides have it."""

    shop: Shop
    number: str
    fen: int
    refund_fen: int = 0

    @property
    def refund_no(self) -> str:
        return f"{self.number}-R"


@dataclass
class Seeding:
    """Days on which everything is as it should be, but for what is laid into them."""

    world: World
    shops: Sequence[Shop]
    chance: random.Random
    expected: list[Expected] = field(default_factory=list[Expected])
    seeded: Counter[str] = field(default_factory=Counter[str])
    days: list[date] = field(default_factory=list[date])
    free: list[Paid] = field(default_factory=list[Paid])
    _orders: int = 0

    def set_rules(self) -> None:
        """Lines of another system, which shares both accounts, are set aside."""
        for seller in self.sellers:
            account = BillAccount("emulator", seller)
            add_rule(self.world.service.context, SYSTEM, account, OTHERS, "vending machines")

    def live_day(self, mismatches: int, of_account: Callable[[Seeding, date], None]) -> None:
        """A day with so many mismatches, and the morning after; ``of_account`` lays some into the
        account, of which there is one."""
        day = business_day(self.world.clock.now())
        self.days.append(day)
        self._open_orders(mismatches + mismatches // 3 + 8)
        unpaid = self._unpaid(max(2, mismatches // 12))
        # What only happens at one side comes first, so that nothing else strikes it.
        before = len(self.expected)
        of_account(self, day)
        kinds: list[Callable[[date], None]] = [
            self._missing_there, self._amount_off, self._fee_off, self._shown_as_refund, self._doubled,
            self._foreign, self._ghost, self._cut,
        ]  # fmt: skip
        for paid in unpaid:
            self._never_paid(day, paid)
        index = 3 * len(self.days)
        while len(self.expected) - before < mismatches:
            kinds[index % len(kinds)](day)
            index += 1
        to_hour(self.world, 10, days=1)
        self.world.settle()

    # ---- what is as it should be

    @property
    def sellers(self) -> list[str]:
        """The accounts."""
        return list(dict.fromkeys(shop.seller_id for shop in self.shops))

    def _make(self, fen: int, shop: Shop) -> tuple[Paid, str]:
        self._orders += 1
        paid = Paid(shop, f"{shop.slug}-M{self._orders:05d}", fen)
        body = {"out_trade_no": paid.number, "amount": str(Money(fen)), "subject": "茶"}
        made = shop.api.post("/v1/orders", json=body)
        assert made.status_code == 201, made.text
        return paid, made.json()["pay_url"]

    def pay(self, fen: int, shop: Shop) -> Paid:
        """An order that is paid, and that nothing strikes unless the caller does."""
        paid, url = self._make(fen, shop)
        assert self.world.browser.get(url).status_code == 200
        self.world.emulator.desk.pay(self.world.emulator.trade(paid.number))
        return paid

    def _open_orders(self, count: int) -> None:
        self.free = []
        for index in range(count):
            shop = self.shops[index % len(self.shops)]
            self.free.append(self.pay(self.chance.choice((50, 84, 8888, self._fen())), shop))
        self.world.settle()
        self.world.advance(5)
        for paid in self.free:
            if self.chance.random() < 0.2:
                paid.refund_fen = self.chance.randint(1, paid.fen)
                body = {"amount": str(Money(paid.refund_fen)), "out_request_no": paid.refund_no}
                answer = paid.shop.api.post(f"/v1/orders/{paid.number}/refunds", json=body)
                assert answer.status_code == 201, answer.text
        self.world.advance(60)

    def _fen(self) -> int:
        return self.chance.randint(2, 50_000)

    def _unpaid(self, count: int) -> list[Paid]:
        """Orders that nobody ever opens."""
        return [
            self._make(self.chance.choice((FOREIGN_FEN, self._fen())), self.shops[0])[0]
            for _ in range(count)
        ]

    def take(self, fits: Callable[[Paid], bool] = lambda _one: True) -> Paid:
        """An order of the day that nothing strikes yet."""
        found = next(one for one in self.free if fits(one))
        self.free.remove(found)
        return found

    # ---- what is not

    def odd(
        self,
        name: OddityName,
        seller: str,
        day: date,
        number: str,
        kind: StatementKind = TRADE,
        business: str | None = None,
    ) -> None:
        """Has the bill of the day show an order's lines otherwise than they are."""
        oddity = Oddity(name, seller, kind.value, day, number, business=business)
        self.world.emulator.desk.account.oddities.set(oddity)

    def expect(
        self,
        what: str,
        seller: str,
        day: date,
        mismatch: MismatchClass,
        key: str,
        ours: int | None,
        theirs: int | None,
        resolution: str | None = None,
        kind: StatementKind = TRADE,
    ) -> None:
        """Notes what has to be found."""
        self.expected.append(Expected(seller, day, kind, mismatch, key, ours, theirs, resolution))
        self.seeded[what] += 1

    def _missing(self, what: str, day: date, paid: Paid, resolution: str | None) -> None:
        seller, there = paid.shop.seller_id, MismatchClass.MISSING_THERE
        key = key_of(False, paid.number, "")
        self.expect(what, seller, day, there, key, paid.fen, None, resolution)
        if paid.refund_fen:
            key = key_of(True, paid.number, paid.refund_no)
            self.expect(what, seller, day, there, key, -paid.refund_fen, None, resolution)

    def _missing_there(self, day: date) -> None:
        paid = self.take()
        self.odd(OddityName.MISSING_LINE, paid.shop.seller_id, day, paid.number)
        self._missing("missing there", day, paid, None)

    def _cut(self, day: date) -> None:
        paid = self.take()
        self.odd(OddityName.DAY_CUT, paid.shop.seller_id, day, paid.number)
        self._missing("day cut", day, paid, "day_cut")

    def _amount_off(self, day: date) -> None:
        paid = self.take()
        seller, off = paid.shop.seller_id, MismatchClass.AMOUNT_DIFFERS
        self.odd(OddityName.AMOUNT_OFF, seller, day, paid.number)
        key = key_of(False, paid.number, "")
        self.expect("amount differs", seller, day, off, key, paid.fen, paid.fen + 1)
        if paid.refund_fen:
            key, back = key_of(True, paid.number, paid.refund_no), paid.refund_fen
            self.expect("amount differs", seller, day, off, key, -back, 1 - back)

    def _fee_off(self, day: date) -> None:
        paid = self.take()
        seller, fee = paid.shop.seller_id, fee_of(paid.fen, FEE_PPM)
        self.odd(OddityName.FEE_OFF, seller, day, paid.number)
        key = key_of(False, paid.number, "")
        self.expect("fee differs", seller, day, MismatchClass.FEE_DIFFERS, key, fee, fee - 1)

    def _shown_as_refund(self, day: date) -> None:
        paid = self.take(lambda one: not one.refund_fen)
        seller = paid.shop.seller_id
        self.odd(OddityName.TYPE_DIFFERS, seller, day, paid.number)
        key, here = key_of(True, paid.number, "ODD-1"), MismatchClass.MISSING_HERE
        self.expect("missing here", seller, day, here, key, None, -paid.fen)
        self._missing("missing there", day, paid, None)

    def _doubled(self, day: date) -> None:
        paid = self.take()
        seller, twice = paid.shop.seller_id, MismatchClass.DUPLICATE
        self.odd(OddityName.DUPLICATE_LINE, seller, day, paid.number)
        key = key_of(False, paid.number, "")
        self.expect("duplicate", seller, day, twice, key, paid.fen, 2 * paid.fen)
        if paid.refund_fen:
            key, back = key_of(True, paid.number, paid.refund_no), -paid.refund_fen
            self.expect("duplicate", seller, day, twice, key, back, back)

    def _foreign_line(self, seller: str, day: date, number: str) -> str:
        self.odd(OddityName.FOREIGN_LINE, seller, day, number)
        return key_of(False, number, "")

    def _foreign(self, day: date) -> None:
        seller = self.chance.choice(self.sellers)
        key = self._foreign_line(seller, day, f"{OTHERS}{day:%m%d}{len(self.expected):05d}")
        self.expect(
            "foreign", seller, day, MismatchClass.FOREIGN, key, None, FOREIGN_FEN, "set_aside"
        )

    def _ghost(self, day: date) -> None:
        seller = self.chance.choice(self.sellers)
        key = self._foreign_line(seller, day, f"GHOST{day:%m%d}{len(self.expected):05d}")
        self.expect("missing here", seller, day, MismatchClass.MISSING_HERE, key, None, FOREIGN_FEN)

    def _never_paid(self, day: date, paid: Paid) -> None:
        """The bill says that it was paid, under a trade of which nobody has signed anything."""
        seller = paid.shop.seller_id
        key = self._foreign_line(seller, day, paid.number)
        state = MismatchClass.STATE_DIFFERS
        self.expect("state differs", seller, day, state, key, paid.fen, FOREIGN_FEN)
        if paid.fen != FOREIGN_FEN:
            off = MismatchClass.AMOUNT_DIFFERS
            self.expect("amount differs", seller, day, off, key, paid.fen, FOREIGN_FEN)


def all_found(seeding: Seeding) -> list[Expected]:
    """Everything that was ever found, of both accounts."""
    found: list[Expected] = []
    for seller in dict.fromkeys(shop.seller_id for shop in seeding.shops):
        with seeding.world.service.context.database.read() as tx:
            rows = store.list_mismatches(tx, "emulator", seller, rows_max=100_000)
        found += [as_found(one) for one in rows]
    return found
