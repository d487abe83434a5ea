"""Why the till refuses what it is asked for."""

from __future__ import annotations

from typing import ClassVar

from daozhang.alipay.errors import Rejected
from daozhang.service.orders.model import Order
from daozhang.service.refusals import Refusal
from daozhang.service.till.messages import sentence_for


class CodeRefused(Refusal):
    """Alipay makes no code for the order."""

    code: ClassVar[str] = "qr_code_refused"
    title: ClassVar[str] = "Alipay makes no code for this order"

    def __init__(self, order: Order, no: Rejected) -> None:
        sentence = sentence_for(no.sub_code, no.message)
        super().__init__(
            f"No code for order {order.out_trade_no!r}. {sentence.english}",
            f"订单 {order.out_trade_no!r} 无法生成二维码。{sentence.chinese}",
            alipay_code=no.sub_code or no.code,
            alipay_message=no.message,
        )


class CodeNotMade(Refusal):
    """Alipay's answer did not come, or could not be believed."""

    code: ClassVar[str] = "qr_code_not_made"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "No code came from Alipay"

    def __init__(self, order: Order, reason: str) -> None:
        super().__init__(
            f"Alipay gave no code for order {order.out_trade_no!r} ({reason}). Ask again: making a code "
            "charges nobody.",
            f"支付宝未返回订单 {order.out_trade_no!r} 的二维码。请重试：生成二维码不会扣款。",
            reason=reason,
        )


class PictureNotFound(Refusal):
    """The address of a picture is none of ours, or its code can be paid no more."""

    code: ClassVar[str] = "qr_picture_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such picture"

    def __init__(self, *, expired: bool) -> None:
        super().__init__(
            "The code has expired: ask for a new one."
            if expired
            else "This is no picture of ours: use svg_url or png_url as the answer gives them.",
            "二维码已过期，请重新获取。" if expired else "图片地址无效，请使用接口返回的地址。",
        )


class PaymentCodeInvalid(Refusal):
    """What was scanned is no payment code of Alipay's."""

    code: ClassVar[str] = "payment_code_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not a payment code of Alipay's"

    def __init__(self, scanned: str) -> None:
        looks_en, looks_zh = _what_it_looks_like(scanned)
        super().__init__(
            f"{looks_en} A payment code of Alipay's has 16 to 24 digits and begins with 25 to 30. "
            "Nothing was charged: scan again.",
            f"{looks_zh}支付宝付款码为 16 至 24 位数字，以 25 至 30 开头。未扣款，请重新扫码。",
        )


def _what_it_looks_like(scanned: str) -> tuple[str, str]:
    """What was scanned instead, where that can be told. The text itself is not repeated: it may be
    somebody's payment code for another wallet."""
    digits = scanned.isascii() and scanned.isdigit()
    if digits and len(scanned) == 18 and scanned[:2] in {"10", "11", "12", "13", "14", "15"}:
        return "This looks like a payment code of WeChat Pay.", "这看起来是微信付款码。"
    if digits and len(scanned) == 19 and scanned.startswith("62"):
        return "This looks like a payment code of UnionPay.", "这看起来是云闪付付款码。"
    if digits and len(scanned) in (8, 12, 13, 14):
        return "This looks like the barcode of goods.", "这看起来是商品条码。"
    if scanned.lower().startswith(("http://", "https://", "alipays:")):
        return (
            "This is the address in a QR code, not a payment code.",
            "这是二维码中的网址，不是付款码。",
        )
    return f"What was scanned ({len(scanned)} characters) is none.", "扫到的内容不是付款码。"


class PaymentUnderWay(Refusal):
    """Another code was scanned for this order and its outcome is not known yet."""

    code: ClassVar[str] = "barcode_payment_under_way"
    title: ClassVar[str] = "A payment of this order is under way"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"A payment of order {order.out_trade_no!r} is not decided yet. Do not scan another code and "
            "do not hand over the goods: read it (GET .../barcode_payment), or cancel "
            "(POST .../cancel).",
            f"订单 {order.out_trade_no!r} 的付款结果尚未确定。请勿再次扫码，也不要交付商品：可查询"
            "（GET .../barcode_payment）或撤销（POST .../cancel）。",
            order_status=order.status.value,
        )


class NoBarcodePayment(Refusal):
    """No code has been scanned for this order yet."""

    code: ClassVar[str] = "barcode_payment_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No code has been scanned for this order"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"No payment code has been scanned for order {order.out_trade_no!r} yet: "
            "POST .../barcode_payment.",
            f"订单 {order.out_trade_no!r} 尚未扫过付款码：请调用 POST .../barcode_payment。",
        )


class NotCancellable(Refusal):
    """Only what has not been decided can be cancelled."""

    code: ClassVar[str] = "order_not_cancellable"
    title: ClassVar[str] = "The order cannot be cancelled"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"Order {order.out_trade_no!r} is {order.status.value}: only a payment that is not decided "
            "is cancelled. To give money back, make a refund.",
            f"订单 {order.out_trade_no!r} 的状态为 {order.status.value}：只有结果未定的付款可以撤销；"
            "如需退款，请发起退款。",
            order_status=order.status.value,
        )


class SaleNumberInvalid(Refusal):
    """The number is none that a page of ours has made."""

    code: ClassVar[str] = "sale_number_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not a number of the till's"

    def __init__(self) -> None:
        super().__init__(
            "This form is not whole: load the till again.", "表单不完整：请刷新收银台后重试。"
        )
