"""Why there is no receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.receipts.model import ReceiptStatus
from daozhang.service.refusals import Refusal

NOT_ASKED_FOR: Final = "not asked for"

_STANDS_ZH: Final[Mapping[str, str]] = {
    NOT_ASKED_FOR: "尚未申请",
    ReceiptStatus.REQUESTED.value: "已申请",
    ReceiptStatus.MAKING.value: "正在生成",
    ReceiptStatus.READY.value: "已生成",
    ReceiptStatus.FAILED.value: "生成失败",
}
"""How far a receipt is, in Chinese; in English its own word says it."""


class ReceiptNotReady(Refusal):
    """There is no receipt yet."""

    code = "receipt_not_ready"
    title = "The receipt is not there yet"

    def __init__(self, status: str = NOT_ASKED_FOR) -> None:
        super().__init__(
            f"The receipt is {status}: ask for it first, and come back when it is ready.",
            f"回单{_STANDS_ZH[status]}：请先申请，生成后再下载。",
            stands=status,
        )


class ReceiptKeyInvalid(Refusal):
    """The key says of nothing what a receipt should be of."""

    code = "receipt_key_invalid"
    status = 422
    title = "That is no key of a receipt"

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(
            f"{key!r} is no key of a receipt of kind {kind}: write a day as 2026-03-02, a month as 2026-03, "
            "days as 20260302-20260305, or the number of a movement.",
            f"{key!r} 不是 {kind} 回单的有效编号：日期写作 2026-03-02，月份写作 2026-03，"
            "区间写作 20260302-20260305，或填写账务流水号。",
            kind=kind,
        )


class ReceiptNotOver(Refusal):
    """The time that the receipt would be of is not over."""

    code = "receipt_not_over"
    title = "That time is not over"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} is not over yet: Alipay makes a receipt of it from the next day on.",
            f"{key} 尚未结束：支付宝次日起方可出具回单。",
            key=key,
        )
