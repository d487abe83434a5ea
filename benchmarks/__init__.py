"""Benchmarks: each prints a table of ours, the peers and the limit, measured in one run."""

import sys
from pathlib import Path

# The PostgreSQL server of the tests is the benchmarks' too.
sys.path.append(str(Path(__file__).parents[1] / "tests"))
