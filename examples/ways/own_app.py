"""Your own app: it hands the order string to Alipay's SDK, unchanged."""

from __future__ import annotations

from account import new_number, open_account, say, wait_until_paid

from daozhang.alipay import TradeAppPay
from daozhang.money import Money


def main() -> None:
    alipay, number = open_account(), new_number()
    operation = TradeAppPay(
        out_trade_no=number, total_amount=Money.parse("88.88"), subject="Longjing tea"
    )
    say("order", number)
    say("order_string", alipay.order_string(operation))
    wait_until_paid(alipay, number)


if __name__ == "__main__":
    main()
