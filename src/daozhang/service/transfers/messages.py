"""What a no of Alipay's to a transfer means for the people who asked: words in both languages.

The codes are those of `alipay.fund.trans.uni.transfer` that somebody has to act on (apis.md §6.1). Any
other is shown with Alipay's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.orders.telling import Sentence, alipay_says
from daozhang.service.transfers.model import (
    DAY_LIMIT_CODES,
    MONTH_LIMIT_CODES,
    NO_BALANCE_CODES,
    TransferStatus,
)

STANDS_ZH: Final[Mapping[TransferStatus, str]] = {
    TransferStatus.AWAITING_APPROVAL: "待审批",
    TransferStatus.REQUESTED: "已申请",
    TransferStatus.UNKNOWN: "结果未知",
    TransferStatus.DEALING: "银行处理中",
    TransferStatus.SUCCEEDED: "已成功",
    TransferStatus.FAILED: "已失败",
    TransferStatus.RETURNED: "已退回",
}
"""Where a transfer stands, in Chinese; in English its own word says it."""

DECLINED: Final = "approval_declined"
EXPIRED: Final = "approval_expired"
WITHDRAWN: Final = "approval_withdrawn"

_BALANCE: Final = (
    "The Alipay account has too little money: put some in. The transfer waits and goes by itself then.",
    "支付宝账户余额不足：请充值，到账后转账会自动继续。",
)
_DAY: Final = (
    "What may be sent in a day is used up: the transfer goes by itself after midnight in Beijing.",
    "单日转账额度已用完：次日零点后（北京时间）自动继续。",
)
_MONTH: Final = (
    "What may be sent in a month is used up: the transfer goes by itself on the first day of the next one.",
    "单月转账额度已用完：次月一日自动继续。",
)
_SINGLE: Final = (
    "More than your contract with Alipay lets one transfer send: send less, or have the limit raised.",
    "超过支付宝签约的单笔限额：请减少金额或申请提额。",
)
_LEAST: Final = (
    "Alipay sends 0.10 at least: send more.",
    "单笔转账金额不能低于 0.10 元。",
)
_PAYEE: Final = (
    "There is no such payee: check the account, and send again under a new number.",
    "收款账户不存在：请核对收款账号，并以新的单号重新发起。",
)
_NAME: Final = (
    "The name is not that of the account: check both, and send again under a new number.",
    "收款人姓名与账号不符：请核对后以新的单号重新发起。",
)
_CARD: Final = (
    "The number or the bank of the card is wrong: check them, and send again under a new number.",
    "银行卡号或开户行信息有误：请核对后以新的单号重新发起。",
)
_PAYEE_CANNOT: Final = (
    "The payee's account cannot receive this: the payee has to ask Alipay (95188).",
    "收款账户暂不能收款：请收款人联系支付宝（95188）。",
)
_SELF: Final = (
    "Payee and payer are the same account: check the payee.",
    "收付款账户相同：请核对收款账号。",
)
_REMARK: Final = (
    "A transfer of this amount needs a remark: send it again with one, under a new number.",
    "该金额的转账必须填写备注：请补充备注后以新的单号重新发起。",
)
_WORDS: Final = (
    "The title or the remark holds words that Alipay does not let pass: change them.",
    "标题或备注含有敏感词：请修改。",
)
_SCENE: Final = (
    "Your contract asks for a transfer scene and what is reported with it: give scene_name and scene_reports.",
    "签约要求填写转账场景及报备信息：请提供 scene_name 和 scene_reports。",
)
_CONTRACT: Final = (
    "Transfers are not in your contract with Alipay, or your account may not send: look into Alipay's "
    "merchant centre.",
    "未签约转账产品或付款账户受限：请在支付宝商家平台检查。",
)
_RISK: Final = (
    "Alipay's risk control does not let it pass: check the payee, and ask Alipay (95188) before you send again.",
    "被支付宝风控拦截：请核实收款人，重新发起前请联系支付宝（95188）。",
)

SENTENCES: Final[Mapping[str, Sentence]] = {
    **dict.fromkeys(NO_BALANCE_CODES, _BALANCE),
    **dict.fromkeys(DAY_LIMIT_CODES, _DAY),
    **dict.fromkeys(MONTH_LIMIT_CODES, _MONTH),
    "EXCEED_LIMIT_SM_AMOUNT": _SINGLE,
    "EXCEED_LIMIT_PERSONAL_SM_AMOUNT": _SINGLE,
    "EXCEED_LIMIT_ENT_SM_AMOUNT": _SINGLE,
    "EXCEED_LIMIT_SM_MIN_AMOUNT": _LEAST,
    "PAYEE_NOT_EXIST": _PAYEE,
    "PAYEE_ACCOUNT_NOT_EXSIT": _PAYEE,
    "USER_NOT_EXIST": _PAYEE,
    "PAYEE_USER_INFO_ERROR": _NAME,
    "PAYEE_USERINFO_ERROR": _NAME,
    "PAYEE_CERT_INFO_ERROR": _NAME,
    "CARD_BIN_ERROR": _CARD,
    "INVALID_CARDNO": _CARD,
    "PAYEE_CARD_INFO_ERROR": _CARD,
    "BANKCODE_OR_BRANCHNAME_INFO_ERROR": _CARD,
    "PAYEE_NOT_RELNAME_CERTIFY": _PAYEE_CANNOT,
    "PAYEE_ACCOUNT_STATUS_ERROR": _PAYEE_CANNOT,
    "PAYEE_USERINFO_STATUS_ERROR": _PAYEE_CANNOT,
    "NO_ACCOUNT_RECEIVE_PERMISSION": _PAYEE_CANNOT,
    "PERMIT_CHECK_RECEIVE_LIMIT": _PAYEE_CANNOT,
    "RECEIVER_USER_RISK_FREEZE": _PAYEE_CANNOT,
    "PAYER_PAYEE_CANNOT_SAME": _SELF,
    "MEMO_REQUIRED_IN_TRANSFER_ERROR": _REMARK,
    "REMARK_HAS_SENSITIVE_WORD": _WORDS,
    "TRANSFER_SCENE_NAME_BLANK": _SCENE,
    "TRANSFER_SCENE_NAME_ILLEGAL": _SCENE,
    "TRANSFER_SCENE_REPORT_INFO_ILLEGAL": _SCENE,
    "PRODUCT_NOT_SIGN": _CONTRACT,
    "NO_ACCOUNT_PAYMENT_PERMISSION": _CONTRACT,
    "PAYER_STATUS_ERROR": _CONTRACT,
    "SECURITY_CHECK_FAILED": _RISK,
    DECLINED: (
        "The second person declined it: nothing has moved.",
        "审批未通过：未动用资金。",
    ),
    EXPIRED: (
        "Nobody approved it in time: nothing has moved.",
        "逾期未审批：未动用资金。",
    ),
    WITHDRAWN: (
        "Who had asked for it took that back: nothing has moved.",
        "申请已撤回：未动用资金。",
    ),
}
"""By sub code, or our own word: English, Chinese."""


def sentences_for(code: str | None, message: str | None) -> Sentence | None:
    """What to say about a code, in English and Chinese; ``None`` if there is nothing to say."""
    return None if code is None else SENTENCES.get(code) or alipay_says(code, message)
