"""A code on your screen: the buyer scans it."""

from __future__ import annotations

from account import new_number, open_account, say, wait_until_paid

from daozhang.alipay import TradePrecreate
from daozhang.money import Money


def main() -> None:
    alipay, number = open_account(), new_number()
    made = alipay.call(
        TradePrecreate(out_trade_no=number, total_amount=Money.parse("8.88"), subject="Tea")
    )
    say("order", number)
    say("scan", made.qr_code or "")
    wait_until_paid(alipay, number)


if __name__ == "__main__":
    main()
