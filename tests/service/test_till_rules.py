"""The till's rules: every cell, and the words for every no that somebody has to act on."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daozhang.money import Money
from daozhang.service.orders.model import ClosingReason, Order, OrderStatus, Way
from daozhang.service.till import rules
from daozhang.service.till.messages import SENTENCES, Follow, sentence_for
from daozhang.service.till.model import BarcodePayment, CancelOutcome, Ending, Outcome, Phase, Word
from daozhang.service.till.refusals import PaymentCodeInvalid
from daozhang.service.till.rules import Action
from daozhang.service.till.telling import tell
from daozhang.service.till.views import SHOWN, state_of

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CODES = json.loads((Path(__file__).parents[1] / "alipay/data/till_codes.json").read_text("utf-8"))


def order(status: OrderStatus, *, attention: bool = False) -> Order:
    return Order(
        id=1,
        merchant_id=1,
        environment="emulator",
        app_id="2021",
        seller_id="2088",
        out_trade_no="T1",
        way=Way.BARCODE,
        amount=Money.parse("8.88"),
        subject="Tea",
        status=status,
        refunded=Money.zero("CNY"),
        reserved=Money.zero("CNY"),
        expires_at=NOW + timedelta(hours=1),
        created_at=NOW,
        updated_at=NOW,
        attention=attention,
        closing_reason=ClosingReason.CANCEL if status is OrderStatus.CLOSING else None,
    )


def payment(phase: Phase, *, waited: int = 0, asked: int = 0, **more: object) -> BarcodePayment:
    began = NOW - timedelta(seconds=waited)
    values = {
        "id": 1,
        "order_id": 1,
        "merchant_id": 1,
        "number": 1,
        "phase": phase,
        "code_hash": "",
        "scene": "bar_code",
        "called_at": began,
        "wait_until": began + timedelta(seconds=60),
        "created_at": began,
        "updated_at": began,
        "ask_count": asked,
        **more,
    }
    return BarcodePayment(**values)  # pyright: ignore[reportArgumentType]


OPEN = {
    Phase.CALLING: Action.DOUBT,
    Phase.ASKING: Action.ASK,
    Phase.DECLINED: Action.GIVE_UP,
    Phase.CANCELLING: Action.CANCEL,
    Phase.ENDED: Action.NOTHING,
}


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("status", list(OrderStatus))
def test_what_a_step_does(status: OrderStatus, phase: Phase) -> None:
    final = status in (
        OrderStatus.PAID,
        OrderStatus.FINISHED,
        OrderStatus.CLOSED,
        OrderStatus.REFUNDED,
    )
    expected = OPEN[phase]
    if final and phase is not Phase.ENDED:
        expected = Action.END
    assert rules.next_action(payment(phase), order(status), NOW) is expected
    # Where a fact did not fit, nothing is cancelled by itself.
    marked = rules.next_action(payment(phase), order(status, attention=True), NOW)
    assert marked not in (Action.CANCEL, Action.GIVE_UP)


def test_the_time_to_wait_ends_with_a_question() -> None:
    waiting = order(OrderStatus.WAITING)
    over = payment(Phase.ASKING, waited=60)
    assert rules.next_action(over, waiting, NOW) is Action.ASK
    asked = payment(Phase.ASKING, waited=60, asked=1)
    assert rules.next_action(asked, waiting, NOW) is Action.GIVE_UP
    # A question never waits past the end of the time, and its last one falls on it.
    nearly = payment(Phase.ASKING, waited=58, asked=9)
    assert rules.due_after_asking(nearly, NOW) == NOW + timedelta(seconds=2)


def test_every_outcome_leads_somewhere() -> None:
    assert set(rules.AFTER_CALL) == set(Outcome)
    assert set(rules.AFTER_CANCEL) == set(CancelOutcome)
    assert all(move.to in Phase for move in rules.AFTER_CALL.values())
    # Nothing but the order's own end ends a payment.
    assert Phase.ENDED not in {move.to for move in rules.AFTER_CALL.values()}
    assert set(rules.ENDINGS.values()) == {Ending.PAID, Ending.REFUNDED, Ending.CANCELLED}


@pytest.mark.parametrize(
    ("status", "phase", "ending"),
    list(itertools.product(OrderStatus, Phase, [None, *Ending])),
)
def test_goods_go_only_for_an_order_that_is_paid(
    status: OrderStatus, phase: Phase, ending: Ending | None
) -> None:
    for acts in (True, False):
        shown = state_of(payment(phase, ending=ending, buyer_acts=acts), order(status))
        assert (shown == "paid") == (status in (OrderStatus.PAID, OrderStatus.FINISHED))
        assert shown in SHOWN or shown == "declined"


# ---- words


@pytest.mark.parametrize("code", CODES["special_text"])
def test_a_no_that_somebody_must_act_on_has_words_of_its_own(code: str) -> None:
    sentence = SENTENCES[code]
    assert sentence.english.isascii()
    assert any("\u4e00" <= character <= "\u9fff" for character in sentence.chinese)


def test_a_code_without_words_is_shown_with_alipays() -> None:
    told = sentence_for("ACQ.BRAND_NEW", "交易受限")
    assert "ACQ.BRAND_NEW" in told.english
    assert "交易受限" in told.english
    assert "交易受限" in told.chinese
    assert told.follow is Follow.END


def test_words_are_of_codes_that_alipay_has() -> None:
    assert set(SENTENCES) <= set(CODES["declared"])


@pytest.mark.parametrize(
    ("scanned", "word"),
    [
        ("134567890123456789", "WeChat"),
        ("6228480402564890018", "UnionPay"),
        ("6901234567892", "goods"),
        ("https://qr.alipay.com/fkx", "address"),
        ("hello", "5 characters"),
    ],
)
def test_what_is_no_payment_code_is_said(scanned: str, word: str) -> None:
    refused = PaymentCodeInvalid(scanned)
    assert word in refused.detail
    assert scanned not in refused.detail + refused.detail_zh


@pytest.mark.parametrize("word", list(Word))
def test_every_word_of_the_journal_can_be_told(word: Word) -> None:
    codes = {Word.ASKED: ["A", "W", "P", "PP", "F", "R", "CU", "C?"]}
    codes |= {Word.CONFIRMED: ["paid", "cancelled", "refunded"]}
    codes |= {
        key: ["ACQ.PAYMENT_FAIL", "ACQ.NEW"]
        for key in (Word.DECLINED, Word.REFUSED, Word.CANCEL_REFUSED)
    }
    for code in codes.get(word, [None]):
        entry = {"at": NOW.isoformat(), "word": word.value, "code": code}
        [told] = tell([payment(Phase.ENDED, journal=(entry,))])
        assert told["say"].endswith(".")
        assert told["say_zh"].endswith("。")
