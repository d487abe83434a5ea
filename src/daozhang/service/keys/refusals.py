"""Why a key is not taken."""

from __future__ import annotations

from daozhang.service.refusals import Refusal


class KeyRefused(Refusal):
    """The key or certificate will not do; the detail says why."""

    code = "key_refused"
    status = 422
    title = "The key will not do"


class DraftNotFound(Refusal):
    """There is no such draft of this person's, or it is over."""

    code = "draft_not_found"
    status = 404
    title = "No such draft"

    def __init__(self) -> None:
        super().__init__(
            "There is no such draft of yours; it may have been finished or thrown away.",
            "没有该草稿，可能已完成或已删除。",
        )


class DraftUnproved(Refusal):
    """Alipay has not answered yet with these keys."""

    code = "draft_unproved"
    title = "Alipay has not proved the keys"

    def __init__(self) -> None:
        super().__init__(
            "Have Alipay asked first: no app is added whose keys no answer of Alipay's has proved.",
            "请先向支付宝发起验证：密钥未经支付宝应答验证的应用不能添加。",
        )


class KeyChangeWaiting(Refusal):
    """Another key of that kind waits already."""

    code = "key_change_waiting"
    title = "A new key waits already"

    def __init__(self) -> None:
        super().__init__(
            "A new key of this app waits already: take it into use or drop it first.",
            "该应用已有一个新密钥在等待，请先启用或放弃它。",
        )


class KeyChangeNotFound(Refusal):
    """There is no such change of keys, or it is over."""

    code = "key_change_not_found"
    status = 404
    title = "No such change of keys"

    def __init__(self) -> None:
        super().__init__(
            "There is no such change of keys here, or it is over.", "没有该密钥变更，或已结束。"
        )


class AppWithoutMerchant(Refusal):
    """No second owner can be asked, since nobody collects with the app."""

    code = "app_without_merchant"
    title = "The app has no merchant"

    def __init__(self) -> None:
        super().__init__(
            "This app has no merchant yet: add one before you change Alipay's key.",
            "该应用还没有商户，请先添加商户再更换支付宝公钥。",
        )
