"""Why a case or a day is not ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from daozhang.service.closing.model import CaseEnd, Obstacle
from daozhang.service.refusals import Refusal


class CaseNotFound(Refusal):
    """There is no such case."""

    code = "case_not_found"
    status = 404
    title = "No such case"

    def __init__(self) -> None:
        super().__init__(
            "There is no such case of this account.",
            "该账户没有此条差异。",
        )


class CaseOver(Refusal):
    """The case has ended."""

    code = "case_over"
    title = "The case has ended"

    def __init__(self) -> None:
        super().__init__(
            "It is settled already, or both sides agree by now.",
            "该差异已处理完毕，或双方已一致。",
        )


class CaseEndNotPossible(Refusal):
    """A case of that class does not end so."""

    code = "case_end_not_possible"
    status = 422
    title = "It cannot end so"

    def __init__(self, end: str, possible: Sequence[CaseEnd]) -> None:
        names = ", ".join(one.value for one in possible)
        super().__init__(
            f"It cannot end as {end!r}; it can as: {names}.",
            f"不能以“{end}”结束；可选：{names}。",
        )


class CaseReasonMissing(Refusal):
    """A proposal says why."""

    code = "case_reason_missing"
    status = 422
    title = "Say why"

    def __init__(self) -> None:
        super().__init__(
            "Say why it ends so: whoever agrees, and whoever closes the day, reads it.",
            "请填写理由：复核人和关账人都会看到。",
        )


class CaseNotProposed(Refusal):
    """Nobody has proposed how the case ends."""

    code = "case_not_proposed"
    title = "Nothing is proposed"

    def __init__(self) -> None:
        super().__init__(
            "Nobody has proposed how it ends: propose it first.",
            "尚无处理方案，请先提出。",
        )


class CaseNeedsAnother(Refusal):
    """Whoever proposes does not agree."""

    code = "case_needs_another"
    status = 403
    title = "A second person has to agree"

    def __init__(self) -> None:
        super().__init__(
            "You proposed it: a second person has to agree.",
            "该方案由您提出，须由另一人复核。",
        )


class CaseChanged(Refusal):
    """What was proposed, or seen, was over other figures."""

    code = "case_changed"
    title = "The figures have changed"

    def __init__(self) -> None:
        super().__init__(
            "The figures are not those over which it was proposed how it ends, or which you saw: look at the case once "
            "more, and if they have changed propose it again.",
            "金额与提出方案时（或您所见）不一致：请重新查看；如金额已变化，请重新提出方案。",
        )


class CaseNotAskable(Refusal):
    """Alipay signs nothing that could decide it."""

    code = "case_not_askable"
    title = "There is no question to Alipay for this"

    def __init__(self, instead: tuple[str, str]) -> None:
        say, say_zh = instead
        super().__init__(
            f"Alipay signs no answer about this. {say}",
            f"支付宝对此没有可作依据的签名答复。{say_zh}",
        )


class CaseUnanswered(Refusal):
    """Alipay has given no answer that decides it."""

    code = "case_unanswered"
    title = "Alipay's answer does not decide it"

    def __init__(self, said: str, said_zh: str) -> None:
        super().__init__(
            f"Alipay was asked: {said}. Nothing was booked.",
            f"已向支付宝查询：{said_zh}。未入账。",
        )


def _said(what: str, deed_zh: str, obstacles: Sequence[Obstacle]) -> tuple[str, str]:
    """That a day or a month is not closed, and what stands in the way."""
    return (
        " ".join([f"{what} cannot be closed yet.", *(one.say for one in obstacles)]),
        "".join([f"{what} 暂不能{deed_zh}。", *(one.say_zh for one in obstacles)]),
    )


class DayNotClosable(Refusal):
    """Something stands in the way of closing the day."""

    code = "day_not_closable"
    title = "The day cannot be closed yet"

    def __init__(self, day: date, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(
            *_said(day.isoformat(), "关账", obstacles), obstacles=[one.code for one in obstacles]
        )


class DayClosed(Refusal):
    """Somebody has closed the day."""

    code = "day_closed"
    title = "The day is closed already"

    def __init__(self, day: date) -> None:
        super().__init__(
            f"{day.isoformat()} is closed already. What comes to light later is posted to the next open day.",
            f"{day.isoformat()} 已关账。之后发现的账目记入下一个未关账日。",
        )


class MonthNotClosable(Refusal):
    """Something stands in the way of closing the month."""

    code = "month_not_closable"
    title = "The month cannot be closed yet"

    def __init__(self, month: date, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(
            *_said(f"{month:%Y-%m}", "结账", obstacles), obstacles=[one.code for one in obstacles]
        )


class MonthProposed(Refusal):
    """Somebody has proposed to close the month, or it is closed."""

    code = "month_proposed"
    title = "It is proposed or closed already"

    def __init__(self, month: date) -> None:
        super().__init__(
            f"Somebody has proposed to close {month:%Y-%m}, or it is closed already.",
            f"{month:%Y-%m} 已有人提请结账，或已结账。",
        )


class MonthNotProposed(Refusal):
    """There is no proposal to agree to."""

    code = "month_not_proposed"
    title = "Nothing is proposed"

    def __init__(self, month: date) -> None:
        super().__init__(
            f"Nobody has proposed to close {month:%Y-%m}, or it is closed already.",
            f"{month:%Y-%m} 尚无人提请结账，或已结账。",
        )


class MonthNeedsAnother(Refusal):
    """Whoever proposes does not agree."""

    code = "month_needs_another"
    status = 403
    title = "A second person has to agree"

    def __init__(self) -> None:
        super().__init__(
            "You proposed to close the month: a second person has to agree.",
            "该月结账由您提请，须由另一人复核。",
        )
