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
}


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
