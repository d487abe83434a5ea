"""The story of an agreement in sentences that whoever looks after members understands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from daozhang.service.agreements.messages import sentences_for
from daozhang.service.agreements.model import (
    Agreement,
    AgreementStatus,
    Deduction,
    DeductionStatus,
)
from daozhang.service.orders.model import Order
from daozhang.service.orders.telling import (
    Sentence,
    does_not_fit,
    entry,
    joined,
    upcoming,
    without_repeats,
)

_BECAME: Final[Mapping[AgreementStatus, Sentence]] = {
    AgreementStatus.CREATED: (
        "The agreement waits to be signed.",
        "协议等待买家签约。",
    ),
    AgreementStatus.TEMP: (
        "The buyer has signed; it is not in effect yet.",
        "买家已签约，协议尚未生效。",
    ),
    AgreementStatus.ACTIVE: (
        "The agreement is in effect: each period is charged once.",
        "协议已生效：每期扣款一次。",
    ),
    AgreementStatus.STOPPED: (
        "The buyer has paused it: nothing can be charged.",
        "买家已暂停协议：无法扣款。",
    ),
    AgreementStatus.ENDING: (
        "It is being ended: nothing is charged any more.",
        "正在解约：不再扣款。",
    ),
    AgreementStatus.ENDED: (
        "The end: the agreement has ended, and nothing can be charged by it.",
        "最终结果：协议已解约，无法再扣款。",
    ),
    AgreementStatus.EXPIRED: (
        "The end: nobody has signed in time.",
        "最终结果：未在时限内签约。",
    ),
}

_SAME: Final = ("cause", "status_before", "status_after", "events", "note")

NOTICES: Final[Mapping[str, Sentence]] = {
    "dut_user_sign": ("the buyer has signed", "买家已签约"),
    "dut_user_unsign": ("the agreement was ended", "协议已解约"),
}
"""What Alipay tells of agreements, by its name of the kind."""

_CALLS: Final[Mapping[str, Sentence]] = {
    "call:unsign:taken": (
        "Alipay took the request to end it: it is asked whether it has ended.",
        "支付宝已受理解约，继续查询是否已解约。",
    ),
    "call:query:unknown": (
        "Alipay was asked how the agreement stands, and gave no clear answer.",
        "向支付宝查询协议，未得到明确答复。",
    ),
}

_ASKED: Final[Mapping[str, Sentence]] = {
    "query": (
        "Alipay was asked how the agreement stands, and answered.",
        "向支付宝查询协议状态，已得到答复。",
    ),
    "unsign": ("Alipay was asked to end it.", "向支付宝请求解约。"),
}

_TRY_ENDS: Final[Mapping[DeductionStatus, Sentence]] = {
    DeductionStatus.PAID: ("The period is paid.", "本期已扣款成功。"),
    DeductionStatus.FAILED: (
        "This try has failed, proven: nothing was charged by it.",
        "本次扣款确认失败：未扣款。",
    ),
}


def cause_of_call(call: str, outcome: str) -> str:
    """The cause of a step by which nothing moved: a call that has told something else than a fact."""
    return f"call:{call}:{outcome}"


def tell(
    agreement: Agreement,
    steps: Iterable[Mapping[str, Any]],
    deductions: Iterable[tuple[Deduction, Order]],
) -> list[dict[str, Any]]:
    """The steps and the tries of an agreement, as entries of a story."""
    created = entry(
        "created",
        agreement.created_at,
        ("The buyer was asked to agree.", "发起签约。"),
    )
    opened: list[dict[str, Any]] = []
    if agreement.opened_at is not None:
        said = ("The page to sign was opened (the last time).", "买家（最近一次）打开签约页面。")
        opened = [entry("opened", agreement.opened_at, said)]
    told = [
        entry(
            "step",
            step["at"],
            joined(_sentence_of(step), again),
            cause=step["cause"],
            source_ref=step["source_ref"],
            status_before=step["status_before"],
            status_after=step["status_after"],
            events=list(step["events"]),
            note=step["note"],
        )
        for step, again in without_repeats(steps, _SAME)
    ]
    tries = [line for one, order in deductions for line in _lines_of(one, order)]
    return [created, *opened, *told, *tries]


def _sentence_of(step: Mapping[str, Any]) -> Sentence:
    cause, note = str(step["cause"]), step["note"]
    if cause.startswith("call:"):
        refused = (f"It was not ended at once ({note}).", f"未能立即解约（{note}）。")
        return _CALLS.get(cause) or joined(refused, sentences_for(note, None))
    became = _BECAME[AgreementStatus(step["status_after"])]
    return joined(_ASKED.get(cause), became, does_not_fit(note))


def _lines_of(deduction: Deduction, order: Order) -> Iterable[dict[str, Any]]:
    day = deduction.planned_on
    more: dict[str, Any] = {
        "out_trade_no": order.out_trade_no,
        "amount": str(order.amount),
        "planned_on": None if day is None else day.isoformat(),
    }
    of = ("", "") if day is None else (f" of {day}", f"{day} 期")
    began = (
        f"{order.amount} is to be charged for the period{of[0]}, as order {order.out_trade_no}.",
        f"发起{of[1]}扣款 {order.amount}，订单号 {order.out_trade_no}。",
    )
    yield entry("deduction", deduction.created_at, began, status="open", **more)
    if deduction.ended_at is not None:
        said = sentences_for(deduction.code, deduction.message)
        sentence = joined(_TRY_ENDS[deduction.status], said)
        status = deduction.status.value
        yield entry("deduction", deduction.ended_at, sentence, status=status, **more)


_NEXT: Final[Mapping[AgreementStatus, Sentence]] = {
    AgreementStatus.CREATED: (
        "Alipay is asked whether the buyer has signed.",
        "向支付宝查询买家是否已签约。",
    ),
    AgreementStatus.ENDING: (
        "Alipay is asked whether it has ended, or asked again to end it.",
        "向支付宝查询是否已解约，或再次请求解约。",
    ),
}


def tell_next(agreement: Agreement, window_opens_at: datetime | None) -> Iterable[dict[str, Any]]:
    """What happens next to an agreement by itself."""
    if agreement.attention:
        yield upcoming(
            None,
            (
                "A person has to look at it: nothing is charged by itself.",
                "需要人工处理：系统不会自动扣款。",
            ),
        )
    if agreement.next_try_at is not None:
        yield upcoming(
            agreement.next_try_at,
            ("The buyer is charged for the present period.", "对本期进行扣款。"),
        )
    if window_opens_at is not None:
        yield upcoming(
            window_opens_at,
            (
                "agreement.due is announced: the period can be charged from then on.",
                "发送 agreement.due 事件：自此可以对本期扣款。",
            ),
        )
    if agreement.due_at is not None:
        usual = (
            "Alipay is asked how the agreement stands.",
            "向支付宝查询协议状态。",
        )
        yield upcoming(agreement.due_at, _NEXT.get(agreement.status, usual))
    if agreement.status is AgreementStatus.CREATED:
        yield upcoming(
            agreement.expires_at,
            ("The page to sign dies.", "签约页面失效。"),
        )
