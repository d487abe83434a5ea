"""Alerts: told once, repeated while they last, told when they are over, by one process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import sqlalchemy as sa
from standardwebhooks.webhooks import Webhook

from daozhang.clock import ManualClock
from daozhang.service.db import Moment
from daozhang.service.jobs import Jobs
from daozhang.service.settings import SettingsInvalid, load_settings
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.alerting import RaiseAlerts
from deployment import START, new_context
from receivers import Answer, Got, receiver
from signed_world import SignedWorld, signed_world

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
DINGTALK_SECRET = "SEC000000000000000000000"
HOUR = 3600
OK = Answer(body=b'{"errcode":0,"errmsg":"ok"}')


@contextmanager
def alerting(tmp_path: Path, **chosen: object) -> Generator[SignedWorld]:
    """A service that may call the test's own machine, whose orders do not run out."""
    settings = {
        "webhooks_allow_private": True,
        "alerts_repeat_hours": 1,
        "order_expiry_seconds": 1_296_000,
        **chosen,
    }
    with signed_world(tmp_path, **settings) as world:
        world.create("A-1")
        yield world


def break_it(world: SignedWorld) -> None:
    """Something is wrong: an order that nobody would ask about."""
    _write(world, "UPDATE orders SET next_query_at = NULL")


def mend_it(world: SignedWorld) -> None:
    _write(world, "UPDATE orders SET next_query_at = expires_at")


def _write(world: SignedWorld, statement: str) -> None:
    with world.context.database.begin() as tx:
        tx.execute(sa.text(statement))


def told(post: Got) -> list[tuple[str, str]]:
    return [(one["key"], one["status"]) for one in json.loads(post.body)["data"]]


def not_sent(world: SignedWorld) -> float:
    text = httpx2.get(
        f"{world.context.settings.public_url}/metrics", trust_env=False, verify=False
    ).text
    found = re.search(r"^daozhang_alerts_not_sent (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found.group(1))


def test_an_alert_is_told_once_repeated_while_it_lasts_and_its_end_is_told(tmp_path: Path) -> None:
    with (
        receiver() as here,
        alerting(tmp_path, alerts_webhook_url=here.url, alerts_webhook_secret=SECRET) as world,
    ):
        world.pass_time(120)
        assert here.got == []
        break_it(world)
        world.pass_time(60)
        world.pass_time(HOUR - 120)
        assert [told(post) for post in here.got] == [[("orders_unwatched", "raised")]]
        world.pass_time(120)
        assert [told(post) for post in here.got] == [[("orders_unwatched", "raised")]] * 2
        mend_it(world)
        world.pass_time(60)
        assert told(here.got[2]) == [("orders_unwatched", "resolved")]
        world.pass_time(HOUR + 120)
        assert len(here.got) == 3
        break_it(world)
        world.pass_time(60)
        assert told(here.got[3]) == [("orders_unwatched", "raised")]
        assert not_sent(world) == 0
        first = here.got[0]
        (one,) = json.loads(first.body)["data"]
        assert one["severity"] == "page"
        assert "1 open orders" in one["text"]
        assert "订单" in one["text_zh"]
        assert one["todo"]
        assert one["todo_zh"]
        # The signature is that of Standard Webhooks; its time is the service's, not the test's.
        signed = Webhook(SECRET)
        told_at = datetime.fromtimestamp(int(first.headers["webhook-timestamp"]), UTC)
        expected = signed.sign(first.headers["webhook-id"], told_at, first.body.decode())
        assert START < told_at < world.context.clock.now()
        assert first.headers["webhook-signature"] == expected


def test_robots_are_spoken_to_in_their_own_way_in_both_languages(tmp_path: Path) -> None:
    with receiver() as robots:
        robots.answer = lambda _got: OK
        base = robots.url.removesuffix("/hook")
        with alerting(
            tmp_path,
            alerts_robots_url=base,
            alerts_dingtalk_token="dingtoken",
            alerts_dingtalk_secret=DINGTALK_SECRET,
            alerts_wecom_key="wecomkey",
        ) as world:
            break_it(world)
            world.pass_time(60)
            posts = {urlsplit(post.path).path: post for post in robots.got}
            assert len(posts) == len(robots.got) == 2
            ding, wecom = posts["/robot/send"], posts["/cgi-bin/webhook/send"]
            asked = parse_qs(urlsplit(ding.path).query)
            assert asked["access_token"] == ["dingtoken"]
            text = f"{asked['timestamp'][0]}\n{DINGTALK_SECRET}"
            key = DINGTALK_SECRET.encode()
            digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
            assert asked["sign"] == [base64.b64encode(digest).decode()]
            sent_at = int(asked["timestamp"][0]) / 1000
            assert 0 <= world.context.clock.now().timestamp() - sent_at <= 60
            assert parse_qs(urlsplit(wecom.path).query) == {"key": ["wecomkey"]}
            said: Any = json.loads(ding.body)
            assert said["msgtype"] == "markdown"
            for markdown in (
                said["markdown"]["text"],
                json.loads(wecom.body)["markdown"]["content"],
            ):
                assert "orders_unwatched" in markdown
                assert "1 open orders have no next query" in markdown
                assert "未完成订单没有下次查询时间" in markdown
                assert "处理:" in markdown
                assert "To do:" in markdown
                assert len(markdown.encode()) <= 4096


@pytest.mark.parametrize(
    "no", [Answer(500), Answer(body=b'{"errcode":310000,"errmsg":"sign not match"}'), Answer(302)]
)
def test_what_did_not_arrive_is_tried_again_and_shown(tmp_path: Path, no: Answer) -> None:
    with receiver() as robots:
        robots.answer = lambda _got: no
        base = robots.url.removesuffix("/hook")
        with alerting(tmp_path, alerts_robots_url=base, alerts_wecom_key="wecomkey") as world:
            break_it(world)
            world.pass_time(120)
            assert len(robots.got) >= 2
            assert not_sent(world) == 1
            robots.answer = lambda _got: OK
            world.pass_time(300)
            assert not_sent(world) == 0
            so_far = len(robots.got)
            world.pass_time(HOUR // 2)
            assert len(robots.got) == so_far


def test_what_begins_again_before_its_end_was_told_has_never_ended(tmp_path: Path) -> None:
    with receiver() as here, alerting(tmp_path, alerts_webhook_url=here.url) as world:
        break_it(world)
        world.pass_time(60)
        here.answer = lambda _got: Answer(500)
        mend_it(world)
        world.pass_time(60)
        break_it(world)
        world.pass_time(30)
        here.answer = lambda _got: Answer(200)
        world.pass_time(HOUR // 2)
        assert [told(post) for post in here.taken()] == [[("orders_unwatched", "raised")]]
        world.pass_time(HOUR)
        assert [told(post) for post in here.taken()] == [[("orders_unwatched", "raised")]] * 2


def test_an_address_of_a_private_network_is_not_called(tmp_path: Path) -> None:
    with (
        receiver() as here,
        alerting(tmp_path, alerts_webhook_url=here.url, webhooks_allow_private=False) as world,
    ):
        break_it(world)
        world.pass_time(60)
        assert here.got == []
        assert not_sent(world) == 1


def test_of_many_processes_one_tells(tmp_path: Path) -> None:
    with receiver() as here:
        here.answer = lambda _got: Answer(delay_seconds=0.3)
        context = new_context(tmp_path, alerts_webhook_url=here.url, webhooks_allow_private=True)
        with context.database.begin() as tx:
            tx.execute(
                sa.text(
                    "INSERT INTO watch_tallies (name, label, hour, value) VALUES"
                    " ('notify_answers', 'error', :hour, 1)"
                ).bindparams(sa.bindparam("hour", context.clock.now(), Moment()))
            )
        jobs = Jobs(context.database)
        jobs.prepare()
        duties = [RaiseAlerts(Lookout(context, jobs)) for _ in range(6)]
        clock = context.clock
        assert isinstance(clock, ManualClock)
        with ThreadPoolExecutor(6) as threads:
            for _ in range(3):
                list(threads.map(lambda duty: duty.run_due(), duties))
                clock.set(clock.now() + timedelta(seconds=30))
        assert [told(post) for post in here.got] == [[("notify_errors", "raised")]]
        jobs.stop()
        context.database.dispose()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (
            "alerts_dingtalk_token",
            "https://oapi.dingtalk.com/robot/send?access_token=x",
            "access_token=",
        ),
        ("alerts_wecom_key", "key=abc", "key="),
        ("alerts_webhook_secret", "whsec_not base64", "whsec_"),
    ],
)
def test_a_setting_that_was_copied_wrongly_is_said_at_the_start(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsInvalid, match=re.escape(says)) as told_at_start:
        load_settings({f"DAOZHANG_{name.upper()}": value})
    assert value not in str(told_at_start.value)


def test_robots_are_at_their_own_addresses_where_money_is_real() -> None:
    with pytest.raises(SettingsInvalid, match="DAOZHANG_ALERTS_ROBOTS_URL"):
        load_settings({}, alerts_robots_url="http://127.0.0.1:1", environments="production")
