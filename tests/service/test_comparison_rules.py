"""Why Alipay's balance and the ledger's differ: the parts always make the difference."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daozhang.service.ledger.model import EntryKind
from daozhang.service.payouts.comparison_rules import LOG_DAYS_MAX, explain, first_unread
from daozhang.service.payouts.model import LogSum, Unexplained
from daozhang.service.reconciliation.account_rules import (
    GROUP_OF_KIND,
    GROUP_OF_TYPE,
    POSTED_TYPES,
    WITHIN_TYPES,
)

TODAY = date(2026, 3, 31)
minor = st.integers(-(10**9), 10**9)
types = st.sampled_from([*GROUP_OF_TYPE, *POSTED_TYPES, *WITHIN_TYPES, "红包", ""])
log = st.lists(
    st.builds(LogSum, types, st.integers(1, 99), minor),
    max_size=9,
    unique_by=lambda one: one.business,
)
by_kind = st.dictionaries(st.sampled_from(EntryKind), minor, max_size=9)


@given(minor, log, by_kind)
def test_the_parts_make_the_difference(
    carried: int, told: list[LogSum], ours: dict[EntryKind, int]
) -> None:
    moved = sum(one.minor for one in told) - sum(ours.values())
    found = explain(TODAY, carried + moved, told, ours)
    assert found.carried == carried
    assert sum(one.minor for one in found.reasons) == moved
    assert all(one.minor for one in found.reasons)
    assert len({one.what for one in found.reasons}) == len(found.reasons)


@given(st.sampled_from([*GROUP_OF_KIND]), st.integers(1, 10**9))
def test_what_both_have_is_no_reason(kind: EntryKind, amount: int) -> None:
    group = GROUP_OF_KIND[kind]
    business = next(name for name, of in GROUP_OF_TYPE.items() if of is group)
    assert explain(TODAY, 0, [LogSum(business, 1, amount)], {kind: amount}).reasons == []
    (reason,) = explain(TODAY, amount, [LogSum(business, 1, amount)], {}).reasons
    assert (reason.what, reason.minor, reason.told_by) == (group.value, amount, "facts")


def test_it_is_asked_from_the_first_day_whose_bill_is_not_read() -> None:
    day = timedelta(days=1)
    assert first_unread([], TODAY) is Unexplained.NO_BILL
    assert first_unread([TODAY - 2 * day, TODAY - day], TODAY) == TODAY
    longest = TODAY - LOG_DAYS_MAX * day
    assert first_unread([longest - day], TODAY) == longest
    assert first_unread([longest - 2 * day], TODAY) is Unexplained.TOO_LONG
