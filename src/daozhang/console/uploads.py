"""Uploads: forms that carry a file. Read for whoever is signed in and may, and written to the disk."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

FORM_FIELDS_MAX: Final = 200
AROUND: Final = 64 * 1024
"""What a form may have around its file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent with a form; it is gone once the form is answered."""

    name: str
    size: int
    file: BinaryIO

    def write_to(self, path: Path) -> None:
        """Copies its bytes to ``path``."""
        with path.open("wb") as out:
            shutil.copyfileobj(self.file, out)


@asynccontextmanager
async def read_upload(
    request: Request, bytes_max: int
) -> AsyncGenerator[tuple[Mapping[str, str], Upload | None]]:
    """The fields of a form and its file, if one was chosen. Raises `HTTPException` 413 and 400."""
    parser = MultiPartParser(
        request.headers,
        _bounded(request, bytes_max + AROUND),
        max_files=1,
        max_fields=FORM_FIELDS_MAX,
        # A field may hold what was a file on the page before.
        max_part_size=bytes_max,
    )
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400)
    try:
        sent = await parser.parse()
    except MultiPartException:
        raise HTTPException(400) from None
    try:
        fields: dict[str, str] = {}
        upload: Upload | None = None
        for name, value in sent.multi_items():
            if not isinstance(value, UploadFile):
                fields[name] = value
            elif value.filename:  # a browser sends an empty one where nothing was chosen
                upload = Upload(value.filename, value.size or 0, value.file)
        yield fields, upload
    finally:
        await sent.close()


async def _bounded(request: Request, bytes_max: int) -> AsyncGenerator[bytes]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > bytes_max:
            raise HTTPException(413)
        yield piece
