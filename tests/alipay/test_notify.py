"""Notifications through the front door: what is believed, what it becomes, what is refused and why."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay.fakes import ALIPAY_KEY, ENCRYPT_KEY, OTHER_KEY, public_key
from alipay.notices import FIELDS, encode, notice, signed_fields
from daozhang.alipay import cipher
from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.notifications import VERIFIED
from daozhang.alipay.notify import (
    AgreementSigned,
    AgreementUnsigned,
    Closed,
    ClosedUnclear,
    Finished,
    FullyRefunded,
    HoldCancelled,
    HoldFrozen,
    HoldReleased,
    Message,
    Notification,
    Paid,
    PartlyRefunded,
    TradeNotification,
    UnknownNotification,
    Waiting,
    verify,
)
from daozhang.money import Money

KEYS = VerifyingKeys((public_key(ALIPAY_KEY),))
SAMPLES = Path(__file__).parent / "data/samples"


def refusal(body: Any, keys: VerifyingKeys = KEYS, **options: Any) -> Untrusted:
    with pytest.raises(Untrusted) as refused:
        verify(body, keys, **options)
    assert str(refused.value).startswith(refused.value.reason.value)
    return refused.value


def test_a_payment_is_read_in_full() -> None:
    paid = verify(notice(), KEYS)
    assert isinstance(paid, Paid)
    assert (paid.kind, paid.out_trade_no, paid.total_amount) == ("paid", "A-2026_1", Money(8888))
    assert (paid.app_id, paid.seller_id) == (FIELDS["app_id"], FIELDS["seller_id"])
    assert paid.gmt_payment == datetime(2026, 11, 20, 10, 1, 35, tzinfo=UTC)
    assert paid.notify_time == paid.gmt_payment
    assert paid.refund_fee is None
    assert paid.fund_bills == ({"amount": "80.00", "fundChannel": "ALIPAYACCOUNT"},)
    assert paid.fields["subject"] == FIELDS["subject"]
    assert paid.fields["buyer_id"] == paid.buyer_id


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, Paid),
        ({"refund_fee": "0.00"}, Paid),
        ({"refund_fee": "0.01", "gmt_refund": "2026-11-20 18:02:00.287"}, PartlyRefunded),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "88.88"}, FullyRefunded),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "88.8"}, ClosedUnclear),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "88.880"}, None),
        ({"trade_status": "TRADE_CLOSED"}, ClosedUnclear),
        ({"trade_status": "TRADE_CLOSED", "gmt_payment": None}, Closed),
        ({"trade_status": "TRADE_CLOSED", "gmt_payment": None, "refund_fee": "0.00"}, Closed),
        ({"trade_status": "TRADE_FINISHED"}, Finished),
        ({"trade_status": "TRADE_FINISHED", "refund_fee": "1.00"}, Finished),
        ({"trade_status": "WAIT_BUYER_PAY", "gmt_payment": None}, Waiting),
        ({"trade_status": "TRADE_PENDING"}, UnknownNotification),
        ({"notify_type": "dut_user_sign", "trade_status": None}, AgreementSigned),
        ({"notify_type": "dut_user_unsign", "trade_status": None}, AgreementUnsigned),
        ({"notify_type": "dut_user_else", "trade_status": None}, UnknownNotification),
        ({"notify_type": "fund_auth_freeze", "trade_status": None}, HoldFrozen),
        ({"notify_type": "fund_auth_unfreeze", "trade_status": None}, HoldReleased),
        ({"notify_type": "fund_auth_operation_cancel", "trade_status": None}, HoldCancelled),
        ({"notify_type": None, "trade_status": None}, UnknownNotification),
    ],
)
def test_the_kind_goes_by_what_was_refunded(changes: dict[str, Any], kind: type | None) -> None:
    body = notice(**changes)
    if kind is None:
        assert refusal(body).reason is UntrustedReason.BAD_FIELD
    else:
        assert type(verify(body, KEYS)) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("notify_trade_success_2024", Paid),
        ("notify_trade_success_sandbox_2024", Paid),
        ("notify_partial_refund_2023", PartlyRefunded),
        ("notify_full_refund_closed_2022", FullyRefunded),
        ("notify_full_refund_closed_2025_partial_fields", FullyRefunded),
        ("notify_dut_user_sign_2022", AgreementSigned),
        ("notify_fund_auth_freeze_2019", HoldFrozen),
        ("depositback_message_example", Message),
    ],
)
def test_captured_notifications_signed_anew_are_what_they_were(name: str, kind: type) -> None:
    captured = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    for unsigned in ("sign", "sign_type"):
        captured.pop(unsigned, None)
    read = verify(notice(base=captured), KEYS)
    assert type(read) is kind
    assert {**captured, "sign": read.fields["sign"], "sign_type": "RSA2"} == dict(read.fields)


def test_a_service_window_check_is_signed_with_its_sign_type_and_in_gbk() -> None:
    sample = json.loads((SAMPLES / "gateway_verifygw_request.json").read_text("utf-8"))
    fields = {name: text for name, text in sample.items() if name not in ("sign", "sign_type")}
    message = verify(notice(base=fields, keep_sign_type=True), KEYS)
    assert isinstance(message, Message)
    assert message.msg_method == "alipay.service.check"
    assert message.content == sample["biz_content"]
    assert refusal(notice(base=fields)).reason is UntrustedReason.BAD_SIGNATURE


@pytest.mark.parametrize("kind", ["trade_status_sync", "dut_user_sign"])
def test_other_kinds_are_signed_without_it(kind: str) -> None:
    assert verify(notice(notify_type=kind), KEYS).fields["notify_type"] == kind
    reason = refusal(notice(notify_type=kind, keep_sign_type=True)).reason
    assert reason is UntrustedReason.BAD_SIGNATURE


def test_a_service_market_order_is_signed_with_it() -> None:
    changes: dict[str, Any] = {"notify_type": "servicemarket_order_notify", "trade_status": None}
    assert isinstance(verify(notice(keep_sign_type=True, **changes), KEYS), UnknownNotification)
    assert refusal(notice(**changes)).reason is UntrustedReason.BAD_SIGNATURE


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", "GBK", "gbk", "gb2312", "GB18030"])
def test_text_is_read_by_the_signed_charset(charset: str) -> None:
    assert verify(notice(charset=charset), KEYS).fields["subject"] == FIELDS["subject"]


def test_the_content_type_decides_only_where_the_body_names_no_charset() -> None:
    gbk = "application/x-www-form-urlencoded; text/html; charset=GBK"
    assert verify(notice(), KEYS, content_type=gbk).fields["subject"] == FIELDS["subject"]
    silent = notice(base={"notify_id": "n", "subject": "明前"})
    assert verify(silent, KEYS).fields["subject"] == "明前"
    read = verify(silent, KEYS, content_type=gbk)
    assert read.fields["subject"] == "明前".encode().decode("gb18030")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"x_[a-z]{1,12}", fullmatch=True),
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\1"), max_size=30),
        max_size=8,
    ),
    st.sampled_from(["utf-8", "gb18030"]),
)
def test_whatever_alipay_signs_is_believed_and_kept(extra: dict[str, Any], charset: str) -> None:
    read = verify(notice(charset=charset, **extra), KEYS)
    assert {name: read.fields.get(name, "") for name in extra} == extra


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_by_name(body: bytes) -> None:
    with pytest.raises(Untrusted):
        verify(body, KEYS)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_byte_is_never_believed_as_something_else(data: Any) -> None:
    body = notice()
    at = data.draw(st.integers(0, len(body) - 1))
    changed = body[:at] + bytes([data.draw(st.integers(0, 255))]) + body[at + 1 :]
    try:
        read = verify(changed, KEYS)
    except Untrusted:
        return
    # sign_type is not signed, and a percent escape has more than one spelling.
    unsigned = {"sign", "sign_type"}
    believed = {name: text for name, text in read.fields.items() if name not in unsigned}
    expected = dict(FIELDS)
    assert {name: text for name, text in believed.items() if name in expected} == expected


def plain(**changes: Any) -> bytes:
    """A notification whose fields are changed after it was signed."""
    fields = signed_fields()
    for name, value in changes.items():
        if value is None:
            del fields[name]
        else:
            fields[name] = value
    return encode(fields)


@pytest.mark.parametrize(
    ("body", "reason", "says"),
    [
        (b"", UntrustedReason.EMPTY, "framework"),
        (b"x" * 65537, UntrustedReason.TOO_LARGE, "65536"),
        (notice() + b"&subject=%", UntrustedReason.BAD_PERCENT, "%"),
        (notice() + b"&subject=%zz", UntrustedReason.BAD_PERCENT, "%"),
        (notice() + b"&memo=%00", UntrustedReason.NULL_BYTE, ""),
        (notice() + b"&memo=\x00", UntrustedReason.NULL_BYTE, ""),
        (notice() + b"&total_amount=88.88", UntrustedReason.DUPLICATE_KEY, "twice"),
        (plain(sign=None), UntrustedReason.MISSING_SIGN, "sign"),
        (plain(sign=b""), UntrustedReason.MISSING_SIGN, "sign"),
        (plain(sign=b"!!!"), UntrustedReason.SIGN_MALFORMED, "base64"),
        (plain(total_amount=b"0.01"), UntrustedReason.BAD_SIGNATURE, "bytes"),
        (plain(memo=b"added"), UntrustedReason.BAD_SIGNATURE, "changed"),
        (plain(charset=b"koi8-r"), UntrustedReason.UNKNOWN_CHARSET, "koi8-r"),
        (plain(subject=b"\xff\xfe"), UntrustedReason.BAD_TEXT, "utf-8"),
        (notice(key=OTHER_KEY), UntrustedReason.BAD_SIGNATURE, "another app"),
        (notice(total_amount="1,000.00"), UntrustedReason.BAD_FIELD, "total_amount"),
        (notice(total_amount="NaN"), UntrustedReason.BAD_FIELD, "total_amount"),
        (notice(total_amount="-1.00"), UntrustedReason.BAD_FIELD, "total_amount"),
        (notice(refund_fee="1.001"), UntrustedReason.BAD_FIELD, "refund_fee"),
        (notice(gmt_payment="2026-02-31 10:00:00"), UntrustedReason.BAD_FIELD, "gmt_payment"),
        (notice(notify_time="yesterday"), UntrustedReason.BAD_FIELD, "notify_time"),
        (notice(fund_bill_list="[{"), UntrustedReason.BAD_FIELD, "fund_bill_list"),
        (notice(fund_bill_list='["x"]'), UntrustedReason.BAD_FIELD, "fund_bill_list"),
    ],
)
def test_what_is_refused_has_a_name(body: bytes, reason: UntrustedReason, says: str) -> None:
    refused = refusal(body)
    assert refused.reason is reason
    assert says in refused.detail


def test_what_a_framework_has_parsed_is_refused_with_the_way_out() -> None:
    text = notice().decode()
    lists = refusal(parse_qs(text))
    assert lists.reason is UntrustedReason.DICT_OF_LISTS
    for body in (text, {"sign": "x"}, None, [b"x"]):
        refused = refusal(body)
        assert refused.reason is UntrustedReason.NOT_BYTES
        assert "request.get_data()" in refused.detail
        assert type(body).__name__ in refused.detail


def test_a_body_that_was_decoded_twice_is_told_so() -> None:
    fields = signed_fields()
    while b"+" not in fields["sign"]:
        fields = signed_fields(notify_id=fields["notify_id"].decode() + "1")
    fields["sign"] = fields["sign"].replace(b"+", b" ")
    refused = refusal(encode(fields))
    assert refused.reason is UntrustedReason.SIGN_DECODED_TWICE
    assert "twice" in refused.detail


def test_the_hash_is_configured_and_never_taken_from_the_message() -> None:
    weak = notice(sha1=True, sign_type="RSA")
    refused = refusal(weak)
    assert refused.reason is UntrustedReason.SIGN_TYPE_DIFFERS
    assert "RSA2" in refused.detail
    assert refusal(notice(sha1=True)).reason is UntrustedReason.BAD_SIGNATURE
    old = VerifyingKeys((public_key(ALIPAY_KEY),), "RSA")
    assert isinstance(verify(weak, old), Paid)
    assert refusal(notice(), old).reason is UntrustedReason.SIGN_TYPE_DIFFERS


def test_empty_fields_are_not_signed_so_they_are_absent() -> None:
    body = notice(seller_id=None) + b"&seller_id=&service=&msg_method=&refund_fee="
    read = verify(body, KEYS)
    assert isinstance(read, Paid)
    assert read.seller_id is None
    assert not {"seller_id", "service", "msg_method", "refund_fee"} & set(read.fields)


def covered(fields: dict[str, bytes]) -> bytes:
    unsigned = ("sign", "sign_type")
    return b"&".join(
        name.encode() + b"=" + fields[name] for name in sorted(fields) if name not in unsigned
    )


def test_a_value_cannot_pose_as_other_fields() -> None:
    """The signed text escapes nothing: a subject that holds fields gives the same signature to
    another message, with another amount."""
    subject = "tea&total_amount=999.00&trade_no=2026&trade_status=TRADE_SUCCESS&zzz="
    honest = signed_fields(subject=subject)
    forged = {**honest, "subject": b"tea", "total_amount": b"999.00", "trade_no": b"2026"}
    swallowed = ("total_amount", "trade_no", "trade_status", "version")
    forged["zzz"] = b"&" + b"&".join(name.encode() + b"=" + honest[name] for name in swallowed)
    del forged["version"]
    assert covered(forged) == covered(honest)
    for body in (encode(honest), encode(forged)):
        assert refusal(body).reason is UntrustedReason.AMBIGUOUS
    harmless = notice(subject="R&D=x&colour=red")
    assert verify(harmless, KEYS).fields["subject"] == "R&D=x&colour=red"


def test_every_attempt_has_the_same_content_hash_and_other_content_another() -> None:
    first = verify(notice(), KEYS)
    again = verify(notice(notify_time="2026-11-20 18:05:35"), KEYS)
    other = verify(notice(total_amount="88.87"), KEYS)
    assert first.content_hash == again.content_hash != other.content_hash
    assert len(first.content_hash) == 64


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["body", "notify_id", "out_trade_no", "subject", "version"]),
            st.sampled_from(["x", "a&notify_time=1&b", "notify_time=1", "&notify_time=1", "1&"]),
        ),
        unique_by=lambda field: field[0],
    ),
    st.sampled_from([None, "", "1"]),
)
def test_the_content_hash_is_of_all_that_is_signed_but_the_time_of_sending(
    others: list[tuple[str, str]], sent_at: str | None
) -> None:
    fields = dict(others) | ({} if sent_at is None else {"notify_time": sent_at})
    signed = "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()
    notification = Notification(fields, signed, VERIFIED)
    own = f"notify_time={sent_at or ''}".encode()
    kept = b"&".join(part for part in signed.split(b"&") if part != own)
    assert notification.content_hash == hashlib.sha256(kept).hexdigest()


def test_one_of_several_keys_suffices() -> None:
    both = VerifyingKeys((public_key(OTHER_KEY), public_key(ALIPAY_KEY)))
    assert isinstance(verify(notice(), both), Paid)
    assert isinstance(verify(notice(key=OTHER_KEY), both), Paid)


def test_nobody_makes_a_notification_but_the_verifier() -> None:
    for kind in (Notification, TradeNotification, Paid, Message, UnknownNotification):
        with pytest.raises(TypeError, match="verify"):
            kind({"total_amount": "1.00"}, b"")
    paid = verify(notice(), KEYS)
    with pytest.raises(TypeError):
        paid.fields["total_amount"] = "0.01"  # type: ignore[index]


MESSAGE = {
    "notify_id": "m1",
    "utc_timestamp": "1514210452731",
    "msg_method": "alipay.trade.refund.depositback.completed",
    "app_id": "2014060600164699",
    "version": "1.1",
}


@pytest.mark.parametrize("charset", ["UTF-8", "GBK"])
def test_an_encrypted_message_is_opened_after_it_was_verified(charset: str) -> None:
    text = '{"dback_amount":"7.30","bank":"招商银行"}'
    sealed = cipher.encrypt(text.encode("gb18030" if charset == "GBK" else "utf-8"), ENCRYPT_KEY)
    body = notice(base=MESSAGE, charset=charset, biz_content=sealed, encrypt_type="AES")
    opened = verify(body, KEYS, encrypt_key=ENCRYPT_KEY)
    assert isinstance(opened, Message)
    assert opened.content == text
    closed = verify(body, KEYS)
    assert isinstance(closed, Message)
    assert closed.content == sealed
    broken = notice(base=MESSAGE, charset=charset, biz_content="AAAA", encrypt_type="AES")
    assert refusal(broken, encrypt_key=ENCRYPT_KEY).reason is UntrustedReason.BAD_FIELD


def test_a_bare_key_means_rsa2() -> None:
    key = public_key(ALIPAY_KEY)
    assert isinstance(verify(notice(), key), Paid)
    with pytest.raises(Untrusted):
        verify(notice(sha1=True), key)


def test_a_key_of_another_size_signs_as_well() -> None:
    small = rsa.generate_private_key(65537, 1024)
    keys = VerifyingKeys((public_key(small),), "RSA")
    assert isinstance(verify(notice(key=small, sha1=True, sign_type="RSA"), keys), Paid)


# ---- agreements


def signed_agreement(**changes: Any) -> bytes:
    captured = json.loads((SAMPLES / "notify_dut_user_sign_2022.json").read_text("utf-8"))
    for unsigned in ("sign", "sign_type"):
        captured.pop(unsigned)
    return notice(base=captured, **changes)


def test_an_agreement_that_was_signed_is_read_in_full() -> None:
    told = verify(signed_agreement(alipay_open_id="074a1"), KEYS)
    assert isinstance(told, AgreementSigned)
    assert (told.kind, told.status) == ("agreement_signed", "NORMAL")
    assert told.agreement_no == "20225310838635316223"
    assert told.external_agreement_no == "1700336165218822912819-config"
    assert (told.personal_product_code, told.sign_scene) == (
        "CYCLE_PAY_AUTH_P",
        "INDUSTRY|SOCIALIZATION",
    )
    assert told.sign_time == told.valid_time == datetime(2022, 5, 10, 13, 10, 39, tzinfo=UTC)
    assert told.invalid_time == datetime(2115, 1, 31, 16, tzinfo=UTC)
    assert told.unsign_time is None
    assert (told.alipay_user_id, told.alipay_open_id) == ("2088512960076231", "074a1")
    assert told.alipay_logon_id == "157******67"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"invalid_time": "for ever"}, UntrustedReason.BAD_FIELD),
        ({"external_logon_id": "a&agreement_no=1"}, UntrustedReason.AMBIGUOUS),
        ({"external_logon_id": "a&status=STOP"}, UntrustedReason.AMBIGUOUS),
    ],
)
def test_what_no_agreement_can_say(changes: dict[str, str], reason: UntrustedReason) -> None:
    assert refusal(signed_agreement(**changes)).reason is reason


def test_a_payment_may_carry_those_words() -> None:
    assert isinstance(verify(notice(passback_params="a=1&status=ok&agreement_no=1"), KEYS), Paid)


# ---- holds


def signed_hold(**changes: Any) -> bytes:
    captured = json.loads((SAMPLES / "notify_fund_auth_freeze_2019.json").read_text("utf-8"))
    for unsigned in ("sign", "sign_type"):
        captured.pop(unsigned)
    return notice(base=captured, **changes)


def test_a_hold_that_was_frozen_is_read_in_full() -> None:
    told = verify(signed_hold(trans_currency="CNY", payer_open_id="074a1"), KEYS)
    assert isinstance(told, HoldFrozen)
    assert (told.kind, told.operation_type, told.status) == ("hold_frozen", "FREEZE", "SUCCESS")
    assert told.auth_no == "2019062110002001000281886861"
    assert told.out_order_no == "60020190621144028500235"
    assert told.operation_id == "20190621025153970002"
    assert told.out_request_no == "RN60020190621144028500235"
    assert told.amount == told.total_freeze_amount == told.rest_amount == Money.parse("500.00")
    assert told.total_pay_amount == told.total_unfreeze_amount == Money.zero()
    assert told.gmt_trans == datetime(2019, 6, 21, 6, 40, 30, tzinfo=UTC)
    assert (told.payer_user_id, told.payer_open_id) == ("2088622903359001", "074a1")
    assert (told.payer_logon_id, told.payee_user_id) == ("158****7723", None)


def test_a_hold_in_another_currency_is_counted_in_it() -> None:
    told = verify(signed_hold(), KEYS)
    assert isinstance(told, HoldFrozen)
    assert told.amount == Money.parse("500.00", "THB")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rest_amount": "500,00"}, UntrustedReason.BAD_FIELD),
        ({"gmt_trans": "now"}, UntrustedReason.BAD_FIELD),
        ({"payer_logon_id": "a&auth_no=1"}, UntrustedReason.AMBIGUOUS),
        ({"payer_logon_id": "a&rest_amount=9.00"}, UntrustedReason.AMBIGUOUS),
    ],
)
def test_what_no_hold_can_say(changes: dict[str, str], reason: UntrustedReason) -> None:
    assert refusal(signed_hold(**changes)).reason is reason
