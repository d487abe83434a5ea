"""Why a person is not let in, or may not do something."""

from __future__ import annotations

from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal


class RightMissing(Refusal):
    """None of the person's roles allows this."""

    code = "right_missing"
    status = 403
    title = "Your roles do not allow this"

    def __init__(self, right: Right) -> None:
        super().__init__(
            f"Your roles do not hold the right {right.value}; an owner can give you one that does.",
            f"您的角色没有 {right.value} 权限，请联系所有者调整。",
            right=right.value,
        )


class MerchantNotYours(Refusal):
    """The person does not work for this merchant, or there is none: the answer does not tell."""

    code = "merchant_not_yours"
    status = 404
    title = "No such merchant for you"

    def __init__(self) -> None:
        super().__init__(
            "You work for no such merchant here; an owner can change for which you do.",
            "您不负责该商户，请联系所有者调整。",
        )


class PersonNotFound(Refusal):
    """There is no such person."""

    code = "person_not_found"
    status = 404
    title = "No such person"

    def __init__(self, who: str) -> None:
        super().__init__(f"There is no {who[:64]!r} here.", f"没有 {who[:64]!r} 这个人员。")


class PersonInvalid(Refusal):
    """Something about the person is not as it should be; the detail says what."""

    code = "person_invalid"
    status = 422
    title = "The person cannot be saved"


class PersonExists(Refusal):
    """Somebody signs in with that email already."""

    code = "person_exists"
    title = "The email is taken"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"Somebody signs in as {email!r} already, maybe disabled: change that person instead.",
            f"{email!r} 已被使用（可能已停用），请直接修改该人员。",
        )


class LastOwner(Refusal):
    """Nobody could do everything any more."""

    code = "last_owner"
    title = "The last owner stays"

    def __init__(self) -> None:
        super().__init__(
            "This is the last active owner: make somebody else an owner first.",
            "这是最后一位所有者，请先指定另一位所有者。",
        )


class InvitationInvalid(Refusal):
    """The one-time address was used, has expired, or is none: the answer does not tell which."""

    code = "invitation_invalid"
    status = 410
    title = "The address is used up"

    def __init__(self) -> None:
        super().__init__(
            "This address was used or has expired; ask whoever gave it to you for a new one.",
            "该链接已使用或已过期，请向给您链接的人索取新的。",
        )


class PasswordRefused(Refusal):
    """The new password will not do; the detail says why."""

    code = "password_refused"
    status = 422
    title = "The password will not do"


class SignInRefused(Refusal):
    """Wrong name or password, or nobody who may sign in: the answer does not tell which."""

    code = "sign_in_refused"
    status = 401
    title = "Not signed in"

    def __init__(self) -> None:
        super().__init__(
            "This email and password do not go together, or may not sign in.",
            "邮箱或密码不正确，或该账户不能登录。",
        )


class SignInLocked(Refusal):
    """Too many failures: nobody is let in for a while, whatever they know."""

    code = "sign_in_locked"
    status = 429
    title = "Too many failures"

    def __init__(self, retry_after_seconds: int) -> None:
        minutes = -(-retry_after_seconds // 60)
        super().__init__(
            f"Too many failures; try again in {minutes} min, or sign in with a passkey.",
            f"失败次数过多，请在 {minutes} 分钟后再试，或使用通行密钥登录。",
            retry_after_seconds=retry_after_seconds,
        )


class CodeRefused(Refusal):
    """The code is wrong, or was used before."""

    code = "code_refused"
    status = 401
    title = "The code is not right"

    def __init__(self) -> None:
        super().__init__(
            "This code is wrong or was used already: wait for the next one. If none is taken, the "
            "clock of your phone is off.",
            "验证码不正确或已使用，请等待下一个验证码；若一直无效，请校准手机时间。",
        )


class PasskeyRefused(Refusal):
    """The passkey is not known here, or what it signed is not what was asked."""

    code = "passkey_refused"
    status = 401
    title = "The passkey was not taken"

    def __init__(self) -> None:
        super().__init__(
            "This passkey is not known here, or took too long: try again, or use your password.",
            "未能识别该通行密钥或已超时，请重试，或使用密码登录。",
        )


class SessionEnded(Refusal):
    """The session is over, or never was."""

    code = "session_ended"
    status = 401
    title = "Sign in again"

    def __init__(self) -> None:
        super().__init__("Your session is over: sign in again.", "会话已结束，请重新登录。")


class ConfirmationNeeded(Refusal):
    """What is grave asks anew who one is."""

    code = "confirmation_needed"
    status = 403
    title = "Confirm that it is you"

    def __init__(self) -> None:
        super().__init__(
            "For this, confirm with your password or passkey that it is you.",
            "此操作需要您再次输入密码或使用通行密钥确认身份。",
        )
