"""Benchmarks: each prints a table of ours, the peers and the limit, measured in one run."""
