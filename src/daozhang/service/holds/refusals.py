"""Why a hold can be refused what is asked of it."""

from __future__ import annotations

from typing import ClassVar

from daozhang.alipay.errors import Rejected
from daozhang.money import Money
from daozhang.service.holds.messages import sentences_for
from daozhang.service.holds.model import Hold, HoldWay
from daozhang.service.refusals import Refusal


class HoldNotFound(Refusal):
    """No hold of that number belongs to this merchant."""

    code: ClassVar[str] = "hold_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such hold"

    def __init__(self, out_order_no: str) -> None:
        super().__init__(
            f"This merchant has no hold {out_order_no!r}. Check the number, and which merchant the API "
            "key names.",
            f"该商户没有预授权 {out_order_no!r}。请核对单号以及 API 密钥所指的商户。",
            out_order_no=out_order_no,
        )


class HoldConflict(Refusal):
    """The number exists with other content."""

    code: ClassVar[str] = "hold_conflict"
    title: ClassVar[str] = "The number exists with other content"

    def __init__(self, number: str, differs: tuple[str, ...]) -> None:
        listed = ", ".join(differs)
        super().__init__(
            f"{number!r} exists already and differs in: {listed}. Use a new number, or send the same "
            "content again.",
            f"单号 {number!r} 已存在，且以下内容不同：{listed}。请换用新的单号，或以相同内容重发。",
            number=number,
            differs=list(differs),
        )


class HoldWayDiffers(Refusal):
    """What was asked for belongs to another way."""

    code: ClassVar[str] = "hold_way_differs"
    title: ClassVar[str] = "The hold is confirmed in another way"

    def __init__(self, hold: Hold, wanted: HoldWay) -> None:
        super().__init__(
            f"Hold {hold.out_order_no!r} has way {hold.way.value!r}; this is for {wanted.value!r}.",
            f"预授权 {hold.out_order_no!r} 的方式为 {hold.way.value!r}，该操作仅适用于 {wanted.value!r}。",
            way=hold.way.value,
        )


class HoldNotOpen(Refusal):
    """The buyer cannot confirm it any more."""

    code: ClassVar[str] = "hold_not_open"
    title: ClassVar[str] = "The hold cannot be confirmed any more"

    def __init__(self, hold: Hold, reason: str) -> None:
        super().__init__(
            f"Hold {hold.out_order_no!r} is {hold.status.value} ({reason}): make a new hold.",
            f"预授权 {hold.out_order_no!r} 当前状态为 {hold.status.value}（{reason}）：请重新发起。",
            hold_status=hold.status.value,
            reason=reason,
        )


class HoldNotAuthorized(Refusal):
    """Nothing is frozen that could be taken or let go."""

    code: ClassVar[str] = "hold_not_authorized"
    title: ClassVar[str] = "Nothing is frozen"

    def __init__(self, hold: Hold) -> None:
        super().__init__(
            f"Hold {hold.out_order_no!r} is {hold.status.value}: only of an authorized one can money be "
            "taken or let go.",
            f"预授权 {hold.out_order_no!r} 当前状态为 {hold.status.value}：仅已授权的可转支付或解冻。",
            hold_status=hold.status.value,
        )


class AmountExceedsHold(Refusal):
    """More is asked for than is frozen and promised to nobody."""

    code: ClassVar[str] = "amount_exceeds_hold"
    title: ClassVar[str] = "More than remains of the hold"

    def __init__(self, asked: Money, remaining: Money) -> None:
        super().__init__(
            f"{asked} {asked.currency} is more than the {remaining} that is frozen and promised to "
            "nobody. What is under way counts.",
            f"{asked} {asked.currency} 超过可用冻结金额 {remaining}（处理中的金额已计入）。",
            asked=str(asked),
            remaining=str(remaining),
        )


class CaptureUnderWay(Refusal):
    """The last capture lets the rest go: nothing else may be under way."""

    code: ClassVar[str] = "hold_capture_under_way"
    title: ClassVar[str] = "Something of this hold is under way"

    def __init__(self, hold: Hold) -> None:
        super().__init__(
            f"Of hold {hold.out_order_no!r} a capture or a release is not decided yet. The capture that "
            "completes a hold lets the rest go, so it waits until nothing else is under way.",
            f"预授权 {hold.out_order_no!r} 有转支付或解冻尚未完成：完结转支付会释放剩余金额，请稍后再试。",
            out_order_no=hold.out_order_no,
        )


class HoldNotCancellable(Refusal):
    """It is decided."""

    code: ClassVar[str] = "hold_not_cancellable"
    title: ClassVar[str] = "The hold cannot be cancelled"

    def __init__(self, hold: Hold) -> None:
        super().__init__(
            f"Hold {hold.out_order_no!r} is {hold.status.value}: release what remains instead.",
            f"预授权 {hold.out_order_no!r} 当前状态为 {hold.status.value}：请改为解冻剩余金额。",
            hold_status=hold.status.value,
        )


class HoldRefused(Refusal):
    """Alipay said no."""

    code: ClassVar[str] = "hold_refused"
    title: ClassVar[str] = "Alipay refuses the hold"

    def __init__(self, hold: Hold, no: Rejected) -> None:
        said = sentences_for(no.sub_code or no.code, no.message)
        english, chinese = said or ("", "")
        super().__init__(
            f"Hold {hold.out_order_no!r}: {english}",
            f"预授权 {hold.out_order_no!r}：{chinese}",
            alipay_code=no.sub_code or no.code,
            alipay_message=no.message,
        )


class HoldNotMade(Refusal):
    """Alipay's answer did not come, or could not be believed."""

    code: ClassVar[str] = "hold_not_made"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "No code came from Alipay"

    def __init__(self, hold: Hold, reason: str) -> None:
        super().__init__(
            f"Alipay gave no code for hold {hold.out_order_no!r} ({reason}). Ask again: making a code "
            "freezes nothing.",
            f"支付宝未返回预授权 {hold.out_order_no!r} 的二维码。请重试：生成二维码不会冻结资金。",
            reason=reason,
        )
