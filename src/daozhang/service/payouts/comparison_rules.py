"""Why Alipay's balance and the ledger's differ: decided from sums alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from daozhang.service.ledger.model import EntryKind
from daozhang.service.payouts.model import Explanation, LogSum, Reason, Unexplained
from daozhang.service.reconciliation.account_rules import (
    GROUP_OF_KIND,
    GROUP_OF_TYPE,
    POSTED_TYPES,
)

LOG_DAYS_MAX: Final = 30
"""How far back it is asked: Alipay's log answers for 31 days at once (apis.md §4.7)."""

PAGE_ROWS: Final = 2000
PAGES_MAX: Final = 10

OTHER: Final = "other"
BILL: Final = "bill"
FACTS: Final = "facts"


def first_unread(read: Sequence[date], today: date) -> date | Unexplained:
    """The first day whose account bill is not in the ledger; ``read`` are those that are."""
    if not read:
        return Unexplained.NO_BILL
    since = max(read) + timedelta(days=1)
    return since if since >= today - timedelta(days=LOG_DAYS_MAX) else Unexplained.TOO_LONG


def explain(
    since: date,
    difference: int,
    log: Sequence[LogSum],
    by_kind: Mapping[EntryKind, int],
) -> Explanation:
    """Where a difference comes from, to the fen.

    ``log`` is what Alipay's account log has from the beginning of ``since`` on, ``by_kind`` what the
    ledger's entries have done to the same balance since then.
    """
    theirs: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for one in log:
        what = _of_type(one.business)
        theirs[what] += one.minor
        counts[what] += one.count
    ours: Counter[str] = Counter()
    for kind, minor in by_kind.items():
        ours[_of_kind(kind)] += minor
    told_by = {group.value: FACTS for group in GROUP_OF_TYPE.values()} | {OTHER: OTHER}
    reasons = [
        Reason(what, counts[what], ours[what], theirs[what], told_by.get(what, BILL))
        for what in sorted(theirs.keys() | ours.keys())
        if theirs[what] != ours[what]
    ]
    return Explanation(since, difference - sum(one.minor for one in reasons), reasons)


def _of_type(business: str) -> str:
    if business in GROUP_OF_TYPE:
        return GROUP_OF_TYPE[business].value
    return POSTED_TYPES[business][0].value if business in POSTED_TYPES else OTHER


def _of_kind(kind: EntryKind) -> str:
    if kind in GROUP_OF_KIND:
        return GROUP_OF_KIND[kind].value
    posted = {kind for kind, _ in POSTED_TYPES.values()}
    return kind.value if kind in posted else OTHER
