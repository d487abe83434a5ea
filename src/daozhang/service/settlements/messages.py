"""What a no of Alipay's to a settlement means for the people who asked: words in both languages.

The codes are those of `alipay.trade.settle.confirm` that somebody has to act on (apis.md §5.7); what shares are
told as well is said as for shares. Any other is shown with Alipay's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.sharing.messages import sentences_for as sentences_of_shares

_ALREADY: Final = (
    "The payment's settlement is confirmed already, by another request: there is nothing left to confirm.",
    "该交易已由其他请求确认结算，无需再次确认。",
)
_REFUNDED: Final = (
    "All of the payment has been refunded: there is nothing to settle.",
    "交易已全额退款，无需确认结算。",
)
_AMOUNT: Final = (
    "What is left of the payment is another amount at Alipay: something was refunded meanwhile. Read the order, then "
    "confirm again under a new number.",
    "支付宝侧的可结算金额已变化（期间发生退款）：请刷新订单后用新的请求号重新确认。",
)
_RISK: Final = (
    "Alipay's risk control has suspended settlements: look into the merchant centre, then confirm under a new number.",
    "结算被支付宝风控暂停：请在商家平台查看，恢复后用新的请求号确认。",
)
_SCENE: Final = (
    "Alipay settles payments of this merchant without being asked: it has no contract for direct pay or a settlement "
    "period.",
    "该商户未签约直付通或账期产品，交易无需确认结算。",
)
_ACCOUNT: Final = (
    "Alipay cannot pay the settlement out to the account that the contract names: check the sub-merchant in the "
    "merchant centre.",
    "无法结算至签约的收款账户：请在商家平台检查二级商户的结算账户。",
)
_STATUS: Final = (
    "The payment does not stand so that it could be settled: ask about the order, and read it again.",
    "交易当前状态不允许确认结算：请先查询订单状态。",
)

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "ALREADY_CONFIRM_SETTLE": _ALREADY,
    "CONFIRM_REFUSE_AFTER_REFUND": _REFUNDED,
    "INVALID_SETTLE_AMOUNT_PARAMETER": _AMOUNT,
    "RISK_SETTLE_SUSPEND": _RISK,
    "SETTLE_SCENE_NOT_SUPPORT": _SCENE,
    **dict.fromkeys(
        (
            "SECONDARY_MERCHANT_ALIPAY_ACCOUNT_NOT_EXIST", "DEFAULT_SETTLE_RULE_NOT_EXIST",
            "SECONDARY_MERCHANT_ID_INVALID", "USER_ACCOUNT_HAD_FREEZEN", "SETTLE_ACCOUNT_NOT_EXIST",
            "SETTLE_ACCOUNT_NOT_CERTIFY", "SETTLE_ACCOUNT_NO_BALANCE", "SETTLE_ACCOUNT_INVALID",
            "SECONDARY_MERCHANT_ALIPAY_ACCOUNT_INVALID", "SETTLE_ACCOUNT_HAS_BEEN_FROZEN",
            "TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH",
        ),
        _ACCOUNT,
    ),
    **dict.fromkeys(
        (
            "TRADE_NOT_EXIST", "ILLEGAL_SETTLE_STATE", "REASON_ILLEGAL_STATUS",
            "REASON_TRADE_STATUS_INVALID", "TRADE_HAS_CLOSE", "TRADE_HAS_FINISHED",
        ),
        _STATUS,
    ),
}  # fmt: skip
"""By sub code: English, Chinese."""


def sentences_for(code: str | None, message: str | None) -> tuple[str, str] | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    own = None if code is None else SENTENCES.get(code.removeprefix("ACQ."))
    return own or sentences_of_shares(code, message)
