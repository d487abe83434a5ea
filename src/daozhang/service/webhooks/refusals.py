"""What webhooks refuse."""

from __future__ import annotations

from typing import ClassVar

from daozhang.service.refusals import Refusal


class EndpointNotFound(Refusal):
    """No endpoint of that id belongs to this merchant."""

    code: ClassVar[str] = "webhook_endpoint_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such webhook endpoint"

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(
            f"This merchant has no webhook endpoint {endpoint_id!r}.",
            f"该商户没有 webhook 地址 {endpoint_id!r}.",
            endpoint_id=endpoint_id,
        )


class DeliveryNotFound(Refusal):
    """No delivery of that id belongs to this merchant."""

    code: ClassVar[str] = "webhook_delivery_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such delivery"

    def __init__(self, delivery_id: str) -> None:
        super().__init__(
            f"This merchant has no webhook delivery {delivery_id!r}.",
            f"该商户没有投递记录 {delivery_id!r}.",
            delivery_id=delivery_id,
        )


class EndpointAddressNotAllowed(Refusal):
    """The address is one that is not called."""

    code: ClassVar[str] = "webhook_address_not_allowed"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Address not allowed"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"Events cannot be sent to {url!r}: {why}.",
            f"不能向 {url!r} 发送事件: {why}.",
            url=url,
        )


class EndpointOff(Refusal):
    """The endpoint is switched off, so nothing is sent to it."""

    code: ClassVar[str] = "webhook_endpoint_off"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The endpoint is off"

    def __init__(self, endpoint_id: str, status: str) -> None:
        super().__init__(
            f"The endpoint {endpoint_id!r} is {status}: resume it first, then what waits is sent.",
            f"地址 {endpoint_id!r} 处于 {status} 状态: 请先恢复 (resume), 之后会补发.",
            endpoint_id=endpoint_id,
        )


class SinceMissing(Refusal):
    """Nobody said since when."""

    code: ClassVar[str] = "webhook_since_missing"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Since when?"

    def __init__(self) -> None:
        super().__init__("Pick the time since when it is sent again.", "请选择从何时起重新发送。")
