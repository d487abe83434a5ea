"""What one process commits another looks for and takes up: streams and webhooks."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from daozhang.app import create_context
from daozhang.service.merchants.store import list_merchants
from daozhang.service.outbox.actions import append_event
from daozhang.service.settings import load_settings
from daozhang.service.webhooks.actions import read_endpoint, send_test
from ports import free_port
from processes import environment, prepare, serving, until
from receivers import Receiver, receiver
from signed_world import FORM, paid, signed
from streams import bearer, streaming
from worlds import find_order

# What no process looks for waits for a heartbeat or a lease: 15 seconds and more. A busy machine
# that looks every half a second may need two; how fast it is is measured elsewhere.
SECONDS_MAX = 10.0
TIMES = 6
RANDOM = random.Random(3)


@contextmanager
def speaking_to(port: int, key: str | None = None) -> Generator[httpx2.Client]:
    """Whoever talks to the process on ``port``; with a key, the merchant."""
    own = {} if key is None else bearer(key)
    base = f"http://127.0.0.1:{port}"
    with httpx2.Client(
        base_url=base, headers=own, trust_env=False, verify=False, timeout=30
    ) as client:
        yield client


def create(api: httpx2.Client, number: str) -> None:
    """Creates an order of 88.88 yuan."""
    body = {"out_trade_no": number, "amount": "88.88", "subject": "Tea"}
    assert api.post("/v1/orders", json=body).status_code == 201


def listen(api: httpx2.Client, url: str) -> str:
    """Makes an endpoint of ``url``; its id."""
    made = api.post("/v1/webhook_endpoints", json={"url": url})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def seconds_until_got(hook: Receiver, count: int, since: float) -> float:
    """How long after ``since`` the receiver had got ``count`` posts."""
    until(lambda: len(hook.got) >= count, 15)
    return time.monotonic() - since


def rest() -> None:
    """A while that hits no poll by design."""
    time.sleep(RANDOM.uniform(0.1, 1.4))


@pytest.mark.skipif("config.getoption('--database') != 'postgresql'", reason="needs PostgreSQL")
def test_what_is_paid_at_one_process_is_seen_at_another(tmp_path: Path) -> None:
    one, other = free_port(), free_port()
    key = prepare(tmp_path, one)
    streamed: list[float] = []
    posted: list[float] = []
    with (
        serving(tmp_path, one),
        serving(tmp_path, other),
        receiver() as hook,
        speaking_to(one, key) as api,
        speaking_to(one) as alipay,
    ):
        listen(api, hook.url)
        with streaming(f"http://127.0.0.1:{other}/v1/events", headers=bearer(key)) as stream:
            for turn in range(TIMES):
                create(api, f"A-{turn}")
                rest()
                body = signed(paid(f"A-{turn}"))
                told = alipay.post(
                    "/alipay/notify/shop", content=body, headers={"Content-Type": FORM}
                )
                since = time.monotonic()
                assert told.content == b"success"
                event = stream.event()
                streamed.append(time.monotonic() - since)
                assert (event["type"], event["data"]["order"]["out_trade_no"]) == (
                    "order.paid",
                    f"A-{turn}",
                )
                posted.append(seconds_until_got(hook, turn + 1, since))
    assert max(streamed) < SECONDS_MAX, streamed
    assert max(posted) < SECONDS_MAX, posted


def test_what_a_process_leaves_behind_is_taken_up_by_another(tmp_path: Path) -> None:
    """This test is the other process: it commits, and neither wakes anybody nor does the work."""
    port = free_port()
    key = prepare(tmp_path, port)
    context = create_context(load_settings(environment(tmp_path, port)))
    tests: list[float] = []
    events: list[float] = []
    with serving(tmp_path, port), receiver() as hook, speaking_to(port, key) as api:
        public_id = listen(api, hook.url)
        create(api, "A-1")
        for turn in range(TIMES):
            rest()
            with context.database.begin() as tx:
                (merchant,) = list_merchants(tx)
                endpoint = read_endpoint(tx, merchant.id, public_id)
                send_test(tx, context, endpoint, "emulator")
            tests.append(seconds_until_got(hook, 2 * turn + 1, time.monotonic()))
            rest()
            with context.database.begin() as tx:
                append_event(
                    tx,
                    merchant_id=merchant.id,
                    environment="emulator",
                    order_id=find_order(tx, "A-1"),
                    type="order.paid",
                    data={},
                    now=context.clock.now(),
                )
            events.append(seconds_until_got(hook, 2 * turn + 2, time.monotonic()))
    context.database.dispose()
    assert max(tests) < SECONDS_MAX, tests
    # Fanned out at a look, then sent at once: that nudges.
    assert max(events) < SECONDS_MAX, events
