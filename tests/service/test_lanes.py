"""Each App's calls in a lane of their own: a flood in one holds up no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import sqlalchemy as sa

from daozhang.service.jobs import RUNNING_IN_LANE_MAX
from daozhang.service.refunds.duties import SweepRefunds
from daozhang.service.refunds.requesting import LEASE_SECONDS
from daozhang.service.refunds.store import refunds
from deployment import APP_ID, new_app
from refund_world import TOTAL, Shop, open_shop
from signed_world import FORM, paid, signed
from worlds import register

NEIGHBOURS_APP_ID = "2021000000000002"
NEIGHBOURS_SELLER_ID = "2088000000000002"


class _Neighbour(Shop):
    """A second merchant of the same service, with an App of its own."""

    def tell(self, number: str, **changes: str | None) -> None:
        mine = {
            "app_id": NEIGHBOURS_APP_ID,
            "auth_app_id": NEIGHBOURS_APP_ID,
            "seller_id": NEIGHBOURS_SELLER_ID,
            "total_amount": str(TOTAL),
            "receipt_amount": str(TOTAL),
        }
        body = signed(paid(number, **{**mine, **changes}))
        answer = self.api.post(
            "/alipay/notify/neighbour", content=body, headers={"Content-Type": FORM}
        )
        assert answer.content == b"success"


@contextmanager
def _two_shops(directory: Path, **settings: object) -> Generator[tuple[Shop, Shop]]:
    with open_shop(directory, settings=settings) as shop:
        key = register(
            shop.service.context,
            new_app(app_id=NEIGHBOURS_APP_ID),
            seller_id=NEIGHBOURS_SELLER_ID,
            slug="neighbour",
        )
        own = {"Authorization": f"Bearer {key}"}
        address = shop.service.context.settings.public_url
        with httpx2.Client(
            base_url=address, headers=own, trust_env=False, verify=False, timeout=60
        ) as api:
            yield shop, _Neighbour(shop.service, api, shop.gateway, shop.clock, _orders=500)


def _ask_back(shop: Shop, number: str) -> None:
    assert shop.refund(number, TOTAL, "R1").status_code == 201


def _wait_until(is_so: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)


def _calls_of(shop: Shop, app_id: str) -> list[float]:
    return [moment for moment, caller in shop.gateway.heard if caller == app_id]


def test_an_app_whose_gateway_hangs_holds_up_no_other(tmp_path: Path) -> None:
    with _two_shops(tmp_path) as (shop, neighbour):
        flood = [shop.paid_order() for _ in range(RUNNING_IN_LANE_MAX + 4)]
        theirs = neighbour.paid_order()
        shop.gateway.hanging[APP_ID] = answers = threading.Event()
        try:
            for number in flood:
                _ask_back(shop, number)
            _wait_until(lambda: len(_calls_of(shop, APP_ID)) == RUNNING_IN_LANE_MAX)
            _ask_back(neighbour, theirs)
            _wait_until(lambda: neighbour.the_refund(theirs)["status"] == "succeeded")
            # Those behind in the lane of the App that hangs are still there.
            assert len(_calls_of(shop, APP_ID)) == RUNNING_IN_LANE_MAX
            assert {shop.the_refund(number)["status"] for number in flood} == {"requested"}
        finally:
            answers.set()
        assert shop.service.jobs.wait_idle(60)
        assert {shop.the_refund(number)["status"] for number in flood} == {"succeeded"}
        assert len(_calls_of(shop, APP_ID)) == len(flood)


def test_an_app_starts_no_more_calls_in_a_second_than_the_setting_says(tmp_path: Path) -> None:
    with _two_shops(tmp_path, app_jobs_per_second=1) as (shop, neighbour):
        flood = [shop.paid_order() for _ in range(7)]
        theirs = neighbour.paid_order()
        begun_at = time.monotonic()
        for number in flood:
            _ask_back(shop, number)
        _ask_back(neighbour, theirs)
        assert shop.service.jobs.wait_idle(60)
        calls = _calls_of(shop, APP_ID)
        assert len(calls) == len(flood)
        for turn, moment in enumerate(calls):
            # One for each second of the clock: on SQLite they are counted by whole seconds.
            assert moment - begun_at >= turn - 1
        # The neighbour came last and was not last: its lane was empty.
        (their_call,) = _calls_of(shop, NEIGHBOURS_APP_ID)
        assert their_call < calls[-1]
        assert {shop.the_refund(number)["status"] for number in flood} == {"succeeded"}
        assert neighbour.the_refund(theirs)["status"] == "succeeded"


def test_a_refund_that_waits_for_its_turn_gets_no_second_attempt(tmp_path: Path) -> None:
    with _two_shops(tmp_path, app_jobs_per_second=1) as (shop, _):
        flood = [shop.paid_order() for _ in range(5)]
        for number in flood:
            _ask_back(shop, number)
        # Longer than a lease: each that is still open is due again.
        shop.clock.set(shop.clock.now() + timedelta(seconds=LEASE_SECONDS + 1))
        SweepRefunds(shop.service.context, shop.service.jobs).run_due()
        assert shop.service.jobs.wait_idle(60)
        with shop.service.context.database.read() as tx:
            attempts = tx.execute(sa.select(refunds.c.attempt, refunds.c.due_at)).all()
        # One may have run at the moment of the sweep: its process could have been dead as well.
        assert sorted(row.attempt for row in attempts)[:-1] == [1] * (len(flood) - 1)
        assert {row.due_at for row in attempts} == {None}
        assert {shop.the_refund(number)["status"] for number in flood} == {"succeeded"}
        assert len(_calls_of(shop, APP_ID)) == len(flood)
