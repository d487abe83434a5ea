"""The buyer's code: the scanner types it, and it is charged.

What is not paid in the end is cancelled, and the cancel is the last word: an unknown outcome is never
"failed". The service does all this durably (docs/guides/at-the-till.md); this is the bare shape of it.
"""

from __future__ import annotations

import sys
import time

from account import PAID, WAIT_SECONDS, new_number, open_account, say

from daozhang.alipay import (
    Alipay,
    OutcomeUnknown,
    Rejected,
    TradeCancel,
    TradePay,
    TradeQuery,
    scene_of,
)
from daozhang.money import Money


def main() -> None:
    alipay, number = open_account(), new_number()
    say("order", number)
    code = sys.stdin.readline().strip()
    scene = scene_of(code)
    if scene is None:
        sys.exit("This is no payment code of Alipay's. Nothing was charged: scan again.")
    operation = TradePay(
        out_trade_no=number,
        total_amount=Money.parse("8.88"),
        subject="Tea",
        scene=scene,
        auth_code=code,
        product_code="FACE_TO_FACE_PAYMENT",
    )
    try:
        result = alipay.call(operation)
    except Rejected as no:
        say("declined", no.sub_code or no.code)
    except OutcomeUnknown as unknown:
        say("unknown", unknown.cause)
        _ask_or_cancel(alipay, number)
    else:
        if result.is_paid:
            say("paid", f"{result.total_amount} {result.trade_no}")
        else:
            say("waits", "the buyer confirms on the phone")
            _ask_or_cancel(alipay, number)


def _ask_or_cancel(alipay: Alipay, number: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            trade = alipay.call(TradeQuery(out_trade_no=number))
        except (Rejected, OutcomeUnknown):
            pass  # a question without an answer decides nothing
        else:
            if trade.trade_status in PAID:
                say("paid", f"{trade.total_amount} {trade.trade_no}")
                return
        time.sleep(0.2)
    ended = alipay.call(TradeCancel(out_trade_no=number))
    say("cancelled", ended.action or "nothing was there")


if __name__ == "__main__":
    main()
