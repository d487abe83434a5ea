"""The file that Alipay gives: a zip with members in GBK, or one of its texts by itself (apis.md §4.2)."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from daozhang.alipay.bills.cutting import Stream, take
from daozhang.alipay.bills.layout import FIRST_LINES
from daozhang.alipay.bills.model import BillProblem
from daozhang.alipay.bills.reading import Bill
from daozhang.alipay.bills.unpacking import open_member

MEMBERS_MAX: Final = 200
UNPACKED_BYTES_MAX: Final = 8 << 30
"""What all texts together may be when they are unpacked: thirty million lines."""

FILE_BYTES_MAX: Final = 2 << 30
"""What the whole file may be as it was given."""

_NAME_CHARACTERS_MAX: Final = 255
_UTF8_FLAG: Final = 0x800


@dataclass(frozen=True, slots=True)
class BillFiles:
    """The bills of one file, in the order of their names; texts that are no bills are named apart."""

    bills: Sequence[Bill]
    others: Sequence[str]

    @property
    def details(self) -> Sequence[Bill]:
        """Those whose lines are single movements. A large day comes in several."""
        return [bill for bill in self.bills if bill.kind.is_detail]


@contextmanager
def open_bill(source: str | os.PathLike[str] | IO[bytes], name: str = "") -> Generator[BillFiles]:
    """The bills in ``source``, a path or an open file: a zip, or one text out of it.

    Raises `BillProblem` for what is no bill, is too large, or has too many members.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        with path.open("rb") as file, open_bill(file, name or path.name) as files:
            yield files
        return
    _require_size(source, name)
    if not zipfile.is_zipfile(source):
        source.seek(0)
        yield BillFiles([Bill(name or "bill.csv", lambda: _again(source))], [])
        return
    source.seek(0)
    try:
        with zipfile.ZipFile(source) as archive:
            yield _files_of(archive, source, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as problem:
        raise BillProblem(
            f"The zip cannot be read ({problem}). Fetch it again.",
            f"压缩包无法读取（{problem}）。请重新下载。",
            member=name,
        ) from None


def _files_of(archive: zipfile.ZipFile, file: IO[bytes], name: str) -> BillFiles:
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) > MEMBERS_MAX:
        raise BillProblem(
            f"The zip has {len(members)} members; a bill's has at most {MEMBERS_MAX}.",
            f"压缩包内有 {len(members)} 个文件，超过账单的上限 {MEMBERS_MAX} 个。",
            member=name,
        )
    size = sum(member.file_size for member in members)
    if size > UNPACKED_BYTES_MAX:
        raise BillProblem(
            f"It would unpack to {size} bytes; {UNPACKED_BYTES_MAX} are the limit.",
            f"解压后为 {size} 字节，超过上限 {UNPACKED_BYTES_MAX}。",
            member=name,
        )
    bills: list[Bill] = []
    others: list[str] = []
    for member in sorted(members, key=member_name):
        called = member_name(member)
        with closing(open_member(archive, file, member)) as stream:
            is_bill = _begins_as_bill(take(stream, 64))
        if is_bill:
            bills.append(Bill(called, lambda member=member: open_member(archive, file, member)))
        else:
            others.append(called)
    if not bills:
        raise BillProblem(
            f"No bill of Alipay's is in it; it holds: {', '.join(others) or 'nothing'}.",
            f"其中没有支付宝账单；包含的文件：{'、'.join(others) or '无'}。",
            member=name,
        )
    return BillFiles(bills, others)


def member_name(member: zipfile.ZipInfo) -> str:
    """What a member is called: Alipay writes GBK without saying so, and Python reads cp437."""
    if member.flag_bits & _UTF8_FLAG:
        return member.filename[:_NAME_CHARACTERS_MAX]
    try:
        name = member.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        name = member.filename
    return name[:_NAME_CHARACTERS_MAX]


def _begins_as_bill(start: bytes) -> bool:
    first = start.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].strip()
    return any(
        first.startswith(line.encode(encoding))
        for line in FIRST_LINES
        for encoding in ("gb18030", "utf-8")
    )


def _again(source: IO[bytes]) -> Stream:
    """``source`` from its beginning; closing what is handed out leaves it open."""
    source.seek(0)
    return _Kept(source)


class _Kept:
    """An open file that belongs to somebody else."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size)

    def close(self) -> None:
        """It is not ours to close."""


def _require_size(source: IO[bytes], name: str) -> None:
    source.seek(0, os.SEEK_END)
    size = source.tell()
    source.seek(0)
    if size > FILE_BYTES_MAX:
        raise BillProblem(
            f"It has {size} bytes; {FILE_BYTES_MAX} are the limit.",
            f"文件为 {size} 字节，超过上限 {FILE_BYTES_MAX}。",
            member=name,
        )
