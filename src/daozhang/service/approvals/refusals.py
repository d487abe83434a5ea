"""Why something is not approved."""

from __future__ import annotations

from daozhang.service.approvals.model import Approval
from daozhang.service.refusals import Refusal


class ApprovalNotFound(Refusal):
    """There is no such approval, or none for a merchant of this person's."""

    code = "approval_not_found"
    status = 404
    title = "No such approval"

    def __init__(self, public_id: str) -> None:
        super().__init__(
            f"There is no approval {public_id[:32]!r} here.",
            f"没有审批 {public_id[:32]!r}。",
        )


class ApprovalOver(Refusal):
    """It was decided already, or its time is over."""

    code = "approval_over"
    title = "This was decided or has expired"

    def __init__(self, approval: Approval) -> None:
        super().__init__(
            f"This approval is {approval.status.value} or its time is over; look at it again.",
            "该审批已有结果或已过期，请刷新后查看。",
            stands=approval.status.value,
        )


class ApproverIsRequester(Refusal):
    """The second person must be another one."""

    code = "approver_is_requester"
    status = 403
    title = "It takes somebody else"

    def __init__(self) -> None:
        super().__init__(
            "You asked for this yourself, or made the API key that did: somebody else decides it.",
            "该申请由您本人或您创建的 API 密钥发起，须由他人审批。",
        )


class ApprovalPending(Refusal):
    """The same waits for a second person already, with other content."""

    code = "approval_pending"
    title = "This waits for a second person already"

    def __init__(self, approval: Approval) -> None:
        super().__init__(
            f"Approval {approval.id} about the same waits already, with other content: have it "
            "decided or withdrawn first.",
            f"同一事项的审批 {approval.id} 正在等待且内容不同，请先处理或撤回该审批。",
            approval=approval.id,
        )
