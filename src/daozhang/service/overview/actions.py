"""Taking a look at the books, for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from daozhang.clock import business_day
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.actions import CURRENCY_TAKEN
from daozhang.service.overview import rules, store
from daozhang.service.overview.model import Overview, Sums
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.watch.model import RiskRow
from daozhang.service.watch.risk import list_at_risk, sum_at_risk
from daozhang.service.watch.store import see_one_moment
from daozhang.service.web.context import Context

ARRIVALS: Final = 8
RISKS_PER_CAUSE: Final = 50

_Key = TypeVar("_Key")


def read_overview(
    context: Context, person: Person, merchants: Sequence[Merchant], period_days: int
) -> Overview:
    """What became of the money of ``merchants``, who are of one environment.

    Raises `RightMissing` and `MerchantNotYours`. ``period_days``, of `rules.PERIODS_DAYS`, is for ways
    and merchants.
    """
    for merchant in merchants:
        require(person, Right.OVERVIEW_READ, merchant.id)
    assert len({merchant.environment for merchant in merchants}) == 1, "money of one kind only"
    ids = sorted(merchant.id for merchant in merchants)
    now = context.clock.now()
    today = business_day(now)
    first_day = today - timedelta(days=rules.DAYS_SHOWN - 1)
    first_hour = rules.first_hour(first_day)
    period_hour = rules.first_hour(today - timedelta(days=period_days - 1))
    compared = {which: today - timedelta(days=back) for which, back in rules.DAYS_BEFORE.items()}
    with context.database.read() as tx:
        see_one_moment(tx)
        counted = store.read_counted(tx)
        tail = store.read_tail(tx, ids, counted)
        refunded = store.read_refunded(tx, ids, rules.day_start(first_day))
        recent = [*tail, *refunded]
        hours = rules.whole_hours([*store.read_sums(tx, ids, "hour", since=first_hour), *recent])
        period = [one for one in recent if one.hour >= period_hour]
        ways = [*store.read_sums(tx, ids, "way", since=period_hour), *period]
        of_each = [*store.read_sums(tx, ids, "merchant_id", since=period_hour), *period]
        numbers = [rules.day_number(day) for day in (today, *compared.values())]
        delays = store.read_delays(tx, ids, numbers, counted)
        at_risk = sum_at_risk(
            tx, now, grace_seconds=context.settings.expiry_grace_seconds, merchant_id=ids
        )
        arrivals = store.list_arrivals(tx, ids, ARRIVALS)
    over = rules.hours_over(now)
    return Overview(
        at=now,
        currency=CURRENCY_TAKEN,
        hours_over=over,
        today=rules.day_of(hours, today, over, delays[numbers[0]]),
        before={
            which: rules.day_of(hours, day, over, delays[rules.day_number(day)])
            for which, day in compared.items()
        },
        days=rules.days_of(hours, today, rules.DAYS_SHOWN),
        ways=_by((one.way, one.sums) for one in ways if one.way),
        merchants=_by((one.merchant_id, one.sums) for one in of_each),
        period_days=period_days,
        at_risk=at_risk,
        arrivals=arrivals,
        is_whole=counted.is_whole,
    )


def read_risks(context: Context, person: Person, merchant: Merchant) -> list[RiskRow]:
    """The merchant's things in unknown states, the oldest first of each cause. Raises as above."""
    require(person, Right.OVERVIEW_READ, merchant.id)
    with context.database.read() as tx:
        return list_at_risk(
            tx,
            merchant.id,
            context.clock.now(),
            grace_seconds=context.settings.expiry_grace_seconds,
            rows_max=RISKS_PER_CAUSE,
        )


def _by(parts: Iterable[tuple[_Key, Sums]]) -> Mapping[_Key, Sums]:
    found: defaultdict[_Key, Sums] = defaultdict(Sums)
    for key, sums in parts:
        found[key] += sums
    return found
