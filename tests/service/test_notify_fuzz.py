"""The notify address under rubbish: never a 5xx, nothing booked, and a body too large is cut off."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signed_world import SLUG, SignedWorld, paid, signed, signed_world

TEN_MEGABYTES = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[SignedWorld]:
    """A service with one order that rubbish would like to pay."""
    directory: Path = tmp_path_factory.mktemp("fuzz")
    with signed_world(directory) as alive:
        alive.create("A-1")
        yield alive


def tell(world: SignedWorld, body: bytes | Iterator[bytes], **headers: str) -> httpx2.Response:
    return world.api.post(f"/alipay/notify/{SLUG}", content=body, headers=headers)


def is_refused(world: SignedWorld, answer: httpx2.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.content != b"success"
    order = world.api.get("/v1/orders/A-1").json()
    assert (order["status"], order["attention"]) == ("created", False)


GOOD = signed(paid("A-1"))
RUBBISH = {
    "nothing": b"",
    "no sign": b"a=1&b=2",
    "bad percent": GOOD + b"&x=%zz",
    "cut percent": GOOD + b"&x=%4",
    "null": GOOD + b"&x=%00",
    "raw null": GOOD + b"&x=\x00",
    "twice": GOOD + b"&total_amount=88.88",
    "a field more": GOOD + b"&router=/pay",
    "wrong charset": GOOD.replace(b"charset=utf-8", b"charset=klingon"),
    "another charset": GOOD.replace(b"charset=utf-8", b"charset=gbk"),
    "amount": GOOD.replace(b"88.88", b"88.87"),
    "sign only": b"sign=AAAA",
    "huge sign": b"sign=" + b"A" * 60_000,
    "many fields": b"&".join(b"f%d=1" % n for n in range(6000)) + b"&sign=AAAA",
    "json": b'{"sign": ["a", ["b"]]}',
    "nested list": b"a[0][]=1&a[0][]=2&sign=AAAA",
    "utf-16": GOOD.decode().encode("utf-16"),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_refused(world: SignedWorld, name: str) -> None:
    assert RUBBISH[name] != GOOD
    is_refused(world, tell(world, RUBBISH[name]))


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(body=st.binary(max_size=400), content_type=st.text("abc/;=-", max_size=30))
def test_random_bytes_are_refused(world: SignedWorld, body: bytes, content_type: str) -> None:
    is_refused(world, tell(world, body, **{"Content-Type": content_type}))


def test_ten_megabytes_are_not_read(world: SignedWorld) -> None:
    is_refused(world, tell(world, b"sign=" + b"A" * TEN_MEGABYTES))


def test_ten_megabytes_in_chunks_are_cut_off(world: SignedWorld) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(TEN_MEGABYTES // 65536):
            sent += 65536
            yield b"A" * 65536

    try:
        answer = tell(world, chunks())
    except httpx2.TransportError:
        return  # the connection was closed on us in the middle: that is being cut off
    is_refused(world, answer)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_taken(world: SignedWorld, method: str) -> None:
    assert world.api.request(method, f"/alipay/notify/{SLUG}").status_code == 405


@pytest.mark.parametrize("slug", ["nobody", "..%2f..%2fetc", "%00", "a" * 5000, "商户"])
def test_a_stranger_has_no_address(world: SignedWorld, slug: str) -> None:
    answer = world.api.post(f"/alipay/notify/{slug}", content=GOOD)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("path", ["/alipay/return/x", "/pay/x", "/pay/a.b", "/v1/watch/x.y"])
def test_other_doors_answer_strangers_politely(world: SignedWorld, path: str) -> None:
    for query in ("", "?sign=%zz", "?a=1&a=2&sign=x", "?charset=klingon&sign=x"):
        assert 400 <= world.api.get(path + query).status_code < 500
