"""The form decoder: as quick as C allows, and never another answer than the slow definition."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.form import decode_form

HEX = b"0123456789abcdefABCDEF"

PIECES = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"&", b"=", b"+", b"%", b"%%", b"%2", b"%zz", b"\r\n", b"\n", b"=\r", b"%0"]),
    st.integers(0, 255).map(lambda byte: b"%%%02X" % byte),
    st.integers(0, 255).map(lambda byte: b"%%%02x" % byte),
    st.sampled_from([b"a=1", b"sign=ab%2Bc%3D%3D", b"subject=%E6%B5%8B", b"=x", b"name"]),
)
BODIES = st.lists(PIECES, max_size=24).map(b"".join)


def reference(body: bytes) -> list[tuple[bytes, bytes]] | UntrustedReason:
    """What a form body says, byte for byte, or why it is refused. Slow, and easy to believe."""
    if not are_escapes_whole(body):
        return UntrustedReason.BAD_PERCENT
    pairs: list[tuple[bytes, bytes]] = []
    for part in body.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((unquoted(name), unquoted(value)))
    if any(mark in text for pair in pairs for text in pair for mark in (0, 1)):
        return UntrustedReason.NULL_BYTE
    return pairs


def are_escapes_whole(body: bytes) -> bool:
    for place, byte in enumerate(body):
        if byte == ord("%"):
            digits = body[place + 1 : place + 3]
            if len(digits) < 2 or any(digit not in HEX for digit in digits):
                return False
    return True


def unquoted(quoted: bytes) -> bytes:
    plain = bytearray()
    place = 0
    while place < len(quoted):
        if quoted[place] == ord("%"):
            plain.append(int(quoted[place + 1 : place + 3], 16))
            place += 3
        else:
            plain.append(ord(" ") if quoted[place] == ord("+") else quoted[place])
            place += 1
    return bytes(plain)


def decoded(body: bytes) -> list[tuple[bytes, bytes]] | UntrustedReason:
    try:
        entries = decode_form(body)
    except Untrusted as refused:
        return refused.reason
    pairs = [entry.partition(b"\x01") for entry in entries]
    return [(name, value.replace(b"\x01", b"=")) for name, _, value in pairs]


@settings(max_examples=1500, deadline=None)
@given(BODIES)
@example(b"a=%3D%0D%0A%41")
@example(b"a=1&%\r&b=2\n%41=3")
@example(b"a==&b=%=41")
@example(b"a=%3d&=&&b")
@example(b"a=x%")
@example(b"a=%00")
@example(b"a=%01")
@example(b"a=\x01")
def test_any_bytes_are_read_as_the_slow_definition_reads_them(body: bytes) -> None:
    assert decoded(body) == reference(body)


def test_a_flood_of_fields_is_refused() -> None:
    with pytest.raises(Untrusted) as refused:
        decode_form(b"&".join(b"f%d=1" % number for number in range(1000)))
    assert refused.value.reason is UntrustedReason.MALFORMED
