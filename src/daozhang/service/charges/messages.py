"""What a no of Alipay's to a charge means for the people who look after it: words in both languages.

Nobody stands beside a charge: the buyer has agreed to it before, by a hold or an agreement. The codes are
those of `alipay.trade.pay` that somebody has to act on (apis.md §8, §14). Any other is shown with Alipay's
own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.orders.telling import alipay_says

_AGREEMENT_GONE: Final = (
    "The agreement is not in effect at Alipay: nothing can be charged by it. Ask the buyer to sign again.",
    "协议在支付宝侧未生效或已解约，无法扣款：请买家重新签约。",
)
_NOT_THE_DAY: Final = (
    "Today is not in the period's window: read the agreement for the next planned day, or move it.",
    "当前日期不在本期可扣款时间内：请查看协议的下次扣款日，或调整扣款计划。",
)
_SINGLE: Final = (
    "More than the buyer agreed to be charged at once: charge less, or sign a new agreement.",
    "超过协议约定的单笔限额：请降低金额，或重新签约。",
)
_IN_ALL: Final = (
    "All that the buyer agreed to has been charged: sign a new agreement.",
    "已达到协议约定的累计金额或次数上限：请重新签约。",
)
_TOO_OFTEN: Final = (
    "Alipay takes no more tries now: wait until the next day, and do not try another number.",
    "已达到扣款次数上限：请次日再试，不要换单号重扣。",
)
_SHOP_A_DAY: Final = (
    "The shop has charged as much by agreements as it may in a day: wait until tomorrow, or have the limit "
    "raised in Alipay's merchant centre.",
    "商户当日代扣金额已达上限：请次日再试，或在支付宝商家平台申请提额。",
)
_MONEY: Final = (
    "The buyer has too little money: tell the buyer, and try again later.",
    "买家余额不足：请通知买家充值或更换付款方式，稍后再试。",
)
_BALANCE_OFF: Final = (
    "The buyer has switched payment by balance off: ask the buyer to switch it on, or to add a bank card.",
    "买家已关闭余额支付功能：请买家开启，或绑定银行卡。",
)
_NO_MEANS: Final = (
    "The buyer has no means that may pay this: ask the buyer to add one in Alipay.",
    "买家没有可用的付款方式：请买家在支付宝中添加。",
)
_LIMIT: Final = (
    "The buyer has reached a limit on payments: try again tomorrow, or agree on a smaller amount.",
    "买家付款已达限额：请次日再试，或与买家协商减少金额。",
)
_BUYER: Final = (
    "The buyer's account cannot pay: the buyer has to ask Alipay (95188).",
    "买家账户状态异常，无法付款：请买家联系支付宝（95188）。",
)
_CERTIFY: Final = (
    "The buyer has to prove their identity to Alipay first, in the app.",
    "买家尚未完成实名认证：请买家在支付宝内认证后再试。",
)
_PHONE: Final = (
    "The buyer has to change a setting in Alipay before this can be paid: ask the buyer to look.",
    "买家的支付宝付款设置不允许该付款：请买家在支付宝设置中检查。",
)
_OTHER_BUYER: Final = (
    "The payment names another buyer than the one who agreed: tell whoever looks after the software.",
    "付款人与授权人不一致：请联系系统维护人员。",
)
_BUYER_IS_SELLER: Final = (
    "The buyer is the seller: one's own shop cannot be paid with one's own account.",
    "买卖双方为同一支付宝账户，不能付款。",
)
_FAILED: Final = (
    "The payment failed at Alipay: try again later; if it goes on, the buyer has to ask Alipay (95188).",
    "支付宝扣款失败：请稍后再试；若持续失败，请买家联系支付宝（95188）。",
)
_RISK: Final = (
    "Alipay refuses this payment as risky: trying again does not help. Agree on another way with the buyer.",
    "支付存在风险，已被支付宝拦截，重试无效：请与买家协商其他付款方式。",
)
_SHOP_LIMIT: Final = (
    "The shop has reached its limit for receipts: raise it in Alipay's merchant centre.",
    "商户收款已达限额：请在支付宝商家平台提升额度。",
)
_SHOP: Final = (
    "The shop's own Alipay account or contract does not allow it: look into Alipay's merchant centre.",
    "商户的支付宝账户或签约状态不允许收款：请在支付宝商家平台检查。",
)
_SUB_MERCHANT: Final = (
    "The sub-merchant is unknown to Alipay or may not be paid: check its registration with Alipay.",
    "二级商户不存在或状态异常：请检查其在支付宝的进件状态。",
)
_AMOUNT: Final = (
    "Alipay does not take this amount or currency: check it, and use a new number.",
    "金额或币种超出允许范围：请核对后使用新的单号。",
)
_REQUEST: Final = (
    "Alipay refuses the charge as it was sent: tell whoever looks after the software.",
    "支付宝拒绝了请求内容：请联系系统维护人员。",
)
_WORD: Final = (
    "The subject holds a word that Alipay forbids: change it, and use a new number.",
    "订单标题含有违禁词：请修改标题并使用新的单号。",
)
_TIME_OVER: Final = (
    "The time to pay is over: use a new number.",
    "已超过允许支付的时间：请使用新的单号。",
)
_STATE: Final = (
    "Alipay has this number already: it is asked what became of it. Use no other number meanwhile.",
    "支付宝已有该单号，正在查询其结果，期间请勿换单号重扣。",
)
_HOLD_TOO_MUCH: Final = (
    "More is asked for than is still frozen: read the hold, and ask for what remains at most.",
    "金额超过剩余冻结金额：请查询预授权后按剩余金额操作。",
)
_HOLD_GONE: Final = (
    "Nothing of this hold is frozen any more: make a new hold.",
    "该预授权已完结或关闭，无可用冻结金额：请重新发起预授权。",
)

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        (
            "ACQ.AGREEMENT_ERROR", "ACQ.AGREEMENT_INVALID", "ACQ.AGREEMENT_NOT_EXIST",
            "ACQ.AGREEMENT_STATUS_NOT_NORMAL",
        ),
        _AGREEMENT_GONE,
    ),
    **dict.fromkeys(("ACQ.CYCLE_PAY_DATE_NOT_MATCH", "ACQ.OVER_DEDUCT_PERIOD"), _NOT_THE_DAY),
    "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED": _SINGLE,
    **dict.fromkeys(
        ("ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED", "ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED"), _IN_ALL
    ),
    **dict.fromkeys(
        ("ACQ.OVER_MAX_DEDUCT_COUNT", "ACQ.OVER_MAX_UNDER_WAY_DEDUCT_COUNT"), _TOO_OFTEN
    ),
    "ACQ.OVER_MERCHANT_DAILY_DEDUCT_AMOUNT": _SHOP_A_DAY,
    **dict.fromkeys(
        ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH"), _MONEY
    ),
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": _BALANCE_OFF,
    **dict.fromkeys(
        (
            "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", "ACQ.NOT_SUPPORT_PAYMENT_INST",
            "ACQ.CARD_TYPE_ERROR", "ACQ.CARD_USER_NOT_MATCH",
        ),
        _NO_MEANS,
    ),
    **dict.fromkeys(
        (
            "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
            "ACQ.BEYOND_PAY_RESTRICTION", "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR",
        ),
        _LIMIT,
    ),
    **dict.fromkeys(
        (
            "ACQ.BUYER_ENABLE_STATUS_FORBID", "ACQ.BUYER_NOT_EXIST", "ACQ.USER_LOGONID_DUP",
            "ACQ.BUYER_UNSUPPORT_ADVANCE", "ACQ.ZM_AUTH_AMOUNT_EXCEED", "ACQ.ZM_AUTH_RULE_LIMIT",
            "ACQ.ZM_CREDIT_AUTH_FAIL",
        ),
        _BUYER,
    ),
    **dict.fromkeys(
        (
            "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT", "ACQ.NOT_CERTIFIED_USER",
            "ACQ.BUYER_NOT_MAINLAND_CERT", "ACQ.CERT_EXPIRED",
        ),
        _CERTIFY,
    ),
    **dict.fromkeys(
        (
            "ACQ.MOBILE_PAYMENT_SWITCH_OFF", "ACQ.USER_FACE_PAYMENT_SWITCH_OFF",
            "ACQ.PULL_MOBILE_CASHIER_FAIL",
        ),
        _PHONE,
    ),
    **dict.fromkeys(("ACQ.PAYER_UNMATCHED", "ACQ.TRADE_BUYER_NOT_MATCH"), _OTHER_BUYER),
    "ACQ.BUYER_SELLER_EQUAL": _BUYER_IS_SELLER,
    "ACQ.PAYMENT_FAIL": _FAILED,
    "ACQ.PAYMENT_REQUEST_HAS_RISK": _RISK,
    **dict.fromkeys(
        (
            "ACQ.BEYOND_PER_RECEIPT_RESTRICTION", "ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION",
            "ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION", "ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT",
            "ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT", "ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT",
        ),
        _SHOP_LIMIT,
    ),
    **dict.fromkeys(
        (
            "ACQ.ACCESS_FORBIDDEN", "ACQ.PARTNER_ERROR", "ACQ.SELLER_NOT_EXIST",
            "ACQ.SELLER_BEEN_BLOCKED", "ACQ.INVALID_RECEIVE_ACCOUNT", "ACQ.INVALID_STORE_ID",
            "ACQ.MERCHANT_AGREEMENT_NOT_EXIST", "ACQ.MERCHANT_AGREEMENT_INVALID",
            "ACQ.MERCHANT_STATUS_NOT_NORMAL", "ACQ.MERCHANT_UNSUPPORT_ADVANCE",
            "ACQ.RESTRICTED_MERCHANT_INDUSTRY", "ACQ.RISK_MERCHANT_IP_NOT_EXIST",
            "ACQ.ROYALTY_ACCOUNT_NOT_EXIST", "ACQ.TRADE_SETTLE_ERROR",
        ),
        _SHOP,
    ),
    **dict.fromkeys(
        (
            "ACQ.PLATFORM_BUSINESS_ACQUIRE_MODE_MUST_MERCHANT_ID", "ACQ.SECONDARY_MERCHANT_ID_BLANK",
            "ACQ.SECONDARY_MERCHANT_ALIPAY_ACCOUNT_INVALID", "ACQ.SECONDARY_MERCHANT_ID_INVALID",
            "ACQ.SECONDARY_MERCHANT_ISV_PUNISH_INDIRECT", "ACQ.SECONDARY_MERCHANT_NOT_MATCH",
            "ACQ.SECONDARY_MERCHANT_STATUS_ERROR", "ACQ.SUB_MERCHANT_CREATE_FAIL",
            "ACQ.SUB_MERCHANT_TYPE_INVALID",
        ),
        _SUB_MERCHANT,
    ),
    **dict.fromkeys(
        ("ACQ.TOTAL_FEE_EXCEED", "ACQ.AMOUNT_OR_CURRENCY_ERROR", "ACQ.CURRENCY_NOT_SUPPORT"),
        _AMOUNT,
    ),
    **dict.fromkeys(
        (
            "ACQ.INVALID_PARAMETER", "ACQ.SUB_GOODS_SIZE_MAX_COUNT", "ACQ.ORDER_UNSUPPORT_ADVANCE",
            "ACQ.PRE_AUTH_PROD_CODE_INCONSISTENT", "ACQ.UN_SUPPORT_TRADE_SCENE", "ACQ.AUTH_NO_ERROR",
            "ACQ.PAYMENT_AUTH_CODE_INVALID", "ACQ.AUTH_TOKEN_IS_NOT_EXIST",
            "ACQ.SMILE_PAY_MERCHANT_NOT_MATCH",
        ),
        _REQUEST,
    ),
    "ACQ.EXIST_FORBIDDEN_WORD": _WORD,
    "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR": _TIME_OVER,
    **dict.fromkeys(
        (
            "ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_CLOSE", "ACQ.TRADE_STATUS_ERROR",
            "ACQ.CONTEXT_INCONSISTENT",
        ),
        _STATE,
    ),
    **dict.fromkeys(("ACQ.AUTH_AMOUNT_NOT_ENOUGH", "ACQ.REQUEST_AMOUNT_EXCEED"), _HOLD_TOO_MUCH),
    **dict.fromkeys(("ACQ.AUTH_ORDER_HAS_FINISHED", "ACQ.AUTH_ORDER_HAS_CLOSED"), _HOLD_GONE),
    "ACQ.AUTH_ORDER_NOT_PAID": (
        "The buyer has not confirmed the hold yet: wait for hold.authorized.",
        "买家尚未确认预授权：请等待 hold.authorized 事件。",
    ),
    # Our own, where nothing was sent at all.
    "outgoing_stopped": (
        "The merchant has switched off what moves money: nothing is charged until it is switched on.",
        "商户已关闭资金操作开关：恢复前不会扣款。",
    ),
    "not_sent": (
        "The settings of the App do not allow the call: run daozhang doctor.",
        "应用配置有误，请求未发出：请运行 daozhang doctor 检查。",
    ),
}  # fmt: skip
"""By sub code: English, Chinese."""


def sentences_for(code: str | None, message: str | None) -> tuple[str, str] | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    return None if code is None else SENTENCES.get(code) or alipay_says(code, message)
