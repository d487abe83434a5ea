"""Why an App or a Merchant cannot be added or found."""

from __future__ import annotations

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
