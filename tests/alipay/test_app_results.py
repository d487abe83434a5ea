"""What the merchant's app got back: verified as it stands, and never more than a hint."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alipay.fakes import ALIPAY_KEY, OTHER_KEY, public_key, signature
from daozhang.alipay import AppResult, Untrusted, UntrustedReason, verify_app_result
from daozhang.alipay.form import BODY_BYTES_MAX
from daozhang.money import Money

KEY = public_key(ALIPAY_KEY)
ROOT = "alipay_trade_app_pay_response"
CONTENT = {
    "code": "10000",
    "msg": "Success",
    "app_id": "2021004133624086",
    "charset": "utf-8",
    "out_trade_no": "A1",
    "seller_id": "2088741739625134",
    "timestamp": "2026-11-20 18:01:35",
    "total_amount": "88.88",
    "trade_no": "2026112022001428001415417729",
}


def result(*, key: Any = ALIPAY_KEY, charset: str = "utf-8", **changes: Any) -> str:
    """As the SDK hands it over: ``changes`` to `CONTENT`, ``None`` takes away."""
    content = {name: value for name, value in {**CONTENT, **changes}.items() if value is not None}
    signed = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    sign = signature(signed.encode(charset), key)
    return f'{{"{ROOT}":{signed},"sign":"{sign}","sign_type":"RSA2"}}'


def refusal_of(text: str) -> UntrustedReason:
    with pytest.raises(Untrusted) as refused:
        verify_app_result(text, KEY)
    return refused.value.reason


def test_it_is_read_in_full() -> None:
    assert verify_app_result(result(), KEY) == AppResult(
        out_trade_no="A1",
        trade_no=CONTENT["trade_no"],
        total_amount=Money(8888),
        seller_id=CONTENT["seller_id"],
        app_id=CONTENT["app_id"],
        timestamp=datetime(2026, 11, 20, 10, 1, 35, tzinfo=UTC),
    )


def test_what_alipay_leaves_out_is_none() -> None:
    said = verify_app_result(result(seller_id=None, app_id=None, timestamp=None), KEY)
    assert (said.seller_id, said.app_id, said.timestamp) == (None, None, None)


@pytest.mark.parametrize("named", ["GBK", "gb2312", "gbk"])
def test_gbk_is_verified_as_gbk(named: str) -> None:
    text = result(charset="gb18030", msg="成功").replace("utf-8", named)
    assert refusal_of(text) is UntrustedReason.BAD_SIGNATURE, "the charset is signed, too"
    signed = json.dumps(
        CONTENT | {"charset": named, "msg": "支付成功"}, ensure_ascii=False, separators=(",", ":")
    )
    sign = signature(signed.encode("gb18030"), ALIPAY_KEY)
    assert verify_app_result(f'{{"{ROOT}":{signed},"sign":"{sign}"}}', KEY).out_trade_no == "A1"


def test_spaces_and_order_are_part_of_what_is_signed() -> None:
    text = result()
    assert refusal_of(json.dumps(json.loads(text))) is UntrustedReason.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", UntrustedReason.MALFORMED),
        ("success", UntrustedReason.MALFORMED),
        ("[]", UntrustedReason.MALFORMED),
        ("{}", UntrustedReason.MALFORMED),
        ("\ud800", UntrustedReason.MALFORMED),
        (f'{{"{ROOT}":{{}}}}', UntrustedReason.MISSING_SIGN),
        ("x" * (BODY_BYTES_MAX + 1), UntrustedReason.TOO_LARGE),
        (result(key=OTHER_KEY), UntrustedReason.BAD_SIGNATURE),
        (result().replace("88.88", "0.01"), UntrustedReason.BAD_SIGNATURE),
        (result(code="40004", sub_code="ACQ.TRADE_HAS_CLOSE"), UntrustedReason.BAD_FIELD),
        (result(out_trade_no=None), UntrustedReason.BAD_FIELD),
        (result(out_trade_no=12), UntrustedReason.BAD_FIELD),
        (result(total_amount="88.888"), UntrustedReason.BAD_FIELD),
        (result(timestamp="yesterday"), UntrustedReason.BAD_FIELD),
    ],
)  # fmt: skip
def test_what_is_not_alipays_word_of_success_is_refused(text: str, reason: UntrustedReason) -> None:
    assert refusal_of(text) is reason
