"""The story of a charge in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from daozhang.service.charges.messages import sentences_for
from daozhang.service.charges.model import Charge, ChargeKind, Ending, Phase, Word
from daozhang.service.orders.telling import ANSWERS, Sentence, entry, upcoming

_CALLED: Final[Mapping[ChargeKind, Sentence]] = {
    ChargeKind.HOLD: (
        "Alipay was asked to take the money out of the hold.",
        "请求支付宝从预授权冻结金额中扣款。",
    ),
    ChargeKind.AGREEMENT: (
        "Alipay was asked to charge the buyer, as agreed.",
        "请求支付宝按协议向买家扣款。",
    ),
}

_SAID: Final[Mapping[Word, Sentence]] = {
    Word.PAID: ("Alipay answered: paid.", "支付宝答复：已付款。"),
    Word.BUYER_ACTS: (
        "Alipay answered: the payment is open, and not decided yet.",
        "支付宝答复：付款处理中，尚无结果。",
    ),
    Word.NO_ANSWER: (
        "No clear answer came, so nobody knew yet whether the buyer was charged. Nothing else was tried "
        "meanwhile.",
        "未收到明确答复，暂不清楚买家是否已被扣款，期间不会另行扣款。",
    ),
    Word.STATE: (
        "Alipay has a payment of this number already: it was asked how that stands.",
        "支付宝已有该单号的交易，转为查询其状态。",
    ),
    Word.NOT_SENT: (
        "Nothing was sent: the shop's own settings did not allow it.",
        "请求未发出：商户系统配置有误。",
    ),
    Word.STOPPED: (
        "Nothing was sent: the merchant has switched off what moves money.",
        "请求未发出：商户已关闭资金操作开关。",
    ),
    Word.INTERRUPTED: (
        "Our own system was interrupted while it asked, so nobody knew yet whether the buyer was "
        "charged.",
        "请求过程中本系统中断，暂不清楚买家是否已被扣款。",
    ),
    Word.ASKED_IN_VAIN: (
        "Alipay was asked what became of it and gave no clear answer.",
        "向支付宝查询结果，未得到明确答复。",
    ),
    Word.CLOSES: (
        "The payment is given up: it is closed at Alipay, so that nothing can be charged by it later.",
        "放弃本次扣款：向支付宝关闭交易，确保之后不会扣款。",
    ),
}

_ENDS: Final[Mapping[str, Sentence]] = {
    Ending.PAID.value: ("The end: the buyer was charged.", "最终结果：扣款成功。"),
    Ending.CLOSED.value: (
        "The end: the buyer was not charged, and will not be by this number.",
        "最终结果：未扣款，该单号之后也不会扣款。",
    ),
    Ending.REFUNDED.value: (
        "The end: the buyer was charged, and has the money back.",
        "最终结果：已扣款并已退回买家。",
    ),
}

_NEXT: Final[Mapping[Phase, Sentence]] = {
    Phase.DUE: ("Alipay is asked to charge it.", "请求支付宝扣款。"),
    Phase.CALLING: (
        "Should no answer have come by then, Alipay is asked what became of it.",
        "届时若仍无答复，将向支付宝查询结果。",
    ),
    Phase.ASKING: (
        "Alipay is asked whether it was charged. No second charge is made meanwhile.",
        "向支付宝查询是否已扣款，期间不会重复扣款。",
    ),
    Phase.REFUSED: (
        "Its close at Alipay is asked for and confirmed.",
        "向支付宝关闭该交易并确认。",
    ),
}


def tell(charge: Charge, out_trade_no: str) -> list[dict[str, Any]]:
    """Every entry of the journal of ``charge``, as entries of a story."""
    return [
        entry(
            "charge",
            datetime.fromisoformat(noted["at"]),
            _sentence(charge, noted),
            names=(noted["code"], charge.last_message),
            out_trade_no=out_trade_no,
            word=noted["word"],
            code=noted["code"],
        )
        for noted in charge.journal
    ]


def _sentence(charge: Charge, noted: Mapping[str, Any]) -> Sentence:
    word, code = Word(noted["word"]), noted["code"]
    match word:
        case Word.CALLED:
            return _CALLED[charge.kind]
        case Word.ASKED:
            english, chinese = ANSWERS[str(code)]
            return (
                f"Alipay was asked what became of it, and answered: {english}.",
                f"向支付宝查询结果，答复：{chinese}。",
            )
        case Word.REFUSED:
            own_message = charge.last_message if charge.last_code == code else None
            said = sentences_for(code, own_message)
            english, chinese = said if said is not None else ("", "")
            return (
                f"Alipay refused the charge ({code}). {english}",
                f"支付宝拒绝了扣款（{code}）。{chinese}",
            )
        case Word.ENDED:
            return _ENDS[str(code)]
        case _:
            return _SAID[word]


def tell_next(charge: Charge) -> Iterable[dict[str, Any]]:
    """What happens next to a charge by itself."""
    if charge.phase is not Phase.ENDED:
        yield upcoming(charge.due_at, _NEXT[charge.phase])
