"""The demo's shop in a process of its own, against a world: a browser that presses its buttons."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from daozhang.demo.browser import Page
from ports import free_port
from worlds import World, running


class DemoShop:
    """The shop, the world around it, and who visits it."""

    def __init__(self, world: World, address: str) -> None:
        self.world = world
        self.address = address
        self.http = httpx2.Client(
            base_url=address, trust_env=False, verify=False, follow_redirects=True, timeout=60
        )

    def open(self, address: str) -> Page:
        """A page of the shop, or wherever else an address leads."""
        return Page(self.http.get(address))

    def press(self, page: Page, action: str, **fields: str) -> Page:
        """The page after the form of ``page`` that goes to where ``action`` ends."""
        form = next(form for form in page.forms if form.action.endswith(action))
        answer = self.http.post(form.action, data={**form.fields, **fields})
        return Page(answer)

    def watch(self, page: Page) -> str:
        """The address of the events that ``page`` follows."""
        return page.text.partition('data-watch="')[2].partition('"')[0]

    def number(self, page: Page) -> str:
        """What ``page`` is about."""
        return page.url.partition("?")[0].rstrip("/").split("/")[4]


@contextmanager
def open_shop(directory: Path) -> Generator[DemoShop]:
    """A world and the shop in it, while the block runs."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running(directory, chosen={"cors_origins": (address,)}) as world:
        environ = {
            "SHOP_API": world.service.context.settings.public_url,
            "SHOP_KEY": str(world.api.headers["Authorization"]).removeprefix("Bearer "),
            "SHOP_PORT": str(port),
            "SHOP_ALIPAY": world.emulator.base_url,
        }
        command = [sys.executable, "-m", "daozhang.demo.shop"]
        process = subprocess.Popen(command, env={**os.environ, **environ})
        shop = DemoShop(world, address)
        try:
            deadline = time.monotonic() + 30
            while not _answers(shop):
                assert time.monotonic() < deadline, "the shop did not start"
                time.sleep(0.05)
            yield shop
        finally:
            shop.http.close()
            process.terminate()
            process.wait(10)


def _answers(shop: DemoShop) -> bool:
    try:
        shop.http.get("/")
    except httpx2.HTTPError:
        return False
    return True
