"""Typed operations: what can be asked, what an answer becomes, what is refused before sending."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from daozhang.alipay import (
    AccessParams,
    AgreementSign,
    BillDownloadUrlQuery,
    DataBillAccountlogQuery,
    DataBillBalanceQuery,
    DataBillEreceiptApply,
    DataBillEreceiptQuery,
    FundAccountQuery,
    FundAuthOperationCancel,
    FundAuthOperationDetailQuery,
    FundAuthOrderAppFreeze,
    FundAuthOrderFreeze,
    FundAuthOrderUnfreeze,
    FundAuthOrderVoucherCreate,
    FundTransCommonQuery,
    FundTransUniTransfer,
    Payee,
    PayeeIdentity,
    PeriodRule,
    ReceiptKind,
    Receiver,
    Royalty,
    SettleDetail,
    SettleInfo,
    TradeAppPay,
    TradeCancel,
    TradeClose,
    TradeCreate,
    TradeFastpayRefundQuery,
    TradeOrderinfoSync,
    TradeOrderOnsettleQuery,
    TradeOrderSettle,
    TradeOrderSettleQuery,
    TradePagePay,
    TradePay,
    TradePrecreate,
    TradeQuery,
    TradeRefund,
    TradeRoyaltyRateQuery,
    TradeRoyaltyRelationBatchquery,
    TradeRoyaltyRelationBind,
    TradeRoyaltyRelationUnbind,
    TradeSettleConfirm,
    TradeWapPay,
    UserAgreementExecutionplanModify,
    UserAgreementPageSign,
    UserAgreementQuery,
    UserAgreementUnsign,
)
from daozhang.alipay.catalogue import methods
from daozhang.alipay.exchange import wire_content
from daozhang.alipay.operations.bill import BillDownloadUrlQueryResult
from daozhang.alipay.operations.operation import Details, MalformedResult, Operation
from daozhang.alipay.operations.pay import TradePayResult, scene_of
from daozhang.money import Money

TRADE = {"out_trade_no": "T1"}
PAYMENT = {"out_trade_no": "T1", "total_amount": Money(8888), "subject": "茶"}
REFUND = {"out_trade_no": "T1", "refund_amount": Money(1), "out_request_no": "R1"}

RULE = PeriodRule(
    period_type="MONTH", period=1, execute_time=date(2026, 4, 2), single_amount=Money(3000)
)
NAMED: dict[str, Any] = {"external_agreement_no": "E1", "personal_product_code": "CYCLE_PAY_AUTH_P"}
CODE = "286112345678901234"
FREEZE: dict[str, Any] = {
    "out_order_no": "H1",
    "out_request_no": "F1",
    "order_title": "Deposit",
    "amount": Money(50000),
}
SIGNING: dict[str, Any] = NAMED | {
    "access_params": AccessParams(channel="ALIPAYAPP"),
    "period_rule_params": RULE,
    "product_code": "CYCLE_PAY_AUTH",
}

PAYEE = Payee(identity="2088000000000001", identity_type=PayeeIdentity.USER_ID)
TRANSFER: dict[str, Any] = {
    "out_biz_no": "W1",
    "trans_amount": Money(5000),
    "payee_info": PAYEE,
}
TRANSFER_QUERY: dict[str, Any] = {
    "out_biz_no": "W1",
    "product_code": "TRANS_ACCOUNT_NO_PWD",
    "biz_scene": "DIRECT_TRANSFER",
}
NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
AGENCY = Receiver(type="userId", account="2088102146225135")
SHARE = Royalty(trans_in="2088102146225135", trans_in_type="userId", amount=Money(3000))
BINDING: dict[str, Any] = {"out_request_no": "B1", "receiver_list": (AGENCY,)}
SHARING: dict[str, Any] = {"out_request_no": "S1", "trade_no": "2026"}
ALL_OF_IT = SettleInfo(settle_detail_infos=(SettleDetail(amount=Money(8888)),))

ALL: list[tuple[type[Details], dict[str, Any]]] = [
    (TradePagePay, PAYMENT),
    (TradeWapPay, PAYMENT),
    (TradeAppPay, PAYMENT),
    (TradePrecreate, PAYMENT),
    (TradePay, PAYMENT | {"auth_code": "2888" + "0" * 14, "scene": "bar_code"}),
    (TradeCreate, PAYMENT | {"buyer_id": "2088102168897047", "op_app_id": "2021"}),
    (TradeQuery, TRADE),
    (TradeClose, TRADE),
    (TradeCancel, TRADE),
    (TradeRefund, REFUND),
    (TradeFastpayRefundQuery, TRADE | {"out_request_no": "R1"}),
    (UserAgreementPageSign, SIGNING),
    (UserAgreementQuery, NAMED),
    (FundAuthOrderFreeze, FREEZE | {"auth_code": CODE, "auth_code_type": "bar_code"}),
    (FundAuthOrderVoucherCreate, FREEZE),
    (TradeOrderinfoSync, {"trade_no": "2026", "out_request_no": "S1", "biz_type": "CREDIT_AUTH"}),
    (FundAuthOrderAppFreeze, FREEZE),
    (
        FundAuthOrderUnfreeze,
        {"auth_no": "A1", "out_request_no": "U1", "amount": Money(100), "remark": "done"},
    ),
    (FundAuthOperationDetailQuery, {"out_order_no": "H1", "out_request_no": "F1"}),
    (FundAuthOperationCancel, {"out_order_no": "H1", "out_request_no": "F1", "remark": "off"}),
    (UserAgreementUnsign, {"agreement_no": "2026"}),
    (UserAgreementExecutionplanModify, {"agreement_no": "2026", "deduct_time": date(2026, 4, 9)}),
    (FundTransUniTransfer, TRANSFER),
    (FundTransCommonQuery, TRANSFER_QUERY),
    (TradeRoyaltyRelationBind, BINDING),
    (TradeRoyaltyRelationUnbind, BINDING),
    (TradeRoyaltyRelationBatchquery, {"out_request_no": "B2", "page_num": 1, "page_size": 100}),
    (TradeRoyaltyRateQuery, {"out_request_no": "B3"}),
    (TradeOrderSettle, SHARING | {"royalty_parameters": (SHARE,), "royalty_mode": "async"}),
    (TradeOrderSettleQuery, {"settle_no": "2026"}),
    (TradeOrderOnsettleQuery, {"trade_no": "2026"}),
    (TradeSettleConfirm, SHARING | {"settle_info": ALL_OF_IT}),
]

EVERY = [
    *ALL,
    (BillDownloadUrlQuery, {"bill_type": "trade", "bill_date": "2026-03-01"}),
    (FundAccountQuery, {"alipay_user_id": "2088000000000001"}),
    (DataBillBalanceQuery, {}),
    (DataBillAccountlogQuery, {"start_time": NOON, "end_time": NOON + timedelta(hours=1)}),
    (DataBillEreceiptApply, {"type": ReceiptKind.TRANSFER, "key": "2026"}),
    (DataBillEreceiptQuery, {"file_id": "F1"}),
]
"""Those that name no order of anybody's, too."""


def number_in(values: dict[str, Any]) -> str:
    """The field among ``values`` that names what the operation is about."""
    return next(name for name in values if name.endswith("_no"))


@pytest.mark.parametrize(("kind", "values"), EVERY)
def test_every_field_is_one_that_alipay_declares(kind: type[Details], values: dict[str, Any]):
    declared = set(methods()[kind.METHOD].request)
    assert set(kind.__struct_fields__) - {"more"} <= declared
    given = kind(**values).content()
    assert given.items() >= values.items()
    assert set(given) <= declared


@pytest.mark.parametrize(("kind", "values"), ALL)
def test_a_field_without_a_name_here_still_travels(kind: type[Details], values: dict[str, Any]):
    assert kind(**values, more={"brand_new": "1"}).content()["brand_new"] == "1"
    number = number_in(values)
    with pytest.raises(ValueError, match=number):
        kind(**values, more={number: "T2"})


@pytest.mark.parametrize(("kind", "values"), ALL)
@pytest.mark.parametrize("null", ["None", "null", "undefined", "", "  "])
def test_a_null_that_became_text_is_refused(kind: type[Details], values: dict[str, Any], null: str):
    number = number_in(values)
    with pytest.raises(ValueError, match=number):
        kind(**{**values, number: null})


@pytest.mark.parametrize(("kind", "values"), EVERY)
def test_operations_do_not_change(kind: type[Details], values: dict[str, Any]):
    operation = kind(**values)
    with pytest.raises(AttributeError):
        operation.out_trade_no = "T2"  # type: ignore[attr-defined]


@pytest.mark.parametrize("amount", [88.88, "88.88", 8888, None])
@pytest.mark.parametrize("kind", [TradePagePay, TradeWapPay, TradeAppPay, TradePrecreate])
def test_an_amount_is_money(kind: Any, amount: Any):
    with pytest.raises((TypeError, AttributeError)):
        kind(**PAYMENT | {"total_amount": amount})


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (TradePagePay, PAYMENT | {"total_amount": Money(0)}, "above zero"),
        (TradePagePay, PAYMENT | {"total_amount": Money(-1)}, "above zero"),
        (TradePagePay, PAYMENT | {"total_amount": Money(1, "USD")}, "yuan"),
        (TradePagePay, PAYMENT | {"subject": " "}, "subject"),
        (TradePagePay, PAYMENT | {"time_expire": datetime(2026, 1, 1)}, "zone"),  # noqa: DTZ001
        (TradeRefund, REFUND | {"refund_amount": Money(0)}, "above zero"),
        (TradeRefund, REFUND | {"refund_amount": Money(1, "HKD")}, "yuan"),
        (TradeRefund, {"refund_amount": Money(1), "out_request_no": "R"}, "trade_no"),
        (TradeQuery, {}, "out_trade_no or trade_no"),
        (TradeClose, {}, "out_trade_no or trade_no"),
        (TradeCancel, {}, "out_trade_no or trade_no"),
        (TradeFastpayRefundQuery, {"out_request_no": "R"}, "out_trade_no or trade_no"),
        (UserAgreementQuery, {"external_agreement_no": "E1"}, "personal_product_code"),
        (UserAgreementUnsign, {}, "agreement_no"),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: Any, values: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        kind(**values)


def test_a_number_for_an_identity_is_refused():
    with pytest.raises(TypeError, match="out_trade_no"):
        TradeQuery(out_trade_no=20261120)  # type: ignore[arg-type]


def test_a_query_result_is_typed_and_keeps_everything():
    fields = {
        "code": "10000",
        "out_trade_no": "T1",
        "trade_no": "2026112022001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "88.88",
        "receipt_amount": "",
        "send_pay_date": "2026-11-20 08:00:01",
        "fund_bill_list": [{"fund_channel": "ALIPAYACCOUNT", "amount": "88.88"}],
        "settle_amount": "12.30",
        "settle_currency": "USD",
        "voucher_detail_list": "[]",
        "brand_new": {"a": ["b"]},
    }
    result = TradeQuery(out_trade_no="T1").read(fields, "trace")
    assert result.total_amount == Money(8888)
    assert result.receipt_amount is None
    assert result.send_pay_date == datetime(2026, 11, 20, 0, 0, 1, tzinfo=UTC)
    assert result.fund_bill_list == ({"fund_channel": "ALIPAYACCOUNT", "amount": "88.88"},)
    assert result.settle_amount == Money(1230, "USD")
    assert result.voucher_detail_list is None
    assert result.raw["brand_new"] == {"a": ["b"]}
    assert result.trace_id == "trace"
    with pytest.raises(TypeError):
        result.raw["code"] = "0"  # type: ignore[index]


@pytest.mark.parametrize(
    "fields",
    [
        {"total_amount": "8,888"},
        {"total_amount": "1.005"},
        {"total_amount": 8888},
        {"total_amount": ["1.00"]},
        {"send_pay_date": "yesterday"},
        {"send_pay_date": 20261120},
        {"trade_status": {"a": 1}},
        {"settle_amount": "1.00", "settle_currency": "XXX"},
        {"out_trade_no": "T2"},
    ],
)
def test_a_result_that_makes_no_sense(fields: dict[str, Any]):
    with pytest.raises(MalformedResult, match=next(iter(fields))):
        TradeQuery(out_trade_no="T1").read(fields, None)


def test_an_answer_about_another_refund_is_not_this_one():
    query = TradeFastpayRefundQuery(out_trade_no="T1", out_request_no="R1")
    with pytest.raises(MalformedResult, match="out_request_no"):
        query.read({"out_trade_no": "T1", "out_request_no": "R2"}, None)


def test_only_y_proves_that_money_moved():
    refund = TradeRefund(**REFUND)
    assert refund.read({"fund_change": "Y", "refund_fee": "0.01"}, None).moved_money
    assert not refund.read({"fund_change": "N", "refund_fee": "0.01"}, None).moved_money
    assert not refund.read({}, None).moved_money


def test_only_refund_success_proves_a_refund():
    query = TradeFastpayRefundQuery(out_trade_no="T1", out_request_no="R1")
    assert query.read({"refund_status": "REFUND_SUCCESS"}, None).succeeded
    assert not query.read({}, None).succeeded


@pytest.mark.parametrize("kind", [k for k, _ in ALL if issubclass(k, Operation)])
def test_result_fields_are_read_by_a_declared_type(kind: type[Operation[Any]]):
    assert kind.RESULT.read({}, None).raw == {}


@pytest.mark.parametrize(
    ("code", "scene"),
    [
        ("25" + "0" * 14, "bar_code"),
        ("30" + "9" * 22, "bar_code"),
        ("fp" + "a1" * 16 + "b", "security_code"),
        ("24" + "0" * 14, None),
        ("31" + "0" * 14, None),
        ("28" + "0" * 13, None),
        ("28" + "0" * 23, None),
        ("134567890123456789", None),  # another wallet's
        ("6901234567892", None),  # goods
        ("２８" + "0" * 14, None),
        ("28" + "0" * 14 + "\n", None),
        ("fp" + "a" * 32, None),
        ("", None),
    ],
)
def test_a_payment_code_is_told_from_whatever_else_is_scanned(code: str, scene: str | None):
    assert scene_of(code) == scene
    if scene is None:
        with pytest.raises(ValueError, match=r"auth_code|needs"):
            TradePay(**PAYMENT, auth_code=code or None)


def test_a_payment_that_waits_for_its_buyer_is_not_paid():
    paid = {"code": "10000", "gmt_payment": "2026-03-02 09:00:00", "trade_no": "2026"}
    assert TradePayResult.read(paid, None).is_paid
    in_v3 = {name: text for name, text in paid.items() if name != "code"}
    assert TradePayResult.read(in_v3, None).is_paid
    for waiting in ({"code": "10003"}, {**paid, "code": "10003"}, {"trade_no": "2026"}):
        result = TradePayResult.read(waiting, None)
        assert result.waits_for_buyer
        assert not result.is_paid


# ---- agreements


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"period_type": "DAY", "period": 6}, "7 days"),
        ({"execute_time": date(2026, 3, 29)}, "days 1 to 28"),
        ({"period": 0}, "at least one"),
        ({"total_payments": 0}, "at least one"),
        ({"single_amount": Money(0)}, "above zero"),
        ({"single_amount": Money(1, "USD")}, "yuan"),
        ({"total_amount": Money(-1)}, "above zero"),
        ({"execute_time": datetime(2026, 3, 2, tzinfo=UTC)}, "date"),
    ],
)
def test_a_period_rule_that_alipay_would_refuse(changes: dict[str, Any], words: str):
    given: dict[str, Any] = {
        "period_type": "MONTH",
        "period": 1,
        "execute_time": date(2026, 3, 28),
        "single_amount": Money(3000),
    }
    PeriodRule(**given)
    with pytest.raises((ValueError, TypeError), match=words):
        PeriodRule(**given | changes)


def test_a_rule_travels_as_alipay_writes_it():
    written = wire_content(UserAgreementPageSign(**SIGNING).content())
    assert written["period_rule_params"] == {
        "period_type": "MONTH",
        "period": 1,
        "execute_time": "2026-04-02",
        "single_amount": "30.00",
    }
    assert written["access_params"] == {"channel": "ALIPAYAPP"}
    both = AgreementSign(**SIGNING, sign_notify_url="https://shop.example/n")
    payment = TradePagePay(**PAYMENT, agreement_sign_params=both)
    inside = wire_content(payment.content())["agreement_sign_params"]
    assert inside == written | {"sign_notify_url": "https://shop.example/n"}


@pytest.mark.parametrize("day", ["2026-05-02", "2026-05-02 00:00:00", "2026-05-02 23:59:59"])
def test_the_planned_day_is_a_day_in_beijing(day: str):
    query = UserAgreementQuery(**NAMED)
    told = query.read({"next_deduct_time": day, "invalid_time": "2115-02-01 00:00:00"}, None)
    assert told.next_deduct_time == date(2026, 5, 2)
    with pytest.raises(MalformedResult, match="external_agreement_no"):
        query.read({"external_agreement_no": "E2"}, None)
    with pytest.raises(MalformedResult, match="next_deduct_time"):
        query.read({"next_deduct_time": "soon"}, None)


def test_a_day_with_a_time_is_refused():
    with pytest.raises(TypeError, match="date"):
        UserAgreementExecutionplanModify(
            agreement_no="1", deduct_time=datetime(2026, 4, 9, tzinfo=UTC)
        )


# ---- holds


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        (FundAuthOrderVoucherCreate, {"order_title": " "}, "order_title"),
        (FundAuthOrderVoucherCreate, {"amount": Money(0)}, "above zero"),
        (FundAuthOrderVoucherCreate, {"amount": Money(1, "USD")}, "yuan"),
        (FundAuthOrderVoucherCreate, {"amount": "500.00"}, "Money.parse"),
        (FundAuthOrderFreeze, {"auth_code": "6901234567892", "auth_code_type": "bar_code"}, "code"),
    ],
)
def test_a_freeze_that_alipay_would_refuse(kind: Any, changes: dict[str, Any], words: str):
    with pytest.raises((ValueError, TypeError), match=words):
        kind(**FREEZE | changes)


@pytest.mark.parametrize("named", [{"out_order_no": "H1"}, {"out_request_no": "F1"}])
def test_an_operation_is_named_by_its_hold_and_its_own_number(named: dict[str, Any]):
    with pytest.raises(ValueError, match="out_request_no"):
        FundAuthOperationDetailQuery(**named)


def test_the_sums_of_a_hold_are_read():
    query = FundAuthOperationDetailQuery(out_order_no="H1", out_request_no="F1")
    told = query.read(
        {"out_order_no": "H1", "order_status": "AUTHORIZED", "total_freeze_amount": "500.00",
         "total_pay_amount": "120.00", "rest_amount": "80.50"},
        None,
    )  # fmt: skip
    assert (told.order_status, told.rest_amount) == ("AUTHORIZED", Money(8050))
    with pytest.raises(MalformedResult, match="out_order_no"):
        query.read({"out_order_no": "H2"}, None)


@pytest.mark.parametrize("day", ["2026-3-1", "20260301", "2026-02-30x", "2026-13", "yesterday"])
def test_a_bill_is_of_a_day_or_a_month(day: str):
    with pytest.raises(ValueError, match="bill_date"):
        BillDownloadUrlQuery(bill_type="trade", bill_date=day)
    assert BillDownloadUrlQuery(bill_type="trade", bill_date="2026-03").secure == "true"
    empty = BillDownloadUrlQuery.RESULT.read(
        {"bill_download_url": "https://x", "bill_file_code": "EMPTY_DATA_WITH_BILL_FILE"}, None
    )
    assert isinstance(empty, BillDownloadUrlQueryResult)
    assert empty.is_empty
