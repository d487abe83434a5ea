"""DuckDB over a bill and the orders, everything in files: unpacked, read as bytes of latin-1, joined.

Reads ``ZIP ORDERS.parquet`` from its arguments; prints seconds and peak memory as JSON.
"""

import json
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import duckdb

MONEY = (11, 12, 16, 22)


def main(archive: str, orders: str) -> None:
    """Times one pass."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        text = Path(place) / "bill.csv"
        with (
            zipfile.ZipFile(archive) as held,
            held.open(held.namelist()[0]) as packed,
            text.open("wb") as out,
        ):
            shutil.copyfileobj(packed, out, 1 << 20)
        columns = {f"c{n}": "DECIMAL(14,2)" if n in MONEY else "VARCHAR" for n in range(25)}
        lines = (
            f"SELECT rtrim(c1, chr(9)) AS out_trade_no, rtrim(c0, chr(9)) AS trade_no, c11 AS total, "
            f"c12 AS receipt, c22 AS fee FROM read_csv('{text}', header = false, skip = 5, delim = ',', "
            f"quote = '', encoding = 'latin-1', ignore_errors = true, null_padding = true, "
            f"strict_mode = false, columns = {columns}) WHERE c12 IS NOT NULL"
        )
        found = (
            duckdb.connect()
            .execute(
                f"""SELECT count(l.out_trade_no), sum(l.receipt),
            count(*) FILTER (WHERE o.out_trade_no IS NULL),
            count(*) FILTER (WHERE l.out_trade_no IS NULL),
            count(*) FILTER (WHERE l.total * 100 <> o.amount_minor OR l.trade_no <> o.trade_no
                OR l.receipt * 100 <> o.receipt_minor
                OR -l.fee * 100 <> (o.receipt_minor * 6000 + 500000) // 1000000)
            FROM ({lines}) l FULL JOIN '{orders}' o USING (out_trade_no)"""
            )
            .fetchone()
        )
    seconds = time.perf_counter() - started
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "found": [str(one) for one in found]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
