"""Settings: what an operator decides, read once from ``DAOZHANG_*`` variables, then frozen.

Everything wrong is said at once, at the start, with what to do about it. Each setting has its
paragraph in ``docs/reference/settings.md``; a test sees to that.
"""

from __future__ import annotations

import base64
import difflib
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX: Final = "DAOZHANG_"


class AllowedEnvironment(StrEnum):
    """An environment of Alipay's that this deployment may talk to."""

    EMULATOR = "emulator"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


Texts = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What an operator decides. Durations in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    data_dir: Path = Path(".daozhang")
    database_url: str = Field(default_factory=lambda data: _sqlite_in(data["data_dir"]), repr=False)
    host: str = "127.0.0.1"
    port: int = Field(8800, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8800"
    environments: Annotated[tuple[AllowedEnvironment, ...], NoDecode] = (
        AllowedEnvironment.EMULATOR,
        AllowedEnvironment.SANDBOX,
    )
    clock: Literal["system", "manual"] = "system"
    control_token: SecretStr | None = Field(None, min_length=16)
    metrics_token: SecretStr | None = Field(None, min_length=16)
    sealing_keys: SecretStr | None = None
    sealing_keys_file: Path = Field(default_factory=lambda data: data["data_dir"] / "sealing.keys")
    cors_origins: Texts = ()
    notify_body_bytes_max: int = Field(64 * 1024, ge=4096, le=1024 * 1024)
    api_body_bytes_max: int = Field(64 * 1024, ge=4096, le=1024 * 1024)
    webhooks_allow_private: bool = False
    alerts_webhook_url: str | None = None
    alerts_webhook_secret: SecretStr | None = None
    alerts_dingtalk_token: SecretStr | None = None
    alerts_dingtalk_secret: SecretStr | None = None
    alerts_wecom_key: SecretStr | None = None
    alerts_robots_url: str | None = None
    alerts_repeat_hours: int = Field(4, ge=1, le=168)
    order_expiry_seconds: int = Field(1800, ge=60, le=15 * 24 * 3600)
    expiry_grace_seconds: int = Field(120, ge=0, le=3600)
    retention_notifications_days: int = Field(400, ge=30, le=36500)
    retention_personal_days: int = Field(1100, ge=30, le=36500)
    retention_refused_days: int = Field(30, ge=1, le=36500)
    till_wait_seconds: int = Field(60, ge=10, le=600)
    gateway_timeout_seconds: float = Field(10.0, gt=0, le=60)
    app_jobs_per_second: int = Field(50, ge=1, le=1000)
    fetch_bills: bool = Field(default_factory=lambda data: data["clock"] != "manual")
    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic passes these by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What `load_settings` hands over, and nothing behind its back: it checks the names too."""
        return (init_settings,)

    @field_validator("environments", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("environments")
    @classmethod
    def _some(cls, value: tuple[AllowedEnvironment, ...]) -> tuple[AllowedEnvironment, ...]:
        if not value:
            raise ValueError("name at least one: emulator, sandbox, production 至少写一个环境")
        return value

    @field_validator("public_url")
    @classmethod
    def _base_address(cls, value: str) -> str:
        scheme, found, rest = value.partition("://")
        if scheme not in ("http", "https") or not found or not rest or set(rest) & set("?# "):
            raise ValueError(
                'write an address such as "https://pay.example.com", without ? or # '
                "请写成 https://pay.example.com 这样的地址"
            )
        return value.rstrip("/")

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            scheme, found, host = origin.partition("://")
            if scheme not in ("http", "https") or not found or not host or "/" in host:
                raise ValueError(
                    'an origin is written "https://shop.example.com", without a path '
                    "请只写协议和域名, 不带路径"
                )
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError(
                "write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME "
                "请写 sqlite:///路径 或 postgresql://用户:密码@主机/库名"
            )
        return value

    @field_validator("alerts_dingtalk_token", "alerts_wecom_key", mode="before")
    @classmethod
    def _only_the_token(cls, value: Any) -> Any:
        if isinstance(value, str) and set(value) & set("/?=& "):
            raise ValueError(
                "write only what follows access_token= or key= in the robot's address "
                "只填写机器人地址中 access_token= 或 key= 之后的部分"
            )
        return value

    @field_validator("alerts_webhook_secret")
    @classmethod
    def _standard_secret(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value().removeprefix("whsec_")
        try:
            base64.b64decode(text, validate=True)
        except ValueError:
            raise ValueError(
                "write whsec_ and then base64, as Standard Webhooks does 请写成 whsec_ 加 base64"
            ) from None
        return value

    @model_validator(mode="after")
    def _no_other_robots_with_real_money(self) -> Settings:
        if self.alerts_robots_url and AllowedEnvironment.PRODUCTION in self.environments:
            raise ValueError(
                "DAOZHANG_ALERTS_ROBOTS_URL is for tests: unset it, robots are at their own "
                "addresses 该选项只用于测试, 不能与 production 同用"
            )
        return self

    @model_validator(mode="after")
    def _no_private_addresses_with_real_money(self) -> Settings:
        if self.webhooks_allow_private and AllowedEnvironment.PRODUCTION in self.environments:
            raise ValueError(
                "DAOZHANG_WEBHOOKS_ALLOW_PRIVATE is for development: take production out of "
                "DAOZHANG_ENVIRONMENTS or send webhooks to public addresses "
                "该选项只用于开发, 不能与 production 同用"
            )
        return self

    @model_validator(mode="after")
    def _no_manual_clock_with_real_money(self) -> Settings:
        if self.clock == "manual" and AllowedEnvironment.PRODUCTION in self.environments:
            raise ValueError(
                "DAOZHANG_CLOCK=manual is for tests: take production out of "
                "DAOZHANG_ENVIRONMENTS or use the system clock "
                "手动时钟只用于测试, 不能与 production 同用"
            )
        return self


class SettingsInvalid(Exception):
    """The settings cannot be used. ``problems`` holds one sentence for each thing to change."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The settings need a change 配置需要修改:\n{lines}")


def load_settings(environ: Mapping[str, str] | None = None, **chosen: Any) -> Settings:
    """The settings of ``environ`` (default: the process's), with ``chosen`` ones above them.

    Raises `SettingsInvalid` naming every unknown and every invalid variable. A value that was
    given is never repeated in the message: it may be a password.
    """
    environ = os.environ if environ is None else environ
    given = {
        name[len(PREFIX) :].lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }
    known = set(Settings.model_fields)
    problems = [_unknown(name, known) for name in sorted(set(given) - known)]
    values = {name: value for name, value in given.items() if name in known} | chosen
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [
            _invalid(entry["loc"], entry["msg"])
            for entry in error.errors()
            if entry["type"] != "default_factory_not_called"  # follows from another one
        ]
        raise SettingsInvalid(tuple(problems)) from None
    if problems:
        raise SettingsInvalid(tuple(problems))
    return settings


def _sqlite_in(data_dir: Path) -> str:
    return f"sqlite:///{data_dir / 'daozhang.sqlite3'}"


def _unknown(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    advice_en = f"did you mean {PREFIX}{close[0].upper()}?" if close else "unset it"
    advice_zh = f"是否想写 {PREFIX}{close[0].upper()}?" if close else "请删除该变量"
    return f"{PREFIX}{name.upper()} is not a setting; {advice_en} 没有这个配置项, {advice_zh}"


def _invalid(location: tuple[int | str, ...], message: str) -> str:
    sentence = message.removeprefix("Value error, ")
    if not location:
        return sentence
    return f"{PREFIX}{str(location[0]).upper()}: {sentence} (请修改该变量, 见 docs/reference/settings.md)"
