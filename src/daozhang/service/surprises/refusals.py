"""Why a surprise cannot be dealt with like that."""

from __future__ import annotations

from typing import ClassVar

from daozhang.service.orders.model import Order, Surprise, SurpriseEnd
from daozhang.service.refusals import Refusal


class SurpriseNotFound(Refusal):
    """The merchant has no surprise of that number."""

    code: ClassVar[str] = "surprise_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such surprise"

    def __init__(self, surprise_id: int) -> None:
        super().__init__(
            f"This merchant has no surprise {surprise_id}: look into the list of those that are open.",
            f"该商户没有异常 {surprise_id}，请在待处理的异常列表中查看。",
        )


class SurpriseOver(Refusal):
    """Somebody has dealt with it."""

    code: ClassVar[str] = "surprise_over"
    title: ClassVar[str] = "The surprise is over"

    def __init__(self, surprise: Surprise) -> None:
        end = "" if surprise.resolution is None else surprise.resolution.value
        super().__init__(
            f"{surprise.resolved_name} has dealt with it already ({end}): nothing more is done.",
            f"{surprise.resolved_name} 已处理（{end}），无需再次处理。",
            resolution=end,
        )


class SurpriseTaken(Refusal):
    """Somebody else has it."""

    code: ClassVar[str] = "surprise_taken"
    title: ClassVar[str] = "Somebody else has the surprise"

    def __init__(self, surprise: Surprise) -> None:
        super().__init__(
            f"{surprise.owner_name} works on it. Take it over first, so that two people do not do the same.",
            f"{surprise.owner_name} 正在处理。请先接手，避免两人重复处理。",
            owner=surprise.owner,
        )


class WorkerUnfit(Refusal):
    """It cannot be handed to somebody who may do nothing about it."""

    code: ClassVar[str] = "worker_unfit"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "That person cannot work on it"

    def __init__(self) -> None:
        super().__init__(
            "It can only be handed to somebody who works for this merchant and may deal with surprises.",
            "只能转交给服务于该商户且有权处理异常的人员。",
        )


class SurpriseEndNotPossible(Refusal):
    """This end is none for this surprise."""

    code: ClassVar[str] = "surprise_end_not_possible"
    title: ClassVar[str] = "It cannot end like that"

    def __init__(self, end: SurpriseEnd, possible: tuple[SurpriseEnd, ...]) -> None:
        listed = ", ".join(one.value for one in possible)
        super().__init__(
            f"As things stand it cannot be {end.value}; what is possible: {listed}.",
            f"当前不能以该方式处理（{end.value}），可选方式：{listed}。",
            possible=[one.value for one in possible],
        )


class SurpriseUnanswered(Refusal):
    """Alipay gave no clear answer, and nothing is accepted without one."""

    code: ClassVar[str] = "surprise_unanswered"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "No clear answer came"

    def __init__(self) -> None:
        super().__init__(
            "Alipay was asked and gave no clear answer. Nothing was changed: try again in a minute.",
            "已向支付宝查询，但未得到明确答复。未做任何更改，请一分钟后再试。",
        )


class SurpriseRemains(Refusal):
    """What Alipay says now still does not fit, or proves nothing."""

    code: ClassVar[str] = "surprise_remains"
    title: ClassVar[str] = "It still does not fit"

    def __init__(self, order: Order, why: str) -> None:
        super().__init__(
            f"Alipay was asked, and its answer still cannot be taken ({why}): the order stays "
            f"{order.status.value}. Money is never booked against the rules, whoever asks.",
            f"已向支付宝查询，其答复仍与记录不符（{why}），订单保持 {order.status.value}。"
            "任何人都不能违反规则入账。",
            order_status=order.status.value,
            reason=why,
        )


class AttachTargetPaid(Refusal):
    """The order is paid: what came beside is a second payment."""

    code: ClassVar[str] = "attach_target_paid"
    title: ClassVar[str] = "That order is paid already"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"Order {order.out_trade_no!r} is {order.status.value}, so this would be a second payment of it. "
            "Refund this payment, or accept it as an order of its own.",
            f"订单 {order.out_trade_no!r} 的状态为 {order.status.value}，这笔款项属于重复付款。"
            "请退款，或作为单独的订单接受。",
            order_status=order.status.value,
        )


class SurpriseReasonMissing(Refusal):
    """Nothing about money is put aside without a word."""

    code: ClassVar[str] = "surprise_reason_missing"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "A reason is missing"

    def __init__(self) -> None:
        super().__init__(
            "Say why nothing is to be done: whoever looks at it later has only this.",
            "请说明为何无需处理：这是日后查阅的唯一依据。",
        )
