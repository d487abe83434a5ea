"""Alipay (支付宝) for merchants in mainland China: calls, pages, notifications.

Everything public is here; see `daozhang.alipay.errors` for what can go wrong and
`daozhang.alipay.operations` for what can be called.
"""

from daozhang.alipay.catalogue import UnknownMethod
from daozhang.alipay.client import Alipay, AsyncAlipay
from daozhang.alipay.config import Credentials, Environment
from daozhang.alipay.errors import (
    AlipayError,
    CertificateProblem,
    ConfigurationError,
    KeyIsYourOwn,
    KeyProblem,
    OutcomeUnknown,
    Rejected,
    Untrusted,
    UntrustedReason,
)
from daozhang.alipay.exchange import Call, File
from daozhang.alipay.keys import PrivateKey, PublicKey
from daozhang.alipay.operations.refund import (
    TradeFastpayRefundQuery,
    TradeFastpayRefundQueryResult,
    TradeRefund,
    TradeRefundResult,
)
from daozhang.alipay.operations.trade import (
    TradeAppPay,
    TradeCancel,
    TradeCancelResult,
    TradeClose,
    TradeCloseResult,
    TradePagePay,
    TradePrecreate,
    TradePrecreateResult,
    TradeQuery,
    TradeQueryResult,
    TradeWapPay,
)

__all__ = [
    "Alipay",
    "AlipayError",
    "AsyncAlipay",
    "Call",
    "CertificateProblem",
    "ConfigurationError",
    "Credentials",
    "Environment",
    "File",
    "KeyIsYourOwn",
    "KeyProblem",
    "OutcomeUnknown",
    "PrivateKey",
    "PublicKey",
    "Rejected",
    "TradeAppPay",
    "TradeCancel",
    "TradeCancelResult",
    "TradeClose",
    "TradeCloseResult",
    "TradeFastpayRefundQuery",
    "TradeFastpayRefundQueryResult",
    "TradePagePay",
    "TradePrecreate",
    "TradePrecreateResult",
    "TradeQuery",
    "TradeQueryResult",
    "TradeRefund",
    "TradeRefundResult",
    "TradeWapPay",
    "UnknownMethod",
    "Untrusted",
    "UntrustedReason",
]
