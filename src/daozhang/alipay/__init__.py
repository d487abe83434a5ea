"""Alipay (支付宝) for merchants in mainland China: calls, pages, notifications.

Everything public is here; see `daozhang.alipay.errors` for what can go wrong and
`daozhang.alipay.operations` for what can be called.
"""

from daozhang.alipay.app_results import AppResult, AppStatus, verify_app_result
from daozhang.alipay.buyers import BuyerRef
from daozhang.alipay.catalogue import UnknownMethod
from daozhang.alipay.certificates import CertificateSet
from daozhang.alipay.client import Alipay, AsyncAlipay
from daozhang.alipay.config import Credentials, Environment, VerifyingKeys
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
from daozhang.alipay.messages import (
    AuthorisationCancelled,
    ComplaintChanged,
    OrderSettled,
    RefundDepositBack,
    TransferChanged,
    TypedMessage,
    read_message,
)
from daozhang.alipay.notifications import (
    AgreementNotification,
    AgreementSigned,
    AgreementUnsigned,
    AnyNotification,
    Closed,
    ClosedUnclear,
    Finished,
    FullyRefunded,
    Message,
    Notification,
    Paid,
    PartlyRefunded,
    TradeNotification,
    UnknownNotification,
    Waiting,
)
from daozhang.alipay.notify import SUCCESS, verify
from daozhang.alipay.operations.agreement import (
    AccessParams,
    AgreementSign,
    PeriodRule,
    UserAgreementExecutionplanModify,
    UserAgreementExecutionplanModifyResult,
    UserAgreementPageSign,
    UserAgreementQuery,
    UserAgreementQueryResult,
    UserAgreementUnsign,
    UserAgreementUnsignResult,
)
from daozhang.alipay.operations.create import TradeCreate, TradeCreateResult
from daozhang.alipay.operations.pay import TradePay, TradePayResult, scene_of
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
from daozhang.alipay.phone_numbers import PhoneNumber, decrypt_phone
from daozhang.alipay.returns import ReturnPage, verify_return

__all__ = [
    "SUCCESS",
    "AccessParams",
    "AgreementNotification",
    "AgreementSign",
    "AgreementSigned",
    "AgreementUnsigned",
    "Alipay",
    "AlipayError",
    "AnyNotification",
    "AppResult",
    "AppStatus",
    "AsyncAlipay",
    "AuthorisationCancelled",
    "BuyerRef",
    "Call",
    "CertificateProblem",
    "CertificateSet",
    "Closed",
    "ClosedUnclear",
    "ComplaintChanged",
    "ConfigurationError",
    "Credentials",
    "Environment",
    "File",
    "Finished",
    "FullyRefunded",
    "KeyIsYourOwn",
    "KeyProblem",
    "Message",
    "Notification",
    "OrderSettled",
    "OutcomeUnknown",
    "Paid",
    "PartlyRefunded",
    "PeriodRule",
    "PhoneNumber",
    "PrivateKey",
    "PublicKey",
    "RefundDepositBack",
    "Rejected",
    "ReturnPage",
    "TradeAppPay",
    "TradeCancel",
    "TradeCancelResult",
    "TradeClose",
    "TradeCloseResult",
    "TradeCreate",
    "TradeCreateResult",
    "TradeFastpayRefundQuery",
    "TradeFastpayRefundQueryResult",
    "TradeNotification",
    "TradePagePay",
    "TradePay",
    "TradePayResult",
    "TradePrecreate",
    "TradePrecreateResult",
    "TradeQuery",
    "TradeQueryResult",
    "TradeRefund",
    "TradeRefundResult",
    "TradeWapPay",
    "TransferChanged",
    "TypedMessage",
    "UnknownMethod",
    "UnknownNotification",
    "Untrusted",
    "UntrustedReason",
    "UserAgreementExecutionplanModify",
    "UserAgreementExecutionplanModifyResult",
    "UserAgreementPageSign",
    "UserAgreementQuery",
    "UserAgreementQueryResult",
    "UserAgreementUnsign",
    "UserAgreementUnsignResult",
    "VerifyingKeys",
    "Waiting",
    "decrypt_phone",
    "read_message",
    "scene_of",
    "verify",
    "verify_app_result",
    "verify_return",
]
