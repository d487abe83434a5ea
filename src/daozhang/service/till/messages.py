"""What a no of Alipay's means for the person at the till: words in both languages, and what may follow.

The codes are those of `alipay.trade.pay` and `precreate` that somebody has to act on (apis.md §7, §8).
Any other is shown with Alipay's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Follow(StrEnum):
    """What may follow a definite no."""

    AGAIN = "again"  # the buyer shows a code again: the same order can be charged
    END = "end"  # this order will not be paid: it is cancelled, and that is confirmed
    ASK = "ask"  # it speaks of the trade's state: only a query tells


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said to the person at the till, and what follows."""

    english: str
    chinese: str
    follow: Follow = Follow.END


_SCAN_AGAIN: Final = Sentence(
    "The code has expired or was used: ask the buyer to refresh it, and scan again.",
    "付款码已失效或已被使用：请买家刷新付款码后重新扫码。",
    Follow.AGAIN,
)
_OTHER_MEANS: Final = Sentence(
    "The buyer's account has too little money: ask for another means of payment, and scan again.",
    "买家余额不足：请买家更换付款方式后重新扫码。",
    Follow.AGAIN,
)
_CARD: Final = Sentence(
    "The buyer's bank card has too little money: ask for another card or means, and scan again.",
    "买家银行卡余额不足：请买家更换银行卡或付款方式后重新扫码。",
    Follow.AGAIN,
)
_BALANCE_OFF: Final = Sentence(
    "The buyer has switched payment by balance off: ask for a bank card, and scan again.",
    "买家已关闭余额支付功能：请买家改用银行卡后重新扫码。",
    Follow.AGAIN,
)
_NO_MEANS: Final = Sentence(
    "The buyer has no means that may pay this: ask for another one, and scan again.",
    "买家没有可用的付款方式：请买家更换后重新扫码。",
    Follow.AGAIN,
)
_LIMIT: Final = Sentence(
    "The buyer has reached a limit on payments: ask for another means, and scan again, or take cash.",
    "买家付款已达限额：请买家更换付款方式后重新扫码，或改用现金。",
    Follow.AGAIN,
)
_PHONE: Final = Sentence(
    "The buyer's phone could not be asked to confirm: ask the buyer to open Alipay, and scan again.",
    "无法唤起买家手机上的收银台：请买家打开支付宝后重新扫码。",
    Follow.AGAIN,
)
_PHONE_OFF: Final = Sentence(
    "The buyer has switched payment by phone off: it can be switched on in Alipay's settings, then scan "
    "again.",
    "买家已关闭手机支付：请买家在支付宝设置中开启后重新扫码。",
    Follow.AGAIN,
)
_FACE_OFF: Final = Sentence(
    "The buyer has switched payment by code off: it can be switched on in Alipay's settings, then scan "
    "again.",
    "买家未开启当面付：请买家在支付宝付款设置中开启后重新扫码。",
    Follow.AGAIN,
)
_FACE: Final = Sentence(
    "The face could not be used: try again, or scan the buyer's code.",
    "刷脸信息无效或已过期：请重新刷脸，或改扫买家付款码。",
    Follow.AGAIN,
)
_FAILED: Final = Sentence(
    "The payment failed: ask the buyer to show the code again, or to use another means.",
    "支付失败：请买家重新出示付款码，或更换付款方式。",
    Follow.AGAIN,
)
_RISK: Final = Sentence(
    "Alipay refuses this payment as risky: take another way of payment. Trying again does not help.",
    "支付存在风险，已被支付宝拦截：请改用其他收款方式，重试无效。",
)
_BUYER: Final = Sentence(
    "The buyer's account cannot pay: the buyer has to ask Alipay (95188). Take another way of payment.",
    "买家账户状态异常，无法付款：请买家联系支付宝（95188），本单请改用其他方式。",
)
_BUYER_IS_SELLER: Final = Sentence(
    "The buyer is the seller: one's own shop cannot be paid with one's own account.",
    "买卖双方为同一支付宝账户，不能付款：请更换买家账户。",
)
_CERTIFY: Final = Sentence(
    "The buyer has to prove their identity to Alipay first, in the app. Take another way of payment.",
    "买家尚未完成实名认证：请买家在支付宝内认证，本单请改用其他方式。",
)
_SHOP_LIMIT: Final = Sentence(
    "The shop has reached its limit for receipts: tell the manager, who can raise it in Alipay's "
    "merchant centre. Take another way of payment.",
    "商户收款已达限额：请告知店长在支付宝商家平台提升额度，本单请改用其他方式。",
)
_SHOP: Final = Sentence(
    "The shop's own Alipay account or contract does not allow it: tell the manager. Take another way of "
    "payment.",
    "商户的支付宝账户或签约状态不允许收款：请告知店长，本单请改用其他方式。",
)
_AMOUNT: Final = Sentence(
    "Alipay does not take this amount: check it, and make a new order.",
    "金额超出允许范围：请核对金额并重新下单。",
)
_REQUEST: Final = Sentence(
    "Alipay refuses the order as it was sent: tell whoever looks after the software.",
    "支付宝拒绝了请求内容：请联系系统维护人员。",
)
_WORD: Final = Sentence(
    "The order's title holds a word that Alipay forbids: change it, and make a new order.",
    "订单标题含有违禁词：请修改标题后重新下单。",
)
_TIME_OVER: Final = Sentence(
    "The order's time is over: make a new order.",
    "订单已超过允许支付的时间：请重新下单。",
)
_STATE: Final = Sentence(
    "Alipay has this order already: asking what became of it. Do not hand over the goods yet.",
    "支付宝已有该订单，正在查询其结果，请先不要交付商品。",
    Follow.ASK,
)

SENTENCES: Final[Mapping[str, Sentence]] = {
    "ACQ.PAYMENT_AUTH_CODE_INVALID": _SCAN_AGAIN,
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": _OTHER_MEANS,
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": _CARD,
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": _BALANCE_OFF,
    "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE": _NO_MEANS,
    "ACQ.NOT_SUPPORT_PAYMENT_INST": _NO_MEANS,
    "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": _LIMIT,
    "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": _LIMIT,
    "ACQ.BEYOND_PAY_RESTRICTION": _LIMIT,
    "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR": _LIMIT,
    "ACQ.PULL_MOBILE_CASHIER_FAIL": _PHONE,
    "ACQ.MOBILE_PAYMENT_SWITCH_OFF": _PHONE_OFF,
    "ACQ.USER_FACE_PAYMENT_SWITCH_OFF": _FACE_OFF,
    "ACQ.AUTH_TOKEN_IS_NOT_EXIST": _FACE,
    "ACQ.SMILE_PAY_MERCHANT_NOT_MATCH": _FACE,
    "ACQ.PAYMENT_FAIL": _FAILED,
    "ACQ.PAYMENT_REQUEST_HAS_RISK": _RISK,
    "ACQ.RISK_MERCHANT_IP_NOT_EXIST": _SHOP,
    "ACQ.BUYER_ENABLE_STATUS_FORBID": _BUYER,
    "ACQ.BUYER_NOT_EXIST": _BUYER,
    "ACQ.BUYER_SELLER_EQUAL": _BUYER_IS_SELLER,
    "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT": _CERTIFY,
    "ACQ.NOT_CERTIFIED_USER": _CERTIFY,
    "ACQ.BUYER_NOT_MAINLAND_CERT": _CERTIFY,
    "ACQ.CERT_EXPIRED": _CERTIFY,
    "ACQ.BEYOND_PER_RECEIPT_RESTRICTION": _SHOP_LIMIT,
    "ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION": _SHOP_LIMIT,
    "ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION": _SHOP_LIMIT,
    "ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT": _SHOP_LIMIT,
    "ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT": _SHOP_LIMIT,
    "ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT": _SHOP_LIMIT,
    "ACQ.ACCESS_FORBIDDEN": _SHOP,
    "ACQ.PARTNER_ERROR": _SHOP,
    "ACQ.SELLER_NOT_EXIST": _SHOP,
    "ACQ.SELLER_BEEN_BLOCKED": _SHOP,
    "ACQ.INVALID_RECEIVE_ACCOUNT": _SHOP,
    "ACQ.INVALID_STORE_ID": _SHOP,
    "ACQ.MERCHANT_AGREEMENT_NOT_EXIST": _SHOP,
    "ACQ.MERCHANT_AGREEMENT_INVALID": _SHOP,
    "ACQ.MERCHANT_STATUS_NOT_NORMAL": _SHOP,
    "ACQ.RESTRICTED_MERCHANT_INDUSTRY": _SHOP,
    "ACQ.BUYER_UNSUPPORT_ADVANCE": _BUYER,
    "ACQ.USER_LOGONID_DUP": _BUYER,
    "ACQ.PAYER_UNMATCHED": _REQUEST,
    "ACQ.ORDER_UNSUPPORT_ADVANCE": _REQUEST,
    "ACQ.UN_SUPPORT_TRADE_SCENE": _REQUEST,
    "ACQ.CURRENCY_NOT_SUPPORT": _AMOUNT,
    "ACQ.CARD_TYPE_ERROR": _NO_MEANS,
    "ACQ.CARD_USER_NOT_MATCH": _NO_MEANS,
    "ACQ.MERCHANT_UNSUPPORT_ADVANCE": _SHOP,
    "ACQ.DEFAULT_SETTLE_RULE_NOT_EXIST": _SHOP,
    "ACQ.PLATFORM_BUSINESS_ACQUIRE_MODE_MUST_MERCHANT_ID": _SHOP,
    "ACQ.ROYALTY_ACCOUNT_NOT_EXIST": _SHOP,
    "ACQ.SECONDARY_MERCHANT_ALIPAY_ACCOUNT_INVALID": _SHOP,
    "ACQ.SECONDARY_MERCHANT_ID_BLANK": _SHOP,
    "ACQ.SECONDARY_MERCHANT_ID_INVALID": _SHOP,
    "ACQ.SECONDARY_MERCHANT_ISV_PUNISH_INDIRECT": _SHOP,
    "ACQ.SECONDARY_MERCHANT_NOT_MATCH": _SHOP,
    "ACQ.SECONDARY_MERCHANT_STATUS_ERROR": _SHOP,
    "ACQ.SUB_MERCHANT_CREATE_FAIL": _SHOP,
    "ACQ.SUB_MERCHANT_TYPE_INVALID": _SHOP,
    "ACQ.TRADE_SETTLE_ERROR": _SHOP,
    "ACQ.TOTAL_FEE_EXCEED": _AMOUNT,
    "ACQ.AMOUNT_OR_CURRENCY_ERROR": _AMOUNT,
    "ACQ.INVALID_PARAMETER": _REQUEST,
    "ACQ.SUB_GOODS_SIZE_MAX_COUNT": _REQUEST,
    "ACQ.EXIST_FORBIDDEN_WORD": _WORD,
    "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR": _TIME_OVER,
    "ACQ.TRADE_HAS_SUCCESS": _STATE,
    "ACQ.TRADE_HAS_CLOSE": _STATE,
    "ACQ.TRADE_STATUS_ERROR": _STATE,
    "ACQ.TRADE_BUYER_NOT_MATCH": _STATE,
    "ACQ.CONTEXT_INCONSISTENT": _STATE,
    "ACQ.APPLY_PC_MERCHANT_CODE_ERROR": _STATE,
}
"""By sub code."""


def sentence_for(sub_code: str | None, message: str | None) -> Sentence:
    """What to say about a no; a code without words of ours is shown with Alipay's."""
    known = SENTENCES.get(sub_code or "")
    if known is not None:
        return known
    told = " ".join(part for part in (sub_code, message) if part) or "no reason given"
    return Sentence(
        f"Alipay refused the payment: {told}. Take another way of payment.",
        f"支付宝拒绝了本次付款：{told}。请改用其他收款方式。",
    )
