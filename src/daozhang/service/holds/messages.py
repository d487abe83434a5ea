"""What a no of Alipay's about a hold means for the people who asked: words in both languages.

The codes are those of the pre-authorisation methods that somebody has to act on (apis.md §14.1). Any other
is shown with Alipay's own text. A payment out of a hold is a charge, and has the words of those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.charges.messages import sentences_for as of_charges

_FINISHED: Final = (
    "Nothing of this hold is frozen any more: make a new hold.",
    "该预授权已完结，无可用冻结金额：请重新发起预授权。",
)
_CLOSED: Final = (
    "The hold is closed at Alipay: make a new hold.",
    "该预授权已关闭：请重新发起预授权。",
)
_TOO_MUCH: Final = (
    "More is asked for than is still frozen: read the hold, and ask for what remains at most.",
    "金额超过剩余冻结金额：请查询预授权后按剩余金额操作。",
)
_NO_HOLD: Final = (
    "Alipay has no such hold: tell whoever looks after the software.",
    "支付宝没有该预授权：请联系系统维护人员。",
)
_CODE: Final = (
    "The code has expired or was used: make a new hold, and let the buyer refresh the code.",
    "付款码已失效或已被使用：请买家刷新付款码，并重新发起预授权。",
)
_MONEY: Final = (
    "The buyer's account has too little money to freeze: ask for another means, and make a new hold.",
    "买家余额不足，无法冻结：请买家更换付款方式后重新发起。",
)
_BUYER: Final = (
    "The buyer's account cannot do this: the buyer has to ask Alipay (95188).",
    "买家账户状态异常：请买家联系支付宝（95188）。",
)

_MEANS: Final = (
    "The buyer's means of payment cannot be used: ask for another one, and make a new hold.",
    "买家的付款方式不可用：请买家更换付款方式后重新发起。",
)
_SHOP: Final = (
    "The shop's own account or contract does not allow it: look into Alipay's merchant centre.",
    "商户的支付宝账户或签约状态不允许：请在支付宝商家平台检查。",
)
_AMOUNT: Final = (
    "Alipay does not freeze this amount: check it, and make a new hold.",
    "金额超出允许范围：请核对金额后重新发起。",
)
_REQUEST: Final = (
    "Alipay refuses the hold as it was sent: tell whoever looks after the software.",
    "支付宝拒绝了请求内容：请联系系统维护人员。",
)

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "PAYMENT_AUTH_CODE_INVALID": _CODE,
    "MONEY_NOT_ENOUGH": _MONEY,
    "PAYER_USER_STATUS_LIMIT": _BUYER,
    "PAYER_NOT_EXIST": _BUYER,
    "PAYEE_NOT_EXIST": (
        "Alipay does not know who is to receive the money: check the seller id of the merchant.",
        "收款方账户不存在：请核对商户的收款账号（seller_id）。",
    ),
    "ERROR_BALANCE_PAYMENT_DISABLE": (
        "The buyer has switched payment by balance off: ask for another means, and make a new hold.",
        "买家已关闭余额支付功能：请买家更换付款方式后重新发起。",
    ),
    "PULL_MOBILE_CASHIER_FAIL": (
        "The buyer's phone could not be asked: let the buyer open Alipay, and make a new hold.",
        "无法唤起买家手机上的收银台：请买家打开支付宝后重新发起。",
    ),
    "USER_FACE_PAYMENT_SWITCH_OFF": (
        "The buyer has switched payment by code off: it can be switched on in Alipay's settings.",
        "买家未开启当面付：请买家在支付宝付款设置中开启后重新发起。",
    ),
    "EXIST_FORBIDDEN_WORD": (
        "The title holds a word that Alipay forbids: change it, and make a new hold.",
        "标题含有违禁词：请修改标题后重新发起。",
    ),
    "ACCESS_FORBIDDEN": (
        "The merchant has no contract for holds: sign it in Alipay's merchant centre.",
        "商户未签约资金预授权产品：请在支付宝商家平台签约。",
    ),
    **dict.fromkeys(
        (
            "NO_PAYMENT_INSTRUMENTS_AVAILABLE", "USER_BANKCARD_CANCELED", "USER_BANKCARD_EXPRESS_ERROR",
            "USER_BANKCARD_FROZEN", "USER_BANKCARD_PAY_ERROR", "USER_BANKCARD_REPORT_LOSS",
            "USER_BANKCARD_STATUS_ERROR", "CLIENT_VERSION_NOT_MATCH", "SMILE_PRE_AUTH_ZM_CONSULT_FAIL",
        ),
        _MEANS,
    ),
    **dict.fromkeys(("USER_IDENTITY_INFO_VALIDATE_FAIL", "USER_ACCOUNT_VALIDATE_FAIL"), _BUYER),
    **dict.fromkeys(
        (
            "PAYEE_USER_STATUS_LIMIT", "ILLEGAL_PAYEE_USER_ID", "MERCHANT_STATUS_ERROR",
            "RESTRICTED_MERCHANT_INDUSTRY", "FORBIDDEN_MERCHANT_INDUSTRY",
            "SECONDARY_MERCHANT_STATUS_ERROR", "SUB_MERCHANT_LEVEL_ERROR",
            "SUB_MERCHANT_NO_PERMISSION", "SUB_MERCHANT_ORGANIZATION_ID_ERROR",
            "SUB_MERCHANT_ORG_ID_ERROR",
        ),
        _SHOP,
    ),
    **dict.fromkeys(
        (
            "PRODUCT_AMOUNT_LIMIT_ERROR", "UNSUPPORT_ORDER_AMOUNT", "CURRENCY_VERIFICATION_FAIL",
            "FOREX_ID_VERIFICATION_FAIL",
        ),
        _AMOUNT,
    ),
    **dict.fromkeys(("ILLEGAL_ARGUMENT", "UNSUPPORTED_BIZ_TYPE"), _REQUEST),
    "PAYER_PAYEE_EQUAL": (
        "The buyer is the seller: one's own money cannot be frozen for one's own shop.",
        "买卖双方为同一支付宝账户，不能冻结：请更换买家账户。",
    ),
    "FREEZE_ALREADY_SUCCESS": (
        "The money is frozen already: Alipay is asked how the hold stands.",
        "资金已冻结：正在向支付宝查询预授权状态。",
    ),
    "AUTH_ORDER_NOT_EXIST": _NO_HOLD,
    "AUTH_OPERATION_NOT_EXIST": _NO_HOLD,
    "REQUEST_AMOUNT_EXCEED": _TOO_MUCH,
    "ORDER_ALREADY_FINISH": _FINISHED,
    "ORDER_ALREADY_CLOSED": _CLOSED,
    "ILLEGAL_STATUS": (
        "The hold does not stand so that this could be done: read it again.",
        "预授权当前状态不允许该操作：请重新查询。",
    ),
    "UNIQUE_VIOLATION": (
        "The number was used with other content: use a new one.",
        "单号已被使用且内容不同：请换用新的单号。",
    ),
    "CANCEL_OPERATION_TIME_OUT": (
        "It is too old to be cancelled: release what remains instead.",
        "已超过撤销期限：请改为解冻剩余金额。",
    ),
    "BIZ_ERROR": (
        "Alipay could not do it now: look into the merchant centre, and ask Alipay (95188).",
        "支付宝业务处理失败：请在商家平台查看，或联系支付宝（95188）。",
    ),
}  # fmt: skip


def sentences_for(code: str | None, message: str | None) -> tuple[str, str] | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    return SENTENCES.get(code or "") or of_charges(code, message)
