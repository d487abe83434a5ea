"""Who a buyer is, and the number that a buyer lets a mini program have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alipay.fakes import ALIPAY_KEY, ENCRYPT_KEY, OTHER_KEY, public_key, signature
from daozhang.alipay import (
    BuyerRef,
    Rejected,
    TradeCreate,
    Untrusted,
    UntrustedReason,
    cipher,
    decrypt_phone,
)
from daozhang.money import Money

USER = "2088102168897047"
OPEN = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5"
KEY = public_key(ALIPAY_KEY)


def test_the_two_ids_are_told_apart() -> None:
    assert BuyerRef.parse(USER) == BuyerRef.user_id(USER)
    assert BuyerRef.parse(OPEN) == BuyerRef.open_id(OPEN)
    assert BuyerRef.parse(USER).fields() == {"buyer_id": USER}
    assert BuyerRef.parse(OPEN).fields() == {"buyer_open_id": OPEN}


@pytest.mark.parametrize(
    "text", [None, "", "None", "null", "undefined", "NaN", USER[:-1], f" {USER}", 2088102168897047]
)
def test_a_null_that_became_text_is_nobody(text: Any) -> None:
    for make in (BuyerRef.user_id, BuyerRef.open_id, BuyerRef.parse):
        with pytest.raises(ValueError, match=r"user_id|open_id"):
            make(text)


def test_one_id_is_never_kept_as_the_other() -> None:
    with pytest.raises(ValueError, match="user_id"):
        BuyerRef.user_id(OPEN)
    with pytest.raises(ValueError, match="open_id"):
        BuyerRef.open_id(USER)


def test_a_trade_needs_its_buyer() -> None:
    terms: dict[str, Any] = {"out_trade_no": "T1", "total_amount": Money(1), "subject": "茶"}
    with pytest.raises(ValueError, match="buyer"):
        TradeCreate(**terms)
    terms |= BuyerRef.parse(OPEN).fields()
    made = TradeCreate(**terms)
    assert made.content()["buyer_open_id"] == OPEN


# ---- phone numbers


def answer(
    content: dict[str, Any], *, plain: bool = False, key: Any = ALIPAY_KEY
) -> dict[str, str]:
    text = json.dumps(content)
    response = text if plain else cipher.encrypt(text.encode(), ENCRYPT_KEY)
    signed = response if plain else f'"{response}"'
    return {"response": response, "sign": signature(signed.encode(), key), "sign_type": "RSA2"}


NUMBER = {"code": "10000", "msg": "Success", "mobile": "13912345678"}


def test_a_number_is_verified_and_then_decrypted() -> None:
    given = answer(NUMBER)
    for form in (given, json.dumps(given)):
        read = decrypt_phone(form, KEY, ENCRYPT_KEY)
        assert read.mobile == "13912345678"
        assert "13912345678" not in repr(read)


def test_what_is_not_alipays_is_not_decrypted() -> None:
    given = answer(NUMBER)
    other = answer({**NUMBER, "mobile": "13900000000"})
    for forged, reason in (
        (answer(NUMBER, key=OTHER_KEY), UntrustedReason.BAD_SIGNATURE),
        ({**given, "response": other["response"]}, UntrustedReason.BAD_SIGNATURE),
        ({**given, "sign": ""}, UntrustedReason.MISSING_SIGN),
        ({"sign": given["sign"]}, UntrustedReason.MALFORMED),
        ("[]", UntrustedReason.MALFORMED),
        ("None", UntrustedReason.MALFORMED),
    ):
        with pytest.raises(Untrusted) as refused:
            decrypt_phone(forged, KEY, ENCRYPT_KEY)
        assert refused.value.reason is reason


def test_a_number_for_another_apps_key_cannot_be_read() -> None:
    with pytest.raises(Untrusted, match="does not decrypt"):
        decrypt_phone(answer(NUMBER), KEY, "AAAAAAAAAAAAAAAAAAAAAA==")


def test_alipays_own_no_is_a_no() -> None:
    no = {"code": "40003", "msg": "Insufficient Conditions", "subCode": "isv.no", "subMsg": "无权"}
    for plain in (True, False):
        with pytest.raises(Rejected, match=r"isv\.no") as refused:
            decrypt_phone(answer(no, plain=plain), KEY, ENCRYPT_KEY)
        assert refused.value.code == "40003"


@pytest.mark.parametrize("mobile", ["None", "", None, "139 1234", 13912345678])
def test_a_signed_answer_without_a_number_is_none(mobile: Any) -> None:
    with pytest.raises(Untrusted, match="no mobile number"):
        decrypt_phone(answer({**NUMBER, "mobile": mobile}), KEY, ENCRYPT_KEY)
