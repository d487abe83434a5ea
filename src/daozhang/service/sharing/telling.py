"""The story of shares in sentences: who wanted them, what was sent and answered, who has the money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from daozhang.service.orders.telling import Sentence, entry, joined, upcoming
from daozhang.service.sharing.messages import sentences_for
from daozhang.service.sharing.model import BY_PLAN, Round, RoundStatus, Share, ShareStatus

_ENDED: Final[Mapping[ShareStatus, Sentence]] = {
    ShareStatus.SUCCEEDED: ("has got", "已收到分账"),
    ShareStatus.FAILED: (
        "has not got, and will not by this request,",
        "未收到分账，本次请求不会再分",
    ),
}

_HELD: Final = (
    "Outgoing money is switched off for this merchant: nothing is sent.",
    "商户已关闭出款开关：请求未发出。",
)


def tell(round_: Round, shares: Sequence[Share]) -> list[dict[str, Any]]:
    """What happened to a round and its shares, as entries of a story."""
    known = {"kind": "share", "out_request_no": round_.out_request_no}
    lines = [entry("requested", round_.created_at, _begun(round_, shares))]
    if round_.held_at is not None:
        lines.append(entry("held", round_.held_at, _HELD))
    if round_.called_at is not None and round_.call_count:
        lines.append(
            entry("called", round_.called_at, _sent(round_.call_count), calls=round_.call_count)
        )
    if round_.last_code is not None:
        said = joined(
            _asked(round_.ask_count), sentences_for(round_.last_code, round_.last_message)
        )
        names = [round_.last_code, round_.last_message]
        lines.append(entry("answer", round_.updated_at, said, names, code=round_.last_code))
    lines += [line for share in shares for line in _of_share(share)]
    if round_.finishes and round_.ended_at is not None and round_.status is RoundStatus.DONE:
        said = "Sharing is finished: the rest is the seller's.", "分账已完结，剩余款项归收款方。"
        lines.append(entry("finished", round_.ended_at, said))
    return [{**line, **known, "word": line["kind"]} for line in lines]


def _begun(round_: Round, shares: Sequence[Share]) -> Sentence:
    amount = f"{round_.amount} {round_.amount.currency}"
    if not shares:
        return "Sharing is to be finished.", "登记完结分账。"
    if round_.requested_by == BY_PLAN:
        return (
            f"Plan {round_.plan} shares {amount} among {len(shares)}.",
            f"按分账方案 {round_.plan} 分账 {amount}，共 {len(shares)} 方。",
        )
    return (
        f"{amount} was written down to be shared among {len(shares)}.",
        f"登记分账 {amount}，共 {len(shares)} 方，等待发出。",
    )


def _sent(calls: int) -> Sentence:
    if calls == 1:
        return "It was sent to Alipay.", "已向支付宝发出分账请求。"
    return (
        f"It was sent to Alipay, {calls} times by now: always under the same number.",
        f"已向支付宝发出分账请求，共 {calls} 次，始终使用同一请求号。",
    )


def _asked(asks: int) -> Sentence | None:
    if not asks:
        return None
    return f"Alipay was asked {asks} times what became of it.", f"已向支付宝查询 {asks} 次。"


def _of_share(share: Share) -> Iterable[dict[str, Any]]:
    if share.ended_at is None or share.status not in _ENDED:
        return
    english, chinese = _ENDED[share.status]
    amount = f"{share.amount} {share.amount.currency}"
    said = f"{share.account} {english} {amount}.", f"{share.account} {chinese} {amount}。"
    reason = sentences_for(share.last_code, share.last_message)
    back: Sentence | None = None
    if share.returned:
        back = (
            f"{share.returned} of it has come back.",
            f"其中 {share.returned} 已退回。",
        )
    if share.covered:
        paid = (
            f"The seller has covered {share.covered} of it.",
            f"其中 {share.covered} 由收款方垫付。",
        )
        back = paid if back is None else joined(back, paid)
    sentence = joined(said, reason if share.status is ShareStatus.FAILED else None, back)
    names = (share.account, share.amount.currency, share.last_code)
    more = {"account": share.account, "amount": str(share.amount), "status": share.status.value}
    yield entry("ended", share.ended_at, sentence, names, **more)


def tell_next(round_: Round) -> Iterable[dict[str, Any]]:
    """What happens next to a round by itself."""
    if round_.held_at is not None:
        said = (
            "The shares go by themselves once somebody switches outgoing money on again.",
            "出款开关重新打开后自动发出分账请求。",
        )
        yield upcoming(None, said)
    elif round_.is_open and round_.due_at is not None:
        asks = round_.status is not RoundStatus.REQUESTED
        said = (
            ("Alipay is asked what became of the shares.", "向支付宝查询分账结果。")
            if asks
            else ("The shares are sent to Alipay.", "向支付宝发出分账请求。")
        )
        yield upcoming(round_.due_at, said)
    elif round_.returns_due_at is not None:
        said = (
            "Alipay is asked what came back of the shares with the refunds that were made meanwhile.",
            "向支付宝查询期间退款时各分账方退回的金额。",
        )
        yield upcoming(round_.returns_due_at, said)
