"""Metrics of several processes on one port: whichever answers tells for all, and none goes back."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from journeys.test_processes import order_and_pay
from ports import free_port
from processes import children, prepare, serving, until

ORDERS = 12


def scrape(port: int) -> dict[str, float]:
    """All counters, from a new connection: some process answers."""
    answer = httpx2.get(
        f"http://127.0.0.1:{port}/metrics", trust_env=False, verify=False, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        if family.type in ("counter", "histogram")
        for sample in family.samples
    }


def scrape_again(port: int) -> dict[str, float]:
    """As `scrape`, while a process dies: a connection that it had taken ends with it."""
    for _ in range(5):
        try:
            return scrape(port)
        except httpx2.TransportError:
            continue
    return scrape(port)


@pytest.mark.skipif("config.getoption('--database') != 'postgresql'", reason="needs processes")
def test_whichever_process_answers_tells_for_all_and_no_counter_goes_back(tmp_path: Path) -> None:
    port = free_port()
    key = prepare(tmp_path, port)
    recorded = "daozhang_notifications_recorded_total[]"
    applied = "daozhang_notifications_applied_total[]"
    answered = "daozhang_notify_answers_total[('answer', 'success')]"
    with serving(tmp_path, port, "--workers", "3") as process:
        seen = [scrape(port)]
        for number in range(ORDERS):
            order_and_pay(port, key, f"A-{number}")
            seen.append(scrape(port))
            assert seen[-1][recorded] == number + 1
        until(lambda: scrape(port)[answered] == ORDERS)
        os.kill(min(children(process.pid)), signal.SIGKILL)
        until(lambda: len(children(process.pid)) == 3)
        seen += [scrape_again(port) for _ in range(20)]
        until(lambda: scrape(port)[applied] == ORDERS)
        seen.append(scrape(port))
        backwards = {
            name: (before[name], after[name])
            for before, after in pairwise(seen)
            for name in before
            if after[name] < before[name]
        }
        assert backwards == {}
        assert seen[-1][answered] == seen[-1][recorded] == ORDERS
