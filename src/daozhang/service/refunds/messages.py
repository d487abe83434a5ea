"""What a no of Alipay's to a refund means for the people who asked: words in both languages.

The codes are those of `alipay.trade.refund` that somebody has to act on (apis.md §3). Any other is shown with
Alipay's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.orders.telling import alipay_says

_BALANCE: Final = (
    "The shop's Alipay account has too little money: put some in. The refund waits and goes by itself then.",
    "商户支付宝账户余额不足：请充值，到账后退款会自动继续。",
)
_TOO_LATE: Final = (
    "The time to refund this payment is over: pay the buyer back in another way.",
    "该交易已超过可退款期限：请通过其他方式退还买家。",
)
_CLOSED: Final = (
    "The payment is closed or refunded in full already: nothing is left to refund.",
    "该交易已关闭或已全额退款，无可退金额。",
)
_TOO_MUCH: Final = (
    "More is asked back than is left of the payment: read the order, and refund what remains at most.",
    "退款金额超过可退金额：请查询订单后按剩余金额退款。",
)
_NO_PART: Final = (
    "This payment can only be refunded as a whole: refund the full amount.",
    "该交易不支持部分退款：请按全额退款。",
)
_NOT_ALLOWED: Final = (
    "Alipay does not let this payment be refunded: look into Alipay's merchant centre, or pay the buyer back "
    "in another way.",
    "该交易不允许退款：请在支付宝商家平台查看原因，或通过其他方式退还买家。",
)
_FROZEN: Final = (
    "The payment is frozen at Alipay, often because of a complaint: settle that in the merchant centre first.",
    "该交易已被冻结（可能存在投诉或风控）：请先在支付宝商家平台处理。",
)
_STATUS: Final = (
    "The payment does not stand so that it could be refunded: ask about the order, and read it again.",
    "交易当前状态不允许退款：请先查询订单状态。",
)
_UNKNOWN_TRADE: Final = (
    "Alipay has no such payment: check the order and its App, and tell whoever looks after the software.",
    "支付宝没有该交易：请核对订单与应用，并联系系统维护人员。",
)
_BUYER: Final = (
    "The buyer's account cannot take the money: the buyer has to ask Alipay (95188).",
    "买家账户状态异常，无法收款：请买家联系支付宝（95188）。",
)
_OTHER_BUYER: Final = (
    "The refund names another buyer than the payment: tell whoever looks after the software.",
    "退款账户与付款人不一致：请联系系统维护人员。",
)
_REPEATED: Final = (
    "The refund's number was used with other content: use a new number only if the old refund has failed.",
    "退款单号已被使用且内容不同：仅在原退款确认失败后才可换用新单号。",
)
_SHARES: Final = (
    "Shares of this payment stand in the way: check who gives how much back, and whether they allow it.",
    "分账信息有误或分账方未授权回退：请核对分账回退金额及授权。",
)
_SHOP: Final = (
    "The shop's own account or contract does not allow it: look into Alipay's merchant centre.",
    "商户的支付宝账户或签约状态不允许退款：请在支付宝商家平台检查。",
)
_REQUEST: Final = (
    "Alipay refuses the refund as it was sent: tell whoever looks after the software.",
    "支付宝拒绝了退款请求内容：请联系系统维护人员。",
)

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": _BALANCE,
    "ACQ.REFUND_CHARGE_ERROR": _BALANCE,
    "ACQ.TRADE_HAS_FINISHED": _TOO_LATE,
    "ACQ.TRADE_HAS_CLOSE": _CLOSED,
    "ACQ.REASON_TRADE_REFUND_FEE_ERR": _TOO_MUCH,
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": _TOO_MUCH,
    "ACQ.REFUND_FEE_ERROR": _TOO_MUCH,
    "ACQ.NOT_ALLOW_PARTIAL_REFUND": _NO_PART,
    "ACQ.TRADE_NOT_ALLOW_REFUND": _NOT_ALLOWED,
    "ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND": _NOT_ALLOWED,
    "ACQ.ENTERPRISE_PAY_BIZ_ERROR": _NOT_ALLOWED,
    "ACQ.CUSTOMER_VALIDATE_ERROR": _NOT_ALLOWED,
    "ACQ.REASON_TRADE_BEEN_FREEZEN": _FROZEN,
    "ACQ.TRADE_STATUS_ERROR": _STATUS,
    "ACQ.REASON_TRADE_STATUS_INVALID": _STATUS,
    "ACQ.TRADE_NOT_EXIST": _UNKNOWN_TRADE,
    "ACQ.BUYER_NOT_EXIST": _BUYER,
    "ACQ.BUYER_ENABLE_STATUS_FORBID": _BUYER,
    "ACQ.BUYER_ERROR": _BUYER,
    "ACQ.REFUND_ACCOUNT_NOT_EXIST": _BUYER,
    "ACQ.USER_NOT_MATCH_ERR": _OTHER_BUYER,
    "ACQ.DISCORDANT_REPEAT_REQUEST": _REPEATED,
    "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR": _SHARES,
    "ACQ.REFUNDALLOC_UNAUTH_LIMIT": _SHARES,
    "ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST": _SHARES,
    "ACQ.TRADE_SETTLE_ERROR": _SHARES,
    "ACQ.OVERDRAFT_AGREEMENT_NOT_MATCH": _SHOP,
    "ACQ.OVERDRAFT_ASSIGN_ACCOUNT_INVALID": _SHOP,
    "ACQ.CURRENCY_NOT_SUPPORT": _REQUEST,
    "ACQ.INVALID_PARAMETER": _REQUEST,
}
"""By sub code: English, Chinese."""


def sentences_for(code: str | None, message: str | None) -> tuple[str, str] | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    return None if code is None else SENTENCES.get(code) or alipay_says(code, message)
