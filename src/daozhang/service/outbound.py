"""Outbound: which addresses that users give us may be called, and the connection that holds to it.

An address is checked when it is given (`check_address`), and every connection to it again: the
name is resolved by `GuardedResolver`, and what it resolves to is what is connected to, so a name
that answers differently the second time gains nothing (money.md §7).
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

PORTS: Final = frozenset({80, 443, 8080, 8443})
"""Where web servers are; nobody is made to knock at a mail server or a database."""

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressNotAllowed(ValueError):
    """An address that may not be called. The message says why, in both languages."""


def check_address(url: str, *, allow_private: bool) -> str:
    """``url``, if it may be called; raises `AddressNotAllowed`.

    ``allow_private`` is for development: plain HTTP, any port, and addresses of one's own network.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        raise AddressNotAllowed("this is no address 地址无法识别") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise AddressNotAllowed("write https://host/path 请写成 https://主机/路径")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressNotAllowed("leave out user, password and # 地址中不能有用户名, 密码或 #")
    if allow_private:
        return url
    if parts.scheme != "https":
        raise AddressNotAllowed("use https: the content must not be read on the way 请使用 https")
    if port not in PORTS:
        allowed = ", ".join(str(port) for port in sorted(PORTS))
        raise AddressNotAllowed(f"the port must be one of {allowed} 端口只能是其中之一")
    refuse_private(parts.hostname)
    return url


def refuse_private(host: str) -> None:
    """Raises `AddressNotAllowed` if ``host`` is an IP address that is not out on the internet.

    A name passes: what it resolves to is looked at when it is connected to.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if host.lower().rstrip(".").endswith(("localhost", ".local", ".internal")):
            raise AddressNotAllowed(f"{host} is a name of a private network 内网名称") from None
        return
    for one in _all_of(address):
        if not one.is_global or one.is_multicast or one.is_reserved:
            raise AddressNotAllowed(f"{host} is not on the internet 不是公网地址")


def _all_of(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The address and the IPv4 addresses that it may stand for."""
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return [address.ipv4_mapped]
        if address.sixtofour is not None:
            found.append(address.sixtofour)
        if address.teredo is not None:
            found += address.teredo
        if address in _NAT64:
            found = [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return found


class GuardedResolver(AbstractResolver):
    """Resolves names for an aiohttp connector, and refuses what is not on the internet."""

    def __init__(self, *, allow_private: bool) -> None:
        self._inner = ThreadedResolver()
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of ``host``; `OSError` if one of them may not be called."""
        found = await self._inner.resolve(host, port, family)
        if not self._allow_private:
            try:
                for one in found:
                    refuse_private(one["host"])
            except AddressNotAllowed as refused:
                raise OSError(f"{host}: {refused}") from refused
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()
