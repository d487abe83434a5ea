"""What to do about an error code, in English and Chinese (protocol §9)."""

from __future__ import annotations

from typing import Final

_SIGNATURE = (
    "Alipay could not verify the request: the app public key in the console must belong to this"
    " private key, and the sign type must be the configured one. The message echoes the text that"
    " Alipay computed.",
    "验签失败：开放平台上传的应用公钥须与本私钥配对，签名类型须一致；返回信息里有网关生成的待验签串。",
)
_TOKEN = (
    "The authorisation has ended or does not cover this method: have the merchant authorise again.",
    "授权已失效或不含此接口，请商户重新授权。",
)
_TIME = (
    "The timestamp was refused: set the machine's clock (it is sent in Beijing time).",
    "时间戳不合法：请校准服务器时钟（按北京时间发送）。",
)
_CONTRACT = (
    "The app or the merchant has not signed up for this product, or it is not effective yet.",
    "未签约该产品或尚未生效，请在商家平台开通。",
)
_LIMITED = (
    "Too many calls: wait and call again more slowly.",
    "调用过于频繁，请降低频率后重试。",
)
_ASK = (
    "The trade is in a state that does not allow this: query it and act on what it says.",
    "交易状态不允许此操作，请先查询再处理。",
)
_AGREEMENT = (
    "The agreement is not (or no longer) in effect: query it; if it has ended, have the buyer sign anew.",
    "代扣协议未生效或已解约：请先查询协议状态，如已解约须请用户重新签约。",
)
_BUYER = (
    "The buyer could not pay this way: offer another attempt with a new payment.",
    "买家付款未成功，请换一种方式重新支付。",
)

_PAYER_BALANCE = (
    "Your Alipay account does not cover it: top up, then repeat with the same out_biz_no.",
    "付款账户余额不足：充值后用同一商户转账单号重试。",
)
_PAYEE = (
    "The payee's account and name do not belong together, or there is no such account: check both.",
    "收款账号不存在或与姓名不符，请核对收款方账号和姓名。",
)
_TRANSFER_LIMIT = (
    "Above the limit of your contract, of one transfer, a day or a month: wait, or have it raised.",
    "超过签约的单笔、单日或单月转账限额：请等待或申请提额。",
)

_HINTS: Final[dict[str, tuple[str, str]]] = {
    "isv.invalid-signature": _SIGNATURE,
    "isv.missing-signature-config": (
        "The app has no public key in the console yet: upload it there.",
        "应用尚未配置公钥，请在开放平台上传应用公钥。",
    ),
    "isv.invalid-app-id": (
        "There is no such app at this gateway: check the app id, and that production and sandbox"
        " are not mixed.",
        "该网关没有此应用：请检查 APPID，以及是否混用了生产与沙箱。",
    ),
    "isv.invalid-timestamp": _TIME,
    "isv.illegal-timestamp": _TIME,
    "isv.suspected-attack": (
        "A text in the request looks like an attack to the gateway: remove markup and parameter"
        " names from subject and body.",
        "请求内容被判为可疑攻击：请去掉标题、描述中的标签或参数名。",
    ),
    "isv.code-invalid": (
        "The authorisation code was used already, expired, or belongs to another app: get a new one.",
        "授权码已使用、已过期或属于其他应用，请重新获取。",
    ),
    "isv.insufficient-isv-permissions": _CONTRACT,
    "isv.insufficient-user-permissions": _CONTRACT,
    "aop.no-product-reg-by-partner": _CONTRACT,
    "ACQ.ACCESS_FORBIDDEN": _CONTRACT,
    "isv.app-call-limited": _LIMITED,
    "isv.method-call-limited": _LIMITED,
    "aop.invalid-auth-token": _TOKEN,
    "aop.auth-token-time-out": _TOKEN,
    "aop.invalid-app-auth-token": _TOKEN,
    "aop.invalid-app-auth-token-no-api": _TOKEN,
    "aop.app-auth-token-time-out": _TOKEN,
    "ACQ.TRADE_NOT_EXIST": (
        "Alipay has no such trade (yet): before the buyer opens the page or scans, this is normal.",
        "支付宝尚无此交易：买家打开收银台或扫码之前属正常情况。",
    ),
    "ACQ.TRADE_HAS_SUCCESS": (
        "This order has been paid already: query it and book it.",
        "该订单已支付，请查询后入账。",
    ),
    "ACQ.TRADE_HAS_CLOSE": (
        "The trade is closed: take a new out_trade_no to be paid.",
        "交易已关闭，如需付款请更换商户订单号。",
    ),
    "ACQ.TRADE_HAS_FINISHED": (
        "The trade is finished and cannot be refunded through Alipay any more: repay it another way.",
        "交易已完结，无法再退款，请线下处理。",
    ),
    "ACQ.CONTEXT_INCONSISTENT": (
        "This out_trade_no was used before with another amount or subject: never change them.",
        "同一商户订单号的金额或标题与之前不一致，请勿变更。",
    ),
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": (
        "The seller's balance does not cover it: top up, then repeat with the same out_request_no.",
        "商户余额不足：充值后用同一退款请求号重试。",
    ),
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": (
        "A partial refund needs an out_request_no of its own.",
        "部分退款须传退款请求号 out_request_no。",
    ),
    "ACQ.REASON_TRADE_REFUND_FEE_ERR": (
        "More than is left to refund: query the refunds of this trade.",
        "退款金额超过可退金额，请查询已退金额。",
    ),
    "ACQ.DISCORDANT_REPEAT_REQUEST": (
        "This out_request_no was used before with another amount: repeat it unchanged, or take a"
        " new number.",
        "同一退款请求号的金额不一致：请原样重试，或更换请求号。",
    ),
    "ACQ.TRADE_STATUS_ERROR": _ASK,
    "ACQ.REASON_TRADE_STATUS_INVALID": _ASK,
    "ACQ.REASON_ILLEGAL_STATUS": _ASK,
    "ACQ.TRADE_NOT_ALLOW_REFUND": (
        "Alipay allows no refund of this trade: repay it another way.",
        "该交易不允许退款，请线下处理。",
    ),
    "ACQ.CANCEL_NOT_ALLOWED": (
        "This trade cannot be cancelled: refund it instead.",
        "该交易不可撤销，请改用退款。",
    ),
    "ACQ.TRADE_CANCEL_TIME_OUT": (
        "It is too late to cancel (24 hours): refund it instead.",
        "已超过撤销时限（24 小时），请改用退款。",
    ),
    "ACQ.EXIST_FORBIDDEN_WORD": (
        "Subject or body holds a forbidden word: change the text.",
        "标题或描述含违禁词，请修改。",
    ),
    "ACQ.TOTAL_FEE_EXCEED": (
        "The amount is above the limit of this product or merchant.",
        "金额超过产品或商户限额。",
    ),
    "ACQ.INVALID_PARAMETER": (
        "A field is missing or malformed: the message names it.",
        "参数缺失或格式有误，详见返回信息。",
    ),
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": _BUYER,
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": _BUYER,
    "ACQ.PAYMENT_FAIL": _BUYER,
    "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE": _BUYER,
    "ACQ.PAYMENT_AUTH_CODE_INVALID": _BUYER,
    "ACQ.CYCLE_PAY_DATE_NOT_MATCH": (
        "It is not the time to deduct: the window opens a few days before the planned day and ends with"
        " it, and a period that was deducted is over. Query next_deduct_time and deduct then.",
        "不在扣款期内：只能在计划扣款日前几天至当日发起，且每期只能成功一次。请查询下次扣款时间后再发起。",
    ),
    "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED": (
        "More than the agreement allows at once: deduct no more than its single_amount, or have the"
        " buyer sign a new agreement.",
        "超过协议约定的单笔限额：请降低金额，或请用户重新签约。",
    ),
    "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED": (
        "More than the agreement allows altogether: have the buyer sign a new agreement.",
        "超过协议约定的扣款总额：请用户重新签约。",
    ),
    "ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED": (
        "The agreement allows no further deduction: have the buyer sign a new one.",
        "已达协议约定的扣款总次数：请用户重新签约。",
    ),
    "ACQ.OVER_MAX_DEDUCT_COUNT": (
        "Too many deductions were tried: wait for the next period, or ask the buyer to pay by hand.",
        "扣款次数超限：请等待下一期，或请用户主动付款。",
    ),
    "ACQ.AGREEMENT_NOT_EXIST": _AGREEMENT,
    "ACQ.AGREEMENT_INVALID": _AGREEMENT,
    "ACQ.AGREEMENT_STATUS_NOT_NORMAL": _AGREEMENT,
    "ACQ.AGREEMENT_ERROR": _AGREEMENT,
    "AGREEMENT_NOT_EXIST": _AGREEMENT,
    "USER_AGREEMENT_NOT_EXIST": _AGREEMENT,
    "USER_AGREEMENT_STATUS_NOT_NORMAL": _AGREEMENT,
    "AGREEMENT_HAS_UNSIGNED": (
        "The agreement has ended: nothing can be deducted by it. Have the buyer sign a new one.",
        "协议已解约，不能再扣款，请用户重新签约。",
    ),
    "AUTHOREE_IS_NOT_MATCH": (
        "The agreement was signed with another merchant or app: check whose credentials these are.",
        "协议的被授权方与当前商户不一致：请检查所用的商户或应用。",
    ),
    "ASYNC_UNSIGN_CAN_NOT_REJECT": (
        "The agreement is being ended already: wait for the notification dut_user_unsign.",
        "协议正在解约中，请等待解约通知 dut_user_unsign。",
    ),
    "ILLEGAL_EXECUTION_TIME": (
        "A plan can only be moved to a later day; by months, to one of the days 1 to 28.",
        "扣款计划只能改到更晚的日期；按月扣款时须为每月 1 至 28 日。",
    ),
    "ILLEGAL_AGREEMENT": (
        "This agreement has no plan that could be moved: query it.",
        "该协议没有可修改的扣款计划，请先查询协议。",
    ),
    "PAYER_BALANCE_NOT_ENOUGH": _PAYER_BALANCE,
    "BALANCE_IS_NOT_ENOUGH": _PAYER_BALANCE,
    "PAYEE_NOT_EXIST": _PAYEE,
    "PAYEE_USER_INFO_ERROR": _PAYEE,
    "PAYEE_USERINFO_ERROR": _PAYEE,
    "EXCEED_LIMIT_SM_AMOUNT": _TRANSFER_LIMIT,
    "EXCEED_LIMIT_DM_AMOUNT": _TRANSFER_LIMIT,
    "EXCEED_LIMIT_MM_AMOUNT": _TRANSFER_LIMIT,
    "MEMO_REQUIRED_IN_TRANSFER_ERROR": (
        "A transfer of this amount needs a remark.",
        "该金额的转账必须填写备注（remark）。",
    ),
    "ORDER_NOT_EXIST": (
        "Alipay has no transfer of this number: right after the call that proves nothing yet.",
        "支付宝没有该转账单：刚发起时查询不到并不代表未受理。",
    ),
    "BILL_NOT_EXIST": (
        "The bill is not there yet: a day's bill is ready the next morning.",
        "账单尚未生成，日账单次日上午可下载。",
    ),
}


def hint_for(sub_code: str) -> str | None:
    """What to do about ``sub_code``, or ``None``. V3 writes the gateway's codes without prefix."""
    found = _HINTS.get(sub_code) or _HINTS.get(f"isv.{sub_code}") or _HINTS.get(f"aop.{sub_code}")
    return f"{found[0]} {found[1]}" if found else None
