"""An upgrade beside the service: what is paid meanwhile is booked, once, and nothing waits long."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.migrations import Standing, standing, upgrade
from databases import database_url, run
from newer import later_version
from ports import free_port
from processes import prepare, serving, status, until
from signed_world import FORM, paid, signed
from streams import bearer

PAUSE_SECONDS = 0.02
SLOWEST_SECONDS = 3.0
"""A wait for a lock of 1 s, and what two busy cores take beside it."""


@dataclass
class Payments:
    """Orders are created and paid one after the other, at whichever process answers."""

    ports: list[int]
    key: str
    acknowledged: list[str] = field(default_factory=list[str])
    slowest_seconds: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        with httpx2.Client(trust_env=False, verify=False, timeout=10) as client:
            while not self.stopping.is_set():
                number += 1
                self._pay(client, f"U-{number}")
                self.stopping.wait(PAUSE_SECONDS)

    def _pay(self, client: httpx2.Client, number: str) -> None:
        body = {"out_trade_no": number, "amount": "88.88", "subject": "Tea"}
        created = self._post(client, "/v1/orders", json=body, headers=dict(bearer(self.key)))
        if created is None or created.status_code not in (200, 201):
            return
        notice = signed(paid(number))
        for _turn in range(2):  # Alipay sends again what was not acknowledged, and what was
            told = self._post(
                client, "/alipay/notify/shop", content=notice, headers={"Content-Type": FORM}
            )
            is_told = told is not None and told.content == b"success"
            if is_told and number not in self.acknowledged:
                self.acknowledged.append(number)

    def _post(self, client: httpx2.Client, path: str, **said: object) -> httpx2.Response | None:
        """As nginx does: what one process does not take another is asked for at once.

        What it took counts whatever was asked: the wait for the change may meet either request.
        """
        asked_at = time.monotonic()
        for port in list(self.ports):
            try:
                answer = client.post(f"http://127.0.0.1:{port}{path}", **said)  # type: ignore[arg-type]
            except httpx2.HTTPError:
                continue
            if answer.status_code < 500:
                seconds = time.monotonic() - asked_at
                self.slowest_seconds = max(self.slowest_seconds, seconds)
                return answer
        return None


@pytest.mark.skipif("config.getoption('--database') != 'postgresql'", reason="needs PostgreSQL")
def test_side_by_side_nothing_is_lost_and_nothing_is_booked_twice(tmp_path: Path) -> None:
    old, new = free_port(), free_port()
    key = prepare(tmp_path, old)
    database = Database(database_url(tmp_path))
    # The index is there: to make it would wait for the report below, and hold nobody up.
    run(database, "CREATE INDEX ix_orders_later ON orders (subject)")
    payments = Payments([old], key)
    paying = threading.Thread(target=payments.run)
    with serving(tmp_path, old) as first:
        paying.start()
        until(lambda: len(payments.acknowledged) >= 5)
        with database.engine.connect() as report:  # somebody's long report: the change has to wait
            report.execute(sa.text("SELECT count(*) FROM orders"))
            later = later_version(tmp_path, bears_us=True)
            migrating = threading.Thread(
                target=upgrade, args=(database,), kwargs={"directory": later}
            )
            migrating.start()
            time.sleep(2.5)
            assert migrating.is_alive()
        migrating.join(60)
        assert standing(database) is Standing.NEWER
        assert status(old, "/readyz") == 200, "older code goes on"
        with serving(tmp_path, new):
            payments.ports.append(new)
            before = len(payments.acknowledged)
            until(lambda: len(payments.acknowledged) >= before + 5)
            first.send_signal(signal.SIGTERM)
            assert first.wait(30) == 0
            after = len(payments.acknowledged)
            until(lambda: len(payments.acknowledged) >= after + 5)
            payments.stopping.set()
            paying.join(30)
            until(lambda: booked(database).keys() >= set(payments.acknowledged))
    found = booked(database)
    assert {number: found[number] for number in payments.acknowledged} == dict.fromkeys(
        payments.acknowledged, 1
    )
    assert 0.3 < payments.slowest_seconds < SLOWEST_SECONDS, "it did wait, and not long"
    database.dispose()


def booked(database: Database) -> dict[str, int]:
    """How often each paid order was announced as paid."""
    counted = sa.text(
        "SELECT o.out_trade_no AS number, count(*) AS times FROM orders o JOIN events e ON e.order_id = o.id"
        " WHERE o.status = 'paid' AND e.type = 'order.paid' GROUP BY 1"
    )
    with database.read() as tx:
        return {row["number"]: row["times"] for row in tx.execute(counted).mappings()}
