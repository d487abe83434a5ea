"""What a no of Alipay's about an agreement itself means: words in both languages.

The codes are those of ending an agreement and of moving its planned day (apis.md §14.2). A no to a charge by it
has the words of charges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.charges.messages import sentences_for as of_charges

_GONE: Final = (
    "Alipay has no such agreement in effect: ask about it, and read it again.",
    "支付宝没有该生效中的协议：请查询协议状态后再操作。",
)
_DAY: Final = (
    "The planned day can only become later; by months, it must be one of the days 1 to 28.",
    "扣款日只能改到更晚的日期；按月扣款时须为每月 1 至 28 日。",
)
_SHOP: Final = (
    "The shop's own contract for agreements is not in effect: look into Alipay's merchant centre.",
    "商户的周期扣款签约状态异常：请在支付宝商家平台检查。",
)
_BUYER: Final = (
    "Alipay does not know this buyer any more: the buyer has to ask Alipay (95188).",
    "支付宝账户不存在或状态异常：请买家联系支付宝（95188）。",
)
_LATER: Final = (
    "Alipay could not end it now: it is asked for again by itself; the buyer can end it in Alipay, too.",
    "支付宝暂时无法解约：系统会自动重试，买家也可在支付宝内解约。",
)
_REQUEST: Final = (
    "Alipay refuses the request as it was sent: tell whoever looks after the software.",
    "支付宝拒绝了请求内容：请联系系统维护人员。",
)

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "AGREEMENT_NOT_EXIST": _GONE,
    "AGREEMENT_NOT_EXSIT": _GONE,  # spelled so by Alipay
    "USER_AGREEMENT_STATUS_NOT_NORMAL": _GONE,
    "USER_AGREEMENT_STATUS_IS_NOT_NORMAL": _GONE,
    "ILLEGAL_AGREEMENT": _GONE,
    "ILLEGAL_EXECUTION_TIME": _DAY,
    "MERCHANT_AGREEMENT_IS_NOT_EXIST": _SHOP,
    "MERCHANT_STATUS_IS_NOT_NORMAL": _SHOP,
    "PRODUCT_CODE_NOT_SUPPORTED_ERROR": _SHOP,
    "USER_NOT_EXIST_ERROR": _BUYER,
    "USER_NOT_EXSIT_ERROR": _BUYER,
    "USER_AGREEMENT_QUERY_FAIL": _LATER,
    "USER_AGREEMENT_UNSIGN_FAIL": _LATER,
    "ASYNC_UNSIGN_CAN_NOT_REJECT": _LATER,
    "AUTHOREE_IS_NOT_MATCH": _REQUEST,
    "ILLEGAL_PARAMS": _REQUEST,
    "INVALID_PARAMETER": _REQUEST,
}
"""By sub code: English, Chinese."""


def sentences_for(code: str | None, message: str | None) -> tuple[str, str] | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    return SENTENCES.get(code or "") or of_charges(code, message)
