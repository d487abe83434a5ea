"""Assets: styles, scripts and icons, served by us under an address that changes with their content."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HASH_CHARACTERS: Final = 16
HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


@cache
def _read(name: str) -> tuple[str, bytes, bytes]:
    """The hash, the bytes and the compressed bytes of a file."""
    plain = (FOLDER / name).read_bytes()
    digest = hashlib.sha256(plain).hexdigest()[:HASH_CHARACTERS]
    return digest, plain, gzip.compress(plain, 9, mtime=0)


@cache
def _names() -> frozenset[str]:
    files = (path for path in FOLDER.rglob("*") if path.suffix in TYPES)
    return frozenset(path.relative_to(FOLDER).as_posix() for path in files)


def asset_path(name: str) -> str:
    """Where ``name`` is served, below the console: it changes whenever its content does."""
    return f"/static/{_read(name)[0]}/{name}"


ICONS: Final = "vendor/icons.svg"


def icon_address(name: str) -> str:
    """Where the icon is served, below the console. The set-up takes what the console names, so one
    that is not there is misspelt, or `make setup` was not run."""
    assert name in _icons(), f"there is no icon {name!r}; see requirements/assets.py"
    return f"{asset_path(ICONS)}#{name}"


@cache
def _icons() -> frozenset[str]:
    return frozenset(re.findall(r'<symbol id="([^"]+)"', (FOLDER / ICONS).read_text("utf-8")))


async def get_asset(request: Request) -> Response:
    """One file. Compressed once and kept: a page's first load is a few hundred kilobytes."""
    name = request.path_params["name"]
    if name not in _names() or _read(name)[0] != request.path_params["digest"]:
        raise HTTPException(404)
    _, plain, packed = _read(name)
    headers = {**HEADERS, "Content-Type": TYPES[Path(name).suffix]}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"})
    return Response(plain, headers=headers)


ROUTES: Final = [Route("/static/{digest}/{name:path}", get_asset)]
