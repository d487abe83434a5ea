"""The demo, as a person starts it: one payment seen through, over real HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = [
    "order created",
    "page opened",
    "paid",
    "notified",
    "verified",
    "booked",
    "event",
    "partial refund",
    "refund notified",
    "books equal",
]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "daozhang.cli", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def free_row() -> int:
    """The first of three ports in a row that were free a moment ago."""
    for base in range(21000, 29000, 10):
        try:
            for port in range(base, base + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise AssertionError("no three free ports in a row")


@pytest.mark.slow
def test_one_payment_is_seen_through_without_a_person(tmp_path: Path) -> None:
    done = run("--once", "--port-base", str(free_row()), "--data", str(tmp_path))
    assert done.returncode == 0, done.stderr + done.stdout
    lines = done.stdout.splitlines()
    said = [step for line in lines for step in STEPS if line.startswith(f"{step}  ")]
    assert said == STEPS


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    base = free_row()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 1))
        taken.listen()
        done = run("--once", "--port-base", str(base), "--data", str(tmp_path))
    assert done.returncode == 1
    assert f"{base + 1} (shop)" in done.stderr
    assert "--port-base" in done.stderr
    assert list(tmp_path.iterdir()) == []
