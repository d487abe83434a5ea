"""The calls about shares and receivers, and what their answers say. No row is touched here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daozhang.alipay.client import Alipay
from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.sharing import Receiver as BoundReceiver
from daozhang.alipay.operations.sharing import (
    Royalty,
    TradeOrderSettle,
    TradeOrderSettleQuery,
    TradeRoyaltyRelationBind,
    TradeRoyaltyRelationUnbind,
    finishing,
)
from daozhang.clock import from_beijing_text
from daozhang.money import Money, MoneyError
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.model import Order
from daozhang.service.sharing.model import (
    NO_BALANCE_CODE,
    Answer,
    Detail,
    Mode,
    Outcome,
    Receiver,
    ReceiverStatus,
    Round,
    Share,
    ShareStatus,
)

STATES = {
    "SUCCESS": ShareStatus.SUCCEEDED,
    "FAIL": ShareStatus.FAILED,
    "PROCESSING": ShareStatus.PENDING,
}
"""Alipay's words for how a share stands."""

TRANSFER = "transfer"
"""What a share is called among the things that a query lists; what came back is called otherwise."""


@dataclass(frozen=True, slots=True)
class ShareCalls:
    """Calls Alipay about shares and receivers."""

    clients: Clients

    def settle(self, order: Order, round_: Round, shares: Sequence[Share]) -> Answer:
        """Sends a round; always under its own number."""
        assert order.trade_no is not None
        operation = TradeOrderSettle(
            out_request_no=round_.out_request_no,
            trade_no=order.trade_no,
            royalty_parameters=tuple(_royalty(share, round_) for share in shares) or None,
            royalty_mode=round_.mode.value,
            extend_params=finishing() if round_.finishes else None,
        )
        try:
            result = self._client(order.merchant_id).call(operation)
        except Rejected as no:
            outcome = Outcome.NO_BALANCE if no.sub_code == NO_BALANCE_CODE else Outcome.REJECTED
            return Answer(outcome, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        if round_.mode is Mode.ASYNC and shares:
            return Answer(Outcome.ACCEPTED, settle_no=result.settle_no)
        done = tuple(Detail(share.account, share.amount, ShareStatus.SUCCEEDED) for share in shares)
        return Answer(Outcome.PROVEN, details=done, settle_no=result.settle_no)

    def ask(self, order: Order, round_: Round) -> Answer:
        """What Alipay says of a round; changes nothing, here or there."""
        operation = TradeOrderSettleQuery(
            out_request_no=round_.out_request_no, trade_no=order.trade_no
        )
        try:
            result = self._client(order.merchant_id).call(operation)
        except Rejected as no:
            # A "no" to a question says nothing of what was asked about.
            return Answer(Outcome.UNKNOWN, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        if not result.details and result.out_request_no is None:
            return Answer(Outcome.ABSENT, "absent", "Alipay has no such request.")
        # How each share stands decides; whether that is all of them, `rules.take_details` says.
        return Answer(Outcome.PROVEN, details=tuple(details_of(result.details)))

    def relate(self, receiver: Receiver, out_request_no: str) -> Answer:
        """Binds or unbinds a receiver, as it wants to be; sent again it changes nothing."""
        ends = receiver.status is ReceiverStatus.UNBINDING
        kind = TradeRoyaltyRelationUnbind if ends else TradeRoyaltyRelationBind
        named = BoundReceiver(
            type=receiver.type.value,
            account=receiver.account,
            name=receiver.name,
            memo=receiver.memo,
        )
        operation = kind(out_request_no=out_request_no, receiver_list=(named,))
        try:
            result = self._client(receiver.merchant_id).call(operation)
        except Rejected as no:
            return Answer(Outcome.REJECTED, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        if result.succeeded:
            return Answer(Outcome.PROVEN)
        return Answer(Outcome.REJECTED, result.result_code or "FAIL")

    def _client(self, merchant_id: int) -> Alipay:
        return self.clients.client_for(merchant_id)


def _royalty(share: Share, round_: Round) -> Royalty:
    return Royalty(
        amount=share.amount,
        trans_in=share.account,
        trans_in_type=share.receiver_type.value,
        desc=round_.description,
    )


def details_of(listed: Iterable[Mapping[str, Any]]) -> Iterable[Detail]:
    """What a query or a message says of shares; what came back is not among them.

    A state that is not known, or an amount that cannot be read, proves nothing: it is asked about again.
    """
    for one in listed:
        state = STATES.get(str(one.get("state") or ""))
        if state is None or str(one.get("operation_type") or TRANSFER) != TRANSFER:
            continue
        account = one.get("trans_in") or one.get("trans_in_open_id") or ""
        yield Detail(
            account=str(account),
            amount=_amount(one.get("amount")),
            status=state,
            code=str(one["error_code"]) if one.get("error_code") else None,
            message=str(one["error_desc"]) if one.get("error_desc") else None,
            detail_id=str(one["detail_id"]) if one.get("detail_id") else None,
            at=_moment(one.get("execute_dt")),
        )


def _moment(text: object) -> datetime | None:
    try:
        return from_beijing_text(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _amount(text: object) -> Money | None:
    try:
        return Money.parse(text) if isinstance(text, str) else None
    except (MoneyError, ValueError):
        return None
