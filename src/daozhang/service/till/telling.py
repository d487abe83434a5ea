"""The story of a payment at the till, in sentences that whoever stands there understands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from daozhang.service.orders.telling import ANSWERS, entry, upcoming
from daozhang.service.till.messages import sentence_for
from daozhang.service.till.model import BarcodePayment, Ending, Phase, Word

_SAID: Final[Mapping[Word, tuple[str, str]]] = {
    Word.SCANNED: (
        "The buyer's code was scanned, and Alipay was asked to charge it.",
        "已扫描买家付款码，并请求支付宝扣款。",
    ),
    Word.PAID: ("Alipay answered: paid.", "支付宝答复：已付款。"),
    Word.BUYER_ACTS: (
        "Alipay answered: the buyer has to confirm on the phone.",
        "支付宝答复：等待买家在手机上确认付款。",
    ),
    Word.NO_ANSWER: (
        "No clear answer came, so nobody knew yet whether the buyer was charged.",
        "未收到明确答复，暂不清楚买家是否已被扣款。",
    ),
    Word.INTERRUPTED: (
        "Our own system was interrupted while it asked, so nobody knew yet whether the buyer was "
        "charged.",
        "请求过程中本系统中断，暂不清楚买家是否已被扣款。",
    ),
    Word.NOT_SENT: (
        "Nothing was sent: the shop's own settings did not allow it.",
        "请求未发出：商户系统配置有误。",
    ),
    Word.ASKED_IN_VAIN: (
        "Alipay was asked what became of it and gave no clear answer.",
        "向支付宝查询结果，未得到明确答复。",
    ),
    Word.TIME_OVER: (
        "The time to wait was over. The payment was given up, and is cancelled at Alipay.",
        "等待超时，放弃本次付款，开始向支付宝撤销。",
    ),
    Word.CASHIER_CANCELS: (
        "The payment was given up at the till, and is cancelled at Alipay.",
        "收银员取消了本次付款，开始向支付宝撤销。",
    ),
    Word.NOT_TRIED_AGAIN: (
        "No other code was scanned. The order was given up, and is cancelled at Alipay.",
        "未再扫码，放弃该订单，开始向支付宝撤销。",
    ),
    Word.ANOTHER_CODE: ("Another code was scanned.", "重新扫描了付款码。"),
    Word.CANCELLED: (
        "Alipay confirmed the cancel: the buyer was not charged.",
        "支付宝确认撤销：买家未被扣款。",
    ),
    Word.CANCEL_REFUNDED: (
        "Alipay confirmed the cancel: the buyer had been charged, and has the money back.",
        "支付宝确认撤销：买家已被扣款，款项已退回。",
    ),
    Word.CANCEL_SAYS_NOTHING: (
        "Alipay took the cancel and did not say what it did: it is asked.",
        "支付宝已受理撤销，但未说明结果，继续查询。",
    ),
    Word.CANCEL_UNKNOWN: (
        "No clear answer to the cancel came: it is asked about, and made again.",
        "撤销请求未收到明确答复，将查询并重试。",
    ),
    Word.PERSON_ASKED: (
        "Nothing could be proven for minutes: a manager was told.",
        "数分钟内仍无法确认结果，已通知店长处理。",
    ),
}

_ENDS: Final[Mapping[str, tuple[str, str]]] = {
    Ending.PAID.value: (
        "The end: paid. The goods can be handed over.",
        "最终结果：支付成功，可以交付商品。",
    ),
    Ending.CANCELLED.value: (
        "The end: not paid. The buyer was not charged, the goods stay here.",
        "最终结果：未付款，买家未被扣款，请勿交付商品。",
    ),
    Ending.REFUNDED.value: (
        "The end: the buyer has the money back, the goods stay here.",
        "最终结果：款项已退回买家，请勿交付商品。",
    ),
}

_NEXT: Final[Mapping[Phase, tuple[str, str]]] = {
    Phase.CALLING: (
        "Should no answer have come by then, Alipay is asked what became of it.",
        "届时若仍无答复，将向支付宝查询结果。",
    ),
    Phase.ASKING: (
        "Alipay is asked whether the buyer has paid. Do not hand over the goods yet.",
        "向支付宝查询是否已付款，请先不要交付商品。",
    ),
    Phase.CANCELLING: (
        "The payment is cancelled at Alipay, and that is confirmed.",
        "向支付宝撤销本次付款并确认。",
    ),
}


def tell(payments: Iterable[BarcodePayment]) -> list[dict[str, Any]]:
    """Every entry of the journals of ``payments``, as entries of a story."""
    return [
        entry(
            "till",
            datetime.fromisoformat(noted["at"]),
            _sentence(noted, payment),
            names=(noted.get("code"), payment.last_message),
            number=payment.number,
            word=noted["word"],
        )
        for payment in payments
        for noted in payment.journal
    ]


def tell_next(payments: Iterable[BarcodePayment]) -> Iterable[dict[str, Any]]:
    """What happens next at the till by itself."""
    for payment in payments:
        if payment.is_open:
            yield upcoming(payment.due_at, _NEXT[payment.phase])


def _sentence(noted: Mapping[str, Any], payment: BarcodePayment) -> tuple[str, str]:
    word, code = Word(noted["word"]), noted.get("code")
    match word:
        case Word.ASKED:
            english, chinese = ANSWERS[str(code)]
            return (
                f"Alipay was asked what became of it, and answered: {english}.",
                f"向支付宝查询结果，答复：{chinese}。",
            )
        case Word.DECLINED | Word.REFUSED:
            own_message = payment.last_message if payment.last_code == code else None
            sentence = sentence_for(code, own_message)
            return (
                f"Alipay declined it ({code}). {sentence.english}",
                f"支付宝拒绝了扣款（{code}）。{sentence.chinese}",
            )
        case Word.CANCEL_REFUSED:
            return (
                f"Alipay refused the cancel ({code}): it is asked what the payment is now.",
                f"支付宝拒绝了撤销（{code}），正在查询付款的当前状态。",
            )
        case Word.CONFIRMED:
            return _ENDS[str(code)]
        case _:
            return _SAID[word]
