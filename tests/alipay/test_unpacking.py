"""Members of a zip, unpacked by whichever library is there: the same bytes, and the same refusals."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.alipay.bills.cutting import take
from daozhang.alipay.bills.unpacking import STANDARD, Unpacker, open_member, quickest

_drawn = random.Random(4)
LINES = b"".join(b"2026060522001419%010d,9.90\n" % _drawn.randrange(10**10) for _ in range(40_000))

unpackers = pytest.mark.parametrize("unpacker", [STANDARD, quickest()], ids=["zlib", "zlib-ng"])


def packed(*members: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for number, content in enumerate(members):
            archive.writestr(f"{number}.csv", content)
    return held.getvalue()


def read(raw: bytes, unpacker: Unpacker, sizes: int = 1 << 18) -> list[bytes]:
    """All members, read in turn, a piece of each at a time."""
    file = io.BytesIO(raw)
    with zipfile.ZipFile(file) as archive:
        streams = [open_member(archive, file, one, unpacker) for one in archive.infolist()]
        whole = [b""] * len(streams)
        going = set(range(len(streams)))
        while going:
            for place in sorted(going):
                piece = streams[place].read(sizes)
                assert len(piece) <= sizes
                whole[place] += piece
                if not piece:
                    going.remove(place)
        assert [stream.read(10) for stream in streams] == [b""] * len(streams)
    return whole


def test_the_service_brings_the_quicker_one() -> None:
    assert quickest() != STANDARD


@unpackers
@pytest.mark.parametrize("sizes", [7919, 1 << 18])
@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2]
)
def test_members_are_unpacked_beside_each_other(
    unpacker: Unpacker, sizes: int, compression: int
) -> None:
    members = [LINES, b"", b"x", LINES[::-1], b"0" * 10_000_000]
    assert read(packed(*members, compression=compression), unpacker, sizes) == members


@unpackers
@given(content=st.binary(max_size=60), times=st.integers(0, 40), sizes=st.integers(1, 700))
def test_a_read_may_end_anywhere(
    unpacker: Unpacker, content: bytes, times: int, sizes: int
) -> None:
    """Also where all that was packed has been taken in, and not all of it has come out."""
    member = content * times
    assert read(packed(member), unpacker, sizes) == [member]
    assert read(packed(member), unpacker, max(len(member), 1)) == [member]


@unpackers
def test_as_much_is_taken_as_was_asked_for(unpacker: Unpacker) -> None:
    file = io.BytesIO(packed(LINES))
    with zipfile.ZipFile(file) as archive:
        stream = open_member(archive, file, archive.infolist()[0], unpacker)
        assert take(stream, 700_000) == LINES[:700_000]
        assert take(stream, 10**9) == LINES[700_000:]


def _crc(raw: bytearray, directory: int) -> None:
    raw[directory + 16] ^= 1


def _smaller(raw: bytearray, directory: int) -> None:
    raw[directory + 24 : directory + 28] = (len(LINES) - 1).to_bytes(4, "little")


def _larger(raw: bytearray, directory: int) -> None:
    raw[directory + 24 : directory + 28] = (len(LINES) + 1).to_bytes(4, "little")


def _cut(raw: bytearray, directory: int) -> None:
    size = int.from_bytes(raw[directory + 20 : directory + 24], "little")
    raw[directory + 20 : directory + 24] = (size - 100).to_bytes(4, "little")


def _broken(raw: bytearray, _directory: int) -> None:
    raw[1000:1040] = b"\xff" * 40


def _beyond(raw: bytearray, directory: int) -> None:
    raw[directory + 42 : directory + 46] = (len(raw) - 10).to_bytes(4, "little")


def _elsewhere(raw: bytearray, _directory: int) -> None:
    raw[0:4] = b"PK\x05\x04"


@unpackers
@pytest.mark.parametrize("spoil", [_crc, _smaller, _larger, _cut, _broken, _elsewhere, _beyond])
def test_what_is_not_as_the_zip_says_is_refused(
    unpacker: Unpacker, spoil: Callable[[bytearray, int], None]
) -> None:
    raw = bytearray(packed(LINES))
    spoil(raw, raw.index(b"PK\x01\x02"))
    with pytest.raises(zipfile.BadZipFile):
        read(bytes(raw), unpacker)
