"""Sending money to somebody (转账), and asking what became of it (apis.md §6.1 to §6.3).

A transfer is known by its ``out_biz_no``: the same number with the same content is the same transfer,
for ever. After anything but a proof the very same one may be repeated or asked about; a new number while
the old one may still live is how money is sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

import msgspec

from daozhang.alipay.operations.operation import (
    DetailList,
    Operation,
    Result,
    require_yuan,
)
from daozhang.money import Money

TO_ACCOUNT: Final = "TRANS_ACCOUNT_NO_PWD"
"""The product for transfers to an Alipay account."""

TO_BANK_CARD: Final = "TRANS_BANKCARD_NO_PWD"
"""The product for transfers to a bank card."""

RED_PACKET: Final = "STD_RED_PACKET"
"""The product for cash red packets."""

DIRECT_TRANSFER: Final = "DIRECT_TRANSFER"
"""The scene of everything that a merchant sends by itself."""

AMOUNT_MIN: Final = Money(10)
"""The least that goes to an account; 0.01 for a red packet."""

ORDER_NOT_EXIST: Final = "ORDER_NOT_EXIST"
"""What a query says where there is no such transfer: late enough after the call, a proof."""


class PayeeIdentity(StrEnum):
    """How a payee is named."""

    USER_ID = "ALIPAY_USER_ID"
    OPEN_ID = "ALIPAY_OPEN_ID"
    LOGON_ID = "ALIPAY_LOGON_ID"
    BANK_CARD = "BANKCARD_ACCOUNT"


class CardHolder(StrEnum):
    """Whose bank card it is."""

    COMPANY = "1"
    PERSON = "2"


class BankCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes with the number of a bank card. A company's card needs its bank's name at least."""

    account_type: CardHolder
    inst_name: str | None = None
    inst_province: str | None = None
    inst_city: str | None = None
    inst_branch_name: str | None = None
    bank_code: str | None = None

    def __post_init__(self) -> None:
        if self.account_type == CardHolder.COMPANY and not (self.inst_name or self.bank_code):
            raise ValueError("A company's card needs inst_name or bank_code.")


class Payee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who gets the money. With a logon id or a card the name is required; it is checked wherever it is given."""

    identity: str
    identity_type: PayeeIdentity
    name: str | None = None
    cert_type: str | None = None
    cert_no: str | None = None
    bankcard_ext_info: BankCard | None = None

    def __post_init__(self) -> None:
        if not self.identity.strip():
            raise ValueError("The payee's identity is empty.")
        named = bool(self.name and self.name.strip())
        if self.identity_type in (PayeeIdentity.LOGON_ID, PayeeIdentity.BANK_CARD) and not named:
            raise ValueError(f"A payee by {self.identity_type} needs a name: Alipay checks it.")
        if (self.identity_type == PayeeIdentity.BANK_CARD) != (self.bankcard_ext_info is not None):
            raise ValueError("bankcard_ext_info goes with a bank card, and with nothing else.")


class FundTransUniTransferResult(Result, frozen=True, kw_only=True):
    """What became of a transfer: ``status`` SUCCESS; to a bank card also DEALING, REFUND or FAIL.

    `succeeded` is the only proof that it arrived at Alipay's; to a card it may come back even then.
    """

    out_biz_no: str | None = None
    order_id: str | None = None
    pay_fund_order_id: str | None = None
    status: str | None = None
    sub_status: str | None = None
    amount: Money | None = None
    trans_date: datetime | None = None
    settle_serial_no: str | None = None
    link: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the money has gone."""
        return self.status == "SUCCESS"


class FundTransUniTransfer(Operation[FundTransUniTransferResult], frozen=True, kw_only=True):
    """``alipay.fund.trans.uni.transfer``: sends ``trans_amount`` to ``payee_info``.

    After `OutcomeUnknown`, and after DEALING, ask with `FundTransCommonQuery`; repeat only with the same
    number and content. `OutcomeUnknown` covers ``SYSTEM_ERROR``, ``REQUEST_PROCESSING`` and the other
    codes after which the money may be on its way all the same.
    """

    METHOD: ClassVar[str] = "alipay.fund.trans.uni.transfer"
    RESULT: ClassVar[type[Result]] = FundTransUniTransferResult

    out_biz_no: str
    trans_amount: Money
    payee_info: Payee
    product_code: str = TO_ACCOUNT
    biz_scene: str = DIRECT_TRANSFER
    order_title: str | None = None
    remark: str | None = None
    transfer_scene_name: str | None = None
    transfer_scene_report_infos: DetailList | None = None
    business_params: str | None = None
    passback_params: str | None = None
    payer_info: Mapping[str, Any] | None = None
    original_order_id: str | None = None
    sign_data: Mapping[str, Any] | None = None
    mutiple_currency_detail: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_yuan("trans_amount", self.trans_amount)
        if self.product_code != RED_PACKET and self.trans_amount < AMOUNT_MIN:
            raise ValueError(f"trans_amount is {self.trans_amount}; {AMOUNT_MIN} is the least.")
        is_card = self.payee_info.identity_type == PayeeIdentity.BANK_CARD
        if is_card != (self.product_code == TO_BANK_CARD):
            raise ValueError(f"{TO_BANK_CARD} goes to a bank card, and nothing else does.")


class FundTransCommonQueryResult(Result, frozen=True, kw_only=True):
    """What became of a transfer: ``status`` SUCCESS, WAIT_PAY, CLOSED, FAIL, DEALING or REFUND.

    ``trans_amount`` is there after SUCCESS only. FAIL and CLOSED are definite; so is REFUND: the bank
    has sent it back.
    """

    out_biz_no: str | None = None
    order_id: str | None = None
    pay_fund_order_id: str | None = None
    status: str | None = None
    sub_status: str | None = None
    trans_amount: Money | None = None
    pay_date: datetime | None = None
    arrival_time_end: datetime | None = None
    order_fee: Money | None = None
    error_code: str | None = None
    fail_reason: str | None = None
    fail_inst_name: str | None = None
    fail_inst_error_code: str | None = None
    fail_inst_reason: str | None = None
    receiver_user_id: str | None = None
    receiver_open_id: str | None = None
    passback_params: str | None = None
    settle_serial_no: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the money has gone."""
        return self.status == "SUCCESS"


class FundTransCommonQuery(Operation[FundTransCommonQueryResult], frozen=True, kw_only=True):
    """``alipay.fund.trans.common.query``: what became of a transfer, by Alipay's numbers or your own.

    By ``out_biz_no`` the product and the scene are required. `Rejected` with `ORDER_NOT_EXIST` means
    that there is none, which proves something only some time after the call.
    """

    METHOD: ClassVar[str] = "alipay.fund.trans.common.query"
    RESULT: ClassVar[type[Result]] = FundTransCommonQueryResult

    out_biz_no: str | None = None
    product_code: str | None = None
    biz_scene: str | None = None
    order_id: str | None = None
    pay_fund_order_id: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order_id or self.pay_fund_order_id:
            return
        if not (self.out_biz_no and self.product_code and self.biz_scene):
            raise ValueError(
                f"{type(self).__name__} needs pay_fund_order_id, order_id, or out_biz_no with"
                " product_code and biz_scene."
            )


class FundAccountQueryResult(Result, frozen=True, kw_only=True):
    """What lies in an account."""

    available_amount: Money | None = None
    freeze_amount: Money | None = None
    total_amount: Money | None = None
    ext_card_info: Mapping[str, Any] | None = None


class FundAccountQuery(Operation[FundAccountQueryResult], frozen=True, kw_only=True):
    """``alipay.fund.account.query``: the balance from which transfers are paid."""

    METHOD: ClassVar[str] = "alipay.fund.account.query"
    RESULT: ClassVar[type[Result]] = FundAccountQueryResult

    alipay_user_id: str | None = None
    alipay_open_id: str | None = None
    account_type: str = "ACCTRANS_ACCOUNT"
    account_product_code: str | None = None
    account_scene_code: str | None = None
    merchant_user_id: str | None = None
    ext_info: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.alipay_user_id or self.alipay_open_id or self.merchant_user_id):
            raise ValueError(
                f"{type(self).__name__} needs alipay_user_id, alipay_open_id or merchant_user_id."
            )


class DataBillBalanceQueryResult(Result, frozen=True, kw_only=True):
    """What lies in the merchant's account; ``settle_amount`` is not paid out yet."""

    total_amount: Money | None = None
    available_amount: Money | None = None
    freeze_amount: Money | None = None
    settle_amount: Money | None = None


class DataBillBalanceQuery(Operation[DataBillBalanceQueryResult], frozen=True, kw_only=True):
    """``alipay.data.bill.balance.query``: the merchant's balance, now."""

    METHOD: ClassVar[str] = "alipay.data.bill.balance.query"
    RESULT: ClassVar[type[Result]] = DataBillBalanceQueryResult

    bill_user_id: str | None = None


class DataBillAccountlogQueryResult(Result, frozen=True, kw_only=True):
    """A page of the movements of the account, each as Alipay writes it (apis.md §4.3)."""

    detail_list: DetailList | None = None
    page_no: str | None = None
    page_size: str | None = None
    total_size: str | None = None


class DataBillAccountlogQuery(Operation[DataBillAccountlogQueryResult], frozen=True, kw_only=True):
    """``alipay.data.bill.accountlog.query``: every movement of the merchant's account in a time."""

    METHOD: ClassVar[str] = "alipay.data.bill.accountlog.query"
    RESULT: ClassVar[type[Result]] = DataBillAccountlogQueryResult

    start_time: datetime
    end_time: datetime
    page_no: str | None = None
    page_size: str | None = None
    alipay_order_no: str | None = None
    merchant_order_no: str | None = None
    trans_code: str | None = None
    bill_user_id: str | None = None
    open_id: str | None = None
    agreement_no: str | None = None
    agreement_product_code: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.end_time <= self.start_time:
            raise ValueError("end_time must be after start_time.")


class ReceiptKind(StrEnum):
    """What an e-receipt (电子回单) is about."""

    TRANSFER = "FUND_DETAIL"  # one transfer, by its order_id or pay_fund_order_id
    MOVEMENT = "ACCOUNT_LOG_DETAIL"  # one movement, by its account_log_id
    DAYS = "ACCOUNT_FLOW_DETAIL"  # all movements of some days, "20220301-20220331"
    DAY = "ACCOUNT_LOG_SUM_DAILY"  # the sums of a day, "2022-03-01"
    MONTH = "ACCOUNT_LOG_SUM_MONTHLY"  # the sums of a month, "2022-03"


class DataBillEreceiptApplyResult(Result, frozen=True, kw_only=True):
    """The number under which the receipt is being made; it lives two days."""

    file_id: str | None = None


class DataBillEreceiptApply(Operation[DataBillEreceiptApplyResult], frozen=True, kw_only=True):
    """``alipay.data.bill.ereceipt.apply``: has a receipt made. It can be repeated."""

    METHOD: ClassVar[str] = "alipay.data.bill.ereceipt.apply"
    RESULT: ClassVar[type[Result]] = DataBillEreceiptApplyResult

    type: ReceiptKind
    key: str
    bill_user_id: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.key.strip():
            raise ValueError("key is empty; it says what the receipt is about.")

    @classmethod
    def of_day(cls, day: date) -> DataBillEreceiptApply:
        """A receipt of the sums of ``day``."""
        return cls(type=ReceiptKind.DAY, key=day.isoformat())


class DataBillEreceiptQueryResult(Result, frozen=True, kw_only=True):
    """How far a receipt is: ``status`` INIT, PROCESS, SUCCESS or FAIL. The address lives 30 seconds."""

    status: str | None = None
    download_url: str | None = None
    error_message: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it can be fetched at ``download_url``."""
        return self.status == "SUCCESS" and bool(self.download_url)


class DataBillEreceiptQuery(Operation[DataBillEreceiptQueryResult], frozen=True, kw_only=True):
    """``alipay.data.bill.ereceipt.query``: whether a receipt is ready, and where."""

    METHOD: ClassVar[str] = "alipay.data.bill.ereceipt.query"
    RESULT: ClassVar[type[Result]] = DataBillEreceiptQueryResult

    file_id: str
