"""The account that these programs use, and the wait that ends each of them.

`daozhang emulator credentials --json > account.json` makes one; ALIPAY_ACCOUNT names the file.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path

from daozhang.alipay import (
    Alipay,
    Credentials,
    Environment,
    PrivateKey,
    PublicKey,
    Rejected,
    TradeQuery,
)

WAIT_SECONDS = 60
PAID = ("TRADE_SUCCESS", "TRADE_FINISHED")


def open_account() -> Alipay:
    """A client of the app in the file that ALIPAY_ACCOUNT names."""
    given = json.loads(Path(os.environ.get("ALIPAY_ACCOUNT", "account.json")).read_text("utf-8"))
    return Alipay(
        Credentials(
            app_id=given["app_id"],
            environment=Environment.EMULATOR,
            private_key=PrivateKey.load(given["app_private_key_pkcs1"]),
            alipay_public_key=PublicKey.load(given["alipay_public_key"]),
            gateway_url=given["gateway_url"],
            v3_base_url=given["v3_base_url"],
        )
    )


def new_number() -> str:
    """A number for an order that nobody has used."""
    return f"way-{uuid.uuid4().hex[:20]}"


def say(what: str, value: str) -> None:
    """A line for whoever reads along: a person, or a test."""
    print(f"{what}: {value}", flush=True)


def wait_until_paid(alipay: Alipay, out_trade_no: str) -> None:
    """Asks until the order is paid. A shop that runs does this by notifications, and asks as well."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            trade = alipay.call(TradeQuery(out_trade_no=out_trade_no))
        except Rejected as no:
            if no.sub_code != "ACQ.TRADE_NOT_EXIST":  # nobody has opened or scanned it yet
                raise
        else:
            if trade.trade_status in PAID:
                say("paid", f"{trade.total_amount} {trade.trade_no}")
                return
        time.sleep(0.2)
    sys.exit(f"Nobody has paid {out_trade_no} within {WAIT_SECONDS} s.")
