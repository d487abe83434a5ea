"""A web page: the buyer is sent to Alipay's cashier."""

from __future__ import annotations

from account import new_number, open_account, say, wait_until_paid

from daozhang.alipay import TradePagePay
from daozhang.money import Money


def main() -> None:
    alipay, number = open_account(), new_number()
    operation = TradePagePay(
        out_trade_no=number, total_amount=Money.parse("88.88"), subject="Longjing tea"
    )
    say("order", number)
    say("open", alipay.page_url(operation))
    wait_until_paid(alipay, number)


if __name__ == "__main__":
    main()
