"""What the overview shows, ready for its template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from babel.dates import format_date, format_skeleton
from markupsafe import Markup

from daozhang.console.formats import LOCALES
from daozhang.console.orders.views import WAYS
from daozhang.console.overview.charts import Linked, bars, lines
from daozhang.console.overview.risks import AGES, RiskLine, risk_lines
from daozhang.console.paging import with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.model import Way
from daozhang.service.overview.model import Arrival, Comparison, Day, Kind, Overview, Sums
from daozhang.service.overview.rules import PERIODS_DAYS
from daozhang.service.people.model import Language, Right

COMPARED: Final[Mapping[Comparison, str]] = {
    Comparison.YESTERDAY: word("Yesterday"),
    Comparison.WEEK_BEFORE: word("A week before"),
}

PERIODS: Final[Mapping[int, str]] = {
    1: word("Today"),
    7: word("7 days"),
    30: word("30 days"),
}

ENVIRONMENTS: Final[Mapping[str, str]] = {
    "production": word("Real money"),
    "sandbox": word("Sandbox"),
    "emulator": word("Emulator"),
}

KINDS: Final[Mapping[Kind, str]] = {
    Kind.PAID: word("Paid"),
    Kind.PAID_LATE: word("Paid late"),
    Kind.REFUNDED: word("Refunded"),
}


@dataclass(frozen=True, slots=True)
class Then:
    """What a number was on another day, and how today stands against it up to the last full hour."""

    label: str
    value: str
    change: str | None


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of today, and what it is compared with."""

    key: str
    title: str
    value: Markup | str
    address: str | None
    then: Sequence[Then]


@dataclass(frozen=True, slots=True)
class Part:
    """A way or a merchant: its sums in the period."""

    name: str
    address: str | None
    count: str
    received: Money
    is_name: bool
    """Whether somebody has named it, so that it is not translated."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day of the chart, as a row."""

    day: str
    address: str | None
    sums: Sums
    received: Money
    refunded: Money


@dataclass(frozen=True, slots=True)
class HourRow:
    """An hour of the chart, as a row."""

    hour: str
    today: Linked
    yesterday: Linked


@dataclass(frozen=True, slots=True)
class Arriving:
    """A row of what arrives. ``say`` is what is spoken of it, if it is spoken of at all."""

    arrival: Arrival
    title: str
    address: str
    way: str
    merchant: str | None
    say: str | None


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The page."""

    here: str
    day: str
    is_whole: bool
    environments: Sequence[tuple[str, str, bool]]
    compared_until: str
    tiles: Sequence[Tile]
    risks: Sequence[RiskLine]
    risk_total: Money
    ages: Sequence[str]
    arrivals: Sequence[Arriving]
    speech: str
    periods: Sequence[tuple[str, str, bool]]
    by_hour: Mapping[str, Any]
    hours: Sequence[HourRow]
    by_day: Mapping[str, Any]
    days: Sequence[DayRow]
    by_way: Mapping[str, Any]
    ways: Sequence[Part]
    by_merchant: Mapping[str, Any]
    merchants: Sequence[Part]


def overview_view(
    visit: Visit, seen: Overview, merchants: Sequence[Merchant], environments: Sequence[str]
) -> OverviewView:
    """The page of ``merchants``; ``environments`` are those between which one may choose."""
    t = visit.t
    names = {one.id: one for one in merchants}
    days = [_day_row(visit, seen, day, sums) for day, sums in seen.days]
    ways, of_each = _ways(visit, seen), _merchants(visit, seen, names)
    risks = risk_lines(visit, seen.at_risk, seen.currency)
    hours = [_hour_row(visit, seen, number) for number in range(24)]
    return OverviewView(
        here=visit.address,
        day=format_date(seen.today.day, "full", locale=LOCALES[visit.language]),
        is_whole=seen.is_whole,
        environments=_choices(visit, "environment", {e: ENVIRONMENTS[e] for e in environments}),
        compared_until=f"{seen.hours_over:02}:00",
        tiles=_tiles(visit, seen),
        risks=risks,
        risk_total=Money.total((line.amount for line in risks), seen.currency),
        ages=[t(text) for text in AGES.values()],
        arrivals=[_arriving(visit, one, names) for one in seen.arrivals],
        speech="zh-CN" if visit.language is Language.CHINESE else "en-US",
        periods=_choices(visit, "days", {str(days): PERIODS[days] for days in PERIODS_DAYS}),
        by_hour=lines(
            [f"{number:02}" for number in range(24)],
            {
                t(COMPARED[Comparison.YESTERDAY]): [row.yesterday for row in hours],
                t(word("Today")): [row.today for row in hours[: seen.hours_over + 1]],
            },
        ),
        hours=hours,
        by_day=bars(
            [_short(visit, day) for day, _ in seen.days],
            {
                t(word("Money received")): [row.received for row in days],
                t(word("Refunded")): [row.refunded for row in days],
            },
            [row.address for row in days],
        ),
        days=days[::-1],
        by_way=_part_bars(t, ways),
        ways=ways,
        by_merchant=_part_bars(t, of_each),
        merchants=of_each if visit.chosen is None else (),
    )


def _choices(visit: Visit, name: str, texts: Mapping[str, str]) -> Sequence[tuple[str, str, bool]]:
    path, given = visit.request.url.path, dict(visit.query)
    chosen = given.get(name) if given.get(name) in texts else next(iter(texts), None)
    return [
        (with_query(path, {**given, name: value}), visit.t(text), value == chosen)
        for value, text in texts.items()
    ]


def _received(seen: Overview, sums: Sums) -> Money:
    return Money(sums.received_minor, seen.currency)


def orders_address(visit: Visit, by: str, first: date, last: date, **more: str) -> str | None:
    """The list of a merchant's orders that a number is about; of several merchants there is none."""
    if visit.chosen is None or not visit.may(Right.ORDERS_READ):
        return None
    span = {"by": by, "from": first.isoformat(), "to": last.isoformat()}
    return with_query(f"{visit.home}/orders", {**span, **more})


def _tile_address(visit: Visit, by: str, day: date, **more: str) -> str | None:
    """The rows of a number of today; of several merchants, first whose they are."""
    if visit.chosen is None:
        today = {**visit.query, "days": str(PERIODS_DAYS[0])}
        return f"{with_query(visit.request.url.path, today)}#by-merchant"
    return orders_address(visit, by, day, day, **more)


def _tiles(visit: Visit, seen: Overview) -> Sequence[Tile]:
    t, formats, day = visit.t, visit.formats, seen.today.day

    def money(minor: int) -> str:
        return formats.amount(Money(minor, seen.currency))

    def tile(
        key: str, title: str, by: str, of: Callable[[Sums], int], show: Callable[[int], str]
    ) -> Tile:
        value = of(seen.today.sums)
        shown = formats.money(Money(value, seen.currency)) if show is money else show(value)
        then = [
            Then(
                t(COMPARED[which]),
                show(of(other.sums)),
                _change(of(seen.today.so_far), of(other.so_far)),
            )
            for which, other in seen.before.items()
        ]
        return Tile(key, t(title), shown, _tile_address(visit, by, day), then)

    return [
        tile("received", word("Money received"), "paid", lambda sums: sums.received_minor, money),
        tile("refunded", word("Refunded"), "refunded", lambda sums: sums.refunded_minor, money),
        tile("net", word("Net"), "paid", lambda sums: sums.net_minor, money),
        tile("orders", word("Orders"), "", lambda sums: sums.created_count, formats.number),
        _rate(visit, seen),
        _median(visit, seen),
    ]


def _change(now: int, then: int) -> str | None:
    """By how many percent ``now`` differs; by whole numbers, as of money."""
    if then <= 0:
        return None
    permille = (abs(now - then) * 2000 + then) // (2 * then)
    sign = "±" if permille == 0 else "+" if now > then else "−"
    if permille >= 10_000:
        return f"{sign}{permille // 1000 * 100:,}%"
    return f"{sign}{permille // 10}.{permille % 10}%"


def _rate(visit: Visit, seen: Overview) -> Tile:
    def show(sums: Sums) -> str:
        permille = sums.paid_permille
        return "—" if permille is None else f"{permille // 10}.{permille % 10}%"

    day = seen.today.day
    return Tile(
        key="rate",
        title=visit.t("Paid of the orders"),
        value=show(seen.today.sums),
        address=_tile_address(visit, "", day, status="paid"),
        then=[
            Then(visit.t(COMPARED[which]), show(other.sums), None)
            for which, other in seen.before.items()
        ],
    )


def _median(visit: Visit, seen: Overview) -> Tile:
    def show(day: Day) -> str:
        return "—" if day.median_seconds is None else _duration(visit, day.median_seconds)

    return Tile(
        key="median",
        title=visit.t("Median from pay to booked"),
        value=show(seen.today),
        address=_tile_address(visit, "paid", seen.today.day),
        then=[
            Then(visit.t(COMPARED[which]), show(other), None)
            for which, other in seen.before.items()
        ],
    )


def _duration(visit: Visit, seconds: int) -> str:
    if seconds < 60:
        return visit.t("{count} s", count=seconds)
    if seconds < 3600:
        return visit.t("{count} min", count=seconds // 60)
    return visit.t("{count} h", count=seconds // 3600)


def _short(visit: Visit, day: date) -> str:
    return format_skeleton("MMMd", day, locale=LOCALES[visit.language])


def _day_row(visit: Visit, seen: Overview, day: date, sums: Sums) -> DayRow:
    return DayRow(
        day=visit.formats.day(day),
        address=orders_address(visit, "paid", day, day),
        sums=sums,
        received=_received(seen, sums),
        refunded=Money(sums.refunded_minor, seen.currency),
    )


def _hour_row(visit: Visit, seen: Overview, hour: int) -> HourRow:
    def linked(day: Day) -> Linked:
        sums = day.hours[hour]
        address = orders_address(visit, "paid", day.day, day.day, hour=str(hour))
        return _received(seen, sums), address if sums.received_count else None

    return HourRow(f"{hour:02}:00", linked(seen.today), linked(seen.before[Comparison.YESTERDAY]))


def _ways(visit: Visit, seen: Overview) -> Sequence[Part]:
    first = seen.today.day - timedelta(days=seen.period_days - 1)
    parts = [
        Part(
            name=visit.t(WAYS[Way(way)]),
            address=orders_address(visit, "paid", first, seen.today.day, way=way),
            count=visit.formats.number(sums.received_count),
            received=_received(seen, sums),
            is_name=False,
        )
        for way, sums in seen.ways.items()
        if sums.received_count
    ]
    return sorted(parts, key=lambda part: -part.received.minor)


def _merchants(visit: Visit, seen: Overview, names: Mapping[int, Merchant]) -> Sequence[Part]:
    parts = [
        Part(
            name=merchant.name,
            address=f"{visit.base}/m/{merchant.slug}/overview",
            count=visit.formats.number(seen.merchants.get(key, Sums()).received_count),
            received=_received(seen, seen.merchants.get(key, Sums())),
            is_name=True,
        )
        for key, merchant in names.items()
    ]
    return sorted(parts, key=lambda part: (-part.received.minor, part.name))


def _part_bars(t: Callable[[str], str], parts: Sequence[Part]) -> Mapping[str, Any]:
    upwards = parts[::-1]  # ECharts begins at the bottom
    return bars(
        [part.name for part in upwards],
        {t("Money received"): [part.received for part in upwards]},
        [part.address for part in upwards],
        lies=True,
    )


def _arriving(visit: Visit, one: Arrival, names: Mapping[int, Merchant]) -> Arriving:
    merchant = names[one.merchant_id]
    said = visit.t("Alipay received {amount} yuan", amount=str(one.amount))
    return Arriving(
        arrival=one,
        title=visit.t(KINDS[one.kind]),
        address=f"{visit.base}/m/{merchant.slug}/orders/{one.out_trade_no}",
        way=visit.t(WAYS[Way(one.way)]),
        merchant=merchant.name if visit.chosen is None else None,
        say=said if one.is_prompt else None,
    )
