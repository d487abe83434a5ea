"""The story of an order in sentences, and the words that every story shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from daozhang.clock import business_day
from daozhang.service.orders.model import FactKind, Order, OrderStatus, Step
from daozhang.service.orders.rules import REFUND

Sentence = tuple[str, str]
"""The same in English and in Chinese."""

ANSWERS: Final[Mapping[str, Sentence]] = {
    FactKind.ABSENT.value: ("no such payment", "没有这笔交易"),
    FactKind.WAITING.value: ("the buyer has not paid yet", "买家尚未付款"),
    FactKind.PAID.value: ("paid", "已付款"),
    FactKind.PARTLY_REFUNDED.value: ("paid, and partly refunded", "已付款，部分已退款"),
    FactKind.FINISHED.value: ("paid, and finished", "已付款，交易已完结"),
    FactKind.REFUNDED.value: ("refunded in full", "已全额退款"),
    FactKind.CLOSED_UNPAID.value: ("closed, nobody was charged", "交易已关闭，未扣款"),
    FactKind.CLOSED_UNCLEAR.value: ("closed", "交易已关闭"),
}
"""What Alipay says of a trade, by the kind of the fact."""

_SOURCES: Final[Mapping[str, Sentence]] = {
    "notification": ("Alipay told us", "支付宝通知"),
    "query": ("Alipay was asked, and answered", "向支付宝查询，答复"),
    "pay": ("Alipay answered the payment", "支付宝对付款请求的答复"),
    "create": ("Alipay answered", "支付宝答复"),
    "close": ("Alipay answered the close", "支付宝对关闭请求的答复"),
    "cancel": ("Alipay answered the cancel", "支付宝对撤销请求的答复"),
    "refund": ("Alipay answered the refund", "支付宝对退款请求的答复"),
    "refund_query": ("Alipay was asked about a refund, and answered", "向支付宝查询退款，答复"),
}

_BY_PEOPLE: Final[Mapping[str, Sentence]] = {
    "surprise_accepted": (
        "Somebody looked at what did not fit, and the books hold what Alipay says.",
        "已人工核对异常，账上以支付宝所述为准。",
    ),
    "surprise_refunded": (
        "Somebody looked at what did not fit, and the money goes back.",
        "已人工处理异常：款项退回。",
    ),
    "surprise_attached": (
        "Somebody has booked this payment, which nobody claimed, as one for another order.",
        "无人认领的款项已由人工归入另一笔订单。",
    ),
    "surprise_dismissed": (
        "Somebody looked at what did not fit: nothing is to be done.",
        "已人工核对异常：无需处理。",
    ),
    "payment_attached": (
        "A payment beside this order, under a number of its own, was said to be for it.",
        "另有一笔独立编号的付款被认定属于本订单。",
    ),
}
"""Steps that a person makes, which leave the order where it is, and what they say."""

_BECAME: Final[Mapping[OrderStatus, Sentence]] = {
    OrderStatus.CREATED: ("The order waits for a payment.", "订单等待付款。"),
    OrderStatus.WAITING: ("The order waits for the buyer.", "订单等待买家付款。"),
    OrderStatus.CLOSING: (
        "The order is given up, and closed at Alipay.",
        "订单已放弃，正在向支付宝关闭。",
    ),
    OrderStatus.PAID: ("The order is paid.", "订单已付款。"),
    OrderStatus.FINISHED: (
        "The order is paid, and Alipay refunds it no more.",
        "订单已付款且已完结，不可再退款。",
    ),
    OrderStatus.CLOSED: ("The order is closed unpaid.", "订单已关闭，未付款。"),
    OrderStatus.REFUNDED: ("All of its money has gone back.", "订单款项已全部退回。"),
}


def alipay_says(code: str, message: str | None) -> Sentence:
    """What to say about a code that has no sentence of its own."""
    if code.isalpha() and code.islower():
        # No code of Alipay's: why an answer did not come, or could not be believed.
        return (
            f"No clear answer came ({code}): Alipay is asked what became of it.",
            f"未收到明确答复（{code}）：将向支付宝查询结果。",
        )
    told = " ".join(part for part in (code, message) if part)
    return f"Alipay says: {told}.", f"支付宝返回：{told}。"


def entry(
    kind: str, at: datetime, sentence: Sentence, names: Iterable[str | None] = (), **more: Any
) -> dict[str, Any]:
    """One entry of a story: when, what, and how that is said.

    ``names`` are what stands in both sentences as it is in no language: codes, types, numbers, what
    somebody wrote. Whoever shows a sentence can set them apart.
    """
    return {
        "kind": kind,
        "at": at.isoformat(),
        **more,
        "names": [name for name in names if name],
        "say": sentence[0],
        "say_zh": sentence[1],
    }


def upcoming(at: datetime | None, sentence: Sentence) -> dict[str, Any]:
    """What happens next, and when; ``None`` where no clock decides it."""
    return {"at": at, "say": sentence[0], "say_zh": sentence[1]}


def joined(*sentences: Sentence | None) -> Sentence:
    """Sentences one after the other."""
    said = [sentence for sentence in sentences if sentence is not None]
    return " ".join(english for english, _ in said), "".join(chinese for _, chinese in said)


def without_repeats(
    steps: Iterable[Mapping[str, Any]], same: tuple[str, ...]
) -> list[tuple[Mapping[str, Any], Sentence | None]]:
    """Steps, each with how often it came again: the same answer every day for a year is told once.

    ``same`` names what two steps that tell the same have in common.
    """
    told: list[tuple[Mapping[str, Any], int, datetime]] = []
    for step in steps:
        moved = step["status_before"] != step["status_after"]
        first, again, _ = told[-1] if told else (step, 0, step["at"])
        if told and not moved and all(first[name] == step[name] for name in same):
            told[-1] = (first, again + 1, step["at"])
        else:
            told.append((step, 0, step["at"]))
    return [(step, _again(times, last_at)) for step, times, last_at in told]


def _again(times: int, last_at: datetime) -> Sentence | None:
    if not times:
        return None
    day = business_day(last_at)
    return f"The same {times} times more, until {day}.", f"此后结果相同 {times} 次，至 {day}。"


def does_not_fit(reason: str | None) -> Sentence | None:
    """What is said where a fact does not fit; nothing where it does."""
    if reason is None:
        return None
    return (
        f"That does not fit ({reason}): a person was told.",
        f"与记录不符（{reason}）：已通知人工处理。",
    )


def sentence_of(step: Step) -> Sentence:
    """What one step of an order says."""
    if step.cause in _BY_PEOPLE:
        why = step.fact.get("reason")
        said = None if why is None else (f"({why})", f"（{why}）")
        return joined(_BY_PEOPLE[step.cause], said)
    source = _SOURCES.get(step.cause)
    answer = _answer(step.fact)
    learned = None
    if source is not None and answer is not None:
        learned = f"{source[0]}: {answer[0]}.", f"{source[1]}：{answer[1]}。"
    moved = step.status_before is not step.status_after or learned is None
    became = _BECAME[step.status_after] if moved else None
    return joined(learned, became, does_not_fit(step.note))


def _answer(fact: Mapping[str, Any]) -> Sentence | None:
    """What Alipay said, as the step keeps it: of the trade, or of one refund."""
    if fact.get("kind") == REFUND:
        amount = fact["refund_amount"]
        return f"{amount} has gone back", f"已退回 {amount}"
    return ANSWERS.get(str(fact.get("kind")))


def tell_next(order: Order) -> Iterable[dict[str, Any]]:
    """What happens next to an order by itself."""
    if order.attention:
        yield upcoming(
            None,
            (
                "A person has to look at it: nothing is closed or refunded by itself.",
                "需要人工处理：系统不会自动关闭或退款。",
            ),
        )
    if order.next_query_at is not None:
        yield upcoming(
            order.next_query_at,
            ("Alipay is asked what became of it.", "向支付宝查询结果。"),
        )
    if order.is_open and order.status is not OrderStatus.CLOSING:
        yield upcoming(
            order.expires_at,
            (
                "Its time to be paid is over; soon after it is closed.",
                "付款时限到期，随后关闭订单。",
            ),
        )
