"""pandas over a bill and the orders: decoded from the zip, merged with a CSV of the orders.

Reads ``ZIP ORDERS.csv`` from its arguments; prints seconds and peak memory as JSON.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd


def main(archive: str, orders: str) -> None:
    """Times one pass."""
    started = time.perf_counter()
    lines = pd.read_csv(
        archive,
        encoding="gb18030",
        comment="#",
        dtype=str,
        compression="zip",
        skipinitialspace=True,
    )
    lines = lines.rename(columns=lambda name: name.strip())
    for name in ("商户订单号", "支付宝交易号", "业务类型"):
        lines[name] = lines[name].str.strip()
    for name in ("订单金额（元）", "商家实收（元）", "服务费（元）"):
        lines[name] = lines[name].str.replace(".", "").astype("int64")
    books = pd.read_csv(orders, dtype={"out_trade_no": str, "trade_no": str})
    both = lines.merge(
        books, how="outer", left_on="商户订单号", right_on="out_trade_no", indicator=True
    )
    here = both["_merge"] == "both"
    expected = (both["receipt_minor"] * 6000 + 500000) // 1000000
    odd = here & (
        (both["订单金额（元）"] != both["amount_minor"])
        | (both["支付宝交易号"] != both["trade_no"])
        | (both["商家实收（元）"] != both["receipt_minor"])
        | (-both["服务费（元）"] != expected)
    )
    found = [len(lines), int(lines["商家实收（元）"].sum()), int((~here).sum()), int(odd.sum())]
    seconds = time.perf_counter() - started
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "found": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
