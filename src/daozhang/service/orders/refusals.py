"""Why an order can be refused what is asked of it."""

from __future__ import annotations

from typing import Final

from daozhang.money import Money
from daozhang.service.orders.model import Order, Way
from daozhang.service.refusals import Refusal


class OrderNotFound(Refusal):
    """No order of that number belongs to this merchant."""

    code = "order_not_found"
    status = 404
    title = "No such order"

    def __init__(self, out_trade_no: str) -> None:
        super().__init__(
            f"This merchant has no order {out_trade_no!r}. Check the number, and which merchant "
            "the API key (or the Daozhang-Merchant header) names.",
            f"该商户没有订单 {out_trade_no!r}。请核对订单号，以及 API 密钥（或 "
            "Daozhang-Merchant 请求头）所指的商户。",
            out_trade_no=out_trade_no,
        )


class OrderConflict(Refusal):
    """The number exists with other content."""

    code = "order_conflict"
    title = "The order exists with other content"

    def __init__(self, out_trade_no: str, differs: tuple[str, ...]) -> None:
        listed = ", ".join(differs)
        super().__init__(
            f"Order {out_trade_no!r} exists already and differs in: {listed}. One number means "
            "one order: use a new out_trade_no, or send the same content again.",
            f"订单 {out_trade_no!r} 已存在，且以下内容不同：{listed}。一个订单号只对应一笔订单："
            "请换用新的 out_trade_no，或以相同内容重发。",
            out_trade_no=out_trade_no,
            differs=list(differs),
        )


class WayDiffers(Refusal):
    """What was asked for belongs to another way to pay than the order's."""

    code = "way_differs"
    title = "The order is paid in another way"

    def __init__(self, order: Order, wanted: Way) -> None:
        super().__init__(
            f"Order {order.out_trade_no!r} has way={order.way.value}, and this is for "
            f"way={wanted.value}. The way is chosen when the order is created: create another one.",
            f"订单 {order.out_trade_no!r} 的支付方式为 {order.way.value}，而此接口用于 {wanted.value}。"
            "支付方式在创建订单时确定：请另建订单。",
            way=order.way.value,
        )


class OrderNotPayable(Refusal):
    """Nobody can be handed over to pay it any more."""

    code = "order_not_payable"
    title = "The order cannot be paid any more"

    def __init__(self, order: Order, problem: str) -> None:
        english, chinese = _UNPAYABLE[problem]
        super().__init__(
            f"Order {order.out_trade_no!r} {english}",
            f"订单 {order.out_trade_no!r} {chinese}",
            order_status=order.status.value,
            reason=problem,
        )


_UNPAYABLE: Final = {
    "already_paid": (
        "has been paid. Show the buyer so, and do not charge again.",
        "已付款。请向买家显示已付款，切勿重复收款。",
    ),
    "closed": (
        "has been given up. Create another order under a new number.",
        "已放弃。请用新的订单号另建订单。",
    ),
    "expired": (
        "has expired. Create another order under a new number.",
        "已过期。请用新的订单号另建订单。",
    ),
}
"""By what `daozhang.service.orders.handing.unpayable` says."""


class OrderNotClosable(Refusal):
    """What is paid, refunded or finished cannot be closed."""

    code = "order_not_closable"
    title = "The order cannot be closed"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"Order {order.out_trade_no!r} is {order.status.value}: only an unpaid order can be "
            "closed. To give the money back, make a refund.",
            f"订单 {order.out_trade_no!r} 的状态为 {order.status.value}：只能关闭未付款的订单；"
            "如需退还款项，请发起退款。",
            order_status=order.status.value,
        )


class OrderNeedsCancel(Refusal):
    """A code was scanned for it: closing could leave a buyer charged without goods."""

    code = "order_needs_cancel"
    title = "The order has to be cancelled"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"A payment code was scanned for order {order.out_trade_no!r}, so its buyer may be charged "
            "already: cancel it (POST .../cancel), which gives money back.",
            f"订单 {order.out_trade_no!r} 已扫过付款码，买家可能已被扣款：请调用撤销（POST .../cancel），"
            "已扣款项会自动退回。",
            order_status=order.status.value,
        )


class OrderNotRefundable(Refusal):
    """There is no money of this order that could go back."""

    code = "order_not_refundable"
    title = "The order cannot be refunded"

    def __init__(self, order: Order) -> None:
        reason, reason_zh = _why_not_refundable(order)
        super().__init__(
            f"Order {order.out_trade_no!r} cannot be refunded: {reason}",
            f"订单 {order.out_trade_no!r} 不能退款：{reason_zh}",
            order_status=order.status.value,
        )


def _why_not_refundable(order: Order) -> tuple[str, str]:
    reasons = {
        "finished": (
            "it is finished, and Alipay refunds it no more. Pay the buyer back another way.",
            "交易已结束，支付宝不再受理退款，请用其他方式退还买家。",
        ),
        "refunded": ("it has been refunded in full.", "已全额退款。"),
    }
    fallback = (
        f"it is {order.status.value}, so no payment is proven. Wait until it is paid.",
        f"状态为 {order.status.value}，尚未确认付款，请待付款后再试。",
    )
    return reasons.get(order.status.value, fallback)


class AmountExceedsRemainder(Refusal):
    """More is asked for than is left of the order."""

    code = "amount_exceeds_remainder"
    title = "The amount exceeds what is left"

    def __init__(self, asked: Money, remainder: Money) -> None:
        super().__init__(
            f"{asked} {asked.currency} is asked for, {remainder} is left: paid, less what has been "
            "refunded and what is under way.",
            f"申请金额 {asked} {asked.currency}，剩余可用金额 {remainder}"
            "（已付金额减去已退和处理中的金额）。",
            amount=str(asked),
            remainder=str(remainder),
        )


class ExpiryOutOfRange(Refusal):
    """Alipay takes 1 minute to 15 days."""

    code = "expiry_out_of_range"
    status = 422
    title = "The expiry is out of range"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "expires_at 必须在 1 分钟到 15 天之内。")


class CurrencyNotTaken(Refusal):
    """The merchant is not paid in that currency."""

    code = "currency_not_taken"
    status = 422
    title = "The currency is not taken"

    def __init__(self, currency: str) -> None:
        super().__init__(
            f"Orders are in CNY; {currency!r} is not taken for page payments.",
            f"网页支付订单使用 CNY，不支持 {currency!r}。",
        )
