"""A deposit: the buyer scans your code, 500.00 are frozen, 120.00 are taken and the rest is let go."""

from __future__ import annotations

import sys
import time

from account import WAIT_SECONDS, new_number, open_account, say

from daozhang.alipay import (
    Alipay,
    FundAuthOperationDetailQuery,
    FundAuthOrderVoucherCreate,
    Rejected,
    TradePay,
)
from daozhang.money import Money


def wait_until_frozen(alipay: Alipay, number: str) -> str:
    """Alipay's number of the hold, once the buyer has confirmed. A service does this by notifications."""
    query = FundAuthOperationDetailQuery(out_order_no=number, out_request_no=number)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            told = alipay.call(query)
        except Rejected as no:
            if no.sub_code != "AUTH_ORDER_NOT_EXIST":  # nobody has scanned it yet
                raise
        else:
            if told.order_status == "AUTHORIZED" and told.auth_no:
                say("frozen", f"{told.rest_amount} {told.auth_no}")
                return told.auth_no
        time.sleep(0.2)
    sys.exit(f"Nobody has confirmed {number} within {WAIT_SECONDS} s.")


def main() -> None:
    alipay, number = open_account(), new_number()
    made = alipay.call(
        FundAuthOrderVoucherCreate(
            out_order_no=number,
            out_request_no=number,
            order_title="Deposit",
            amount=Money.parse("500.00"),
        )
    )
    say("hold", number)
    say("scan", made.code_value or "")
    auth_no = wait_until_frozen(alipay, number)
    paid = alipay.call(
        TradePay(
            out_trade_no=new_number(),
            total_amount=Money.parse("120.00"),
            subject="Minibar",
            product_code="PRE_AUTH",
            auth_no=auth_no,
            auth_confirm_mode="COMPLETE",
        )
    )
    say("paid", f"{paid.total_amount} {paid.trade_no}")


if __name__ == "__main__":
    main()
