"""The story of a hold in sentences that whoever stands at the desk understands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from daozhang.service.holds.messages import sentences_for
from daozhang.service.holds.model import Hold, HoldFactKind, HoldStatus, HoldWay, Release
from daozhang.service.holds.model import ReleaseOrigin as Origin
from daozhang.service.orders.telling import (
    Sentence,
    does_not_fit,
    entry,
    joined,
    upcoming,
    without_repeats,
)

_ANSWERS: Final[Mapping[str, Sentence]] = {
    HoldFactKind.ABSENT.value: ("no such hold", "没有这笔预授权"),
    HoldFactKind.INIT.value: ("the buyer has not confirmed yet", "买家尚未确认"),
    HoldFactKind.AUTHORIZED.value: ("the money is frozen", "资金已冻结"),
    HoldFactKind.FINISHED.value: ("nothing is frozen any more", "已无冻结金额"),
    HoldFactKind.CLOSED.value: ("closed, nothing is frozen", "预授权已关闭，无冻结金额"),
}

_ASKED: Final[Mapping[str, Sentence]] = {
    "query": ("Alipay was asked how the hold stands, and answered", "向支付宝查询预授权，答复"),
    "freeze": ("Alipay answered the freeze", "支付宝对冻结请求的答复"),
    "cancel": ("Alipay answered the cancel", "支付宝对撤销请求的答复"),
}

_BECAME: Final[Mapping[HoldStatus, Sentence]] = {
    HoldStatus.CREATED: ("The hold waits to be confirmed.", "预授权等待确认。"),
    HoldStatus.WAITING: ("The hold waits for the buyer.", "预授权等待买家确认。"),
    HoldStatus.CLOSING: (
        "The hold is given up: it is cancelled at Alipay, until that is proven.",
        "预授权已放弃：正在向支付宝撤销，直至确认。",
    ),
    HoldStatus.AUTHORIZED: (
        "The buyer's money is frozen: it can be taken, or let go.",
        "买家资金已冻结：可以扣款或解冻。",
    ),
    HoldStatus.FINISHED: (
        "The end: nothing of the hold is frozen any more.",
        "最终结果：预授权已完结，无冻结金额。",
    ),
    HoldStatus.CLOSED: (
        "The end: nothing was taken, and nothing is frozen.",
        "最终结果：预授权已关闭，未扣款，无冻结金额。",
    ),
}

_OURS: Final[Mapping[str, Sentence]] = {
    "scanned": (
        "The buyer's code was scanned, and Alipay was asked to freeze the money.",
        "已扫描买家付款码，并请求支付宝冻结资金。",
    ),
    "handed_out": (
        "The buyer was given what confirms the hold.",
        "已向买家提供确认预授权的二维码或支付串。",
    ),
    "cancel": ("The hold was given up here.", "商户取消了预授权。"),
    "expiry": ("The time to confirm was over.", "确认时限已过。"),
    "refused": ("Alipay refused the freeze definitely.", "支付宝明确拒绝了冻结。"),
    "not_sent": (
        "Nothing was sent: the shop's own settings did not allow it.",
        "请求未发出：商户系统配置有误。",
    ),
    "cancel_refused": (
        "Alipay refused the cancel, and the money is frozen: a person decides what becomes of it.",
        "支付宝拒绝了撤销，资金已冻结：需要人工决定如何处理。",
    ),
}
"""What we did ourselves, by the cause of the step."""

_SAME: Final = ("cause", "status_after", "events", "note", "fact", "status_before")

NOTICES: Final[Mapping[str, Sentence]] = {
    "fund_auth_freeze": ("money was frozen", "资金已冻结"),
    "fund_auth_unfreeze": ("money was let go", "资金已解冻"),
    "fund_auth_operation_cancel": ("the hold was cancelled", "预授权已撤销"),
}
"""What Alipay tells of holds, by its name of the kind."""

_CALLS: Final[Mapping[str, Sentence]] = {
    "freeze": ("the freeze", "冻结请求"),
    "cancel": ("the cancel", "撤销请求"),
    "query": ("the question how the hold stands", "预授权查询"),
    "unfreeze": ("the release", "解冻请求"),
    "unfreeze_query": ("the question about the release", "解冻查询"),
}

_RELEASED: Final[Mapping[str, Sentence]] = {
    "done": ("Alipay has let it go.", "支付宝已解冻。"),
    "absent": ("Alipay has no such release.", "支付宝没有这笔解冻。"),
}

_CANCELLED: Final[Mapping[str, Sentence]] = {
    "close": ("Nothing had been frozen.", "此前未冻结资金。"),
    "unfreeze": ("What had been frozen went back to the buyer.", "已冻结的资金已退还买家。"),
}


def cause_of_call(call: str, outcome: str) -> str:
    """The cause of a step by which nothing moved: a call that has told something else than a fact."""
    return f"call:{call}:{outcome}"


def tell(
    hold: Hold, steps: Iterable[Mapping[str, Any]], releases: Iterable[Release]
) -> list[dict[str, Any]]:
    """The steps and the releases of a hold, as entries of a story."""
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
            fact=dict(step["fact"]),
        )
        for step, again in without_repeats(steps, _SAME)
    ]
    created = entry(
        "created",
        hold.created_at,
        (
            f"A hold of {hold.amount} {hold.amount.currency} was asked for ({hold.title}).",
            f"发起预授权 {hold.amount} {hold.amount.currency}（{hold.title}）。",
        ),
    )
    return [created, *told, *(line for release in releases for line in _lines_of(release))]


def _sentence_of(step: Mapping[str, Any]) -> Sentence:
    cause, kind = str(step["cause"]), step["fact"].get("kind")
    moved = step["status_before"] != step["status_after"]
    became = _BECAME[HoldStatus(step["status_after"])] if moved else None
    if cause.startswith("call:"):
        return _sentence_of_call(step)
    if kind is None:
        return joined(_OURS[cause], became)
    asked, answer = _ASKED[cause], _ANSWERS[kind]
    learned = f"{asked[0]}: {answer[0]}.", f"{asked[1]}：{answer[1]}。"
    return joined(learned, became, does_not_fit(step["note"]))


def _sentence_of_call(step: Mapping[str, Any]) -> Sentence:
    _, call, outcome = str(step["cause"]).split(":")
    name, code = _CALLS[call], step["note"]
    if outcome in _RELEASED:
        return _RELEASED[outcome]
    if outcome in _CANCELLED:
        return _CANCELLED[outcome]
    if outcome in ("refused", "rejected", "state"):
        said = sentences_for(code, None)
        return joined(
            (f"Alipay refused {name[0]} ({code}).", f"支付宝拒绝了{name[1]}（{code}）。"), said
        )
    if outcome == "stopped":
        return (
            "Nothing was sent: the merchant has switched off what moves money.",
            "请求未发出：商户已关闭资金操作开关。",
        )
    if outcome == "interrupted":
        return (
            f"No answer to {name[0]} was recorded: Alipay is asked what it did.",
            f"{name[1]}没有答复记录：将向支付宝查询其结果。",
        )
    return (
        f"No clear answer to {name[0]} came: it is asked again.",
        f"{name[1]}未收到明确答复，将再次查询。",
    )


def _lines_of(release: Release) -> Iterable[dict[str, Any]]:
    more: dict[str, Any] = {"out_request_no": release.out_request_no, "amount": str(release.amount)}
    if release.origin is Origin.EXTERNAL:
        sentence = (
            f"{release.amount} was let go by Alipay or in the merchant centre, not by us.",
            f"{release.amount} 由支付宝或在商家平台解冻，非本系统发起。",
        )
        yield entry("release", release.created_at, sentence, status=release.status.value, **more)
        return
    asked = (
        f"It was asked to let {release.amount} go.",
        f"请求解冻 {release.amount}。",
    )
    yield entry("release", release.created_at, asked, status="requested", **more)
    if release.ended_at is not None:
        ends = {
            "succeeded": (
                f"{release.amount} was let go: it is the buyer's again.",
                f"已解冻 {release.amount}，退还买家。",
            ),
            "failed": (
                f"{release.amount} was not let go, and will not be by this number.",
                f"{release.amount} 未解冻，该单号之后也不会解冻。",
            ),
        }
        status = release.status.value
        yield entry("release", release.ended_at, ends[status], status=status, **more)


_NEXT: Final[Mapping[HoldStatus, Sentence]] = {
    HoldStatus.CREATED: (
        "Alipay is asked whether the buyer has confirmed.",
        "向支付宝查询买家是否已确认。",
    ),
    HoldStatus.WAITING: (
        "Alipay is asked whether the buyer has confirmed.",
        "向支付宝查询买家是否已确认。",
    ),
    HoldStatus.CLOSING: (
        "It is cancelled at Alipay, or the cancel is confirmed.",
        "向支付宝撤销预授权，或确认撤销结果。",
    ),
    HoldStatus.AUTHORIZED: (
        "Alipay is asked whether the money is still frozen.",
        "向支付宝查询资金是否仍被冻结。",
    ),
    HoldStatus.CLOSED: ("Alipay is asked how it stands.", "向支付宝查询预授权状态。"),
    HoldStatus.FINISHED: ("Alipay is asked how it stands.", "向支付宝查询预授权状态。"),
}


def tell_next(hold: Hold, releases: Iterable[Release]) -> Iterable[dict[str, Any]]:
    """What happens next to a hold by itself."""
    if hold.attention:
        yield upcoming(
            None,
            (
                "A person has to look at it: nothing is taken or cancelled by itself.",
                "需要人工处理：系统不会自动扣款或撤销。",
            ),
        )
    for release in releases:
        if release.is_open:
            yield upcoming(
                hold.due_at,
                (
                    f"The release of {release.amount} is sent, or Alipay is asked about it.",
                    f"发出 {release.amount} 的解冻请求，或向支付宝查询其结果。",
                ),
            )
            return
    if hold.due_at is not None:
        yield upcoming(hold.due_at, _NEXT[hold.status])
    if hold.status in (HoldStatus.CREATED, HoldStatus.WAITING):
        until = hold.expires_at
        if hold.way is HoldWay.BARCODE and hold.wait_until is not None:
            until = hold.wait_until
        yield upcoming(
            until,
            (
                "The buyer's time to confirm is over; soon after the hold is closed.",
                "买家确认时限到期，随后关闭预授权。",
            ),
        )
