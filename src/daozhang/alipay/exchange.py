"""What travels, whichever protocol: a call, its request, its answer. No network here."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, cast

import msgspec
from msgspec import structs

from daozhang.clock import to_beijing_text
from daozhang.money import Money

_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_COMPACT_ASCII: Final = json.JSONEncoder(separators=(",", ":"))

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class File:
    """A file of an upload. Its bytes are not part of what is signed (protocol §2.7, §5.4)."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"

    def __post_init__(self) -> None:
        if "\r" in self.media_type or "\n" in self.media_type:
            raise ValueError(f"{self.media_type!r} is no media type.")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method, before any protocol.

    ``content`` holds the method's own fields: text, whole numbers, booleans, `Money` (yuan), aware
    datetimes, dates, and mappings and sequences of these; ``None`` means absent. ``encrypted`` is
    ``None`` for "as the credentials say".
    """

    method: str
    content: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    notify_url: str | None = None
    return_url: str | None = None
    app_auth_token: str | None = None
    auth_token: str | None = None
    files: Mapping[str, File] = field(default_factory=lambda: cast("Mapping[str, File]", _NOTHING))
    encrypted: bool | None = None


@dataclass(frozen=True, slots=True)
class WireRequest:
    """An HTTP request, complete and signed."""

    verb: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """An HTTP answer as it came. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was verified and says yes."""

    fields: Mapping[str, Any]
    trace_id: str | None


@dataclass(frozen=True, slots=True)
class CertificateNeeded:
    """An answer that cannot be verified until Alipay's certificate ``sn`` is here."""

    sn: str


def wire_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` as it is written on the wire: amounts and times as text, ``None`` left out.

    Raises `TypeError` for a float or anything else without one exact text, `ValueError` for an
    amount that is not in yuan or a time without a zone.
    """
    return {name: _wire_value(value, name) for name, value in content.items() if value is not None}


def content_json(content: Mapping[str, Any], charset: str = "utf-8") -> str:
    """``content`` as compact JSON. Outside UTF-8 it is pure ASCII, which every charset shares."""
    encoder = _COMPACT if charset.lower() == "utf-8" else _COMPACT_ASCII
    return encoder.encode(wire_content(content))


def content_texts(content: Mapping[str, Any]) -> dict[str, str]:
    """``content`` for places that hold texts only (form fields, a query): what is no text is
    written as JSON."""
    return {
        name: value if isinstance(value, str) else _COMPACT.encode(value)
        for name, value in wire_content(content).items()
    }


def _wire_value(value: Any, where: str) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, msgspec.Struct):
        value = structs.asdict(value)
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return {
            name: _wire_value(member, f"{where}.{name}")
            for name, member in members.items()
            if member is not None
        }
    if isinstance(value, list | tuple):
        items = cast("list[Any] | tuple[Any, ...]", value)
        return [_wire_value(item, f"{where}[{at}]") for at, item in enumerate(items)]
    return _wire_text(value, where)


def _wire_text(value: Any, where: str) -> str:
    if isinstance(value, Money):
        return _yuan(value, where)
    if isinstance(value, datetime):
        return to_beijing_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(_no_exact_text(value, where))


def _no_exact_text(value: Any, where: str) -> str:
    kind = type(value).__name__
    if isinstance(value, float):
        return (
            f'{where} is the float {value!r}; write an amount as Money.parse("88.88") or as text.'
        )
    return f"{where} is a {kind}, which has no one way to be written; pass text."


def _yuan(amount: Money, where: str) -> str:
    if amount.currency != "CNY":
        raise ValueError(
            f"{where} is {amount!r}, and this field counts yuan. Where Alipay takes another"
            " currency, pass the text and name the currency in its own field."
        )
    return str(amount)


def multipart(
    texts: Mapping[str, tuple[str | None, bytes]], files: Mapping[str, File]
) -> tuple[str, bytes]:
    """A ``multipart/form-data`` body; answers its Content-Type and its bytes.

    ``texts`` are parts with their media type (or none) and content.
    """
    boundary = secrets.token_hex(16)
    parts: list[bytes] = []
    for name, (media_type, content) in texts.items():
        parts.append(_part(boundary, f'name="{_quoted(name)}"', media_type, content))
    for name, file in files.items():
        disposition = f'name="{_quoted(name)}"; filename="{_quoted(file.name)}"'
        parts.append(_part(boundary, disposition, file.media_type, file.content))
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def _part(boundary: str, disposition: str, media_type: str | None, content: bytes) -> bytes:
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n"
    return head.encode() + content + b"\r\n"


def _quoted(name: str) -> str:
    """A name inside quotes of a header, escaped as browsers do (WHATWG form data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
