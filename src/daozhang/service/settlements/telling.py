"""The story of settlements in sentences: who wanted one confirmed, what was sent and answered, how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from daozhang.service.orders.telling import Sentence, entry, joined, upcoming
from daozhang.service.settlements.messages import sentences_for
from daozhang.service.settlements.model import Settlement, SettlementStatus

_HELD: Final = (
    "Outgoing money is switched off for this merchant: nothing is sent.",
    "商户已关闭出款开关：请求未发出。",
)


def tell(settlement: Settlement) -> list[dict[str, Any]]:
    """What happened to a settlement, as entries of a story."""
    amount = f"{settlement.amount} {settlement.amount.currency}"
    begun = (
        f"The settlement of {amount} was written down to be confirmed.",
        f"登记确认结算 {amount}，等待发出。",
    )
    names = [settlement.amount.currency]
    lines = [entry("requested", settlement.created_at, begun, names)]
    if settlement.held_at is not None:
        lines.append(entry("held", settlement.held_at, _HELD))
    if settlement.called_at is not None and settlement.call_count:
        calls = settlement.call_count
        lines.append(entry("called", settlement.called_at, _sent(calls), calls=calls))
    if settlement.last_code is not None:
        said = joined(
            _asked(settlement.ask_count),
            sentences_for(settlement.last_code, settlement.last_message),
        )
        names = [settlement.last_code, settlement.last_message or ""]
        lines.append(entry("answer", settlement.updated_at, said, names, code=settlement.last_code))
    if settlement.ended_at is not None:
        lines.append(
            entry(
                "ended",
                settlement.ended_at,
                _ended(settlement, amount),
                [settlement.amount.currency],
                amount=str(settlement.amount),
                status=settlement.status.value,
            )
        )
    known = {"kind": "settlement", "out_request_no": settlement.out_request_no}
    return [{**line, **known, "word": line["kind"]} for line in lines]


def _sent(calls: int) -> Sentence:
    if calls == 1:
        return "It was sent to Alipay.", "已向支付宝发出确认结算请求。"
    return (
        f"It was sent to Alipay, {calls} times by now: always under the same number.",
        f"已向支付宝发出确认结算请求，共 {calls} 次，始终使用同一请求号。",
    )


def _asked(asks: int) -> Sentence | None:
    if not asks:
        return None
    return f"Alipay was asked {asks} times what became of it.", f"已向支付宝查询 {asks} 次。"


def _ended(settlement: Settlement, amount: str) -> Sentence:
    if settlement.status is SettlementStatus.CONFIRMED:
        return (
            f"The settlement of {amount} is confirmed: Alipay pays it out as agreed.",
            f"已确认结算 {amount}，支付宝将按约定结算。",
        )
    return (
        "The settlement is not confirmed, and will not be by this request.",
        "未确认结算，本次请求不会再确认。",
    )


def tell_next(settlement: Settlement) -> Iterable[dict[str, Any]]:
    """What happens next to a settlement by itself."""
    if settlement.held_at is not None:
        said = (
            "It goes by itself once somebody switches outgoing money on again.",
            "出款开关重新打开后自动发出确认结算请求。",
        )
        yield upcoming(None, said)
    elif settlement.is_open and settlement.due_at is not None:
        said = (
            ("The settlement is sent to Alipay to be confirmed.", "向支付宝发出确认结算请求。")
            if settlement.is_requested
            else ("Alipay is asked whether the settlement is confirmed.", "向支付宝查询结算结果。")
        )
        yield upcoming(settlement.due_at, said)
