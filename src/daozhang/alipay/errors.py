"""What can go wrong, by the one question a caller has: did the money move?

AlipayError
├── Rejected               no: Alipay said so, definitely
├── OutcomeUnknown         maybe: nobody knows until a query has been answered
├── Untrusted              these bytes are not believed; nothing was read from them
└── ConfigurationError     no: nothing was sent
    ├── KeyProblem
    │   └── KeyIsYourOwn
    └── CertificateProblem
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class AlipayError(Exception):
    """The base of everything that this library raises on purpose."""


class Rejected(AlipayError):
    """Alipay answered with a definite no. Nothing moved.

    ``code`` and ``sub_code`` are Alipay's own, ``message`` its text, ``trace_id`` what its support
    asks for, ``hint`` what to do about it.
    """

    def __init__(
        self,
        code: str,
        sub_code: str | None,
        message: str,
        *,
        method: str,
        trace_id: str | None = None,
        hint: str | None = None,
        response: Mapping[str, Any] | None = None,
    ) -> None:
        advice = f" ({hint})" if hint else ""
        super().__init__(f"{method}: {sub_code or code}: {message}{advice}")
        self.code = code
        self.sub_code = sub_code
        self.message = message
        self.method = method
        self.trace_id = trace_id
        self.hint = hint
        self.response = response


class OutcomeUnknown(AlipayError):
    """Nobody knows whether it happened. Ask before doing anything else; never retry blindly.

    ``cause`` is a stable word (``timeout``, ``unverifiable``, ``busy``, ...), ``reason`` a sentence.
    """

    def __init__(
        self, reason: str, *, method: str, cause: str, trace_id: str | None = None
    ) -> None:
        super().__init__(f"{method}: the outcome is unknown: {reason}")
        self.reason = reason
        self.method = method
        self.cause = cause
        self.trace_id = trace_id


class UntrustedReason(StrEnum):
    """Why bytes are not believed. The values are stable."""

    NOT_BYTES = "not_bytes"
    DICT_OF_LISTS = "dict_of_lists"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    MALFORMED = "malformed"
    BAD_PERCENT = "bad_percent"
    NULL_BYTE = "null_byte"
    DUPLICATE_KEY = "duplicate_key"
    MISSING_SIGN = "missing_sign"
    SIGN_DECODED_TWICE = "sign_decoded_twice"
    SIGN_MALFORMED = "sign_malformed"
    SIGN_TYPE_DIFFERS = "sign_type_differs"
    AMBIGUOUS = "ambiguous"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_CHARSET = "unknown_charset"
    BAD_TEXT = "bad_text"
    BAD_FIELD = "bad_field"
    DUPLICATE_MEMBER = "duplicate_member"
    REPEATED_ROOT = "repeated_root"
    UNSIGNED = "unsigned"
    UNKNOWN_CERTIFICATE = "unknown_certificate"


class Untrusted(AlipayError):
    """These bytes are not believed. ``reason`` is a stable code, ``detail`` a sentence."""

    def __init__(self, reason: UntrustedReason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class ConfigurationError(AlipayError):
    """Something of ours is set up wrong. Nothing was sent."""


class KeyProblem(ConfigurationError):
    """A key cannot be read: the message says what it looks like and how to convert it."""


class KeyIsYourOwn(KeyProblem):
    """The "Alipay public key" is the app's own public key: the most frequent mistake there is."""


class CertificateProblem(ConfigurationError):
    """A certificate cannot be read, has expired, or does not chain to the root."""
