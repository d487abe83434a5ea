"""What a no of Alipay's to a share means for the people who asked: words in both languages.

The codes are those of `alipay.trade.order.settle` and of the relations that somebody has to act on
(apis.md §5). Any other is shown with Alipay's own text. Shares name them without ``ACQ.``, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.orders.telling import alipay_says

_BALANCE: Final = (
    "The shop's Alipay account has too little money: put some in. The share waits and goes by itself then.",
    "商户支付宝账户余额不足：请充值，到账后分账会自动继续。",
)
_LIMIT: Final = (
    "More is shared than the agreement with Alipay allows, or than is left of the payment: share less, or ask "
    "Alipay for a higher limit.",
    "分账金额超过签约比例或剩余可分金额：请减少金额，或向支付宝申请提高比例。",
)
_UNBOUND: Final = (
    "The receiver is not bound: bind it first, then share under a new number.",
    "分账方未绑定：请先绑定分账关系，再用新的请求号分账。",
)
_UNVERIFIED: Final = (
    "The receiver's account is not verified by name: its owner has to do that in Alipay.",
    "分账方账户未实名认证：请其在支付宝完成实名认证。",
)
_ACCOUNT: Final = (
    "The receiver's account does not exist or cannot take money: check it with the receiver.",
    "分账方账户不存在或无法收款：请与分账方核对账户。",
)
_NAME: Final = (
    "The receiver's name is not the one that Alipay knows: check how it is written.",
    "分账方姓名与支付宝登记不一致：请核对姓名。",
)
_SELF: Final = (
    "The receiver is the seller: one's own share stays by itself.",
    "分账方与收款方为同一账户：自留部分无需分账。",
)
_CONTRACT: Final = (
    "The shop has no contract for profit sharing, or not for this kind of payment: look into Alipay's merchant "
    "centre.",
    "商户未签约分账产品，或该交易类型不支持分账：请在支付宝商家平台检查。",
)
_AFTER_REFUND: Final = (
    "The payment has been refunded: nothing of it can be shared any more.",
    "交易已退款，不能再分账。",
)
_BEFORE_SETTLE: Final = (
    "The payment's settlement is not confirmed yet: confirm it, then share.",
    "交易尚未确认结算：请先确认结算再分账。",
)
_FINISHED: Final = (
    "Sharing of this payment has been finished: the rest is the seller's.",
    "该交易分账已完结，剩余款项归收款方。",
)
_OFTEN: Final = (
    "Alipay takes no more calls for this payment: put more receivers into one, or share later (async).",
    "该交易分账次数已达上限：请合并分账方，或改用异步分账。",
)
_STATUS: Final = (
    "The payment does not stand so that it could be shared: ask about the order, and read it again.",
    "交易当前状态不允许分账：请先查询订单状态。",
)
_RISK: Final = (
    "Alipay's risk control stops it: look into the merchant centre, or ask Alipay.",
    "被支付宝风控限制：请在商家平台查看或联系支付宝。",
)
_REPEATED: Final = (
    "The number was used with other content: use a new one only if the old request has failed.",
    "请求号已被使用且内容不同：仅在原请求确认失败后才可换用新请求号。",
)
_REQUEST: Final = (
    "Alipay refuses the request as it was sent: tell whoever looks after the software.",
    "支付宝拒绝了请求内容：请联系系统维护人员。",
)
_SHOP: Final = (
    "The shop's own account or contract does not allow it: look into Alipay's merchant centre.",
    "商户的支付宝账户或签约状态不允许：请在支付宝商家平台检查。",
)
_LIST: Final = (
    "The seller has as many receivers as Alipay allows: unbind some that are not needed any more.",
    "分账关系数量已达上限：请解绑不再使用的分账方。",
)

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH": _BALANCE,
    "ALLOC_AMOUNT_VALIDATE_ERROR": _LIMIT,
    "ROYALTY_RECEIVER_INVALID": _UNBOUND,
    "ROYALTY_RECEIVER_ACCOUNT_NOT_CERTIFY": _UNVERIFIED,
    "RECEIVER_ACCOUNT_NOT_CERTIFY": _UNVERIFIED,
    "ROYALTY_RECEIVER_ACCOUNT_NOT_EXIST": _ACCOUNT,
    "ROYALTY_RECEIVER_ACCOUNT_NO_BALANCE": _ACCOUNT,
    "ROYALTY_ACCOUNT_NOT_EXIST": _ACCOUNT,
    "ROYALTY_ACCOUNT_INVALID": _ACCOUNT,
    "RECEIVER_ACCOUNT_NO_BALANCE": _ACCOUNT,
    "RECEIVER_ACCOUNT_STATE_INVALID": _ACCOUNT,
    "USER_ACCOUNT_HAD_FREEZEN": _ACCOUNT,
    "USER_NOT_EXIST": _ACCOUNT,
    "USER_LOGONID_DUP": _ACCOUNT,
    "ROYALTY_ACCOUNT_NAME_NOT_MATCH": _NAME,
    "USERNAME_NOT_MATCH": _NAME,
    "ROYALTY_ACCOUNTS_EQUAL": _SELF,
    "NOT_SUPPORT_ROYALTY": _CONTRACT,
    "PRODUCT_UNSIGN": _CONTRACT,
    "UN_SUPPORT_BIZ_TYPE": _CONTRACT,
    "ACCESS_FORBIDDEN": _CONTRACT,
    "SETTLE_SCENE_NOT_SUPPORT": _CONTRACT,
    "ASYNC_ALLOC_NOT_SUPPORT_IN_PERIOD": _CONTRACT,
    "ALLOC_REFUSE_AFTER_REFUND": _AFTER_REFUND,
    "ALLOC_REFUSE_BEFORE_SETTLE": _BEFORE_SETTLE,
    "ALREADY_FINISH_ALLOC": _FINISHED,
    "FREQUENCY_LIMITED": _OFTEN,
    "TRADE_STATUS_ERROR": _STATUS,
    "REASON_TRADE_STATUS_INVALID": _STATUS,
    "ILLEGAL_SETTLE_STATE": _STATUS,
    "TRADE_NOT_EXIST": _STATUS,
    "MERCHANT_RISK_LIMIT": _RISK,
    "DISCORDANT_REPEAT_REQUEST": _REPEATED,
    "DUP_OUT_REQUEST_NO": _REPEATED,
    "INVALID_PARAMETER": _REQUEST,
    "INVALID_RECEIVER_TYPE": _REQUEST,
    "ILLEGAL_REQUEST": _REQUEST,
    "MUST_ALLOC_FROM_ROOT_ACCOUNT": _REQUEST,
    "RELATION_QUANTITY_LIMIT": _LIST,
    **dict.fromkeys(
        (
            "ROYALTY_PAYER_ACCOUNT_NOT_EXIST", "ROYALTY_PAYER_ACCOUNT_NOT_CERTIFY",
            "ROYALTY_PAYER_ACCOUNT_NO_BALANCE", "PARTNER_ERROR", "CUSTOMER_VALIDATE_ERROR",
            "SECONDARY_MERCHANT_ID_INVALID", "SETTLE_ENTITY_ID_INVALID", "TRADE_SETTLE_ERROR",
        ),
        _SHOP,
    ),
    **dict.fromkeys(
        (
            "REPLENISH_ACCOUNT_INVALID", "INVALID_REPLENISH_AMOUNT", "SETTLE_TO_CARD_NOT_SUPPORT",
            "RECEIVER_LIST_EMPTY", "RECEIVER_LIST_OVERLOAD", "OPENID_APPID_NOT_MATCH",
        ),
        _REQUEST,
    ),
}  # fmt: skip
"""By sub code: English, Chinese."""


def sentences_for(code: str | None, message: str | None) -> tuple[str, str] | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    if code is None:
        return None
    return SENTENCES.get(code.removeprefix("ACQ.")) or alipay_says(code, message)
