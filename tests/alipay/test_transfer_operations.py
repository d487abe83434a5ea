"""Transfers, receipts and balances: what is refused before sending, and which noes are none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from daozhang.alipay import (
    BankCard,
    CardHolder,
    DataBillAccountlogQuery,
    DataBillEreceiptApply,
    DataBillEreceiptQuery,
    FundTransCommonQuery,
    FundTransUniTransfer,
    OutcomeUnknown,
    Payee,
    PayeeIdentity,
    ReceiptKind,
    Rejected,
)
from daozhang.alipay.exchange import wire_content
from daozhang.alipay.operations.operation import MalformedResult
from daozhang.alipay.outcomes import failure
from daozhang.money import Money

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
TRANSFER: dict[str, Any] = {
    "out_biz_no": "W1",
    "trans_amount": Money(5000),
    "payee_info": Payee(identity="2088000000000001", identity_type=PayeeIdentity.USER_ID),
}
CARD = Payee(
    identity="6222020000000000001",
    identity_type=PayeeIdentity.BANK_CARD,
    name="张三",
    bankcard_ext_info=BankCard(account_type=CardHolder.PERSON),
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trans_amount": Money(0)}, "above zero"),
        ({"trans_amount": Money(9)}, "least"),
        ({"trans_amount": Money(100, "USD")}, "yuan"),
        ({"trans_amount": "1.00"}, "Money.parse"),
        ({"payee_info": CARD}, "bank card"),
        ({"product_code": "TRANS_BANKCARD_NO_PWD"}, "bank card"),
    ],
)
def test_a_transfer_that_alipay_would_refuse(changes: dict[str, Any], words: str):
    FundTransUniTransfer(**TRANSFER)
    with pytest.raises((ValueError, TypeError), match=words):
        FundTransUniTransfer(**TRANSFER | changes)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"identity": " ", "identity_type": PayeeIdentity.USER_ID}, "empty"),
        ({"identity": "a@b.cn", "identity_type": PayeeIdentity.LOGON_ID}, "name"),
        ({"identity": "62220", "identity_type": PayeeIdentity.BANK_CARD, "name": "张三"}, "card"),
        (
            {
                "identity": "2088",
                "identity_type": PayeeIdentity.USER_ID,
                "bankcard_ext_info": BankCard(account_type=CardHolder.PERSON),
            },
            "card",
        ),
    ],
)
def test_a_payee_is_named_as_alipay_wants(values: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        Payee(**values)


def test_a_companys_card_names_its_bank():
    with pytest.raises(ValueError, match="inst_name"):
        BankCard(account_type=CardHolder.COMPANY)


def test_a_payee_travels_as_alipay_writes_it():
    transfer = FundTransUniTransfer(
        **TRANSFER | {"payee_info": CARD, "product_code": "TRANS_BANKCARD_NO_PWD"}
    )
    assert wire_content(transfer.content())["payee_info"] == {
        "identity": "6222020000000000001",
        "identity_type": "BANKCARD_ACCOUNT",
        "name": "张三",
        "bankcard_ext_info": {"account_type": "2"},
    }


def test_only_success_proves_a_transfer_and_another_number_is_none_of_it():
    transfer = FundTransUniTransfer(**TRANSFER)
    assert transfer.read({"out_biz_no": "W1", "status": "SUCCESS"}, None).succeeded
    for status in ("DEALING", "FAIL", "REFUND", ""):
        assert not transfer.read({"out_biz_no": "W1", "status": status}, None).succeeded
    with pytest.raises(MalformedResult, match="out_biz_no"):
        transfer.read({"out_biz_no": "W2", "status": "SUCCESS"}, None)


@pytest.mark.parametrize("values", [{}, {"out_biz_no": "W1"}, {"product_code": "P"}])
def test_a_transfer_is_asked_about_by_a_number_and_what_goes_with_it(values: dict[str, Any]):
    with pytest.raises(ValueError, match="out_biz_no with"):
        FundTransCommonQuery(**values)
    assert FundTransCommonQuery(order_id="2026").order_id == "2026"


@pytest.mark.parametrize(
    "sub_code",
    ["SYSTEM_ERROR", "REQUEST_PROCESSING", "TRANS_ORDER_DEALING", "PAYMENT_INFO_INCONSISTENCY"],
)
def test_a_no_that_speaks_of_a_transfer_which_may_live_is_no_no(sub_code: str):
    told = failure(
        FundTransUniTransfer.METHOD, "40004", sub_code, "处理中", trace_id=None, response={}
    )
    assert isinstance(told, OutcomeUnknown)


@pytest.mark.parametrize(
    "sub_code", ["PAYER_BALANCE_NOT_ENOUGH", "PAYEE_NOT_EXIST", "EXCEED_LIMIT_DM_AMOUNT"]
)
def test_a_definite_no_to_a_transfer_says_what_to_do(sub_code: str):
    told = failure(FundTransUniTransfer.METHOD, "40004", sub_code, "", trace_id=None, response={})
    assert isinstance(told, Rejected)
    assert told.hint


def test_a_receipt_is_ready_with_its_address():
    query = DataBillEreceiptQuery(file_id="F1")
    assert query.read({"status": "SUCCESS", "download_url": "https://x"}, None).is_ready
    assert not query.read({"status": "PROCESS"}, None).is_ready
    assert DataBillEreceiptApply.of_day(date(2026, 3, 1)).key == "2026-03-01"
    with pytest.raises(ValueError, match="key"):
        DataBillEreceiptApply(type=ReceiptKind.DAY, key=" ")
    with pytest.raises(ValueError, match="end_time"):
        DataBillAccountlogQuery(start_time=NOON, end_time=NOON)
