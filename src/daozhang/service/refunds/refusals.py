"""Why a refund can be refused before Alipay is asked."""

from __future__ import annotations

from daozhang.money import Money
from daozhang.service.refunds.model import Refund
from daozhang.service.refusals import Refusal


class RefundConflict(Refusal):
    """The number belongs to another refund of this order."""

    code = "refund_conflict"
    title = "The refund exists with other content"

    def __init__(self, refund: Refund) -> None:
        super().__init__(
            f"Refund {refund.out_request_no!r} of this order exists already: {refund.amount} "
            f"{refund.amount.currency}, origin {refund.origin.value}. One number means one "
            "refund: use a new out_request_no, or send the same amount again.",
            f"该订单的退款 {refund.out_request_no!r} 已存在：{refund.amount} "
            f"{refund.amount.currency}，来源 {refund.origin.value}。一个退款请求号只对应一笔退款："
            "请换用新的 out_request_no，或以相同金额重发。",
            out_request_no=refund.out_request_no,
            amount=str(refund.amount),
        )


class RefundNotFound(Refusal):
    """No such refund belongs to this merchant."""

    code = "refund_not_found"
    status = 404
    title = "No such refund"

    def __init__(self, refund_id: str) -> None:
        super().__init__(
            f"This merchant has no refund {refund_id[:32]!r}.",
            f"该商户没有退款 {refund_id[:32]!r}。",
        )


class RefundNumberMissing(Refusal):
    """Neither out_request_no nor an Idempotency-Key was sent."""

    code = "refund_number_missing"
    status = 422
    title = "The refund needs a number of yours"

    def __init__(self) -> None:
        super().__init__(
            "Send out_request_no in the body, or an Idempotency-Key header: without a number of "
            "yours, a repeated request could pay the buyer twice.",
            "请在请求体中提供 out_request_no，或提供 Idempotency-Key 请求头："
            "没有您自己的编号，重复请求可能会向买家重复退款。",
        )


class RefundLimitExceeded(Refusal):
    """The API key may not move that much in a day."""

    code = "refund_limit_exceeded"
    status = 403
    title = "The refund exceeds the key's limit"

    def __init__(self, asked: Money, limit: Money, used: Money) -> None:
        super().__init__(
            f"This key may refund {limit} {limit.currency} a day (Beijing); {used} is used today, "
            f"and {asked} is asked for. Ask somebody with a higher limit.",
            f"此密钥每日（北京时间）可退 {limit} {limit.currency}，今日已用 {used}，"
            f"本次申请 {asked}。请由额度更高的人操作。",
            amount=str(asked),
            limit=str(limit),
            used=str(used),
        )


class SecondPersonNeeded(Refusal):
    """Together with what was refunded before on one person's word it is above the merchant's amount."""

    code = "second_person_needed"
    status = 403
    title = "The refund takes a second person"

    def __init__(self, asked: Money, above: Money, used: Money) -> None:
        super().__init__(
            f"Above {above} {above.currency} together a refund takes a second person; {used} was "
            f"refunded without one, and {asked} is asked for. Have it approved by somebody else.",
            f"累计超过 {above} {above.currency} 的退款须由另一人审批；未经审批已退 {used}，"
            f"本次申请 {asked}。请由他人审批。",
            amount=str(asked),
            above=str(above),
            used=str(used),
        )
