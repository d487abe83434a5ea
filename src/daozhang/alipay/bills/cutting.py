"""Cutting the lines of a bill into columns: bytes, some thousand lines at a time, nothing decoded.

In GBK a second byte is never below 0x40, so no comma, tab or newline is ever half of a character.
Tabs only pad cells, and are dropped.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from daozhang.alipay.bills.layout import Layout
from daozhang.alipay.bills.model import BillProblem

CHUNK_BYTES: Final = 1 << 18
LINE_BYTES_MAX: Final = 1 << 16
FOOT_BYTES_MAX: Final = 1 << 20


class Stream(Protocol):
    """Bytes, from the beginning. A read gives at most ``size``, and none only at the end."""

    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


def take(stream: Stream, size: int) -> bytes:
    """The next ``size`` bytes; fewer only at the end."""
    taken = b""
    while len(taken) < size and (more := stream.read(size - len(taken))):
        taken += more
    return taken


class Piece(NamedTuple):
    """Some lines, each with its newline: the number of the first, how many, and their text."""

    number: int
    line_count: int
    text: bytes


def pieces_of(stream: Stream, member: str, number: int) -> Generator[Piece, None, list[bytes]]:
    """The lines below the header, the first of which has that ``number``; returns the foot's lines."""
    rest, foot = b"", b""
    while chunk := stream.read(CHUNK_BYTES):
        chunk = (rest + chunk).replace(b"\t", b"")
        # To look for one byte costs nothing; to look for two, a fifth of a microsecond for each line.
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n")
        end = chunk.rfind(b"\n") + 1
        text, rest = chunk[:end], chunk[end:]
        count = text.count(b"\n")
        if len(rest) > LINE_BYTES_MAX or len(foot) > FOOT_BYTES_MAX:
            raise unreadable(member, number + count, "it has no end")
        if foot or b"#" in text:
            text, foot = _without_foot(text, foot)
            count = text.count(b"\n")
        if text:
            yield Piece(number, count, text)
            number += count
    if rest.strip():
        text, foot = _without_foot(rest.rstrip(b"\r") + b"\n", foot)
        if text:
            yield Piece(number, 1, text)
    return foot.split(b"\n")


def _without_foot(text: bytes, foot: bytes) -> tuple[bytes, bytes]:
    """The lines of ``text`` before the first comment, and the foot with all that comes after."""
    if foot:
        return b"", foot + text
    if text.startswith(b"#"):
        return b"", text
    at = text.find(b"\n#") + 1
    return (text[:at], text[at:]) if at else (text, b"")


def columns_of(
    piece: Piece, layout: Layout, member: str, places: Sequence[int | None]
) -> tuple[Sequence[int], Sequence[Sequence[bytes]]]:
    """The numbers of the lines, and of each its cells at ``places``, column by column.

    A column that has no place is empty. Raises `BillProblem` for a line that cannot be cut.
    """
    number, count, text = piece
    width = len(layout.headers) + 1
    # The end of a line becomes a cell of its own, so that it can be seen where lines end.
    cells = text.replace(b"\n", b",\n,").split(b",")
    if len(cells) == width * count + 1 and cells[width - 1 :: width] == [b"\n"] * count:
        columns = [[b""] * count if at is None else cells[at:-1:width] for at in places]
        return range(number, number + count), columns
    rows = [*rows_of(piece, layout, member)]
    return [number for number, _ in rows], [
        [b"" if at is None else row[at] for _, row in rows] for at in places
    ]


def rows_of(piece: Piece, layout: Layout, member: str) -> Iterator[tuple[int, list[bytes]]]:
    """Each line's number and all its cells. Raises `BillProblem` for a line that cannot be cut."""
    width = len(layout.headers)
    for number, line in enumerate(piece.text.split(b"\n")[:-1], piece.number):
        cells = line.split(b",")
        if len(cells) == width:
            yield number, cells
        elif line:
            yield number, _cut_with_care(line, number, layout, member)


def _cut_with_care(line: bytes, number: int, layout: Layout, member: str) -> list[bytes]:
    """A line with more or fewer commas than its header: quoted cells, or commas in a text."""
    text = line.decode("latin-1")
    width = len(layout.headers)
    if '"' in text:
        cells = next(csv.reader([text]))
        if len(cells) == width:
            return [cell.encode("latin-1") for cell in cells]
    found = layout.pattern.fullmatch(text)
    if found is None:
        reason = f"it has {line.count(b',') + 1} cells, and the header has {width}"
        raise unreadable(member, number, reason)
    return [cell.encode("latin-1") for cell in found.groups()]


def unreadable(member: str, number: int, reason: str) -> BillProblem:
    """What is raised for a line that cannot be read."""
    return BillProblem(
        f"A line cannot be read: {reason}. Fetch the file again; if it stays so, tell us.",
        f"有一行无法读取：{reason}。请重新下载；若仍如此，请告知我们。",
        member=member,
        line=number,
    )
