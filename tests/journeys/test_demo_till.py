"""The demo's till, as the person at the counter uses it: its pages, against the service and a phone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator

import httpx2
import pytest

from worlds import World, free_port

NOT_YET, PAID, OVER = "请勿交付商品", "可以交付商品", "未收款"


@pytest.fixture(scope="module")
def till(_world_of_the_module: World) -> Generator[httpx2.Client]:
    """The till in a process of its own, and a browser at the counter."""
    world, port = _world_of_the_module, free_port()
    environ = {
        "TILL_API": world.service.context.settings.public_url,
        "TILL_KEY": str(world.api.headers["Authorization"]).removeprefix("Bearer "),
        "TILL_PORT": str(port),
        "TILL_WALLET": f"{world.emulator.base_url}/wallet",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "daozhang.demo.till"], env={**os.environ, **environ}
    )
    address = f"http://127.0.0.1:{port}"
    with httpx2.Client(
        base_url=address, trust_env=False, verify=False, follow_redirects=True
    ) as browser:
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    browser.get("/")
                    break
                except httpx2.HTTPError:
                    assert time.monotonic() < deadline, "the till did not start"
                    time.sleep(0.05)
            yield browser
        finally:
            process.terminate()
            process.wait(10)


def sale(till: httpx2.Client, way: str, amount: str = "8.88") -> str:
    """The address of a new sale."""
    opened = till.post("/sales", data={"amount": amount, "way": way})
    assert opened.status_code == 200
    assert f"¥ {amount}" in opened.text
    return str(opened.url.path)


def test_a_scanned_code_pays_at_once(till: httpx2.Client, shared_world: World) -> None:
    at = sale(till, "barcode")
    shown = till.post(f"{at}/scan", data={"auth_code": shared_world.emulator.payment_code()})
    assert PAID in shown.text
    assert NOT_YET not in shown.text
    assert "下一笔" in shown.text


def test_goods_stay_until_the_buyer_has_confirmed(till: httpx2.Client, shared_world: World) -> None:
    at = sale(till, "barcode")
    code = shared_world.emulator.payment_code("asks")
    assert NOT_YET in till.post(f"{at}/scan", data={"auth_code": code}).text
    shared_world.emulator.confirm(at.rpartition("/")[2])
    shared_world.settle()
    assert PAID in till.get(at).text


def test_what_is_no_payment_code_is_refused_in_words(
    till: httpx2.Client, shared_world: World
) -> None:
    at = sale(till, "barcode")
    shown = till.post(f"{at}/scan", data={"auth_code": "6901234567892"}).text
    assert "16 至 24 位数字" in shown
    assert "name=auth_code" in shown
    assert PAID not in shown
    assert (
        PAID
        in till.post(f"{at}/scan", data={"auth_code": shared_world.emulator.payment_code()}).text
    )


def test_a_sale_is_given_up(till: httpx2.Client, shared_world: World) -> None:
    at = sale(till, "barcode")
    code = shared_world.emulator.payment_code("asks")
    till.post(f"{at}/scan", data={"auth_code": code})
    till.post(f"{at}/cancel")
    shared_world.advance(10)
    assert OVER in till.get(at).text


def test_a_code_is_shown_and_its_payment_seen(till: httpx2.Client, shared_world: World) -> None:
    at = sale(till, "qr")
    shown = till.get(at).text
    assert ".svg" in shown
    assert NOT_YET in shown
    code = shown.partition("<small>")[2].partition("</small>")[0]
    assert code in till.get(at).text  # looking again shows the same code
    assert shared_world.browser.get(code).status_code == 200
    shared_world.emulator.pay(at.rpartition("/")[2])
    shared_world.settle()
    assert PAID in till.get(at).text


def test_an_amount_that_is_none_is_refused_in_words(till: httpx2.Client) -> None:
    shown = till.post("/sales", data={"amount": "abc", "way": "qr"})
    assert shown.status_code == 200
    assert 'class="state bad"' in shown.text
    assert till.get("/nothing").status_code == 404
