"""Overview: what came in, what went back, and how that compares. It only reads, but for sums of its own.

Owns two tables of sums, which its duty keeps from what is written once and never changed: orders as
they were created, events as they were announced. The console asks `actions`; nobody else is above it.
"""
