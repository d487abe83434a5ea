"""Messages of the application gateway, typed: what is read, what stays a message, what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alipay.fakes import ALIPAY_KEY, ENCRYPT_KEY, public_key
from alipay.notices import encode, signed_fields
from daozhang.alipay import (
    Message,
    OrderSettled,
    RefundDepositBack,
    TransferChanged,
    Untrusted,
    VerifyingKeys,
    cipher,
    read_message,
    verify,
)
from daozhang.alipay.messages import KINDS, content_of
from daozhang.alipay.notify import read_again
from daozhang.money import Money

KEYS = VerifyingKeys((public_key(ALIPAY_KEY),))
DEPOSIT_BACK = {
    "trade_no": "2018080121001004890510526853",
    "out_trade_no": "201881141452422",
    "out_request_no": "refund-1",
    "dback_status": "S",
    "dback_amount": "7.30",
    "bank_ack_time": "2018-08-01 15:00:00",
}
SETTLED = {
    "operation_dt": "2023-06-01 17:35:26",
    "out_request_no": "20210727001",
    "royalty_detail_list": [{"amount": "10.00", "trans_in": "2088", "state": "SUCCESS"}],
    "settle_no": "20230601002530020065620300064709",
    "msg_type": "ASYNC_SETTLE_RESULT",
}


def body_of(msg_method: str, content: Any, **more: str) -> bytes:
    """A signed message, as Alipay sends it (protocol.md §6.8)."""
    base = {
        "notify_id": "n1",
        "utc_timestamp": "1514210452731",
        "msg_method": msg_method,
        "app_id": "2014060600164699",
        "version": "1.1",
        "charset": "UTF-8",
        "biz_content": content if isinstance(content, str) else json.dumps(content),
        **more,
    }
    return encode(signed_fields(base=base))


def message_of(msg_method: str, content: Any) -> Message:
    told = verify(body_of(msg_method, content), KEYS)
    assert isinstance(told, Message)
    return told


def test_a_refund_that_a_bank_took() -> None:
    told = read_message(message_of(RefundDepositBack.METHOD, DEPOSIT_BACK))
    assert isinstance(told, RefundDepositBack)
    assert (told.out_request_no, told.dback_status) == ("refund-1", "S")
    assert told.dback_amount == Money.parse("7.30")
    assert told.bank_ack_time == datetime(2018, 8, 1, 7, 0, tzinfo=UTC)
    assert told.est_bank_receipt_time is None


def test_a_transfer_that_a_bank_sent_back() -> None:
    content = {
        "out_biz_no": "W1",
        "order_id": "2026",
        "status": "REFUND",
        "trans_amount": "50.00",
        "pay_date": "2026-03-01 12:00:00",
        "product_code": "TRANS_BANKCARD_NO_PWD",
        "action_type": "FINISH",
    }
    told = read_message(message_of(TransferChanged.METHOD, content))
    assert isinstance(told, TransferChanged)
    assert (told.status, told.trans_amount) == ("REFUND", Money(5000))
    assert told.pay_date == datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def test_what_has_no_name_of_its_own_is_in_the_content() -> None:
    told = read_message(message_of(OrderSettled.METHOD, SETTLED))
    assert isinstance(told, OrderSettled)
    assert told.settle_no == SETTLED["settle_no"]
    assert told.content["royalty_detail_list"] == SETTLED["royalty_detail_list"]
    assert told.royalty_detail_list == tuple(SETTLED["royalty_detail_list"])


def test_a_freeze_that_ends_by_itself_names_no_request() -> None:
    content = {
        "msg_type": "AUTO_SETTLE_FINISH",
        "trade_no": "2026030122001462650500142964",
        "operation_finish_dt": "2026-03-31 12:00:00",
        "royalty_finish_amount": "79.40",
    }
    told = read_message(message_of(OrderSettled.METHOD, content))
    assert isinstance(told, OrderSettled)
    assert (told.royalty_finish_amount, told.out_request_no) == (Money(7940), None)
    assert told.operation_finish_dt == datetime(2026, 3, 31, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize("content", ["", "<XML/>", "[1]", '"text"', {}])
def test_a_kind_that_is_not_known_stays_a_message(content: Any) -> None:
    message = message_of("alipay.brand.new", content)
    assert read_message(message) is message
    assert content_of(message) == {}


@pytest.mark.parametrize("method", list(KINDS))
def test_a_message_without_content_says_nothing_and_breaks_nothing(method: str) -> None:
    told = read_message(message_of(method, {}))
    assert type(told) is KINDS[method]


@pytest.mark.parametrize("amount", ["7,30", "seven"])
def test_a_signed_amount_is_never_guessed(amount: str) -> None:
    message = message_of(RefundDepositBack.METHOD, {**DEPOSIT_BACK, "dback_amount": amount})
    with pytest.raises(Untrusted, match="dback_amount"):
        read_message(message)


def test_a_time_that_cannot_be_read_loses_nothing_else() -> None:
    content = {**DEPOSIT_BACK, "bank_ack_time": "yesterday"}
    told = read_message(message_of(RefundDepositBack.METHOD, content))
    assert isinstance(told, RefundDepositBack)
    assert (told.bank_ack_time, told.content["bank_ack_time"]) == (None, "yesterday")
    assert told.dback_status == "S"


def test_a_message_that_is_sent_again_with_another_stamp_is_the_same_message() -> None:
    first = verify(body_of("alipay.brand.new", {"a": 1}, utc_timestamp="1514210452731"), KEYS)
    again = verify(body_of("alipay.brand.new", {"a": 1}, utc_timestamp="1514210999999"), KEYS)
    other = verify(body_of("alipay.brand.new", {"a": 2}, utc_timestamp="1514210452731"), KEYS)
    assert first.content_hash == again.content_hash != other.content_hash


def test_an_encrypted_message_is_verified_as_it_came_and_read_with_the_key() -> None:
    secret = cipher.encrypt(json.dumps(DEPOSIT_BACK).encode(), ENCRYPT_KEY)
    body = body_of(RefundDepositBack.METHOD, secret, encrypt_type="AES")
    read = verify(body, KEYS, encrypt_key=ENCRYPT_KEY)
    assert isinstance(read, Message)
    assert content_of(read) == DEPOSIT_BACK
    closed = verify(body, KEYS)
    assert isinstance(closed, Message)
    assert content_of(closed) == {}
    tampered = body.replace(b"utc_timestamp=1514210452731", b"utc_timestamp=1514210452732")
    with pytest.raises(Untrusted):
        verify(tampered, KEYS, encrypt_key=ENCRYPT_KEY)


def test_what_was_kept_is_read_again_without_its_key() -> None:
    body = body_of(RefundDepositBack.METHOD, DEPOSIT_BACK)
    verified, again = verify(body, KEYS), read_again(body)
    assert type(again) is type(verified)
    assert again.fields == verified.fields
    assert again.content_hash == verified.content_hash
