"""Transactions: what one that only reads sees of what others write meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from daozhang.service.db import Database
from daozhang.service.reconciliation.store import insert_rule, list_prefixes
from databases import database_url

SELLER = "2088000000000009"


def test_who_only_reads_sees_one_picture(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))

    def write() -> None:
        with database.begin() as tx:
            values = {
                "environment": "emulator",
                "seller_id": SELLER,
                "prefix": "OTHER",
                "made_by": "system",
                "made_at": datetime(2026, 3, 1, tzinfo=UTC),
            }
            assert insert_rule(tx, values)

    try:
        with ThreadPoolExecutor(1) as other:
            with database.read() as tx:
                assert list_prefixes(tx, "emulator", SELLER) == []
                other.submit(write).result()
                assert list_prefixes(tx, "emulator", SELLER) == []
            with database.read() as tx:
                assert list_prefixes(tx, "emulator", SELLER) == ["OTHER"]
    finally:
        database.dispose()
