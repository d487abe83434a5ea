"""Why nothing can be done with a notification."""

from __future__ import annotations

from typing import ClassVar

from daozhang.service.refusals import Refusal


class NotificationNotFound(Refusal):
    """The merchant has no notification of that number."""

    code: ClassVar[str] = "notification_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such notification"

    def __init__(self, notification_id: int) -> None:
        super().__init__(
            f"This merchant has no notification {notification_id}.",
            f"该商户没有通知 {notification_id}。",
        )


class NotificationForgotten(Refusal):
    """Its raw text is gone, and nothing is applied that cannot be read."""

    code: ClassVar[str] = "notification_forgotten"
    title: ClassVar[str] = "The notification's text is gone"

    def __init__(self) -> None:
        super().__init__(
            "Its raw text was deleted when its time was over, so it cannot be applied again. Ask Alipay "
            "about the order instead.",
            "该通知的原文已过保留期并删除，无法重新处理；请改为向支付宝查询该订单。",
        )
