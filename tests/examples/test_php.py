"""The shop in PHP, run by PHP's own server against the real service."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from debian import Program, find_program
from ports import free_port
from processes import status, until
from signed_world import SignedWorld, paid, signed_world

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/php"
PHP = find_program("php", "php-cli")

pytestmark = pytest.mark.skipif(isinstance(PHP, str), reason=str(PHP))


def program() -> str:
    assert isinstance(PHP, Program)
    return PHP.path


@dataclass
class Shop:
    """The shop's server, and the endpoint that its webhook is."""

    world: SignedWorld
    directory: Path
    port: int
    endpoint: str = ""
    secret: str = "whsec_none"

    @property
    def journal(self) -> Path:
        return self.directory / "journal"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_endpoint(self) -> None:
        wanted = {"url": f"{self.url}/webhook.php", "format": "form"}
        answer = self.world.api.post("/v1/webhook_endpoints", json=wanted)
        assert answer.status_code == 201, answer.text
        self.endpoint, self.secret = answer.json()["id"], answer.json()["secret"]

    def environment(self) -> dict[str, str]:
        assert isinstance(PHP, Program)
        return {
            "PATH": os.environ["PATH"],
            **PHP.environment,
            "DAOZHANG_API": str(self.world.api.base_url).rstrip("/"),
            "DAOZHANG_KEY": self.world.api.headers["Authorization"].removeprefix("Bearer "),
            "DAOZHANG_SECRET": self.secret,
            "SHOP_JOURNAL": str(self.journal),
        }

    @contextmanager
    def open(self) -> Generator[None]:
        with (self.directory / "php.log").open("ab") as log:
            process = subprocess.Popen(
                [program(), "-d", "error_log=", "-S", f"127.0.0.1:{self.port}", "-t", str(EXAMPLE)],
                env=self.environment(),
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: status(self.port, "/README.md") == 200)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def post(self, page: str, fields: dict[str, str]) -> httpx2.Response:
        return httpx2.post(
            f"{self.url}/{page}", data=fields, trust_env=False, verify=False, timeout=20
        )

    def ship(self) -> list[str]:
        done = subprocess.run(
            [program(), str(EXAMPLE / "ship.php")],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    def noted(self) -> list[str]:
        return self.journal.read_text("utf-8").splitlines() if self.journal.exists() else []

    def deliveries(self) -> list[str]:
        path = f"/v1/webhook_endpoints/{self.endpoint}/deliveries"
        return [one["status"] for one in self.world.api.get(path).json()["data"]]


@pytest.fixture
def shop(tmp_path: Path) -> Generator[Shop]:
    with signed_world(tmp_path / "service", webhooks_allow_private=True) as world:
        running = Shop(world, tmp_path, free_port())
        running.add_endpoint()
        yield running


def test_from_the_button_to_the_parcel(shop: Shop) -> None:
    with shop.open():
        first, sent = (shop.post("buy.php", {"number": "tea-1"}) for _ in range(2))
        assert (first.status_code, sent.status_code) == (303, 303)  # a double click buys once
        order = shop.world.order("tea-1")
        assert sent.headers["location"] == order["pay_url"]
        assert (order["amount"], order["subject"]) == ("88.88", "龙井茶 Longjing tea")
        assert shop.ship() == []

        shop.world.tell(paid("tea-1"))
        shop.world.pass_time()
        assert shop.deliveries() == ["delivered"]
        assert len(shop.noted()) == 1
        assert shop.ship() == ["ship tea-1 88.88 CNY"]
        assert shop.ship() == []


def test_the_same_event_again_is_noted_once(shop: Shop) -> None:
    with shop.open():
        shop.world.create("tea-1")
        shop.world.tell(paid("tea-1"))
        shop.world.pass_time()
        path = f"/v1/webhook_endpoints/{shop.endpoint}/resend"
        since = {"since": "2020-01-01T00:00:00Z"}
        assert shop.world.api.post(path, json=since).json()["count"] == 1
        shop.world.pass_time()
        assert shop.deliveries() == ["delivered"]
    assert len(shop.noted()) == 1


def test_a_stranger_and_a_changed_field_are_refused(shop: Shop) -> None:
    fields = {"notify_id": "n1", "event": "order.paid", "out_trade_no": "tea-1", "z": "茶 &=+"}
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    genuine = hmac.new(shop.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    with shop.open():
        for changed in (
            fields,
            {**fields, "sign": "0" * 64},
            {**fields, "sign": genuine, "out_trade_no": "tea-2"},
            {**fields, "sign": genuine, "more": "x"},
            {**fields, "sign[]": genuine},
        ):
            refused = shop.post("webhook.php", changed)
            assert (refused.status_code, refused.text) == (400, "fail: sign")
        assert shop.noted() == []
        taken = shop.post("webhook.php", {**fields, "sign": genuine, "sign_type": "HMAC-SHA256"})
        assert (taken.status_code, taken.content) == (200, b"success")
    assert len(shop.noted()) == 1


def test_while_the_secret_is_changed_the_shop_understands_with_the_old_one(shop: Shop) -> None:
    with shop.open():
        path = f"/v1/webhook_endpoints/{shop.endpoint}/rotate_secret"
        assert shop.world.api.post(path, json={}).is_success
        shop.world.create("tea-1")
        shop.world.tell(paid("tea-1"))
        shop.world.pass_time()
        assert shop.deliveries() == ["delivered"]
    assert len(shop.noted()) == 1


def test_a_shop_that_cannot_note_does_not_say_success(shop: Shop) -> None:
    shop.journal.mkdir()
    with shop.open():
        shop.world.create("tea-1")
        shop.world.tell(paid("tea-1"))
        shop.world.pass_time()
        assert shop.deliveries() == ["pending"]
        shop.journal.rmdir()
        shop.world.pass_time(10)
        assert shop.deliveries() == ["delivered"]
    assert len(shop.noted()) == 1
