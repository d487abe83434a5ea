"""A bill packed anew: another file, which says the same or something else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

README = "readme.txt"


def repacked(content: bytes, change: Callable[[bytes], bytes] = bytes) -> bytes:
    """The bill ``content`` as another archive: what it says put through ``change``."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            if member.filename != README:  # it is packed for the second time
                new.writestr(member.filename, change(old.read(member)))
        # More than any other form, or call, may have.
        new.writestr(README, bytes(range(256)) * 1000)
    return packed.getvalue()
