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
_BUYER = (
    "The buyer could not pay this way: offer another attempt with a new payment.",
    "买家付款未成功，请换一种方式重新支付。",
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
    "BILL_NOT_EXIST": (
        "The bill is not there yet: a day's bill is ready the next morning.",
        "账单尚未生成，日账单次日上午可下载。",
    ),
}


def hint_for(sub_code: str) -> str | None:
    """What to do about ``sub_code``, or ``None``. V3 writes the gateway's codes without prefix."""
    found = _HINTS.get(sub_code) or _HINTS.get(f"isv.{sub_code}") or _HINTS.get(f"aop.{sub_code}")
    return f"{found[0]} {found[1]}" if found else None
