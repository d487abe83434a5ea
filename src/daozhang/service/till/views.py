"""What the person at the till is told: one word, one sentence, and whether the goods may go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Self

from pydantic import BaseModel, Field

from daozhang.service.orders.model import Order
from daozhang.service.orders.views import OrderOut
from daozhang.service.till.messages import sentence_for
from daozhang.service.till.model import BarcodePayment, Ending, Phase
from daozhang.service.till.rules import ENDINGS, may_scan_again

SHOWN: Final[Mapping[str, tuple[str, str]]] = {
    "paying": (
        "Charging the code. Do not hand over the goods yet.",
        "正在扣款，请先不要交付商品。",
    ),
    "buyer_confirms": (
        "The buyer has to confirm on the phone. Do not hand over the goods yet.",
        "请买家在手机上确认付款（输入密码），请先不要交付商品。",
    ),
    "unclear": (
        "No clear answer from Alipay yet, it is being asked. Do not hand over the goods, and do not "
        "charge again.",
        "支付宝尚无明确结果，正在查询。请先不要交付商品，也不要重复收款。",
    ),
    "cancelling": (
        "The payment is being cancelled. Do not hand over the goods. Money that was charged goes back "
        "by itself.",
        "正在撤销本次付款，请不要交付商品；如已扣款，将自动退回买家。",
    ),
    "needs_person": (
        "What Alipay says does not fit: a manager has to look. Do not hand over the goods, and do not "
        "charge again.",
        "支付宝返回的信息与订单不符，需店长处理。请不要交付商品，也不要重复收款。",
    ),
    "paid": (
        "Paid. Hand over the goods.",
        "支付成功，可以交付商品。",
    ),
    "not_paid": (
        "Not paid, and it cannot be paid any more. Make a new order to charge again.",
        "未付款，订单已关闭，买家未被扣款。如需继续收款，请新建订单。",
    ),
    "refunded": (
        "Cancelled: the buyer was charged and has the money back. Make a new order to charge again.",
        "已撤销，款项已退回买家。如需继续收款，请新建订单。",
    ),
    "not_sent": (
        "Nothing was charged: the shop's own settings do not allow it. Tell whoever looks after the "
        "software.",
        "未扣款：商户系统配置有误，请联系系统维护人员。",
    ),
}
"""What is shown where no code of Alipay's says more."""

FINAL: Final = frozenset({"paid", "not_paid", "refunded", "not_sent"})

_BY_ENDING: Final[Mapping[Ending, str]] = {
    Ending.PAID: "paid",
    Ending.CANCELLED: "not_paid",
    Ending.REFUNDED: "refunded",
}

_BY_PHASE: Final[Mapping[Phase, str]] = {
    Phase.CALLING: "paying",
    Phase.DECLINED: "declined",
    Phase.CANCELLING: "cancelling",
}


class BarcodePaymentOut(BaseModel):
    """A payment at the till. Goods go when `hand_over_goods` is true, and never before."""

    object: str = "barcode_payment"
    out_trade_no: str
    number: int = Field(description="Which code of this order it is, counted from 1.")
    state: str = Field(
        description="paying, buyer_confirms, unclear, declined, cancelling, needs_person, paid, "
        "not_paid, refunded or not_sent"
    )
    final: bool = Field(description="Whether nothing can change it any more.")
    hand_over_goods: bool
    may_scan_again: bool = Field(
        description="Whether the same order can be charged by another code, now."
    )
    message: str = Field(description="For the person at the till.")
    message_zh: str
    alipay_code: str | None = Field(description="The code of Alipay's no, if it gave one.")
    alipay_message: str | None
    operator_id: str | None
    terminal_id: str | None
    store_id: str | None
    wait_until: datetime = Field(description="When it is given up if the buyer has not paid.")
    created_at: datetime
    updated_at: datetime
    order: OrderOut

    @classmethod
    def of(cls, payment: BarcodePayment, order: Order, rendered: OrderOut) -> Self:
        """``payment`` of ``order``, as it stands now."""
        state = state_of(payment, order)
        english, chinese = words_of(payment, state)
        return cls(
            out_trade_no=order.out_trade_no,
            number=payment.number,
            state=state,
            final=state in FINAL,
            hand_over_goods=state == "paid",
            may_scan_again=state in ("declined", "not_sent") and may_scan_again(payment),
            message=english,
            message_zh=chinese,
            alipay_code=payment.last_code,
            alipay_message=payment.last_message,
            operator_id=payment.operator_id,
            terminal_id=payment.terminal_id,
            store_id=payment.store_id,
            wait_until=payment.wait_until,
            created_at=payment.created_at,
            updated_at=payment.updated_at,
            order=rendered,
        )


def state_of(payment: BarcodePayment, order: Order) -> str:
    """The one word. What the order is comes before what the payment's own row says."""
    ending = ENDINGS.get(order.status)
    if ending is not None:
        return _BY_ENDING[ending]
    if order.attention:
        return "needs_person"
    if payment.phase is Phase.ENDED:
        return "not_sent" if payment.ending is Ending.NOT_SENT else "declined"
    asking = "buyer_confirms" if payment.buyer_acts else "unclear"
    return _BY_PHASE.get(payment.phase, asking)


def words_of(payment: BarcodePayment, state: str) -> tuple[str, str]:
    """The sentence of ``state`` in English and in Chinese, with what Alipay said if it said no."""
    refused = payment.last_code is not None and payment.last_code.startswith("ACQ.")
    if state == "declined" or (refused and state == "cancelling"):
        sentence = sentence_for(payment.last_code, payment.last_message)
        english, chinese = sentence.english, sentence.chinese
        if state == "declined":
            return english, chinese
        return f"{english} {SHOWN[state][0]}", f"{chinese}{SHOWN[state][1]}"
    return SHOWN[state]
