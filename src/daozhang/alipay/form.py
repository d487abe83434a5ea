"""A form body as bytes: names and values percent-decoded, the text left alone.

Frameworks decode the text too, by a charset that they guess, and spoil it (protocol.md §6.1). Here
bytes stay bytes until the signature over them has been checked.

The quick way rewrites the body so that one C function decodes all of it: ``&`` and ``=`` become
0x00 and 0x01, ``%`` becomes ``=``, and the body is quoted-printable. Bodies for which that is not
exact take the slow way, which is the definition.
"""

from __future__ import annotations

import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from daozhang.alipay.errors import Untrusted, UntrustedReason

BODY_BYTES_MAX: Final = 64 * 1024
FIELDS_MAX: Final = 200

PAIR: Final = b"\x00"
EQUALS: Final = b"\x01"

_TO_QUOTED_PRINTABLE: Final = bytes.maketrans(b"&=+%", b"\x00\x01 =")
_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def decode_form(body: bytes) -> list[bytes]:
    """The entries of ``body``, each as name, 0x01, value; in the order in which they stand.

    An ``=`` that stands bare in a value comes back as 0x01 and has to be put right. Because 0x01 is
    below every letter, entries sort as their names do. Entries without a name or a value stay;
    empty ones between ``&&`` do not.

    Raises `Untrusted` for bad percent escapes, control bytes and too many fields.
    """
    entries = _decode_quickly(body)
    if entries is None:
        entries = decode_slowly(body)
    if len(entries) > FIELDS_MAX:
        raise Untrusted(UntrustedReason.MALFORMED, f"More than {FIELDS_MAX} fields.")
    return [entry for entry in entries if entry] if b"" in entries else entries


def _decode_quickly(body: bytes) -> list[bytes] | None:
    """The entries, or ``None`` if the body is one for which this way is not exact."""
    if b"%0" in body or b"\n" in body or b"\r" in body or PAIR in body or EQUALS in body:
        return None
    decoded = binascii.a2b_qp(body.translate(_TO_QUOTED_PRINTABLE))
    # A good escape turns three bytes into one; a bad one, which a2b_qp lets pass, does not.
    if len(decoded) != len(body) - 2 * body.count(b"%"):
        return None
    return decoded.split(PAIR)


def decode_slowly(body: bytes) -> list[bytes]:
    """The same by definition: split, then decode each name and value."""
    if _BAD_PERCENT.search(body) is not None:
        raise Untrusted(
            UntrustedReason.BAD_PERCENT,
            "A % in the body is not followed by two hexadecimal digits: something on the way has "
            "decoded it before.",
        )
    entries: list[bytes] = []
    for pair in body.split(b"&"):
        name, equals, value = pair.partition(b"=")
        decoded_name = unquote_to_bytes(name.replace(b"+", b" "))
        decoded_value = unquote_to_bytes(value.replace(b"+", b" "))
        if any(mark in part for mark in (PAIR, EQUALS) for part in (decoded_name, decoded_value)):
            raise Untrusted(
                UntrustedReason.NULL_BYTE, "The body holds control bytes that Alipay never sends."
            )
        entries.append(decoded_name + (EQUALS if equals else b"") + decoded_value)
    return entries
