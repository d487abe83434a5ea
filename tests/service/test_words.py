"""Each code that a person must act on has its own words, in both languages.

``data/sub_codes.json`` holds what Alipay documents for each method (the error models of its own SDKs).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from daozhang.service.agreements import messages as agreements
from daozhang.service.charges import messages as charges
from daozhang.service.holds import messages as holds
from daozhang.service.refunds import messages as refunds
from daozhang.service.till import messages as till

CODES: Final[Mapping[str, list[str]]] = json.loads(
    (Path(__file__).parent / "data" / "sub_codes.json").read_text("utf-8")
)

NOBODY_ACTS: Final = {"ACQ.SYSTEM_ERROR", "SYSTEM_ERROR"}
"""An outcome that nobody knows: the service asks, and says so itself."""

NOT_AT_THE_TILL: Final = re.compile(
    r"ACQ\.(AGREEMENT_|CYCLE_PAY_|OVER_(DEDUCT|MAX|MERCHANT)_|AUTH_(AMOUNT|NO|ORDER)_|PRE_AUTH_"
    r"|REQUEST_AMOUNT_EXCEED|ZM_)"
)
"""What a payment by a code that is scanned is never told: it names neither hold nor agreement."""

TILL: Final = {
    code: (sentence.english, sentence.chinese) for code, sentence in till.SENTENCES.items()
}

MEETS: Final = [
    ("alipay.trade.pay", charges.SENTENCES),
    ("alipay.trade.pay", TILL),
    ("alipay.trade.precreate", TILL),
    ("alipay.trade.refund", refunds.SENTENCES),
    ("alipay.fund.auth.order.freeze", holds.SENTENCES),
    ("alipay.fund.auth.order.app.freeze", holds.SENTENCES),
    ("alipay.fund.auth.order.voucher.create", holds.SENTENCES),
    ("alipay.fund.auth.order.unfreeze", holds.SENTENCES),
    ("alipay.fund.auth.operation.cancel", holds.SENTENCES),
    ("alipay.user.agreement.executionplan.modify", agreements.SENTENCES),
    ("alipay.user.agreement.unsign", agreements.SENTENCES),
]


@pytest.mark.parametrize(("method", "words"), MEETS)
def test_each_code_has_words(method: str, words: Mapping[str, tuple[str, str]]) -> None:
    codes = set(CODES[method]) - NOBODY_ACTS
    if words is TILL:
        codes = {code for code in codes if not NOT_AT_THE_TILL.match(code)}
    assert codes, method
    assert sorted(codes - words.keys()) == []


def test_the_words_are_sentences_in_both_languages() -> None:
    for words in (
        TILL,
        charges.SENTENCES,
        holds.SENTENCES,
        refunds.SENTENCES,
        agreements.SENTENCES,
    ):
        for code, (english, chinese) in words.items():
            assert re.search(r"[.)]$", english), code
            assert not re.search(r"[一-鿿]", english), code
            assert len(re.findall(r"[一-鿿]", chinese)) >= 4, code
            assert chinese.endswith(("。", "）")), code


def test_a_code_that_nobody_has_heard_of_is_shown_with_alipays_own_text() -> None:
    for say in (charges, holds, refunds, agreements):
        assert say.sentences_for("ACQ.NEW_CODE", "新错误") == (
            "Alipay says: ACQ.NEW_CODE 新错误.",
            "支付宝返回：ACQ.NEW_CODE 新错误。",
        )
        said = say.sentences_for("timeout", "no answer within 10 s")
        assert said is not None
        assert said[0] == "No clear answer came (timeout): Alipay is asked what became of it."
        assert say.sentences_for(None, None) is None
