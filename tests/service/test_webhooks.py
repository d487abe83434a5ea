"""Webhooks through the front door: real receivers, a manual clock, both ways of writing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import defaultdict
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from daozhang.service.db import Database
from daozhang.service.merchants.store import find_merchant
from daozhang.service.webhooks import actions, store
from daozhang.service.webhooks.drain import PLACES_PER_ENDPOINT, POST_SECONDS_MAX
from daozhang.service.webhooks.model import Format
from databases import database_url
from processes import until
from receivers import Answer, Got, Receiver, receiver
from signed_world import SLUG, SignedWorld, paid, signed_world

HOUR_SECONDS = 3600
LADDER_SECONDS = 100 * HOUR_SECONDS


@pytest.fixture
def world(tmp_path: Path) -> Generator[SignedWorld]:
    with signed_world(tmp_path, webhooks_allow_private=True) as running:
        yield running


@pytest.fixture
def hook() -> Generator[Receiver]:
    with receiver() as running:
        yield running


def add(world: SignedWorld, hook: Receiver, **wanted: Any) -> dict[str, Any]:
    """A new endpoint at ``hook``."""
    answer = world.api.post("/v1/webhook_endpoints", json={"url": hook.url, **wanted})
    assert answer.status_code == 201, answer.text
    return answer.json()


def pay(world: SignedWorld, number: str, **wanted: Any) -> None:
    world.create(number, **wanted)
    world.tell(paid(number))


def finish(world: SignedWorld, number: str) -> None:
    world.tell(paid(number, notify_id=f"f{number}", trade_status="TRADE_FINISHED"))


def events_of(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in hook.taken()]


def deliveries(world: SignedWorld, endpoint: dict[str, Any], **params: str) -> list[dict[str, Any]]:
    path = f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"
    return world.api.get(path, params=params).json()["data"]


def command(world: SignedWorld, endpoint: dict[str, Any], verb: str, **body: Any) -> dict[str, Any]:
    answer = world.api.post(f"/v1/webhook_endpoints/{endpoint['id']}/{verb}", json=body)
    assert answer.is_success, answer.text
    return answer.json()


def test_a_paid_order_arrives_once_signed_both_ways(world: SignedWorld, hook: Receiver) -> None:
    endpoint = add(world, hook)
    pay(world, "A-1")
    world.pass_time()

    (got,) = hook.got
    event = json.loads(got.body)
    assert (event["type"], event["data"]["order"]["out_trade_no"]) == ("order.paid", "A-1")
    assert (event["sequence"], event["id"]) == (1, got.headers["webhook-id"])
    # The reference verifier checks v1; its clock is the system's, ours stands in March.
    secret = Webhook(endpoint["secret"])
    stamp = got.headers["webhook-timestamp"]
    signed = f"{event['id']}.{stamp}.".encode() + got.body
    v1, v1a = got.headers["webhook-signature"].split(" ")
    when = _moment(stamp)
    assert v1 == secret.sign(event["id"], when, got.body.decode())
    key = base64.b64decode(endpoint["public_key"].removeprefix("whpk_"))
    version, _, signature = v1a.partition(",")
    assert version == "v1a"
    Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signature), signed)
    world.pass_time(LADDER_SECONDS)
    assert len(hook.got) == 1
    assert [one["status"] for one in deliveries(world, endpoint)] == ["delivered"]


def _moment(stamp: str) -> datetime:
    return datetime.fromtimestamp(int(stamp), UTC)


def test_the_form_is_alipays_own_and_wants_success(world: SignedWorld, hook: Receiver) -> None:
    endpoint = add(world, hook, format="form")
    hook.answer = lambda _got: Answer(body=b"<html>fine</html>")
    pay(world, "A-1", subject="中文茶")
    world.pass_time()
    hook.answer = lambda _got: Answer(body=b"success")
    world.pass_time(60)
    world.pass_time(LADDER_SECONDS)

    assert len(hook.got) == 2
    fields = {name: values[0] for name, values in parse_qs(hook.got[-1].body.decode()).items()}
    sign = fields.pop("sign")
    assert fields.pop("sign_type") == "HMAC-SHA256"
    assert (fields["trade_status"], fields["total_amount"]) == ("TRADE_SUCCESS", "88.88")
    assert (fields["out_trade_no"], fields["event"]) == ("A-1", "order.paid")
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    own = hmac.new(endpoint["secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
    assert sign == own


def test_only_the_wanted_types_and_only_from_now_on(world: SignedWorld, hook: Receiver) -> None:
    pay(world, "A-0")
    add(world, hook, types=["order.finished"])
    pay(world, "A-1")
    finish(world, "A-1")
    world.pass_time()
    assert [event["type"] for event in events_of(hook)] == ["order.finished"]


def test_of_two_first_endpoints_at_once_neither_misses_anything(
    world: SignedWorld, hook: Receiver
) -> None:
    # Whoever is first skips the events that nobody has read; the second must not do it again.
    context = world.context
    pay(world, "A-1")
    with ThreadPoolExecutor(1) as pool, receiver() as other:
        with context.database.begin() as tx:
            merchant = find_merchant(tx, SLUG)
            assert merchant is not None
            actions.add_endpoint(
                tx, context, merchant.id, other.url, types=[], format=Format.JSON, description=None
            )
            second = pool.submit(add, world, hook)
            with pytest.raises(TimeoutError):
                second.result(0.3)
        second.result()
        pay(world, "A-2")
        world.pass_time()
        for one in (hook, other):
            assert [event["data"]["order"]["out_trade_no"] for event in events_of(one)] == ["A-2"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b"broken"),
        Answer(302, headers={"Location": "http://127.0.0.1:1/"}),
        Answer(404),
        Answer(429, headers={"Retry-After": "7200"}),
    ],
    ids=["500", "redirect", "404", "throttled"],
)
def test_what_is_no_success_is_sent_again_until_it_is(
    world: SignedWorld, hook: Receiver, answer: Answer
) -> None:
    endpoint = add(world, hook)
    hook.answer = lambda _got: answer
    pay(world, "A-1")
    world.pass_time(HOUR_SECONDS)
    failed = len(hook.got)
    assert failed == (1 if answer.status == 429 else 4)
    assert hook.taken() == []
    hook.answer = lambda _got: Answer()
    world.pass_time(6 * HOUR_SECONDS)

    assert [event["type"] for event in events_of(hook)] == ["order.paid"]
    assert len({got.headers["webhook-id"] for got in hook.got}) == 1
    (delivery,) = deliveries(world, endpoint)
    told = world.api.get(f"/v1/webhook_deliveries/{delivery['id']}").json()
    assert [one["status_code"] for one in told["attempts"]] == [answer.status] * failed + [200]
    assert told["attempts"][0]["response"] == answer.body.decode()


def test_events_of_an_order_wait_for_the_earlier_ones_and_other_orders_do_not(
    world: SignedWorld, hook: Receiver
) -> None:
    add(world, hook)
    hook.answer = lambda got: Answer(500 if b'"A-1"' in got.body else 200)
    pay(world, "A-1")
    pay(world, "B-1")
    finish(world, "A-1")
    finish(world, "B-1")
    world.pass_time(20 * 60)
    assert _by_order(hook) == {"B-1": ["order.paid", "order.finished"]}
    hook.answer = lambda _got: Answer()
    world.pass_time(4 * HOUR_SECONDS)
    assert _by_order(hook)["A-1"] == ["order.paid", "order.finished"]


def _by_order(hook: Receiver) -> dict[str, list[str]]:
    told: defaultdict[str, list[str]] = defaultdict(list)
    for event in events_of(hook):
        told[event["data"]["order"]["out_trade_no"]].append(event["type"])
    return dict(told)


def test_when_the_ladder_ends_the_event_is_parked_and_the_order_goes_on(
    world: SignedWorld, hook: Receiver
) -> None:
    endpoint = add(world, hook)
    hook.answer = lambda got: Answer(500 if b'"order.paid"' in got.body else 200)
    pay(world, "A-1")
    finish(world, "A-1")
    world.pass_time(LADDER_SECONDS)

    assert [event["type"] for event in events_of(hook)] == ["order.finished"]
    (parked,) = deliveries(world, endpoint, status="parked")
    assert (parked["parked_because"], parked["attempt_count"]) == ("ladder", 10)
    hook.answer = lambda _got: Answer()
    again = world.api.post(f"/v1/webhook_deliveries/{parked['id']}/resend")
    assert again.json() == {"count": 1}
    world.pass_time()
    assert [event["type"] for event in events_of(hook)] == ["order.finished", "order.paid"]


def test_a_paused_endpoint_gets_all_it_missed_in_order(world: SignedWorld, hook: Receiver) -> None:
    endpoint = add(world, hook)
    assert command(world, endpoint, "pause")["status"] == "paused"
    pay(world, "A-1")
    finish(world, "A-1")
    world.pass_time(HOUR_SECONDS)
    assert hook.got == []
    assert command(world, endpoint, "resume") == {"count": 2}
    world.pass_time()
    assert _by_order(hook) == {"A-1": ["order.paid", "order.finished"]}


def test_gone_switches_off_and_the_others_are_told(world: SignedWorld, hook: Receiver) -> None:
    with receiver() as other:
        endpoint = add(world, hook)
        add(world, other)
        hook.answer = lambda _got: Answer(410)
        pay(world, "A-1")
        world.pass_time(HOUR_SECONDS)

        told = world.api.get(f"/v1/webhook_endpoints/{endpoint['id']}").json()
        assert (told["status"], len(hook.got)) == ("disabled", 1)
        assert [event["type"] for event in events_of(other)] == [
            "order.paid",
            "webhook_endpoint.disabled",
        ]
        assert events_of(other)[-1]["data"]["reason"] == "gone"
        hook.answer = lambda _got: Answer()
        command(world, endpoint, "resume")
        world.pass_time()
        assert "order.paid" in [event["type"] for event in events_of(hook)]


def test_five_days_without_one_success_switch_off(world: SignedWorld, hook: Receiver) -> None:
    endpoint = add(world, hook)
    hook.answer = lambda _got: Answer(500)
    for day in range(6):
        pay(world, f"A-{day}")
        world.pass_time(24 * HOUR_SECONDS)
    told = world.api.get(f"/v1/webhook_endpoints/{endpoint['id']}").json()
    assert told["status"] == "disabled"
    assert {one["parked_because"] for one in deliveries(world, endpoint, status="parked")} == {
        "endpoint",
        "ladder",
    }


def test_secrets_overlap_while_they_are_rotated(world: SignedWorld, hook: Receiver) -> None:
    endpoint = add(world, hook)
    fresh = command(world, endpoint, "rotate_secret", overlap_seconds=60)
    pay(world, "A-1")
    world.pass_time(120)
    pay(world, "A-2")
    world.pass_time()

    first, second = hook.got
    assert _signers(first.headers, first.body, [endpoint, fresh]) == [True, True]
    assert _signers(second.headers, second.body, [endpoint, fresh]) == [False, True]
    shown = world.api.get(f"/v1/webhook_endpoints/{endpoint['id']}").json()
    assert shown["secret"] is None


def _signers(headers: dict[str, str], body: bytes, keys: list[dict[str, Any]]) -> list[bool]:
    when = _moment(headers["webhook-timestamp"])
    told = headers["webhook-signature"].split(" ")
    return [
        Webhook(key["secret"]).sign(headers["webhook-id"], when, body.decode()) in told
        for key in keys
    ]


def test_a_test_event_goes_to_its_endpoint_alone(world: SignedWorld, hook: Receiver) -> None:
    with receiver() as other:
        endpoint = add(world, hook)
        add(world, other)
        sent = command(world, endpoint, "test")
        world.pass_time()
        assert [event["id"] for event in events_of(hook)] == [sent["event_id"]]
        assert other.got == []


def test_all_since_a_time_are_sent_again_under_their_ids(
    world: SignedWorld, hook: Receiver
) -> None:
    endpoint = add(world, hook)
    pay(world, "A-1")
    world.pass_time(HOUR_SECONDS)
    since = world.context.clock.now().isoformat()
    pay(world, "A-2")
    world.pass_time(60)
    assert command(world, endpoint, "resend", since=since) == {"count": 1}
    world.pass_time()
    ids = [event["id"] for event in events_of(hook)]
    assert ids[1:] == [ids[1], ids[1]]


def test_whatever_the_receiver_does_everything_arrives_in_order(
    world: SignedWorld, hook: Receiver
) -> None:
    add(world, hook)
    answers = [Answer(500), Answer(), Answer(302), Answer(404), Answer(), Answer(503)]
    hook.answer = lambda _got: answers[len(hook.got) % len(answers)]
    numbers = [f"N-{number}" for number in range(12)]
    for number in numbers:
        pay(world, number)
        finish(world, number)
        world.pass_time(1)
    world.pass_time(20 * HOUR_SECONDS)
    hook.answer = lambda _got: Answer()
    world.pass_time(30 * HOUR_SECONDS)
    assert _by_order(hook) == {number: ["order.paid", "order.finished"] for number in numbers}
    for number in numbers:
        sequences = [
            event["sequence"]
            for event in events_of(hook)
            if event["data"]["order"]["out_trade_no"] == number
        ]
        assert all(earlier < later for earlier, later in pairwise(sequences))


def test_an_endpoint_that_vanished_is_tried_until_it_is_back(world: SignedWorld) -> None:
    with receiver() as gone:
        pass
    endpoint = add(world, gone)
    pay(world, "A-1")
    world.pass_time(60)
    (delivery,) = deliveries(world, endpoint)
    told = world.api.get(f"/v1/webhook_deliveries/{delivery['id']}").json()
    assert told["status"] == "pending"
    assert "Connect" in told["attempts"][0]["error"]


def test_removed_endpoints_and_those_of_others_are_not_found(
    world: SignedWorld, hook: Receiver
) -> None:
    endpoint = add(world, hook)
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    assert world.api.delete(path).status_code == 204
    assert world.api.get(path).json()["code"] == "webhook_endpoint_not_found"
    assert world.api.get("/v1/webhook_deliveries/whd_x").json()["code"] == (
        "webhook_delivery_not_found"
    )
    pay(world, "A-1")
    world.pass_time()
    assert hook.got == []


def test_told_to_stop_what_was_claimed_and_not_sent_is_given_back(
    tmp_path: Path, hook: Receiver
) -> None:
    count = 40
    with signed_world(tmp_path, webhooks_allow_private=True) as world:
        add(world, hook)
        orders = [world.create(f"A-{number}") for number in range(count)]
        hook.answer = lambda _got: Answer(delay_seconds=1.5)  # however slow the machine is
        for order in orders:
            world.tell(paid(order["out_trade_no"]))
        until(lambda: len(hook.got) > 0 and len(_rows(world.context.database)) == count)
        now = world.context.clock.now()
    database = Database(database_url(tmp_path))
    rows = _rows(database)
    database.dispose()
    left = [row for row in rows if row["status"] == "pending"]
    assert 0 < len(left) <= count - len(hook.got)
    assert len(rows) - len(left) == len(hook.got)
    assert [row["attempt_count"] for row in left] == [0] * len(left)
    assert all(row["due_at"] <= now for row in left)


def _rows(database: Database) -> Sequence[sa.RowMapping]:
    with database.read() as tx:
        return tx.execute(sa.select(store.deliveries)).mappings().all()


def test_what_waits_behind_a_receiver_that_hangs_is_given_back_and_not_counted(
    world: SignedWorld, hook: Receiver
) -> None:
    count, places = 20, PLACES_PER_ENDPOINT
    endpoint = add(world, hook)
    orders = [world.create(f"A-{number}") for number in range(count)]
    began = threading.Semaphore(0)

    def hang(_got: Got) -> Answer:
        began.release()
        return Answer(delay_seconds=POST_SECONDS_MAX + 1)

    hook.answer = hang
    for order in orders:
        world.tell(paid(order["out_trade_no"]))
    for _ in range(places):
        assert began.acquire(timeout=10)
    hook.answer = lambda _got: Answer()
    world.pass_time()  # returns when nothing is under way any more
    world.pass_time(60)

    found = deliveries(world, endpoint, limit=str(count))
    assert [one["status"] for one in found] == ["delivered"] * count
    attempts = sorted(one["attempt_count"] for one in found)
    assert attempts == [1] * (count - places) + [2] * places
    arrived = [event["data"]["order"]["out_trade_no"] for event in events_of(hook)]
    assert sorted(set(arrived)) == sorted(order["out_trade_no"] for order in orders)
