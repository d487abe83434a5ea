"""Numbers of rows on the wire, and cursors: where a page of a list ends, opaque to the caller."""

from __future__ import annotations

import base64
from typing import Annotated, ClassVar, Final

from fastapi import Path

from daozhang.service.refusals import Refusal

ROW_NUMBER_MAX: Final = 2**63 - 1
"""No database counts further."""

RowNumber = Annotated[int, Path(ge=1, le=ROW_NUMBER_MAX)]
"""A row's number in the path of a route."""


class CursorInvalid(Refusal):
    """The cursor is not one that an answer of ours held."""

    code: ClassVar[str] = "cursor_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not a cursor"

    def __init__(self) -> None:
        super().__init__(
            "This cursor did not come from here: send next_cursor of the page before, unchanged.",
            "游标无效: 请原样传回上一页的 next_cursor.",
        )


def write_cursor(row_id: int) -> str:
    """The cursor of the page that follows the row ``row_id``."""
    return base64.urlsafe_b64encode(f"row:{row_id}".encode()).rstrip(b"=").decode()


def read_cursor(cursor: str) -> int:
    """The row's number that `write_cursor` was given; raises `CursorInvalid`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise CursorInvalid from None
    kind, _, number = text.partition(":")
    if kind != "row" or not number.isdecimal() or len(number) > 18:
        raise CursorInvalid
    return int(number)
