"""What the gateway says when it says no: codes, sub codes and the Chinese texts.

One `GatewayError` is rendered as V2's node or V3's error object by the gateway that caught it.
"""

from __future__ import annotations

from typing import Final

from daozhang.emulator.ledger import Declined

MESSAGES: Final = {
    "10000": "Success",
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40003": "Insufficient Conditions",
    "40004": "Business Failed",
    "40006": "Insufficient Permissions",
}

GATEWAY_TEXTS: Final = {
    "isv.missing-app-id": "缺少AppID参数",
    "isv.invalid-app-id": "无效的AppID参数",
    "isv.missing-method": "缺少方法名参数",
    "isv.invalid-method": "不存在的方法名",
    "isv.missing-signature": "缺少签名参数",
    "isv.missing-signature-type": "缺少签名类型参数",
    "isv.invalid-signature-type": "无效签名类型",
    "isv.missing-timestamp": "缺少时间戳参数",
    "isv.invalid-timestamp": "非法的时间戳参数",
    "isv.missing-version": "缺少版本参数",
    "isv.invalid-charset": "字符集错误",
    "isv.invalid-format": "无效的数据格式",
    "isv.invalid-parameter": "参数无效",
    "isv.invalid-encrypt-type": "无效的加密类型",
    "isv.decryption-error-unknown": "解密出错，未知异常",
    "isv.missing-app-cert-sn": "缺少应用公钥证书序列号参数",
    "isv.app-cert-not-exist": "应用公钥证书不存在",
    "isv.missing-alipay-root-cert-sn": "缺少支付宝根证书序列号参数",
    "isv.invalid-alipay-root-cert-sn": "支付宝根证书序列号无效",
    "isv.alipay-cert-not-exist": "支付宝公钥证书不存在",
    "aop.invalid-app-auth-token": "无效的应用授权令牌",
    "isp.unknow-error": "系统繁忙",
    "aop.unknow-error": "系统繁忙",
}

BUSINESS_TEXTS: Final = {
    "ACQ.TRADE_NOT_EXIST": "交易不存在",
    "ACQ.TRADE_HAS_SUCCESS": "交易已被支付",
    "ACQ.TRADE_HAS_CLOSE": "交易已经关闭",
    "ACQ.TRADE_HAS_FINISHED": "交易已完结",
    "ACQ.TRADE_STATUS_ERROR": "交易状态不合法",
    "ACQ.REASON_TRADE_STATUS_INVALID": "交易状态异常",
    "ACQ.TRADE_CANCEL_TIME_OUT": "超过撤销时间范围",
    "ACQ.CONTEXT_INCONSISTENT": "交易信息被篡改",
    "ACQ.TOTAL_FEE_EXCEED": "订单总金额不在允许范围内",
    "ACQ.INVALID_PARAMETER": "参数无效",
    "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR": "当前时间已超过允许支付的时间",
    "ACQ.DISCORDANT_REPEAT_REQUEST": "请求信息不一致",
    "ACQ.REASON_TRADE_REFUND_FEE_ERR": "退款金额无效",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": "退款金额超限",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": "卖家余额不足",
    "ACQ.PAYMENT_AUTH_CODE_INVALID": "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款",
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": "买家余额不足",
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": "用户银行卡余额不足",
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": "余额支付功能关闭",
    "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE": "没用可用的支付工具",
    "ACQ.NOT_SUPPORT_PAYMENT_INST": "不支持的钱包版本",
    "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": "买家付款日限额超限",
    "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": "买家付款月额度超限",
    "ACQ.BEYOND_PAY_RESTRICTION": "商户收款额度超限",
    "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR": "产品额度超限",
    "ACQ.PULL_MOBILE_CASHIER_FAIL": "唤起移动收银台失败",
    "ACQ.MOBILE_PAYMENT_SWITCH_OFF": "用户的无线支付开关关闭",
    "ACQ.USER_FACE_PAYMENT_SWITCH_OFF": "用户当面付付款开关关闭",
    "ACQ.AUTH_TOKEN_IS_NOT_EXIST": "支付授权码为空",
    "ACQ.SMILE_PAY_MERCHANT_NOT_MATCH": "刷脸支付的商户不一致",
    "ACQ.PAYMENT_FAIL": "支付失败",
    "ACQ.PAYMENT_REQUEST_HAS_RISK": "支付有风险",
    "ACQ.BUYER_ENABLE_STATUS_FORBID": "买家状态非法",
    "ACQ.BUYER_NOT_EXIST": "买家不存在",
    "ACQ.BUYER_SELLER_EQUAL": "买卖家不能相同",
    "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT": "买家未通过人行认证",
    "ACQ.NOT_CERTIFIED_USER": "用户未实名认证",
    "ACQ.BEYOND_PER_RECEIPT_RESTRICTION": "商户收款金额超过月限额",
    "ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION": "超出商家单笔收款限额",
    "ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION": "超过商家单日收款限额",
    "ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT": "超过单笔收款限额",
    "ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT": "超过单日累计收款额度",
    "ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT": "商户暂停收款",
    "ACQ.MERCHANT_AGREEMENT_NOT_EXIST": "商户协议不存在",
    "ACQ.MERCHANT_STATUS_NOT_NORMAL": "商户状态异常",
    "ACQ.ACCESS_FORBIDDEN": "无权限使用接口",
    "ACQ.SELLER_BEEN_BLOCKED": "商家账号被冻结",
    "ACQ.EXIST_FORBIDDEN_WORD": "订单信息中包含违禁词",
    "ACQ.PAYER_UNMATCHED": "付款人不匹配",
    "ACQ.OPEN_ID_NOT_TINY_APP": "open_id不是小程序的",
    "ACQ.UNBOUND_APPLICATION": "小程序未与商户绑定",
    "ACQ.PRODUCT_NOT_SUPPORT_IN_TINY_APP": "该产品不支持小程序",
    "ACQ.BIZ_PRODUCT_NOT_ALLOWED": "业务产品不允许",
    "ACQ.CANCEL_NOT_ALLOWED": "不允许撤销",
    "ACQ.NOTIFY_STATUS_INVALID": "通知状态不合法",
    "ACQ.REASON_TRADE_BEEN_FREEZEN": "交易已经被冻结",
    "ACQ.AGREEMENT_NOT_EXIST": "用户协议不存在",
    "ACQ.AGREEMENT_STATUS_NOT_NORMAL": "用户代扣协议状态非NORMAL",
    "ACQ.CYCLE_PAY_DATE_NOT_MATCH": "扣款日期不在签约时的允许范围之内",
    "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED": "周期扣款单笔金额超过签约时限额",
    "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED": "周期扣款总金额超过签约时限额",
    "ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED": "周期扣款总次数超过签约时限制",
    "ACQ.AUTH_AMOUNT_NOT_ENOUGH": "授权金额不足",
    "ACQ.AUTH_NO_ERROR": "授权号错误",
    "ACQ.AUTH_ORDER_HAS_CLOSED": "授权订单已关闭",
    "ACQ.AUTH_ORDER_HAS_FINISHED": "授权订单已完结",
    "ACQ.AUTH_ORDER_NOT_PAID": "授权订单未支付",
    "ACQ.PRE_AUTH_PROD_CODE_INCONSISTENT": "预授权产品码不一致",
    "AUTH_ORDER_NOT_EXIST": "支付宝资金授权订单不存在",
    "AUTH_OPERATION_NOT_EXIST": "支付宝资金操作流水不存在",
    "CANCEL_OPERATION_TIME_OUT": "超过撤销时间范围",
    "ERROR_BALANCE_PAYMENT_DISABLE": "余额支付功能关闭",
    "EXIST_FORBIDDEN_WORD": "订单信息中包含违禁词",
    "FREEZE_ALREADY_SUCCESS": "订单已授权成功",
    "ILLEGAL_ARGUMENT": "参数异常",
    "ILLEGAL_STATUS": "授权订单状态不合法",
    "MONEY_NOT_ENOUGH": "账户余额不足",
    "ORDER_ALREADY_CLOSED": "授权订单已关闭",
    "ORDER_ALREADY_FINISH": "授权订单已完结",
    "PAYEE_NOT_EXIST": "收款方不存在",
    "PAYER_NOT_EXIST": "付款方不存在",
    "PAYER_USER_STATUS_LIMIT": "付款方状态异常",
    "PAYMENT_AUTH_CODE_INVALID": "支付授权码无效",
    "PULL_MOBILE_CASHIER_FAIL": "唤起移动收银台失败",
    "BALANCE_IS_NOT_ENOUGH": "余额不足",
    "CARD_BIN_ERROR": "收款人银行账号不正确，请确认",
    "EXCEED_LIMIT_DM_AMOUNT": "日累计额度超限",
    "EXCEED_LIMIT_SM_AMOUNT": "单笔额度超限",
    "EXCEED_LIMIT_SM_MIN_AMOUNT": "请求金额不能低于0.1元",
    "ORDER_NOT_EXIST": "转账订单不存在",
    "ORDER_STATUS_INVALID": "订单异常，请检查订单后再试",
    "PAYEE_USER_INFO_ERROR": "支付宝账号和姓名不匹配，请确认姓名是否正确",
    "PAYER_BALANCE_NOT_ENOUGH": "余额不足，若余额大于转账金额，请检查账户是否被限额或冻结",
    "PAYER_PAYEE_CANNOT_SAME": "收付款方不能相同",
    "PAYMENT_INFO_INCONSISTENCY": "两次请求商户单号一样，但是参数不一致",
    "PRODUCT_NOT_SIGN": "产品未签约",
    "REQUEST_AMOUNT_EXCEED": "请求金额超限",
    "UNIQUE_VIOLATION": "请求号重复且内容不一致",
    "USER_FACE_PAYMENT_SWITCH_OFF": "用户当面付付款开关关闭",
    "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR": "分账金额校验错误",
    "ACQ.ALLOC_REFUSE_AFTER_REFUND": "交易已全额退款，不允许分账",
    "ACQ.ALLOC_REFUSE_BEFORE_SETTLE": "交易未确认结算，不允许分账",
    "ACQ.ALREADY_CONFIRM_SETTLE": "交易已确认结算",
    "ACQ.ALREADY_FINISH_ALLOC": "交易已完结分账",
    "ACQ.CONFIRM_REFUSE_AFTER_REFUND": "交易已全额退款，不允许确认结算",
    "ACQ.FREQUENCY_LIMITED": "分账次数超限",
    "ACQ.INVALID_SETTLE_AMOUNT_PARAMETER": "结算金额参数无效",
    "ACQ.MUST_ALLOC_FROM_ROOT_ACCOUNT": "必须从交易收款账户分出",
    "ACQ.REFUNDALLOC_UNAUTH_LIMIT": "分账退回未获得收入方授权",
    "ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST": "退分账账户不存在",
    "ACQ.ROYALTY_ACCOUNTS_EQUAL": "分账收支账户不能相同",
    "ACQ.ROYALTY_ACCOUNT_NAME_NOT_MATCH": "分账收入方姓名不匹配",
    "ACQ.ROYALTY_RECEIVER_ACCOUNT_NOT_CERTIFY": "分账收入方未实名认证",
    "ACQ.ROYALTY_RECEIVER_ACCOUNT_NOT_EXIST": "分账收入方账户不存在",
    "ACQ.ROYALTY_RECEIVER_INVALID": "分账收入方未绑定分账关系",
    "ACQ.RISK_SETTLE_SUSPEND": "风险商户，结算被暂停",
    "ACQ.SETTLE_SCENE_NOT_SUPPORT": "不支持的结算场景",
    "ACQ.TRADE_SETTLE_ERROR": "交易结算异常",
    "ACQ.TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH": "账户余额不足",
    "INVALID_RECEIVER_TYPE": "分账接收方类型无效",
    "MERCHANT_TRADE_NOT_MATCH": "商户与交易不匹配",
    "RECEIVER_ACCOUNT_NOT_CERTIFY": "分账接收方未实名认证",
    "RECEIVER_LIST_EMPTY": "分账接收方列表为空",
    "RECEIVER_LIST_OVERLOAD": "分账接收方列表超限",
    "RELATION_QUANTITY_LIMIT": "分账关系数量超限",
    "USERNAME_NOT_MATCH": "姓名不匹配",
    "USER_NOT_EXIST": "用户不存在",
    "AGREEMENT_EXIST": "协议已存在",
    "AGREEMENT_HAS_UNSIGNED": "用户协议已解约",
    "AGREEMENT_NOT_EXIST": "协议不存在",
    "ILLEGAL_AGREEMENT": "协议不合法",
    "ILLEGAL_EXECUTION_TIME": "扣款时间不合法",
    "ILLEGAL_PARAMS": "参数不合法",
    "INVALID_PARAMETER": "参数无效",
    "NO_BILL_DATA": "无账单数据",
    "BILL_NOT_EXIST": "账单不存在",
    "INVAILID_ARGUMENTS": "入参不合法",
    "TYPE_NOT_SUPPORTED": "账单类型不支持",
    "BILL_DATE_BEFORE_REGISTRATION": "账单日期早于注册日期",
    "AGREEMENT_CHECK_FAIL": "协议校验失败",
    "USER_AGREEMENT_CHECK_FAIL": "用户协议校验失败",
    "BIZ_ERROR": "业务异常",
    "PROCESSING": "账单处理中",
    "USER_AGREEMENT_NOT_EXIST": "用户协议不存在",
    "USER_AGREEMENT_STATUS_NOT_NORMAL": "用户协议状态不正常",
}


def require_code(sub_code: str) -> None:
    """Raises `ValueError` unless ``sub_code`` is one that this emulator can say."""
    if sub_code not in BUSINESS_TEXTS:
        known = ", ".join(sorted(BUSINESS_TEXTS))
        raise ValueError(f"{sub_code!r} is no sub code of this emulator; it has {known}.")


class GatewayError(Exception):
    """A no of the gateway or of the business behind it.

    ``signed`` is false for the few that Alipay answers before it knows whose request this is.
    """

    def __init__(self, code: str, sub_code: str, sub_msg: str, *, signed: bool = True) -> None:
        super().__init__(f"{code} {sub_code} {sub_msg}")
        self.code = code
        self.sub_code = sub_code
        self.sub_msg = sub_msg
        self.signed = signed

    def node(self) -> dict[str, str]:
        """The error as V2's response node."""
        return {
            "code": self.code,
            "msg": MESSAGES[self.code],
            "sub_code": self.sub_code,
            "sub_msg": self.sub_msg,
        }

    @property
    def v3_code(self) -> str:
        """The code as V3 writes it: without ``isv.``, ``isp.`` and ``aop.``."""
        family, _, rest = self.sub_code.partition(".")
        return rest if family in ("isv", "isp", "aop") else self.sub_code

    @property
    def v3_status(self) -> int:
        """The HTTP status of V3."""
        if self.code == "20000":
            return 500
        if self.code == "20001":
            return 403
        return 401 if self.v3_code.endswith(("signature", "app-id")) else 400


def missing(what: str) -> GatewayError:
    """40001: the parameter ``what`` (as in ``isv.missing-what``) was not given."""
    sub_code = f"isv.missing-{what}"
    return GatewayError("40001", sub_code, GATEWAY_TEXTS[sub_code])


def invalid(sub_code: str, detail: str = "") -> GatewayError:
    """40002: ``sub_code``, with ``detail`` after Alipay's own text."""
    return GatewayError("40002", sub_code, GATEWAY_TEXTS[sub_code] + _after_comma(detail))


def business(declined: Declined) -> GatewayError:
    """40004: what the ledger declined."""
    text = BUSINESS_TEXTS[declined.sub_code]
    return GatewayError("40004", declined.sub_code, text + _after_comma(declined.detail))


def invalid_parameter(detail: str) -> Declined:
    """``ACQ.INVALID_PARAMETER``, which names what is wrong."""
    return Declined("ACQ.INVALID_PARAMETER", detail)


def _after_comma(detail: str) -> str:
    return f"，{detail}" if detail else ""
