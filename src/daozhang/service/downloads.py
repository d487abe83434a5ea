"""Downloads: a file from an address that Alipay has just given in a signed answer.

The one door to such addresses: only Alipay's own hosts, by https (the emulator's are where the emulator
is), only what is out on the internet, no redirects, no proxy, never more than a limit, and the
whole file or none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from daozhang.service.db import require_no_transaction
from daozhang.service.outbound import GuardedResolver

EMULATOR: Final = "emulator"

BILL_HOSTS: Final[Mapping[str, Collection[str]]] = {
    "production": ("dwbillcenter.alipay.com",),
    "sandbox": ("dwbillcenter.alipay.com", "dwbillcenter.alipaydev.com"),
}
"""Where Alipay keeps bills (apis.md §4.1; the sandbox's is unverified)."""

RECEIPT_HOSTS: Final[Mapping[str, Collection[str]]] = {
    "production": (".alipay.com",),
    "sandbox": (".alipaydev.com",),
}
"""Where Alipay keeps receipts: one that begins with a point is every host below it."""

CHUNK_BYTES: Final = 1 << 18
PAGE_BYTES: Final = 4096
SILENCE_SECONDS: Final = 60


class DownloadFailed(Exception):
    """The file could not be read to its end; its address is asked for again."""


class HostRefused(DownloadFailed):
    """The address is none of Alipay's."""


def address_of(
    url: str, environment: str, hosts: Mapping[str, Collection[str]], gateway_url: str | None
) -> str | None:
    """``url``, if it may be fetched: of Alipay's own ``hosts``, by https; of the emulator as it is, if it
    is where the gateway is."""
    try:
        parts = urlsplit(url)
        named_port = parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.scheme not in ("http", "https"):
        return None
    if environment == EMULATOR:
        return url if gateway_url and urlsplit(gateway_url).netloc == parts.netloc else None
    host = (parts.hostname or "").lower()
    allowed = hosts.get(environment, ())
    if named_port is not None or not any(
        host.endswith(one) if one.startswith(".") else host == one for one in allowed
    ):
        return None
    return urlunsplit(parts._replace(scheme="https"))


def download(
    url: str,
    path: Path,
    *,
    environment: str,
    hosts: Mapping[str, Collection[str]],
    gateway_url: str | None,
    bytes_max: int,
    seconds_max: float,
) -> None:
    """Reads the file at ``url`` into ``path``.

    Raises `HostRefused` before anything is asked, `DownloadFailed` for anything but a whole file, and
    `RuntimeError` while a transaction is open.
    """
    require_no_transaction("A download")
    address = address_of(url, environment, hosts, gateway_url)
    if address is None:
        raise HostRefused(f"nothing is fetched from {_host_of(url)!r}")
    is_private = environment == EMULATOR
    try:
        asyncio.run(_read(address, path, is_private, bytes_max, seconds_max))
    except (aiohttp.ClientError, TimeoutError, OSError) as problem:
        raise DownloadFailed(f"{type(problem).__name__}: {problem}") from problem


def _host_of(url: str) -> str:
    """What an address calls its host: the rest may be a secret, or no address at all."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return "?"


async def _read(
    address: str, path: Path, is_private: bool, bytes_max: int, seconds_max: float
) -> None:
    timeout = aiohttp.ClientTimeout(total=seconds_max, sock_read=SILENCE_SECONDS)
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(allow_private=is_private))
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
        session.get(address, allow_redirects=False) as answer,
    ):
        if answer.status != 200:
            raise DownloadFailed(f"HTTP {answer.status}")
        if answer.content_type.startswith("text/"):
            page = (await answer.content.read(PAGE_BYTES)).decode("gb18030", "replace")
            raise DownloadFailed(f"a page instead of a file: {page[:200]}")
        size = 0
        with path.open("wb") as out:
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                size += len(chunk)
                if size > bytes_max:
                    raise DownloadFailed(f"it is larger than {bytes_max} bytes")
                out.write(chunk)
        if answer.content_length is not None and size != answer.content_length:
            raise DownloadFailed("it was cut off")
