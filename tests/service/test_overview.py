"""The sums of the overview are those of a plain recount, whatever has happened and in which order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median_low

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daozhang.clock import business_day, to_beijing_text
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.merchants.store import list_merchants
from daozhang.service.orders.store import orders
from daozhang.service.outbox.store import events
from daozhang.service.overview import rules, store
from daozhang.service.overview.actions import read_overview, read_risks
from daozhang.service.overview.duties import SumUp
from daozhang.service.overview.model import Comparison, Kind, Overview, Sums
from daozhang.service.people.actions import create_owner
from daozhang.service.people.model import Person, Role
from daozhang.service.people.refusals import MerchantNotYours, RightMissing
from daozhang.service.progress import SETTLED_SECONDS, last_id, list_positions
from daozhang.service.refunds.store import refunds
from grown import grow
from refund_world import TOTAL, Shop, open_shop
from worlds import START

DAY = 24 * 3600


@dataclass
class Beholder:
    """Who looks at a shop's books."""

    shop: Shop
    person: Person

    def look(self, period_days: int = 1) -> Overview:
        context = self.shop.service.context
        with context.database.read() as tx:
            merchants = list_merchants(tx)
        return read_overview(context, self.person, merchants, period_days)

    def has_counted_all(self) -> bool:
        """Whether every row is in the sums, and none is left to be added as they are read."""
        with self.shop.service.context.database.read() as tx:
            positions = list_positions(tx)
            return all(
                positions[source.name].position == last_id(tx, source) for source in store.SOURCES
            )


@contextmanager
def beheld(directory: Path) -> Generator[Beholder]:
    with open_shop(directory) as shop:
        context = shop.service.context
        with context.database.begin() as tx:
            person, _ = create_owner(
                tx, context, SYSTEM, email="o@example.com", name="O", password="green tea leaves"
            )
        yield Beholder(shop, person)


def recounted(shop: Shop) -> tuple[dict[int, Sums], dict[int, list[int]]]:
    """The sums of each hour and the delays of each day, from every row of the books."""
    hours: defaultdict[int, Sums] = defaultdict(Sums)
    delays: defaultdict[int, list[int]] = defaultdict(list)
    with shop.service.context.database.read() as tx:
        first_paid = {
            row.order_id: row.at
            for row in tx.execute(
                sa.select(events.c.order_id, sa.func.min(events.c.created_at).label("at"))
                .where(events.c.type.in_(["order.paid", "order.paid_late", "order.refunded"]))
                .group_by(events.c.order_id)
            )
        }
        for row in tx.execute(sa.select(orders)):
            created = rules.hour_number(row.created_at)
            hours[created] += Sums(created_count=1)
            if row.status not in ("paid", "finished", "refunded"):
                continue
            hours[created] += Sums(paid_count=1)
            hours[rules.hour_number(row.paid_at)] += Sums(
                received_count=1, received_minor=row.amount_minor
            )
            booked = first_paid[row.id]
            day = rules.day_number(business_day(row.paid_at))
            delays[day].append(max(int((booked - row.paid_at).total_seconds()), 0))
        for row in tx.execute(sa.select(refunds).where(refunds.c.status == "succeeded")):
            hours[rules.hour_number(row.ended_at)] += Sums(
                refunded_count=1, refunded_minor=row.amount_minor
            )
    return hours, delays


def agree(beholder: Beholder) -> None:
    """What the overview says is what a plain recount says."""
    seen = beholder.look(period_days=30)
    hours, delays = recounted(beholder.shop)
    today = business_day(seen.at)
    assert seen.is_whole
    assert list(seen.days) == list(rules.days_of(hours, today, rules.DAYS_SHOWN))
    for day in (seen.today, *seen.before.values()):
        start = rules.first_hour(day.day)
        assert list(day.hours) == [hours[start + number] for number in range(24)]
        assert day.so_far == rules.total(day.hours[: seen.hours_over])
        found = delays[rules.day_number(day.day)]
        assert day.median_seconds == (median_low(found) if found else None)
    shown = rules.total(sums for _, sums in seen.days)
    assert rules.total(seen.merchants.values()) == shown
    # Of refunds no way is told.
    of_ways = rules.total(seen.ways.values())
    assert of_ways == Sums(
        shown.created_count, shown.paid_count, shown.received_count, shown.received_minor
    )


ACTS = st.one_of(
    st.tuples(st.just("create"), st.integers(0, 0)),
    st.tuples(st.just("pay"), st.integers(0, 3 * DAY)),  # paid so long ago, told only now
    st.tuples(st.just("pay"), st.integers(0, 90)),
    st.tuples(st.just("repeat"), st.integers(0, 5)),
    st.tuples(st.just("refund"), st.integers(1, 1000)),
    st.tuples(st.just("refund outside"), st.integers(1, 1000)),
    st.tuples(st.just("close"), st.integers(0, 5)),
    st.tuples(st.just("pass"), st.sampled_from([1, 59, 61, 3 * 3600])),
)


class Books:
    """Plays acts on one shop, and keeps in mind what there is to act on."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.numbers: list[str] = []
        self.told: dict[str, dict[str, str | None]] = {}
        self.back: Counter[str] = Counter()

    def play(self, act: str, figure: int) -> None:
        if act == "create":
            self._create()
        elif act == "pass":
            self.shop.pass_time(figure)
        elif act == "pay":
            self._pay(figure)
        elif act == "close" and self.numbers:
            number = self.numbers[-1 - figure % len(self.numbers)]
            self.shop.tell(number, trade_status="TRADE_CLOSED", notify_id=f"{number}closed")
        elif self.told:
            number = list(self.told)[-1 - figure % len(self.told)]
            if act == "repeat":
                self.shop.tell(number, **self.told[number])
            elif act == "refund":
                self.shop.refund(number, Money(figure, "CNY"), f"R{figure}")
            elif self.back[number] < TOTAL.minor:
                self.back[number] = min(self.back[number] + figure, TOTAL.minor)
                self.shop.tell_refund(number, f"X{figure}", Money(self.back[number], "CNY"))
        self.shop.pass_time(0)

    def _create(self) -> str:
        number = f"O{len(self.numbers):05d}"
        body = {"out_trade_no": number, "amount": str(TOTAL), "subject": "Tea"}
        assert self.shop.api.post("/v1/orders", json=body).status_code == 201
        self.numbers.append(number)
        return number

    def _pay(self, seconds_ago: int) -> None:
        unpaid = [number for number in self.numbers if number not in self.told]
        number = unpaid[-1] if unpaid else self._create()
        at = self.shop.clock.now() - timedelta(seconds=seconds_ago)
        self.told[number] = {"gmt_payment": to_beijing_text(at)}
        self.shop.tell(number, **self.told[number])


# Threads of the service draw random numbers while hypothesis draws: it takes them for a strategy's.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
def test_the_sums_are_those_of_a_plain_recount(tmp_path: Path) -> None:
    with beheld(tmp_path) as beholder:
        books = Books(beholder.shop)

        @settings(
            max_examples=8,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        )
        @given(acts=st.lists(ACTS, min_size=3, max_size=14))
        def play(acts: list[tuple[str, int]]) -> None:
            for act, figure in acts:
                books.play(act, figure)
            agree(beholder)

        play()
        assert len(books.told) > 8
        assert len(books.back) > 1
        beholder.shop.pass_time(2 * SETTLED_SECONDS)
        assert beholder.has_counted_all()
        agree(beholder)
        SumUp(beholder.shop.service.context).run_due()
        agree(beholder)


def test_two_that_sum_up_at_once_count_nothing_twice(tmp_path: Path) -> None:
    with beheld(tmp_path) as beholder:
        for _ in range(3):
            beholder.shop.paid_order()
        beholder.shop.clock.advance(10 * SETTLED_SECONDS)
        duties = [SumUp(beholder.shop.service.context) for _ in range(2)]
        for _ in range(4):
            for duty in duties:
                duty.run_due()
            beholder.shop.clock.advance(SETTLED_SECONDS)
        assert beholder.has_counted_all()
        agree(beholder)


def test_a_payment_of_yesterday_that_is_told_of_today_belongs_to_yesterday(tmp_path: Path) -> None:
    with beheld(tmp_path) as beholder:
        shop = beholder.shop
        shop.pass_time(DAY)
        books = Books(shop)
        books.play("pay", DAY)
        seen = beholder.look()
        assert seen.today.sums == Sums(created_count=1, paid_count=1)
        yesterday = seen.before[Comparison.YESTERDAY]
        assert yesterday.sums == Sums(received_count=1, received_minor=TOTAL.minor)
        assert yesterday.median_seconds == DAY
        assert [(one.kind, one.is_prompt) for one in seen.arrivals] == [(Kind.PAID, False)]


def test_days_are_compared_up_to_the_last_full_hour(tmp_path: Path) -> None:
    with beheld(tmp_path) as beholder:
        shop = beholder.shop  # nine in the morning of Monday
        shop.paid_order()
        shop.pass_time(7 * DAY + 3600 + 60)
        shop.tell("nobody's", total_amount="1.00")
        seen = beholder.look()
        assert seen.hours_over == 10
        before = seen.before[Comparison.WEEK_BEFORE]
        assert before.day == business_day(START)
        assert before.so_far == before.sums != Sums()
        assert seen.today.sums == Sums()


def test_what_arrives_is_told_of_latest_first(tmp_path: Path) -> None:
    with beheld(tmp_path) as beholder:
        shop = beholder.shop
        first, second = shop.paid_order(), shop.paid_order()
        assert shop.refund(first, Money.parse("1.50"), "R1").status_code == 201
        shop.pass_time(60)
        told = beholder.look().arrivals
        assert [(one.out_trade_no, one.kind) for one in told] == [
            (first, Kind.REFUNDED),
            (second, Kind.PAID),
            (first, Kind.PAID),
        ]
        assert [str(one.amount) for one in told] == ["1.50", "10.00", "10.00"]


def test_large_books_are_not_whole_until_they_are_counted(tmp_path: Path) -> None:
    with beheld(tmp_path) as beholder:
        context = beholder.shop.service.context
        rows = 100
        grow(context.database, rows, first=store.TAIL_ROWS_MAX + 1)
        assert not beholder.look().is_whole
        beholder.shop.pass_time(2 * SETTLED_SECONDS)
        assert beholder.has_counted_all()
        with context.database.read() as tx:
            summed = tx.execute(
                sa.select(
                    sa.func.sum(store.hours.c.created_count),
                    sa.func.sum(store.hours.c.paid_count),
                    sa.func.sum(store.hours.c.received_minor),
                )
            ).one()
            delays = tx.execute(sa.select(sa.func.sum(store.delays.c.count))).scalar_one()
        assert tuple(summed) == (rows, rows, rows * 8888)
        assert delays == rows
        assert beholder.look().is_whole


@pytest.mark.parametrize("role", list(Role))
def test_who_may_look(tmp_path: Path, role: Role) -> None:
    with beheld(tmp_path) as beholder:
        context = beholder.shop.service.context
        with context.database.read() as tx:
            merchants = list_merchants(tx)
        somebody = replace(beholder.person, roles=frozenset({role}))
        if role is Role.CASHIER:
            with pytest.raises(RightMissing):
                read_overview(context, somebody, merchants, 1)
            with pytest.raises(RightMissing):
                read_risks(context, somebody, merchants[0])
        else:
            assert read_overview(context, somebody, merchants, 1).is_whole
            assert read_risks(context, somebody, merchants[0]) == []
        stranger = replace(somebody, merchants=frozenset({999}))
        with pytest.raises((MerchantNotYours, RightMissing)):
            read_overview(context, stranger, merchants, 1)
