"""Asking Alipay what is in the account, and showing it beside the ledger. Nothing is posted from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.transfer import (
    DataBillAccountlogQuery,
    DataBillBalanceQuery,
    DataBillBalanceQueryResult,
)
from daozhang.clock import BEIJING, business_day
from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger import store as ledger
from daozhang.service.ledger.model import Book, EntryKind
from daozhang.service.ledger.reading import book_of, read_balances
from daozhang.service.merchants.clients import Clients
from daozhang.service.payouts import comparison_rules as rules
from daozhang.service.payouts import store
from daozhang.service.payouts.model import (
    AlipayBalance,
    Comparison,
    Explanation,
    LogSum,
    Unexplained,
)
from daozhang.service.payouts.reading import read_days
from daozhang.service.payouts.refusals import BalanceNotTold
from daozhang.service.reconciliation.account_rules import HELD
from daozhang.service.web.context import Context

LOOKS_MAX: Final = 3
"""How often the account is looked at until it holds still."""


@dataclass(frozen=True, slots=True)
class Balances:
    """Asks Alipay for balances. Made once, beside the clients."""

    context: Context
    clients: Clients

    def compare(self, merchant_id: int) -> Comparison:
        """What Alipay says is in the merchant's account, what the ledger says, and why they differ.

        Raises `BalanceNotTold` where Alipay gives no answer.
        """
        with self.context.database.read() as tx:
            book = book_of(tx, merchant_id)
            today = business_day(self.context.clock.now())
            since = rules.first_unread(
                sorted(read_days(tx, book, today - timedelta(days=366), today)), today
            )
        told, log = self._ask(merchant_id, since)
        now = self.context.clock.now()
        with self.context.database.read() as tx:
            held = read_balances(tx, book, now)
            difference = told.total - sum(held[account] for account in HELD)
            return Comparison(
                book=book,
                at=now,
                alipay=told,
                ledger=held,
                difference=difference,
                under_way=store.list_under_way(tx, book),
                explanation=_explanation(tx, book, since, difference, log, business_day(now)),
            )

    def _ask(
        self, merchant_id: int, since: date | Unexplained
    ) -> tuple[AlipayBalance, list[LogSum] | Unexplained]:
        """The balance, and what has moved since that day; the account is the same before and after the
        log is read, so that both are of one moment."""
        told = self._balance(merchant_id)
        if isinstance(since, Unexplained):
            return told, since
        for _ in range(LOOKS_MAX):
            log = self._log(merchant_id, since)
            again = self._balance(merchant_id)
            if again == told:
                return told, log
            told = again
        return told, Unexplained.MOVING

    def _balance(self, merchant_id: int) -> AlipayBalance:
        result: DataBillBalanceQueryResult = self._call(merchant_id, DataBillBalanceQuery())
        parts = (result.available_amount, result.freeze_amount, result.settle_amount)
        available, frozen, unsettled = (None if one is None else one.minor for one in parts)
        if result.total_amount is not None:
            total = result.total_amount.minor
        elif available is not None and frozen is not None:
            total = available + frozen
        else:
            raise BalanceNotTold("its answer has no total_amount", "应答中没有 total_amount")
        return AlipayBalance(total, available, frozen, unsettled)

    def _log(self, merchant_id: int, since: date) -> list[LogSum] | Unexplained:
        """What has moved since that day began, by type; `TOO_MANY` if it is more than is read."""
        minor: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        until = self.context.clock.now() + timedelta(seconds=1)  # the end itself is left out
        for page in range(1, rules.PAGES_MAX + 1):
            result = self._call(
                merchant_id,
                DataBillAccountlogQuery(
                    start_time=datetime.combine(since, time(), BEIJING),
                    end_time=until,
                    page_no=str(page),
                    page_size=str(rules.PAGE_ROWS),
                ),
            )
            total = int(result.total_size or 0)
            if total > rules.PAGES_MAX * rules.PAGE_ROWS:
                return Unexplained.TOO_MANY
            for row in result.detail_list or ():
                business = str(row.get("type", ""))
                minor[business] += _signed(row)
                counts[business] += 1
            if page * rules.PAGE_ROWS >= total:
                break
        return [LogSum(business, counts[business], minor[business]) for business in sorted(counts)]

    def _call(self, merchant_id: int, operation: Any) -> Any:
        try:
            return self.clients.client_for(merchant_id).call(operation)
        except Rejected as no:
            said = f"{no.sub_code or no.code} {no.message}"
            raise BalanceNotTold(said, said) from no
        except OutcomeUnknown as unknown:
            raise BalanceNotTold("no clear answer came", "未得到明确答复") from unknown


def _signed(row: Mapping[str, Any]) -> int:
    """What a movement did to the balance. The amount has no sign, the direction is a word."""
    minor = abs(Money.parse(str(row["trans_amount"])).minor)
    return minor if row.get("direction") == "收入" else -minor


def _explanation(
    tx: Tx,
    book: Book,
    since: date | Unexplained,
    difference: int,
    log: list[LogSum] | Unexplained,
    today: date,
) -> Explanation | Unexplained:
    if isinstance(since, Unexplained):
        return since
    if isinstance(log, Unexplained):
        return log
    by_kind: Counter[EntryKind] = Counter()
    day = since
    while day <= today:
        by_kind.update(ledger.sum_kinds(tx, book.id, day, HELD))
        day += timedelta(days=1)
    return rules.explain(since, difference, log, by_kind)
