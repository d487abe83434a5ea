"""Why a payment in a mini program, or a phone number, is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from daozhang.alipay.errors import Rejected, Untrusted
from daozhang.service.orders.model import Order
from daozhang.service.refusals import Refusal

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "ACQ.BUYER_NOT_EXIST": (
        "Alipay knows no such buyer: send the id that this very mini program was told.",
        "买家不存在：请使用该小程序获取到的买家标识。",
    ),
    "ACQ.PAYER_UNMATCHED": (
        "The trade was made for another buyer: the one who is signed in now has to be named.",
        "付款人与下单买家不一致：请以当前登录的买家下单。",
    ),
    "ACQ.TRADE_BUYER_NOT_MATCH": (
        "The trade was made for another buyer: create another order under a new number.",
        "交易买家不匹配：请用新的订单号另建订单。",
    ),
    "ACQ.OPEN_ID_NOT_TINY_APP": (
        "The open_id is not this mini program's: open ids differ from app to app, send the one of "
        "op_app_id.",
        "open_id 不属于该小程序：不同应用的 open_id 不同，请使用 op_app_id 对应的 open_id。",
    ),
    "ACQ.UNBOUND_APPLICATION": (
        "The mini program is not bound to this merchant: bind it in Alipay's merchant centre.",
        "小程序未与商户号绑定：请在支付宝商家平台完成绑定。",
    ),
    "ACQ.PRODUCT_NOT_SUPPORT_IN_TINY_APP": (
        "The product does not work in mini programs: sign up for JSAPI payment (小程序支付).",
        "该产品不支持在小程序中使用：请签约小程序支付。",
    ),
    "ACQ.BIZ_PRODUCT_NOT_ALLOWED": (
        "The merchant has not signed up for this product: do so in the merchant centre.",
        "商户未签约该产品：请在商家平台签约。",
    ),
    "ACQ.BUYER_ENABLE_STATUS_FORBID": (
        "The buyer's account cannot pay: the buyer has to ask Alipay (95188).",
        "买家账户状态异常，无法付款：请买家联系支付宝（95188）。",
    ),
    "ACQ.BUYER_SELLER_EQUAL": (
        "The buyer is the seller: one's own shop cannot be paid with one's own account.",
        "买卖双方为同一支付宝账户，不能付款。",
    ),
    "ACQ.CONTEXT_INCONSISTENT": (
        "Alipay has this number with other content: create another order under a new number.",
        "支付宝已有该订单号且内容不同：请用新的订单号另建订单。",
    ),
    "ACQ.TRADE_HAS_SUCCESS": (
        "It has been paid: ask (POST .../query), and do not charge again.",
        "交易已支付：请查询订单，切勿重复收款。",
    ),
    "ACQ.TRADE_HAS_CLOSE": (
        "Alipay has closed it: create another order under a new number.",
        "交易已关闭：请用新的订单号另建订单。",
    ),
}
"""By sub code (apis.md §9); any other is shown with Alipay's own text."""


class TradeRefused(Refusal):
    """Alipay makes no trade for the order."""

    code: ClassVar[str] = "mini_payment_refused"
    title: ClassVar[str] = "Alipay makes no trade for this order"

    def __init__(self, order: Order, no: Rejected) -> None:
        told = f"{no.sub_code or no.code} {no.message}"
        english, chinese = SENTENCES.get(
            no.sub_code or "", (f"Alipay says: {told}", f"支付宝返回：{told}")
        )
        super().__init__(
            f"No trade for order {order.out_trade_no!r}. {english}",
            f"订单 {order.out_trade_no!r} 无法创建交易。{chinese}",
            alipay_code=no.sub_code or no.code,
            alipay_message=no.message,
        )


class TradeNotMade(Refusal):
    """Alipay's answer did not come, or could not be believed."""

    code: ClassVar[str] = "mini_payment_not_made"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "No trade came from Alipay"

    def __init__(self, order: Order, reason: str) -> None:
        super().__init__(
            f"Alipay gave no trade for order {order.out_trade_no!r} ({reason}). Ask again with the same "
            "buyer: making a trade charges nobody, and the same again gives the same one.",
            f"支付宝未返回订单 {order.out_trade_no!r} 的交易。请以同一买家重试：创建交易不会扣款，"
            "重复请求返回同一笔交易。",
            reason=reason,
        )


class BuyerInvalid(Refusal):
    """The text names no buyer of Alipay's."""

    code: ClassVar[str] = "buyer_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not a buyer"

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem} Send exactly one: buyer_id, or buyer_open_id if your app is told open ids.",
            "买家标识无效：请提供 buyer_id（2088 开头的 16 位数字）或 buyer_open_id 其中之一，"
            "不要传入 null 转成的文本。",
        )


class PhoneNotRead(Refusal):
    """What the mini program sent is not Alipay's, or cannot be decrypted."""

    code: ClassVar[str] = "phone_number_not_read"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The phone number cannot be read"

    def __init__(self, refused: Untrusted | Rejected | None) -> None:
        if refused is None:
            english, chinese = (
                "This merchant's App has no key for content: add it (encrypt_key), as the console shows it.",
                "该商户的应用未配置内容加密密钥：请按控制台所示添加 encrypt_key。",
            )
        elif isinstance(refused, Rejected):
            told = f"{refused.sub_code or refused.code} {refused.message}"
            english, chinese = f"Alipay says no: {told}", f"支付宝返回：{told}"
        else:
            english = f"It is not believed ({refused.reason.value}): {refused.detail}"
            chinese = f"验签或解密失败（{refused.reason.value}）：请原样传回小程序得到的内容。"
        super().__init__(english, chinese)
