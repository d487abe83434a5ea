"""The story of a transfer in sentences: who wanted it, what was sent and answered, where the money is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from daozhang.service.approvals.model import Approval, ApprovalStatus
from daozhang.service.orders.telling import Sentence, entry, joined, upcoming
from daozhang.service.transfers.messages import sentences_for
from daozhang.service.transfers.model import Transfer, TransferStatus

NOTICES: Final[Mapping[str, Sentence]] = {
    "alipay.fund.trans.order.changed": ("the transfer has moved on", "转账状态有变化"),
}
"""What Alipay tells of transfers, by its name of the kind."""

_DECIDED: Final[Mapping[ApprovalStatus, Sentence]] = {
    ApprovalStatus.APPROVED: ("approved it", "批准了转账"),
    ApprovalStatus.DECLINED: ("declined it: nothing has moved", "拒绝了转账：未动用资金"),
    ApprovalStatus.WITHDRAWN: ("took the wish back: nothing has moved", "撤回了申请：未动用资金"),
}

_HELD: Final = (
    "Outgoing money is switched off for this merchant: nothing is sent.",
    "商户已关闭出款开关：请求未发出。",
)


def tell(transfer: Transfer, approvals: Iterable[Approval]) -> list[dict[str, Any]]:
    """What happened to a transfer, as entries of a story."""
    entries = [entry("requested", transfer.created_at, _begun(transfer))]
    entries += [line for approval in approvals for line in _approval(approval)]
    if transfer.held_at is not None:
        entries.append(entry("held", transfer.held_at, _HELD))
    if transfer.called_at is not None and transfer.call_count:
        said = _sent(transfer.call_count)
        entries.append(entry("called", transfer.called_at, said, calls=transfer.call_count))
    if transfer.last_code is not None:
        said = sentences_for(transfer.last_code, transfer.last_message)
        answered = joined(_asked(transfer.ask_count), said)
        names = (transfer.last_code,)
        entries.append(
            entry("answer", transfer.updated_at, answered, names, code=transfer.last_code)
        )
    if transfer.paid_at is not None:
        entries.append(entry("succeeded", transfer.paid_at, _gone(transfer)))
    if transfer.returned_at is not None:
        entries.append(
            entry(
                "returned",
                transfer.returned_at,
                (
                    "A bank sent it back: the money is in your Alipay account again. It is not sent again "
                    "by itself.",
                    "银行退回：款项已回到商户支付宝账户，系统不会自动重发。",
                ),
            )
        )
    if transfer.status is TransferStatus.FAILED and transfer.ended_at is not None:
        ended = (
            "The end: it has not gone, and will not by this number.",
            "最终结果：未转出，该单号之后也不会转出。",
        )
        entries.append(entry("ended", transfer.ended_at, ended, status=transfer.status.value))
    return entries


def _begun(transfer: Transfer) -> Sentence:
    amount = f"{transfer.amount} {transfer.amount.currency}"
    return (
        f"A transfer of {amount} to {transfer.payee_shown} was asked for ({transfer.title}).",
        f"申请向 {transfer.payee_shown} 转账 {amount}（{transfer.title}）。",
    )


def _gone(transfer: Transfer) -> Sentence:
    if transfer.to_card:
        return (
            "The bank has taken it. It may still send it back, for days.",
            "银行已受理入账；数日内仍可能退回。",
        )
    return "Alipay says that it has arrived.", "支付宝确认已到账。"


def _sent(calls: int) -> Sentence:
    if calls == 1:
        return "It was sent to Alipay.", "已向支付宝发出转账请求。"
    return (
        f"It was sent to Alipay, {calls} times by now: always under the same number.",
        f"已向支付宝发出转账请求，共 {calls} 次，始终使用同一单号。",
    )


def _asked(asks: int) -> Sentence | None:
    if not asks:
        return None
    return f"Alipay was asked {asks} times what became of it.", f"已向支付宝查询 {asks} 次。"


def _approval(approval: Approval) -> Iterable[dict[str, Any]]:
    names = (approval.requested_name,)
    asked = (
        f"{approval.requested_name} wants it; it takes a second person.",
        f"{approval.requested_name} 申请转账，须由另一人审批。",
    )
    yield entry("approval", approval.created_at, asked, names, status="pending")
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
        (approval.decided_name,),
        status=approval.status.value,
        note=approval.decision_note,
    )


def tell_next(transfer: Transfer) -> Iterable[dict[str, Any]]:
    """What happens next to a transfer by itself."""
    if transfer.status is TransferStatus.AWAITING_APPROVAL:
        yield upcoming(None, ("A second person decides.", "等待另一人审批。"))
    elif transfer.held_at is not None:
        yield upcoming(
            None,
            (
                "It goes by itself once somebody switches outgoing money on again.",
                "出款开关重新打开后自动发出。",
            ),
        )
    elif transfer.due_at is not None:
        yield upcoming(transfer.due_at, _next_of(transfer))


def _next_of(transfer: Transfer) -> Sentence:
    if transfer.waits_for_balance:
        return (
            "It is sent again: put money into the Alipay account before.",
            "再次发出转账请求：请提前为支付宝账户充值。",
        )
    if transfer.waits_for_limit:
        return (
            "The limit is over then, and it is sent again.",
            "届时额度恢复，自动再次发出转账请求。",
        )
    if transfer.status is TransferStatus.REQUESTED:
        return "It is sent to Alipay.", "向支付宝发出转账请求。"
    if transfer.status is TransferStatus.SUCCEEDED:
        return (
            "Alipay is asked whether the bank has sent it back.",
            "向支付宝查询银行是否退回。",
        )
    return "Alipay is asked what became of it.", "向支付宝查询转账结果。"
