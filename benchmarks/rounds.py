"""Interleaved rounds: every contender runs a little in turn, so that the machine's moods hit all
alike; the median of the rounds is the figure."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Contender:
    """Somebody to be timed: ``run(n)`` does the work ``n`` times and returns the seconds."""

    name: str
    run: Callable[[int], float]
    close: Callable[[], None] = lambda: None


def in_process(name: str, work: Callable[[], object]) -> Contender:
    """A contender in this process."""

    def run(times: int) -> float:
        gc.collect()
        gc.disable()
        try:
            started = time.perf_counter()
            for _ in range(times):
                work()
            return time.perf_counter() - started
        finally:
            gc.enable()

    return Contender(name, run)


def in_child(
    name: str,
    command: Sequence[str | Path],
    case: Mapping[str, object],
    environment: Mapping[str, str],
) -> Contender:
    """A contender in a process of its own, which reads a count a line and answers the seconds.

    The first line that it reads is the case as JSON; its answer must be ``ready``.
    """
    child = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(environment),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    reads, writes = child.stdout, child.stdin

    def ask(line: str) -> str:
        writes.write(line + "\n")
        writes.flush()
        answer = reads.readline().strip()
        if not answer:
            raise RuntimeError(f"{name} ended without an answer (exit code {child.wait()})")
        return answer

    def close() -> None:
        writes.close()
        child.wait(10)
        reads.close()

    answer = ask(json.dumps(case))
    if answer != "ready":
        raise RuntimeError(f"{name} does not accept the case: {answer}")
    return Contender(name, lambda times: float(ask(str(times))), close)


def measure(
    contenders: Sequence[Contender], *, rounds: int, seconds_per_turn: float
) -> dict[str, float]:
    """Seconds for one piece of work, per contender: the median over ``rounds`` interleaved turns."""
    counts = {c.name: _calibrate(c, seconds_per_turn) for c in contenders}
    samples: dict[str, list[float]] = {c.name: [] for c in contenders}
    for _ in range(rounds):
        for contender in contenders:
            times = counts[contender.name]
            samples[contender.name].append(contender.run(times) / times)
    for contender in contenders:
        contender.close()
    return {name: statistics.median(values) for name, values in samples.items()}


def _calibrate(contender: Contender, seconds_per_turn: float) -> int:
    times = 1
    while (seconds := contender.run(times)) < seconds_per_turn / 4:
        times *= 4
    return max(1, round(times * seconds_per_turn / max(seconds, 1e-9)))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in plain text, columns aligned."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = cells
        right = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        return "  ".join([first.ljust(widths[0]), *right])

    print(f"\n{title}\n{'-' * len(title)}")
    print(line(header))
    for row in rows:
        print(line(row))
