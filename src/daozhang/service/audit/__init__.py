"""The audit trail: who did what, append-only and hash-chained, for console, API and CLI alike.

A row is written in the transaction of the change that it tells of: neither is without the other.
"""
