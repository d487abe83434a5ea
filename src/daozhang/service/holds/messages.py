"""What a no of Alipay's about a hold means for the people who asked: words in both languages.

The codes are those of the pre-authorisation methods and of `alipay.trade.pay` with a hold that somebody
has to act on (apis.md §14.1). Any other is shown with Alipay's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
    "ACQ.AUTH_AMOUNT_NOT_ENOUGH": _TOO_MUCH,
    "ACQ.REQUEST_AMOUNT_EXCEED": _TOO_MUCH,
    "ACQ.AUTH_NO_ERROR": _NO_HOLD,
    "ACQ.AUTH_ORDER_HAS_FINISHED": _FINISHED,
    "ACQ.AUTH_ORDER_HAS_CLOSED": _CLOSED,
    "ACQ.AUTH_ORDER_NOT_PAID": (
        "The buyer has not confirmed the hold yet: wait for hold.authorized.",
        "买家尚未确认预授权：请等待 hold.authorized 事件。",
    ),
    "ACQ.PRE_AUTH_PROD_CODE_INCONSISTENT": (
        "The payment names another product than the hold: tell whoever looks after the software.",
        "支付产品码与预授权不一致：请联系系统维护人员。",
    ),
}


def sentences_for(code: str | None, message: str | None) -> tuple[str, str] | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    if code is None:
        return None
    told = " ".join(part for part in (code, message) if part)
    return SENTENCES.get(code, (f"Alipay says: {told}.", f"支付宝返回：{told}。"))
