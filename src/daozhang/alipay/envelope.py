"""The V2 answer's envelope: which bytes were signed, found on the raw bytes.

Alipay signs the exact characters of one top-level value: an object from ``{`` to ``}``, or an
encrypted string with both its quotes. A parser that re-serialises loses them, so this one keeps
offsets. What two readers could take in two ways is refused: a repeated name anywhere, a root that
occurs twice, a root beside an ``error_response``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

ERROR_ROOT: Final = "error_response"

_TEXT: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SPACE = re.compile(rb"[ \t\r\n]*+")
_MEMBER = re.compile(rb"[ \t\r\n]*+(" + _TEXT + rb")[ \t\r\n]*+:[ \t\r\n]*+", re.DOTALL)
_TEXT_OR_BRACKET = re.compile(_TEXT + rb"|[{}\[\]]", re.DOTALL)
_SCALAR = re.compile(_TEXT + rb"|[^,}\s]++", re.DOTALL)
_WIDE = re.compile(
    rb"[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[\x30-\x39][\x81-\xfe][\x30-\x39])", re.DOTALL
)


class MalformedAnswer(ValueError):
    """Bytes that are no answer, or that could be read in two ways. The sentence says which."""


@dataclass(frozen=True, slots=True)
class SignedSpan:
    """The signed part of an answer, and what stands beside it.

    ``content`` is what the signature covers, byte for byte. ``value`` is the same, parsed: a
    mapping, or a text if ``encrypted``; believe it only once ``sign`` has been verified over
    ``content``. ``charset`` is what the body turned out to be written in.
    """

    content: bytes
    sign: str | None
    alipay_cert_sn: str | None
    root: str
    encrypted: bool
    value: Mapping[str, Any] | str
    charset: str


def extract_signed(body: bytes, root: str) -> SignedSpan:
    """The signed span of ``body`` under ``root`` (or else ``error_response``).

    Raises `MalformedAnswer` if ``body`` is not one JSON object, holds a name twice, or names the
    root anywhere but once. Rules: protocol §3.2.
    """
    document, charset = read_object(body)
    found = _which_root(document, root)
    start, end = _span_of(body if charset == "utf-8" else _narrowed(body), found)
    _refuse_repeated(body, found, start, end)
    value = document[found]
    if not isinstance(value, dict | str):
        raise MalformedAnswer(f"{found!r} is neither an object nor an encrypted text.")
    return SignedSpan(
        content=body[start:end],
        sign=_optional_text(document, "sign"),
        alipay_cert_sn=_optional_text(document, "alipay_cert_sn"),
        root=found,
        encrypted=isinstance(value, str),
        value=cast("Mapping[str, Any] | str", value),
        charset=charset,
    )


def read_object(body: bytes) -> tuple[dict[str, Any], str]:
    """``body`` as a JSON object, and its charset; UTF-8, or else GB18030 (the gateway's errors
    have come in GBK to those who asked in UTF-8).

    No name may occur twice in an object, at any depth. A number with a decimal point stays text:
    no amount becomes a float. Raises `MalformedAnswer`.
    """
    text, charset = decode_text(body)
    try:
        document = _DECODER.decode(text)
    except RecursionError:
        raise MalformedAnswer("The answer is nested too deeply.") from None
    except ValueError as problem:
        raise MalformedAnswer(f"The answer is not believable JSON: {problem}") from None
    if not isinstance(document, dict):
        raise MalformedAnswer("The answer is JSON, but not an object.")
    return cast("dict[str, Any]", document), charset


def decode_text(body: bytes) -> tuple[str, str]:
    """``body`` as text, and the charset that it turned out to have."""
    for charset in ("utf-8", "gb18030"):
        try:
            return body.decode(charset), charset
        except UnicodeDecodeError:
            continue
    raise MalformedAnswer("The answer is text neither in UTF-8 nor in GB18030.")


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(members)
    if len(result) != len(members):
        names = [name for name, _ in members]
        repeated = next(name for name in names if names.count(name) > 1)
        raise MalformedAnswer(f"The name {repeated[:80]!r} occurs twice in one object.")
    return result


def _refuse_constant(name: str) -> Any:
    raise MalformedAnswer(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_repeats, parse_float=str, parse_constant=_refuse_constant
)


def _which_root(document: Mapping[str, Any], root: str) -> str:
    if root in document:
        if ERROR_ROOT in document and root != ERROR_ROOT:
            raise MalformedAnswer(f"The answer holds both {root!r} and {ERROR_ROOT!r}.")
        return root
    if ERROR_ROOT in document:
        return ERROR_ROOT
    raise MalformedAnswer(f"The answer holds neither {root!r} nor {ERROR_ROOT!r}.")


def _optional_text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedAnswer(f"{name!r} is not a text.")
    return value


def _narrowed(body: bytes) -> bytes:
    """``body`` (GB18030) with every wide character masked, all offsets unchanged: a trail byte
    may look like a backslash or a brace."""
    return _WIDE.sub(lambda wide: b"x" * len(wide.group()), body)


def _span_of(body: bytes, name: str) -> tuple[int, int]:
    """Where the value of the top-level member ``name`` begins and ends. ``body`` is known to be
    one JSON object, which holds the name."""
    at = _end_of(_SPACE, body, 0) + 1
    while (member := _MEMBER.match(body, at)) is not None:
        start = member.end()
        end = _value_end(body, start)
        if json.loads(member.group(1)) == name:
            return start, end
        at = _end_of(_SPACE, body, end) + 1
    raise MalformedAnswer(f"{name!r} is not where it ought to be.")


def _value_end(body: bytes, start: int) -> int:
    if body[start] not in b"{[":
        return _end_of(_SCALAR, body, start)
    depth = 0
    for token in _TEXT_OR_BRACKET.finditer(body, start):
        mark = token.group()
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return token.end()
    raise MalformedAnswer("The answer ends inside a value.")


def _end_of(pattern: re.Pattern[bytes], body: bytes, at: int) -> int:
    found = pattern.match(body, at)
    if found is None:
        raise MalformedAnswer(f"The answer is broken at byte {at}.")
    return found.end()


def _refuse_repeated(body: bytes, root: str, start: int, end: int) -> None:
    """Alipay's own SDK for Java refuses a root that is named again after the signed text: whoever
    looks for it with a search would find the other one."""
    quoted = b'"' + root.encode() + b'"'
    before = body.find(quoted)
    again = body.find(quoted, end) != -1 or body.find(quoted, before + 1, start) != -1
    if again:
        raise MalformedAnswer(f"{root!r} is named more than once.")
