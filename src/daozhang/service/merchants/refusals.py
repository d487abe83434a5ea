"""Why an App or a Merchant cannot be added or found."""

from __future__ import annotations

from daozhang.service.merchants.model import OutgoingSwitch
from daozhang.service.refusals import Refusal


class AppInvalid(Refusal):
    """Something about the App is not as it should be; the detail says what."""

    code = "app_invalid"
    status = 422
    title = "The app cannot be added"


class AppExists(Refusal):
    """The app id is there already, in that environment."""

    code = "app_exists"
    title = "The app is there already"

    def __init__(self, app_id: str, environment: str) -> None:
        super().__init__(
            f"App {app_id} of {environment} is there already; daozhang app list shows it.",
            f"应用 {app_id} ({environment}) 已存在, 可用 daozhang app list 查看.",
            app_id=app_id,
        )


class AppNotFound(Refusal):
    """No such app."""

    code = "app_not_found"
    status = 404
    title = "No such app"

    def __init__(self, app_id: str) -> None:
        super().__init__(
            f"There is no app {app_id!r} here; daozhang app list shows those there are.",
            f"没有应用 {app_id!r}, 可用 daozhang app list 查看.",
            app_id=app_id,
        )


class MerchantInvalid(Refusal):
    """Something about the Merchant is not as it should be; the detail says what."""

    code = "merchant_invalid"
    status = 422
    title = "The merchant cannot be added"


class SlugTaken(Refusal):
    """The slug is or was another merchant's: addresses with it may still be in use."""

    code = "merchant_slug_taken"
    title = "The slug was used before"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The slug {slug!r} was used before and a slug is never used twice: choose another.",
            f"标识 {slug!r} 已被使用过, 不能再次使用, 请换一个.",
            merchant=slug,
        )


class MerchantNotFound(Refusal):
    """No such merchant."""

    code = "merchant_not_found"
    status = 404
    title = "No such merchant"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"There is no merchant {slug!r} here; daozhang merchant list shows those there are.",
            f"没有商户 {slug!r}, 可用 daozhang merchant list 查看.",
            merchant=slug,
        )


class OutgoingStopped(Refusal):
    """The merchant's switch for outgoing money is off."""

    code = "outgoing_stopped"
    title = "Outgoing money is stopped"

    def __init__(self, switch: OutgoingSwitch) -> None:
        since = switch.changed_at.isoformat(timespec="seconds")
        super().__init__(
            f"No money goes out for this merchant since {since} (by {switch.changed_by}: "
            f"{switch.reason}). Nothing was done: send the same request again once it is allowed "
            "(daozhang merchant outgoing SLUG --allow).",
            f"该商户自 {since} 起已停止一切出款 (操作人 {switch.changed_by}: {switch.reason}). "
            "本次请求未执行, 恢复出款后请原样重发 (daozhang merchant outgoing SLUG --allow).",
            stopped_at=since,
        )


class OutgoingReasonMissing(Refusal):
    """The switch was to be turned without a word why."""

    code = "outgoing_reason_missing"
    status = 422
    title = "Say why"

    def __init__(self) -> None:
        super().__init__(
            "Say why outgoing money is stopped or allowed, in at most 256 characters: it is kept.",
            "请说明停止或恢复出款的原因 (最多 256 个字符), 该原因会被保留.",
        )
