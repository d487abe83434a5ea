"""Why a share can be refused before Alipay is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from daozhang.money import Money
from daozhang.service.orders.model import Order
from daozhang.service.refusals import Refusal
from daozhang.service.sharing.model import Receiver, ReceiverStatus, Round


class ShareConflict(Refusal):
    """The number belongs to another request of this seller."""

    code = "share_conflict"
    title = "The request exists with other content"

    def __init__(self, round_: Round) -> None:
        super().__init__(
            f"Request {round_.out_request_no!r} exists already with other receivers or amounts, or of another "
            "order. One number means one request of a seller: use a new out_request_no, or send the same again.",
            f"分账请求 {round_.out_request_no!r} 已存在，且分账方、金额或订单不同。同一商户一个请求号只对应"
            "一次分账：请换用新的 out_request_no，或以相同内容重发。",
            out_request_no=round_.out_request_no,
        )


class ShareNumberMissing(Refusal):
    """Neither out_request_no nor an Idempotency-Key was sent."""

    code = "share_number_missing"
    status = 422
    title = "The share needs a number of yours"

    def __init__(self) -> None:
        super().__init__(
            "Send out_request_no in the body, or an Idempotency-Key header: without a number of yours, a "
            "repeated request could pay the receivers twice.",
            "请在请求体中提供 out_request_no，或提供 Idempotency-Key 请求头：没有您自己的编号，重复请求可能会重复分账。",
        )


class OrderNotShareable(Refusal):
    """There is no money of this order that could be passed on."""

    code = "order_not_shareable"
    title = "The order cannot be shared"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"Order {order.out_trade_no!r} is {order.status.value}: only what is paid and not refunded in full "
            "can be shared, for a year.",
            f"订单 {order.out_trade_no!r} 的状态为 {order.status.value}：只有已付款且未全额退款的订单可以分账（一年内）。",
            order_status=order.status.value,
        )


class SharingFinished(Refusal):
    """A finish was asked for: the rest is the seller's."""

    code = "sharing_finished"
    title = "Sharing of the order is finished"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"Sharing of order {order.out_trade_no!r} has been finished: the rest of it is the seller's.",
            f"订单 {order.out_trade_no!r} 的分账已完结，剩余款项归收款方。",
        )


class ShareExceedsLimit(Refusal):
    """More would be shared than the agreement with Alipay allows."""

    code = "share_exceeds_limit"
    title = "The shares exceed the agreement's limit"

    def __init__(self, asked: Money, limit: Money, shared: Money, percent: int) -> None:
        super().__init__(
            f"The agreement lets {percent} % of a payment be shared, {limit} of this one; {shared} is shared or "
            f"under way, and {asked} is asked for. Share less, or have Alipay raise the limit and set it here.",
            f"签约分账比例为 {percent}%，本订单最多可分 {limit}；已分账及处理中 {shared}，本次申请 {asked}。"
            "请减少金额，或向支付宝申请提高比例后在此更新。",
            amount=str(asked),
            limit=str(limit),
            shared=str(shared),
        )


_STANDS_ZH: Final = {
    ReceiverStatus.BINDING: "正在绑定",
    ReceiverStatus.BOUND: "已绑定",
    ReceiverStatus.REFUSED: "绑定被支付宝拒绝",
    ReceiverStatus.UNBINDING: "正在解绑",
    ReceiverStatus.UNBOUND: "已解绑",
}


class ReceiverNotBound(Refusal):
    """Somebody is to receive who is not bound."""

    code = "receiver_not_bound"
    title = "A receiver is not bound"

    def __init__(self, account: str, receiver: Receiver | None) -> None:
        stands = "not known here" if receiver is None else receiver.status.value
        stands_zh = "尚未登记" if receiver is None else _STANDS_ZH[receiver.status]
        super().__init__(
            f"Receiver {account!r} is {stands}: bind it first, and wait until it is bound.",
            f"分账方 {account!r} {stands_zh}：请先绑定，待绑定成功后再分账。",
            account=account,
        )


class ReceiverNotFound(Refusal):
    """No receiver of that account belongs to this merchant."""

    code = "receiver_not_found"
    status = 404
    title = "No such receiver"

    def __init__(self, account: str) -> None:
        super().__init__(
            f"This merchant has no receiver {account[:64]!r}.",
            f"该商户没有分账方 {account[:64]!r}。",
        )


class ReceiverInvalid(Refusal):
    """The receiver could never be bound."""

    code = "receiver_invalid"
    status = 422
    title = "The receiver cannot be bound so"

    def __init__(self) -> None:
        super().__init__(
            "A loginName needs the name of its owner, which Alipay checks; and the seller cannot be its own "
            "receiver.",
            "类型为 loginName 时必须提供姓名（支付宝会校验）；收款方不能作为自己的分账方。",
        )


class TooManyShares(Refusal):
    """Alipay takes a limited number of receivers in one call."""

    code = "too_many_shares"
    status = 422
    title = "Too many shares, or one receiver twice"

    def __init__(self, most: int, given: int) -> None:
        super().__init__(
            f"One request takes 1 to {most} shares, each for another receiver (5 with mode sync, 50 with async), or "
            f"only a finish; these are {given}.",
            f"一次请求可含 1 至 {most} 个分账方且不得重复（sync 最多 5 个，async 最多 50 个），或仅完结；本次为 {given} 个。",
            most=most,
        )


class PlanNotFound(Refusal):
    """No plan of that name belongs to this merchant."""

    code = "share_plan_not_found"
    status = 404
    title = "No such plan"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This merchant has no plan {name[:64]!r}: make it first.",
            f"该商户没有分账方案 {name[:64]!r}：请先创建。",
        )


class PlanInvalid(Refusal):
    """The plan cannot split anything."""

    code = "share_plan_invalid"
    status = 422
    title = "The plan does not add up"

    def __init__(self, detail: str, detail_zh: str) -> None:
        super().__init__(detail, detail_zh)


class ReturnsNeeded(Refusal):
    """A refund draws on money that is shared, and nobody is to give it back."""

    code = "returns_needed"
    title = "Receivers have to give back"

    def __init__(self, missing: Money, holders: Sequence[tuple[str, Money]]) -> None:
        listed = ", ".join(f"{account} {amount}" for account, amount in holders)
        super().__init__(
            f"The seller has {missing} {missing.currency} too little left of this payment: it is shared. It would have "
            f"to come back from: {listed or 'nobody; all of it has come back or is about to'}. Ask for less, or let the "
            "seller cover it (returns: seller).",
            f"收款方在本订单的剩余金额不足，差额 {missing} {missing.currency} 已分账，须由以下分账方退回："
            f"{listed or '无（均已退回或正在退回）'}。请减少退款金额，或由收款方垫付（returns: seller）。",
            missing=str(missing),
            holders=[{"account": account, "amount": str(amount)} for account, amount in holders],
        )


class ShareNeedsSecondPerson(Refusal):
    """Together with what was shared before on one person's word it is above the merchant's amount."""

    code = "share_needs_second_person"
    status = 403
    title = "The shares take a second person"

    def __init__(self, asked: Money, above: Money, used: Money) -> None:
        super().__init__(
            f"Above {above} {above.currency} together a share takes a second person; {used} was shared without "
            f"one, and {asked} is asked for. Have it approved by somebody else.",
            f"累计超过 {above} {above.currency} 的分账须由另一人审批；未经审批已分账 {used}，本次申请 {asked}。请由他人审批。",
            amount=str(asked),
            above=str(above),
            used=str(used),
        )
