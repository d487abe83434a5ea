"""Why a settlement can be refused before Alipay is asked."""

from __future__ import annotations

from daozhang.money import Money
from daozhang.service.orders.model import Order
from daozhang.service.refusals import Refusal
from daozhang.service.settlements.model import Settlement


class NotDirectPay(Refusal):
    """The merchant's payments are settled without being confirmed."""

    code = "not_direct_pay"
    title = "The merchant confirms no settlements"

    def __init__(self) -> None:
        super().__init__(
            "Only payments of direct-pay merchants (直付通, 账期) wait for their settlement to be confirmed, and this one "
            "is not set up as one: set direct_pay where sharing is set up, if its contract says so.",
            "只有直付通或账期商户的交易需要确认结算，而该商户未设置为直付通商户：如合同如此约定，请在分账设置中开启 direct_pay。",
        )


class OrderNotSettleable(Refusal):
    """There is no money of this order that could be settled."""

    code = "order_not_settleable"
    title = "The order has nothing to settle"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"Order {order.out_trade_no!r} is {order.status.value}: only what is paid and not refunded in full can be "
            "settled.",
            f"订单 {order.out_trade_no!r} 的状态为 {order.status.value}：只有已付款且未全额退款的订单可以确认结算。",
            order_status=order.status.value,
        )


class SettlementConflict(Refusal):
    """The number belongs to another request of this seller."""

    code = "settlement_conflict"
    title = "The request exists with other content"

    def __init__(self, settlement: Settlement) -> None:
        number = settlement.out_request_no
        super().__init__(
            f"Request {number!r} exists already, of another order or with other content. One number means one request "
            "of a seller: use a new out_request_no, or send the same again.",
            f"确认结算请求 {number!r} 已存在，且订单或内容不同。同一商户一个请求号只对应一次确认：请换用新的 "
            "out_request_no，或以相同内容重发。",
            out_request_no=number,
        )


class SettlementUnderWay(Refusal):
    """Another request to confirm it has not ended yet."""

    code = "settlement_under_way"
    title = "The settlement is being confirmed"

    def __init__(self, settlement: Settlement) -> None:
        number = settlement.out_request_no
        super().__init__(
            f"Request {number!r} to confirm the settlement of this order has not ended yet. Wait for its end: a second one "
            "could be told what belongs to the first.",
            f"本订单的确认结算请求 {number!r} 尚未结束，请等待其结果后再操作。",
            out_request_no=number,
        )


class SettlementConfirmed(Refusal):
    """It is confirmed, and a payment is confirmed once."""

    code = "settlement_confirmed"
    title = "The settlement is confirmed already"

    def __init__(self, settlement: Settlement) -> None:
        number = settlement.out_request_no
        super().__init__(
            f"The settlement of this order was confirmed by request {number!r}, {settlement.amount} of it: there is nothing "
            "left to confirm.",
            f"本订单已由请求 {number!r} 确认结算，金额 {settlement.amount}，无需再次确认。",
            out_request_no=number,
            amount=str(settlement.amount),
        )


class SettlementWaits(Refusal):
    """How much is left of the payment is not known while a refund or share is under way."""

    code = "settlement_waits"
    title = "Something of the order is under way"

    def __init__(self, reserved: Money) -> None:
        super().__init__(
            f"{reserved} of this order is being refunded or shared. Alipay settles what is left of a payment, so confirm it "
            "once that has ended.",
            f"本订单有 {reserved} 正在退款或分账。支付宝按剩余金额结算，请待其结束后再确认结算。",
            reserved=str(reserved),
        )


class SettlementNumberMissing(Refusal):
    """Neither out_request_no nor an Idempotency-Key was sent."""

    code = "settlement_number_missing"
    status = 422
    title = "The settlement needs a number of yours"

    def __init__(self) -> None:
        super().__init__(
            "Send out_request_no in the body, or an Idempotency-Key header: without a number of yours, a repeated request "
            "could not be known again.",
            "请在请求体中提供 out_request_no，或提供 Idempotency-Key 请求头：没有您自己的编号，重复请求将无法识别。",
        )
