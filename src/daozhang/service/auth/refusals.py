"""Why a caller is not let in."""

from __future__ import annotations

from collections.abc import Sequence

from daozhang.service.refusals import Refusal


class NotAuthenticated(Refusal):
    """No key, an unknown key, or a revoked one: the answer does not tell which."""

    code = "not_authenticated"
    status = 401
    title = "Not authenticated"

    def __init__(self) -> None:
        super().__init__(
            "Send a valid API key as 'Authorization: Bearer dz_...'. Make one with: "
            "daozhang apikey create",
            "请在请求头 Authorization: Bearer dz_... 中提供有效的 API 密钥; "
            "可用 daozhang apikey create 创建.",
        )


class EnvironmentNotAllowed(Refusal):
    """The key's environment is not one that this deployment allows."""

    code = "environment_not_allowed"
    status = 403
    title = "Environment not allowed here"

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"This deployment does not allow {environment}; the operator names what it allows in "
            "DAOZHANG_ENVIRONMENTS.",
            f"当前部署不允许 {environment} 环境, 见配置 DAOZHANG_ENVIRONMENTS.",
            environment=environment,
        )


class ScopeMissing(Refusal):
    """The key does not allow this."""

    code = "scope_missing"
    status = 403
    title = "The key does not allow this"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This API key lacks the scope {scope}; use a key that has it.",
            f"此 API 密钥没有 {scope} 权限.",
            scope=scope,
        )


class MerchantNotNamed(Refusal):
    """The key covers several merchants and the request names none."""

    code = "merchant_not_named"
    status = 400
    title = "Name a merchant"

    def __init__(self) -> None:
        super().__init__(
            "This API key covers several merchants: name one in the header Daozhang-Merchant.",
            "此 API 密钥包含多个商户, 请在请求头 Daozhang-Merchant 中指明.",
        )


class MerchantNotCovered(Refusal):
    """The header names a merchant that the key does not cover, or that does not exist."""

    code = "merchant_not_covered"
    status = 404
    title = "No such merchant for this key"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"This API key covers no merchant {slug[:64]!r}.",
            f"此 API 密钥不包含商户 {slug[:64]!r}.",
            merchant=slug[:64],
        )


class ApiKeyNotFound(Refusal):
    """There is no such key."""

    code = "api_key_not_found"
    status = 404
    title = "No such API key"

    def __init__(self, prefix: str) -> None:
        super().__init__(
            f"No API key begins with {prefix[:16]!r}; daozhang apikey list shows them.",
            f"没有以 {prefix[:16]!r} 开头的 API 密钥, 可用 daozhang apikey list 查看.",
        )


class ApiKeyInvalid(Refusal):
    """A key cannot be made like this."""

    code = "api_key_invalid"
    status = 422
    title = "The key cannot be made"

    @classmethod
    def several_environments(cls, environments: Sequence[str]) -> ApiKeyInvalid:
        listed = ", ".join(sorted(environments))
        return cls(
            f"A key belongs to one environment; these merchants are of: {listed}.",
            f"一个密钥只属于一个环境, 所选商户分属: {listed}.",
        )
