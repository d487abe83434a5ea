"""Sharing, typed: what is refused before sending, how it travels, what an answer proves."""

from __future__ import annotations

from typing import Any

import pytest

from alipay.test_operations import AGENCY, BINDING, SHARE, SHARING
from daozhang.alipay import (
    OutcomeUnknown,
    Receiver,
    Royalty,
    TradeOrderSettle,
    TradeOrderSettleQuery,
    TradeRoyaltyRateQuery,
    TradeRoyaltyRelationBatchquery,
    TradeRoyaltyRelationBind,
    TradeRoyaltyRelationUnbind,
    TradeSettleConfirm,
    finishing,
)
from daozhang.alipay.catalogue import methods
from daozhang.alipay.exchange import wire_content
from daozhang.alipay.operations.operation import MalformedResult
from daozhang.alipay.outcomes import failure
from daozhang.money import Money


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (Receiver, {"type": "loginName", "account": "a@example.com"}, "name is required"),
        (Receiver, {"type": "userId", "account": " "}, "account is empty"),
        (Royalty, {"trans_in": "2088", "amount": Money(0)}, "above zero"),
        (Royalty, {"trans_in": "2088", "amount": Money(1, "USD")}, "yuan"),
        (TradeRoyaltyRelationBind, BINDING | {"receiver_list": ()}, "1 to 20"),
        (TradeRoyaltyRelationBind, BINDING | {"receiver_list": (AGENCY,) * 21}, "1 to 20"),
        (TradeOrderSettle, SHARING, "needs royalty_parameters"),
        (TradeOrderSettle, SHARING | {"royalty_parameters": (SHARE,) * 6}, "sync takes 5"),
        (
            TradeOrderSettle,
            SHARING | {"royalty_parameters": (SHARE,) * 51, "royalty_mode": "async"},
            "async takes 50",
        ),
        (TradeOrderSettleQuery, {"out_request_no": "S1"}, "needs settle_no"),
    ],
)
def test_a_share_that_alipay_would_refuse(kind: Any, values: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        kind(**values)


def test_a_share_travels_as_alipay_writes_it():
    share = TradeOrderSettle(
        **SHARING, royalty_parameters=(SHARE,), extend_params=finishing(Money(100))
    )
    assert wire_content(share.content()) == {
        "out_request_no": "S1",
        "trade_no": "2026",
        "royalty_parameters": [
            {
                "amount": "30.00",
                "trans_in": "2088102146225135",
                "trans_in_type": "userId",
                "royalty_type": "transfer",
            }
        ],
        "extend_params": {"royalty_finish": "true", "royalty_finish_amount": "1.00"},
    }
    assert TradeOrderSettle(**SHARING, extend_params=finishing()).royalty_parameters is None


def test_what_became_of_a_share_is_read():
    query = TradeOrderSettleQuery(out_request_no="S1", trade_no="2026")
    detail = {"trans_in": "2088", "amount": "30.00", "state": "SUCCESS"}
    told = query.read({"out_request_no": "S1", "royalty_detail_list": [detail]}, None)
    assert list(told.details) == [detail]
    assert list(query.read({}, None).details) == []
    with pytest.raises(MalformedResult, match="S2"):
        query.read({"out_request_no": "S2"}, None)


@pytest.mark.parametrize(("told", "percent"), [(80, 80), ("30", 30), (None, None)])
def test_the_limit_of_the_agreement_is_a_number(told: Any, percent: int | None):
    rate = TradeRoyaltyRateQuery(out_request_no="Q1")
    assert rate.read({"max_ratio": told}, None).max_ratio == percent


@pytest.mark.parametrize("told", ["much", True, 0.3])
def test_a_limit_that_is_no_number_is_refused(told: Any):
    with pytest.raises(MalformedResult, match="max_ratio"):
        TradeRoyaltyRateQuery(out_request_no="Q1").read({"max_ratio": told}, None)


def test_only_success_proves_a_binding():
    bind = TradeRoyaltyRelationBind(**BINDING)
    assert bind.read({"result_code": "SUCCESS"}, None).succeeded
    assert not bind.read({"result_code": "FAIL"}, None).succeeded
    assert not bind.read({}, None).succeeded


SHARING_METHODS = (
    TradeRoyaltyRelationBind,
    TradeRoyaltyRelationUnbind,
    TradeRoyaltyRelationBatchquery,
    TradeRoyaltyRateQuery,
    TradeOrderSettle,
    TradeOrderSettleQuery,
    TradeSettleConfirm,
)


@pytest.mark.parametrize(
    ("method", "sub_code"),
    [(kind.METHOD, code) for kind in SHARING_METHODS for code in methods()[kind.METHOD].sub_codes],
)
def test_each_code_of_sharing_says_whether_it_may_have_happened(method: str, sub_code: str):
    error = failure(method, "40004", sub_code, "", trace_id=None, response={})
    assert isinstance(error, OutcomeUnknown) == sub_code.endswith("SYSTEM_ERROR")
