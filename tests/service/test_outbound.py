"""Addresses that users give: what may be called, and what never."""

from __future__ import annotations

import asyncio

import pytest

from daozhang.service.outbound import AddressNotAllowed, GuardedResolver, check_address


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/hook",
        "https://shop.example.com:22/hook",
        "https://user:secret@shop.example.com/",
        "https://shop.example.com/#part",
        "ftp://shop.example.com/",
        "https:///hook",
        "//shop.example.com",
        "https://127.0.0.1/",
        "https://127.1.2.3/",
        "https://10.0.0.1/",
        "https://172.16.3.4/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.100.100.200/latest/meta-data/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:7f00:1::]/",
        "https://localhost/",
        "https://shop.localhost/",
        "https://printer.local/",
        "https://shop.example.com:99999/",
    ],
)
def test_what_is_not_out_on_the_internet_is_refused(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        check_address(url, allow_private=False)


@pytest.mark.parametrize(
    "url",
    ["https://shop.example.com/hook?a=1", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/"],
)
def test_what_is_on_the_internet_may_be_called(url: str) -> None:
    assert check_address(url, allow_private=False) == url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_name_is_looked_at_again_when_it_is_connected_to(host: str) -> None:
    async def resolve(*, allow_private: bool) -> int:
        resolver = GuardedResolver(allow_private=allow_private)
        try:
            return len(await resolver.resolve(host, 443))
        finally:
            await resolver.close()

    with pytest.raises(OSError, match="not on the internet"):
        asyncio.run(resolve(allow_private=False))
    assert asyncio.run(resolve(allow_private=True)) > 0


def test_in_development_ones_own_network_may_be_called() -> None:
    url = "http://127.0.0.1:9000/hook"
    assert check_address(url, allow_private=True) == url
