"""Why an agreement can be refused what is asked of it."""

from __future__ import annotations

from typing import ClassVar

from daozhang.alipay.errors import Rejected
from daozhang.service.agreements.messages import sentences_for
from daozhang.service.agreements.model import Agreement
from daozhang.service.refusals import Refusal


class AgreementNotFound(Refusal):
    """No agreement of that number belongs to this merchant."""

    code: ClassVar[str] = "agreement_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such agreement"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"This merchant has no agreement {number!r}. Check the number, and which merchant the API key "
            "names.",
            f"该商户没有协议 {number!r}。请核对协议号以及 API 密钥所指的商户。",
            external_agreement_no=number,
        )


class AgreementConflict(Refusal):
    """The number exists with other content."""

    code: ClassVar[str] = "agreement_conflict"
    title: ClassVar[str] = "The number exists with other content"

    def __init__(self, number: str, differs: tuple[str, ...]) -> None:
        listed = ", ".join(differs)
        super().__init__(
            f"{number!r} exists already and differs in: {listed}. Use a new number, or send the same "
            "content again.",
            f"号码 {number!r} 已存在，且以下内容不同：{listed}。请换用新的号码，或以相同内容重发。",
            number=number,
            differs=list(differs),
        )


class AgreementNotActive(Refusal):
    """Nothing can be charged by it, or changed of its plan."""

    code: ClassVar[str] = "agreement_not_active"
    title: ClassVar[str] = "The agreement is not in effect"

    def __init__(self, agreement: Agreement) -> None:
        super().__init__(
            f"Agreement {agreement.external_agreement_no!r} is {agreement.status.value}: only one that is "
            "in effect, and that nobody has to look at, can be charged or moved.",
            f"协议 {agreement.external_agreement_no!r} 当前状态为 {agreement.status.value}：仅生效中且无待"
            "人工处理事项的协议可以扣款或调整。",
            agreement_status=agreement.status.value,
        )


class PeriodTaken(Refusal):
    """The present period was charged, or is being charged."""

    code: ClassVar[str] = "agreement_period_taken"
    title: ClassVar[str] = "This period was charged, or is being charged"

    def __init__(self, agreement: Agreement) -> None:
        day = agreement.next_deduct_on
        super().__init__(
            f"Of agreement {agreement.external_agreement_no!r} the period of {day} has been charged, or a try "
            "is not decided yet. Another number may charge the buyer twice.",
            f"协议 {agreement.external_agreement_no!r} 的 {day} 期已扣款，或有一笔扣款尚未确定。换号重扣可能"
            "造成重复扣款。",
            next_deduct_on=None if day is None else day.isoformat(),
        )


class DeductionOutOfRule(Refusal):
    """Alipay would refuse it by the rule that was signed."""

    code: ClassVar[str] = "deduction_out_of_rule"
    title: ClassVar[str] = "The rule that was signed does not allow it"

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english, chinese)


class AgreementNotEndable(Refusal):
    """It was never signed, or has ended."""

    code: ClassVar[str] = "agreement_not_endable"
    title: ClassVar[str] = "There is nothing to end"

    def __init__(self, agreement: Agreement) -> None:
        super().__init__(
            f"Agreement {agreement.external_agreement_no!r} is {agreement.status.value}: only one that was "
            "signed can be ended. A page that nobody signs dies by itself.",
            f"协议 {agreement.external_agreement_no!r} 当前状态为 {agreement.status.value}：仅已签约的协议可以"
            "解约。未签约的页面到期自动失效。",
            agreement_status=agreement.status.value,
        )


class PlanNotMoved(Refusal):
    """Alipay said no to another day, or nobody knows."""

    code: ClassVar[str] = "agreement_plan_not_moved"
    title: ClassVar[str] = "The planned day was not moved"

    def __init__(self, agreement: Agreement, no: Rejected) -> None:
        code = no.sub_code or no.code
        english, chinese = sentences_for(code, no.message) or ("", "")
        super().__init__(
            f"The planned day of {agreement.external_agreement_no!r} was not moved ({code}). {english}",
            f"协议 {agreement.external_agreement_no!r} 的扣款日未调整（{code}）。{chinese}",
            alipay_code=code,
            alipay_message=no.message,
        )


class PlanDayInvalid(Refusal):
    """What was picked is no day."""

    code: ClassVar[str] = "agreement_day_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "That is no day"

    def __init__(self) -> None:
        super().__init__(
            "Pick a day, later than the present one.", "请选择一个晚于当前扣款日的日期。"
        )


class PlanUnclear(Refusal):
    """Alipay's answer did not come, or could not be believed."""

    code: ClassVar[str] = "agreement_plan_unclear"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "Nobody knows whether the planned day was moved"

    def __init__(self, agreement: Agreement, reason: str) -> None:
        super().__init__(
            f"Alipay did not answer ({reason}). Read agreement {agreement.external_agreement_no!r} in a "
            "minute: it is being asked about.",
            f"支付宝未答复（{reason}）。正在查询协议 {agreement.external_agreement_no!r}，请一分钟后查看。",
            reason=reason,
        )
