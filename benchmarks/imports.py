"""What importing the library costs above a bare interpreter, bytecode compiled."""

from __future__ import annotations

import compileall
import statistics
import subprocess
import sys
import time
from pathlib import Path

import daozhang
from benchmarks.rounds import print_table

PROMISE_MS = 150.0
PROGRAMS = {
    "bare interpreter": "pass",
    "import daozhang.alipay": "import daozhang.alipay",
    "  of which cryptography": "import cryptography.hazmat.primitives.asymmetric.rsa",
    "  of which msgspec": "import msgspec",
}


def run(rounds: int) -> bool:
    """Prints the table; ``True`` if the promise is kept."""
    for folder in {Path(daozhang.__file__).parent}:
        compileall.compile_dir(folder, quiet=2)
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(values) * 1000 for name, values in seconds.items()}
    bare = medians["bare interpreter"]
    above = medians["import daozhang.alipay"] - bare
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, daozhang.alipay; print('httpx2' in sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    rows = [[name, f"{ms:.0f}", f"{ms - bare:+.0f}"] for name, ms in medians.items()]
    print_table("Import of the library", ["program", "ms", "above bare"], rows)
    print(f"HTTP client imported: {loaded}")
    kept = above <= PROMISE_MS and loaded == "False"
    print(f"promise: at most {PROMISE_MS:.0f} ms above bare -> {above:.0f} ms, kept: {kept}")
    return kept
