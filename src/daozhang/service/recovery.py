"""Recovery: after a restore, what Alipay knows and the books have forgotten is asked for.

Everything enters through the same door as always, so a recovery can be repeated, cut short or run
beside a service that works. Nothing is sent: a refund that was not final when the copy was made
may have been sent since, so it is first asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from daozhang.service.agreements import store as agreements_store
from daozhang.service.agreements.workflow import AgreementWork
from daozhang.service.charges import store as charges_store
from daozhang.service.db import Tx
from daozhang.service.holds import store as holds_store
from daozhang.service.holds.workflow import HoldWork
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.merchants.store import list_merchants
from daozhang.service.orders import store as orders_store
from daozhang.service.orders.model import FactKind, Order, OrderStatus, Surprise
from daozhang.service.orders.surprises import list_surprises
from daozhang.service.refunds import store as refunds_store
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.refunds.model import Outcome, RefundStatus
from daozhang.service.refunds.policies import policy_refund_number
from daozhang.service.refunds.rules import PROOF_SECONDS
from daozhang.service.settlements import store as settlements_store
from daozhang.service.sharing import store as shares_store
from daozhang.service.till import store as till_store
from daozhang.service.transfers import store as transfers_store
from daozhang.service.transfers.workflow import TransferWork

PARALLEL_QUESTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Change:
    """An order whose books were behind: what they said, and what they say now."""

    out_trade_no: str
    status_before: str
    status_after: str
    refunded_before: str
    refunded_after: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A hold or an agreement whose books were behind."""

    kind: str
    number: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ForgottenRefund:
    """A refund that somebody else's books have: Alipay is asked whether it happened."""

    out_trade_no: str
    out_request_no: str


@dataclass(slots=True)
class Recovered:
    """What a recovery has asked and learned. ``unanswered`` names what has to be asked again."""

    orders_asked: int = 0
    refunds_asked: int = 0
    consents_asked: int = 0
    """Holds and agreements."""
    moved: list[Moved] = field(default_factory=list[Moved])
    changes: list[Change] = field(default_factory=list[Change])
    surprises: list[Surprise] = field(default_factory=list[Surprise])
    unanswered: list[str] = field(default_factory=list[str])
    not_found: list[str] = field(default_factory=list[str])
    """Forgotten refunds that Alipay, or our books of orders, do not have."""

    @property
    def is_complete(self) -> bool:
        """Whether every question was answered and nothing waits for a person."""
        return not (self.unanswered or self.surprises or self.not_found)


Progress = Callable[[int, int], None]
"""Is told how many of how many questions are done."""


_Told = tuple[list[str], list[str]]
"""What one question left unanswered, and what it was answered that nobody has."""


class Recovery:
    """One recovery. What it is made of asks; nothing else touches the network."""

    def __init__(
        self,
        inquirer: Inquirer,
        attempts: Attempts,
        holds: HoldWork,
        agreements: AgreementWork,
        transfers: TransferWork,
    ) -> None:
        self._inquirer = inquirer
        self._attempts = attempts
        self._learn_of = {
            "hold": holds.learn,
            "agreement": agreements.learn,
            "transfer": transfers.learn,
        }
        self._context = inquirer.context
        self._database = inquirer.context.database
        self._unclear: list[int] = []

    def run(
        self,
        since: datetime,
        forgotten: Sequence[ForgottenRefund] = (),
        progress: Progress = lambda _done, _of: None,
    ) -> Recovered:
        """Asks about orders, refunds, holds, agreements and transfers that were open, or moved since ``since``,
        and about ``forgotten`` refunds. ``since`` is a moment before the copy was made."""
        recovered = Recovered()
        began = self._context.clock.now()
        self._doubt()
        with self._database.read() as tx:
            order_ids = orders_store.list_unsettled_since(tx, since)
            refund_ids = [r.id for r in refunds_store.list_unsettled_since(tx, since)]
            hold_ids = holds_store.list_unsettled_since(tx, since)
            agreement_ids = agreements_store.list_unsettled_since(tx, since)
            transfer_ids = transfers_store.list_unsettled_since(tx, since)
            consents = {
                **{("hold", one): _stand_of(tx, "hold", one) for one in hold_ids},
                **{("agreement", one): _stand_of(tx, "agreement", one) for one in agreement_ids},
                **{("transfer", one): _stand_of(tx, "transfer", one) for one in transfer_ids},
            }
            named = [o.id for one in forgotten for o in _orders_named(tx, one)]
            before = {order_id: _read(tx, order_id) for order_id in (*order_ids, *named)}
        total = len(order_ids) + len(refund_ids) + len(forgotten) + len(consents)
        done = 0
        with ThreadPoolExecutor(PARALLEL_QUESTIONS, thread_name_prefix="recovery") as threads:
            for phase in (
                [partial(self._ask_order, order_id) for order_id in order_ids],
                [partial(self._ask_refund, refund_id) for refund_id in refund_ids],
                [partial(self._ask_forgotten, one) for one in forgotten],
                # After the orders: what of a hold was taken is known then.
                [partial(self._learn, *one) for one in consents],
            ):
                for unanswered, not_found in threads.map(_answer, phase):
                    done += 1
                    progress(done, total)
                    recovered.unanswered += unanswered
                    recovered.not_found += not_found
        # A policy may have asked for a refund meanwhile, as it had before the copy was restored.
        self._doubt()
        recovered.orders_asked = len(order_ids)
        recovered.refunds_asked = len(refund_ids) + len(forgotten)
        recovered.consents_asked = len(consents)
        self._compare(recovered, before.values(), began)
        with self._database.read() as tx:
            for (kind, row_id), (number, status) in consents.items():
                _, now = _stand_of(tx, kind, row_id)
                if now != status:
                    recovered.moved.append(Moved(kind, number, status, now))
            numbers = {number for number, _ in consents.values()}
            recovered.surprises += [
                surprise
                for merchant in list_merchants(tx)
                for surprise in list_surprises(tx, merchant.id)
                if surprise.order_id is None
                and surprise.out_trade_no in numbers
                and surprise.created_at >= began
            ]
        return recovered

    def _doubt(self) -> None:
        now = self._context.clock.now()
        with self._database.begin() as tx:
            refunds_store.doubt_all(tx, now, now + timedelta(seconds=PROOF_SECONDS))
            till_store.doubt_all(tx, now)
            charges_store.doubt_all(tx, now)
            holds_store.doubt_all(tx, now)
            shares_store.doubt_all(tx, now, now + timedelta(seconds=PROOF_SECONDS))
            settlements_store.doubt_all(tx, now, now + timedelta(seconds=PROOF_SECONDS))
            agreements_store.doubt_all(tx, now)
            transfers_store.doubt_all(tx, now, now + timedelta(seconds=PROOF_SECONDS))

    def _ask_order(self, order_id: int) -> _Told:
        with self._database.read() as tx:
            order = _read(tx, order_id)
        fact = self._inquirer.ask_trade(order)
        if fact is None:
            return [f"order {order.out_trade_no}"], []
        settled = self._inquirer.settle(order, fact)
        if fact.kind is FactKind.CLOSED_UNCLEAR:
            # Paid, and given back in full. A query does not say by which refund: one without a
            # number has the order's, one by a policy has a number of ours that never changes.
            self._unclear.append(order_id)
            for number in (order.out_trade_no, policy_refund_number(order)):
                self._attempts.ask_named(settled, number)
        return [], []

    def _ask_refund(self, refund_id: int) -> _Told:
        with self._database.read() as tx:
            refund = refunds_store.find_refund_by_id(tx, refund_id)
            if refund is None or refund.out_request_no is None:
                return [], []  # nobody has named it; the running total settles it
            order = _read(tx, refund.order_id)
        answer = self._attempts.ask(order, refund)
        name = f"refund {refund.out_request_no} of order {order.out_trade_no}"
        if answer.outcome is Outcome.PROVEN:
            with self._database.begin() as tx:
                self._attempts.take(tx, order.id, refund.id, answer)
        elif answer.outcome is not Outcome.ABSENT:
            return [name], []
        elif refund.status is RefundStatus.SUCCEEDED:
            return [], [name]
        return [], []

    def _ask_forgotten(self, forgotten: ForgottenRefund) -> _Told:
        with self._database.read() as tx:
            found = _orders_named(tx, forgotten)
        outcomes = [self._attempts.ask_named(order, forgotten.out_request_no) for order in found]
        name = f"refund {forgotten.out_request_no} of order {forgotten.out_trade_no}"
        if Outcome.PROVEN in outcomes:
            return [], []
        return ([name], []) if Outcome.UNKNOWN in outcomes else ([], [name])

    def _learn(self, kind: str, row_id: int) -> _Told:
        if self._learn_of[kind](row_id):
            return [], []
        with self._database.read() as tx:
            number, _ = _stand_of(tx, kind, row_id)
        return [f"{kind} {number}"], []

    def _compare(self, recovered: Recovered, before: Iterable[Order], began: datetime) -> None:
        with self._database.read() as tx:
            for was in before:
                now = _read(tx, was.id)
                if (was.status, was.refunded) != (now.status, now.refunded):
                    recovered.changes.append(
                        Change(
                            was.out_trade_no,
                            was.status.value,
                            now.status.value,
                            str(was.refunded),
                            str(now.refunded),
                        )
                    )
                if was.id in self._unclear and now.status is not OrderStatus.REFUNDED:
                    recovered.unanswered.append(
                        f"order {was.out_trade_no}: paid, then closed; by which refund is not known"
                    )
                recovered.surprises += [
                    surprise
                    for surprise in list_surprises(tx, was.merchant_id, was.id)
                    if surprise.created_at >= began
                ]


def _answer(question: Callable[[], _Told]) -> _Told:
    return question()


def _read(tx: Tx, order_id: int) -> Order:
    order = orders_store.find_order_by_id(tx, order_id)
    assert order is not None, f"order row {order_id} is gone, and orders are never deleted"
    return order


def _stand_of(tx: Tx, kind: str, row_id: int) -> tuple[str, str]:
    """The number of a hold, an agreement or a transfer, and where it stands, in words."""
    if kind == "transfer":
        transfer = transfers_store.find_transfer_by_id(tx, row_id)
        assert transfer is not None, f"transfer row {row_id} is gone, and they are never deleted"
        return transfer.out_biz_no, transfer.status.value
    if kind == "hold":
        hold = holds_store.find_hold_by_id(tx, row_id)
        assert hold is not None, f"hold row {row_id} is gone, and holds are never deleted"
        stand = f"{hold.status.value}, taken {hold.captured}, let go {hold.released}"
        return hold.out_order_no, stand
    agreement = agreements_store.find_by_id(tx, row_id)
    assert agreement is not None, f"agreement row {row_id} is gone, and they are never deleted"
    return agreement.external_agreement_no, agreement.status.value


def _orders_named(tx: Tx, forgotten: ForgottenRefund) -> list[Order]:
    return orders_store.list_numbered(tx, forgotten.out_trade_no)
