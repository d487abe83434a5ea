"""The story of a refund in sentences: who wanted it, what was sent and answered, where the money is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from daozhang.service.approvals.model import Approval, ApprovalStatus
from daozhang.service.orders.telling import Sentence, entry, joined, upcoming
from daozhang.service.refunds.messages import sentences_for
from daozhang.service.refunds.model import (
    BY_POLICY,
    Destination,
    Refund,
    RefundOrigin,
    RefundStatus,
)

_ENDED: Final[Mapping[RefundStatus, Sentence]] = {
    RefundStatus.SUCCEEDED: (
        "The end: Alipay has proven that the money went back.",
        "最终结果：支付宝已确认款项退回。",
    ),
    RefundStatus.FAILED: (
        "The end: it has not gone back, and will not by this number.",
        "最终结果：款项未退回，该退款单号之后也不会退款。",
    ),
}

_DECIDED: Final[Mapping[ApprovalStatus, Sentence]] = {
    ApprovalStatus.APPROVED: ("approved it", "批准了退款"),
    ApprovalStatus.DECLINED: ("declined it: nothing has moved", "拒绝了退款：未动用资金"),
    ApprovalStatus.WITHDRAWN: ("took the wish back: nothing has moved", "撤回了申请：未动用资金"),
}

_AT: Final[Mapping[Destination, Sentence]] = {
    Destination.BANK_CARD_PENDING: (
        "It is on its way to the buyer's bank card: that takes days.",
        "款项正在退往买家银行卡，需数日到账。",
    ),
    Destination.BANK_CARD: ("The buyer's bank has taken it.", "买家的银行已入账。"),
    Destination.BUYER_BALANCE: (
        "The bank sent it back: it lies in the buyer's Alipay balance. Nothing is sent again.",
        "银行退回：款项已进入买家支付宝余额，不会再次退款。",
    ),
}


def subject_of(out_trade_no: str, out_request_no: str | None) -> str:
    """What an approval of a refund is about."""
    return f"refund:{out_trade_no}:{out_request_no}"


def tell(refund: Refund, approvals: Iterable[Approval]) -> list[dict[str, Any]]:
    """What happened to a refund, as entries of a story."""
    entries = [line for approval in approvals for line in _approval(approval)]
    entries.append(entry("requested", refund.created_at, _begun(refund)))
    if refund.held_at is not None:
        entries.append(entry("held", refund.held_at, _HELD))
    if refund.called_at is not None and refund.call_count:
        entries.append(
            entry("called", refund.called_at, _sent(refund.call_count), calls=refund.call_count)
        )
    if refund.last_code is not None:
        said = sentences_for(refund.last_code, refund.last_message)
        answered = joined(_asked(refund.ask_count), said)
        entries.append(entry("answer", refund.updated_at, answered, code=refund.last_code))
    if refund.ended_at is not None and refund.status in _ENDED:
        at = None if refund.destination is None else _AT[refund.destination]
        sentence = joined(_ENDED[refund.status], at)
        entries.append(entry("ended", refund.ended_at, sentence, status=refund.status.value))
    return entries


_HELD: Final = (
    "Outgoing money is switched off for this merchant: nothing is sent.",
    "商户已关闭出款开关：请求未发出。",
)


def _begun(refund: Refund) -> Sentence:
    amount = f"{refund.amount} {refund.amount.currency}"
    if refund.origin is RefundOrigin.EXTERNAL:
        return (
            f"Alipay shows that {amount} went back. It was not asked for here.",
            f"支付宝显示已退款 {amount}，非本系统发起。",
        )
    if refund.origin is RefundOrigin.CANCEL:
        return f"{amount} went back by a cancel.", f"{amount} 因撤销退回。"
    if refund.requested_by == BY_POLICY:
        return (
            f"The merchant's policy asked to refund {amount}.",
            f"按商户策略自动申请退款 {amount}。",
        )
    return f"A refund of {amount} was written down, to be sent.", f"登记退款 {amount}，等待发出。"


def _sent(calls: int) -> Sentence:
    if calls == 1:
        return "It was sent to Alipay.", "已向支付宝发出退款请求。"
    return (
        f"It was sent to Alipay, {calls} times by now: always under the same number.",
        f"已向支付宝发出退款请求，共 {calls} 次，始终使用同一退款单号。",
    )


def _asked(asks: int) -> Sentence | None:
    if not asks:
        return None
    return f"Alipay was asked {asks} times what became of it.", f"已向支付宝查询 {asks} 次。"


def _approval(approval: Approval) -> Iterable[dict[str, Any]]:
    asked = (
        f"{approval.requested_name} wants it; it takes a second person.",
        f"{approval.requested_name} 申请退款，须由另一人审批。",
    )
    yield entry("approval", approval.created_at, asked, status="pending")
    if approval.decided_at is None:
        return
    done = _DECIDED.get(approval.status)
    decided = (
        ("Nobody decided in time: nothing has moved.", "逾期未审批：未动用资金。")
        if done is None
        else (f"{approval.decided_name} {done[0]}.", f"{approval.decided_name} {done[1]}。")
    )
    yield entry(
        "approval",
        approval.decided_at,
        decided,
        status=approval.status.value,
        note=approval.decision_note,
    )


def tell_next(refund: Refund) -> Iterable[dict[str, Any]]:
    """What happens next to a refund by itself."""
    if refund.held_at is not None:
        yield upcoming(
            None,
            (
                "It goes by itself once somebody switches outgoing money on again.",
                "出款开关重新打开后自动发出。",
            ),
        )
    elif refund.is_open and refund.due_at is not None:
        yield upcoming(refund.due_at, _next_of(refund))
    if refund.bank_due_at is not None:
        yield upcoming(
            refund.bank_due_at,
            ("Alipay is asked whether the bank has taken it.", "向支付宝查询银行是否入账。"),
        )


def _next_of(refund: Refund) -> Sentence:
    if refund.origin is not RefundOrigin.OURS or refund.status is RefundStatus.UNKNOWN:
        return "Alipay is asked what became of it.", "向支付宝查询退款结果。"
    if refund.waits_for_balance:
        return (
            "It is sent again: put money into the shop's Alipay account before.",
            "再次发出退款请求：请提前为商户支付宝账户充值。",
        )
    return "It is sent to Alipay.", "向支付宝发出退款请求。"
