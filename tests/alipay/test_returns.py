"""The return page: who is believed, and that it is read in full."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alipay.fakes import ALIPAY_KEY, OTHER_KEY, public_key
from alipay.notices import notice
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.returns import verify_return
from daozhang.money import Money

KEY = public_key(ALIPAY_KEY)
FIELDS = {
    "charset": "utf-8",
    "out_trade_no": "A1",
    "method": "alipay.trade.page.pay.return",
    "total_amount": "88.88",
    "trade_no": "2026112022001428001415417729",
    "app_id": "2021004133624086",
    "seller_id": "2088741739625134",
    "timestamp": "2026-11-20 18:01:35",
    "version": "1.0",
}


def query(**changes: Any) -> str:
    return notice(base=FIELDS, **changes).decode("ascii")


def test_a_return_is_read_in_full() -> None:
    page = verify_return(query(), KEY)
    assert (page.out_trade_no, page.trade_no) == ("A1", FIELDS["trade_no"])
    assert page.total_amount == Money(8888)
    assert (page.app_id, page.seller_id) == (FIELDS["app_id"], FIELDS["seller_id"])
    assert page.timestamp == datetime(2026, 11, 20, 10, 1, 35, tzinfo=UTC)
    assert verify_return(query().encode(), KEY) == page


def test_gbk_is_verified_as_gbk() -> None:
    page = verify_return(query(charset="GBK", out_trade_no="A1", memo="龙井"), KEY)
    assert page.out_trade_no == "A1"


def test_own_parameters_are_left_out_when_they_are_named() -> None:
    with_own = query() + "&lang=zh"
    with pytest.raises(Untrusted) as refused:
        verify_return(with_own, KEY)
    assert refused.value.reason is UntrustedReason.BAD_SIGNATURE
    assert verify_return(with_own, KEY, own_parameters=("lang",)).out_trade_no == "A1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", UntrustedReason.EMPTY),
        ("out_trade_no=A1", UntrustedReason.MISSING_SIGN),
        (query().replace("88.88", "0.01"), UntrustedReason.BAD_SIGNATURE),
        (query(key=OTHER_KEY), UntrustedReason.BAD_SIGNATURE),
        (query(sha1=True), UntrustedReason.BAD_SIGNATURE),
        (query() + "&out_trade_no=B", UntrustedReason.DUPLICATE_KEY),
        (query() + "&memo=%FF", UntrustedReason.BAD_TEXT),
        (query(charset="koi8-r"), UntrustedReason.UNKNOWN_CHARSET),
        (query(total_amount="much"), UntrustedReason.BAD_FIELD),
        (query(timestamp="2026-02-31 00:00:00"), UntrustedReason.BAD_FIELD),
        (query(out_trade_no=None), UntrustedReason.BAD_FIELD),
        (query(memo="x&total_amount=9.99"), UntrustedReason.AMBIGUOUS),
        (query() + "&x=" + "y" * 70_000, UntrustedReason.TOO_LARGE),
    ],
)
def test_what_is_refused_has_a_name(text: str, reason: UntrustedReason) -> None:
    with pytest.raises(Untrusted) as refused:
        verify_return(text, KEY)
    assert refused.value.reason is reason


def test_a_plus_that_was_lost_is_named() -> None:
    number = 0
    while "%2B" not in (text := query(memo=str(number))):
        number += 1
    with pytest.raises(Untrusted) as refused:
        verify_return(text.replace("%2B", "+"), KEY)
    assert refused.value.reason is UntrustedReason.SIGN_DECODED_TWICE


def test_an_added_empty_parameter_says_nothing() -> None:
    page = verify_return(query(seller_id=None) + "&seller_id=", KEY)
    assert page.seller_id is None
