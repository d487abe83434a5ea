"""Channels: where alerts are sent, and how each wants to be spoken to. Builds, sends nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlencode

from daozhang.clock import to_beijing_text
from daozhang.service.ids import new_id
from daozhang.service.settings import Settings
from daozhang.service.watch.model import Message, Severity
from daozhang.service.webhooks.signing import sign_v1

DINGTALK: Final = "https://oapi.dingtalk.com"
WECOM: Final = "https://qyapi.weixin.qq.com"
"""Robots are at these addresses and nowhere else; only a test may say otherwise."""

TEXT_BYTES_MAX: Final = 4000
"""WeCom takes 4096 bytes of Markdown, DingTalk more."""

MESSAGES_MAX: Final = 5
"""Alerts in one text: more would not fit. Both robots take 20 texts a minute."""


@dataclass(frozen=True, slots=True)
class Post:
    """A POST, ready to be sent. Its address holds a token, so it is never logged."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to a person. ``is_taken`` says whether the answer's body means that it arrived."""

    name: str
    write: Callable[[Sequence[Message], datetime], Post]
    is_taken: Callable[[bytes], bool]


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """The channels that the operator has set."""
    made: list[Channel] = []
    if settings.alerts_webhook_url is not None:
        made.append(_webhook(settings, settings.alerts_webhook_url))
    if settings.alerts_dingtalk_token is not None:
        made.append(_dingtalk(settings, settings.alerts_dingtalk_token.get_secret_value()))
    if settings.alerts_wecom_key is not None:
        made.append(_wecom(settings, settings.alerts_wecom_key.get_secret_value()))
    return tuple(made)


def _webhook(settings: Settings, url: str) -> Channel:
    secret = settings.alerts_webhook_secret

    def write(messages: Sequence[Message], now: datetime) -> Post:
        body = _json({"type": "alerts", "at": now.isoformat(), "data": _data(messages)})
        identity, timestamp = new_id("alr", now), str(int(now.timestamp()))
        headers = {"webhook-id": identity, "webhook-timestamp": timestamp}
        if secret is not None:
            signature = sign_v1(secret.get_secret_value(), identity, timestamp, body)
            headers["webhook-signature"] = signature
        return Post(url, {"Content-Type": "application/json", **headers}, body)

    return Channel("webhook", write, lambda _body: True)


def _dingtalk(settings: Settings, token: str) -> Channel:
    base, secret = settings.alerts_robots_url or DINGTALK, settings.alerts_dingtalk_secret

    def write(messages: Sequence[Message], now: datetime) -> Post:
        query = {"access_token": token}
        if secret is not None:
            query |= _dingtalk_sign(secret.get_secret_value(), now)
        text = {"title": _title(messages), "text": _markdown(messages)}
        return Post(
            f"{base}/robot/send?{urlencode(query)}",
            {"Content-Type": "application/json"},
            _json({"msgtype": "markdown", "markdown": text}),
        )

    return Channel("dingtalk", write, _has_no_error_code)


def _dingtalk_sign(secret: str, now: datetime) -> dict[str, str]:
    """Valid for an hour around ``now``: HMAC-SHA256 over time and secret, keyed by the secret."""
    timestamp = str(int(now.timestamp() * 1000))
    signed = f"{timestamp}\n{secret}".encode()
    digest = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def _wecom(settings: Settings, key: str) -> Channel:
    base = settings.alerts_robots_url or WECOM

    def write(messages: Sequence[Message], _now: datetime) -> Post:
        return Post(
            f"{base}/cgi-bin/webhook/send?{urlencode({'key': key})}",
            {"Content-Type": "application/json"},
            _json({"msgtype": "markdown", "markdown": {"content": _markdown(messages)}}),
        )

    return Channel("wecom", write, _has_no_error_code)


def _has_no_error_code(body: bytes) -> bool:
    """Both robots answer 200 whatever they think of it; ``errcode`` says whether it arrived."""
    try:
        answer: Any = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and cast("dict[str, Any]", answer).get("errcode") == 0


def _title(messages: Sequence[Message]) -> str:
    first = messages[0]
    state = "已恢复 resolved" if first.resolved_at is not None else "告警 alert"
    more = f" +{len(messages) - 1}" if len(messages) > 1 else ""
    return f"daozhang 到账 {state}: {first.alert.code}{more}"


def _markdown(messages: Sequence[Message]) -> str:
    parts = [f"**{_title(messages)}**", *(_paragraph(message) for message in messages)]
    return _cut("\n\n".join(parts))


def _paragraph(message: Message) -> str:
    alert = message.alert
    since = to_beijing_text(message.raised_at)
    if message.resolved_at is not None:
        until = to_beijing_text(message.resolved_at)
        return f"**{alert.key}** 已恢复 resolved ({since} → {until} 北京时间)\n\n> {alert.zh}\n\n> {alert.en}"
    urgency = "立即处理 now" if alert.severity is Severity.PAGE else "次日处理 in the morning"
    return (
        f"**{alert.key}** [{urgency}] 自 since {since} (北京时间 Beijing)\n\n"
        f"> {alert.zh}\n\n> {alert.en}\n\n"
        f"处理: {alert.todo_zh}\n\nTo do: {alert.todo_en} (docs/guides/operate.md)"
    )


def _cut(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= TEXT_BYTES_MAX:
        return text
    return encoded[: TEXT_BYTES_MAX - 3].decode(errors="ignore") + "…"


def _data(messages: Sequence[Message]) -> list[dict[str, object]]:
    return [
        {
            "alert": message.alert.code,
            "key": message.alert.key,
            "status": "raised" if message.resolved_at is None else "resolved",
            "severity": message.alert.severity.value,
            "raised_at": message.raised_at.isoformat(),
            "resolved_at": None if message.resolved_at is None else message.resolved_at.isoformat(),
            "text": message.alert.en,
            "text_zh": message.alert.zh,
            "todo": message.alert.todo_en,
            "todo_zh": message.alert.todo_zh,
        }
        for message in messages
    ]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
