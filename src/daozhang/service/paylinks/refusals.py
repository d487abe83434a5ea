"""Why a pay link can be refused what is asked of it."""

from __future__ import annotations

from typing import ClassVar

from daozhang.service.refusals import Refusal


class PayLinkNotFound(Refusal):
    """No link of that id belongs to this merchant."""

    code: ClassVar[str] = "paylink_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such pay link"

    def __init__(self, public_id: str) -> None:
        super().__init__(
            f"This merchant has no pay link {public_id!r}.", f"该商户没有收款链接 {public_id!r}。"
        )


class PayLinkInvalid(Refusal):
    """A link for nothing that can be paid."""

    code: ClassVar[str] = "paylink_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not a pay link"


def bounds_invalid() -> PayLinkInvalid:
    """Neither an amount nor bounds, or bounds the wrong way round."""
    return PayLinkInvalid(
        "A link has one amount, or a least and a most amount, of which the least is not above the most.",
        "收款链接须有固定金额，或最低与最高金额，且最低金额不得高于最高金额。",
    )


def expiry_invalid() -> PayLinkInvalid:
    """A link that is over before it begins, or goes on for ever."""
    return PayLinkInvalid(
        "A link ends a minute to a year from now, or not at all.",
        "链接有效期须在一分钟至一年之间，或不设有效期。",
    )


def form_invalid() -> PayLinkInvalid:
    """The form carries no key, so nobody could tell a second click from a second link."""
    return PayLinkInvalid(
        "This form is not whole: load the page again.", "表单不完整：请刷新页面后重试。"
    )


class PayLinkConflict(Refusal):
    """The form has made another link."""

    code: ClassVar[str] = "paylink_conflict"
    title: ClassVar[str] = "This form has made a link already"

    def __init__(self, public_id: str) -> None:
        super().__init__(
            "This form has made a link already, with other content. Look at that one first.",
            "该表单已创建过另一条收款链接，请先查看。",
            paylink=public_id,
        )


class AmountNotTaken(Refusal):
    """What the payer typed lies outside the link's bounds."""

    code: ClassVar[str] = "paylink_amount_not_taken"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "This link takes other amounts"

    def __init__(self) -> None:
        super().__init__("This link takes other amounts.", "该链接不接受此金额。")


class TooManyOpen(Refusal):
    """So many unpaid orders of one link are more than people."""

    code: ClassVar[str] = "paylink_busy"
    status: ClassVar[int] = 429
    title: ClassVar[str] = "Too many unpaid orders of this link"

    def __init__(self) -> None:
        super().__init__(
            "Too many have begun to pay by this link and not paid. Try again in a few minutes.",
            "该链接的未付款订单过多，请几分钟后再试。",
        )
